"""`leadline import`: what was run before anybody registered anything."""

import shlex
import sys
from collections.abc import Collection
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from leadline.cli import options
from leadline.cli.scanning import AllowFinding, require_publishable

if TYPE_CHECKING:
    from leadline.cli.output import Page
    from leadline.verdict.retrospect import Answers, Found

DRAFT: Final = "retrospective.yaml"
#: What only a person knows, by its name in JSON: the option that gives it, and the question that asks for it.
_ASKED: Final = {
    "expected": ("--expect", "What did you expect?"),
    "smallest": ("--smallest", "Smallest difference that would have mattered, in the unit of the score"),
    "author": ("--author", "Your name"),
}
_PLANS: Final = (".yaml", ".yml", ".json")


def import_(
    first: Annotated[
        str,
        typer.Argument(
            metavar="LOGS|PROTOCOL|RESULT",
            help="Logs, to draft a protocol for; a protocol, YAML or JSON, and the logs; with --title, a result.",
        ),
    ],
    logs: Annotated[
        list[str] | None, typer.Argument(metavar="LOGS", help="Evaluation logs, or folders of them.")
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect",
            metavar="CLAIM",
            help="For a draft: what was expected, such as 'hint > plain', 'A == B' or 'A > 0.5'.",
        ),
    ] = None,
    smallest: Annotated[
        float | None,
        typer.Option(
            "--smallest", metavar="D", help="For a draft: the smallest difference that would have mattered."
        ),
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", metavar="NAME", help="For a draft: who did this.")
    ] = None,
    score: Annotated[
        str | None,
        typer.Option(
            "--score",
            metavar="NAME",
            help="For a draft: the score to measure.",
            show_default="the most frequent",
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="SETTING",
            help="For a draft: a setting that tells arms apart, such as task_args.style or metadata.prompt.",
            show_default="every one that differs",
        ),
    ] = None,
    draft: Annotated[
        str, typer.Option("--draft", metavar="FILE", help="For a draft: where to write it.")
    ] = DRAFT,
    mapping: options.Mapping = None,
    allow_finding: AllowFinding = None,
    title: Annotated[
        str | None,
        typer.Option(
            "--title", metavar="TEXT", help="Record the file itself, a finished result, under this title."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="TEXT",
            help="Where it comes from: a URL, a paper, a person; needed with --title.",
            show_default="what the logs say of themselves",
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="A remark for the record.")] = "",
    store: options.Store = None,
    key: options.Key = None,
    origin: options.Origin = None,
    invitation: options.Invitation = None,
    json: options.Json = False,
) -> None:
    """Record what existing logs show, as retrospective.

    In two steps. `import LOGS` drafts a protocol from logs that nobody registered: it says which arms it found, and asks
    what only you know, three things at most; nothing is recorded. `import PROTOCOL LOGS` computes that protocol's
    analysis, the same as for a registered study, and records it; the record says that nothing was promised beforehand,
    so it weighs less. With --title no logs are needed: RESULT is recorded as it is, the JSON of `leadline compare` or
    any table. What is recorded is public: it is first searched for secrets and personal data.

    JSON: of a draft {"file": null while something is missing, "missing": [any of "expected", "smallest", "author"],
    "arms": [{"name", "letter", "logs": [name, ...], "samples", "settings": {name: value}}], "score", "scores",
    "notes"}; else {"index", "report": sha256, "verdicts": {hypothesis: {"outcome", "standing", "reason"}}}; with --title
    {"index", "content": "report" or "table"}.
    """
    allow = allow_finding or ()
    if title is not None:
        _import_result(
            first, logs or [], title, source, note, allow, store, key, origin, invitation, json=json
        )
    elif _is_logs(first, mapping):
        typed = {"expected": expect, "smallest": smallest, "author": author}
        _draft([first, *(logs or [])], typed, score, by or (), draft, mapping, allow, store, key, json=json)
    elif logs:
        _record(first, logs, source, note, mapping, allow, store, key, origin, invitation, json=json)
    else:
        raise typer.BadParameter(
            "name the logs; a table needs --mapping, and a finished result --title", param_hint="LOGS"
        )


def _is_logs(path: str, mapping: str | None) -> bool:
    """Whether this is a log, a folder, or a table that there is a mapping for; else it is a protocol or a result."""
    from leadline.errors import NotFoundError
    from leadline.logs.detect import detect
    from leadline.logs.limits import DEFAULT
    from leadline.logs.readers import known_formats
    from leadline.logs.source import opened

    found = Path(path)
    if found.is_dir():
        return True
    if not found.exists():
        raise NotFoundError(
            "there is no such file or folder", where=path, remedy="name logs, or a protocol and its logs"
        )
    with opened(found) as source:
        if detect(source, DEFAULT, known_formats()) is not None:
            return True
    return mapping is not None and found.suffix.lower() not in _PLANS


# -- drafting ---------------------------------------------------------------------------------------


def _draft(
    logs: list[str],
    typed: dict[str, Any],
    score: str | None,
    by: Collection[str],
    file: str,
    mapping: str | None,
    allow: Collection[str],
    store: str | None,
    key: str | None,
    *,
    json: bool,
) -> None:
    """Say what was found, ask what is missing, write the draft."""
    from leadline.cli.opening import key_path, repeated
    from leadline.cli.output import Page, busy, emit, write_new
    from leadline.errors import StateError
    from leadline.logs import read_logs
    from leadline.verdict.retrospect import COLUMNS, Answers, draft_retrospective, found_in

    missing = [name for name, value in typed.items() if value is None]
    if Path(file).exists() and not (json and missing):
        raise StateError("there is a file already", where=file, remedy="name another one with --draft FILE")
    require_publishable(logs if mapping is None else [*logs, mapping], allow)
    with busy("reading the logs"):
        found = found_in(
            read_logs(logs, tier="sample", columns=[*COLUMNS], mapping=mapping), by=by, score=score
        )
    if json:
        if not missing:
            write_new(file, draft_retrospective(found, Answers.read(found, **typed)))
        emit({"file": None if missing else file, "missing": missing, **_form(found)})
        return
    page = Page()
    _print(page, found)
    answers = _asked(found, typed, missing)
    write_new(file, draft_retrospective(found, answers))
    page.gap()
    page.line(f"Wrote {file}: {', '.join(one.sentence for one in answers.expected)}", "bold")
    page.line(
        "Nothing is recorded yet. Edit it if something is not as it was; then record what the logs show:",
        "dim",
    )
    if not key_path(key).exists():
        page.verbatim(repeated("leadline key new", key=key))
    options_ = "" if mapping is None else f" --mapping {shlex.quote(mapping)}"
    options_ += "".join(f" --allow-finding {shlex.quote(code)}" for code in allow)
    command = f"leadline import {shlex.quote(file)} {' '.join(map(shlex.quote, logs))}{options_}"
    page.verbatim(repeated(command, store=store, key=key))


def _form(found: "Found") -> dict[str, Any]:
    arms = [
        {
            "name": one.name,
            "letter": letter,
            "logs": [header.log for header in one.headers],
            "samples": len(found.items[one.name]),
            "settings": one.settings,
        }
        for one, letter in zip(found.conditions, _letters(found), strict=True)
    ]
    return {"arms": arms, "score": found.score, "scores": list(found.scores), "notes": list(found.notes)}


def _letters(found: "Found") -> list[str]:
    """The letter by which each arm may be called; empty from the 27th on."""
    return [*ascii_uppercase[: len(found.conditions)], *[""] * (len(found.conditions) - len(ascii_uppercase))]


def _print(page: "Page", found: "Found") -> None:
    """The arms, and not what came out of them: what was expected is asked first."""
    page.head("Arms")
    rows = [
        (letter, one.name, one.words, f"{len(one.headers):,}", f"{len(found.items[one.name]):,}")
        for one, letter in zip(found.conditions, _letters(found), strict=True)
    ]
    page.table(("", "arm", "told by", "logs", "samples"), rows, right=(3, 4))
    page.gap()
    page.facts([("measure", found.score if found.key is None else f"{found.score}, {found.key}")])
    for one in found.notes:
        page.line(one, "dim", indent=2)


def _asked(found: "Found", typed: dict[str, Any], missing: list[str]) -> "Answers":
    """The answers, asked for on a terminal until they make sense; InputError where nobody can be asked."""
    from leadline.cli.output import note
    from leadline.errors import InputError
    from leadline.verdict.expectation import example
    from leadline.verdict.retrospect import Answers

    if missing and not sys.stdin.isatty():
        wanted = " ".join(f"{_ASKED[name][0]} {name.upper()}" for name in missing)
        raise InputError(
            f"only you know {' and '.join(missing)}, and nobody can be asked here",
            remedy=f"add {wanted}, with --expect such as {example(found.arms)!r}",
        )
    given = dict(typed)
    while True:
        for name in missing:
            label = _ASKED[name][1]
            if name == "expected":
                label += f" (e.g. {example(found.arms)}; also < >= <= == !=)"
            given[name] = typer.prompt(label, type=float if name == "smallest" else str, err=True)
        try:
            return Answers.read(found, **given)
        except InputError as error:
            wrong = error.where if error.where in _ASKED else "expected"
            if wrong not in missing:
                raise
            note(f"{error.message}; {error.remedy()}")
            missing = [wrong]


# -- recording --------------------------------------------------------------------------------------


def _record(
    protocol: str,
    logs: list[str],
    source: str | None,
    note: str,
    mapping: str | None,
    allow: Collection[str],
    store: str | None,
    key: str | None,
    origin: str | None,
    invitation: str | None,
    *,
    json: bool,
) -> None:
    """Record what logs show under a protocol."""
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, busy, emit
    from leadline.protocol import Protocol
    from leadline.registry.exchange import import_logs
    from leadline.verdict.terminal import print_report

    plan = Protocol.load(protocol)
    require_publishable(logs if mapping is None else [*logs, mapping], allow)
    with (
        writing(store, key, create=True, origin=origin, invitation=invitation) as registry,
        busy("reading the logs and running the analysis"),
    ):
        found = import_logs(registry, plan, logs, source=source, note=note, mapping=mapping)
    verdicts = found.report.verdicts
    if json:
        said = {
            h: {"outcome": v.outcome, "standing": v.standing, "reason": v.reason} for h, v in verdicts.items()
        }
        emit({"index": found.index, "report": found.digest, "verdicts": said})
        return
    page = Page()
    print_report(found.report, page.console)
    page.gap()
    _recorded(page, found.index)


def _import_result(
    path: str,
    more: list[str],
    title: str,
    source: str | None,
    note: str,
    allow: Collection[str],
    store: str | None,
    key: str | None,
    origin: str | None,
    invitation: str | None,
    *,
    json: bool,
) -> None:
    """Record a finished result as it is."""
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, emit
    from leadline.registry.retrospective import MOST_BYTES, Retrospective

    if more:
        raise typer.BadParameter("a result is one file", param_hint="LOGS")
    if source is None:
        raise typer.BadParameter("say where the result comes from", param_hint="--source")
    with Path(path).open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    require_publishable([path], allow)
    content: Literal["report", "table"] = "report" if data.lstrip()[:1] == b"{" else "table"
    with writing(store, key, create=True, origin=origin, invitation=invitation) as registry:
        receipt = registry.record_retrospective(
            Retrospective(title, source, data, content=content, note=note or None)
        )
    if json:
        emit({"index": receipt.index, "content": content})
        return
    _recorded(Page(), receipt.index)


def _recorded(page: "Page", index: int) -> None:
    from leadline.registry.retrospective import WORDS

    page.line(f"Recorded as retrospective, entry {index}.", "bold")
    page.line(f"It is {WORDS}.", "dim")
