"""The content hash of a dataset, computed from samples."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import LogError
from leadline.logs import dataset_root, item_digest, read_logs
from leadline.logs.dataset import canonical_item
from logs.factory import sample, write_eval

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PLAIN = TEXT.filter(lambda text: not text.startswith(("attachment://", "tc://")))


@given(PLAIN, PLAIN, st.one_of(PLAIN, st.lists(PLAIN, max_size=3)), st.none() | st.lists(PLAIN, max_size=3))
def test_items_are_canonical_json(name: str, question: str, target: Any, choices: Any) -> None:
    """The fast path writes exactly what RFC 8785 prescribes."""
    expected = rfc8785.dumps({"id": name, "input": question, "choices": choices, "target": target})
    assert canonical_item(name, question, target, choices) == expected


def test_every_character_is_written_as_rfc_8785_writes_it() -> None:
    """All of Unicode but surrogates, which have no canonical form."""
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    expected = rfc8785.dumps({"id": "1", "input": everything, "choices": None, "target": ""})
    assert canonical_item(1, everything, "") == expected
    with pytest.raises(LogError, match="no canonical form"):
        canonical_item(1, "\ud800", "")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["role", "content", "é", "\U0001f600", "\ufb33"]),
            PLAIN | st.integers(-9, 9) | st.floats(-1, 1),
        ),
        max_size=3,
    )
)
def test_message_inputs_are_canonical_json(messages: list[dict[str, Any]]) -> None:
    """Messages are canonical too, whatever the order of their keys."""
    turned = [dict(reversed(message.items())) for message in messages]
    assert item_digest(1, messages, "t") == item_digest(1, turned, "t")
    assert canonical_item(1, messages, "t") == rfc8785.dumps(
        {"id": "1", "input": messages, "choices": None, "target": "t"}
    )


def test_what_counts_and_what_does_not() -> None:
    """Message ids and null fields do not count; every other field does, and 1 and "1" are one id."""
    base = item_digest(1, [{"role": "user", "content": "q", "id": "a"}], "t", ["x", "y"])
    assert (
        item_digest("1", [{"role": "user", "content": "q", "id": "b", "source": None}], "t", ["x", "y"])
        == base
    )
    others = [
        item_digest(2, [{"role": "user", "content": "q"}], "t", ["x", "y"]),
        item_digest(1, [{"role": "user", "content": "q "}], "t", ["x", "y"]),
        item_digest(1, [{"role": "user", "content": "q"}], "T", ["x", "y"]),
        item_digest(1, [{"role": "user", "content": "q"}], "t", ["y", "x"]),
        item_digest(1, [{"role": "user", "content": "q"}], "t"),
        item_digest(1, "q", "t", ["x", "y"]),
    ]
    assert len({base, *others}) == 7


def test_nested_ids_count() -> None:
    """Only the id of the message itself is dropped: a tool call's id in its content is content."""
    first = item_digest(1, [{"role": "user", "content": [{"id": "a", "type": "text"}]}], "t")
    assert first != item_digest(1, [{"role": "user", "content": [{"id": "b", "type": "text"}]}], "t")


def test_attachments_are_put_back() -> None:
    """A reference and the content it stands for have one digest; a missing attachment has none."""
    image = [{"role": "user", "content": [{"type": "image", "image": "attachment://k"}]}]
    inline = [{"role": "user", "content": [{"type": "image", "image": "data:abc"}]}]
    assert item_digest(1, image, "t", attachments={"k": "data:abc"}) == item_digest(1, inline, "t")
    assert item_digest(1, "attachment://k", "t", attachments={"k": "x"}) == item_digest(1, "x", "t")
    with pytest.raises(LogError, match="attachment k"):
        item_digest(1, "attachment://k", "t", attachments={})


def test_root_is_the_merkle_root_in_the_order_of_ids() -> None:
    """RFC 6962 over the item digests, ids in byte order, computed here by hand for three items."""
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("b", "10", "9")}

    def leaf(name: str) -> bytes:
        return hashlib.sha256(b"\0" + bytes.fromhex(digests[name])).digest()

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\1" + left + right).digest()

    assert dataset_root(digests) == node(node(leaf("10"), leaf("9")), leaf("b")).hex()


def test_one_digest_per_item_whatever_the_epochs(tmp_path: Path) -> None:
    """Two logs of one dataset agree, although one ran two epochs in another order and with other message ids."""

    def rows(epochs: int, salt: str) -> list[dict[str, Any]]:
        return [sample(i, input=[{"id": f"{salt}{i}", "role": "user", "content": f"q{i}"}], epoch=e)
                for e in range(epochs, 0, -1) for i in range(3)]  # fmt: skip

    one = read_logs(write_eval(tmp_path / "a.eval", samples=rows(1, "a"))).headers[0]
    two = read_logs(write_eval(tmp_path / "b.eval", samples=rows(2, "b"))).headers[0]
    assert one.dataset_sha256 == two.dataset_sha256 == dataset_root(one.item_digests)
    assert len(one.item_digests) == 3


def test_differing_epochs_have_no_digest(tmp_path: Path) -> None:
    """An item that is not the same in two epochs leaves the dataset without a digest, and says which."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(7, input="x"), sample(7, input="y", epoch=2)])
    header = read_logs(path).headers[0]
    assert header.dataset_sha256 is None
    assert "'7'" in (header.dataset_problem or "")


def test_summaries_give_no_digest(tmp_path: Path) -> None:
    """A digest needs whole samples, because summaries cut inputs."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)])
    assert read_logs(path, tier="summary").headers[0].dataset_sha256 is None


def test_known_answer() -> None:
    """The digest of one item, written out."""
    text = '{"choices":null,"id":"1","input":"2+2?","target":"4"}'
    assert item_digest(1, "2+2?", "4") == hashlib.sha256(text.encode()).hexdigest()
    assert json.loads(text)["id"] == "1"


def test_the_probe_of_a_part_is_found_in_the_whole() -> None:
    """Whatever part is taken, and however few, the beginnings of its smallest digests begin digests of the whole."""
    import hashlib

    from leadline.logs.dataset import PROBE, probe

    whole = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(100)]
    begins = {digest[:PROBE] for digest in whole}
    for part in (whole, whole[:20], whole[90:93], whole[5:6]):
        found = probe(part)
        assert {found[at : at + PROBE] for at in range(0, len(found), PROBE)} <= begins
        assert len(found) == PROBE * min(8, len(part))
    assert probe([]) == ""
