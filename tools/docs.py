"""Write the reference pages that are made from the program itself: ``python -m tools.docs`` (``--check`` compares).

A page is one line in `PAGES`: its path under docs/, and the function that gives its text.
"""

import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

DOCS = Path(__file__).resolve().parents[1] / "docs"

_HEAD = """\
# Commands

Made by `python -m tools.docs` from the program's own help. Every command takes `--json`: one JSON value on
standard output, of the shape given below. Progress and remarks go to standard error, so pipes stay clean.

A registry is one SQLite file and a folder beside it: `--store PATH`, else `$LEADLINE_STORE`, else
`~/.leadline/registry.db`. Statements are signed with the author's key: `--key FILE`, else `$LEADLINE_KEY`, else
`~/.leadline/author.key`. `$LEADLINE_HOME` moves both defaults. Commands that only read never create a registry
and never need a key. Colour is left out in pipes and where `$NO_COLOR` is set; `--debug` before the command, or
`$LEADLINE_DEBUG`, shows tracebacks.
"""

_ERRORS = """\
## Errors

An error says what is wrong, where, and what to do, on standard error. With `--json` it is one line there:
`{"error": {"kind", "message", "where", "remedy"}}`; `kind` is the name of the class in `leadline.errors`, or
`UsageError`, `Interrupted`, `Fault`; `where` and `remedy` may be null.
"""


def commands() -> str:
    """docs/commands.md: every command with its arguments, options and JSON shape, and the exit statuses."""
    from leadline.cli.groups import EXIT_CODES, STAGES
    from leadline.cli.main import app

    root: Any = typer.main.get_command(app)
    parts = [_HEAD, _ERRORS, "## Exit status\n", "| status | meaning |", "|---|---|"]
    parts += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    for heading, names in STAGES.items():
        stage, _, question = heading.partition(" ")
        parts.append(f"\n## {stage.capitalize()}: {question.strip()}")
        for name in names:
            parts += _command(root.commands[name], f"leadline {name}")
    return "\n".join(parts).rstrip() + "\n"


def _command(command: Any, path: str) -> Iterator[str]:
    context = typer.Context(command, info_name=path)
    if children := getattr(command, "commands", None):
        yield f"\n### `{path}`\n\n{command.help}"
        for name, child in children.items():
            yield from _command(child, f"{path} {name}")
        return
    yield f"\n### `{path}`\n"
    text, _, shape = inspect.cleandoc(command.help).partition("\n\nJSON: ")
    yield f"`{command.get_usage(context).removeprefix('Usage: ')}`\n"
    yield text + "\n"
    rows = [row for param in command.params if (row := param.get_help_record(context))]
    if rows:
        yield "| argument or option | meaning |\n|---|---|"
        yield from (f"| `{_cell(name, code=True)}` | {_cell(meaning)} |" for name, meaning in rows)
        yield ""
    words = f"JSON: {' '.join(shape.split())}"
    yield f"```text\n{textwrap.fill(words, 110, break_long_words=False, break_on_hyphens=False)}\n```"


def _cell(text: str, *, code: bool = False) -> str:
    plain = " ".join(text.split())
    return plain.replace("|", "\\|") if code else plain.replace("|", "\\|").replace("<", "&lt;")


def _findings() -> str:
    from leadline.registry.check.catalogue import page

    return page()


def _protocol_schema() -> str:
    from leadline.protocol.schema import text

    return text()


def _verdict_schema(name: str) -> Callable[[], str]:
    def text() -> str:
        from leadline.verdict.schema import published

        return published()[name]

    return text


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "findings.md": _findings,
    "protocol.schema.json": _protocol_schema,
    "report.schema.json": _verdict_schema("report.schema.json"),
    "comparison.schema.json": _verdict_schema("comparison.schema.json"),
}


def main(arguments: list[str]) -> int:
    """Write every page, or with ``--check`` name those that are not current; 1 if there are any."""
    stale = [name for name, text in PAGES.items() if _current(DOCS / name) != text()]
    if "--check" in arguments:
        print(json.dumps({"stale": stale}))
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def _current(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
