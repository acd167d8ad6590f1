"""The format in docs/log-formats.md works as it stands there, and is loaded only where it is asked for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.errors import InputError
from leadline.logs.apart import run_apart
from leadline.logs.formats import VARIABLE
from leadline.logs.readers import known_formats
from leadline.logs.testing import FormatConformance
from leadline.registry import questions
from logs.factory import sample, write_eval

ROOT = Path(__file__).parents[3]
TALLY = "ACME-TALLY\tsums\tacme/one\t1772359200\n" + "".join(
    f"i{n}\t{n} + 1?\t{n + 1}\t{'CI'[n % 2]}\n" for n in range(9)
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documented module, its test, a log of it, and what an installer writes about its entry point."""
    folder = tmp_path_factory.mktemp("acme")
    page = (ROOT / "docs" / "log-formats.md").read_text()
    for code in re.findall(r"```python\n(# (\w+\.py)\n.*?)```", page, re.DOTALL):
        (folder / code[1]).write_text(code[0])
    (folder / "one.tally").write_text(TALLY)
    info = folder / "acme_tally-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-tally\nVersion: 1\n")
    declared = re.search(r"^(acme-tally = .*)$", page, re.MULTILINE)
    assert declared is not None
    entry = declared[1].replace('"', "")
    (info / "entry_points.txt").write_text(
        f"[leadline.log_formats]\n{entry}\nbroken = acme_tally:NAME\ngone = nothing:X\n"
    )
    return folder


def run(package: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run."""
    path = os.pathsep.join([str(package), str(ROOT / "src")])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_documented_format_passes_the_tests_of_formats(package: Path) -> None:
    """The documented format passes the tests of formats."""
    found = run(
        package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "test_acme_tally.py"
    )
    assert found.returncode == 0, found.stdout
    asked = [name for name in vars(FormatConformance) if name.startswith("test_")]
    assert f"{len(asked)} passed" in found.stdout


def test_it_is_read_where_it_is_enabled_and_nowhere_else(package: Path) -> None:
    """It is read where it is enabled and nowhere else."""
    command = ("-m", "leadline.cli.main", "logs", "one.tally", "--json")
    assert run(package, *command).returncode == 3
    enabled = run(package, *command, **{VARIABLE: "acme-tally"})
    assert '"format": "acme-tally"' in enabled.stdout, enabled.stderr
    for name in ("broken", "gone", "nobody"):
        refused = run(package, *command, **{VARIABLE: name})
        assert (refused.returncode, VARIABLE in refused.stderr) == (3, True), refused.stderr


def test_readers_that_run_apart_know_no_format_but_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Readers that run apart know no format but ours."""
    monkeypatch.setenv(VARIABLE, "nobody")
    with pytest.raises(InputError, match="no installed package"):
        known_formats()
    log = write_eval(tmp_path / "a.eval", samples=[sample(1, "C")])
    (handed,) = questions.handed_of(run_apart(questions.HANDED, questions.paths_question([log])))
    assert handed.format == "inspect-eval"
