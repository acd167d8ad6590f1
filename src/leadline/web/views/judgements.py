"""What others say of a study, each judgement as labelled lines of text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from leadline.store.projection import TableReader
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.judgements import JudgementRow, JudgementType

Line = tuple[str, str]
_TITLES: dict[JudgementType, str] = {
    "critique": "Critiques",
    "review": "Reviews",
    "forecast": "Forecasts",
    "trust": "Trust",
    "outcome": "What came true",
}
#: Characters of one text on a page.
_MOST = 4_000


@dataclass(frozen=True, slots=True)
class Said:
    """One judgement: who, where in the log, when by their clock, how long it took them, and what it says."""

    index: int
    keyid: str
    by: str
    day: str
    minutes: int | None
    revoked: bool
    question: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Judgements of one type."""

    title: str
    items: tuple[Said, ...]


def grouped(view: TableReader, rows: Iterable[JudgementRow]) -> tuple[Group, ...]:
    """Judgements by type, in the order given."""
    found: dict[JudgementType, list[Said]] = {}
    for row in rows:
        if row.says_something:
            found.setdefault(row.type, []).append(said(view, row))
    return tuple(Group(_TITLES[kind], tuple(found[kind])) for kind in _TITLES if kind in found)


def said(view: TableReader, row: JudgementRow) -> Said:
    """One judgement as a page shows it."""
    signer = find_key(view, row.keyid)
    critique = row.critique if row.type == "critique" else None
    try:
        lines = tuple((label, text[:_MOST]) for label, text in _lines(row) if text)
    except ValidationError:  # a part this version does not read: the statement itself is one click away
        lines = ((row.type, row.part or ""),)
    return Said(
        index=row.ix,
        keyid=row.keyid,
        by=row.keyid[:16] if signer is None else signer.holder,
        day=row.created[:10],
        minutes=row.minutes,
        revoked=row.revoked is not None,
        question="" if critique is None else critique.question[:_MOST],
        lines=lines,
    )


def _lines(row: JudgementRow) -> Iterator[Line]:
    match row.type:
        case "forecast":
            for hypothesis, chances in sorted(row.probabilities.items()):
                yield hypothesis, ", ".join(f"{name} {_percent(p)}" for name, p in sorted(chances.items()))
        case "review":
            if row.review is not None and row.review.replicates is not None:
                yield "Would replicate", _percent(row.review.replicates)
            if row.review is not None and row.review.useful is not None:
                yield "Will be of use within a year", _percent(row.review.useful)
        case "critique":
            yield from _critique(row)
        case "trust":
            if row.trust is not None:
                yield f"{row.trust.level.capitalize()} {row.trust.subject}", row.target
                yield "For", row.trust.purpose
                yield "Because", row.trust.basis
        case "outcome":
            if row.outcome is not None:
                event = "It replicated" if row.outcome.event == "replicates" else "It was of use"
                yield event, "yes" if row.outcome.happened else "no"
                yield "Because", row.outcome.basis
    yield "", row.verdict or ""
    yield "", row.text or ""


def _critique(row: JudgementRow) -> Iterator[Line]:
    found = row.critique
    if found is None:
        return
    yield "Question", found.question
    yield "Own attempt", found.attempt or "none"
    yield "Bears on", found.hypothesis or found.claim or ""
    for one in found.answers:
        yield "If", f"{one.answer} ({_shift(one.moves)})"
    yield "Who could answer", found.who or ""


def _shift(moves: float) -> str:
    if moves == 0:
        return "would change nothing"
    return f"would move the claim {'up' if moves > 0 else 'down'} by {abs(moves):.2g} of 1"


def _percent(p: float) -> str:
    return f"{100 * p:.3g} %"
