"""How a value must be written in `key=value` so that Inspect's command line reads the very same value back.

Inspect reads what follows the first ``=`` as YAML, and then splits a text at its commas. In an environment variable
it also splits at blanks, before anything else; there a blank in a text is written as an escape.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from leadline.errors import InputError

_KEY: Final = re.compile(r"[^=\s-][^=\s-]*")
_EXPONENT: Final = re.compile(r"^(-?\d+)(\.\d+)?e([+-]?)(\d+)$")


def pair(key: str, value: Any, *, blanks: bool = True) -> str:
    """``key=value`` for one option, or without `blanks` for one word of an environment variable.

    Raises InputError for what Inspect would read as something else: a text with a comma, a key with a dash.
    """
    text = _text(value, blanks) if isinstance(value, str) else _other(value)
    if not blanks:
        text = text.replace(" ", "\\x20")  # stands within double quotes, wherever JSON has one
    if not _KEY.fullmatch(key) or not _same(_read(text), value) or (not blanks and re.search(r"\s", text)):
        raise InputError(
            f"{key}={json.dumps(value, default=str)[:200]} cannot be written on Inspect's command line",
            remedy="a text with a comma, or a key with a dash or a blank, reaches Inspect from Python only: in a script, "
            "eval(..., metadata=run.stamp(arm)), or under `leadline run` metadata=leadline.bench.launch.stamps.stamp(arm)",
        )
    return f"{key}={text}"


def pairs(flag: str, values: Mapping[str, Any]) -> list[str]:
    """`flag key=value` for each value, as words of a command."""
    return [word for key, value in values.items() for word in (flag, pair(key, value))]


def _text(value: str, blanks: bool) -> str:
    """A text as it is where YAML reads it as that text, else in double quotes with escapes."""
    if value.isascii() and value.isprintable() and (blanks or " " not in value) and _read(value) == value:
        return value
    quoted = json.dumps(value).replace("\x7f", "\\x7f")
    # YAML does not put two halves of a character together as JSON does.
    return re.sub(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}", _whole, quoted)


def _whole(halves: re.Match[str]) -> str:
    return f"\\U{ord(json.loads(chr(34) + halves[0] + chr(34))):08x}"


def _other(value: Any) -> str:
    """Numbers, booleans, null, lists and tables as JSON; YAML takes an exponent only after a point and with a sign."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        return ""
    if isinstance(value, float):
        return _EXPONENT.sub(lambda found: f"{found[1]}{found[2] or '.0'}e{found[3] or '+'}{found[4]}", text)
    return text


def _read(text: str) -> Any:
    """What Inspect makes of it."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return _UNREADABLE
    return value.split(",") if isinstance(value, str) and "," in value else value


def _same(found: Any, value: Any) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return type(found) is type(value) and bool(found == value)


_UNREADABLE: Final = object()
