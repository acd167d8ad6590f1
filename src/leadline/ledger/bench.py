"""One entry before the rules: what every rule may ask of it, and how a rule says no."""

from collections.abc import Callable
from dataclasses import dataclass

from leadline.errors import SignatureError, StatementError
from leadline.ledger.dsse import Envelope
from leadline.ledger.keys import VerifyKey
from leadline.ledger.state import AuthorityState, KeyRecord
from leadline.ledger.statements import Statement


@dataclass(frozen=True, slots=True)
class Entry:
    """A log entry taken apart: its leaf hash, its statement, and the key whose signature it claims."""

    leaf_hash: bytes
    envelope: Envelope
    statement: Statement
    key: VerifyKey


@dataclass(frozen=True, slots=True)
class Known:
    """What decisions rest on besides the entry: the records so far, and what `Authority` was told of the log."""

    state: AuthorityState
    log_keys: frozenset[str]
    origin: str | None
    root_at: Callable[[int], bytes] | None


class Bench:
    """An entry about to be decided on, and the records so far."""

    def __init__(self, known: Known, index: int, entry: Entry) -> None:
        self.known = known
        self.state = known.state
        self.index = index
        self.entry = entry
        self.keyid = entry.key.fingerprint
        self.where = f"entry {index} ({entry.statement.kind})"

    def signer(self, *roles: str) -> KeyRecord:
        """The signing key's record; it must be active and have one of `roles`."""
        record = self.state.key(self.keyid)
        if record is None:
            raise self.refused(
                "the log knows no such key", "register the key first (`leadline key register`)"
            )
        if record.state != "active":
            since = f" since entry {record.ended}" if record.ended is not None else ""
            raise self.refused(
                f"the key of {record.holder} is {record.state}{since} and signs nothing", ACTIVE
            )
        if record.role not in roles:
            raise self.refused(
                f"a key with the role {record.role} may not sign this",
                f"sign with a key of the role {' or '.join(roles)}",
            )
        return record

    def refused(self, what: str, remedy: str) -> SignatureError:
        """The key may not do this."""
        return SignatureError(what, where=self.where, remedy=remedy)

    def misplaced(self, what: str) -> StatementError:
        """The statement does not fit the log so far."""
        return StatementError(
            what, where=self.where, remedy="read the study's or key's present state from the log first"
        )


ACTIVE = "sign with an active key; after a rotation that is the successor"
