"""What a reveal holds, and whether it opens what was sealed. Needs no secret, and no extra.

Whole: ``{"freeze": envelope, "salts": {field: hex}, "slots": [{"batch", "salt", "verdict_salt", "piece", "verdict"}]}``
with one entry per batch that had a slot of the study, so that nothing said under seal can be left out. Fields:
``{field: value}``; the field ``verdict`` is ``{"batch", "piece_leaf", "value"}``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import InputError, StatementError
from leadline.ledger.canon import canonical, parse_strict, sha256_hex
from leadline.ledger.dsse import PAYLOAD_TYPE, Envelope, decode
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.predicates import Freeze, Reveal
from leadline.ledger.sealing.commitment import commit
from leadline.ledger.sealing.fields import VERDICT, field_content, field_contents
from leadline.ledger.sealing.slots import SlotOpening, records, slot_commitment
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash

#: Longest body of a reveal that is read.
MAX_BODY: Final = 64 << 20
_SLOT_KEYS: Final = {"batch", "salt", "verdict_salt", "piece", "verdict"}


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the log says of a seal: commitments to the fields (hex), and each slot's, by log index of its batch."""

    study: str
    fields: Mapping[str, str]
    slots: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Opened:
    """A study that a whole reveal opened.

    `envelope` is the author's signed freeze, its signature *not* verified; `said` are the statements made under
    seal as (log index of the batch that committed to it, envelope), in order.
    """

    envelope: Envelope
    freeze: Freeze
    said: tuple[tuple[int, bytes], ...]


def whole_body(freeze: bytes, salts: Mapping[str, bytes], slots: Mapping[int, SlotOpening]) -> bytes:
    """The body of a whole reveal; `salts` are those of the fields, `slots` by log index of the batch."""
    return canonical(
        {
            "freeze": freeze.decode(),
            "salts": {name: salt.hex() for name, salt in salts.items()},
            "slots": [
                {
                    "batch": index,
                    "salt": slot.salt.hex(),
                    "verdict_salt": slot.verdict_salt.hex(),
                    "piece": b64encode(slot.piece),
                    "verdict": slot.verdict.decode(),
                }
                for index, slot in sorted(slots.items())
            ],
        }
    )


def open_whole(said: Reveal, body: bytes, protocol: bytes | None, sealed: Sealed) -> Opened:
    """The study that a whole reveal opens; that `said.freeze` and `said.keys` open the seal was checked before.

    `protocol` is None where its bytes were taken down: the fields then stay unchecked. Raises StatementError when
    anything does not fit.
    """
    document = _document(body, {"freeze", "salts", "slots"})
    data = _string(document["freeze"]).encode()
    if said.freeze is None or said.keys is None or sha256_hex(data) != said.freeze.sha256:
        raise _mismatch("the freeze in it is not the one whose digest it names")
    envelope = decode(data)
    statement = parse(envelope.payload)
    freeze = statement.predicate
    if not isinstance(freeze, Freeze) or envelope.payload_type != PAYLOAD_TYPE:
        raise _mismatch(f"it holds a {statement.kind} statement where the freeze should be")
    if (envelope.keyid, *freeze.keys) != said.keys.keys:
        raise _mismatch("the keys it gives rights to are not those of the freeze")
    if (freeze.protocol, freeze.characteristics) != (said.protocol, said.characteristics):
        raise _mismatch("the freeze is of another protocol")
    if protocol is not None:
        _check_fields(document["salts"], field_contents(protocol, freeze.characteristics), sealed.fields)
    return Opened(envelope, freeze, tuple(_said(document["slots"], sealed)))


def verdict_opening(index: int, slot: SlotOpening) -> dict[str, Any]:
    """The value of the field ``verdict`` in a reveal of fields."""
    return {"batch": index, "piece_leaf": slot.piece_leaf.hex(), "value": parse_strict(slot.verdict)}


def open_fields(said: Reveal, body: bytes, sealed: Sealed) -> dict[str, Any]:
    """The values that a reveal of fields opens; StatementError when one does not open its commitment."""
    salts = said.salts or {}
    document = _document(body, set(salts))
    for name, salt in salts.items():
        value = document[name]
        if name == VERDICT:
            _check_verdict(value, bytes.fromhex(salt), sealed)
        elif commit(bytes.fromhex(salt), field_content(value)).hex() != sealed.fields.get(name):
            raise _mismatch(f"the value of {name} is not the one that was sealed")
    return document


def verdict_of(reports: Sequence[bytes]) -> bytes:
    """The committed form of the newest report's verdicts: ``{hypothesis: {"outcome", "standing"}}``."""
    from leadline.ledger.predicates import Report

    said = parse(decode(reports[-1]).payload).predicate
    assert isinstance(said, Report), "the caller passes reports"
    verdicts = said.verdicts.items()
    return canonical({name: {"outcome": v.outcome, "standing": v.standing} for name, v in verdicts})


def _check_fields(salts: object, contents: Mapping[str, bytes], committed: Mapping[str, str]) -> None:
    if not isinstance(salts, dict) or set(salts) != set(committed):
        raise _mismatch("it does not open every field of the seal")
    for name, salt in salts.items():
        # A block that the schema did not have when the study was sealed has no commitment, and no value.
        content = contents.get(name)
        if content is None or commit(_hex(salt), content).hex() != committed[name]:
            raise _mismatch(f"the {name} of its protocol is not what was sealed")


def _check_verdict(value: object, salt: bytes, sealed: Sealed) -> None:
    if not isinstance(value, dict) or set(value) != {"batch", "piece_leaf", "value"}:
        raise _mismatch("its verdict is malformed")
    made = slot_commitment(_hex(value["piece_leaf"]), commit(salt, field_content(value["value"])))
    if not isinstance(value["batch"], int) or sealed.slots.get(value["batch"]) != made:
        raise _mismatch("its verdict is in no slot of the study")


def _said(slots: object, sealed: Sealed) -> list[tuple[int, bytes]]:
    if not isinstance(slots, list):
        raise _mismatch("it does not list its slots")
    openings = [_slot(one) for one in slots]
    if [index for index, _ in openings] != sorted(sealed.slots):
        raise _mismatch("it does not open every slot of the study, each once and in order")
    for index, opening in openings:
        if opening.commitment != sealed.slots[index]:
            raise _mismatch(f"the slot of batch {index} holds something else")
    return list(records([(index, opening.piece) for index, opening in openings]))


def _slot(value: object) -> tuple[int, SlotOpening]:
    if not isinstance(value, dict) or set(value) != _SLOT_KEYS or type(value["batch"]) is not int:
        raise _mismatch("the opening of a slot is malformed")
    try:
        piece = b64decode(_string(value["piece"]).encode())
    except ValueError:
        raise _mismatch("the piece in a slot is not base64") from None
    verdict = _string(value["verdict"]).encode()
    return value["batch"], SlotOpening(_hex(value["salt"]), _hex(value["verdict_salt"]), piece, verdict)


def _document(body: bytes, keys: set[str]) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise _mismatch(f"it has more than {MAX_BODY:,} bytes")
    try:
        document = parse_strict(body)
    except InputError as error:
        raise _mismatch(error.message) from None
    if not isinstance(document, dict) or set(document) != keys:
        raise _mismatch("it does not hold what it says")
    return document


def _hex(value: object) -> bytes:
    try:
        data = bytes.fromhex(_string(value))
    except ValueError:
        data = b""
    if len(data) != 32:
        raise _mismatch("a salt or digest in it is not 32 bytes in hex")
    return data


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _mismatch("a text in it is missing")
    return value


def _mismatch(why: str) -> StatementError:
    return StatementError(
        f"the reveal does not open what was sealed: {why}",
        remedy="reveal it with `leadline reveal`, from the file that was written when it was sealed",
    )


__all__ = [
    "MAX_BODY", "Opened", "Sealed", "leaf_hash", "open_fields", "open_whole", "verdict_of", "verdict_opening",
    "whole_body",
]  # fmt: skip
