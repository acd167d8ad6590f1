"""The office of a registry behind an address: everything leaves this machine signed or encrypted, and no secret does.

A seal waits there for the week's round. What is revealed goes through the registry's gate like any statement, in
several submissions, since it checks each against what the log holds already.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import InputError, IntegrityError, NotFoundError, QuotaError, SignatureError, StateError
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Reveal
from leadline.ledger.sealing.slots import SlotOpening
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.sealing.entering import Entered, said_in
from leadline.registry.sealing.fielding import fields_message
from leadline.registry.sealing.hazard import check_signed, seal_request
from leadline.registry.sealing.holding import hold_message
from leadline.registry.sealing.office import WAITING, Submitted
from leadline.registry.sealing.outbox import Own, question, sign_deposit
from leadline.store import Appended, Draft

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.store.remote.store import RemoteStore

_VALID: Final = timedelta(hours=2)
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The office of a registry that `store` reaches over its API."""

    registry: "Registry"
    store: "RemoteStore"
    recomputes: bool = True

    def sign_hazard(self, said: Mapping[str, Any], author: SigningKey) -> bytes:
        """Asked for with the author's key, which the registry forgets; the answer is held to what was asked."""
        origin, expires = self.registry.home.origin, self.registry.clock() + _VALID
        envelope = self.store.requests.sign_seal(
            seal_request(said, origin=origin, expires=expires, key=author)
        )
        check_signed(self.registry, said, envelope)
        return envelope

    def take_seal(self, seal: Submitted, *, wait: bool) -> int:  # noqa: ARG002
        """It waits there. The body of a hazard seal goes with it, since an upload would show its author's key."""
        alone = seal.introduction is None
        if not alone:
            self.store.put_blob(seal.body)
        known = alone or self._knows(seal.introduction)
        study = self.store.requests.send_seal(
            seal.envelope,
            seal.deposit_public,
            introduction=None if known else seal.introduction,
            body=seal.body if alone else None,
        )
        if study != seal.study:
            raise IntegrityError(
                f"the registry took the seal for {study[:40]}, and it is {seal.study}",
                remedy="do not rely on this registry; compare with a mirror of it",
            )
        return WAITING

    def deposit(self, study: str, own: SigningKey, sequence: int, after: int, slot: bytes) -> None:
        """Into the outbox there."""
        signature = sign_deposit(own, study, sequence, after, slot)
        self.store.requests.send_slot(study, slot, sequence, after, signature)

    def own(self, study: str, own: SigningKey) -> Own:
        """Asked for with the study's own key."""
        expires = (self.registry.clock() + _VALID).replace(microsecond=0)
        silent, sequence = self.store.requests.ask_own(study, expires, own.sign(question(study, expires)))
        return Own({batch: SlotOpening(salt, verdict) for batch, salt, verdict in silent}, sequence)

    def hold(self, study: str, own: SigningKey) -> None:
        """Signed with the study's own key."""
        self.store.requests.send_hold(study, own.sign(hold_message(study)))

    def open_fields(self, said: Reveal, body: bytes, own: SigningKey, *, hazard: bool) -> Appended:
        """By the author's key, or by the installation at the request of the study's own key."""
        if not hazard:
            fields = said.model_dump(mode="json", exclude_none=True)
            self.store.put_blob(body)
            return self.registry.append(lambda view: [("reveal", fields, self.registry.author())])[0]  # noqa: ARG005
        salts = dict(said.salts or {})
        signature = own.sign(fields_message(said.study, salts, body))
        index = self.store.requests.open_fields(said.study, salts, body, signature)
        entry = self.store.entry(index)
        logged = said_in(entry)
        if not isinstance(logged, Reveal) or (logged.study, logged.body) != (said.study, said.body):
            raise IntegrityError(
                f"entry {index} is not the reveal that was asked for",
                remedy="do not rely on this registry; compare with a mirror of it",
            )
        return Appended(index, leaf_hash(entry), self.store.checkpoint())

    def reveal(
        self,
        introduction: bytes | None,
        envelope: bytes,
        later: Sequence[bytes],
        missing: Mapping[bytes, str],
        opened: Collection[int],  # noqa: ARG002
    ) -> tuple[Appended, Entered]:
        """The author's key first, then the reveal, then what was said: each is checked against the log before it."""
        if introduction is not None:
            self._append([introduction])
        receipt = self._append([envelope])[0]
        return receipt, self.enter(later, missing)

    def enter(self, statements: Sequence[bytes], missing: Mapping[bytes, str]) -> Entered:
        """Several at a time; where the registry refuses, one by one, to know which it refuses and why."""
        found = Entered()
        found.left.update({leaf_hash(one).hex(): why for one, why in missing.items() if one in statements})
        ready = [one for one in statements if one not in missing]
        for first in range(0, len(ready), _AT_ONCE):
            part = ready[first : first + _AT_ONCE]
            try:
                found.receipts.extend(self._append(part))
            except QuotaError:
                raise
            except (InputError, StateError, NotFoundError, SignatureError):
                self._one_by_one(part, found)
        return found

    def _one_by_one(self, statements: Sequence[bytes], found: Entered) -> None:
        for envelope in statements:
            try:
                found.receipts.extend(self._append([envelope]))
            except QuotaError:
                raise
            except (InputError, StateError, NotFoundError, SignatureError) as error:
                found.left[leaf_hash(envelope).hex()] = error.message

    def _append(self, envelopes: Sequence[bytes]) -> list[Appended]:
        def nothing(size: int, root: bytes) -> bytes:  # noqa: ARG001
            return b""  # the registry signs its checkpoints itself

        return self.store.append(lambda view: [Draft(one) for one in envelopes], sign=nothing)  # noqa: ARG005

    def _knows(self, introduction: bytes | None) -> bool:
        from leadline.ledger.dsse import decode
        from leadline.store.projections.authority import key as find_key

        return introduction is None or find_key(self.store, decode(introduction).keyid) is not None
