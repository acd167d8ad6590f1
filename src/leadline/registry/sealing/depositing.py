"""From the author's file to the outbox: the next piece of what waits, as a finished slot."""

from typing import TYPE_CHECKING

from leadline.ledger.dsse import decode
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Report
from leadline.ledger.sealing import slots as slotting
from leadline.ledger.sealing.opening import verdict_of
from leadline.ledger.statements import parse
from leadline.registry.sealing.office import office_of
from leadline.registry.sealing.secrets import SealSecrets
from leadline.store.projections.seals import seal as find_seal
from leadline.store.projections.seals import slots

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

_NEXT = 2**53 - 1


def deposit_pending(registry: "Registry", secrets: SealSecrets) -> int:
    """Read where the log put the seal and which slots it took, and deposit what still waits.

    Returns the bytes that wait.
    """
    note_place(registry, secrets)
    seen = slots(registry.store, secrets.study)
    if secrets.learn(seen):
        secrets.save()
    pending = secrets.pending()
    if pending:
        _deposit(registry, secrets, pending, seen[-1][0] if seen else -1)
    return len(pending)


def note_place(registry: "Registry", secrets: SealSecrets) -> None:
    """Remember where the seal stands, once it has entered the log."""
    row = find_seal(registry.store, secrets.study) if secrets.index < 0 else None
    if row is not None:
        secrets.index = row.ix
        secrets.save()


def _deposit(registry: "Registry", secrets: SealSecrets, pending: bytes, after: int) -> None:
    piece, verdict = _next_piece(secrets, pending)
    slot, opening = slotting.make_slot(piece, verdict, [secrets.content.author, secrets.content.release])
    secrets.sequence += 1
    secrets.made.append(opening)
    secrets.save()  # before the deposit: nothing may be committed to that nobody can open
    key = SigningKey("deposit", "author", secrets.content.deposit)
    office_of(registry).deposit(secrets.study, key, secrets.sequence, after, slot)


def _next_piece(secrets: SealSecrets, pending: bytes) -> tuple[bytes, bytes]:
    """The next piece of the stream, and the verdict of the newest report that ends in it."""
    verdict = _verdict_in(secrets, pending[: slotting.room()])
    piece = pending[: slotting.room(verdict)]
    verdict = _verdict_in(secrets, piece)
    return piece, verdict if len(piece) <= slotting.room(verdict) else slotting.NO_VERDICT


def _verdict_in(secrets: SealSecrets, piece: bytes) -> bytes:
    earlier = [(batch, one.piece) for batch, one in sorted(secrets.committed.items())]
    ended = [said for batch, said in slotting.records([*earlier, (_NEXT, piece)]) if batch == _NEXT]
    reports = [one for one in ended if isinstance(parse(decode(one).payload).predicate, Report)]
    verdict = verdict_of(reports) if reports else slotting.NO_VERDICT
    return verdict if len(verdict) <= slotting.MAX_VERDICT else slotting.NO_VERDICT
