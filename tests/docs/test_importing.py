"""The page about importing shows what works."""

import re
from pathlib import Path

import pytest

import leadline
from leadline.store.projections.imports import imports
from leadline.verdict.expectation import read_expectations
from logs.factory import sample, write_eval
from registry.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "importing.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_records_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written, with an open registry."""
    world = World(tmp_path / "world")
    (tmp_path / "logs").mkdir()
    for model in ("lab/one", "lab/two"):
        rows = [sample(f"i{i}x", "CI"[i % 2]) for i in range(100)]
        write_eval(tmp_path / "logs" / f"{model[4:]}.eval", model=model, samples=rows)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(block, "importing.md", "exec"), {"leadline": leadline, "registry": world.registry})
    (row,) = imports(world.registry.store)
    assert row.title.startswith("one scores higher than two")
    assert list(world.registry.fsck()) == []


def test_every_expectation_of_the_page_is_read() -> None:
    """Each in backquotes in the first column of the table of signs."""
    rows = re.findall(r"^\| (`A .*?) \|", PAGE, re.MULTILINE)
    shown = [text for row in rows for text in re.findall(r"`(.*?)`", row)]
    assert len(shown) == 7
    for text in shown:
        read_expectations(text, ("A", "B"))
