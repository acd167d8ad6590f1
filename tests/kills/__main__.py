"""`python -m tests.kills --kills 500 --store sqlite`, from the root of the repository."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests import each other from there

from kills.campaign import main

if __name__ == "__main__":
    sys.exit(main())
