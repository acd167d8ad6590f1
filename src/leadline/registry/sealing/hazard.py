"""Asking an installation to sign a hazard seal, without which the log would show the author.

The request is signed by the author, checked against quotas and rights like any statement, and then forgotten: the
log never sees it, and neither does the shelf. What comes back is the signed seal, which its author hands in
afterwards; by then only the seal's own key is needed, which points to nobody.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import IntegrityError, SignatureError, StatementError
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.dsse import Envelope, check_signature, decode, sign
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.predicates import Seal
from leadline.ledger.statements import make, make_signed
from leadline.registry.sealing.door import check_form
from leadline.registry.sealing.entering import said_in
from leadline.registry.sealing.writing import installation_key
from leadline.store.projections.authority import key as find_key

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: The payload type of such a request: no statement can be mistaken for one, nor one for a statement.
PAYLOAD_TYPE: Final = "application/vnd.leadline.seal-request+json"
#: Longest request that is read.
MAX_REQUEST: Final = 32 << 10
LONGEST: Final = timedelta(hours=24)
_FIELDS: Final = {"expires", "key", "origin", "seal"}
_REMEDY: Final = "seal with `leadline seal --tier hazard` of the version this registry runs"


def seal_request(said: Mapping[str, Any], *, origin: str, expires: datetime, key: SigningKey) -> bytes:
    """The signed request that the registry of the log `origin` sign the hazard seal `said`; good until `expires`."""
    document = {
        "expires": expires.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "key": key.public.vkey,
        "origin": origin,
        "seal": dict(said),
    }
    return sign(canonical(document), PAYLOAD_TYPE, key)


def claimed_key(request: bytes) -> str:
    """The fingerprint a request claims to be signed by; nothing is verified. StatementError for no request."""
    return _decoded(request).keyid


def require_signed(registry: "Registry", request: bytes) -> None:
    """SignatureError unless a request is signed by the key it names, and that key is no other than an author's in force.

    Whether the key may seal here, and what it asks for, is not looked at.
    """
    parts = _decoded(request)
    _check_signer(parts, _document(parts)["key"], lambda name: find_key(registry.store, name))


def sign_requested(registry: "Registry", request: bytes) -> bytes:
    """The hazard seal that a request asks for, signed by this installation; nothing is written anywhere.

    Raises StatementError (malformed, for another registry, out of date, not the form every seal has), SignatureError
    (not signed by the key it names, or one that was rotated or revoked).
    """
    parts = _decoded(request)
    document = _document(parts)
    _check_signer(parts, document["key"], lambda name: find_key(registry.store, name))
    _check_time(document["expires"], registry.clock())
    if document["origin"] != registry.home.origin:
        raise StatementError(
            "the request is for another registry",
            remedy="ask the registry for its origin (GET /api/v1/log) and sign for it",
        )
    if not isinstance(document["seal"], dict):
        raise StatementError("the request holds no seal", remedy=_REMEDY)
    envelope = make_signed("seal", document["seal"], installation_key(registry))
    said = said_in(envelope)
    if not isinstance(said, Seal) or said.tier != "hazard":
        raise StatementError(
            "an installation signs seals of the hazard tier only", remedy="sign an ordinary seal yourself"
        )
    check_form(said, registry.clock().date())
    return envelope


def check_signed(registry: "Registry", said: Mapping[str, Any], envelope: bytes) -> None:
    """IntegrityError unless `envelope` is exactly the seal `said`, signed by an installation the log knows."""
    parts = decode(envelope)
    record = find_key(registry.store, parts.keyid)
    if parts.payload != make("seal", said) or record is None or record.holder_kind != "service":
        raise IntegrityError(
            "the registry has signed another seal than it was asked to",
            remedy="do not rely on this registry; nothing was handed in",
        )
    check_signature(parts, VerifyKey.parse(record.vkey))


def _decoded(request: bytes) -> Envelope:
    if len(request) > MAX_REQUEST:
        raise StatementError(f"a request for a seal has at most {MAX_REQUEST:,} bytes", remedy=_REMEDY)
    parts = decode(request)
    if parts.payload_type != PAYLOAD_TYPE:
        raise StatementError(
            f"this is no request for a seal, whose payload type is {PAYLOAD_TYPE}", remedy=_REMEDY
        )
    return parts


def _document(parts: Envelope) -> dict[str, Any]:
    document = parse_strict(parts.payload)
    if not isinstance(document, dict) or document.keys() != _FIELDS:
        raise StatementError(
            "a request for a seal says seal, origin, expires and key, and nothing else", remedy=_REMEDY
        )
    return document


def _check_signer(parts: Envelope, vkey: object, find: Callable[[str], Any]) -> None:
    if not isinstance(vkey, str):
        raise StatementError("the key in the request is not text", remedy=_REMEDY)
    key = VerifyKey.parse(vkey)
    record = find(key.fingerprint)
    if key.fingerprint != parts.keyid or (
        record is not None and (record.state, record.role) != ("active", "author")
    ):
        raise SignatureError(
            "the request is not signed by an author's key that is in force",
            remedy="sign with the key that is in force now",
        )
    check_signature(parts, key)


def _check_time(expires: object, now: datetime) -> None:
    try:
        moment = datetime.strptime(str(expires), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise StatementError(
            "the request expires at no time that is written as 2026-01-31T23:59:59Z", remedy=_REMEDY
        ) from None
    if not now < moment <= now + LONGEST:
        raise StatementError(
            "the request is out of date, or good for longer than a day",
            remedy="sign one that expires within the next hours; check the clock of this machine",
        )
