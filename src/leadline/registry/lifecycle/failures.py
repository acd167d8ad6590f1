"""What is remembered of analyses that failed: why, when, how often, and when they are tried again."""

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

from leadline.store.shelf import Shelf

#: Failed analyses by study, so that a study nobody can analyse does not cost its limits daily.
SPACE: Final = "analysis-failed"
#: Days after the first failure until the next try, although nothing changed: the machine may have been busy. They
#: double with each failure.
RETRY_DAYS: Final = 7
LONGEST_WAIT: Final = 56
_LONGEST_WHY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Failure:
    """The last try at one study: on the facts with the digest `state`, for the `times`-th time."""

    state: str
    tried: date
    times: int
    again: date
    why: str

    def waits(self, state: str, today: date) -> bool:
        """Whether it is not tried again today: nothing changed, and its time has not come."""
        return self.state == state and today < self.again

    @property
    def words(self) -> str:
        """Why it failed, and what will be done about it."""
        return f"{self.why} (tried {self.times} times; again on {self.again})" if self.times > 1 else self.why


def failure_of(shelf: Shelf, study: str) -> Failure | None:
    """What is remembered of a study's last try, or None."""
    kept = shelf.get(SPACE, study)
    if kept is None:
        return None
    try:
        said = json.loads(kept)
        tried, again = date.fromisoformat(said["tried"]), date.fromisoformat(said["again"])
        return Failure(said["state"], tried, said["times"], again, said["why"])
    except (ValueError, KeyError, TypeError):  # of an earlier form: it is tried again
        return None


def remember(shelf: Shelf, study: str, state: str, today: date, why: str, *, patient: bool) -> None:
    """Note a failure. A `patient` one is tried again after days that double, any other in the next round."""
    before = failure_of(shelf, study)
    times = before.times + 1 if before is not None and before.state == state else 1
    wait = min(LONGEST_WAIT, RETRY_DAYS << min(times - 1, 8)) if patient else 0
    failure = Failure(state, today, times, today + timedelta(days=wait), why[:_LONGEST_WHY])
    shelf.put(SPACE, study, json.dumps(asdict(failure), default=str).encode())
