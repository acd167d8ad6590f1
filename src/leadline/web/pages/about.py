"""How it works, in one page; and the critiques of all studies."""

from typing import Final

from leadline.registry.judging import in_order
from leadline.store.projections.judgements import newest_judgements
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import ReadView
from leadline.verdict import words
from leadline.verdict.view import outcome_mark
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import render
from leadline.web.pages.log import number
from leadline.web.render import Asked
from leadline.web.views.judgements import said
from leadline.web.views.words import MEANING, STATUS

_OUTCOMES: Final = {
    "supported": "The interval lies beyond what was registered as the line, on the predicted side.",
    "refuted": "The interval lies beyond that line, on the other side.",
    "null": "The effect is smaller than the smallest effect of interest, in either direction. That is a finding.",
    "inconclusive": "The data do not decide; the page says how many items would.",
}
_PAGE: Final = 30


def about(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """The page at ``/about``."""
    return Answer.page(
        render(
            site,
            "site/about.html",
            title="How it works",
            description="How experiments are promised, run, reported and verified here.",
            here="/about",
            canonical=f"{site.address}/about",
            feeds=(),
            size=view.size(),
            outcomes=[(outcome_mark(name), word, _OUTCOMES[name]) for name, word in words.OUTCOMES.items()],
            standings=list(words.STANDINGS.items()),
            statuses=[(STATUS[name], meaning) for name, meaning in MEANING.items()],
        )
    )


def critiques(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/critiques``: questions with an attempt and a crux first, newest first among equals."""
    before = asked.query.get("before")
    rows = newest_judgements(
        view, "critique", before=None if before is None else number(before, "before"), limit=_PAGE
    )
    items = []
    for row in in_order(rows):
        one = said(view, row)
        found = find_study(view, row.study) if row.study else None
        lines = [line for line in one.lines if line[0] != "Question"]
        items.append(
            {
                "question": one.question or (row.text or ""),
                "lines": lines if one.question else [],
                "by": one.by,
                "keyid": one.keyid,
                "index": one.index,
                "day": one.day,
                "minutes": one.minutes,
                "study": row.study,
                "title": found.title if found else "",
            }
        )
    return Answer.page(
        render(
            site,
            "site/critiques.html",
            title="Critiques",
            description="Questions about registered studies, with their authors' own attempts at an answer.",
            here="/critiques",
            canonical=f"{site.address}/critiques" if before is None else None,
            feeds=(),
            size=view.size(),
            items=items,
            older=str(rows[-1].ix) if len(rows) == _PAGE else None,
        )
    )
