"""The one gate through which strangers write: quotas first, then rights, then signatures.

API and MCP hand what they receive to the same `Gate`, so that there is one policy whichever door somebody takes. An
address pays for everything it sends. A key pays only for what it signed and what was new: envelopes are public, so
anybody could otherwise use up somebody's quota by sending them again, or by signing badly in their name.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, SignatureError, StatementError
from leadline.ledger.dsse import Envelope, check_signature, decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Key, Seal
from leadline.ledger.statements import Statement, parse
from leadline.ledger.tlog import leaf_hash
from leadline.registry.access import OF_KIND, Access, Caller, Scope
from leadline.registry.intake.examine import Scan
from leadline.registry.intake.places import FREE, AddressPurse, Purse
from leadline.registry.intake.submission import MAX_STATEMENTS, submit
from leadline.store.projections.authority import key as find_key

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.store import Appended

_KEY_SCOPE: Final = OF_KIND["key"]


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that came with a request, and what raises unless the key that the request claims has signed it."""

    token: str
    require_signed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Gate:
    """Where statements and requests come in: the registry, its policy (None: everybody may), and the scan of logs."""

    registry: "Registry"
    access: Access | None = None
    scan: Scan | None = None

    def let_in(
        self, envelopes: Sequence[bytes], *, address: str, invitation: str | None = None
    ) -> "Incoming":
        """Envelopes that were charged to the client's `address` and to their keys, and whose keys may say such things.

        Signatures are checked only where an `invitation` is redeemed, which is for the keys that signed. Raises
        InputError for too many or none, StatementError for what is no statement or has another door, QuotaError,
        NotAllowedError for a key without the scope, NotFoundError for an invitation that there is not.
        """
        if not 1 <= len(envelopes) <= MAX_STATEMENTS:
            raise InputError(
                f"{len(envelopes)} statements in one submission",
                remedy=f"send 1 to {MAX_STATEMENTS} at a time",
            )
        signers = tuple(_signer(envelope) for envelope in envelopes)
        if any(isinstance(statement.predicate, Seal) for _, statement in signers):
            # A seal that entered at once would tell by its place when it was made.
            raise StatementError(
                "a seal enters the log with the week's batch, not by itself",
                remedy="send it to POST /api/v1/seals",
            )
        incoming = Incoming(self, tuple(envelopes), signers)
        self._allow(incoming, address, invitation)
        return incoming

    @contextmanager
    def request(
        self, keyid: str, scope: Scope | None, *, address: str, invited: Invited | None = None
    ) -> Iterator[None]:
        """Around the work on one request that claims to be signed by `keyid`, which needs `scope` (None: no scope).

        Charged as a statement before; given back to the key where the work does not succeed, since nothing shows
        then that the key has asked. Where somebody is `invited`, the invitation is redeemed for the key.
        """
        if self.access is None:
            yield
            return
        self.access.charge_statements(Caller(address, keyid), 1)
        try:
            if invited is not None:
                invited.require_signed()  # or whoever holds the token could use it up for a key of nobody
                self.access.redeem(invited.token, keyid)
            if scope is not None:
                self.access.require(keyid, scope)
            yield
        except BaseException:
            self.access.forgive_statements(keyid, 1)
            raise

    def charge(self, address: str) -> None:
        """One request that no author's key signs: charged to the client's address alone."""
        if self.access is not None:
            self.access.charge_statements(Caller(address), 1)

    def purse(self, address: str) -> Purse:
        """What is computed for a client that has signed nothing is charged to its address."""
        return FREE if self.access is None else AddressPurse(self.access, Caller(address))

    def _allow(self, incoming: "Incoming", address: str, invitation: str | None) -> None:
        access = self.access
        if access is None:
            return
        charged: list[str] = []
        try:
            for keyid, count in incoming.counts().items():
                access.charge_statements(Caller(address, keyid), count)
                charged.append(keyid)
            if invitation is not None:
                incoming.require_signed()  # or whoever holds the token could use it up for a key of nobody
                for keyid in incoming.counts():
                    access.redeem(invitation, keyid)
            for keyid, statement in incoming.signers:
                access.require_kind(self._acting_for(incoming, keyid, statement), statement.kind)
        except BaseException:
            incoming.forgive(incoming.unearned(charged))
            raise

    def _acting_for(self, incoming: "Incoming", keyid: str, statement: Statement) -> str:
        """Whose permission counts: a successor announces itself by that of the key it is to replace.

        Only where that key confirms it in the same submission, or has guardians who may: to register otherwise
        needs a permission of one's own.
        """
        said, access = statement.predicate, self.access
        if not isinstance(said, Key) or said.action != "register" or said.replaces is None or access is None:
            return keyid
        if _KEY_SCOPE in access.scopes(keyid):
            return keyid
        confirmed = any(
            signer == said.replaces
            and isinstance(other.predicate, Key)
            and other.predicate.action == "rotate"
            and other.predicate.public == said.public
            for signer, other in incoming.signers
        )
        replaced = find_key(self.registry.store, said.replaces)
        guarded = replaced is not None and bool(replaced.guardians)
        return said.replaces if confirmed or guarded else keyid


@dataclass(frozen=True, slots=True)
class Incoming:
    """Envelopes that passed quotas and scopes; `signers` are the key each claims, and what it says."""

    gate: Gate
    envelopes: tuple[bytes, ...]
    signers: tuple[tuple[str, Statement], ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What is said, in order."""
        return tuple(statement for _, statement in self.signers)

    def counts(self) -> dict[str, int]:
        """How many envelopes each key claims to have signed."""
        keys = [keyid for keyid, _ in self.signers]
        return {keyid: keys.count(keyid) for keyid in dict.fromkeys(keys)}

    def submit(self, blobs: Sequence[bytes] = ()) -> "list[Appended]":
        """Append them, with all the checks and errors of `leadline.registry.intake.submit`."""
        try:
            receipts = submit(self.gate.registry, self.envelopes, blobs, scan=self.gate.scan)
        except BaseException:
            self.forgive(self.unearned())
            raise
        self.forgive(
            keyid for (keyid, _), receipt in zip(self.signers, receipts, strict=True) if receipt.duplicate
        )
        return receipts

    def require_signed(self) -> None:
        """SignatureError unless every envelope is signed by the key it claims; whether that key may is not looked at."""
        for number, envelope in enumerate(self.envelopes, 1):
            if not self._signed(envelope):
                raise SignatureError(
                    "the signature does not verify, or the key is unknown",
                    where=f"statement {number} of {len(self.envelopes)}",
                    remedy="sign the exact bytes; a new key is announced by a key statement in the same submission",
                )

    def unearned(self, charged: Collection[str] | None = None) -> Iterator[str]:
        """The claimed key of each envelope that is in the log already, or that this key did not sign.

        Only of keys among those `charged` (None: all were). Checks signatures, at most 64: for use where something
        was refused.
        """
        store = self.gate.registry.store
        for envelope, (keyid, _) in zip(self.envelopes, self.signers, strict=True):
            if charged is not None and keyid not in charged:
                continue
            if store.index_of(leaf_hash(envelope)) is not None or not self._signed(envelope):
                yield keyid

    def forgive(self, keyids: Iterable[str]) -> None:
        """Give each of these keys one statement back."""
        if self.gate.access is not None:
            for keyid in keyids:
                self.gate.access.forgive_statements(keyid, 1)

    def _signed(self, envelope: bytes) -> bool:
        """Whether the claimed key signed: as the log knows it, or as these very statements announce it."""
        opened = decode(envelope)
        record = find_key(self.gate.registry.store, opened.keyid)
        if record is not None:
            return _verifies(opened, VerifyKey.parse(record.vkey))
        announced = {
            VerifyKey.parse(statement.predicate.public)
            for _, statement in self.signers
            if isinstance(statement.predicate, Key)
        }
        return any(_verifies(opened, key) for key in announced if key.fingerprint == opened.keyid)


def _verifies(envelope: Envelope, key: VerifyKey) -> bool:
    try:
        check_signature(envelope, key)
    except SignatureError:
        return False
    return True


def _signer(envelope: bytes) -> tuple[str, Statement]:
    """The key an envelope claims to be signed by, and what it says; nothing is verified."""
    opened = decode(envelope)
    return opened.keyid, parse(opened.payload)
