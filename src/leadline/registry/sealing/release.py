"""Opening a seal without its author: a quorum of trustees, or the installation at the end of the embargo."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline.errors import Explained, IntegrityError, NotFoundError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.ledger.sealing.body import Content, open_body, open_share
from leadline.ledger.sealing.shares import Share
from leadline.ledger.sealing.shares import combine as combine_shares
from leadline.ledger.sealing.slots import records
from leadline.registry.sealing.holding import hold, sign_hold
from leadline.registry.sealing.office import office_of
from leadline.registry.sealing.private import INSTALLATION, load_identity
from leadline.registry.sealing.revealing import Revealed, reveal, slot_openings
from leadline.registry.sealing.secrets import SUFFIX, SealSecrets, folder
from leadline.registry.sealing.spaces import HELD
from leadline.store.projections.seals import seal as find_seal
from leadline.store.projections.seals import seal_body, seals

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

__all__ = [
    "Released", "body_of", "combine", "hold", "make_share", "recover", "releasable", "release_due",
    "reveal_with_shares", "sign_hold",
]  # fmt: skip


#: Identities and bodies, by digest, where the one does not open the other alone. Neither ever changes, a round of
#: tending asks about every overdue seal, and an answer costs sixteen key agreements.
_CLOSED: Final[set[tuple[str, str | None]]] = set()
_MOST_CLOSED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Released:
    """A study the installation opened at the end of its embargo, or (`why`) could not."""

    study: str
    revealed: Revealed | None
    why: str | None = None


def body_of(registry: "Registry", study: str) -> bytes:
    """The encrypted body of a seal; NotFoundError when no seal made this id."""
    digest = seal_body(registry.store, study)
    if digest is None:
        raise NotFoundError(f"there is no sealed study {study}", remedy="check the id")
    return registry.store.blob(digest)


def make_share(registry: "Registry", study: str, identity: str) -> Share:
    """A trustee's share of a seal; NotFoundError when this identity is no trustee's."""
    share = open_share(body_of(registry, study), identity)
    if share is None:
        raise NotFoundError(
            "this identity is no trustee of the study",
            where=study,
            remedy="check the id, or use another identity",
        )
    return share


def combine(registry: "Registry", study: str, shares: Sequence[Share]) -> tuple[str, Content]:
    """The release identity that a quorum's shares give, and the content it opens.

    Raises InputError for too few shares, IntegrityError when one of them was altered or is of another seal.
    """
    identity = age.identity_of(combine_shares(shares))
    content = open_body(body_of(registry, study), identity)
    if content is None:
        raise IntegrityError(
            "these shares do not open the seal: one was altered, or they are of another study",
            where=study,
            remedy="ask each trustee to make the share again",
        )
    return identity, content


def reveal_with_shares(
    registry: "Registry", study: str, shares: Sequence[Share], files: dict[str, Path] | None = None
) -> Revealed:
    """Reveal a study as a whole with the shares of a quorum; `files` are its logs, as far as they are at hand."""
    identity, content = combine(registry, study, shares)
    return reveal(registry, study, content, files=files, identity=identity)


def recover(registry: "Registry", study: str, identity: str, place: Path | None = None) -> SealSecrets:
    """Make the author's file again, from the sealed body and the batches, with the author's age identity.

    What no batch had committed to is lost; files are to be attached by their old places. Raises NotFoundError when
    the identity is not the author's, StateError when there is a file already.
    """
    content = open_body(body_of(registry, study), identity)
    row = find_seal(registry.store, study)
    if content is None or row is None:
        raise NotFoundError(
            "this identity does not open the seal", where=study, remedy="use the author's identity"
        )
    key = SigningKey("deposit", "author", content.deposit)
    own = office_of(registry).own(study, key)
    committed = slot_openings(registry, study, {}, identity, silent=own.silent)
    secrets = SealSecrets(
        study,
        row.ix,
        row.leaf,
        content,
        (place or folder()) / f"{study}{SUFFIX}",
        statements=[said for _, said in records([(b, one.piece) for b, one in sorted(committed.items())])],
        committed={batch: one for batch, one in committed.items() if one.piece},
        sequence=own.sequence,
    )
    secrets.save(new=True)
    return secrets


def release_due(
    registry: "Registry", today: date, *, going: Callable[[], bool] = lambda: True
) -> list[Released]:
    """Open every seal whose embargo has ended and which this installation alone can open, unless it is held back.

    Only where the installation is a trustee and its share is a quorum by itself. A seal that cannot be opened stays
    overdue; why not is in the answer, and nowhere in public. Safe to call again. None is begun once `going` says no.
    """
    identity = _identity(registry)
    if identity is None:
        return []
    found = []
    for study in _past_embargo(registry, today):
        if not going():
            break
        try:
            share = _quorum_alone(registry, study, identity)
            if share is None:
                continue
            found.append(Released(study, reveal_with_shares(registry, study, [share])))
        except (Explained, OSError) as error:  # one damaged seal must not keep the others shut
            found.append(Released(study, None, str(error)))
    return found


def releasable(registry: "Registry", today: date) -> list[str]:
    """The studies that `release_due` would try to open; changes nothing."""
    identity = _identity(registry)
    if identity is None:
        return []
    found = []
    for study in _past_embargo(registry, today):
        try:
            share = _quorum_alone(registry, study, identity)
        except (Explained, OSError):
            continue
        if share is not None:
            found.append(study)
    return found


def _identity(registry: "Registry") -> str | None:
    """The installation's age identity, where it has one."""
    path = registry.home.folder / INSTALLATION
    return load_identity(path) if path.exists() else None


def _quorum_alone(registry: "Registry", study: str, identity: str) -> Share | None:
    """The installation's share of a seal, where it opens the seal by itself."""
    pair = (sha256_hex(identity.encode()), seal_body(registry.store, study))
    if pair in _CLOSED:
        return None
    share = open_share(body_of(registry, study), identity)
    if share is not None and share.quorum == 1:
        return share
    if len(_CLOSED) >= _MOST_CLOSED:
        _CLOSED.clear()
    _CLOSED.add(pair)
    return None


def _past_embargo(registry: "Registry", today: date) -> Iterable[str]:
    from leadline.registry.lifecycle.withholding import is_withheld

    store = registry.store
    for row in reversed(seals(store, state="sealed")):
        held = store.shelf.get(HELD, row.id) is not None or is_withheld(store, row.id)
        if date.fromisoformat(row.embargo) < today and not held:
            yield row.id
