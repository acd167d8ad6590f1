"""`submit`: statements that were signed elsewhere enter the log, in one transaction, or not at all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, StateError
from leadline.ledger.predicates import Predicate
from leadline.registry.intake.door import Admitted, admit
from leadline.registry.intake.examine import Examined, Scan, examine, facts_of
from leadline.registry.intake.wanted import MissingBlobsError, Offered
from leadline.store import Appended, Draft, ReadView

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: Statements in one submission.
MAX_STATEMENTS: Final = 64


def submit(
    registry: "Registry", envelopes: Sequence[bytes], blobs: Sequence[bytes] = (), *, scan: Scan | None = None
) -> list[Appended]:
    """Append statements that were signed elsewhere; one receipt per envelope, in order.

    The same checks as the registry's own methods make: signature and rights first, since they are cheap; then
    what each statement refers to. A plan must execute, a log must be readable and is as the statement describes
    it, and a report must be, byte for byte, what the analysis gives when it is computed again here. `blobs` are
    bytes brought along; others wait in `Staging`. `scan` looks at each log before it becomes public.

    Safe to repeat: bytes that are in the log already, a plan frozen before by the same key, and the newest
    report again are answered with the first entry. Raises StatementError, SignatureError, InputError,
    StateError (`MissingBlobsError` lists what to upload); nothing was appended then.
    """
    if not 1 <= len(envelopes) <= MAX_STATEMENTS:
        raise InputError(
            f"{len(envelopes)} statements in one submission", remedy=f"send 1 to {MAX_STATEMENTS} at a time"
        )
    offered = Offered(registry, blobs)
    with registry.store.snapshot() as view:
        at_the_door = admit(registry, view, envelopes)
    _require_blobs(at_the_door, offered)
    examined = {
        one.envelope: examine(registry, one.entry.key, one.entry.statement.predicate, offered, scan)
        for one in at_the_door
        if one.entry is not None
    }
    for one, keyid, _ in _new(at_the_door):
        _keep(registry, keyid, examined[one.envelope], offered)
    receipts = _append(registry, envelopes, examined)
    for one, keyid, _ in _new(at_the_door):
        offered.settle(keyid, examined[one.envelope].blobs)
    return receipts


def _append(
    registry: "Registry", envelopes: Sequence[bytes], examined: dict[bytes, Examined]
) -> list[Appended]:
    def build(view: ReadView) -> list[Draft]:
        passed = admit(registry, view, envelopes, verify=False)
        for one, _, said in _new(passed):
            _require_unchanged(view, said, examined.get(one.envelope))
        return [Draft(one.envelope) for one in passed]

    if registry.home.signing is None:
        raise StateError(
            "this registry's private log key is not here, so nothing can be added",
            where=str(registry.home.folder),
            remedy="submit to the machine that holds the key, or restore log.key",
        )
    return registry.store.append(build, sign=registry.sign_checkpoint)


def _new(passed: Sequence[Admitted]) -> list[tuple[Admitted, str, Predicate]]:
    """Those that are not in the log yet, with the signer's fingerprint and what they say."""
    return [
        (one, one.entry.key.fingerprint, one.entry.statement.predicate)
        for one in passed
        if one.entry is not None
    ]


def _require_blobs(passed: Sequence[Admitted], offered: Offered) -> None:
    missing = [
        digest
        for _, keyid, said in _new(passed)
        if said.kind != "report"  # a report is computed here
        for _, digest in said.blobs()
        if not offered.has(keyid, digest)
    ]
    if missing:
        raise MissingBlobsError(missing)


def _keep(registry: "Registry", keyid: str, examined: Examined, offered: Offered) -> None:
    if examined.body is not None:
        registry.store.put_blob(examined.body)
        return
    for digest in examined.blobs:
        offered.keep(keyid, digest)


def _require_unchanged(view: ReadView, said: Predicate, examined: Examined | None) -> None:
    """The record that a statement was examined against is still the record."""
    if examined is None:
        raise StateError(
            "the record changed while the statements were being checked",
            remedy="send them again",
        )
    study = getattr(said, "study", None)
    if examined.facts is not None and study is not None and facts_of(view, study) != examined.facts:
        meanwhile, remedy = _MEANWHILE[said.kind]
        raise StateError(f"the record of this study changed while {meanwhile}", where=study, remedy=remedy)


#: Of each kind that is examined against the record: what was done meanwhile, and what to do now.
_MEANWHILE: Final = {
    "report": (
        "its report was being computed",
        "report again: the new report takes in what was added",
    ),
    "reveal": (
        "its reveal was being checked",
        "make the reveal again: it must open the slot that a batch has added",
    ),
}
