"""A process that appends studies and says on stdout what was acknowledged; tests kill it, starve it, or run two."""

import resource
import sys

from leadline.errors import Explained
from leadline.store import open_store
from store.factory import Lab


def main(path: str, name: str, count: int, file_limit: int) -> None:
    """Append `count` studies named after `name`; a line per receipt, a last line for an error."""
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    lab = Lab()
    try:
        with open_store(path) as store:
            print("ready", flush=True)
            for i in range(count):
                receipt = lab.study(store, f"{name} {i}", "words " * 50 + f"{name}{i}")
                print(receipt.index, receipt.leaf_hash.hex(), flush=True)
    except Explained as error:
        print("refused", type(error).__name__, error.message, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
