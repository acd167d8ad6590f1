"""The README's Python, run as it is written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shell import leadline

README = Path(__file__).parents[2] / "README.md"


def test_the_loop_in_python_runs_as_written(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the template that the loop begins with, with fewer items: four evaluations, a published verdict."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    leadline("new", "study.yaml", "--template", "compare")
    leadline("key", "new", "--key", "author.key")
    study = Path("study.yaml")
    study.write_text(study.read_text().replace("n: 400", "n: 40"))
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if "import inspect_ai" in block]
    Path("loop.py").write_text(block, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "loop.py"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^examples-help (supported|refuted|null|inconclusive) \w+$", done.stdout, re.MULTILINE)
    shown = leadline("search", "--store", "registry.db", "--json").json
    assert [one["state"] for one in shown["studies"]] == ["reported"]
    assert len(list(Path("logs").glob("*.eval"))) == 4
    assert not (home / "registry.db").exists()
