"""What a plan could find, as frozen with it: the picture of its operating characteristics."""

from collections.abc import Mapping
from typing import Any

from leadline.draw.characteristics import TruthRow, characteristics
from leadline.errors import StatisticsError
from leadline.verdict.pictures import Figure
from leadline.web.views.figures import Placed, placed

_LABELS = {
    "zero": "truly no effect",
    "half": "half the smallest effect",
    "smallest": "the smallest effect of interest",
    "three_halves": "one and a half times the smallest effect",
    "expected": "the effect the authors expect",
    "opposite": "the smallest effect, the other way",
    "boundary": "at the boundary of the claim",
}
_MOST_ROWS = 12


def characteristics_figure(found: Mapping[str, Any], hypothesis: str) -> Placed | None:
    """Verdicts against truth for one hypothesis; None when the document has no such table.

    `found` is the JSON of `leadline.verdict.simulation.Characteristics`; it may come from anybody.
    """
    try:
        tables = [one for one in found["hypotheses"] if one["hypothesis"] == hypothesis]
        rows = [
            TruthRow(_label(row["labels"]), {name: float(share) for name, share in row["shares"].items()})
            for row in tables[0]["truths"][:_MOST_ROWS]
            if row["shares"] is not None
        ]
        wide, compact = (
            characteristics(rows, title="What this plan would find", layout=layout)
            for layout in ("wide", "compact")
        )
    except (StatisticsError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None
    return placed(Figure(wide, compact))


def _label(labels: list[str]) -> str:
    first = str(labels[0])
    head, _, rest = first.partition(":")
    return _LABELS.get(head, head.replace("_", " ")) + (f" {rest}" if rest else "")
