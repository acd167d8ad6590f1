"""DSSE envelopes: a statement and one signature over its exact bytes (DSSE protocol v1.0.2).

The signature covers the pre-authentication encoding of the payload, so the envelope's own spelling is
not signed. To keep "one signed statement, one leaf", an envelope is accepted in one spelling only: the
canonical JSON that `sign` writes. Otherwise anybody could log somebody's statement again with a space
in it. The payload inside is never re-canonicalised.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from leadline.errors import SignatureError, StatementError
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.keys import SIGNATURE_SIZE, SigningKey, VerifyKey
from leadline.ledger.tlog.tile import MAX_ENTRY

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_SIGNING_ROLES = ("author", "service")
# A payload type is printable ASCII without anything that JSON would escape.
_TYPE = r"[!#-\[\]-~]{1,200}"
# Whether what stands in the place of the base64 is base64, its decoder finds out faster.
_TEMPLATE = re.compile(
    rb'\{"payload":"([^"]*)","payloadType":"(%b)","signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([^"]{88})"\}\]\}'
    % _TYPE.encode()
)
_PAYLOAD = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_SIGNATURE = re.compile(rb"[A-Za-z0-9+/]{86}==")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of an envelope whose form is right. Nothing in it is verified yet.

    `keyid` is the fingerprint of the key that is said to have signed.
    """

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes

    def message(self) -> bytes:
        """What the signature must be over."""
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding ``DSSEv1 <len> <type> <len> <payload>``, lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, key: SigningKey) -> bytes:
    """The envelope of `payload` signed by `key`: the exact bytes that become a leaf of the log.

    Raises `StatementError` when the envelope would exceed 65,535 bytes, before anything is signed, and
    `SignatureError` for a key that may not sign statements (log and witness keys sign nothing else).
    """
    if key.role not in _SIGNING_ROLES:
        raise SignatureError(
            f"the key {key.name} has the role {key.role} and may not sign statements",
            remedy="sign with an author key; log and witness keys sign checkpoints only",
        )
    if not re.fullmatch(_TYPE, payload_type):
        raise StatementError(
            f"{payload_type[:80]!r} is not a payload type", remedy=f"use a media type such as {PAYLOAD_TYPE}"
        )
    check_payload_length(payload, payload_type)
    signature = key.sign(pae(payload_type, payload))
    return _format(Envelope(payload, payload_type, key.fingerprint, signature))


def decode(envelope: bytes) -> Envelope:
    """The parts of `envelope`, unverified; `StatementError` unless it is spelled as `sign` spells it."""
    if len(envelope) > MAX_ENTRY:
        raise _malformed(f"it has {len(envelope):,} bytes, more than {MAX_ENTRY:,}")
    match = _TEMPLATE.fullmatch(envelope)
    if match is None:
        raise _malformed(_NO_TEMPLATE)
    payload, payload_type, keyid, signature = match.groups()
    try:
        signed = b64decode(signature)
        if len(signed) == SIGNATURE_SIZE:
            return Envelope(b64decode(payload), payload_type.decode(), keyid.decode(), signed)
    except ValueError:
        pass
    spelled = _PAYLOAD.fullmatch(payload) and _SIGNATURE.fullmatch(signature)
    raise _malformed("its payload or signature is not standard base64" if spelled else _NO_TEMPLATE)


def open_envelope(envelope: bytes, resolve_key: Callable[[str], VerifyKey]) -> tuple[bytes, str]:
    """``(payload, keyid)`` of an envelope whose signature holds.

    `resolve_key` gives the key for a fingerprint and raises `SignatureError` for one it does not know.
    Raises `StatementError` for a malformed envelope and `SignatureError` for a signature that fails.
    """
    parts = decode(envelope)
    check_signature(parts, resolve_key(parts.keyid))
    return parts.payload, parts.keyid


def check_signature(envelope: Envelope, key: VerifyKey) -> None:
    """Raise `SignatureError` unless `envelope` names `key` and holds its signature."""
    if key.fingerprint != envelope.keyid:
        raise SignatureError(
            "the envelope names another key than the one it is checked against",
            where=f"key {key.name}",
            remedy="look the key up by the envelope's keyid",
        )
    key.verify(envelope.message(), envelope.signature)


def check_payload_length(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> None:
    """Raise `StatementError` when the envelope of `payload` would not fit into a log entry."""
    blank = Envelope(b"", payload_type, "0" * 64, b"\x00" * SIGNATURE_SIZE)
    length = len(_format(blank)) + 4 * ((len(payload) + 2) // 3)
    if length > MAX_ENTRY:
        raise StatementError(
            f"the signed statement would have {length:,} bytes; a log entry has at most {MAX_ENTRY:,}",
            remedy="put long content into a blob (a protocol, report or note) and refer to its digest",
        )


def _format(parts: Envelope) -> bytes:
    # Canonical form of these ASCII strings is a fixed template; the test compares it with RFC 8785.
    return b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}' % (
        b64encode(parts.payload).encode(),
        parts.payload_type.encode(),
        parts.keyid.encode(),
        b64encode(parts.signature).encode(),
    )


_NO_TEMPLATE = "it is not the canonical JSON of payload, payloadType and one signature with keyid and sig"


def _malformed(why: str) -> StatementError:
    return StatementError(
        f"malformed envelope: {why}", remedy="send the envelope's bytes exactly as they were signed"
    )
