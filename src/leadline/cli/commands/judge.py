"""`leadline judge`: forecasts, reviews, critiques, trust and outcomes, each signed by whoever says it."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from leadline.cli import options
from leadline.errors import InputError

Kind = Literal["forecast", "review", "critique", "trust", "outcome"]
_MOST_BYTES = 1 << 20


def judge(
    study: options.StudyId,
    type_: Annotated[Kind, typer.Option("--type", help="What kind of judgement.")],
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="In words; up to 4,000 characters.")
    ] = None,
    minutes: Annotated[int | None, typer.Option("--minutes", min=0, help="What it took you.")] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE", help="The type's own fields as JSON, in place of options."),
    ] = None,
    probability: Annotated[
        list[str] | None,
        typer.Option(
            "--probability", metavar="H=OUTCOME:P", help="Forecast: such as H1=supported:.6; repeat it."
        ),
    ] = None,
    replicates: Annotated[
        float | None,
        typer.Option("--replicates", min=0, max=1, help="Chance of the same outcome in another run."),
    ] = None,
    useful: Annotated[
        float | None,
        typer.Option("--useful", min=0, max=1, help="Chance that somebody builds on it in a year."),
    ] = None,
    question: Annotated[
        str | None, typer.Option("--question", metavar="TEXT", help="Critique: what you ask.")
    ] = None,
    attempt: Annotated[
        str | None,
        typer.Option(
            "--attempt", metavar="TEXT", help="Critique: your own answer; without it, you did not try."
        ),
    ] = None,
    hypothesis: Annotated[
        str | None, typer.Option("--hypothesis", metavar="H", help="Critique: the hypothesis it bears on.")
    ] = None,
    claim: Annotated[
        str | None, typer.Option("--claim", metavar="TEXT", help="Critique: the claim it bears on, in words.")
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            metavar="TEXT=SHIFT",
            help="Critique: a possible answer, and how far it would move that, -1 to 1.",
        ),
    ] = None,
    who: Annotated[
        str | None, typer.Option("--who", metavar="NAME", help="Critique: who could answer.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--of", metavar="NAME", help="What it is of, such as a model's id.", show_default="the study"
        ),
    ] = None,
    subject: Annotated[
        Literal["model", "dataset", "judge", "scorer", "tool", "study"],
        typer.Option("--subject", help="Trust: what kind of thing that is."),
    ] = "model",
    level: Annotated[
        Literal["trusted", "untrusted", "unknown"] | None, typer.Option("--level", help="Trust: how far.")
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="Trust: for what.")] = None,
    event: Annotated[
        Literal["replicates", "useful"] | None, typer.Option("--event", help="Outcome: of what chance.")
    ] = None,
    happened: Annotated[
        bool | None, typer.Option("--happened/--did-not-happen", help="Outcome: whether it came true.")
    ] = None,
    basis: Annotated[
        str | None, typer.Option("--basis", metavar="TEXT", help="Trust, outcome: how you know.")
    ] = None,
    revoke: Annotated[
        int | None,
        typer.Option("--revoke", metavar="ENTRY", help="Take back your own judgement at this entry."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign a critique without being asked again.")] = False,
    store: options.Store = None,
    key: options.Key = None,
    invitation: options.Invitation = None,
    json: options.Json = False,
) -> None:
    """Say what you think of a study, under your name.

    Before a critique is signed, four questions are put to its writer; nobody else sees them, and no answer is kept.
    A forecast counts only if it is in the log before the study's first report. A critique that says what its
    writer tried, and which answer would change what, is read before one that does neither.

    JSON: {"study", "type", "index", "leaf", "counts": false for a forecast that came too late, "revokes": entry or
    null}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    given: dict[Kind, dict[str, Any]] = {
        "forecast": _probabilities(probability or []),
        "review": {"replicates": replicates, "useful": useful},
        "critique": {
            "question": question,
            "attempt": attempt,
            "hypothesis": hypothesis,
            "claim": claim,
            "answers": _answers(answer or []),
            "who": who,
        },
        "trust": {
            "level": level,
            "subject": None if level is None else subject,
            "basis": basis if type_ == "trust" else None,
            "purpose": purpose,
        },
        "outcome": {
            "event": event,
            "happened": happened,
            "basis": basis if type_ == "outcome" else None,
        },
    }
    part = _part(type_, given, file)
    if type_ == "critique" and part is not None:
        _self_check(yes=yes, quiet=json)
    with writing(store, key, invitation=invitation) as registry:
        found = registry.study(study)
        done = registry.judge(
            found.id, type=type_, target=target, text=text, minutes=minutes, part=part, revokes=revoke
        )
    if json:
        emit(
            {
                "study": found.id,
                "type": type_,
                "index": done.index,
                "leaf": done.leaf,
                "counts": done.counts,
                "revokes": revoke,
            }
        )
        return
    typer.echo(f"Recorded the {type_} of {found.id} (entry {done.index}).")
    if not done.counts:
        typer.echo("The study has a report already, so this forecast is kept and not scored.")


def _part(type_: Kind, given: dict[Kind, dict[str, Any]], file: str | None) -> dict[str, Any] | None:
    """The type's own fields from its options or its file; InputError for options of another type."""
    present = {
        kind: {k: v for k, v in fields.items() if v not in (None, [], {})} for kind, fields in given.items()
    }
    for kind, fields in present.items():
        if fields and kind != type_:
            raise InputError(
                f"{', '.join(sorted(fields))} belongs to a {kind}, not to a {type_}",
                remedy=f"say --type {kind}, or leave it out",
            )
    if file is None:
        return present[type_] or None
    if present[type_]:
        raise InputError("give the fields in the file or as options, not both")
    return _read(file)


def _read(file: str) -> dict[str, Any]:
    from leadline.ledger.canon import parse_strict

    with Path(file).open("rb") as source:
        data = source.read(_MOST_BYTES + 1)
    found = parse_strict(data) if len(data) <= _MOST_BYTES else None
    if not isinstance(found, dict):
        raise InputError("the file holds no JSON object of a judgement's fields", where=file)
    return found


def _probabilities(words: list[str]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for word in words:
        name, _, rest = word.partition("=")
        outcome, _, number = rest.partition(":")
        try:
            found.setdefault(name, {})[outcome] = float(number)
        except ValueError:
            raise InputError(
                f"{word!r} is no probability of an outcome", remedy="write it as H1=supported:.6"
            ) from None
    return found


def _answers(words: list[str]) -> list[dict[str, Any]]:
    found = []
    for word in words:
        text, _, number = word.rpartition("=")
        try:
            found.append({"answer": text, "moves": float(number)})
        except ValueError:
            raise InputError(
                f"{word!r} does not say how far it would move the claim",
                remedy="write the answer, =, and a number from -1 to 1",
            ) from None
    return found


def _self_check(*, yes: bool, quiet: bool) -> None:
    """Ask the writer in private, on standard error; what they think of it is theirs. Nothing is signed unasked."""
    from leadline.registry.judging import SELF_CHECK

    if not yes and (quiet or not sys.stdin.isatty()):
        raise InputError(
            "a critique is signed once its writer has answered four questions to themselves, and nobody can be asked here",
            remedy="answer them and say --yes: " + " ".join(SELF_CHECK),
        )
    if quiet:
        return
    typer.echo("Before you sign (only you see this, and nothing of it is kept):", err=True)
    for line in SELF_CHECK:
        typer.echo(f"  · {line}", err=True)
    if not yes:
        typer.confirm("Sign it?", default=True, abort=True, err=True)
