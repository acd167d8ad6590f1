"""Names of files that strangers chose, as names in a folder of ours."""

from pathlib import PurePosixPath
from typing import Final

#: Bytes of a name; every file system takes 255.
_LONGEST: Final = 200
_NAMELESS: Final = "log"


def file_name(name: str) -> str:
    """The last part of `name`: one plain name that leads nowhere else, at most 200 bytes, its ending kept.

    What an attach statement calls a log is its author's to choose, ``..`` and ten thousand letters included.
    """
    last = PurePosixPath(name.replace("\\", "/").replace("\0", "")).name
    if last in ("", ".", ".."):
        return _NAMELESS
    data = last.encode("utf-8", "replace")
    return data[-_LONGEST:].decode("utf-8", "ignore")
