"""What is recorded of one result: the arguments of `record` as the row of a recording, checked and bounded."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from leadline.errors import InputError
from leadline.ledger.canon import canonical
from leadline.logs.dataset import dataset_root, item_digest
from leadline.logs.limits import DEFAULT
from leadline.logs.recording.plain import plain
from leadline.logs.values import NAN

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 200_000
LONGEST_METADATA: Final = 64 << 10
_TEXTS: Final = ("answer", "explanation", "input", "error", "reason")
#: What stands in the place of an input that is known by its digest alone.
_BY_DIGEST: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class Row:
    """A result ready to be written: what makes it one of its kind, and its fields but for the times."""

    key: tuple[str, int, str]
    fields: dict[str, Any]


def result_row(
    sample_id: Any,
    score: Any,
    value: Any,
    *,
    epoch: Any = 1,
    seed: Any = None,
    target: Any = None,
    choices: Any = None,
    item: Any = None,
    metadata: Mapping[str, Any] | None = None,
    **texts: Any,
) -> Row:
    """The row of one result; see `Recording.record`. Raises InputError for what cannot be recorded as it is."""
    name = _name(plain(sample_id, "sample_id"), "sample_id", DEFAULT.id)
    measure = _name(score, "score", LONGEST_NAME)
    turn = plain(epoch, "epoch")
    if type(turn) is not int or not 1 <= turn < 1 << 31:
        raise _refused(f"the epoch is {turn!r}", "count repetitions of a sample 1, 2, 3")
    fields: dict[str, Any] = {"sample_id": name, "epoch": turn, "score": measure}
    for key in _TEXTS:
        if (text := _text(texts.pop(key, None), key)) is not None:
            fields[key] = text
    fields |= _value(plain(value, "value"), fields)
    if target is not None:
        fields["target"] = _text_or_list(target, "target")
    if choices is not None:
        fields["choices"] = _text_or_list(list(choices), "choices")
    if item is not None:
        fields["item"] = _item_sha256(item, fields)
    if seed is not None:
        fields["seed"] = _seed(plain(seed, "seed"))
    if notes := _metadata({**(metadata or {}), **texts}):
        fields["metadata"] = notes
    return Row((name, turn, measure), fields)


def dataset_sha256(items: Iterable[Mapping[str, Any]]) -> str:
    """The digest to promise as a task's ``dataset.sha256``: a Merkle root over its items, lower-case hex.

    Each item is a table with `sample_id` and what `record` will be given of it: `input`, `target`, `choices`, or
    `item`. Raises InputError for an item without content, and for two items of one id.
    """
    digests: dict[str, str] = {}
    for one in items:
        known = {key: one.get(key) for key in ("input", "target", "choices", "item")}
        fields = result_row(one.get("sample_id"), "none", 0, **known).fields
        content = item_content(fields.get("input"), fields.get("item"))
        if content is None:
            raise _refused(
                f"the item {fields['sample_id']!r} has no content", "give its `input`, or the `item` itself"
            )
        if fields["sample_id"] in digests:
            raise _refused(
                f"two items have the id {fields['sample_id']!r}", "give every item an id of its own"
            )
        target = fields.get("target", "")
        digests[fields["sample_id"]] = item_digest(
            fields["sample_id"], content, target, fields.get("choices")
        )
    return dataset_root(digests)


def item_content(text: str | None, digest: str | None) -> str | None:
    """What stands for the input when an item is digested: its text, else the digest of what has no text."""
    return text if digest is None else _BY_DIGEST + digest


def _item_sha256(item: Any, fields: Mapping[str, Any]) -> str:
    if "input" in fields:
        raise _refused(
            "both an input and an item are given", "give `input` for a text, `item` for anything else"
        )
    if isinstance(item, bytes | bytearray | memoryview):
        return sha256(item).hexdigest()
    return sha256(canonical(plain(item, "item"))).hexdigest()


def _value(value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Value and reason: what was not scored says why."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise _refused(
            f"the value is a text of {len(value):,} characters", "record a score, and the text as `answer`"
        )
    if not missing:
        return {"value": value}
    if value is None and not {"reason", "error"} & fields.keys():
        raise _refused(
            "there is no value, and no reason why",
            "pass `reason` (or `error`) for a sample that was not scored",
        )
    return {"value": None, "reason": fields.get("reason") or ("error" if "error" in fields else NAN)}


def _metadata(given: Mapping[str, Any]) -> dict[str, Any]:
    notes: dict[str, Any] = plain(given, "metadata") if given else {}
    if sum(map(_size, notes.items())) > LONGEST_METADATA:
        raise _refused(
            f"the metadata are larger than {LONGEST_METADATA:,} bytes", "record digests of large things"
        )
    return notes


def _size(pair: tuple[str, Any]) -> int:
    """Not less than the bytes of a metadata entry."""
    key, value = pair
    if type(value) in (int, float, bool) or value is None:
        return len(key) + 32
    return len(key) + len(value.encode("utf-8", "replace") if type(value) is str else canonical(value))


def _name(value: Any, what: str, longest: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise _refused(f"the {what} is {value!r:.80}", f"give a text as `{what}`")
    if len(value) > longest:
        raise _refused(
            f"the {what} has {len(value):,} characters; at most {longest:,} are kept", "use a short name"
        )
    return value


def _text(value: Any, what: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, BaseException):
        value = f"{type(value).__name__}: {value}"
    if not isinstance(value, str):
        raise _refused(
            f"{what} is a {type(value).__name__}, not a text", "pass a text; an input without one as `item`"
        )
    if len(value) > LONGEST_TEXT:
        raise _refused(
            f"{what} has {len(value):,} characters; at most {LONGEST_TEXT:,} are kept",
            "shorten it, or pass a digest in the metadata",
        )
    return value


def _text_or_list(value: Any, what: str) -> str | list[str]:
    if isinstance(value, list | tuple):
        return [_text(plain(part, what), what) or "" for part in value]
    found = plain(value, what)
    text = _text(str(found) if type(found) in (int, float, bool) else found, what)
    assert text is not None
    return text


def _seed(value: Any) -> int | str:
    if type(value) is int or type(value) is str:
        return str(value) if isinstance(value, int) and abs(value) >= 1 << 53 else value
    raise _refused(f"the seed is {value!r:.80}", "pass a whole number or a text")


def _refused(what: str, remedy: str) -> InputError:
    return InputError(what, where="run.record", remedy=remedy)
