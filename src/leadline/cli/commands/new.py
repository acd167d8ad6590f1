"""`leadline new`: a first protocol, from a template or from an Inspect task."""

import shlex
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from leadline.cli import options
from leadline.errors import InputError, StateError


def new(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Where to write it; standard output when left out.")
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="Which template.", show_default="compare")
    ] = None,
    from_inspect: Annotated[
        str | None,
        typer.Option(
            "--from-inspect",
            metavar="FILE@TASK",
            help="Draft from an Inspect task: its file is executed in a process of its own.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="ID", help="The model's exact id; with --from-inspect the dry run asks it."
        ),
    ] = None,
    task_arg: Annotated[
        list[str] | None,
        typer.Option(
            "-T", "--task-arg", metavar="KEY=VALUE", help="An argument of the task, for --from-inspect."
        ),
    ] = None,
    dry_run: Annotated[
        int, typer.Option("--dry-run", metavar="N", min=0, help="Samples of the dry run, for --from-inspect.")
    ] = 2,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="The study's title.")] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="NAME", help="Your name.")] = None,
    due: Annotated[
        str | None, typer.Option("--due", metavar="DATE", help="When a report is owed: YYYY-MM-DD.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    list_templates: Annotated[bool, typer.Option("--list", help="List the templates and end.")] = False,
    areas: Annotated[
        bool, typer.Option("--areas", help="List the areas a study may be filed under, and end.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Write a first protocol, to be edited.

    Templates are complete and commented: they pass `leadline check` as they stand. --from-inspect fills in
    what a task and a dry run can tell; a dry run that fails is said on standard error. --title, --author, --due
    and --model are filled in in either.

    JSON: {"file", "source", "text"}; with --list {"templates": [{"name", "subject", "fields"}]}; with --areas
    {"areas": [{"id", "title"}]}.
    """
    if list_templates:
        return _list(json)
    if areas:
        return _areas(json)
    if from_inspect is not None and template is not None:
        raise InputError("--from-inspect fills its own template", remedy="leave out --template")
    _refuse_existing(file, force=force)
    day = None if due is None else _day(due)
    if from_inspect is not None:
        wanted = {"title": title, "author": author, "due": day, "model": model}
        source, text = from_inspect, _drafted(from_inspect, task_arg or [], dry_run, wanted)
    else:
        source = template or "compare"
        written = None if day is None else day.isoformat()
        text = _filled(source, {"title": title, "author": author, "due": written, "model": model})
    _deliver(file, source, text, force=force, json=json)
    return None


def _refuse_existing(file: str | None, *, force: bool) -> None:
    """Said before a draft is made, which can take minutes."""
    if file is not None and not force and Path(file).exists():
        raise StateError(
            "there is a file already", where=file, remedy="name another file, or replace it with --force"
        )


def _day(text: str) -> date:
    """A day as --due takes it; `InputError` for anything but YYYY-MM-DD."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InputError(
            f"{text!r} is no day", where="--due", remedy="write it as YYYY-MM-DD, e.g. --due 2027-01-31"
        )
    return day


def _filled(name: str, values: dict[str, str | None]) -> str:
    from leadline.protocol import templates

    return templates.text(name, **{key: value for key, value in values.items() if value is not None})


def _drafted(target: str, arguments: list[str], dry_run: int, wanted: Mapping[str, Any]) -> str:
    from leadline.bench.from_inspect import draft
    from leadline.cli.output import busy, note

    with busy("loading the task and trying it"):
        drafted = draft(target, task_args=dict(map(_argument, arguments)), dry_run=dry_run, **wanted)
    if drafted.problem is not None:
        note(f"the dry run failed: {drafted.problem}; the draft holds what loading the task could tell")
    return drafted.text


def _argument(text: str) -> tuple[str, Any]:
    """KEY=VALUE as Inspect reads it: the value is YAML."""
    import yaml

    key, separator, value = text.partition("=")
    if not key or not separator:
        raise InputError(f"{text!r} is not KEY=VALUE", remedy="e.g. -T level=3")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError:
        return key, value


def _deliver(file: str | None, source: str, text: str, *, force: bool, json: bool) -> None:
    from leadline.cli.output import emit, note, write_new

    if file is not None:
        write_new(file, text, force=force)
    if json:
        emit({"file": file, "source": source, "text": text})
    elif file is None:
        typer.echo(text, nl=False)
    else:
        note(f"wrote {file}; edit it, then: leadline check {shlex.quote(file)}")


def _list(json: bool) -> None:
    from leadline.cli.output import Page, emit
    from leadline.protocol import templates

    if json:
        emit(
            {
                "templates": [
                    {"name": n, "subject": s, "fields": list(templates.fields(n))}
                    for n, s in templates.SUBJECTS.items()
                ]
            }
        )
        return
    page = Page()
    page.facts(templates.SUBJECTS.items())
    page.gap()
    page.verbatim("leadline new study.yaml --template NAME")


def _areas(json: bool) -> None:
    from leadline import landscape
    from leadline.cli.output import Page, emit

    if json:
        emit({"areas": [{"id": leaf.id, "title": leaf.title} for leaf in landscape.leaves()]})
        return
    page = Page()
    for area in landscape.areas():
        page.head(area.title)
        page.facts((leaf.id, leaf.title) for leaf in area.leaves)
