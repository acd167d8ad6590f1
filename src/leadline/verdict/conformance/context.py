"""What the checks look at: the promise, the logs by arm, and what the ledger knows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.design import Arm, Task
from leadline.protocol.model import Protocol
from leadline.verdict.elsewhere import RunElsewhere
from leadline.verdict.model import Answer, Attempt, Check, Denominator, Registration
from leadline.verdict.report import Recomputed

#: Eval metadata key under which a run carries the token of its attempt.
ATTEMPT_STAMP = "leadline_attempt"
#: Eval metadata key under which a run made offline carries the digest of what its author signed before it.
INTENT_STAMP = "leadline_intent"


@dataclass(frozen=True)
class Context:
    """Everything a conformance check may use; no clock, no file."""

    protocol: Protocol
    registration: Registration | None
    attempts: tuple[Attempt, ...]
    headers: tuple[LogHeader, ...]
    """Sorted by sha256."""
    assignment: Mapping[str, str | None]
    """Arm name of each log, by sha256."""
    denominators: tuple[Denominator, ...]
    seen: Mapping[str, "Seen"]
    """What the samples of each log show, by sha256."""
    recomputed: tuple[Recomputed, ...]
    summary_mismatches: Mapping[str, int]
    """By sha256: results whose value in the summaries differs from the sample itself."""
    silent: frozenset[str] = frozenset()
    """Logs (sha256) of announced attempts that scored nothing; in no other list here."""
    runs_elsewhere: tuple[RunElsewhere, ...] = ()
    """Logs of the same authors, attached to other studies, that ran what this one registered."""
    rivals: tuple[tuple[str, str], ...] = ()
    """(name, why set aside) of files that hold an evaluation another file holds too, with other bytes."""

    def logs_of(self, arm: Arm) -> tuple[LogHeader, ...]:
        """The logs assigned to an arm."""
        return tuple(header for header in self.headers if self.assignment[header.sha256] == arm.name)

    def pairs(self) -> Iterator[tuple[Arm, Task, LogHeader]]:
        """Every arm with its task and each of its logs."""
        for arm in self.protocol.arms:
            for header in self.logs_of(arm):
                yield arm, self.protocol.task(arm.task), header

    def begun(self, header: LogHeader) -> datetime | None:
        """The earliest time the log admits: its creation, its start, or its first sample's start; None without any."""
        times = (header.begun, self.seen[header.sha256].started)
        return min((time for time in times if time is not None), default=None)

    def logs_before_freeze(self) -> bool:
        """True when any log says it began before the freeze."""
        if self.registration is None:
            return False
        times = (self.begun(header) for header in self.headers)
        return any(time is not None and time < self.registration.created for time in times)

    def attempt_of(self, header: LogHeader) -> Attempt | None:
        """The attempt whose token the log carries."""
        token = (header.metadata or {}).get(ATTEMPT_STAMP)
        return next((attempt for attempt in self.attempts if attempt.token == token), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the samples of one log show: ids, epochs, (sample, epoch) results from epoch 1 on, first start,
    answers by another model, scores edited afterwards, results a later run of the sample replaced,
    content digest."""

    samples: tuple[str, ...]
    epochs: int
    results: int
    started: datetime | None
    fallbacks: int
    edits: int
    replaced: int
    dataset_sha256: str | None


def answered(kept: bool) -> Answer:
    """Pass when a promise was kept, deviation when not."""
    return "pass" if kept else "deviation"


def compare(check_id: str, promised: Any, found: Any, arm: str, log: str, *, logged: bool = True) -> Check:
    """Pass when equal, deviation when not, unknown when the log does not say."""
    if not logged or (found is None and promised is not None):
        return Check(check_id, "unknown", show(promised), "not logged", arm, log)
    answer = answered(same(promised, found))
    return Check(check_id, answer, show(promised), show(found), arm, log)


def same(promised: Any, found: Any) -> bool:
    """Equality of logged settings: numbers by exact value (1 is 1.0), booleans never equal numbers."""
    if isinstance(promised, bool) or isinstance(found, bool):
        return promised is found
    if isinstance(promised, list | tuple) and isinstance(found, list | tuple):
        return len(promised) == len(found) and all(map(same, promised, found))
    if isinstance(promised, Mapping) and isinstance(found, Mapping):
        return promised.keys() == found.keys() and all(same(promised[key], found[key]) for key in promised)
    return bool(promised == found)


def show(value: Any, limit: int = 200) -> str:
    """A setting as one short line."""
    import json

    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    )
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
