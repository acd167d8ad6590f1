"""A study: its promise, its runs, its report."""

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.errors import StateError
from leadline.logs import SampleTable, read_logs
from leadline.protocol.model import Protocol
from leadline.registry import running
from leadline.registry.attaching import attach
from leadline.registry.cosigning import certificate_of
from leadline.registry.elsewhere import elsewhere
from leadline.registry.filenames import file_name
from leadline.registry.publication import record_new, reportable
from leadline.registry.run import Run, resumed
from leadline.registry.siblings import Sibling, siblings
from leadline.store import Appended
from leadline.store.projections.attachments import AttachmentRow, attachments
from leadline.store.projections.attempts import AttemptRow, attempt_logs, attempts
from leadline.store.projections.judgements import JudgementRow, judgements
from leadline.store.projections.reports import ReportRow, reports
from leadline.store.projections.seals import committed_at
from leadline.store.projections.studies import StudyRow, amendments
from leadline.store.projections.studies import study as find_study
from leadline.verdict.analysis import analyze
from leadline.verdict.elsewhere import NOTHING, Elsewhere
from leadline.verdict.model import Attempt, Registration
from leadline.verdict.needs import closed_with, required_columns
from leadline.verdict.reading import elsewhere_in
from leadline.verdict.report import Report
from leadline.verdict.seeding import Seeds

if TYPE_CHECKING:
    from leadline.logs.mapping import MappingLike
    from leadline.registry.registry import Registry

PathLike = str | os.PathLike[str]


class Study:
    """One registered study. `id` follows from its freeze; everything else is read from the record."""

    def __init__(self, registry: "Registry", row: StudyRow) -> None:
        self.registry = registry
        self._row = row

    def __repr__(self) -> str:
        return f"<Study {self.id} {self.row.state}: {self.row.title}>"

    @property
    def id(self) -> str:
        """The study's id."""
        return self._row.id

    @property
    def index(self) -> int:
        """Log index at which the study was promised: of its freeze, or of the seal it was promised under."""
        return self._row.promised

    @property
    def row(self) -> StudyRow:
        """The study as the record has it now."""
        row = find_study(self.registry.store, self.id)
        assert row is not None, "studies are never deleted"
        return row

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol as first frozen."""
        return Protocol.parse(self.registry.store.blob(self._row.protocol), name=f"{self.id}/protocol.json")

    @property
    def envelope(self) -> bytes:
        """The signed promise (the freeze, or the seal), byte for byte."""
        return self.registry.store.entry(self.index)

    @property
    def certificate(self) -> bytes:
        """The registration certificate: one small file that proves the freeze offline, with the log's public key."""
        return certificate_of(self.registry.store, self.index)

    @property
    def registration(self) -> Registration:
        """What the ledger says of the freeze."""
        changed = amendments(self.registry.store, self.id)
        return Registration(
            study=self.id,
            digest=self._row.protocol,
            index=self.index,
            leaf_hash=self._row.leaf,
            created=_time(self._row.created),
            amended=tuple(row.protocol for row in changed),
        )

    @property
    def siblings(self) -> list[Sibling]:
        """Registrations by the same authors that share dataset, measure and technique, newest first."""
        with self.registry.store.snapshot() as view:
            return siblings(view, self.id)

    @property
    def judgements(self) -> list[JudgementRow]:
        """What was said of the study and not taken back, oldest first."""
        return judgements(self.registry.store, self.id)

    @property
    def seed(self) -> int:
        """The decoding seed that runs with `seed: from_freeze` must use."""
        return self.seeds.generate

    @property
    def seeds(self) -> Seeds:
        """Every seed that the freeze decides."""
        return Seeds.of(self._row.leaf)

    # -- runs ----------------------------------------------------------------------------------

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt the registry was told of, in order."""
        store = self.registry.store
        found = []
        for row in attempts(store, self.id):
            logs = attempt_logs(store, self.id, row.number)
            leaf = store.leaf_hash(row.opened)
            committed = committed_at(store, self.id, leaf)  # announced under seal: earlier than its own entry
            found.append(
                Attempt(
                    row.number,
                    leaf.hex(),
                    row.opened if committed is None else committed,
                    _time(row.opened_at),
                    row.state,
                    tuple(logs),
                    row.note or "",
                )
            )
        return tuple(found)

    @property
    def attempt_rows(self) -> tuple[AttemptRow, ...]:
        """Every attempt as the record has it: with how it ended, and the log indexes of its begin and end."""
        return tuple(attempts(self.registry.store, self.id))

    @contextmanager
    def attempt(self, note: str = "", *, resume: int | None = None) -> Iterator[Run]:
        """Announce a run before it begins, and close it with its logs when it ends.

        Inside, stamp the evaluation with `run.stamp` (eval metadata) and hand over its logs with
        `run.attach`; what is not an Inspect evaluation is recorded with `run.record`. `resume` is the number of an
        attempt that is still open, to go on with it instead. If the block raises, or ends without logs (StateError), the attempt stays open in
        the record for everybody to see: attach what the run wrote and close it, or abandon it with a reason.
        """
        run = self.open_attempt(note) if resume is None else resumed(self, resume)
        with run.recorder.kept():
            yield run
        self.close_attempt(run.number, run.logs, note=run.note)

    def open_attempt(self, note: str = "") -> Run:
        """Open the next attempt; its token proves that what carries it was begun later.

        Raises StateError when the study is withdrawn.
        """
        number, receipt = running.open_attempt(self, note)
        return Run(self, number, receipt.leaf_hash.hex())

    def close_attempt(
        self, number: int, logs: Sequence[str], status: str = "completed", note: str = ""
    ) -> Appended:
        """Close an attempt with the digests of the logs it wrote.

        Raises StateError when it is not open, and when there is no log although `status` is not "failed"
        or "cancelled".
        """
        return running.close_attempt(self, number, logs, status, note)

    def abandon_attempt(self, number: int, reason: str) -> Appended:
        """End an attempt that will have no result, with the reason why; StateError when it is not open."""
        return running.abandon_attempt(self, number, reason)

    def attach(
        self,
        logs: PathLike | Sequence[PathLike],
        *,
        attempt: int | None = None,
        force: bool = False,
        mapping: "MappingLike | None" = None,
    ) -> tuple[str, ...]:
        """Keep evaluation logs (files or folders) and record that they belong to this study.

        `attempt` names the open attempt that wrote them. `mapping` says what the columns of tables among them mean; it
        is attached with them, bound to each. Files that a log was read with (the results of a run, the record of its
        instances) are attached with it. A log that began before the freeze, which would make the
        study retrospective for good, or whose stamp names another study or attempt, is refused unless `force`. Returns the logs' SHA-256 digests; a file attached before is not attached
        again, except to say which attempt it belongs to. The bytes are stored first, durably; then the
        statement. Raises LogError when a log cannot be read, InputError when there is none or one is refused, StateError when the study is withdrawn or the attempt is not open.
        """
        return attach(self, logs, attempt=attempt, force=force, mapping=mapping)

    @property
    def attachments(self) -> list[AttachmentRow]:
        """Every attached log file, oldest first."""
        return attachments(self.registry.store, self.id)

    @property
    def files(self) -> dict[str, AttachmentRow]:
        """Every attached file once, by digest, as it was attached first: its name never changes afterwards."""
        return {row.sha256: row for row in reversed(self.attachments)}

    # -- result --------------------------------------------------------------------------------

    def samples(
        self, only: Collection[str] | None = None, attempts: Sequence[Attempt] | None = None
    ) -> SampleTable:
        """The samples of the attached logs (all, or those with the digests in `only`), as the analysis needs them.

        Of two files of one evaluation the one that an attempt (of `attempts`, default all) closed with is read.
        """
        with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
            paths = self.lay_out(Path(folder), only)
            if not paths:
                raise StateError(
                    "no logs are attached to this study",
                    where=self.id,
                    remedy=f"attach them: `leadline attach {self.id} LOGS`",
                )
            return read_logs(
                paths,
                tier="sample",
                columns=list(required_columns(self.protocol)) or None,
                prefer=closed_with(self.attempts if attempts is None else attempts),
            )

    def lay_out(self, folder: Path, only: Collection[str] | None = None) -> list[Path]:
        """Write the attached files (or those with digests in `only`) under their names, each in its own folder."""
        paths = []
        for row in self.files.values():
            if only is not None and row.sha256 not in only:
                continue
            place = folder / row.sha256
            place.mkdir()
            path = place / file_name(row.name)
            with self.registry.store.open_blob(row.sha256) as source, path.open("wb") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
            paths.append(path)
        return paths

    @property
    def elsewhere(self) -> Elsewhere:
        """What the record holds of the same authors besides the study: what its report weighs and names."""
        with self.registry.store.snapshot() as view:
            return elsewhere(view, self.id)

    def analyze(self, *, alone: bool = False) -> Report:
        """Run the registered analysis on the attached logs; changes nothing.

        With `alone` nothing is weighed that the record holds besides the study, as where the analysis was sealed.
        """
        return analyze(
            self.protocol,
            self.samples(),
            registration=self.registration,
            attempts=self.attempts,
            elsewhere=NOTHING if alone else self.elsewhere,
        )

    def analyze_as_of_report(self, published: ReportRow) -> bytes:
        """The JSON of the analysis over exactly the logs and attempts a published report had.

        Later attachments and attempts, and what the authors registered since, must not make an honest old report
        look wrong.
        """
        import json

        published_bytes = self.registry.store.blob(published.report)
        then = json.loads(published_bytes)
        states = {attempt["number"]: attempt for attempt in then["attempts"]}
        attempts = [
            replace(
                a,
                status=states[a.number]["status"],
                logs=tuple(states[a.number]["logs"]),
                note=states[a.number]["note"],
            )
            for a in self.attempts
            if a.number in states
        ]
        logs = {row.sha256 for row in self.attachments if row.ix < published.ix}
        amended = [row.protocol for row in amendments(self.registry.store, self.id) if row.ix < published.ix]
        registration = replace(self.registration, amended=tuple(amended))
        return analyze(
            self.protocol,
            self.samples(logs, attempts),
            registration=registration,
            attempts=attempts,
            elsewhere=elsewhere_in(published_bytes),
        ).to_json()

    def publish(self) -> Report:
        """Run the registered analysis and record its report, whatever it says.

        A report that is, byte for byte, the newest published one is not recorded again. Raises StateError
        when the study is withdrawn, or when its record changed while the report was being computed.
        """
        facts = reportable(self)
        report = self.analyze()
        record_new(self, report.to_json(), facts)
        return report

    @property
    def reports(self) -> list[ReportRow]:
        """Every published report, oldest first."""
        return reports(self.registry.store, self.id)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
