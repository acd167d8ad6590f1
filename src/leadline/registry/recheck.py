"""Verification: from a certificate alone, and of a whole study from its record."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.errors import Explained, InputError, IntegrityError, NotFoundError, ProofError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.certificate import Certificate, verify_certificate
from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.keys import VerifyKey
from leadline.ledger.policy import Policy
from leadline.ledger.predicates import Freeze
from leadline.ledger.statements import parse
from leadline.protocol.model import Protocol
from leadline.store.projections.attachments import attachments
from leadline.store.projections.reports import ReportRow

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.registry.study import Study

#: What no registry can show; printed with every verification.
LIMIT = "no digest shows that wholly invented samples are real"


@dataclass(frozen=True, slots=True)
class CertificateCheck:
    """What a certificate proves: which study was frozen, at which place of which log, and by which key."""

    study: str
    title: str
    protocol_digest: str
    created: str
    index: int
    size: int
    origin: str
    keyid: str
    author_verified: bool
    protocol_matches: bool | None
    cosigned: tuple[tuple[str, int], ...]
    """Cosigners that the policy knows, with the POSIX second of each."""
    time: int | None
    """The POSIX second by which the policy's quorum had cosigned."""
    standing: str
    """Who vouches for the time: cosigners by name, or "single-operator timestamp"."""
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """The finding, one fact a line."""
        said = (
            "signature verified" if self.author_verified else "signature not checked: pass the author's key"
        )
        lines = [
            f"study {self.study}: {self.title}",
            f"frozen as entry {self.index} of {self.origin}, under a signed tree of {self.size} entries",
            f"protocol sha256 {self.protocol_digest}",
            f"author key {self.keyid} ({said})",
            f"claimed time {self.created}",
            *([self.standing] if self.cosigned else []),
        ]
        if self.protocol_matches is not None:
            lines.append("the protocol given is the one that was frozen")
        return [*lines, *(f"note: {warning}" for warning in self.warnings)]


def verify_certificate_file(
    path: Path,
    log_key: str | Path | None,
    *,
    protocol: Path | None = None,
    author: str | None = None,
    policy: Policy | None = None,
) -> CertificateCheck:
    """Verify a certificate offline with nothing but the log's public key (a vkey or a file holding one).

    A `policy` must be satisfied by its checkpoint; where the policy lists logs, no key is needed. `protocol` is compared with what was frozen; `author` is the author's vkey, to verify the signature too.
    Raises ProofError, SignatureError or IntegrityError when anything does not hold.
    """
    text = _read(path)
    certificate = Certificate.parse(text)
    if certificate.envelope is None:
        raise ProofError(
            "this proof file does not carry the statement it proves",
            where=str(path),
            remedy="use the certificate that `leadline register` wrote",
        )
    log_keys = [] if log_key is None else [key_text(log_key)]
    verified = verify_certificate(text, certificate.envelope, log_keys, policy=policy)
    envelope = decode(certificate.envelope)
    statement = parse(envelope.payload)
    said = statement.predicate
    if not isinstance(said, Freeze):
        raise ProofError(
            f"this certificate is of a {statement.kind} statement, not of a registration", where=str(path)
        )
    if author is not None:
        key = VerifyKey.parse(key_text(author))
        if key.fingerprint != envelope.keyid:
            raise ProofError("the statement was signed by another key than the one given", where=str(path))
        key.verify(envelope.message(), envelope.signature)
    return CertificateCheck(
        study=study_id(verified.leaf_hash),
        title=said.title,
        protocol_digest=said.protocol,
        created=said.created,
        index=verified.index,
        size=verified.size,
        origin=verified.origin,
        keyid=envelope.keyid,
        author_verified=author is not None,
        protocol_matches=None if protocol is None else _same_protocol(protocol, said.protocol),
        cosigned=tuple((one.key.name, one.time) for one in verified.cosignatures),
        time=verified.time,
        standing=verified.standing(),
        warnings=(*verified.warnings, LIMIT),
    )


def _same_protocol(path: Path, digest: str) -> bool:
    found = Protocol.load(path).digest
    if found != digest:
        raise IntegrityError(
            f"this protocol has digest {found}, the frozen one {digest}",
            where=str(path),
            remedy="it was changed after the freeze; ask for the frozen protocol (`leadline export ID`)",
        )
    return True


def key_text(key: str | Path) -> str:
    """A vkey given as text, or as a file that holds it."""
    if isinstance(key, str) and "+" in key and not Path(key).exists():
        return key
    try:
        return Path(key).read_text().strip()
    except OSError:
        raise NotFoundError(
            "there is no such key file",
            where=str(key),
            remedy="pass the log's public key: the text name+id+base64, or a file that holds it (log.vkey)",
        ) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(1_000_001)
    except OSError as error:
        raise NotFoundError(f"the certificate cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > 1_000_000:
        raise InputError("this is too long for a certificate", where=str(path))
    return data


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was verified: whether it holds, and what was seen.

    `ok` is None where there is nothing left to look at, because bytes were taken down; the detail has the reason.
    """

    name: str
    ok: bool | None
    detail: str


def verify_study(
    registry: "Registry", study: str, *, recompute: bool = True, policy: Policy | None = None
) -> Iterator[Step]:
    """Verify everything a study rests on, step by step: proofs, signatures, bytes, and the computed report.

    The checkpoint must satisfy the `policy`, if one is given. A failing step is yielded with ``ok=False`` and says
    what is wrong, one about bytes that were taken down with ``ok=None``; later steps still run.
    """
    found, store = registry.study(study), registry.store
    yield step("registration", lambda: _registration(registry, found.id))
    if policy is not None:
        yield step("policy", lambda: satisfied(policy, found.certificate, found.envelope, registry.home.log))
    gone = store.taken_down(found.row.protocol)
    if gone is not None:
        yield absent("protocol", gone)
    else:
        yield step(
            "protocol",
            lambda: (
                f"sha256 {found.protocol.digest}"
                if found.protocol.digest == found.row.protocol
                else _fail("the stored protocol is not the one that was frozen")
            ),
        )
    for digest, row in sorted(found.files.items()):
        reason = store.taken_down(digest)
        gone = gone or reason
        name = f"log {row.name}"
        yield step(name, partial(_blob, registry, digest)) if reason is None else absent(name, reason)
    published = found.reports
    if not published:
        return
    reason = store.taken_down(published[-1].report)
    gone = gone or reason
    report = step("report", lambda: _blob(registry, published[-1].report))
    yield report if reason is None else absent("report", reason)
    if recompute and gone is not None:
        yield CANNOT_RECOMPUTE
    elif recompute:
        yield step("recomputed report", lambda: _recomputed(found, published[-1]))


def absent(name: str, reason: str) -> Step:
    """The step about bytes that were taken down."""
    return Step(name, None, f"taken down: {reason}")


#: What is left to say of a report that rests on bytes that were taken down.
CANNOT_RECOMPUTE = Step(
    "recomputed report", None, "it rests on what was taken down, so nobody can compute it again"
)


def satisfied(policy: Policy, certificate: bytes, envelope: bytes, log: VerifyKey) -> str:
    """Who cosigned a certificate's checkpoint, where that is enough for the policy; SignatureError where not."""
    return verify_certificate(certificate, envelope, [log], policy=policy).standing()


def step(name: str, action: Callable[[], str]) -> Step:
    """Do one verification; what it raises becomes a step that does not hold."""
    try:
        return Step(name, True, action())
    except Explained as error:
        return Step(name, False, str(error))


def _fail(what: str) -> str:
    raise IntegrityError(what, remedy="run `leadline fsck`, and compare with another copy of the registry")


def _registration(registry: "Registry", study: str) -> str:
    found = registry.study(study)
    verified = verify_certificate(
        found.certificate, found.envelope, [registry.home.log], origin=registry.home.origin
    )
    if study_id(verified.leaf_hash) != study:
        _fail("the entry at this place belongs to another study")
    return f"entry {verified.index} of {verified.origin}, tree of {verified.size} ({', '.join(verified.warnings)})"


def _blob(registry: "Registry", digest: str) -> str:
    hasher = sha256()
    size = 0
    with registry.store.open_blob(digest) as source:
        while chunk := source.read(1 << 20):
            hasher.update(chunk)
            size += len(chunk)
    if hasher.hexdigest() != digest:
        _fail(f"bytes are not those of {digest}")
    return f"{size:,} bytes, sha256 {digest}"


def _recomputed(study: "Study", published: ReportRow) -> str:
    return same_report(study.registry.store.blob(published.report), study.analyze_as_of_report(published))


def same_report(published: bytes, again: bytes) -> str:
    """Compare a report, byte for byte, with the one computed again; IntegrityError when they differ."""
    if again != published:
        engines = _engine(published), _engine(again)
        if engines[0] != engines[1]:
            raise IntegrityError(
                f"computing it again gives other bytes: it was computed by {engines[0]}, this is {engines[1]}",
                remedy=f"compute it with {engines[0]}, and compare that",
            )
        _fail(f"computing it again with the same engine gives other bytes, sha256 {sha256_hex(again)}")
    return "byte for byte the same"


def _engine(report: bytes) -> str:
    """The engine a report names; "an unknown engine" for bytes that are no report."""
    try:
        return str(json.loads(report)["engine"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return "an unknown engine"


def studies_of_log(registry: "Registry", path: Path) -> list[tuple[str, int | None]]:
    """The (study, attempt) pairs a log file is attached to, found by its digest; NotFoundError for none."""
    hasher = sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                hasher.update(chunk)
    except OSError as error:
        raise NotFoundError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    rows = attachments(registry.store, sha256=hasher.hexdigest())
    if not rows:
        raise NotFoundError(
            f"no study has a log with sha256 {hasher.hexdigest()}",
            where=str(path),
            remedy="the file was never attached, or it was changed after it was: fetch the attached copy with `leadline export`",
        )
    return [(row.study, row.attempt) for row in rows]
