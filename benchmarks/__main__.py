"""Run every benchmark, one after the other, each in a fresh process with one thread per library.

    python -m benchmarks [name ...]        e.g. logs store/append

Figures are ratios against a floor or a peer measured in the same run; read those, not the seconds.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main(wanted: list[str]) -> int:
    """Run the scripts whose path begins with any of `wanted` (all without any); returns how many failed."""
    scripts = sorted(path for path in HERE.glob("*/*.py") if path.name != "__init__.py")
    failed = 0
    for path in scripts:
        name = str(path.relative_to(HERE).with_suffix(""))
        if wanted and not any(name.startswith(word) for word in wanted):
            continue
        print(f"\n== {name}", flush=True)
        failed += (
            subprocess.run([sys.executable, str(path)], env={**os.environ, **ONE_THREAD}).returncode != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
