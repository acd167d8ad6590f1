"""`leadline run`: evaluations under an announced attempt, compared with the protocol as they begin."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.bench.launch.berth import Receipt
    from leadline.bench.launch.launcher import Launched, Wanted

AllowFinding = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-finding", metavar="CODE", help="Publish what a scan of the logs found of this kind."
    ),
]


def run(
    study: options.StudyId,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]",
            help="What to run, after --: inspect eval, inspect eval-set, or a script. Without it, every arm.",
            show_default=False,
        ),
    ] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option("--arm", metavar="NAME", help="The arm this is; without a command, an arm to run."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Refuse a task that differs from the protocol, before its first sample."
        ),
    ] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="A remark for the record.")] = "",
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Run without the registry; announce it later with `attempts reconcile`."
        ),
    ] = False,
    protocol: Annotated[
        Path | None,
        typer.Option("--protocol", metavar="FILE", help="With --offline: the protocol as registered."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate", metavar="FILE", help="With --offline, where it is not beside the protocol."
        ),
    ] = None,
    allow_finding: AllowFinding = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Run evaluations, announced first and compared as they begin.

    An attempt is announced, its token stamped on every log, and every task compared with the protocol before its
    first sample. When the command ends, the logs are attached and the attempt is closed. Where it is interrupted or
    killed, the attempt stays open for everybody to see, and `leadline attempts reconcile` attaches what there is.

    Ends with the command's status; with 1 where that is 0 but a task was refused or did not succeed.

    JSON: {"study", "attempt", "status", "index", "logs": [sha256, ...], "code", "remarks": [text, ...], "tasks":
    [{"eval_id", "task", "model", "arm", "status", "refused", "location", "sha256", "samples", "differences":
    [{"setting", "promised", "found", "note"}], "problem", "task_id"}]}; attempt is null for an offline run; status is completed,
    failed or cancelled, open while the attempt is. The command's output then goes to standard error.
    """
    import sys

    from leadline.bench.launch.launcher import Wanted, launch
    from leadline.cli.opening import writing
    from leadline.cli.output import note as remark
    from leadline.errors import StoreError

    wanted = Wanted(
        words=tuple(command or ()),
        arms=tuple(arm or ()),
        strict=strict,
        note=note,
        allow=tuple(allow_finding or ()),
        output=sys.__stderr__ if json else None,
    )
    if offline:
        done = _offline(study, protocol, certificate, key, wanted)
    else:
        _tell_of_others(study, store, key)
        try:
            done = launch(lambda: writing(store, key), study, wanted, remark)
        except StoreError as error:
            raise _unreachable(error, study) from error
    _show(done, json=json, store=store, key=key)
    raise SystemExit(done.code)  # said all there is to say, also of an interrupt


def _offline(
    study: str, protocol: Path | None, certificate: Path | None, key: str | None, wanted: "Wanted"
) -> "Launched":
    from leadline.bench.launch.launcher import launch_offline
    from leadline.bench.launch.promise import of_files
    from leadline.cli.opening import load_key
    from leadline.cli.output import note as remark
    from leadline.errors import InputError

    if protocol is None:
        raise InputError(
            "an offline run needs the protocol as it was registered",
            where="--offline",
            remedy="name it with --protocol; the certificate that `leadline register` wrote must lie beside it",
        )
    return launch_offline(of_files(study, protocol, certificate), load_key(key), wanted, remark)


def _unreachable(error: Any, study: str) -> Exception:
    """The same error, with what can be done about it here."""
    from leadline.errors import StoreError

    remedy = f"{error.remedy()}; or run now and announce it later: leadline run {study} --offline --protocol FILE -- ..."
    return StoreError(error.message, where=error.where, remedy=remedy)


def _tell_of_others(study: str, store: str | None, key: str | None) -> None:
    """Earlier runs of the study whose attempts nobody closed."""
    from leadline.bench.launch.reconcile import left_behind
    from leadline.cli.opening import repeated
    from leadline.cli.output import note as remark
    from leadline.ledger.ids import read_study_id

    waiting = [one for one in left_behind(read_study_id(study)) if one.state == "waiting"]
    for one in waiting:
        what = "an offline run" if one.attempt is None else f"attempt {one.attempt}"
        remark(f"{what} of {one.study}, begun {one.created}, was left open, with {_count(one.logs, 'log')}")
    if waiting:
        remark(
            f"close it: {repeated(f'leadline attempts reconcile {waiting[0].study}', store=store, key=key)}"
        )


def _show(done: "Launched", *, json: bool, store: str | None, key: str | None) -> None:
    from leadline.bench.launch.berth import last_tries
    from leadline.bench.launch.launcher import receipt_forms
    from leadline.cli.opening import repeated
    from leadline.cli.output import Page, emit

    settled = done.settled
    if json:
        emit(
            {
                "study": done.study,
                "attempt": done.attempt,
                "status": settled.status if settled else "open",
                "index": settled.index if settled else None,
                "logs": list(settled.logs) if settled else [],
                "code": done.code,
                "remarks": list(settled.remarks) if settled else [],
                "tasks": receipt_forms(done.receipts),
            }
        )
        return
    page = Page()
    page.gap()
    _show_tasks(page, last_tries(done.receipts))
    if settled is not None:
        count = _count(len(settled.logs), "log") if settled.logs else "no log"
        page.line(
            f"Closed attempt {settled.number} of {done.study} as {settled.status}, with {count}.", "bold"
        )
        for one in settled.remarks:
            page.line(one, indent=2)
        page.head("Next")
        page.verbatim(repeated(f"leadline report {done.study}", store=store, key=key))
        return
    page.line(_left_open(done), "bold")
    if done.problem is not None:
        page.line(done.problem.diagnosis(), indent=2)
        page.line(f"what to do: {done.problem.remedy()}", indent=2)
    page.head("Next")
    page.verbatim(repeated(f"leadline attempts reconcile {done.study}", store=store, key=key))
    if done.attempt is not None:
        abandon = f"leadline attempts abandon {done.study} {done.attempt} --reason TEXT"
        page.verbatim(repeated(abandon, store=store, key=key))


def _left_open(done: "Launched") -> str:
    if done.attempt is None:
        return f"This run of {done.study} was made offline: nobody knows of it until it is reconciled."
    why = "was interrupted" if done.interrupted else "could not be closed" if done.problem else "was killed"
    return f"Attempt {done.attempt} of {done.study} {why}: it stays open for everybody to see."


def _show_tasks(page: Any, receipts: "Sequence[Receipt]") -> None:
    """One line for each task, then what differed from the protocol, setting by setting."""
    if not receipts:
        page.line("No task began.")
        return
    page.table(
        ("task", "model", "arm", "status", "samples", "against the protocol"),
        [
            (
                one.task,
                one.model,
                one.arm or "",
                "refused" if one.refused else one.status,
                "" if one.samples is None else f"{one.samples:,}",
                one.problem or ("as promised" if not one.differences else f"{len(one.differences)} differ"),
            )
            for one in receipts
        ],
        right=(4,),
        indent=0,
    )
    differing = [(one, difference) for one in receipts for difference in one.differences]
    if differing:
        page.head("What differs")
        page.table(
            ("arm", "setting", "promised", "found"),
            [(task.arm or "", one.setting, one.promised, one.found) for task, one in differing],
        )
    page.gap()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"
