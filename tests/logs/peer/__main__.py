"""Compare this package's reader with Inspect's own on logs that Inspect writes, and print how many samples were compared.

    python -m tests.logs.peer [--samples 10000] [--seed 1]

Every log is compared as written; the first two of them also in every other shape that such logs are found in.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from logs.peer.compare import compare_file
from logs.peer.generate import generate, shapes


def main() -> None:
    """Generate, compare, print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--samples", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        start = time.process_time()
        written = generate(Path(name), given.samples, seed=given.seed)
        print(f"{len(written)} logs written by Inspect in {time.process_time() - start:.0f} s", flush=True)
        plain = sum(compare_file(path) for path in written)
        print(f"{plain:,} samples as written: equal", flush=True)
        shaped = 0
        for number, path in enumerate(written[:2]):
            for one, peer in shapes(path, Path(name) / f"shapes-{number}"):
                shaped += compare_file(one, peer)
        print(f"{shaped:,} samples in other shapes: equal")


if __name__ == "__main__":
    main()
