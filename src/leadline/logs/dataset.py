"""A content hash of the dataset a log was run on, computed from its samples.

No log contains one. The item is `{choices, id, input, target}` as canonical JSON (RFC 8785), its digest
SHA-256; the dataset's digest is the RFC 6962 Merkle root over the item digests in the order of `str(id)`,
so that a subset stays provable. Message ids are dropped from list inputs, because they change at every run,
and so are null fields, which writers leave out or keep as they please; attachments are put back in place
of their references. An item is taken once, whatever the number of epochs.
"""

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import rfc8785

from leadline.errors import LogError
from leadline.ledger.tlog import leaf_hash, root

#: Hex digits of an item's digest in a probe, and how many items a probe has at most.
PROBE: Final = 8
MOST_PROBED: Final = 8
_REFERENCE = ("attachment://", "tc://")
#: A text as RFC 8785 writes it: that encoder escapes nothing but quotes, backslashes and control characters.
_escape = msgspec.json.Encoder().encode


def item_digest(
    id: str | int,  # noqa: A002
    input: str | list[dict[str, Any]],  # noqa: A002
    target: str | list[str],
    choices: list[str] | None = None,
    attachments: Mapping[str, str] | None = None,
) -> str:
    """Lower-case hex SHA-256 of one item in canonical form.

    Raises LogError when an attachment is missing or a value has no canonical form.
    """
    return hashlib.sha256(canonical_item(id, input, target, choices, attachments)).hexdigest()


def canonical_item(
    id: str | int,  # noqa: A002
    input: str | list[dict[str, Any]],  # noqa: A002
    target: str | list[str],
    choices: list[str] | None = None,
    attachments: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes that `item_digest` hashes: keys in the order of RFC 8785, the id as a string."""
    try:
        shown = _canonical_input(input, attachments)
        options, wanted = _texts(choices, attachments), _texts(target, attachments)
        return b'{"choices":%b,"id":%b,"input":%b,"target":%b}' % (options, _escape(str(id)), shown, wanted)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise LogError(
            f"sample {id!r} has no canonical form: {error}",
            remedy="its dataset digest is left out; every other column is unaffected",
        ) from error


def _canonical_input(value: str | list[dict[str, Any]], attachments: Mapping[str, str] | None) -> bytes:
    if isinstance(value, str):
        return _escape(_resolved(value, attachments))
    messages = [{key: part for key, part in message.items() if key != "id"} for message in value]
    return rfc8785.dumps(_cleaned(messages, attachments))


def _texts(value: str | list[str] | None, attachments: Mapping[str, str] | None) -> bytes:
    if value is None:
        return b"null"
    if isinstance(value, str):
        return _escape(_resolved(value, attachments))
    return b"[" + b",".join([_escape(_resolved(part, attachments)) for part in value]) + b"]"


def _cleaned(value: Any, attachments: Mapping[str, str] | None) -> Any:
    if isinstance(value, str):
        return _resolved(value, attachments)
    if isinstance(value, dict):
        return {key: _cleaned(part, attachments) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_cleaned(part, attachments) for part in value]
    return value


def _resolved(text: str, attachments: Mapping[str, str] | None) -> str:
    """The text, or the attachment it refers to (a reference is always the whole string)."""
    if attachments is None or not text.startswith(_REFERENCE):
        return text
    key = text.partition("://")[2]
    try:
        return attachments[key]
    except KeyError:
        raise LogError(
            f"attachment {key} is not in the log",
            remedy="the item has no digest; every other column is unaffected",
        ) from None


def dataset_root(digests: Mapping[str, str]) -> str:
    """Merkle root (RFC 6962 section 2.1, hex) over item digests (hex) by str(id), in the order of the ids.

    Order is by UTF-8 bytes of the id. The leaf is the 32-byte item digest.
    """
    ordered = sorted(digests, key=lambda key: key.encode("utf-8", "surrogatepass"))
    return root([leaf_hash(bytes.fromhex(digests[key])) for key in ordered]).hex()


def probe(digests: Iterable[str]) -> str:
    """The beginnings of the smallest item digests, joined: few bytes that tell whether a run took its items from a dataset.

    The smallest digests of a part of a dataset are digests of the dataset, so a probe is looked for among its items.
    """
    return "".join(digest[:PROBE] for digest in heapq.nsmallest(MOST_PROBED, digests))
