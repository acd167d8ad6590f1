"""The announcement of an upload: a small signed request, never logged, without which no byte is taken in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from leadline.errors import InputError, SignatureError, StatementError
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.dsse import Envelope, check_signature, decode, sign
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.store.blobs import check_digest

#: The payload type of an upload request: no statement can be mistaken for one, nor one for a statement.
TICKET_TYPE: Final = "application/vnd.leadline.upload-request+json"
MAX_TICKET: Final = 4_000
#: A ticket is for an upload that is about to begin.
LONGEST: Final = timedelta(hours=24)
_FIELDS: Final = {"digest", "expires", "key", "origin", "size"}
_MAX_SIZE: Final = 1 << 50


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an upload request says: `size` bytes with this hex SHA-256, for the log `origin`, until `expires`."""

    digest: str
    size: int
    origin: str
    expires: datetime
    key: VerifyKey

    @property
    def keyid(self) -> str:
        """The fingerprint of the key that signed."""
        return self.key.fingerprint


def sign_ticket(digest: str, size: int, *, origin: str, expires: datetime, key: SigningKey) -> bytes:
    """The signed request to upload `size` bytes with this digest to the registry of the log `origin`."""
    said = {
        "digest": check_digest(digest),
        "expires": expires.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "key": key.public.vkey,
        "origin": origin,
        "size": size,
    }
    return sign(canonical(said), TICKET_TYPE, key)


def claimed_key(envelope: bytes) -> str:
    """The fingerprint a ticket claims to be signed by; nothing is verified. StatementError for no ticket."""
    return _decoded(envelope).keyid


def read_ticket(envelope: bytes, *, origin: str, now: datetime, find_key: Callable[[str], Any]) -> Ticket:
    """The ticket, proven to be signed by the key it names.

    `find_key` gives the log's record of a fingerprint, or None: a key the log does not know yet may upload what
    its first statement needs, one that was rotated or revoked may not. Raises StatementError (malformed, for
    another log, out of date) or SignatureError.
    """
    parts = _decoded(envelope)
    said = _fields(parts.payload)
    ticket = _ticket(said)
    if ticket.keyid != parts.keyid:
        raise SignatureError(
            "the upload request names another key than the one that signed it", remedy=_REMEDY
        )
    check_signature(parts, ticket.key)
    record = find_key(ticket.keyid)
    if record is not None and (record.state != "active" or record.role != "author"):
        raise SignatureError(
            "this key may not upload: it is not an active author key",
            remedy="sign with the key that is in force now",
        )
    if ticket.origin != origin:
        raise StatementError(
            f"the upload request is for the log {ticket.origin[:200]!r}, not for {origin!r}",
            remedy="ask the registry for its origin (GET /api/v1/log) and sign for it",
        )
    if not now < ticket.expires <= now + LONGEST:
        raise StatementError(
            "the upload request is out of date, or valid for longer than a day",
            remedy="sign one that expires within the next hours; check the clock of this machine",
        )
    return ticket


def _decoded(envelope: bytes) -> Envelope:
    if len(envelope) > MAX_TICKET:
        raise StatementError(f"an upload request has at most {MAX_TICKET:,} bytes", remedy=_REMEDY)
    parts = decode(envelope)
    if parts.payload_type != TICKET_TYPE:
        raise StatementError(
            f"this is no upload request, whose payload type is {TICKET_TYPE}", remedy=_REMEDY
        )
    return parts


def _fields(payload: bytes) -> dict[str, Any]:
    try:
        said = parse_strict(payload)
    except InputError as error:
        raise StatementError(error.message, where="upload request", remedy=error.remedy()) from None
    if not isinstance(said, dict) or said.keys() != _FIELDS:
        raise StatementError(
            "an upload request says digest, size, origin, expires and key, and nothing else", remedy=_REMEDY
        )
    return said


def _ticket(said: dict[str, Any]) -> Ticket:
    digest, size, origin, expires, key = (
        said[name] for name in ("digest", "size", "origin", "expires", "key")
    )
    if not all(isinstance(text, str) for text in (digest, origin, expires, key)):
        raise StatementError("a field of the upload request is not text", remedy=_REMEDY)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MAX_SIZE:
        raise StatementError("the size in the upload request is not a number of bytes", remedy=_REMEDY)
    try:
        moment = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise StatementError(
            "the upload request expires at no time that is written as 2026-01-31T23:59:59Z", remedy=_REMEDY
        ) from None
    return Ticket(check_digest(digest), size, origin, moment, VerifyKey.parse(key))


_REMEDY = "send what `leadline key sign-upload` or `leadline.registry.intake.sign_ticket` makes, as base64"
