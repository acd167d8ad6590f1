"""What changed between two protocols, by name rather than by position."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from leadline.protocol.model import Protocol

Weight = Literal["material", "editorial"]

#: Fields that explain and never decide; everything else is a promise.
EDITORIAL_FIELDS = frozenset(
    {
        "title", "licence", "funding", "conflicts", "notes", "note", "why", "why_smallest", "argument",
        "basis", "source", "contact", "reason", "validated", "area",
    }
)  # fmt: skip

#: What names an entry of a list, most telling first; together where one alone would not do.
_NAMES = (
    ("name",),
    ("id",),
    ("by", "hypothesis"),
    ("hypothesis", "outcome"),
    ("hypothesis",),
    ("kind", "study"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    ``pointer`` is a JSON pointer (RFC 6901) in which entries of named lists go by their name, e.g.
    ``/hypotheses/h1/smallest``; ``old`` and ``new`` are JSON values; ``kind`` says whether one of
    them did not exist. ``weight`` is `editorial` for texts that explain and for mere reordering.
    """

    pointer: str
    old: Any
    new: Any
    weight: Weight
    kind: Literal["changed", "added", "removed"] = "changed"

    def __str__(self) -> str:
        """``/sample_size/items: 100 -> 80``"""
        mark = "" if self.weight == "material" else "  (editorial)"
        match self.kind:
            case "added":
                return f"{self.pointer}: added {_short(self.new)}{mark}"
            case "removed":
                return f"{self.pointer}: removed {_short(self.old)}{mark}"
            case _:
                return f"{self.pointer}: {_short(self.old)} -> {_short(self.new)}{mark}"


def diff(old: Protocol, new: Protocol) -> list[Change]:
    """Every difference, in the order of the schema; empty exactly when the digests are equal.

    Defaults are filled in on both sides, so a change from a default shows what the default was.
    """
    before, after = (protocol.model_dump(mode="json") for protocol in (old, new))
    return list(_tables("", before, after, editorial=False))


def render(changes: list[Change]) -> str:
    """The changes as lines of text, promises first."""
    if not changes:
        return "no difference"
    return "\n".join(
        str(change) for change in sorted(changes, key=lambda change: change.weight == "editorial")
    )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _values(pointer: str, old: Any, new: Any, *, editorial: bool) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _tables(pointer, old, new, editorial=editorial)
    elif isinstance(old, list) and isinstance(new, list) and (key := _naming(old, new)):
        yield from _lists(pointer, old, new, key, editorial=editorial)
    elif not _same(old, new):
        yield Change(pointer, old, new, "editorial" if editorial else "material")


def _same(old: Any, new: Any) -> bool:
    """Equality as JSON has it: true is not 1."""
    return (bool(old == new) and json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)) or (
        _is_number(old) and _is_number(new) and old == new
    )  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tables(pointer: str, old: dict[str, Any], new: dict[str, Any], *, editorial: bool) -> Iterator[Change]:
    for key in [*old, *(key for key in new if key not in old)]:
        place = f"{pointer}/{_escape(key)}"
        explains = editorial or key in EDITORIAL_FIELDS
        weight: Weight = "editorial" if explains else "material"
        if key not in new:
            yield Change(place, old[key], None, weight, "removed")
        elif key not in old:
            yield Change(place, None, new[key], weight, "added")
        else:
            yield from _values(place, old[key], new[key], editorial=explains)


def _lists(
    pointer: str, old: list[Any], new: list[Any], key: tuple[str, ...], *, editorial: bool
) -> Iterator[Change]:
    before, after = ({_name(item, key): item for item in items} for items in (old, new))
    yield from _tables(pointer, before, after, editorial=editorial)
    if list(before) != list(after) and set(before) == set(after):
        yield Change(pointer, list(before), list(after), "editorial")


def _naming(old: list[Any], new: list[Any]) -> tuple[str, ...] | None:
    """The fields that name every entry of both lists without a repetition, if there are such fields."""
    items = [*old, *new]
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in _NAMES:
        if all(all(isinstance(item.get(part), str) for part in key) for item in items):
            names = [[_name(item, key) for item in side] for side in (old, new)]
            if all(len(set(side)) == len(side) for side in names):
                return key
    return None


def _name(item: dict[str, Any], key: tuple[str, ...]) -> str:
    return ":".join(item[part] for part in key)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
