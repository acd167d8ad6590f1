"""How output looks: 80 columns, no colour in pipes, nothing a stranger wrote can move the cursor."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.shell import Lab, Result, leadline, write_protocol
from leadline.bench.demo import run as demo_run
from leadline.cli.findings import _bar, _marks
from leadline.cli.output import Page, progress

#: Lines that are there to be copied are never folded.
_COPIED = re.compile(r"^ {2,}(leadline |inspect |--|/|[\w./-]+\+[0-9a-f]{8}\+)")


def _too_wide(result: Result, width: int = 80) -> list[str]:
    """Lines beyond the width that are neither commands to copy nor one word that has no place to break."""
    wide = (line for line in result.out.splitlines() if len(line) > width)
    return [line for line in wide if len(line.split()) > 1 and not _COPIED.match(line)]


def test_a_key_or_path_stays_in_one_piece_however_narrow_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever reads the output in a pipe finds it whole; text without blanks is still broken."""
    monkeypatch.setenv("COLUMNS", "40")
    key, out = "example.org/lab+0123abcd+" + "A" * 44, io.StringIO()
    with redirect_stdout(out):
        page = Page()
        page.line(f"the key {key} signs")
        page.facts([("key", key), ("words", "one two three four five six seven eight")])
        page.line("\u6f22" * 60)
    lines = out.getvalue().splitlines()
    assert sum(key in line for line in lines) == 2
    assert all(len(line) <= 40 for line in lines if key not in line)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "{protocol}", "--replicates", "20"),
        ("show", "{study}"),
        ("verify", "{study}"),
        ("verify", "{certificate}"),
        ("attempts", "list", "{study}"),
        ("attempts", "open", "{study}"),
        ("report", "{study}"),
        ("compare", "{logs}/hint.eval", "{logs}/plain.eval"),
        ("search",),
        ("key", "show"),
        ("new", "--list"),
        ("new", "--areas"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_text_reads_at_eighty_columns_without_colour(arguments: tuple[str, ...], lab: Lab) -> None:
    """No line is wider, no escape sequence is written, nothing is said on standard error."""
    places = {"protocol": lab.protocol, "study": lab.study, "certificate": lab.certificate, "logs": lab.logs}
    shown = leadline(*(one.format(**places) for one in arguments))
    assert _too_wide(shown) == []
    assert "\x1b" not in shown.out
    assert shown.err == ""
    assert shown.out.strip()


def test_a_narrow_terminal_folds_words_and_keeps_commands_whole(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 50 columns text is folded; a command to copy stays on one line."""
    monkeypatch.setenv("COLUMNS", "50")
    shown = leadline("attempts", "open", lab.study)
    assert f"  leadline attach {lab.study} LOGS --attempt 2" in shown.out.splitlines()
    assert _too_wide(shown, 50) == []


def test_an_ascii_terminal_gets_ascii(lab: Lab, home: Path) -> None:
    """Where the encoding cannot show a sign, another stands for it; nothing fails."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LEADLINE_HOME": str(home)}
    for arguments in (
        ["check", str(lab.protocol), "--replicates", "20"],
        ["show", lab.study],
        ["report", lab.study],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "leadline.cli.main", *arguments],
            env=environment,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii()


def test_texts_of_a_protocol_cannot_move_the_cursor(tmp_path: Path) -> None:
    """Control characters are shown as marks; a title with some is not registered at all."""
    protocol = write_protocol(tmp_path / "study.yaml", title="harmless \u202e reversed \x9b2J title")
    for arguments in (
        ("check", protocol, "--replicates", "0"),
        ("diff", tmp_path / "study.yaml", _without_title(protocol)),
    ):
        out = leadline(*arguments).out
        assert "harmless \ufffd reversed \ufffd2J title" in out
    leadline("key", "new")
    assert "field title" in leadline("register", protocol, "--no-simulate", status=3).err


def _without_title(protocol: Path) -> Path:
    plan = yaml.safe_load(protocol.read_text(encoding="utf-8"))
    other = protocol.with_name("other.yaml")
    other.write_text(yaml.safe_dump({**plan, "title": "another"}), encoding="utf-8")
    return other


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a file nor a pipe gets a bar."""
    with progress("working") as tick:
        tick(1, 2)
    assert capsys.readouterr() == ("", "")


def test_the_bar_of_shares_is_always_full() -> None:
    """Rounding never loses or adds a cell, and order is the legend's."""
    marks = _marks(True)
    third = 1 / 3
    for shares in ((1.0, 0.0, 0.0, 0.0), (third, third, third, 0.0), (0.02, 0.03, 0.45, 0.5)):
        bar = _bar(dict(zip(marks, shares, strict=True)), marks)
        assert len(bar) == 16
        assert sorted(bar, key=list(marks.values()).index) == list(bar)


def test_the_demonstration_is_called_with_its_folder_and_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`demo` passes its options on, and its status back."""
    seen: list[tuple[Path, Path | None]] = []

    def run_demo(output: Path, *, weights: Path | None = None, console: Any) -> int:
        console.print("told")
        seen.append((output, weights))
        return 0 if weights is None else 1

    monkeypatch.setattr(demo_run, "run_demo", run_demo)
    assert leadline("demo", "--output", tmp_path).out == "told\n"
    other = leadline("demo", "--weights", tmp_path, "--json", status=1)
    assert (other.json["ok"], other.err) == (False, "told\n")
    assert seen == [(tmp_path, None), (Path("leadline-demo"), tmp_path)]


@pytest.mark.parametrize(
    ("document", "key"), [("protocol", "hypotheses"), ("report", "verdicts"), ("comparison", "pairs")]
)
def test_schemas_are_printed(document: str, key: str) -> None:
    """Each published document has its schema, with --json or without."""
    printed = leadline("schema", document)
    assert key in printed.json["properties"]
    assert printed.out == leadline("schema", document, "--json").out
