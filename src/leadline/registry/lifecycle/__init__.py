"""What happens to a study by itself: publication when it is overdue, closing when it stays silent.

`tend` is a function of the record, the shelf and the day. It may run any number of times a day, in any number of
processes: what is done is not done again. Withholding writes to the shelf alone.
"""

from leadline.registry.lifecycle.apart import analysis_apart
from leadline.registry.lifecycle.budget import Budget
from leadline.registry.lifecycle.tending import Event, tend
from leadline.registry.lifecycle.withholding import (
    accept_request,
    is_withheld,
    withhold,
    withholding_request,
)

__all__ = [
    "Budget",
    "Event",
    "accept_request",
    "analysis_apart",
    "is_withheld",
    "tend",
    "withhold",
    "withholding_request",
]
