"""The rules for seals, reveals and what a sealed study may say.

* An ordinary seal is signed by its author and counts under that key. A hazard seal, and a period's batch, are
  signed by an installation (an author key whose holder is a service), so that nobody shows.
* While a study is sealed, it says nothing in the open: its statements go into the batches.
* A whole reveal is its own proof. Only who knows the salts can open the commitments, so any author's key may sign
  it: the author's, the installation's, or one of a quorum of trustees. It gives rights to the keys that were
  committed to, and to no other. What does not open the commitments is refused, wherever the log is replayed.
* Some fields are opened by whoever sealed the study.
* What was signed under seal enters the log with the reveal. An author's key that was rotated meanwhile (after the
  seal, and not revoked) may therefore still have signed it: attempts, logs, amendments and reports, no withdrawal.
"""

from dataclasses import replace

from leadline.errors import SignatureError
from leadline.ledger.bench import Bench
from leadline.ledger.fields import OpenedKeys, Opening
from leadline.ledger.predicates import Reveal, Seal
from leadline.ledger.sealing.commitment import commit, commit_digest, keys_content
from leadline.ledger.state import KeyRecord, StudyRecord


def sealer(bench: Bench, said: Seal) -> KeyRecord:
    """The signer of a seal or batch, who must be of the kind that its tier demands."""
    signer = bench.signer("author")
    installation = said.action == "batch" or said.tier == "hazard"
    if (signer.holder_kind == "service") != installation:
        what = "a batch" if said.action == "batch" else f"a seal of the {said.tier} tier"
        raise bench.refused(
            f"{what} is signed by {'an installation' if installation else 'its author'}, not by {signer.holder}",
            "seal hazards through an installation, everything else with the author's key",
        )
    return signer


def opened(bench: Bench, study: StudyRecord, said: Reveal) -> StudyRecord:
    """The study after this reveal."""
    signer = bench.signer("author")
    if not study.sealed or study.revealed:
        raise bench.misplaced("this study is not sealed, or it is revealed already")
    if said.scope == "fields":
        if signer.lineage not in study.lineages:
            raise bench.refused(
                f"the key of {signer.holder} did not seal {study.study}",
                "open single fields with the key that sealed the study, or its successor",
            )
        return study
    freeze, keys = said.freeze, said.keys
    assert freeze is not None and keys is not None, "the model demands both for a whole reveal"
    if not _opens_freeze(study, freeze) or not _opens_keys(study, keys):
        raise SignatureError(
            f"the opening is not that of {study.study}",
            where=bench.where,
            remedy="open the seal with the salts that were drawn for it",
        )
    return replace(study, revealed=True, lineages=study.lineages | _lineages(bench, keys))


def require_open(bench: Bench, study: StudyRecord) -> None:
    """Refuse a statement in the open about a study that is sealed."""
    if study.sealed and not study.revealed:
        raise bench.misplaced(f"{study.study} is sealed: until it is revealed, it says nothing in the open")


def former_signer(bench: Bench, study: StudyRecord) -> KeyRecord | None:
    """The signer, if it is an author's key that was rotated since the study was sealed; None otherwise."""
    record = bench.state.key(bench.keyid)
    if not study.sealed or record is None or record.role != "author" or record.state != "rotated":
        return None
    return record if record.ended is not None and record.ended > study.index else None


def _opens_freeze(study: StudyRecord, opening: Opening) -> bool:
    made = commit_digest(bytes.fromhex(opening.salt), bytes.fromhex(opening.sha256))
    return made.hex() == study.commitment


def _opens_keys(study: StudyRecord, opening: OpenedKeys) -> bool:
    return commit(bytes.fromhex(opening.salt), keys_content(opening.keys)).hex() == study.keys


def _lineages(bench: Bench, opening: OpenedKeys) -> frozenset[str]:
    records = [bench.state.key(fingerprint) for fingerprint in opening.keys]
    known = [record for record in records if record is not None and record.role == "author"]
    if len(known) != len(records):
        raise bench.misplaced("the reveal names a key that the log does not know as an author's")
    return frozenset(record.lineage for record in known)
