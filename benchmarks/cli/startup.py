"""How long the command line and the bare import take, as ratios to the interpreter's own start.

python benchmarks/cli/startup.py [--repeats 15]
"""

import argparse
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass (floor)": ["-c", "pass"],
    "import leadline": ["-c", "import leadline"],
    "leadline --help": ["-m", "leadline.cli", "--help"],
    "leadline --version": ["-m", "leadline.cli", "--version"],
    "import pydantic (peer)": ["-c", "import pydantic"],
    "import numpy (peer)": ["-c", "import numpy"],
}


def best(arguments: list[str], repeats: int) -> float:
    """Seconds of the fastest of several fresh processes."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print best seconds and the ratio to the floor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    floor = best(COMMANDS["python -c pass (floor)"], repeats)
    for name, arguments in COMMANDS.items():
        seconds = best(arguments, repeats)
        print(
            f"{name:26} {seconds:7.3f} s   {seconds / floor:5.1f} x floor   {seconds - floor:+.3f} s over it"
        )


if __name__ == "__main__":
    main()
