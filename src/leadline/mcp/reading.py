"""The tools that read: search, get, check, and what documents look like."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

from leadline.errors import InputError
from leadline.mcp.answers import (
    LONGEST_CLAIM,
    LONGEST_TITLE,
    PART,
    Checked,
    Count,
    Found,
    Hit,
    Part,
    Provenance,
    Remark,
    Result,
    StudyWords,
    clean,
)
from leadline.protocol.model import Protocol
from leadline.registry.check.model import Finding, ordered
from leadline.registry.computing import Computing
from leadline.registry.registry import Registry
from leadline.store.facets import facets
from leadline.store.listing import Listing
from leadline.store.projections.facets import marks_of
from leadline.store.projections.reports import VerdictRow
from leadline.store.projections.status import status_of
from leadline.store.projections.studies import StudyRow, areas, authors, hypotheses
from leadline.store.protocol import ReadView
from leadline.store.query import Query
from leadline.store.search import search_studies

if TYPE_CHECKING:
    from leadline.registry.study import Study

#: A plan handed in for checking is at most this long.
MAX_PLAN = 512 * 1024
MOST_HITS = 20
_COUNTED = ("status", "verdict", "area")
_MOST_COUNTS = 12
_MOST_CLAIMS = 3
_MOST_AUTHORS = 5

PartName = Literal["summary", "protocol", "report", "attempts", "amendments", "judgements"]


def search(registry: Registry, query: Query, *, cursor: str | None, counts: bool, today: date) -> Found:
    """A page of studies with counts of what the question finds in all."""
    view = registry.store
    page = search_studies(view, query, cursor=cursor, today=today)
    origin = registry.home.origin
    counted = facets(view, query, today=today) if counts and cursor is None else {}
    return Found(
        provenance=Provenance(origin=origin, as_of=page.as_of),
        hits=hits(view, page.studies, origin, page.as_of, today),
        counts={
            name: [Count(value=value, studies=number) for value, number in values[:_MOST_COUNTS]]
            for name, values in counted.items()
            if name in _COUNTED
        },
        ranked_newest_only=page.capped,
        some_words_only=page.relaxed,
        cursor=page.cursor,
    )


def hits(
    view: ReadView,
    rows: Sequence[StudyRow],
    origin: str,
    as_of: int,
    today: date,
    why: Sequence[str] | None = None,
) -> list[Hit]:
    """Studies as a list shows them, each in at most some 400 tokens; `why` says of each why it is there."""
    listing = Listing(view, rows)
    reasons = why or repeat(None, len(rows))
    return [
        _hit(listing, row, origin, as_of, today, reason) for row, reason in zip(rows, reasons, strict=True)
    ]


def _hit(listing: Listing, row: StudyRow, origin: str, as_of: int, today: date, why: str | None) -> Hit:
    claims = [clean(one.claim, LONGEST_CLAIM) for one in listing.hypotheses(row)[:_MOST_CLAIMS]]
    return Hit(
        provenance=Provenance(
            origin=origin, as_of=as_of, study=row.id, log_index=row.ix, sha256=row.protocol
        ),
        status=status_of(row, today),
        due=row.due,
        areas=listing.areas(row),
        gap=[mark.removeprefix("gap:") for mark in listing.marks(row) if mark.startswith("gap:")],
        results=results(listing.verdicts(row)),
        why=why,
        from_others=StudyWords(
            title=clean(row.title, LONGEST_TITLE),
            authors=[clean(name, LONGEST_TITLE) for name in listing.authors(row)[:_MOST_AUTHORS]],
            claims=claims,
        ),
    )


def results(verdicts: Iterable[VerdictRow]) -> list[Result]:
    """Verdicts as answers show them."""
    return [Result(hypothesis=one.hypothesis, outcome=one.outcome, standing=one.standing) for one in verdicts]


def get(registry: Registry, study: str, part: PartName, cursor: str | None, today: date) -> Part:
    """One part of a study, from where `cursor` points."""
    found = registry.study(study)
    text, digest, index = _PARTS[part](found)
    start = _offset(cursor)
    if start and start >= len(text):
        raise InputError("the cursor points behind the end", remedy="start again without a cursor")
    end = start + PART
    return Part(
        provenance=Provenance(
            origin=registry.home.origin,
            as_of=registry.store.size(),
            study=found.id,
            log_index=index,
            sha256=digest,
        ),
        part=part,
        status=status_of(found.row, today),
        from_others=text[start:end],
        cursor=str(end) if end < len(text) else None,
    )


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
        raise InputError("the cursor is not one this tool gave out", remedy="start again without a cursor")
    return int(cursor)


def referee(
    registry: Registry, computing: Computing, text: str, *, replicates: int | None, today: date | None
) -> tuple[Protocol, list[Finding]]:
    """A plan and what a critical reader says of it, errors first; ProtocolError, with line and column, for no plan."""
    if len(text.encode("utf-8", "replace")) > MAX_PLAN:
        raise InputError(
            f"the protocol is longer than {MAX_PLAN // 1024} KiB",
            remedy="name sample ids by a rule, and keep prompts in files",
        )
    protocol = computing.plan(text)
    found = computing.findings(protocol, replicates=replicates, today=today)
    return protocol, ordered([*found, *computing.compared(protocol, registry, today)])


def check(registry: Registry, computing: Computing, text: str, *, simulate: bool, today: date) -> Checked:
    """Read a plan as `leadline check` does, and name the nearest registered studies."""
    from leadline.registry.similar import similar

    protocol, found = referee(registry, computing, text, replicates=None if simulate else 0, today=today)
    view, origin = registry.store, registry.home.origin
    size = view.size()
    near = similar(registry, protocol)
    return Checked(
        provenance=Provenance(origin=origin, as_of=size, sha256=protocol.digest),
        registrable=not any(one.blocks for one in found),
        findings=[Remark(**one.to_dict()) for one in found],
        similar=hits(
            view, [one.row for one in near], origin, size, today, ["; ".join(one.why) for one in near]
        ),
        simulated=simulate,
    )


# -- parts of a study: (text, digest, log index) ------------------------------------------------

_Said = tuple[str, str | None, int | None]


def _json(value: Any) -> str:
    import json

    return clean(json.dumps(value, ensure_ascii=False, indent=1), 1 << 30)


def _summary(study: "Study") -> _Said:
    view, row = study.registry.store, study.row
    facts = {
        "id": row.id,
        "title": row.title,
        "authors": authors(view, row.ix),
        "areas": areas(view, row.ix),
        "marks": marks_of(view, row.ix),
        "frozen": row.created,
        "due": row.due,
        "withdrawn_because": row.reason,
        "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in hypotheses(view, row.ix)],
        "attempts": [
            {"number": one.number, "state": one.status, "logs": len(one.logs)} for one in study.attempts
        ],
        "logs": len(study.files),
        "reports": [one.ix for one in study.reports],
    }
    return _json(facts), row.protocol, row.ix


def _protocol(study: "Study") -> _Said:
    row = study.row
    body = study.registry.store.blob(row.protocol)
    return clean(body.decode("utf-8", "replace"), 1 << 30), row.protocol, row.ix


def _report(study: "Study") -> _Said:
    published = study.reports
    if not published:
        return "This study has no report yet.", None, None
    body = study.registry.store.blob(published[-1].report)
    return clean(body.decode("utf-8", "replace"), 1 << 30), published[-1].report, published[-1].ix


def _attempts(study: "Study") -> _Said:
    rows = [
        {
            "number": one.number,
            "state": one.state,
            "opened": one.opened,
            "ended": one.ended,
            "status": one.status,
            "note": one.note,
        }
        for one in study.attempt_rows
    ]
    return _json(rows), None, study.index


def _amendments(study: "Study") -> _Said:
    from leadline.store.projections.studies import amendments

    rows = [
        {"index": one.ix, "protocol": one.protocol, "seen": one.seen, "reason": one.reason}
        for one in amendments(study.registry.store, study.id)
    ]
    return _json(rows), None, study.index


def _judgements(study: "Study") -> _Said:
    from dataclasses import asdict

    from leadline.store.projections.judgements import judgements

    return _json([asdict(one) for one in judgements(study.registry.store, study.id)]), None, study.index


_PARTS: Mapping[str, Callable[["Study"], _Said]] = {
    "summary": _summary,
    "protocol": _protocol,
    "report": _report,
    "attempts": _attempts,
    "amendments": _amendments,
    "judgements": _judgements,
}
