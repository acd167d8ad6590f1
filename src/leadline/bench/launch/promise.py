"""What a launch must know of its study: from the registry, or without one from the files `register` left behind."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leadline.errors import InputError, NotFoundError
from leadline.ledger.certificate import SUFFIX, Certificate
from leadline.ledger.dsse import decode
from leadline.ledger.ids import read_study_id, study_id
from leadline.ledger.predicates import Freeze
from leadline.ledger.statements import parse
from leadline.ledger.tlog import leaf_hash
from leadline.protocol.model import Protocol
from leadline.registry.study import Study
from leadline.verdict.model import Registration
from leadline.verdict.seeding import Seeds

#: A certificate is a few kilobytes, its statement at most 64.
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Promise:
    """A study's id, the log that knows it, the protocol as frozen, and what the ledger says of the freeze."""

    study: str
    origin: str
    protocol: Protocol
    registration: Registration

    @property
    def seeds(self) -> Seeds:
        """Every seed that the freeze decides."""
        return Seeds.of(self.registration.leaf_hash)


def of_study(study: Study) -> Promise:
    """The promise of a study whose registry can be reached."""
    return Promise(study.id, study.registry.home.origin, study.protocol, study.registration)


def of_files(study: str, protocol: Path, certificate: Path | None = None) -> Promise:
    """The promise as protocol and certificate tell it; the certificate lies beside the protocol unless named.

    Its signatures are not verified here: the registry's own record decides when the run is reconciled. Raises
    NotFoundError where a file is missing, InputError where the two are not of this study, ProofError for a file that
    is no certificate.
    """
    name = read_study_id(study)
    path = certificate or protocol.with_name(f"{name}{SUFFIX}")
    if not path.is_file():
        raise NotFoundError(
            "the certificate of the registration is not here",
            where=str(path),
            remedy="name it with --certificate; `leadline register` wrote it beside the protocol",
        )
    with path.open("rb") as file:
        proof = Certificate.parse(file.read(_LONGEST))
    loaded = Protocol.load(protocol)
    said = parse(decode(proof.envelope).payload).predicate if proof.envelope else None
    if not isinstance(said, Freeze) or study_id(leaf_hash(proof.envelope or b"")) != name:
        raise InputError(
            f"this is not the certificate of {name}", where=str(path), remedy=f"bring the file {name}{SUFFIX}"
        )
    if said.protocol != loaded.digest:
        raise InputError(
            f"this is not the protocol that was frozen as {name}",
            where=str(protocol),
            remedy="bring the file that was registered, unchanged",
        )
    registration = Registration(
        name, said.protocol, proof.index, leaf_hash(proof.envelope or b""), _time(said.created)
    )
    return Promise(name, proof.checkpoint.split(b"\n", 1)[0].decode("utf-8", "replace"), loaded, registration)


def _time(text: object) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
