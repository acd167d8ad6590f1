"""Appending envelopes that are signed already, in one transaction, after the ledger's own checks."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from leadline.errors import StateError
from leadline.ledger.authority import Authority
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.store import Appended, Draft, ReadView
from leadline.store.projections.authority import ViewState
from leadline.store.projections.authority import key as find_key

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


def append_signed(
    registry: "Registry", build: Callable[[ReadView, Authority], Sequence[bytes]]
) -> list[Appended]:
    """Append what `build` returns; it may try each envelope on the authority it is given.

    Raises StateError where the private log key is not at hand, and whatever the ledger's rules raise.
    """
    if registry.home.signing is None:
        raise StateError(
            "this registry's private log key is not here, so nothing can be added",
            where=str(registry.home.folder),
            remedy="work on the machine that holds the key, or restore log.key",
        )

    def drafts(view: ReadView) -> list[Draft]:
        return [Draft(one) for one in build(view, authority(registry, view))]

    return registry.store.append(drafts, sign=registry.sign_checkpoint)


def authority(registry: "Registry", view: ReadView) -> Authority:
    """The rights as of `view`; what is applied to it changes nothing else."""
    home = registry.home
    return Authority(ViewState(view), log_keys=[home.log], origin=home.origin, root_at=view.root)


def admit(rights: Authority, view: ReadView, envelopes: Sequence[bytes]) -> list[bytes]:
    """The envelopes, each checked at its place behind `view`; the ledger's errors pass through."""
    for index, envelope in enumerate(envelopes, view.size()):
        rights.apply(index, rights.open(envelope))
    return list(envelopes)


def introduction(key: SigningKey, holder: str, kind: str, time: str) -> bytes:
    """The signed statement with which a key announces itself."""
    said = {
        "action": "register",
        "role": key.role,
        "public": key.public.vkey,
        "holder": {"name": holder, "kind": kind},
        "time": time,
    }
    return make_signed("key", said, key)


def installation_key(registry: "Registry") -> SigningKey:
    """The key this installation signs seals and batches with; StateError where its private keys are not at hand."""
    return registry.home.ensure("installation")


def announced(registry: "Registry", view: ReadView, key: SigningKey, time: str) -> list[bytes]:
    """The installation's announcement of itself, unless the log knows it."""
    if find_key(view, key.fingerprint) is not None:
        return []
    return [introduction(key, registry.home.origin, "service", time)]
