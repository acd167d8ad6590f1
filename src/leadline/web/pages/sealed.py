"""Sealed studies: that one exists, when it was sealed and what became of it, and nothing else."""

import json
from datetime import date
from typing import Any, Final

from leadline.store.projection import TableReader
from leadline.store.projections.seals import SealCounts, SealRow, installation_counts, opened_fields
from leadline.store.protocol import ReadView
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import plural, render
from leadline.web.render import Asked

#: Characters of one opened field on a page.
_LONGEST: Final = 20_000
_WORDS: Final = {
    "sealed": ("Sealed", "A commitment to this study is in the log. What it commits to is not shown yet."),
    "overdue": (
        "Sealed, embargo over",
        "The embargo has ended, and the study was neither opened nor closed.",
    ),
    "revealed": ("Opened", "The study was opened."),
    "closed": (
        "Closed undisclosed",
        "The embargo and the grace after it passed, and the study was not opened.",
    ),
}
_TIERS: Final = {
    "ordinary": "Ordinary: counted under its author's key",
    "hazard": "Hazard: counted under this installation, among decoys of its own",
}


def sealed_page(site: Site, view: ReadView, row: SealRow, asked: Asked) -> Answer:  # noqa: ARG001
    """The stub of a sealed study."""
    state = (
        "overdue" if row.state == "sealed" and date.fromisoformat(row.embargo) < site.today() else row.state
    )
    word, meaning = _WORDS[state]
    return Answer.page(
        render(
            site,
            "site/sealed.html",
            title=f"Sealed study {row.id}",
            description="A sealed study: a commitment in the log, not opened yet.",
            here="",
            canonical=f"{site.address}/study/{row.id}",
            feeds=(),
            size=view.size(),
            id=row.id,
            index=row.ix,
            state_word=word,
            meaning=meaning,
            pairs=(
                ("Tier", _TIERS[row.tier]),
                ("Sealed in the week of", row.period),
                ("Embargo until", row.embargo),
            ),
            opened=[(name, _shown(value)) for name, value in sorted(opened_fields(view, row.id).items())],
        )
    )


def _shown(value: Any) -> str:
    """The value of an opened field, as text or as JSON; cut where it gets long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def counts_pairs(counts: SealCounts) -> tuple[tuple[str, int], ...]:
    """Counts as a page lists them; empty where nothing was sealed."""
    if not counts.sealed:
        return ()
    return (
        ("sealed", counts.sealed),
        ("opened", counts.revealed),
        ("overdue", counts.overdue),
        ("undisclosed", counts.undisclosed),
    )


def totals_sentence(view: TableReader, today: date) -> str:
    """What the installation says of its hazard seals; empty without any."""
    counts = installation_counts(view, today)
    if not counts.sealed:
        return ""
    return (
        f"At most {plural(counts.sealed, 'study is', 'studies are')} sealed by this installation: {counts.revealed} "
        f"opened, at most {counts.overdue} overdue, at most {counts.undisclosed} closed undisclosed. These counts are "
        "upper bounds: decoys that the installation makes are among them, so that the number of hazards tells nothing."
    )
