"""A study: its promise, its runs, its report."""

import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.errors import InputError, NotFoundError, StateError
from leadline.ledger.certificate import Certificate
from leadline.logs import SampleTable, read_logs
from leadline.protocol.model import Protocol
from leadline.registry.run import Run
from leadline.store import Appended, ReadView
from leadline.store.projections.attachments import AttachmentRow, attachments
from leadline.store.projections.attempts import attempt_logs, attempts, next_number
from leadline.store.projections.reports import ReportRow, reports
from leadline.store.projections.studies import StudyRow, amendments
from leadline.store.projections.studies import study as find_study
from leadline.verdict.analysis import analyze
from leadline.verdict.model import Attempt, Registration
from leadline.verdict.needs import required_columns
from leadline.verdict.report import Report
from leadline.verdict.seeding import generate_seed

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

#: A statement names at most this many logs (its entry must stay under 65,535 bytes).
LOGS_PER_STATEMENT = 100

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

    @contextmanager
    def attempt(self, note: str = "") -> Iterator[Run]:
        """Announce a run before it begins, and close it with its logs when it ends.

        Inside, stamp the evaluation with `run.stamp` (eval metadata) and hand over its logs with
        `run.attach`. If the block raises, the attempt stays open in the record for everybody to see:
        abandon it with a reason, or close it with what the run wrote.
        """
        run = self.open_attempt(note)
        yield run
        self.close_attempt(run.number, run.logs, "completed" if run.logs else "failed", run.note)

    def open_attempt(self, note: str = "") -> Run:
        """Open the next attempt; its token proves that what carries it was begun later."""
        number = 0

        def build(view: ReadView) -> list["Said"]:
            nonlocal number
            number = next_number(view, self.id)
            said = self._said(number=number, action="open", status="started", note=note or None)
            return [("attempt", said, self.registry.author())]

        receipt = self.registry.append(build)[0]
        return Run(self, number, receipt.leaf_hash.hex())

    def close_attempt(
        self, number: int, logs: Sequence[str], status: str = "completed", note: str = ""
    ) -> Appended:
        """Close an attempt with the digests of the logs it wrote."""
        said = self._said(number=number, action="close", status=status, logs=list(logs), note=note or None)
        return self.registry.append(lambda view: [("attempt", said, self.registry.author())])[0]  # noqa: ARG005

    def abandon_attempt(self, number: int, reason: str) -> Appended:
        """End an attempt that will have no result, with the reason why."""
        said = self._said(number=number, action="abandon", status="cancelled", note=reason)
        return self.registry.append(lambda view: [("attempt", said, self.registry.author())])[0]  # noqa: ARG005

    def attach(self, logs: PathLike | Sequence[PathLike], *, attempt: int | None = None) -> tuple[str, ...]:
        """Keep evaluation logs (files or folders) and record that they belong to this study.

        Returns their SHA-256 digests. A file attached before is not attached again. The bytes are stored
        first, durably; then the statement. Raises LogError when a file is not an evaluation log.
        """
        paths = [logs] if isinstance(logs, str | os.PathLike) else list(logs)
        for path in paths:
            if not Path(path).exists():
                raise NotFoundError(
                    "there is no such log or folder", where=os.fspath(path), remedy="check the path"
                )
        table = read_logs(paths, tier="summary")
        if not table.headers:
            reasons = "; ".join(f"{skip.path}: {skip.reason}" for skip in table.accounting.skipped[:3])
            raise InputError(
                f"none of these files is an evaluation log: {reasons or 'the folder is empty'}",
                remedy="attach Inspect .eval or .json logs",
            )
        known = {row.sha256 for row in self.attachments}
        kept = {log.sha256: log.read for log in table.accounting.logs}
        files = []
        for header in sorted(table.headers, key=lambda header: header.sha256):
            if header.sha256 in known:
                continue
            with Path(header.path).open("rb") as source:
                digest = self.registry.store.put_blob(source)
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
        parts = [files[i : i + LOGS_PER_STATEMENT] for i in range(0, len(files), LOGS_PER_STATEMENT)]
        author = self.registry.author()
        for part in parts:
            said = self._said(attempt=attempt, logs=part)
            self.registry.append(lambda view, said=said: [("attach", said, author)])  # type: ignore[misc]  # noqa: ARG005
        return tuple(header.sha256 for header in table.headers)

    @property
    def attachments(self) -> list[AttachmentRow]:
        """Every attached log file, oldest first."""
        return attachments(self.registry.store, self.id)

    # -- result --------------------------------------------------------------------------------

    def samples(self, only: Collection[str] | None = None) -> SampleTable:
        """The samples of the attached logs (all, or those with the digests in `only`), as the analysis needs them."""
        with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
            paths = self._lay_out(Path(folder), only)
            if not paths:
                raise StateError(
                    "no logs are attached to this study",
                    where=self.id,
                    remedy=f"leadline attach {self.id} LOGS",
                )
            return read_logs(paths, tier="sample", columns=list(required_columns(self.protocol)) or None)

    def _lay_out(self, folder: Path, only: Collection[str] | None) -> list[Path]:
        """The attached files under the names they were attached with, each in a folder of its own."""
        paths = []
        for row in {row.sha256: row for row in self.attachments}.values():
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

    def analyze_as_of_report(self, published: bytes) -> bytes:
        """The JSON of the analysis over exactly the logs and attempts a published report had.

        Later attachments and attempts must not make an honest old report look wrong.
        """
        import json

        then = json.loads(published)
        logs = {log["sha256"] for log in then["logs"]}
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
        registration = self.registration
        if then.get("registration"):
            registration = replace(registration, amended=tuple(then["registration"]["amended"]))
        return analyze(
            self.protocol, self.samples(logs), registration=registration, attempts=attempts
        ).to_json()

    def publish(self) -> Report:
        """Run the registered analysis and record its report, whatever it says."""
        report = self.analyze()
        body = report.to_json()
        digest = self.registry.store.put_blob(body)
        said = self._said(
            report=digest,
            protocol=self._row.protocol,
            logs=sorted(log.sha256 for log in report.logs),
            engine=report.engine,
            verdicts={
                name: {"outcome": v.outcome, "reason": (v.reason or "decided")[:500], "standing": v.standing}
                for name, v in report.verdicts.items()
            },
        )
        self.registry.append(lambda view: [("report", said, self.registry.author())])  # noqa: ARG005
        return report

    @property
    def reports(self) -> list[ReportRow]:
        """Every published report, oldest first."""
        return reports(self.registry.store, self.id)

    def _said(self, **fields: Any) -> dict[str, Any]:
        said = {"study": self.id, "created": self.registry.time(), **fields}
        return {key: value for key, value in said.items() if value is not None}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
