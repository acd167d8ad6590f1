"""The one gate through which strangers write: quotas first, then rights, then signatures.

API and MCP hand what they receive to the same `Gate`, so that there is one policy whichever door somebody takes.
What was charged in the name of a key that turns out not to have signed is given back to it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, SignatureError, StatementError
from leadline.ledger.dsse import decode
from leadline.ledger.predicates import Key, Seal
from leadline.ledger.statements import Statement, parse
from leadline.registry.access import OF_KIND, Access, Caller, Scope
from leadline.registry.intake.examine import Scan
from leadline.registry.intake.submission import MAX_STATEMENTS, submit

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.store import Appended

_KEY_SCOPE: Final = OF_KIND["key"]


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

        No signature is checked yet. `invitation` is redeemed for the keys that sign. Raises InputError for too many
        or none, StatementError for what is no statement or has another door, QuotaError, SignatureError for a key
        without the scope, NotFoundError for an invitation that there is not.
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
    def request(self, keyid: str, scope: Scope | None, *, address: str) -> Iterator[None]:
        """Around the work on one request that claims to be signed by `keyid`, which needs `scope` (None: no scope).

        Charged as a statement before; given back to the key where the work raises SignatureError.
        """
        if self.access is None:
            yield
            return
        self.access.charge_statements(Caller(address, keyid), 1)
        if scope is not None:
            self.access.require(keyid, scope)
        try:
            yield
        except SignatureError:
            self.access.forgive_statements(keyid, 1)
            raise

    def charge(self, address: str) -> None:
        """One request that no author's key signs: charged to the client's address alone."""
        if self.access is not None:
            self.access.charge_statements(Caller(address), 1)

    def _allow(self, incoming: "Incoming", address: str, invitation: str | None) -> None:
        access = self.access
        if access is None:
            return
        for keyid, count in incoming.counts().items():
            access.charge_statements(Caller(address, keyid), count)
        if invitation is not None:
            for keyid in incoming.counts():
                access.redeem(invitation, keyid)
        for keyid, statement in incoming.signers:
            access.require_kind(_acting_for(access, keyid, statement), statement.kind)


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
            return submit(self.gate.registry, self.envelopes, blobs, scan=self.gate.scan)
        except SignatureError:
            if self.gate.access is not None:
                for keyid, count in self.counts().items():
                    self.gate.access.forgive_statements(keyid, count)
            raise


def _signer(envelope: bytes) -> tuple[str, Statement]:
    """The key an envelope claims to be signed by, and what it says; nothing is verified."""
    opened = decode(envelope)
    return opened.keyid, parse(opened.payload)


def _acting_for(access: Access, keyid: str, statement: Statement) -> str:
    """Whose permission counts: a successor announces itself by that of the key it is to replace."""
    said = statement.predicate
    succeeds = isinstance(said, Key) and said.action == "register"
    if isinstance(said, Key) and succeeds and said.replaces and _KEY_SCOPE not in access.scopes(keyid):
        return said.replaces
    return keyid
