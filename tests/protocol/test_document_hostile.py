"""Documents from strangers: bounded in time and memory, and no YAML surprise becomes a promise."""

import pytest

from leadline.protocol.document import DocumentError, parse, read_nodes
from leadline.protocol.nodes import MalformedError
from protocol.examples import STUDY, changed

LAUGHS = "a: &a [x]\n" + "".join(
    f"{b}: &{b} [*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a},*{a}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "anchors and aliases"),
        ("a: &x 1\n", "anchors and aliases"),
        ("a: *x\n", "anchors and aliases"),
        ("&x a: 1\n", "a key must be"),
        ("a: !!python/object/apply:os.system [ls]\n", "the tag"),
        ("a: !!binary aGk=\n", "the tag"),
        ("a: !custom x\n", "the tag"),
        ("a: !!set {x}\n", "the tag"),
        ("<<: {a: 1}\n", "merge keys"),
        ("? [a, b]\n: 1\n", "a key must be"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("", "empty"),
        ("# only a remark\n", "empty"),
        ("a: " + "[" * 60 + "]" * 60, "nests deeper"),
        ("a:\n\t- b\n", "not well-formed"),
        ("a: 'x\n", "not well-formed"),
        ("a: \x00\n", "not well-formed"),
        ("- a\n- b\n", "table of blocks"),
        ("just text\n", "table of blocks"),
        ("a: " + "9" * 500, "too many digits"),
        ("%YAML 9.9\n---\na: 1\n", "not well-formed"),
    ],
)
def test_refused(text: str, message: str) -> None:
    """Each construct a protocol does not need is refused by name."""
    with pytest.raises(DocumentError, match=message):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * 1_000_001,
        "a: [" + "1," * 499_000 + "1]",
        "a: " + "[" * 400_000,
        "{" * 400_000,
        "a: " + "- " * 400_000,
        '{"a":' * 150_000,
        "? " * 300_000,
        "a: '" + "''" * 400_000,
    ],
    ids=["long", "many", "deep", "deep-json", "dashes", "deep-objects", "question-marks", "quotes"],
)
def test_large_input_is_refused(text: str) -> None:
    """A megabyte of nonsense ends in an error."""
    with pytest.raises(DocumentError):
        parse(text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("2026-01-31", "2026-01-31"),
        ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("0o17", 15), ("017", 17), ("0x1F", 31), ("1e3", 1000.0),
        (".5", 0.5), ("-3", -3), ("+4", 4), ("~", None), ("", None), ("null", None), ("true", True),
        ("False", False), ("'true'", "true"), ('"1"', "1"), ("!!str 12", "12"), ("1.2.3", "1.2.3"), ("NO", "NO"),
        ("=", "="), ("1e", "1e"), ("-", None),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(written: str, read: object) -> None:
    """Plain words are read by the YAML 1.2 core schema: `no` is a text, a date is a text."""
    if written == "-":
        with pytest.raises(MalformedError):
            read_nodes("a: -x: [")
        return
    assert read_nodes(f"a: {written}\n").plain() == {"a": read}


def test_keys_are_always_texts() -> None:
    """`null:`, `on:` and `1:` are the keys people see, not null, true and one."""
    assert read_nodes("null: a\non: b\n1: c\n").plain() == {"null": "a", "on": "b", "1": "c"}


def test_takeaway_for_null_is_understood() -> None:
    """The outcome `null` can be written as a bare key."""
    protocol = parse(changed("supported: try", "null: treated can change acc\n    supported: try"))
    assert protocol.takeaways[0].null == "treated can change acc"


def test_sample_ids_may_be_numbers() -> None:
    """Harnesses number samples; a list of numbers is a list of ids."""
    protocol = parse(changed("task: lookup", "task: lookup\n    dataset: {samples: [1, 2, a]}"))
    assert protocol.tasks[0].dataset.samples == ("1", "2", "a")


@pytest.mark.parametrize("bad", ["[1.5]", "[true]", "[null]", "[[1]]"])
def test_sample_ids_of_other_kinds_are_refused(bad: str) -> None:
    """Only texts and whole numbers name a sample."""
    with pytest.raises(DocumentError, match="a text is expected"):
        parse(changed("task: lookup", f"task: lookup\n    dataset: {{samples: {bad}}}"))


def test_braces_may_be_yaml() -> None:
    """A text that begins with a brace but is not JSON is read as YAML."""
    assert read_nodes("{a: 1, b: x}").plain() == {"a": 1, "b": "x"}
    assert STUDY.startswith("title")
