"""The registry as the author of a sealed study meets it: here, or behind an address.

What an author does is the same in both cases. What differs is who signs a hazard seal, when a seal enters the log,
and that a registry elsewhere takes statements through its gate.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from leadline.errors import StateError
from leadline.ledger.authority import Authority
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Reveal
from leadline.ledger.statements import make_signed
from leadline.registry.sealing import outbox
from leadline.registry.sealing.entering import Entered, acceptable, said_in
from leadline.registry.sealing.fielding import append_fields
from leadline.registry.sealing.holding import hold, hold_message
from leadline.registry.sealing.outbox import Own, deposits, register_deposit, sign_deposit, silent_slots
from leadline.registry.sealing.waiting import enqueue, enter_seal
from leadline.registry.sealing.writing import admit, append_signed, installation_key
from leadline.store import Appended, ReadView
from leadline.store.projections.seals import slots

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: The log index of a seal that waits for the week's round.
WAITING = -1


@dataclass(frozen=True, slots=True)
class Submitted:
    """A signed seal as it is handed in: with its body, the public key for its slots, and who its author is.

    `introduction` announces the author's key; None for a hazard seal, which names no author.
    """

    study: str
    envelope: bytes
    body: bytes
    deposit_public: bytes
    introduction: bytes | None


class Office(Protocol):
    """What a sealed study's author asks of the registry. `own` is the key made for this seal alone."""

    def sign_hazard(self, said: Mapping[str, Any], author: SigningKey) -> bytes:
        """A hazard seal, signed by the installation; the author's key shows that its holder may seal here."""
        ...

    def take_seal(self, seal: Submitted, *, wait: bool) -> int:
        """Take a seal in; its log index, or `WAITING`."""
        ...

    def deposit(self, study: str, own: SigningKey, sequence: int, after: int, slot: bytes) -> None:
        """Keep a slot for the next batch."""
        ...

    def own(self, study: str, own: SigningKey) -> Own:
        """What belongs to the study alone."""
        ...

    def hold(self, study: str, own: SigningKey) -> None:
        """Keep the study from being opened by itself."""
        ...

    def open_fields(self, said: Reveal, body: bytes, own: SigningKey, *, hazard: bool) -> Appended:
        """Log a reveal of fields, signed by whoever sealed."""
        ...

    def reveal(
        self,
        introduction: bytes | None,
        envelope: bytes,
        later: Sequence[bytes],
        missing: Mapping[bytes, str],
        opened: Collection[int],
    ) -> tuple[Appended, Entered]:
        """Log a whole reveal, behind the announcement of the author's key, and the statements `later` behind it.

        `opened` are the batches whose slots it opens: StateError when there is one more by now.
        """
        ...

    def enter(self, statements: Sequence[bytes], missing: Mapping[bytes, str]) -> Entered:
        """Log statements made under seal, after the reveal."""
        ...

    @property
    def recomputes(self) -> bool:
        """Whether the registry computes a report again by itself before it takes it."""
        ...


def office_of(registry: "Registry") -> Office:
    """The office of a registry: this process where its keys are here, its API where it is elsewhere."""
    from leadline.store.remote.store import RemoteStore

    if isinstance(registry.store, RemoteStore):
        from leadline.registry.sealing.elsewhere import Elsewhere

        return Elsewhere(registry, registry.store)
    return Here(registry)


@dataclass(frozen=True, slots=True)
class Here:
    """The office of a registry whose keys are at hand."""

    registry: "Registry"
    recomputes: bool = False

    def sign_hazard(self, said: Mapping[str, Any], author: SigningKey) -> bytes:  # noqa: ARG002
        """By the installation's key."""
        return make_signed("seal", said, installation_key(self.registry))

    def take_seal(self, seal: Submitted, *, wait: bool) -> int:
        """At once, unless it is to wait."""
        register_deposit(self.registry, seal.study, seal.deposit_public)
        self.registry.store.put_blob(seal.body)
        if wait:
            enqueue(self.registry, seal.envelope, seal.introduction)
            return WAITING
        return enter_seal(self.registry, seal.envelope, seal.introduction).index

    def deposit(self, study: str, own: SigningKey, sequence: int, after: int, slot: bytes) -> None:
        """Into the outbox."""
        signature = sign_deposit(own, study, sequence, after, slot)
        outbox.deposit(self.registry, study, slot, sequence=sequence, after=after, signature=signature)

    def own(self, study: str, own: SigningKey) -> Own:  # noqa: ARG002
        """Whoever holds the installation's secret needs no signature."""
        return Own(silent_slots(self.registry, study), deposits(self.registry, study))

    def hold(self, study: str, own: SigningKey) -> None:
        """Onto the shelf."""
        hold(self.registry, study, own.sign(hold_message(study)))

    def open_fields(self, said: Reveal, body: bytes, own: SigningKey, *, hazard: bool) -> Appended:  # noqa: ARG002
        """Signed by the author's key, or the installation's."""
        signer = installation_key(self.registry) if hazard else self.registry.author()
        return append_fields(self.registry, said, body, signer)

    def reveal(
        self,
        introduction: bytes | None,
        envelope: bytes,
        later: Sequence[bytes],
        missing: Mapping[bytes, str],
        opened: Collection[int],
    ) -> tuple[Appended, Entered]:
        """All in one transaction."""
        first = [envelope] if introduction is None else [introduction, envelope]
        said = said_in(envelope)
        assert isinstance(said, Reveal), "the caller passes a reveal"
        study = said.study
        left: dict[str, str] = {}

        def build(view: ReadView, rights: Authority) -> list[bytes]:
            left.clear()
            if {batch for batch, _ in slots(view, study)} != set(opened):
                raise StateError(
                    "a batch was logged while the reveal was being made, and a whole reveal opens every slot",
                    where=study,
                    remedy="reveal it again",
                )
            passed = admit(rights, view, first)
            return [*passed, *acceptable(rights, view.size() + len(passed), later, missing, left)]

        receipts = append_signed(self.registry, build)
        place = len(first)
        return receipts[place - 1], Entered(receipts[place:], left)

    def enter(self, statements: Sequence[bytes], missing: Mapping[bytes, str]) -> Entered:
        """In one transaction."""
        left: dict[str, str] = {}

        def build(view: ReadView, rights: Authority) -> list[bytes]:
            left.clear()
            return acceptable(rights, view.size(), statements, missing, left)

        return Entered(append_signed(self.registry, build), left)
