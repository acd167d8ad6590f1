"""What the plans of overdue studies say about publication: each is read once in a round, while its time lasts."""

from datetime import date
from typing import TYPE_CHECKING

from leadline.errors import LeadlineError, SecurityError
from leadline.registry.lifecycle.budget import Budget
from leadline.registry.openness import opens_on
from leadline.store.projections.studies import StudyRow

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


class Plans:
    """The plans that one round of tending has read, by digest: many studies may share one, and two steps ask."""

    def __init__(self, registry: "Registry", today: date, budget: Budget) -> None:
        self._registry = registry
        self._today = today
        self._budget = budget
        self._known: dict[str, bool] = {}

    def allow(self, row: StudyRow) -> bool | None:
        """Whether the study may be published by itself today; None when there was no time left to read its plan.

        Reading takes nothing from the studies of the budget: plans that allow nothing would use them up every round.
        """
        known = self._known.get(row.protocol)
        if known is None and self._budget.in_time:
            known = self._known[row.protocol] = self._read(row)
        return known

    def _read(self, row: StudyRow) -> bool:
        try:
            day = opens_on(self._registry.study(row.id).protocol.hazard)
        except (LeadlineError, SecurityError, OSError):
            return True  # a plan that cannot be read is not analysed either: that failure says why
        return day is not None and day <= self._today
