"""The JSON of every command has the keys its help documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.shell import Lab, leadline, write_protocol
from leadline.cli.main import app

#: Tables whose keys are data, or whose shape is documented by a schema of its own.
_OPEN = {"metadata", "characteristics", "old", "new"}
#: Tables whose keys are data and whose values have one documented shape.
_BY_NAME = {"counts"}


def documented(*path: str) -> set[str]:
    """The key names in the JSON paragraph of a command's help."""
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    return set(re.findall(r'"(\w+)"', command.help.partition("JSON: ")[2]))


def keys(value: Any) -> Iterator[str]:
    """Every key of a JSON value, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from keys(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key in _BY_NAME:
                yield from keys(list(item.values()))
            elif key not in _OPEN:
                yield from keys(item)


def _same(path: tuple[str, ...], value: Any) -> None:
    assert set(keys(value)) == documented(*path), " ".join(path)


def test_shapes_of_the_loop(lab: Lab, tmp_path: Path) -> None:
    """Registering, running and showing."""
    leadline("attempts", "open", lab.study, "--note", "again")
    leadline("report", lab.study, "--publish")
    changed = tmp_path / "changed.yaml"
    changed.write_text(lab.protocol.read_text().replace("smallest: 0.15", "smallest: 0.2"))
    calls: dict[tuple[str, ...], tuple[str | Path, ...]] = {
        ("check",): (lab.protocol, "--replicates", "20"),
        ("register",): (lab.protocol, "--no-simulate"),
        ("diff",): (lab.protocol, changed),
        ("attach",): (lab.study, lab.logs),
        ("attempts", "open"): (lab.study,),
        ("attempts", "list"): (lab.study,),
        ("attempts", "close"): (lab.study, "2", "--status", "failed"),
        ("attempts", "abandon"): (lab.study, "3", "--reason", "none"),
        ("search",): ("addition", "--facets"),
        ("export",): (lab.study, tmp_path / "out"),
        ("rebuild",): (),
        ("amend",): (lab.study, changed, "--reason", "none", "--seen", "looked"),
    }
    for path, arguments in calls.items():
        _same(path, leadline(*path, *arguments, "--json").json)
    leadline("judge", lab.study, "--type", "review", "--text", "sound", "--minutes", "5", "--yes")
    shown = leadline("show", lab.study, "--json").json
    assert documented("show") <= set(keys(shown)) <= documented("show") | documented("attempts", "list")
    _same(("withdraw",), leadline("withdraw", lab.study, "--reason", "none", "--json").json)


def test_shapes_of_finding_and_verifying(lab: Lab, tmp_path: Path, home: Path) -> None:
    """What `verify` says of each kind of thing, and the lists."""
    other = write_protocol(tmp_path / "other.yaml", title="Does a hint raise accuracy on subtraction?")
    _same(("similar",), leadline("similar", other, "--json").json)
    said = [
        leadline("verify", what, "--json").json
        for what in (lab.certificate, lab.study, lab.logs / "hint.eval")
    ]
    leadline("export", lab.study, tmp_path / "bundle")
    said.append(leadline("verify", tmp_path / "bundle", "--json").json)
    leadline("export", tmp_path / "export")
    tile = next(path for path in (tmp_path / "export" / "tile" / "0").rglob("*") if path.is_file())
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    said.append(leadline("verify", tmp_path / "export", "--json", status=5).json)
    assert [one["kind"] for one in said] == ["certificate", "study", "log", "bundle", "export"]
    assert {key for one in said for key in keys(one)} | said_kinds() == documented("verify")
    imported = leadline("import", lab.protocol, lab.logs, "--source", "a paper", "--json").json
    assert set(keys(imported)) - {"H1"} <= documented("import")
    database = (home / "registry.db").read_bytes()
    (home / "registry.db").write_bytes(database.replace(b"Does a hint", b"Does a hunt"))
    _same(("fsck",), leadline("fsck", "--json", "--processes", "1", status=5).json)


def said_kinds() -> set[str]:
    """The kinds are values, written as such in the help."""
    return {"certificate", "study", "log", "bundle", "export"}


def test_shapes_of_keys_and_drafts(home: Path, tmp_path: Path) -> None:
    """Keys from making to revoking, templates, areas."""
    key = ("--key", home / "a.key")
    _same(("key", "new"), leadline("key", "new", *key, "--json").json)
    _same(("key", "register"), leadline("key", "register", "Ada", *key, "--json").json)
    _same(("key", "show"), leadline("key", "show", *key, "--json").json)
    _same(("key", "rotate"), leadline("key", "rotate", home / "b.key", *key, "--json").json)
    _same(
        ("key", "revoke"),
        leadline("key", "revoke", "--reason", "none", "--key", home / "b.key", "--json").json,
    )
    drafts = [leadline("new", *more, "--json").json for more in ((), ("--list",), ("--areas",))]
    assert {name for one in drafts for name in keys(one)} == documented("new")


@pytest.mark.parametrize("command", ["report", "compare"])
def test_reports_and_comparisons_validate(command: str, lab: Lab) -> None:
    """What is printed satisfies the schema the program prints."""
    jsonschema = pytest.importorskip("jsonschema")
    arguments = {"report": (lab.study,), "compare": (lab.logs / "hint.eval", lab.logs / "plain.eval")}[
        command
    ]
    schema = leadline("schema", "report" if command == "report" else "comparison").json
    jsonschema.validate(leadline(command, *arguments, "--json").json, schema)
