"""Which files are logs: decided by content, never by name."""

from collections.abc import Sequence

from leadline.errors import LogError
from leadline.logs.limits import Limits
from leadline.logs.lines import first_object
from leadline.logs.readers import Format
from leadline.logs.source import Source

_POINTER = b"version https://git-lfs.github.com/spec/"
_LOG_NAMES = (".eval",)
_KEYS_NAMED = 6


def detect(source: Source, limits: Limits, formats: Sequence[Format]) -> Format | None:
    """The format of a file, the first of `formats` that recognises it, or None for one that is of none of them.

    Raises LogError for a file that was meant to be a log and is not one: a git-LFS pointer, an empty
    `.eval` file, an `.eval` file of another kind.
    """
    if source.head.startswith(_POINTER):
        raise LogError(
            "is a git-LFS pointer, not the log itself",
            where=str(source.path),
            remedy="fetch the content first: git lfs pull",
        )
    for form in formats:
        if form.whole:
            if not _begins_like_json(source):
                continue
            _check_size(source, limits)
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


def described(source: Source) -> str:
    """What a file is that no format recognises, in words."""
    if source.size == 0:
        return "is empty"
    if source.head.startswith(b"PAR1"):
        return "a Parquet table; what its columns mean has to be said with a mapping"
    if (row := first_object(source)) is not None:
        names = ", ".join([*list(row)[:_KEYS_NAMED], *(["..."] if len(row) > _KEYS_NAMED else [])])
        return f"JSON of no known log format, with the keys {names}; a table needs a mapping"
    if _begins_like_json(source):
        return "JSON of no known log format"
    if source.head.startswith(b"PK"):
        return "a ZIP archive that is no Inspect log"
    if b"\0" in source.head:
        return "binary content of no known log format"
    return "text of no known log format; a table needs a mapping"


def _begins_like_json(source: Source) -> bool:
    return source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def _check_size(source: Source, limits: Limits) -> None:
    """JSON has to be read whole to be told apart, so its size is bounded."""
    if source.size > limits.document:
        raise LogError(
            f"refused: a JSON document of {source.size:,} bytes; at most {limits.document:,} are read at once",
            where=str(source.path),
            remedy="if it is a log, convert it with `inspect log convert` to .eval, which is read piece by piece",
        )
