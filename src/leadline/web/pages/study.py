"""The study page: the claim, the verdict, the picture, then what was promised beside what was done."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from leadline.draw.svg import visible
from leadline.errors import NotFoundError
from leadline.ledger.ids import read_study_id
from leadline.registry.siblings import siblings
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.authority import right
from leadline.store.projections.judgements import judgements
from leadline.store.projections.seals import seal as find_seal
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import ReadView
from leadline.verdict.view import Cell, Row
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import render, thousands
from leadline.web.pages.sealed import sealed_page
from leadline.web.render import Asked
from leadline.web.views.cards import cards, verdict_word
from leadline.web.views.characteristics import characteristics_figure
from leadline.web.views.citation import Citation
from leadline.web.views.judgements import Group, grouped
from leadline.web.views.proof import proof_words
from leadline.web.views.protocol import document
from leadline.web.views.study import StudyView
from leadline.web.views.words import MEANING, SEEN, STATUS, deadline_words

#: Rows of one table on a page; API and export hold all.
_MOST: Final = 400
_SIBLINGS: Final = 12
#: Names beside the claim, and runs in the open; more of them stand further down, or folded.
_PEOPLE: Final = 8
_RUNS: Final = 8
_RUN_STATES: Final = {
    "open": "open: announced, not closed yet",
    "closed": "closed",
    "abandoned": "abandoned",
}


def study(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/study/<id>``; the stub of a sealed study."""
    name = read_study_id(asked.names["study"])
    if name != asked.names["study"]:
        return Answer(b"", status=308, cached=False, headers=(("location", f"/study/{name}"),))
    row = find_study(view, name)
    if row is None:
        sealed = find_seal(view, name)
        if sealed is not None:
            return sealed_page(site, view, sealed, asked)
        raise NotFoundError(f"there is no study {name}", remedy="Search for it by its words.")
    return Answer.page(_page(site, StudyView(site, view, row)))


def found_study(site: Site, view: ReadView, asked: Asked) -> StudyView:
    """The open study that a path names; NotFoundError for none, and for one that is still sealed."""
    name = read_study_id(asked.names["study"])
    row = find_study(view, name)
    if row is None:
        raise NotFoundError(f"there is no open study {name}", remedy="Search for it by its words.")
    return StudyView(site, view, row)


def _page(site: Site, found: StudyView) -> str:
    row, view, today = found.row, found.view, site.today()
    report = dict(found.report or {})
    leading = found.leading
    plan = found.protocol
    brothers = siblings(view, row.id)[:_SIBLINGS]
    context: dict[str, Any] = {
        "title": found.claim,
        "description": f"{_verdict_sentence(found)} {row.title}"[:300],
        "here": "",
        "canonical": found.address,
        "feeds": ((f"/study/{row.id}/feed.atom", f"Study {row.id}"),),
        "size": view.size(),
        "study": found,
        "jsonld": _data_block(json_ld(found)),
        "people": _people(found),
        "people_shown": _PEOPLE,
        "status": found.status,
        "status_word": STATUS[found.status],
        "status_meaning": MEANING[found.status],
        "status_note": _note(found),
        "deadline": deadline_words(found.deadline, found.status),
        "statement": verdict_word(leading) if leading is not None and found.status == "reported" else None,
        "report_missing": found.report_missing,
        "foresight": _foresight(found),
        "attempt_rows": _attempt_rows(found),
        "attempt_words": _attempt_words(found),
        "folded": _RUNS,
        "amendment_rows": _amendment_rows(found),
        "log_rows_all": _log_rows(found),
        "report_rows": _report_rows(found),
        "judgements": _judgements(found),
        "siblings": cards(view, [one.row for one in brothers], today, site.settings.grace_days),
        "parts_of_protocol": () if plan is None else document(plan),
        "proof_words": proof_words(site, view, row.promised),
        "citation": citation(found),
        "badge_words": badge_words(found),
        "badge_markdown": f"[![Leadline: {badge_words(found)}]({found.address}/badge.svg)]({found.address})",
        **report,
        "report": report.get("report"),
    }
    return render(site, "site/study.html", **context)


def _judgements(found: StudyView) -> tuple[tuple[str, str, tuple[Group, ...]], ...]:
    """What others say, and apart from it what the study's own authors say: (id, title, groups) of each."""
    said = judgements(found.view, found.row.id, revoked=True)
    record = right(found.view, found.row.id)
    own = frozenset() if record is None else record.lineages
    sides = (
        ("judgements", "What others say", [one for one in said if one.lineage not in own]),
        ("own", "What its authors say", [one for one in said if one.lineage in own]),
    )
    shown = ((name, title, grouped(found.view, rows)) for name, title, rows in sides)
    return tuple(side for side in shown if side[2])


def badge_words(found: StudyView) -> str:
    """What a badge says of a study."""
    leading = found.leading
    if found.status != "reported" or leading is None:
        return STATUS[found.status].lower()
    word = verdict_word(leading)
    return word.outcome.lower() if word.headlined else f"{word.standing}: {word.outcome.lower()}"


def citation(found: StudyView) -> Citation:
    """The study as a bibliography knows it."""
    return Citation(
        study=found.row.id,
        title=found.row.title,
        authors=tuple(found.authors),
        registered=found.row.created[:10],
        accessed=found.site.today().isoformat(),
        address=found.address,
        registry=found.site.name,
        index=found.row.promised,
    )


def json_ld(found: StudyView) -> Mapping[str, Any]:
    """The study in schema.org's words."""
    return {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "@id": found.address,
        "url": found.address,
        "identifier": found.row.id,
        "headline": found.row.title,
        "abstract": found.claim,
        "author": [{"@type": "Person", "name": name} for name in found.authors],
        "datePublished": found.row.created[:10],
        "keywords": list(found.areas),
        "creativeWorkStatus": STATUS[found.status],
        "publisher": {"@type": "Organization", "name": found.site.name, "url": found.site.address},
    }


def _data_block(values: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the element it stands in, nor begin a comment in it."""
    text = visible(json.dumps(values, ensure_ascii=False, sort_keys=True))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 (every character that could leave the element is written as an escape)


def _verdict_sentence(found: StudyView) -> str:
    return f"{badge_words(found).capitalize()}."


def _people(found: StudyView) -> list[tuple[str, str]]:
    """Names, with how an automated author says it is one."""
    if found.protocol is None:
        return [(name, "") for name in found.authors]
    kinds = {
        author.name: f"automated: {author.model}" if author.model else "automated"
        for author in found.protocol.authors
        if author.kind == "llm"
    }
    return [(name, kinds.get(name, "")) for name in found.authors]


def _note(found: StudyView) -> str:
    """What must be said of the state beside its word."""
    deadline = found.deadline
    match found.status:
        case "withdrawn":
            return f"Withdrawn by its authors: {found.row.reason}"
        case "overdue" if deadline is not None:
            logs = (
                "Logs are attached; the registered analysis will be run on them without anyone's leave. "
                if found.logs
                else ""
            )
            late = deadline.closes <= found.site.today()
            closing = "with the next batch" if late else f"on {deadline.closes.isoformat()}"
            return f"{logs}Unless it is reported it closes undisclosed {closing}."
        case "closed-undisclosed" if found.reports:
            return "A report came after the closing."
        case _:
            return ""


def _foresight(found: StudyView) -> Any:
    plan = found.protocol
    if plan is None or found.characteristics is None:
        return None
    primary = next((one.id for one in plan.hypotheses if one.role == "primary"), plan.hypotheses[0].id)
    return characteristics_figure(found.characteristics, primary)


def _attempt_rows(found: StudyView) -> tuple[Row, ...]:
    return tuple(
        (
            Cell(f"Run {row.number}", under=row.note or ""),
            Cell(_RUN_STATES[row.state], under=row.status if row.state == "closed" else ""),
            Cell(row.opened_at[:10], under=f"entry {row.opened}"),
            None if row.ended is None else Cell((row.ended_at or "")[:10], under=f"entry {row.ended}"),
            str(logs),
        )
        for row, logs in found.attempts[:_MOST]
    )


def _attempt_words(found: StudyView) -> str:
    """How many runs are in each state."""
    counts: Counter[str] = Counter(row.state for row, _ in found.attempts)
    return ", ".join(f"{thousands(counts[state])} {state}" for state in _RUN_STATES if counts[state])


def _amendment_rows(found: StudyView) -> tuple[Row, ...]:
    return tuple(
        (
            Cell(row.created[:10], under=f"entry {row.ix}"),
            SEEN[row.seen],
            row.reason,
            Cell(row.protocol, code=True),
        )
        for row in found.amendments[:_MOST]
    )


def _log_rows(found: StudyView) -> tuple[Row, ...]:
    return tuple(
        (
            Cell(row.name, under=f"entry {row.ix}"),
            None if row.samples is None else thousands(row.samples),
            thousands(row.size),
            "made elsewhere" if row.attempt is None else f"run {row.attempt}",
            Cell(row.sha256, code=True, under=_taken_down(found, row.sha256)),
        )
        for row in found.logs[:_MOST]
    )


def _taken_down(found: StudyView, digest: str) -> str:
    reason = found.view.taken_down(digest)
    return f"taken down: {reason}" if reason else ""


def _report_rows(found: StudyView) -> tuple[Row, ...]:
    return tuple(
        (
            f"Entry {row.ix}",
            row.created[:10],
            row.engine,
            _signer(found, row.keyid),
            Cell(row.report, code=True),
        )
        for row in reversed(found.reports[-_MOST:])
    )


def _signer(found: StudyView, keyid: str) -> str:
    key = find_key(found.view, keyid)
    if key is None:
        return keyid[:16]
    return "the registry, automatically" if key.role == "service" else key.holder
