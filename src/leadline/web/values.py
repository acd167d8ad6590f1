"""Single settings as they come from a file or from the environment, read into what they mean.

Each reader takes a TOML value, or the text of an environment variable, and returns the value; what it cannot
be is a `ValueError` whose words say what is allowed. Where it stood is added by the caller.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from leadline.errors import Explained
from leadline.ledger.keys import VerifyKey

Reader = Callable[[Any], Any]

_TRUE: Final = ("true", "yes", "on", "1")
_FALSE: Final = ("false", "no", "off", "0")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9.:\[\]_-]{1,255}", re.ASCII)
_SIZES: Final = {"": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_SIZE = re.compile(r"(\d{1,15})\s{0,3}([A-Za-z]{0,3})", re.ASCII)
_DURATIONS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d{1,9})\s{0,3}([smhdw]?)", re.ASCII)


def text(longest: int = 500) -> Callable[[Any], str]:
    """One line of text."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError("must be a text that is not empty")
        if len(value) > longest or not value.isprintable():
            raise ValueError(f"must be one line of at most {longest} printable characters")
        return value.strip()

    return read


def choice(*allowed: str) -> Reader:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return read


def whole(low: int, high: int) -> Reader:
    """A whole number between two bounds, both allowed."""

    def read(value: Any) -> int:
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value.strip()[:20])
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low:,} to {high:,}")
        return value

    return read


def size(high: int) -> Reader:
    """A number of bytes, or a text such as ``512 MiB``."""
    return _united(_SIZE, _SIZES, high, "a number of bytes, or a text such as 512 MiB or 2 GiB")


def duration(high: int) -> Reader:
    """A number of seconds, or a text such as ``30s``, ``15m``, ``6h``, ``1d``."""
    return _united(_DURATION, _DURATIONS, high, "a number of seconds, or a text such as 30s, 15m, 6h or 1d")


def _united(pattern: re.Pattern[str], units: dict[str, int], high: int, form: str) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, str) and (found := pattern.fullmatch(value.strip())) is not None:
            unit = units.get(found[2].lower())
            value = None if unit is None else int(found[1]) * unit
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= high:
            raise ValueError(f"must be {form}, and at most {high:,}")
        return value

    return read


def switch(value: Any) -> bool:
    """True or false."""
    if isinstance(value, str) and value.lower() in (*_TRUE, *_FALSE):
        return value.lower() in _TRUE
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def path(value: Any) -> Path:
    """A place in the file system; ``~`` is the home folder."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("must be a path")
    return Path(value).expanduser()


def listed(item: Reader, most: int = 10_000) -> Reader:
    """A list; in the environment, a text with commas."""

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, Sequence):
            raise ValueError("must be a list")
        if len(value) > most:
            raise ValueError(f"must have at most {most:,} entries")
        return tuple(item(one) for one in value)

    return read


def fingerprint(value: Any) -> str:
    """The fingerprint of a key; a public key stands for its own."""
    found = text()(value)
    if _FINGERPRINT.fullmatch(found):
        return found
    try:
        return VerifyKey.parse(found).fingerprint
    except Explained as error:
        raise ValueError(
            "must be a public key as `leadline key show` prints it, or its fingerprint of 64 hexadecimal digits"
        ) from error


def host(value: Any) -> str:
    """A host name that requests may be addressed to; ``*.example.org`` stands for every name below it."""
    found = text(255)(value)
    if found != "*" and _HOST.fullmatch(found) is None:
        raise ValueError("must be a host name such as registry.example.org, or *.example.org")
    return found


def web_address(value: Any) -> str:
    """An http(s) address of a server, without path, query, or user."""
    found = text(2000)(value).rstrip("/")
    try:
        parts = urlsplit(found)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or port == 0:
        raise ValueError(
            "must be the address of a server, such as https://registry.example.org, with no path behind it"
        )
    return found


def page_address(value: Any) -> str:
    """An http(s) address, with a path if it has one, without query or user."""
    found = text(2000)(value).rstrip("/")
    parts = urlsplit(found)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ValueError("must be a web address, such as https://witness.example.org/log")
    return found
