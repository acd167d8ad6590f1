"""A run that was announced before it began."""

import os
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from leadline.errors import InputError, StateError
from leadline.protocol.model import Protocol
from leadline.registry.recorder import Recorder
from leadline.registry.spelling import pair
from leadline.verdict.arms import ARM_STAMP
from leadline.verdict.conformance.context import ATTEMPT_STAMP

if TYPE_CHECKING:
    from leadline.logs.recording.writer import Recording
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
        self.recorder = Recorder(self)

    def __repr__(self) -> str:
        return f"<Run {self.number} of {self.study.id}: {self.recorder}>"

    def _repr_html_(self) -> str:
        return f"<p>Attempt {self.number} of {escape(self.study.id)}</p>{self.recorder.html()}"

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

    def start(self, arm: str | None = None, **said: Any) -> "Recording":
        """Begin the recording of an arm, and say what runs; for what is not an Inspect evaluation.

        Parameters
        ----------
        arm: one of the protocol's arms; may be left out where there is only one.
        task, model, version: names of what runs, `args` and `model_args` their arguments, `generate` decoding settings,
            `scorers` a table of parameters by score, as the code has them. What is not said is "not logged" in
            the report, and never passes.
        metadata: further stamps; `packages`: distributions whose versions are kept beside the usual ones.
        folder: where recordings are kept, by default ``recordings`` in the working directory.

        Without it the first `record` of an arm begins its recording, which then says nothing of all this. Raises
        InputError for an unknown arm, StateError where the file is another's, StoreError when the disk refuses.
        """
        return self.recorder.start(arm, **said)

    def record(self, sample_id: Any, score: str, value: Any, *, arm: str | None = None, **more: Any) -> None:
        """Record one result of an arm, durably; see `leadline.logs.recording.writer.Recording.record`."""
        self.recorder.of(arm).record(sample_id, score, value, **more)

    def record_many(self, rows: Any, *, arm: str | None = None) -> int:
        """Record a table of results, or any iterable of them; returns how many."""
        return self.recorder.of(arm).record_many(rows)

    def finish(self) -> None:
        """End the recordings, attach them, and close the attempt with their digests: for notebooks.

        `with study.attempt() as run` does it by itself. Raises StateError when the attempt has nothing to close with.
        """
        self.recorder.finish()
        self.study.close_attempt(self.number, self.logs, note=self.note)

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


def resumed(study: "Study", number: int) -> Run:
    """An attempt of a study that is still open, to go on with it; StateError when there is none of this number."""
    found = next((one for one in study.attempts if one.number == number), None)
    if found is None or found.status != "open":
        raise StateError(
            f"attempt {number} is {found.status}, not open" if found else f"there is no attempt {number}",
            where=study.id,
            remedy="announce a new one: study.attempt()",
        )
    return Run(study, number, found.token)


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
