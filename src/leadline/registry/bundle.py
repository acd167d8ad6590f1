"""Verifying an exported study from its files alone: nothing in the folder is believed that no statement proves."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from leadline.errors import InputError, IntegrityError, NotFoundError, ProofError
from leadline.ledger.authority import Authority
from leadline.ledger.canon import parse_strict
from leadline.ledger.certificate import SUFFIX, Verified, verify_certificate
from leadline.ledger.fields import LogFile
from leadline.ledger.ids import study_id
from leadline.ledger.keys import VerifyKey
from leadline.ledger.policy import Policy
from leadline.ledger.predicates import Amend, Attach, Freeze, Key, Predicate, Report, Seal, Withdraw
from leadline.ledger.predicates import Attempt as AttemptStatement
from leadline.ledger.tlog.tile import MAX_ENTRY
from leadline.logs import read_logs
from leadline.protocol.model import Protocol
from leadline.registry.recheck import CANNOT_RECOMPUTE, LIMIT, Step, absent, same_report, satisfied, step
from leadline.registry.statements import ENVELOPE, TAKEN_DOWN, log_path
from leadline.registry.unsealing import REVEALED, SLOTS, unseal
from leadline.verdict.analysis import analyze
from leadline.verdict.model import Attempt, Registration
from leadline.verdict.needs import closed_with, required_columns
from leadline.verdict.reading import elsewhere_in

#: What a folder cannot show; printed with every verification of one.
LIMITS = (
    LIMIT,
    "a folder shows what is in it: whether the study said more later, only the log's whole record shows",
)
_MOST_STATEMENTS = 20_000
_MOST_BYTES = 1 << 26
_NAME = re.compile(rf"(0|[1-9]\d{{0,18}}){re.escape(ENVELOPE)}", re.ASCII)
_STATES: Final[dict[str, Literal["open", "closed", "abandoned"]]] = {
    "open": "open",
    "close": "closed",
    "abandon": "abandoned",
}
_REMEDY = "this folder is not as `leadline export` wrote it: ask for it again, and compare with another copy"


@dataclass(frozen=True, slots=True)
class Proven:
    """A statement that the log holds at `index`, rightly signed by the key with fingerprint `signer`.

    `committed` is the index of the batch that committed to it, where it was made under seal.
    """

    index: int
    leaf_hash: bytes
    said: Predicate
    signer: str = ""
    committed: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What the proven statements say of one study up to some log index."""

    registration: Registration
    attempts: tuple[Attempt, ...]
    logs: dict[str, LogFile]
    """Every attached file by digest, as it was attached first."""
    reports: tuple[tuple[int, Report], ...]
    withdrawn: str | None


def is_bundle(folder: Path) -> bool:
    """Whether a folder looks like an exported study."""
    return (folder / "protocol.json").is_file() and (folder / "freeze.dsse.json").is_file()


def verify_bundle(
    folder: Path, log_key: VerifyKey, *, recompute: bool = True, policy: Policy | None = None
) -> Iterator[Step]:
    """Verify an exported study with nothing but the log's public key, step by step.

    Proofs, signatures and rights of its statements come first; then certificate, protocol, logs and reports
    are compared with what they say, and the newest report is computed again from the files. The certificate's
    checkpoint must satisfy the `policy`, if one is given. A failing step is yielded with ``ok=False`` and says what
    is wrong; without proven statements no later step can run. What is not in the folder because it was taken down,
    as the folder itself says, is yielded with ``ok=None``.
    """
    proven: list[Proven] = []
    yield step("statements", lambda: _statements(folder, log_key, proven))
    if any(isinstance(one.said, Seal) for one in proven):
        yield step("seal", lambda: _opened(folder, proven))
    freeze = next((one for one in proven if isinstance(one.said, Freeze)), None)
    if freeze is None:
        return
    record = record_of(proven)
    yield step("certificate", lambda: _certificate(folder, log_key, freeze))
    if policy is not None:
        yield step("policy", lambda: _satisfied(policy, folder, log_key, freeze))
    yield step("protocol", lambda: _protocol(folder, freeze))
    if record.withdrawn is not None:
        yield Step("state", True, f"withdrawn: {record.withdrawn}")
    gone = taken_down_in(folder)
    logs = [
        _file_step(f"log {log.name}", folder / log_path(digest, log.name), digest, gone)
        for digest, log in sorted(record.logs.items())
    ]
    yield from logs
    for index, said in record.reports:
        logs.append(_file_step(f"report {index}", folder / f"report-{index}.json", said.report, gone))
        yield logs[-1]
    yield step("nothing else", lambda: _nothing_else(folder, record))
    if recompute and record.reports:
        if any(one.ok is None for one in logs):
            yield CANNOT_RECOMPUTE
        else:
            yield step("recomputed report", lambda: _recomputed(folder, proven, all(one.ok for one in logs)))


def study_of(folder: Path) -> str | None:
    """The id in the name of the folder's certificate; None where there is not exactly one. Nothing is verified."""
    names = [path.name.removesuffix(SUFFIX) for path in folder.glob(f"LL-*{SUFFIX}")]
    return names[0] if len(names) == 1 else None


def record_of(proven: Sequence[Proven], before: int | None = None) -> Record:
    """What statements of one study, in log order, say of it; only those below log index `before`, if given.

    The first freeze is the study's; InputError when there is none.
    """
    said = [one for one in proven if before is None or one.index < before]
    freeze = next((one for one in said if isinstance(one.said, Freeze)), None)
    if freeze is None or not isinstance(freeze.said, Freeze):
        raise InputError("no statement here freezes a protocol", remedy=_REMEDY)
    amended: list[str] = []
    attempts: dict[int, Attempt] = {}
    logs: dict[str, LogFile] = {}
    reports: list[tuple[int, Report]] = []
    withdrawn = None
    for one in said:
        match one.said:
            case Amend(protocol=protocol):
                amended.append(protocol)
            case AttemptStatement() as attempt:
                attempts[attempt.number] = _attempt(attempts.get(attempt.number), one, attempt)
            case Attach(logs=files):
                for file in files:
                    logs.setdefault(file.sha256, file)
            case Report() as report:
                reports.append((one.index, report))
            case Withdraw(reason=reason):
                withdrawn = reason
            case _:
                pass
    registration = Registration(
        study=study_id(freeze.leaf_hash),
        digest=freeze.said.protocol,
        index=freeze.index,
        leaf_hash=freeze.leaf_hash,
        created=_time(freeze.said.created),
        amended=tuple(amended),
    )
    return Record(registration, tuple(attempts.values()), logs, tuple(reports), withdrawn)


def _attempt(before: Attempt | None, one: Proven, said: AttemptStatement) -> Attempt:
    """The attempt after this statement about it."""
    if before is None:
        index = one.index if one.committed is None else one.committed
        before = Attempt(said.number, one.leaf_hash.hex(), index, _time(said.created), "open")
    return replace(
        before,
        status=_STATES[said.action],
        logs=tuple(sorted({*before.logs, *said.logs})),
        note=before.note if said.note is None else said.note,
    )


def taken_down_in(folder: Path) -> dict[str, str]:
    """What a folder says was taken down: reasons by digest. Nothing proves it, and it excuses only what is not there."""
    path = folder / TAKEN_DOWN
    if not path.is_file():
        return {}
    try:
        said = parse_strict(_read(path, 1 << 24))
    except InputError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {digest: reason for digest, reason in said.items() if isinstance(reason, str)}


def _file_step(name: str, path: Path, digest: str, gone: Mapping[str, str]) -> Step:
    if digest in gone and not path.exists():
        return absent(name, f"{gone[digest]} (so the folder says; the registry's record of it is signed)")
    return step(name, partial(_same_bytes, path, digest))


# -- steps ----------------------------------------------------------------------------------------


def _statements(folder: Path, log_key: VerifyKey, proven: list[Proven]) -> str:
    """Fill `proven` with every statement of the folder, or raise: all hold, under one tree, about one study."""
    names = (_NAME.fullmatch(path.name) for path in (folder / "statements").glob(f"*{ENVELOPE}"))
    indexes = sorted(int(name[1]) for name in names if name)
    if not indexes:
        raise NotFoundError("the folder has no statements", where=str(folder / "statements"), remedy=_REMEDY)
    if len(indexes) > _MOST_STATEMENTS:
        raise InputError(f"the folder has more than {_MOST_STATEMENTS:,} statements", where=str(folder))
    authority = Authority(log_keys=[log_key], origin=log_key.name)
    held: list[Proven] = []
    trees: set[tuple[int, bytes]] = set()
    for index in indexes:
        path = folder / "statements" / f"{index}{ENVELOPE}"
        envelope = _read(path, MAX_ENTRY)
        found = verify_certificate(_read(path.with_name(f"{index}{SUFFIX}"), 1 << 20), envelope, [log_key])
        _same_place(found, index, path)
        trees.add((found.size, found.root))
        opened = authority.admit(index, envelope)
        held.append(Proven(index, found.leaf_hash, opened.statement.predicate, opened.key.fingerprint))
    if len(trees) > 1:
        raise ProofError(
            "the proofs are under different trees, so they need not be of one log",
            where=str(folder / "statements"),
            remedy=_REMEDY,
        )
    study = _one_study(held)
    proven.extend(held)
    ((size, _),) = trees
    return f"{len(held)} of {log_key.name}, about {study}, signed and proven under one tree of {size} entries"


def _same_place(found: Verified, index: int, path: Path) -> None:
    if found.index != index:
        raise ProofError(f"the proof is of entry {found.index}", where=str(path), remedy=_REMEDY)


def _one_study(held: Sequence[Proven]) -> str:
    promises = [one for one in held if isinstance(one.said, Freeze) or _is_seal(one.said)]
    if len(promises) != 1:
        raise InputError(
            f"an exported study has one freeze, not {len(promises)}", where="statements", remedy=_REMEDY
        )
    study = study_id(promises[0].leaf_hash)
    for one in held:
        if (
            one is not promises[0]
            and not isinstance(one.said, Key | Seal)
            and getattr(one.said, "study", "") != study
        ):
            raise InputError(
                f"entry {one.index} is not about {study}", where=f"statements/{one.index}", remedy=_REMEDY
            )
    return study


def _is_seal(said: Predicate) -> bool:
    return isinstance(said, Seal) and said.action == "study"


def _opened(folder: Path, proven: list[Proven]) -> str:
    """Put the freeze that the reveal opened in place of its seal, and each statement's batch beside it."""
    study = study_id(next(one.leaf_hash for one in proven if _is_seal(one.said)))
    files = (_read(folder / name) for name in (REVEALED, "protocol.json", SLOTS))
    found = unseal(proven, study, *files)
    proven[:] = [
        Proven(found.index, found.leaf_hash, found.opened.freeze, found.opened.envelope.keyid)
        if one.index == found.index
        else replace(one, committed=found.committed.get(one.leaf_hash))
        for one in proven
    ]
    many = len(found.committed)
    return f"opened by its reveal: freeze, every field, every slot; {many} statements were made under seal"


def _certificate(folder: Path, log_key: VerifyKey, freeze: Proven) -> str:
    study = study_id(freeze.leaf_hash)
    envelope = _read(folder / "freeze.dsse.json", MAX_ENTRY)
    found = verify_certificate(_read(folder / f"{study}{SUFFIX}", 1 << 20), envelope, [log_key])
    if found.leaf_hash != freeze.leaf_hash or found.index != freeze.index:
        raise ProofError("it proves another entry than the freeze", where=f"{study}{SUFFIX}", remedy=_REMEDY)
    return f"{study}, entry {found.index}, tree of {found.size} ({', '.join(found.warnings)})"


def _satisfied(policy: Policy, folder: Path, log_key: VerifyKey, freeze: Proven) -> str:
    name = f"{study_id(freeze.leaf_hash)}{SUFFIX}"
    envelope = _read(folder / "freeze.dsse.json", MAX_ENTRY)
    return satisfied(policy, _read(folder / name, 1 << 20), envelope, log_key)


def _protocol(folder: Path, freeze: Proven) -> str:
    assert isinstance(freeze.said, Freeze)
    said = _same_bytes(folder / "protocol.json", freeze.said.protocol)
    _frozen_protocol(folder, freeze.said.protocol)
    yaml = folder / "protocol.yaml"
    if yaml.is_file() and Protocol.load(yaml).digest != freeze.said.protocol:
        raise IntegrityError(
            "protocol.yaml is not the protocol that was frozen", where=str(yaml), remedy=_REMEDY
        )
    simulated, path = freeze.said.characteristics, folder / "characteristics.json"
    if simulated is not None and (path.exists() or simulated not in taken_down_in(folder)):
        _same_bytes(path, simulated)
    return said


def _frozen_protocol(folder: Path, digest: str) -> Protocol:
    protocol = Protocol.parse(_read(folder / "protocol.json"), name="protocol.json")
    if protocol.digest != digest:
        raise IntegrityError(
            f"this version reads the protocol as {protocol.digest}, not as the one that was frozen",
            where=str(folder / "protocol.json"),
            remedy="verify it with the version of Leadline that wrote the report",
        )
    return protocol


def _same_bytes(path: Path, digest: str) -> str:
    """Size and digest of a file; IntegrityError unless it has this digest, NotFoundError when it is not there."""
    hasher, size = sha256(), 0
    _require_file(path)
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                hasher.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise NotFoundError(f"cannot be read: {error.strerror}", where=str(path), remedy=_REMEDY) from None
    if hasher.hexdigest() != digest:
        raise IntegrityError(
            f"the bytes are not those of {digest}, which was signed", where=str(path), remedy=_REMEDY
        )
    return f"{size:,} bytes, sha256 {digest}"


def _nothing_else(folder: Path, record: Record) -> str:
    """No log and no report lies here that no statement names: a reader could take it for the study's."""
    known = {folder / log_path(digest, log.name) for digest, log in record.logs.items()}
    known |= {folder / f"report-{index}.json" for index, _ in record.reports}
    here = [path for path in (folder / "logs").rglob("*") if not path.is_dir()]
    stray = sorted({*here, *folder.glob("report-*.json")} - known)
    if stray:
        raise IntegrityError(
            f"no statement of the study names this file, nor {len(stray) - 1} more"
            if len(stray) > 1
            else "no statement of the study names this file",
            where=str(stray[0]),
            remedy="take it out of the folder; it is no part of the study",
        )
    logs, reports = len(here), len(record.reports)
    counted = f"{logs} log{'s' * (logs != 1)} and {reports} report{'s' * (reports != 1)}"
    return f"{counted}, each named by a statement"


def _recomputed(folder: Path, proven: Sequence[Proven], logs_hold: bool) -> str:
    """The newest report, computed from the files and the record as they were when it was published."""
    if not logs_hold:
        raise IntegrityError("a log is missing or was changed, so there is nothing to compute it from")
    index, published = record_of(proven).reports[-1]
    stored = _read(folder / f"report-{index}.json", _MOST_BYTES)
    if sha256(stored).hexdigest() != published.report:
        raise IntegrityError("the report in the folder is not the published one", remedy=_REMEDY)
    record = record_of(proven, before=index)
    protocol = _frozen_protocol(folder, record.registration.digest)
    with tempfile.TemporaryDirectory(prefix="leadline-") as empty:
        # Read with only the attached files in sight; an empty folder stands for "no logs".
        paths = [folder / log_path(digest, log.name) for digest, log in record.logs.items()] or [Path(empty)]
        samples = read_logs(
            paths,
            tier="sample",
            columns=list(required_columns(protocol)) or None,
            prefer=closed_with(record.attempts),
        )
    again = analyze(
        protocol,
        samples,
        registration=record.registration,
        attempts=record.attempts,
        elsewhere=elsewhere_in(stored),
    )
    return same_report(stored, again.to_json())


def _require_file(path: Path) -> None:
    """A device or pipe under this name would never end."""
    if not path.is_file():
        raise NotFoundError("there is no such file", where=str(path), remedy=_REMEDY)


def _read(path: Path, limit: int = _MOST_BYTES) -> bytes:
    _require_file(path)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise NotFoundError(f"cannot be read: {error.strerror}", where=str(path), remedy=_REMEDY) from None
    if len(data) > limit:
        raise InputError("is too long for what it is", where=str(path), remedy=_REMEDY)
    return data


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
