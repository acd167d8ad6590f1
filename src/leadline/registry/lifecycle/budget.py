"""How much one round of tending may take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """At most so many `studies` are analysed in a round, and none is begun after so many `seconds`.

    One that has begun is finished, within its own limits. What is left goes on in the next round. A budget is for one
    round: it counts from when it was made.
    """

    seconds: float = 1800.0
    studies: int = 100
    ticks: Callable[[], float] = time.monotonic
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.ticks()

    @property
    def in_time(self) -> bool:
        """Whether something may still be begun."""
        return self.ticks() - self._began < self.seconds

    def take(self) -> bool:
        """Whether one more study may be analysed; if so, it is counted."""
        if self.studies <= 0 or not self.in_time:
            return False
        self.studies -= 1
        return True
