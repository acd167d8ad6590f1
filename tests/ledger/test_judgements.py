"""Judgements: each type its own part, all bounded, and only one's own is taken back."""

from typing import Any

import pytest

from leadline.errors import SignatureError, StatementError
from leadline.ledger.judging import Critique
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Judgement
from leadline.ledger.statements import make, parse
from ledger.record import ALICE, BOB, SERVICE, TIME, Registry

PARTS: dict[str, dict[str, Any]] = {
    "forecast": {"probabilities": {"h1": {"supported": 0.25, "null": 0.75}}},
    "review": {"review": {"replicates": 0.7, "useful": 0}},
    "critique": {
        "critique": {
            "question": "Is the effect one of length?",
            "attempt": "Sorted by length it halves.",
            "hypothesis": "h1",
            "claim": "the hint helps",
            "answers": [{"answer": "yes", "moves": -0.6}, {"answer": "no", "moves": 0.1}],
            "who": "whoever has the logs",
        }
    },
    "trust": {
        "trust": {
            "subject": "model",
            "level": "untrusted",
            "basis": "its recipe is unknown",
            "purpose": "baseline",
        }
    },
    "outcome": {
        "outcome": {"event": "replicates", "happened": True, "on": "2026-05-01", "basis": "LL-… ran it again"}
    },
}


def said(type_: str, **extra: Any) -> dict[str, Any]:
    """Fields of a judgement of this type."""
    return {"type": type_, "target": "t", "minutes": 20, "created": TIME} | PARTS[type_] | extra


@pytest.fixture
def registry() -> Registry:
    """Service, Alice and Bob are registered."""
    registry = Registry()
    for signer in (SERVICE, ALICE, BOB):
        registry.register(signer)
    return registry


@pytest.mark.parametrize("type_", PARTS)
def test_each_type_round_trips(type_: str) -> None:
    """What is made is read back with the same content."""
    statement = parse(make("judgement", said(type_)))
    assert isinstance(statement.predicate, Judgement)
    assert statement.predicate == Judgement.model_validate(said(type_))
    assert statement.predicate.minutes == 20


@pytest.mark.parametrize("type_", PARTS)
@pytest.mark.parametrize("other", PARTS)
def test_a_type_brings_its_own_part_only(type_: str, other: str) -> None:
    """The part of another type is refused."""
    if type_ != other:
        with pytest.raises(StatementError, match=f"part of a {other}|nothing else"):
            make("judgement", said(type_) | PARTS[other])


@pytest.mark.parametrize(
    ("type_", "change"),
    [
        ("review", {"review": {}}), ("review", {"review": {"replicates": 1.1}}), ("review", {"minutes": -1}),
        ("review", {"minutes": 100_001}), ("review", {"minutes": 1.5}), ("review", {"minutes": True}),
        ("critique", {"critique": {"question": ""}}), ("critique", {"critique": {"question": "x" * 4001}}),
        ("critique", {"critique": {"question": "q", "answers": [{"answer": "a", "moves": 1.01}]}}),
        ("critique", {"critique": {"question": "q", "answers": [{"answer": "a", "moves": 0}] * 11}}),
        ("critique", {"critique": {"question": "q\x1b[2J"}}), ("critique", {"critique": {"question": "q", "score": 5}}),
        ("trust", {"trust": {"subject": "model", "level": "good", "basis": "b", "purpose": "p"}}),
        ("trust", {"trust": {"subject": "model", "level": "trusted", "purpose": "p"}}),
        ("outcome", {"outcome": {"event": "replicates", "happened": 1, "basis": "b"}}),
        ("outcome", {"outcome": {"event": "fame", "happened": True, "basis": "b"}}),
    ],
)  # fmt: skip
def test_parts_are_bounded(type_: str, change: dict[str, Any]) -> None:
    """Probabilities, shifts, minutes, texts and words have their bounds."""
    with pytest.raises(StatementError):
        make("judgement", said(type_) | change)


def test_a_crux_names_what_it_bears_on_and_an_answer_that_moves_it() -> None:
    """Neither alone is one."""
    moving = ({"answer": "yes", "moves": 0.5},)
    assert Critique.model_validate({"question": "q", "claim": "c", "answers": moving}).crux
    assert not Critique.model_validate({"question": "q", "answers": moving}).crux
    assert not Critique.model_validate({"question": "q", "hypothesis": "h1"}).crux
    still = ({"answer": "yes", "moves": 0},)
    assert not Critique.model_validate({"question": "q", "claim": "c", "answers": still}).crux


def test_only_ones_own_judgement_is_taken_back_and_once(registry: Registry) -> None:
    """Another signer, another type and a second time are refused; a successor key may."""
    leaf = registry.append("judgement", said("trust"), ALICE).leaf_hash.hex()
    back = {"type": "trust", "target": "t", "revokes": leaf, "created": TIME}
    with pytest.raises(SignatureError, match="somebody else"):
        registry.append("judgement", back, BOB)
    with pytest.raises(StatementError, match="no review with the leaf hash"):
        registry.append("judgement", back | {"type": "review"}, ALICE)
    with pytest.raises(StatementError, match="no trust with the leaf hash"):
        registry.append("judgement", back | {"revokes": "ab" * 32}, ALICE)
    heir = SigningKey("alice.example", "author", b"\x07" * 32)
    registry.register(heir, replaces=ALICE.fingerprint)
    rotation = {"action": "rotate", "role": "author", "public": heir.public.vkey, "time": TIME}
    registry.append("key", rotation | {"replaces": ALICE.fingerprint}, ALICE)
    registry.append("judgement", back, heir)
    with pytest.raises(StatementError, match="revoked already"):
        registry.append("judgement", back | {"text": "again"}, heir)


def test_a_judgement_of_another_study_is_not_taken_back(registry: Registry) -> None:
    """The study must be the same, so that a study's page needs no other study's statements."""
    first, second = registry.freeze(title="one"), registry.freeze(title="two")
    leaf = registry.append("judgement", said("review", study=first), BOB).leaf_hash.hex()
    with pytest.raises(StatementError, match="of the same study"):
        registry.append("judgement", said("review", study=second, revokes=leaf), BOB)


def test_only_silent_studies_are_closed(registry: Registry) -> None:
    """Reported, withdrawn and closed studies are not closed; a closed one may report, late."""
    silent, told, gone = (registry.freeze(title=title) for title in ("silent", "told", "gone"))
    report = {"report": "ab" * 32, "protocol": "ab" * 32, "logs": [], "engine": "e", "verdicts": {}}
    registry.append("report", report | {"study": told, "created": TIME}, ALICE)
    registry.append("withdraw", {"study": gone, "reason": "r", "created": TIME}, ALICE)
    closing = {"period": "2026-09", "created": TIME}
    for study, state in ((told, "reported"), (gone, "withdrawn")):
        with pytest.raises(StatementError, match=f"is {state} already"):
            registry.append("close", closing | {"studies": [study]}, SERVICE)
    registry.append("close", closing | {"studies": [silent]}, SERVICE)
    with pytest.raises(StatementError, match="is closed already"):
        registry.append("close", closing | {"studies": [silent], "period": "2026-10"}, SERVICE)
    registry.append("report", report | {"study": silent, "created": TIME}, ALICE)
