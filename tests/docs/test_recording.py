"""The recorded example runs as it stands, and so does what the page about recording shows."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest

from leadline.protocol.model import Protocol
from leadline.registry.check import check

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "steering.py"
PAGE = (ROOT / "docs" / "recording.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python( torch)?\n(.*?)```", PAGE, re.DOTALL)


def _example() -> Any:
    spec = importlib.util.spec_from_file_location("steering", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_ends_in_a_verdict(tmp_path: Path) -> None:
    """From promise to verdict as a user runs it: every promise kept, nothing unknown, controls as expected."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "supported, confirmatory" in done.stdout


def test_the_examples_protocol_passes_the_critical_reader() -> None:
    """Only the pilot, of which there is no log, is objected to; and the promised digest is that of the items the example runs."""
    from leadline.bench.ladder.skills import items
    from leadline.logs.recording import dataset_sha256

    protocol = Protocol.load(EXAMPLE.with_suffix(".yaml"))
    assert {found.code for found in check(protocol) if found.severity != "note"} == {"I109"}
    module = _example()
    asked = items("sorting", 2, module.N, module.SEED)
    promised = dataset_sha256({"sample_id": i.id, "input": i.prompt, "target": i.target} for i in asked)
    assert protocol.task("sorting").dataset.sha256 == promised


class _Study:
    """Enough of a study for the page: attempts whose runs write down what they are given."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def attempt(self, **said: Any) -> "_Study":
        """The attempt is the study itself."""
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def start(self, arm: str, **said: Any) -> None:
        """Taken."""

    def record(self, sample_id: str, score: str, value: Any, *, arm: str | None = None, **more: Any) -> None:
        """Made into the row it would be."""
        from leadline.logs.recording.rows import result_row

        self.rows.append(result_row(sample_id, score, value, **more))


@pytest.mark.parametrize(
    ("torch", "code"), [one for one in BLOCKS if "..." not in one[1]], ids=lambda one: one[:20]
)
def test_what_the_page_shows_runs(torch: str, code: str) -> None:
    """Each block of Python is executed; that of PyTorch where it is installed."""
    if torch:
        pytest.importorskip("torch")
    study = _Study()
    given: dict[str, Any] = {
        "study": study,
        "results": [("a", "Scab=", "abc", True)],
        "items": [("a", "Scab=", "abc")],
    }
    exec(compile(code, "docs/recording.md", "exec"), given)
    assert study.rows or "promised" in given or "patched" in given
