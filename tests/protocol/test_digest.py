"""The digest names a promise: the same promise, the same digest; another promise, another digest."""

import hashlib
import json

import pytest

from leadline.errors import ProtocolError
from leadline.protocol.digest import canonical_bytes, digest
from leadline.protocol.document import parse
from leadline.protocol.model import Protocol
from protocol.examples import STUDY, changed, study, with_fields


def test_canonical_bytes_are_pinned() -> None:
    """The frozen bytes of a known protocol never change; if this fails, every old digest is broken."""
    expected = (
        '{"arms":[{"model":"small","name":"treated","task":"t","technique":"linear probe"},'
        '{"model":"small","name":"base","task":"t","technique":"none"}],"authors":[{"name":"Ada"}],'
        '"hypotheses":[{"claim":"it helps","estimand":{"arms":["treated","base"],"measure":"acc",'
        '"type":"paired_difference"},"id":"h1","kind":"greater","smallest":0.05}],"leadline":1,'
        '"measures":[{"name":"acc","score":"match"}],"models":[{"id":"mockllm/model","name":"small"}],'
        '"sample_size":{"items":100},"takeaways":[{"hypothesis":"h1",'
        '"supported":"try treated before base for acc"}],"tasks":[{"limits":{"message_limit":10},"name":"t",'
        '"task":"lookup"}],"timeline":{"due":"2027-01-31"},"title":"A first study"}'
    )
    assert canonical_bytes(study()).decode() == expected
    assert study().digest == hashlib.sha256(expected.encode()).hexdigest() == digest(study())


@pytest.mark.parametrize(
    ("written", "spelled_out"),
    [
        ("smallest: 0.05", "smallest: 0.05\n    level: 0.05\n    margin: 0\n    method: auto"),
        ("sample_size: {items: 100}", "sample_size: {items: 100, design: fixed, assumptions: {icc: 0.0}}"),
        (
            "title: A first study",
            "leadline: 1\ntitle: A first study\nnotes: ''\ngap: {scale: {distance: unknown}}",
        ),
        ("timeline: {due: 2027-01-31}", "timeline: {due: '2027-01-31', not_before: null}"),
        ("score: match}", "score: match, values: null, epochs: mean}"),
    ],
)
def test_a_default_spelled_out_is_the_same_promise(written: str, spelled_out: str) -> None:
    """Two clients that write the same promise freeze the same bytes, whatever defaults they spell out."""
    assert parse(changed(written, spelled_out)).digest == study().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("smallest: 0.05", "smallest: 0.051"),
        ("smallest: 0.05", "smallest: 0.05\n    level: 0.01"),
        ("items: 100", "items: 101"),
        ("message_limit: 10", "message_limit: '10'"),
        ("message_limit: 10", "message_limit: null"),
        ("arms: [treated, base]", "arms: [base, treated]"),
        ("due: 2027-01-31", "due: 2027-02-01"),
        ("title: A first study", "title: a first study"),
    ],
)
def test_another_promise_has_another_digest(old: str, new: str) -> None:
    """Every change of a promise shows in the digest."""
    assert parse(changed(old, new)).digest != study().digest


def test_keys_and_number_spellings_do_not_matter() -> None:
    """Order of keys, quoting, and 100 against 100.0 in settings leave the digest alone."""
    reordered = "\n".join(
        [
            "sample_size: {items: 100}",
            STUDY.replace("sample_size: {items: 100}\n", "").replace("10}", "10.0}"),
        ]
    )
    assert parse(reordered).digest == study().digest


def test_the_digest_survives_the_canonical_bytes() -> None:
    """Reading the frozen bytes back gives the same protocol and the same bytes."""
    again = Protocol.parse(study().canonical_bytes())
    assert again == study()
    assert again.canonical_bytes() == study().canonical_bytes()


@pytest.mark.parametrize("value", [2**53, -(2**53), 10**30])
def test_integers_json_cannot_carry_are_refused(value: int) -> None:
    """An integer beyond 2^53 - 1 in a settings table is refused, with its path and a way out."""
    tasks = study().model_dump(mode="json")["tasks"]
    tasks[0]["limits"] = {"token_limit": value}
    with pytest.raises(ProtocolError, match=r"beyond 2\^53") as caught:
        with_fields(tasks=tasks)
    assert caught.value.where == "tasks[0].limits.token_limit"
    assert "write the value as text" in str(caught.value)


def test_the_largest_exact_integer_is_kept() -> None:
    """2^53 - 1 is the last integer that is accepted, and it is written exactly."""
    text = changed("message_limit: 10", f"message_limit: {2**53 - 1}")
    assert b"9007199254740991" in parse(text).canonical_bytes()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), {1, 2}])
def test_values_without_a_json_form_are_refused(value: object) -> None:
    """Not-a-number, halves of character pairs and Python objects cannot be promised."""
    with pytest.raises(ProtocolError):
        Protocol.model_validate(
            {
                **study().model_dump(),
                "arms": [{**arm.model_dump(), "metadata": {"x": value}} for arm in study().arms],
            }
        )


def test_large_doubles_come_back_from_canonical_bytes() -> None:
    """A double that canonical JSON writes without an exponent (up to 1e21) is not taken for an integer."""
    text = changed("message_limit: 10", "cost_limit: 1.0e+20, other: 1.0e+300")
    protocol = parse(text)
    assert json.loads(protocol.canonical_bytes())["tasks"][0]["limits"]["cost_limit"] == 10**20
    assert Protocol.parse(protocol.canonical_bytes()).digest == protocol.digest
