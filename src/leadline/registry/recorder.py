"""The recorder of a run: one recording per arm, opened when it is first needed, attached when the run ends."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import InputError, LeadlineError, StateError
from leadline.logs.recording.shapes import PROTOCOL_STAMP, VERSION, Head

if TYPE_CHECKING:
    from leadline.logs.recording.writer import Recording
    from leadline.registry.run import Run

#: Where recordings are kept when no folder is named, in the working directory.
FOLDER: Final = Path("recordings")


@dataclass
class Recorder:
    """What a run records itself: its recordings by arm."""

    run: "Run"
    folder: Path = FOLDER
    recordings: dict[str, "Recording"] = field(default_factory=dict)

    def start(
        self,
        arm: str | None = None,
        *,
        folder: "Path | str | None" = None,
        task: str = "",
        model: str = "",
        version: "str | int" = "",
        args: Mapping[str, Any] | None = None,
        model_args: Mapping[str, Any] | None = None,
        generate: Mapping[str, Any] | None = None,
        scorers: Mapping[str, Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        packages: Collection[str] = (),
    ) -> "Recording":
        """Open the recording of an arm; see `Run.start`."""
        from leadline.logs.recording.plain import plain
        from leadline.logs.recording.surroundings import surroundings
        from leadline.logs.recording.writer import Recording

        name = self._arm(arm)
        if name in self.recordings:
            raise StateError(
                f"the recording of the arm {name!r} is open already",
                where=self.run.study.id,
                remedy="call run.start once for each arm, before its first result",
            )
        if folder is not None:
            self.folder = Path(folder)
        stamps = self.run.stamp(name) | {PROTOCOL_STAMP: self.run.study.protocol.digest}
        tables = {"task_args": args, "model_args": model_args, "generate": generate, "scorers": scorers}
        head = Head(
            version=VERSION,
            id="",
            created="",
            surroundings=surroundings(packages),
            task=task,
            model=model,
            task_version=str(version),
            metadata=plain({**(metadata or {}), **stamps}, "metadata"),
            **{key: plain(table or {}, key) for key, table in tables.items()},
        )
        path = self.folder / f"{self.run.study.id}-{self.run.number}-{name}.jsonl"
        found = self.recordings[name] = Recording(path, head, self.run.study.registry.clock)
        return found

    def of(self, arm: str | None) -> "Recording":
        """The recording of an arm, opened if it is not; without a name the one there is."""
        if arm is None and len(self.recordings) == 1:
            return next(iter(self.recordings.values()))
        name = self._arm(arm)
        return self.recordings[name] if name in self.recordings else self.start(name)

    def _arm(self, arm: str | None) -> str:
        names = [one.name for one in self.run.study.protocol.arms]
        if arm is None and len(names) == 1:
            return names[0]
        if arm is None:
            raise InputError(
                "the protocol has several arms, and which of them this is of is not said",
                where=self.run.study.id,
                remedy=f"pass arm=, one of: {', '.join(names)}",
            )
        return arm

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Finish and attach every recording when the block ends; an exception leaves them to be gone on with."""
        try:
            yield
        except BaseException as error:
            self._pause(error)
            raise
        self.finish()

    def finish(self) -> None:
        """End every recording and attach them to the attempt."""
        for one in self.recordings.values():
            if one.open:
                one.finish()
        if self.recordings:
            self.run.attach([one.path for one in self.recordings.values()])
            self.recordings = {}

    def _pause(self, error: BaseException) -> None:
        for one in self.recordings.values():
            try:
                if one.open:
                    one.pause(error)
            except LeadlineError as second:
                one.close()
                error.add_note(f"and the recording could not be told of it: {second.diagnosis()}")
        if self.recordings:
            error.add_note(
                f"what was recorded is kept, and attempt {self.run.number} stays open: go on in it with "
                f"study.attempt(resume={self.run.number}), or end it with a reason: "
                f"study.abandon_attempt({self.run.number}, reason)"
            )

    def __str__(self) -> str:
        if not self.recordings:
            return "nothing recorded"
        return ", ".join(f"{arm}: {one.results:,} results" for arm, one in self.recordings.items())

    def html(self) -> str:
        """The recordings as a small table for notebooks."""
        rows = "".join(
            f"<tr><td>{escape(arm)}</td><td>{one.results:,}</td><td>{escape(one.path.name)}</td></tr>"
            for arm, one in self.recordings.items()
        )
        return f"<table><tr><th>arm</th><th>results</th><th>file</th></tr>{rows}</table>" if rows else ""
