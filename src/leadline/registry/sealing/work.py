"""A sealed study as its author works on it: the same loop as an open one, with every statement in the outbox."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from leadline.errors import NotFoundError, StateError
from leadline.ledger.authority import Authority
from leadline.ledger.canon import sha256_hex
from leadline.ledger.dsse import decode
from leadline.ledger.ids import read_study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Attach
from leadline.ledger.state import KeyRecord, MemoryState, StudyRecord
from leadline.ledger.statements import make_signed, parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.logs import SampleTable, read_logs
from leadline.protocol.diff import diff
from leadline.protocol.model import Protocol
from leadline.registry.attaching import LOGS_PER_STATEMENT
from leadline.registry.bundle import Proven, Record, record_of
from leadline.registry.filenames import file_name
from leadline.registry.handover import Handover, handed_over, require_fit
from leadline.registry.publication import statement_of
from leadline.registry.run import Run, resumed
from leadline.registry.running import WITHOUT_LOGS
from leadline.registry.sealing import private
from leadline.registry.sealing.depositing import deposit_pending, note_place
from leadline.registry.sealing.office import office_of
from leadline.registry.sealing.revealing import Revealed, deposit_key, enter, reveal, reveal_fields
from leadline.registry.sealing.secrets import SUFFIX, SealSecrets, folder
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.seals import SealRow
from leadline.store.projections.seals import seal as find_seal
from leadline.verdict.analysis import analyze
from leadline.verdict.model import Attempt, Registration
from leadline.verdict.needs import closed_with, required_columns
from leadline.verdict.report import Report
from leadline.verdict.seeding import Seeds

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.registry.study import Study

_NOT_YET = 2**53 - 1


class SealedWork:
    """One sealed study in its author's hands: registry, secrets and key.

    Each statement is signed, kept in the author's file, and deposited as a slot; the registry never sees it before
    the reveal. Its place in time is that of the batch that commits to it.
    """

    def __init__(self, registry: "Registry", secrets: SealSecrets, key: SigningKey) -> None:
        self.registry = registry
        self.secrets = secrets
        self.key = key

    @classmethod
    def open(cls, registry: "Registry", study: str, place: Path | None = None) -> "SealedWork":
        """The author's work on a sealed study, from its file in `place` (default: ``seals`` in $LEADLINE_HOME).

        Raises NotFoundError when there is no such file, KeyFileError when it is readable by others or damaged.
        """
        name = read_study_id(study)
        path = (place or folder()) / f"{name}{SUFFIX}"
        try:
            secrets = SealSecrets.load(path)
        except NotFoundError:
            raise NotFoundError(
                f"there is no file of a sealed study {name} here",
                where=str(path),
                remedy=f"work where it was sealed, or make the file again: `leadline sealed recover {name}`",
            ) from None
        note_place(registry, secrets)
        return cls(registry, secrets, registry.author())

    @property
    def id(self) -> str:
        """The study's id: public, and telling nothing."""
        return self.secrets.study

    @property
    def row(self) -> SealRow:
        """The seal as the log has it; NotFoundError while it waits for the next batch."""
        row = find_seal(self.registry.store, self.id)
        if row is None:
            raise NotFoundError(
                f"{self.id} is not in the log yet",
                remedy="it enters with the week's batch, which a server makes by itself, and a registry of your own with "
                "`leadline sealed flush`; try again then",
            )
        return row

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol as sealed."""
        return Protocol.parse(self.secrets.content.protocol, name=f"{self.id}/protocol.json")

    @property
    def seed(self) -> int:
        """The decoding seed that runs with `seed: from_freeze` must use."""
        return self.seeds.generate

    @property
    def seeds(self) -> Seeds:
        """Every seed that the promise decides."""
        return Seeds.of(self.secrets.leaf)

    @property
    def record(self) -> Record:
        """What the study has said so far, each statement at the log index of the batch that committed to it."""
        placed = {leaf_hash(said): batch for batch, said in self.secrets.commitments()}
        freeze = parse(decode(self.secrets.content.freeze).payload).predicate
        proven = [Proven(self.secrets.index, self.secrets.leaf, freeze)]
        for envelope in self.secrets.statements:
            leaf = leaf_hash(envelope)
            said = parse(decode(envelope).payload).predicate
            proven.append(Proven(placed.get(leaf, _NOT_YET), leaf, said))
        return record_of(proven)

    @property
    def registration(self) -> Registration:
        """What the ledger says of the promise."""
        return self.record.registration

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt announced under seal; one no batch has committed to has the index 2**53 - 1."""
        return self.record.attempts

    # -- runs ----------------------------------------------------------------------------------

    @contextmanager
    def attempt(self, note: str = "", *, resume: int | None = None) -> Iterator[Run]:
        """Announce a run before it begins, and close it with its logs when it ends; as `Study.attempt`."""
        run = self.open_attempt(note) if resume is None else resumed(cast("Study", self), resume)
        with run.recorder.kept():
            yield run
        self.close_attempt(run.number, run.logs, note=run.note)

    def open_attempt(self, note: str = "") -> Run:
        """Announce the next attempt; its token proves that what carries it was begun later."""
        number = len(self.attempts) + 1
        said = {"number": number, "action": "open", "status": "started", "note": note or None}
        envelope = self._say("attempt", said)
        return Run(cast("Study", self), number, leaf_hash(envelope).hex())

    def close_attempt(
        self, number: int, logs: Sequence[str], status: str = "completed", note: str = ""
    ) -> None:
        """Close an attempt with the digests of the logs it wrote; StatementError when it is not open."""
        if not logs and status not in WITHOUT_LOGS:
            raise StateError(
                f"attempt {number} has no log, so there is nothing to close it with; it stays open",
                where=self.id,
                remedy=f"`leadline sealed attach {self.id} LOGS --attempt {number}`, or abandon it with a reason",
            )
        said = {"number": number, "action": "close", "status": status, "logs": list(logs)}
        self._say("attempt", {**said, "note": note or None})

    def abandon_attempt(self, number: int, reason: str) -> None:
        """End an attempt that will have no result, with the reason why; StatementError when it is not open."""
        self._say("attempt", {"number": number, "action": "abandon", "status": "cancelled", "note": reason})

    def attach(
        self,
        logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
        *,
        attempt: int | None = None,
        force: bool = False,
    ) -> tuple[str, ...]:
        """Note that logs belong to this study; the files stay where they are, and are needed there at the reveal.

        Returns their digests. Errors as `Study.attach`.
        """
        handed = handed_over(logs)
        record = self.record
        if not force:
            tokens = {one.number: one.token for one in record.attempts}
            require_fit(handed, Handover(self.id, self.registration.created, attempt, tokens), ())
        files = []
        for log in sorted(handed, key=lambda log: log.sha256):
            if log.sha256 not in record.logs:
                self.secrets.files[log.sha256] = str(Path(log.path).resolve())
                files.append(log.said())
        for first in range(0, len(files), LOGS_PER_STATEMENT):
            self._say("attach", {"attempt": attempt, "logs": files[first : first + LOGS_PER_STATEMENT]})
        return tuple(log.sha256 for log in handed)

    def attached(self, attempt: int) -> list[str]:
        """Digests of the logs attached for an attempt."""
        said = (parse(decode(one).payload).predicate for one in self.secrets.statements)
        logs = (log for one in said if isinstance(one, Attach) and one.attempt == attempt for log in one.logs)
        return list(dict.fromkeys(log.sha256 for log in logs))

    def amend(self, protocol: Protocol, *, reason: str, seen: str) -> None:
        """Note a changed protocol, why, and what had been seen; the first freeze stays the one compared with."""
        changed = [change.pointer for change in diff(self.protocol, protocol)]
        if not changed:
            raise StateError(
                "the new protocol promises exactly the same", remedy="nothing needs to be amended"
            )
        body = protocol.canonical_bytes()
        digest = sha256_hex(body)
        path = self.secrets.path.with_name(f"{self.id}.{digest[:16]}.json")
        private.write(path, body)
        self.secrets.files[digest] = str(path)
        self._say("amend", {"protocol": digest, "changed": changed[:200], "reason": reason, "seen": seen})

    # -- result --------------------------------------------------------------------------------

    def samples(self) -> SampleTable:
        """The samples of the attached logs, as the analysis needs them; StateError when one is gone or changed."""
        record = self.record
        if not record.logs:
            raise StateError(
                "no logs are attached to this study",
                where=self.id,
                remedy=f"note them: `leadline sealed attach {self.id} LOGS`",
            )
        with tempfile.TemporaryDirectory(prefix="leadline-") as place:
            paths = [self._lay_out(Path(place), digest, log.name) for digest, log in record.logs.items()]
            columns = list(required_columns(self.protocol)) or None
            return read_logs(paths, tier="sample", columns=columns, prefer=closed_with(record.attempts))

    def analyze(self) -> Report:
        """Run the registered analysis on the attached logs; says nothing to anybody."""
        record = self.record
        return analyze(
            self.protocol, self.samples(), registration=record.registration, attempts=record.attempts
        )

    def report(self) -> Report:
        """Run the registered analysis and note its report, whatever it says; the verdict is sealed with it.

        Raises StateError while an attempt is in no batch yet: the report says after which entry it was announced.
        """
        self.sync()
        waiting = [one.number for one in self.attempts if one.opened_index == _NOT_YET]
        if waiting:
            raise StateError(
                f"no batch has committed to attempt {waiting[0]} yet",
                where=self.id,
                remedy="report when the week's batch is in the log: a server makes it by itself, a registry of your own "
                "with `leadline sealed flush`",
            )
        report = self.analyze()
        body = report.to_json()
        digest = sha256_hex(body)
        path = self.secrets.path.with_name(f"{self.id}.report.json")
        private.write(path, body)
        self.secrets.files[digest] = str(path)
        protocol = sha256_hex(self.secrets.content.protocol)
        self._say("report", {"protocol": protocol, **statement_of(body, digest)})
        return report

    # -- the outbox ----------------------------------------------------------------------------

    def hold(self) -> None:
        """Keep the study from being opened by itself at its embargo's end; publishes nothing, and nothing shows it."""
        office_of(self.registry).hold(self.id, deposit_key(self.secrets.content))

    def sync(self) -> int:
        """Read which slots the log took, and deposit what still waits; returns the bytes that wait."""
        return deposit_pending(self.registry, self.secrets)

    # -- the end -------------------------------------------------------------------------------

    def reveal(self) -> Revealed:
        """Reveal everything; see `leadline.registry.sealing.revealing.reveal`."""
        self.sync()
        return reveal(
            self.registry,
            self.id,
            self.secrets.content,
            known=self.secrets.committed,
            later=self.secrets.statements,
            files=self._files(),
        )

    def reveal_fields(self, names: Sequence[str]) -> Revealed:
        """Open some fields and nothing else; see `leadline.registry.sealing.revealing.reveal_fields`."""
        self.sync()
        return reveal_fields(self.registry, self.id, self.secrets.content, names, self.secrets.committed)

    def enter(self) -> dict[str, str]:
        """After the reveal, enter what was left out for want of files; (leaf -> why) of what still is."""
        return enter(self.registry, self.id, self.secrets.statements, self._files())[1]

    # -- saying --------------------------------------------------------------------------------

    def _say(self, kind: str, fields: dict[str, Any]) -> bytes:
        row = find_seal(self.registry.store, self.id)
        if row is not None and row.state != "sealed":
            raise StateError(
                f"{self.id} is {row.state}, so nothing more is said under seal",
                where=self.id,
                remedy="a revealed study goes on in the open: leadline attempts, attach, report",
            )
        said = {"study": self.id, "created": self.registry.time(), **fields}
        plain = {name: value for name, value in said.items() if value is not None}
        envelope = make_signed(kind, plain, self.key)
        self._check([*self.secrets.statements, envelope])
        self.secrets.statements.append(envelope)
        self.secrets.save()
        self.sync()
        return envelope

    def _check(self, statements: Sequence[bytes]) -> None:
        """The ledger's rules over everything said so far, as if the study had just been revealed."""
        state = MemoryState()
        lineages = set()
        for keyid in {decode(self.secrets.content.freeze).keyid, *(decode(one).keyid for one in statements)}:
            record = find_key(self.registry.store, keyid)
            if record is None:
                record = KeyRecord(
                    keyid, self.key.public.vkey, "author", self.key.name, "human", "active", keyid, 0
                )
            state.put_key(record)
            lineages.add(record.lineage)
        state.put_study(
            StudyRecord(
                self.id,
                self.secrets.index,
                self.secrets.leaf,
                frozenset(lineages),
                sealed=True,
                revealed=True,
            )
        )
        rights = Authority(state)
        for number, envelope in enumerate(statements, 1):
            rights.apply(number, rights.open(envelope))

    def _files(self) -> dict[str, Path]:
        return {digest: Path(place) for digest, place in self.secrets.files.items()}

    def _lay_out(self, place: Path, digest: str, name: str) -> Path:
        source = Path(self.secrets.files.get(digest, ""))
        target = place / digest / file_name(name)
        target.parent.mkdir()
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise StateError(
                f"an attached log is not where it was: {error.strerror}",
                where=str(source),
                remedy="put the file back; a sealed study's logs stay with their author until the reveal",
            ) from None
        with target.open("rb") as file:
            hasher = sha256()
            while chunk := file.read(1 << 20):
                hasher.update(chunk)
        if hasher.hexdigest() != digest:
            raise StateError(
                "an attached log was changed since", where=str(source), remedy="put the original file back"
            )
        return target
