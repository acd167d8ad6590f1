"""Who may sign what: a pure replay of the log, entry by entry.

The order of the log decides, never a claimed time. The rules:

* A key statement comes first: a key registers itself. One public key is registered once, in one role.
* The service key is the very first entry of the log, or it does not exist; later it can only be rotated.
* Log and witness keys are announced by the service key. They sign no statements.
* A rotation needs both keys: the new one registers with ``replaces``, the old one confirms.
* A lost key is succeeded by a quorum of the guardians it named, or, for one study, by a majority of the
  co-authors' keys (`leadline.ledger.key_rules` says how, and why so).
* What concerns a study is signed by a key of a lineage that its freeze names.
* Automatic reports and closings are signed by the service key. Only a silent study is closed; a closed one may
  still report.
* A judgement is revoked by its own signer's lineage, once.
"""

from collections.abc import Callable, Iterable

from leadline.errors import SignatureError, StatementError
from leadline.ledger.dsse import PAYLOAD_TYPE, Envelope, decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Key
from leadline.ledger.rules import Decision, Entry, Known
from leadline.ledger.state import AuthorityState, MemoryState, keep
from leadline.ledger.statements import Statement, parse
from leadline.ledger.tlog.tree import leaf_hash

__all__ = ["Authority", "Entry", "Signature", "read"]

Signature = Callable[[bytes, bytes, bytes], None]
"""`keys.verify` or something that ends in it: ``(public, message, signature)``, raising."""


def read(envelope: Envelope) -> Statement:
    """The statement in an envelope, whoever signed it; `StatementError` when it holds anything else."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise StatementError(
            f"the payload type {envelope.payload_type[:80]!r} is not {PAYLOAD_TYPE}",
            remedy="sign statements made by leadline.ledger.statements.make",
        )
    return parse(envelope.payload)


class Authority:
    """The rights that the log so far gives to keys.

    `log_keys` are those that sign the checkpoints; they can never be registered in another role.
    `origin` and `root_at` let a freeze's claim to have seen a checkpoint of this log be checked:
    `root_at(size)` is the root of this log's tree at that size.
    """

    def __init__(
        self,
        state: AuthorityState | None = None,
        *,
        log_keys: Iterable[VerifyKey] = (),
        origin: str | None = None,
        root_at: Callable[[int], bytes] | None = None,
    ) -> None:
        self.state: AuthorityState = MemoryState() if state is None else state
        fingerprints = frozenset(key.fingerprint for key in log_keys)
        self._known = Known(self.state, fingerprints, origin, root_at)

    def open(self, entry: bytes) -> Entry:
        """Take an entry apart and find the key it must be signed with; the signature is *not* verified.

        A key that registers itself brings its own public key; every other key must be known to the log.
        Raises `StatementError` for a malformed entry and `SignatureError` for an unknown key.
        """
        envelope = decode(entry)
        return self.opened(leaf_hash(entry), envelope, read(envelope))

    def opened(self, leaf: bytes, envelope: Envelope, statement: Statement) -> Entry:
        """`open` for an entry with leaf hash `leaf` that was taken apart before: only its key is looked up."""
        return Entry(leaf, envelope, statement, self._key_of(statement, envelope.keyid))

    def resolve(self, keyid: str) -> VerifyKey:
        """The key with this fingerprint, whatever its state; `SignatureError` when the log knows none."""
        record = self.state.key(keyid)
        if record is None:
            raise SignatureError(
                f"the log knows no key {keyid[:16]}",
                remedy="register the key first (`leadline key register`)",
            )
        return VerifyKey.parse(record.vkey)

    def check(self, index: int, entry: Entry) -> None:
        """Raise `SignatureError` or `StatementError` unless `entry` may stand at `index`. Nothing changes."""
        Decision(self._known, index, entry).run()

    def apply(self, index: int, entry: Entry) -> None:
        """`check` the entry, then record what it changes."""
        for record in Decision(self._known, index, entry).run():
            keep(self.state, record)

    def admit(self, index: int, entry: bytes, *, verify: Signature | None = None) -> Entry:
        """`open`, verify the signature, and `apply`: all that accepting an entry at `index` needs."""
        opened = self.open(entry)
        if verify is None:
            opened.key.verify(opened.envelope.message(), opened.envelope.signature)
        else:
            verify(opened.key.public, opened.envelope.message(), opened.envelope.signature)
        self.apply(index, opened)
        return opened

    def replay(self, entries: Iterable[bytes], start: int = 0) -> int:
        """`apply` entries from index `start` on without verifying signatures; returns the next index.

        For entries that were verified when they were accepted, as a store's own were; `fsck` verifies again.
        """
        for entry in entries:
            self.apply(start, self.open(entry))
            start += 1
        return start

    def _key_of(self, statement: Statement, keyid: str) -> VerifyKey:
        predicate = statement.predicate
        if isinstance(predicate, Key) and predicate.action == "register":
            key = VerifyKey.parse(predicate.public)
            if key.fingerprint == keyid:
                return key
        return self.resolve(keyid)
