"""A study: its promise, its runs, its report."""

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.errors import StateError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.certificate import Certificate
from leadline.logs import SampleTable, read_logs
from leadline.protocol.model import Protocol
from leadline.registry.handover import Handover, readable_logs, require_stamps
from leadline.registry.run import Run
from leadline.store import Appended, ReadView
from leadline.store.projection import TableReader
from leadline.store.projections.attachments import AttachmentRow, attachments
from leadline.store.projections.attempts import AttemptRow, attempt_logs, attempts, next_number
from leadline.store.projections.reports import ReportRow, reports
from leadline.store.projections.studies import AmendmentRow, StudyRow, amendments
from leadline.store.projections.studies import study as find_study
from leadline.verdict.analysis import analyze
from leadline.verdict.model import Attempt, Registration
from leadline.verdict.needs import closed_with, required_columns
from leadline.verdict.report import Report
from leadline.verdict.seeding import generate_seed

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

#: A statement names at most this many logs (its entry must stay under 65,535 bytes).
LOGS_PER_STATEMENT = 100
#: How an attempt may end that has no log to show.
WITHOUT_LOGS = ("failed", "cancelled")

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
        """Log index of the freeze."""
        return self._row.ix

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
        """The signed freeze, byte for byte."""
        return self.registry.store.entry(self.index)

    @property
    def certificate(self) -> bytes:
        """The registration certificate: one small file that proves the freeze offline, with the log's public key."""
        store = self.registry.store
        with store.snapshot() as view:
            size = view.size()
            proof = view.inclusion_proof(self.index, size)
            return Certificate.make(self.index, proof, view.checkpoint(size), view.entry(self.index)).format()

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
    def seed(self) -> int:
        """The decoding seed that runs with `seed: from_freeze` must use."""
        return generate_seed(self._row.leaf)

    # -- runs ----------------------------------------------------------------------------------

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt the registry was told of, in order."""
        store = self.registry.store
        found = []
        for row in attempts(store, self.id):
            logs = attempt_logs(store, self.id, row.number)
            token = store.leaf_hash(row.opened).hex()
            found.append(
                Attempt(
                    row.number,
                    token,
                    row.opened,
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
    def attempt(self, note: str = "") -> Iterator[Run]:
        """Announce a run before it begins, and close it with its logs when it ends.

        Inside, stamp the evaluation with `run.stamp` (eval metadata) and hand over its logs with
        `run.attach`. If the block raises, or ends without logs (StateError), the attempt stays open in
        the record for everybody to see: attach what the run wrote and close it, or abandon it with a reason.
        """
        run = self.open_attempt(note)
        yield run
        self.close_attempt(run.number, run.logs, note=run.note)

    def open_attempt(self, note: str = "") -> Run:
        """Open the next attempt; its token proves that what carries it was begun later.

        Raises StateError when the study is withdrawn.
        """
        number = 0

        def said(view: ReadView) -> dict[str, Any]:
            nonlocal number
            self._require_live(view, "no further run of it can be announced")
            number = next_number(view, self.id)
            return {"number": number, "action": "open", "status": "started", "note": note or None}

        receipt = self._append("attempt", said)
        return Run(self, number, receipt.leaf_hash.hex())

    def close_attempt(
        self, number: int, logs: Sequence[str], status: str = "completed", note: str = ""
    ) -> Appended:
        """Close an attempt with the digests of the logs it wrote.

        Raises StateError when it is not open, and when there is no log although `status` is not "failed"
        or "cancelled".
        """

        def said(view: ReadView) -> dict[str, Any]:
            self._require_open(view, number)
            if not logs and status not in WITHOUT_LOGS:
                raise StateError(
                    f"attempt {number} has no log, so there is nothing to close it with; it stays open",
                    where=self.id,
                    remedy=f"leadline attach {self.id} LOGS --attempt {number}  (in Python run.attach(logs)), then "
                    f"close it; or leadline attempts abandon {self.id} {number} --reason TEXT",
                )
            return {
                "number": number,
                "action": "close",
                "status": status,
                "logs": list(logs),
                "note": note or None,
            }

        return self._append("attempt", said)

    def abandon_attempt(self, number: int, reason: str) -> Appended:
        """End an attempt that will have no result, with the reason why; StateError when it is not open."""

        def said(view: ReadView) -> dict[str, Any]:
            self._require_open(view, number)
            return {"number": number, "action": "abandon", "status": "cancelled", "note": reason}

        return self._append("attempt", said)

    def attach(
        self, logs: PathLike | Sequence[PathLike], *, attempt: int | None = None, force: bool = False
    ) -> tuple[str, ...]:
        """Keep evaluation logs (files or folders) and record that they belong to this study.

        `attempt` names the open attempt that wrote them. A log whose stamp names another study or attempt is
        refused unless `force`. Returns the logs' SHA-256 digests; a file attached before is not attached
        again, except to say which attempt it belongs to. The bytes are stored first, durably; then the
        statement. Raises LogError when a log cannot be read, InputError when there is none or one is stamped
        for something else, StateError when the study is withdrawn or the attempt is not open.
        """
        store = self.registry.store
        with store.snapshot() as view:
            self._require_attachable(view, attempt)
        table = readable_logs(logs)
        handed = Handover(
            self.id, attempt, {row.number: store.leaf_hash(row.opened).hex() for row in self.attempt_rows}
        )
        if not force:
            require_stamps(table.headers, handed, self.attachments)
        known = {row.sha256 for row in self.attachments if attempt is None or row.attempt == attempt}
        kept = {log.sha256: log.read for log in table.accounting.logs}
        files = []
        for header in sorted(table.headers, key=lambda header: header.sha256):
            if header.sha256 in known:
                continue
            with Path(header.path).open("rb") as source:
                digest = store.put_blob(source)
            if digest != header.sha256:
                raise StateError(
                    "the log changed while it was being attached",
                    where=header.path,
                    remedy="attach it when its run has ended",
                )
            files.append(
                {
                    "sha256": digest,
                    "name": header.log[:500],
                    "size": header.size,
                    "format": header.format,
                    "eval_id": header.eval_id or None,
                    "samples": kept.get(digest),
                }
            )
        for first in range(0, len(files), LOGS_PER_STATEMENT):
            self._append("attach", self._attaching(attempt, files[first : first + LOGS_PER_STATEMENT]))
        return tuple(header.sha256 for header in table.headers)

    def _attaching(
        self, attempt: int | None, files: list[dict[str, Any]]
    ) -> Callable[[ReadView], dict[str, Any]]:
        def said(view: ReadView) -> dict[str, Any]:
            self._require_attachable(view, attempt)
            return {"attempt": attempt, "logs": files}

        return said

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
            paths = self._lay_out(Path(folder), only)
            if not paths:
                raise StateError(
                    "no logs are attached to this study",
                    where=self.id,
                    remedy=f"leadline attach {self.id} LOGS",
                )
            return read_logs(
                paths,
                tier="sample",
                columns=list(required_columns(self.protocol)) or None,
                prefer=closed_with(self.attempts if attempts is None else attempts),
            )

    def _lay_out(self, folder: Path, only: Collection[str] | None) -> list[Path]:
        """The attached files under the names they were attached with, each in a folder of its own."""
        paths = []
        for row in self.files.values():
            if only is not None and row.sha256 not in only:
                continue
            place = folder / row.sha256[:16]
            place.mkdir()
            path = place / (Path(row.name).name or "log")
            with self.registry.store.open_blob(row.sha256) as source, path.open("wb") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
            paths.append(path)
        return paths

    def analyze(self) -> Report:
        """Run the registered analysis on the attached logs; changes nothing."""
        return analyze(self.protocol, self.samples(), registration=self.registration, attempts=self.attempts)

    def analyze_as_of_report(self, published: ReportRow) -> bytes:
        """The JSON of the analysis over exactly the logs and attempts a published report had.

        Later attachments and attempts must not make an honest old report look wrong.
        """
        import json

        then = json.loads(self.registry.store.blob(published.report))
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
            self.protocol, self.samples(logs, attempts), registration=registration, attempts=attempts
        ).to_json()

    def publish(self) -> Report:
        """Run the registered analysis and record its report, whatever it says.

        A report that is, byte for byte, the newest published one is not recorded again. Raises StateError
        when the study is withdrawn, or when its record changed while the report was being computed.
        """
        store = self.registry.store
        with store.snapshot() as view:
            self._require_live(view, "it gets no further report")
            facts = self._facts(view)
        report = self.analyze()
        body = report.to_json()
        published = self.reports
        if published and published[-1].report == sha256_hex(body):
            return report
        digest = store.put_blob(body)

        def said(view: ReadView) -> dict[str, Any]:
            self._require_live(view, "it gets no further report")
            if self._facts(view) != facts:
                raise StateError(
                    "the record of this study changed while its report was being computed",
                    where=self.id,
                    remedy=f"run it again: leadline report {self.id} --publish",
                )
            return {
                "report": digest,
                "protocol": self._row.protocol,
                "logs": sorted(log.sha256 for log in report.logs),
                "engine": report.engine,
                "verdicts": {
                    name: {
                        "outcome": v.outcome,
                        "reason": (v.reason or "decided")[:500],
                        "standing": v.standing,
                    }
                    for name, v in report.verdicts.items()
                },
            }

        self._append("report", said)
        return report

    def _facts(self, view: TableReader) -> tuple[list[AttachmentRow], list[AttemptRow], list[AmendmentRow]]:
        """Everything in the record that a report depends on besides the freeze."""
        return attachments(view, self.id), attempts(view, self.id), amendments(view, self.id)

    @property
    def reports(self) -> list[ReportRow]:
        """Every published report, oldest first."""
        return reports(self.registry.store, self.id)

    # -- saying --------------------------------------------------------------------------------

    def _append(self, kind: str, said: Callable[[ReadView], dict[str, Any]]) -> Appended:
        """Sign and append what `said` makes of the record as it is at that very moment."""
        author = self.registry.author()

        def build(view: ReadView) -> list["Said"]:
            fields = {"study": self.id, "created": self.registry.time(), **said(view)}
            return [(kind, {key: value for key, value in fields.items() if value is not None}, author)]

        return self.registry.append(build)[0]

    def _require_live(self, view: TableReader, so: str) -> None:
        """StateError when the study is withdrawn; `so` says what therefore cannot be done."""
        row = find_study(view, self.id)
        if row is not None and row.state == "withdrawn":
            raise StateError(
                f"the study is withdrawn ({row.reason}), so {so}; its history stays",
                where=self.id,
                remedy=f"see it with `leadline show {self.id}`; register a new study for a new run",
            )

    def _require_open(self, view: TableReader, number: int) -> None:
        """StateError unless that attempt exists and is open."""
        rows = attempts(view, self.id)
        found = next((row for row in rows if row.number == number), None)
        if found is not None and found.state == "open":
            return
        if found is None:
            numbers = f"it has {len(rows)}" if rows else "none was announced"
            what = f"the study has no attempt {number}; {numbers}"
        else:
            ended = f" as {found.status}" if found.state == "closed" else ""
            what = f"attempt {number} is {found.state} already{ended} (entry {found.ended}), not open"
        raise StateError(
            what,
            where=self.id,
            remedy=f"see the attempts with `leadline attempts list {self.id}`; "
            f"announce a new run with `leadline attempts open {self.id}`",
        )

    def _require_attachable(self, view: TableReader, attempt: int | None) -> None:
        self._require_live(view, "no further log can be attached")
        if attempt is not None:
            self._require_open(view, attempt)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
