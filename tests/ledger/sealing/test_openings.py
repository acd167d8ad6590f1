"""Openings: what a reveal must hold, and every way in which it may not fit."""

from typing import Any

import pytest

from leadline.errors import Explained, StatementError
from leadline.ledger.canon import canonical, parse_strict, sha256_hex
from leadline.ledger.fields import OpenedKeys, Opening
from leadline.ledger.predicates import Reveal
from leadline.ledger.sealing import age
from leadline.ledger.sealing.body import Content
from leadline.ledger.sealing.opening import Sealed, open_fields, open_whole, verdict_opening, whole_body
from leadline.ledger.sealing.slots import SlotOpening, make_slot, silence, stream_of
from ledger.sealing.factory import TIME, content

STUDY = "LL-0123456789abc"
READERS = [age.recipient_of(age.generate()) for _ in range(2)]
SAID = [b"statement one", b"statement two"]
VERDICT = canonical({"H1": {"outcome": "null", "standing": "confirmatory"}})


class World:
    """A seal with two slots: one that says something, one that is silent."""

    def __init__(self) -> None:
        self.content: Content = content({"notes": "hidden", "area": ["a"]}, characteristics=b"{}")
        _, spoken = make_slot(stream_of(SAID), VERDICT, READERS)
        self.slots: dict[int, SlotOpening] = {7: spoken, 9: silence(b"s" * 32, STUDY, "2026-11-16")}
        made = self.content.commitments()
        self.sealed = Sealed(STUDY, made.fields, {batch: one.commitment for batch, one in self.slots.items()})

    def body(self) -> bytes:
        """The body of a whole reveal."""
        salts = {name: salt for name, salt in self.content.salts.items() if name not in ("freeze", "keys")}
        return whole_body(self.content.freeze, salts, self.slots)

    def said(self, body: bytes, **changes: Any) -> Reveal:
        """The statement of a whole reveal."""
        fields: dict[str, Any] = {
            "study": STUDY,
            "scope": "whole",
            "body": sha256_hex(body),
            "freeze": Opening(
                salt=self.content.salts["freeze"].hex(), sha256=sha256_hex(self.content.freeze)
            ),
            "keys": OpenedKeys(salt=self.content.salts["keys"].hex(), keys=self.content.keys),
            "protocol": sha256_hex(self.content.protocol),
            "characteristics": sha256_hex(b"{}"),
            "created": TIME,
        }
        return Reveal(**{**fields, **changes})

    def fields(self, names: list[str], **values: Any) -> tuple[Reveal, bytes]:
        """A reveal of fields; `values` replace what is shown."""
        shown: dict[str, Any] = {}
        salts: dict[str, str] = {}
        for name in names:
            if name == "verdict":
                shown[name] = verdict_opening(7, self.slots[7])
                salts[name] = self.slots[7].verdict_salt.hex()
            else:
                shown[name] = parse_strict(self.content.protocol).get(name)
                salts[name] = self.content.salts[name].hex()
        body = canonical({**shown, **values})
        said = Reveal(study=STUDY, scope="fields", body=sha256_hex(body), salts=salts, created=TIME)
        return said, body


@pytest.fixture(scope="module")
def world() -> World:
    """One seal for all: nothing here changes it."""
    return World()


def test_a_whole_reveal_opens_everything(world: World) -> None:
    """The freeze comes out as it was signed, and every statement at the batch that committed to it."""
    body = world.body()
    found = open_whole(world.said(body), body, world.content.protocol, world.sealed)
    assert found.freeze.title == "T"
    assert found.said == ((7, SAID[0]), (7, SAID[1]))


def _edit(body: bytes, **changes: Any) -> bytes:
    return canonical({**parse_strict(body), **changes})


def _slots(body: bytes) -> list[dict[str, Any]]:
    found = parse_strict(body)["slots"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda b: _edit(b, freeze=parse_strict(b)["freeze"] + " "), "not the one whose digest"),
        (lambda b: _edit(b, salts={**parse_strict(b)["salts"], "notes": "00" * 32}), "the notes of its protocol"),
        (lambda b: _edit(b, salts={"notes": "00" * 32}), "every field"),
        (lambda b: _edit(b, slots=_slots(b)[:1]), "every slot"),
        (lambda b: _edit(b, slots=_slots(b)[::-1]), "in order"),
        (lambda b: _edit(b, slots=[{**_slots(b)[0], "piece": ""}, _slots(b)[1]]), "something else"),
        (lambda b: _edit(b, slots=[{**_slots(b)[0], "verdict": "null"}, _slots(b)[1]]), "something else"),
        (lambda b: _edit(b, slots=[{**_slots(b)[0], "piece": "!"}, _slots(b)[1]]), "not base64"),
        (lambda b: _edit(b, slots=[{**_slots(b)[0], "batch": True}, _slots(b)[1]]), "malformed"),
        (lambda b: _edit(b, slots="x"), "list its slots"),
        (lambda b: _edit(b, slots=[{**_slots(b)[0], "salt": "xy"}, _slots(b)[1]]), "32 bytes in hex"),
        (lambda b: _edit(b, more=1), "hold what it says"),
        (lambda b: _edit(b, freeze=7), "a text in it is missing"),
        (lambda b: b"[" * 100, "nested deeper"),
        (lambda b: b"\xff", "UTF-8"),
    ],
)  # fmt: skip
def test_whatever_does_not_fit_is_refused(world: World, edit: object, why: str) -> None:
    """Another freeze, salt, piece or verdict, a slot left out, and every malformed part."""
    assert callable(edit)
    body = edit(world.body())
    with pytest.raises(StatementError, match=why):
        open_whole(world.said(body), body, world.content.protocol, world.sealed)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"protocol": "ab" * 32}, "another protocol"),
        ({"characteristics": None}, "another protocol"),
        ({"keys": OpenedKeys(salt="00" * 32, keys=("ab" * 32,))}, "keys"),
    ],
)
def test_a_statement_about_something_else_is_refused(world: World, changes: dict[str, Any], why: str) -> None:
    """Protocol, characteristics and keys in the open are those of the freeze inside."""
    body = world.body()
    with pytest.raises(StatementError, match=why):
        open_whole(world.said(body, **changes), body, world.content.protocol, world.sealed)


def test_a_changed_protocol_is_refused(world: World) -> None:
    """Every block is compared with its own commitment."""
    body = world.body()
    changed = canonical({**parse_strict(world.content.protocol), "notes": "hindsight"})
    with pytest.raises(StatementError, match="the notes of its protocol is not what was sealed"):
        open_whole(world.said(body), body, changed, world.sealed)


def test_fields_open_one_by_one(world: World) -> None:
    """A field shows its value; a block that was left out shows null; a verdict opens without the rest."""
    said, body = world.fields(["notes", "target", "verdict"])
    found = open_fields(said, body, world.sealed)
    assert (found["notes"], found["target"]) == ("hidden", None)
    assert found["verdict"]["value"] == parse_strict(VERDICT)
    assert SAID[0] not in body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notes", "hindsight"),
        ("notes", None),
        ("verdict", 7),
        ("verdict", {"batch": 7, "piece_leaf": "00" * 32, "value": {}}),
        ("verdict", {"batch": 99, "piece_leaf": "00" * 32, "value": {}}),
    ],
)
def test_a_forged_field_is_refused(world: World, name: str, value: object) -> None:
    """Only the committed value opens the commitment."""
    said, body = world.fields([name], **{name: value})
    with pytest.raises(StatementError, match="does not open what was sealed"):
        open_fields(said, body, world.sealed)


def test_fields_that_were_never_sealed_do_not_open(world: World) -> None:
    """A name without a commitment has no opening."""
    said, body = world.fields(["notes"])
    other = said.model_copy(update={"salts": {"novel": "00" * 32}})
    with pytest.raises(Explained):
        open_fields(other, canonical({"novel": 1}), world.sealed)
    assert open_fields(said, body, world.sealed) == {"notes": "hidden"}
