"""Chunked samples, which Inspect converts to and cannot read back itself."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked

from leadline.logs import read_logs
from leadline.logs.container import Archive
from leadline.logs.source import opened
from logs.factory import archive, sample, write_eval

LONG = "a long question that is stored once and referred to. " * 40
ROWS = [
    sample(
        1,
        {"m": {"value": "C", "answer": "a  b", "explanation": "e", "history": []}},
        input="short",
        metadata={"k": [1, {"x": "y"}]},
    ),
    sample("x/y", "I", input=[{"id": "m1", "role": "user", "content": LONG, "source": "input"}], metadata={}),
    sample(1, "P", epoch=2, input="short", error="boom", limit="time", choices=["a", "b"]),
]


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    """One log as written, and the same converted by Inspect."""
    (tmp_path / "whole").mkdir()
    whole = write_eval(tmp_path / "whole" / "a.eval", samples=ROWS)
    convert_eval_logs_to_chunked(str(whole), str(tmp_path / "chunked"))
    return whole, tmp_path / "chunked" / "a.eval"


def comparable(path: Path) -> list[dict[str, Any]]:
    """Rows without the file's own digest."""
    return [{k: v for k, v in row.items() if k != "sha256"} for row in read_logs(path).to_arrow().to_pylist()]


def test_chunked_and_whole_give_the_same_rows(both: tuple[Path, Path]) -> None:
    """Every column, the digest of the item with its attachments included, is the same in both shapes."""
    whole, chunked = both
    with opened(chunked) as source:
        names = list(Archive(source).members)
    assert any("/attachments/" in name for name in names)
    assert not any(name.endswith("_epoch_1.json") for name in names)
    assert comparable(whole) == comparable(chunked)
    assert read_logs(whole).headers[0].item_digests == read_logs(chunked).headers[0].item_digests


def test_no_fallback_is_needed(both: tuple[Path, Path]) -> None:
    """Chunked samples are read natively and counted once each."""
    account = read_logs(both[1]).accounting.logs[0]
    assert (account.read, account.kept, account.fallbacks) == (3, 3, ())


def test_mixed_shapes(both: tuple[Path, Path], tmp_path: Path) -> None:
    """A log may hold some samples whole and some in chunks; of one sample in both shapes the later counts."""
    with opened(both[1]) as source:
        found = Archive(source)
        chunks = [(name, found.read(name)) for name in found.members]
    late = [*chunks, ("samples/1_epoch_1.json", sample(1, "I")), ("samples/9_epoch_1.json", sample(9, "C"))]
    table = read_logs(archive(tmp_path / "mixed.eval", late))
    values = {(r["sample_id"], r["epoch"]): r["value"] for r in table.to_arrow().to_pylist()}
    assert values == {("1", 1): 0.0, ("9", 1): 1.0, ("x/y", 1): 0.0, ("1", 2): 0.5}
