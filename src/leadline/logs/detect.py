"""Which files are logs: decided by content, never by name."""

from leadline.errors import LogError
from leadline.logs.limits import Limits
from leadline.logs.readers import FORMATS, Format
from leadline.logs.source import Source

_POINTER = b"version https://git-lfs.github.com/spec/"
_LOG_NAMES = (".eval",)
_BEGINNINGS = (b"PK", b"{", b"\xef\xbb\xbf", b" ", b"\t", b"\n", b"\r")


def detect(source: Source, limits: Limits) -> Format | None:
    """The format of a file, or None for one that is no log.

    Raises LogError for a file that was meant to be a log and is not one: a git-LFS pointer, an empty
    `.eval` file, an `.eval` file of another kind.
    """
    if source.head.startswith(_POINTER):
        raise LogError(
            "is a git-LFS pointer, not the log itself",
            where=str(source.path),
            remedy="fetch the content first: git lfs pull",
        )
    if source.head.startswith(_BEGINNINGS):
        _check_size(source, limits)
        for form in FORMATS:
            if form.recognise(source):
                return form
    if source.path.suffix in _LOG_NAMES:
        what = "is empty" if source.size == 0 else "does not begin like a log (neither ZIP nor JSON)"
        raise LogError(
            what,
            where=str(source.path),
            remedy="copy the log again; if the run has just started, wait for its first flush",
        )
    return None


def _check_size(source: Source, limits: Limits) -> None:
    """JSON has to be read whole to be told apart, so its size is bounded."""
    if source.size > limits.document and not source.head.startswith(b"PK"):
        raise LogError(
            f"refused: a JSON document of {source.size:,} bytes; at most {limits.document:,} are read at once",
            where=str(source.path),
            remedy="if it is a log, convert it with `inspect log convert` to .eval, which is read piece by piece",
        )
