"""Statements: a closed set of kinds, bounded fields, and exact bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import StatementError
from leadline.ledger.canon import canonical
from leadline.ledger.statements import KINDS, make, parse, predicate_type
from ledger.record import ALICE, TIME, registration

STUDY = "LL-0123456789abc"
SHA = "ab" * 32
LOG_FILE = {"sha256": SHA, "name": "a.eval", "size": 5, "format": "eval"}

EXAMPLES: dict[str, dict[str, Any]] = {
    "key": registration(ALICE),
    "freeze": {
        "title": "T", "protocol": SHA, "authors": ["Alice", "A model"], "keys": [SHA], "area": ["control/monitoring"],
        "due": "2026-12-31", "seen_checkpoint": {"origin": "o", "size": 4, "root": SHA}, "characteristics": SHA,
        "hypotheses": [{"id": "h1", "kind": "greater", "claim": "A beats B"}], "created": TIME,
    },
    "amend": {"study": STUDY, "protocol": SHA, "changed": ["/sample/n", ""], "reason": "r", "seen": "looked", "created": TIME},
    "seal": {
        "action": "study", "commitment": SHA, "keys": SHA, "fields": {"outcome": SHA}, "tier": "ordinary",
        "embargo": "2027-03-31", "body": SHA, "created": "2026-11-16T00:00:00Z",
    },
    "reveal": {
        "study": STUDY, "scope": "whole", "body": SHA, "freeze": {"salt": SHA, "sha256": SHA},
        "keys": {"salt": SHA, "keys": [SHA]}, "protocol": SHA, "created": TIME,
    },
    "attempt": {"study": STUDY, "number": 1, "action": "close", "status": "failed", "note": "out of memory", "logs": [SHA], "created": TIME},
    "attach": {"study": STUDY, "attempt": 1, "logs": [LOG_FILE, LOG_FILE | {"eval_id": "x", "samples": 0}], "created": TIME},
    "report": {
        "study": STUDY, "report": SHA, "protocol": SHA, "logs": [SHA], "engine": "leadline 0.1.0", "created": TIME,
        "verdicts": {"h1": {"outcome": "null", "reason": "smaller than d", "standing": "qualified"}},
    },
    "judgement": {"type": "forecast", "study": STUDY, "target": "h1", "created": TIME,
                  "probabilities": {"h1": {"supported": 0.25, "null": 0.75}}},
    "import": {"content": "table", "digest": SHA, "title": "T", "source": "a paper", "created": TIME},
    "close": {"studies": [STUDY], "period": "2026-Q1", "created": TIME},
    "withdraw": {"study": STUDY, "reason": "no funds", "created": TIME},
}  # fmt: skip


def test_the_set_of_kinds_is_closed() -> None:
    """There are exactly these twelve kinds."""
    assert set(KINDS) == set(EXAMPLES)
    assert len(KINDS) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_statements_round_trip(kind: str) -> None:
    """What is made is canonical, has a subject, and is read back with the same content."""
    payload = make(kind, EXAMPLES[kind])
    statement = parse(payload)
    document = json.loads(payload)
    assert canonical(document) == payload
    assert statement.kind == kind
    assert document["predicateType"] == f"https://leadline.dev/statement/{kind}/v1"
    assert [(s["name"], s["digest"]["sha256"]) for s in document["subject"]] == list(statement.subject)
    assert statement.subject
    assert make(kind, statement.predicate) == payload
    assert make(kind, dict(reversed(EXAMPLES[kind].items()))) == payload


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_and_missing_fields_are_refused(kind: str) -> None:
    """A field the kind does not have, or one it needs and lacks, is named."""
    with pytest.raises(StatementError, match="surprise"):
        make(kind, EXAMPLES[kind] | {"surprise": 1})
    last = "time" if kind == "key" else "created"
    with pytest.raises(StatementError, match=last):
        make(kind, {name: value for name, value in EXAMPLES[kind].items() if name != last})


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_is_about_what_its_predicate_names(kind: str) -> None:
    """A subject that differs from the predicate is refused, so that the two cannot tell different stories."""
    document = json.loads(make(kind, EXAMPLES[kind]))
    document["subject"][0]["digest"]["sha256"] = "cd" * 32
    with pytest.raises(StatementError, match="subject"):
        parse(canonical(document))
    document["subject"] = []
    with pytest.raises(StatementError, match="subject"):
        parse(canonical(document))


def test_parsing_does_not_recanonicalise() -> None:
    """Signed bytes in another JSON spelling are read as they are."""
    payload = make("withdraw", EXAMPLES["withdraw"])
    spaced = json.dumps(json.loads(payload), indent=1).encode()
    assert parse(spaced) == parse(payload)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("freeze", {"title": ""}), ("freeze", {"title": "x" * 301}), ("freeze", {"title": "a\x1b[31m"}), ("freeze", {"title": "a\u202eb"}),
        ("freeze", {"authors": []}), ("freeze", {"authors": "Alice"}), ("freeze", {"protocol": "AB" * 32}), ("freeze", {"protocol": "ab"}),
        ("freeze", {"due": "2026-02-30"}), ("freeze", {"due": "20260101"}), ("freeze", {"created": "2026-01-01T00:00:00+00:00"}),
        ("freeze", {"created": "2026-13-01T00:00:00Z"}), ("freeze", {"created": 5}), ("freeze", {"keys": [SHA, SHA]}),
        ("freeze", {"hypotheses": [{"id": "h", "kind": "k", "claim": "c"}] * 2}),
        ("freeze", {"hypotheses": [{"id": "h", "kind": "k", "claim": "c" * 501}]}),
        ("freeze", {"seen_checkpoint": {"origin": "o", "size": -1, "root": SHA}}),
        ("amend", {"changed": ["sample"]}), ("amend", {"changed": ["/a~2"]}), ("amend", {"changed": []}), ("amend", {"seen": "maybe"}),
        ("amend", {"study": "LL-0123456789ABC"}), ("attempt", {"number": 0}), ("attempt", {"number": True}), ("attempt", {"number": 1.0}),
        ("attempt", {"number": "1"}), ("attempt", {"action": "open"}), ("attempt", {"action": "abandon", "status": "completed"}),
        ("attach", {"logs": []}), ("attach", {"logs": [LOG_FILE | {"size": 2**53}]}), ("attach", {"logs": [LOG_FILE | {"size": 1.5}]}),
        ("report", {"verdicts": {"h1": {"outcome": "great", "reason": "r", "standing": "qualified"}}}),
        ("report", {"verdicts": {"h 1": {"outcome": "null", "reason": "r", "standing": "qualified"}}}),
        ("judgement", {"probabilities": {"h1": {"supported": 0.5}}}), ("judgement", {"probabilities": None}),
        ("judgement", {"probabilities": {"h1": {"supported": float("nan")}}}), ("judgement", {"type": "review"}),
        ("import", {"retrospective": False}), ("close", {"studies": [STUDY, STUDY]}), ("key", {"holder": None}),
        ("key", {"public": ALICE.public.vkey.replace("+", "-")}), ("key", {"action": "rotate"}), ("key", {"action": "revoke"}),
        ("key", {"role": "boss"}), ("withdraw", {"reason": "x" * 4001}), ("seal", {"tier": "secret"}),
    ],
)  # fmt: skip
def test_fields_are_bounded(kind: str, change: dict[str, Any]) -> None:
    """Each field has a form and a cap, nothing is coerced, and the error has a remedy."""
    with pytest.raises(StatementError) as caught:
        make(kind, EXAMPLES[kind] | change)
    assert caught.value.remedy()
    assert str(caught.value.where).startswith(f"{kind} statement")


def test_unknown_kinds_are_refused_at_both_doors() -> None:
    """A kind outside the set cannot be made or read; the error lists the kinds."""
    with pytest.raises(StatementError, match="withdraw"):
        make("promise", {})
    document = json.loads(make("withdraw", EXAMPLES["withdraw"]))
    for wrong in (
        "https://leadline.dev/statement/promise/v1",
        "https://leadline.dev/statement/withdraw/v2",
        5,
        None,
        ["a"],
    ):
        with pytest.raises(StatementError):
            parse(canonical(document | {"predicateType": wrong}))


@pytest.mark.parametrize(
    "wrong", [{"_type": "x"}, {"extra": 1}, {"predicate": []}, {"predicate": 5}, {"subject": "x"}]
)
def test_documents_of_another_shape(wrong: dict[str, Any]) -> None:
    """What is not an in-toto statement of ours is refused."""
    document = json.loads(make("withdraw", EXAMPLES["withdraw"]))
    with pytest.raises(StatementError):
        parse(canonical(document | wrong))


@given(st.binary(max_size=100))
def test_arbitrary_payloads_raise_nothing_else(payload: bytes) -> None:
    """Hostile bytes give a StatementError."""
    with pytest.raises(StatementError):
        parse(payload)


def test_a_statement_too_long_for_the_log_is_refused_before_signing() -> None:
    """Fields within their caps can still exceed 65,535 bytes together; the error says to use a blob."""
    logs = [LOG_FILE | {"sha256": f"{i:064x}", "name": "n" * 300} for i in range(100)]
    with pytest.raises(StatementError, match="blob"):
        make("attach", EXAMPLES["attach"] | {"logs": logs})


def test_predicate_type_is_versioned() -> None:
    """The type names kind and version."""
    assert predicate_type("freeze") == "https://leadline.dev/statement/freeze/v1"


def test_blobs_are_what_the_store_must_hold() -> None:
    """A freeze relies on its protocol and characteristics, a withdrawal on nothing."""
    assert dict(parse(make("freeze", EXAMPLES["freeze"])).predicate.blobs()) == {
        "protocol": SHA,
        "characteristics": SHA,
    }
    assert parse(make("withdraw", EXAMPLES["withdraw"])).predicate.blobs() == ()
