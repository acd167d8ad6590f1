"""Whatever can be promised can be written as YAML and read back as the same promise."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import ProtocolError
from leadline.protocol.document import dump, parse
from leadline.protocol.model import Protocol
from protocol.examples import study

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
TRICKY = st.sampled_from(
    [
        "no", "yes", "on", "null", "~", "true", "1e5", "0o17", "0x1F", "1_000", "2026-01-31", "12:30:45", "=", "<<",
        "-", "- a", "? b", ": c", "a: b", "a #b", "#c", "'x'", '"y"', "[z]", "{w}", "*a", "&a", "!b", "|", ">", "%",
        "@", "`", "a\nb", "a\n\nb\n", " lead", "trail ", "trail \nx", "\n", "\tx", "a\tb", "a\r\nb", "a\x85b",
        "a\u2028b", "\ufeffx", "a\x7fb", "\U0001f600", "...", "---", "a\n  indented\nb", "0.", ".5", "+1", "1.",
        "a\n#b", "a: |\n x", "x\n\n\ny", "x\x00y", "NaN", ".nan", "-.inf",
    ]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
    TRICKY,
)
KEYS = st.one_of(st.text(st.characters(codec="utf-8"), max_size=12), TRICKY)
SETTINGS = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(
    title=(TEXT | TRICKY).filter(lambda text: text != "" and not re.search(r"[\x00-\x1f\x7f]", text)),
    notes=(TEXT | TRICKY).filter(lambda text: not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)),
    table=SETTINGS,
    args=SETTINGS,
    smallest=st.floats(1e-300, 1e300),
    items=st.integers(1, 2**53 - 1),
    ids=st.lists(TEXT | TRICKY, max_size=4, unique=True),
)
@settings(max_examples=300, deadline=None)
def test_dump_and_parse_keep_the_digest(
    title: str,
    notes: str,
    table: dict[str, Any],
    args: dict[str, Any],
    smallest: float,
    items: int,
    ids: list[str],
) -> None:
    """Every value survives YAML and canonical JSON: digest and bytes stay the same."""
    fields = study().model_dump(mode="json")
    fields |= {"title": title, "notes": notes, "sample_size": {"items": items}}
    fields["tasks"][0] |= {"limits": table, "args": args, "dataset": {"samples": ids}}
    fields["hypotheses"][0]["smallest"] = smallest
    protocol = Protocol.model_validate(fields)
    assert parse(dump(protocol)).canonical_bytes() == protocol.canonical_bytes()
    assert parse(protocol.canonical_bytes()).canonical_bytes() == protocol.canonical_bytes()


@given(st.binary(max_size=300) | TEXT.map(str.encode))
@settings(max_examples=300, deadline=None)
def test_no_bytes_cause_anything_but_an_explained_error(data: bytes) -> None:
    """Arbitrary bytes are refused with an error of the tree, never with another exception."""
    for name in ("x.yaml", "x.json"):
        try:
            parse(data, name=name)
        except ProtocolError as error:
            assert error.where is not None
            assert error.where.startswith(f"{name}:")
        else:
            raise AssertionError("random bytes were taken for a protocol")


def test_dump_is_readable() -> None:
    """Blocks come in the order of the schema, defaults stay out, long texts become literal blocks."""
    text = dump(study().model_copy(update={"notes": "one\ntwo\n"}))
    blocks = [line.split(":")[0] for line in text.splitlines() if line[:1].isalpha()]
    assert blocks == [
        "leadline", "title", "authors", "models", "tasks", "arms", "measures", "hypotheses", "takeaways",
        "sample_size", "timeline", "notes",
    ]  # fmt: skip
    assert "notes: |\n  one\n  two\n" in text
    assert "level" not in text
