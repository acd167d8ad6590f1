"""A run that was announced before it began."""

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadline.errors import InputError
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
        return stamp if arm is None else {**self._registered(arm), **stamp, ARM_STAMP: arm}

    def _registered(self, arm: str) -> dict[str, Any]:
        arms = {one.name: one for one in self.study.protocol.arms}
        if arm not in arms:
            raise InputError(
                f"the protocol has no arm {arm!r}",
                where=self.study.id,
                remedy=f"name one of its arms: {', '.join(arms)}",
            )
        return arms[arm].metadata

    def environment(self, arm: str | None = None) -> dict[str, str]:
        """The same stamp as environment variables for a child process that runs Inspect.

        Inspect splits them at blanks, so a registered value that holds one raises InputError: pass `stamp` then.
        """
        words = [f"{key}={_text(value)}" for key, value in self.stamp(arm).items()]
        for word in words:
            if len(word.split()) != 1:
                raise InputError(
                    f"the metadata {word!r} holds a blank, which an environment variable cannot carry",
                    where=self.study.id,
                    remedy="pass run.stamp(arm) as metadata to Inspect's eval() instead",
                )
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


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
