"""A run that was announced before it began."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leadline.errors import InputError
from leadline.protocol.model import Protocol
from leadline.registry.spelling import pair
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

    def stamp(self, arm: str | None = None) -> dict[str, Any]:
        """Eval metadata that ties a log to this attempt: pass it as Inspect's `metadata` (or `--metadata`).

        With an arm's name it includes the metadata registered for that arm. Raises InputError for an arm the
        protocol does not have.
        """
        stamp = {STUDY_STAMP: self.study.id, ATTEMPT_STAMP: self.token}
        return stamp if arm is None else arm_stamp(self.study.id, self.study.protocol, arm, stamp)

    def environment(self, arm: str | None = None) -> dict[str, str]:
        """The same stamp as environment variables for a child process that runs Inspect.

        Raises InputError for a registered value that Inspect would read as something else, such as a text with a comma.
        """
        words = [pair(key, value, blanks=False) for key, value in self.stamp(arm).items()]
        return {"INSPECT_EVAL_METADATA": " ".join(words)}

    def attach(
        self, logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]", *, force: bool = False
    ) -> tuple[str, ...]:
        """Hand over logs this run wrote; the attempt closes with their digests.

        A log that began before the freeze, or is stamped for another study or attempt, is refused unless `force`;
        other errors as `Study.attach`.
        """
        added = self.study.attach(logs, attempt=self.number, force=force)
        self.logs = tuple(dict.fromkeys((*self.logs, *added)))
        return added


def arm_stamp(study: str, protocol: Protocol, arm: str, stamp: Mapping[str, Any]) -> dict[str, Any]:
    """A run's stamp for one of its arms: with the metadata registered for the arm, and the arm's name.

    Raises InputError for an arm the protocol does not have.
    """
    arms = {one.name: one for one in protocol.arms}
    if arm not in arms:
        raise InputError(
            f"the protocol has no arm {arm!r}", where=study, remedy=f"name one of its arms: {', '.join(arms)}"
        )
    return {**arms[arm].metadata, **stamp, ARM_STAMP: arm}
