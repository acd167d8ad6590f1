"""A run that was announced before it began."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadline.verdict.arms import ARM_STAMP
from leadline.verdict.conformance.context import ATTEMPT_STAMP

if TYPE_CHECKING:
    from leadline.registry.study import Study

STUDY_STAMP = "leadline_study"


class Run:
    """An open attempt: its number, its token, and the logs handed over so far."""

    def __init__(self, study: "Study", number: int, token: str) -> None:
        self.study = study
        self.number = number
        self.token = token
        self.logs: tuple[str, ...] = ()
        self.note = ""

    def stamp(self, arm: str | None = None) -> dict[str, str]:
        """Eval metadata that ties a log to this attempt: pass it as Inspect's `metadata` (or `--metadata`)."""
        stamp = {STUDY_STAMP: self.study.id, ATTEMPT_STAMP: self.token}
        return stamp if arm is None else {**stamp, ARM_STAMP: arm}

    def environment(self, arm: str | None = None) -> dict[str, str]:
        """The same stamp as environment variables for a child process that runs Inspect."""
        return {"INSPECT_EVAL_METADATA": " ".join(f"{key}={value}" for key, value in self.stamp(arm).items())}

    def attach(self, logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]") -> tuple[str, ...]:
        """Hand over logs this run wrote; the attempt closes with their digests."""
        added = self.study.attach(logs, attempt=self.number)
        self.logs = tuple(dict.fromkeys((*self.logs, *added)))
        return added
