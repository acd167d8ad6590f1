"""Time stamps from outside: RFC 3161 tokens over a checkpoint's text (extra ``timestamps``).

A token says that one authority, which the reader chose to trust by its root certificate, had the checkpoint before
it no later than a certain time. The imprint is of the note's text (origin, size, root), which fixes every entry.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, MissingExtraError, ProofError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

#: A response with a long chain has some ten kilobytes.
MAX_RESPONSE: Final = 1 << 17
MAX_ROOTS: Final = 1 << 20
REQUEST_TYPE: Final = "application/timestamp-query"
RESPONSE_TYPE: Final = "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """What a token proves: the time (UTC) by which the authority named here had the bytes."""

    time: datetime
    authority: str


def make_request(body: bytes) -> bytes:
    """A DER request for a stamp over SHA-512 of `body`, with a nonce, asking for the authority's certificate."""
    client = _client()
    return bytes(client.TimestampRequestBuilder().data(body).build().as_bytes())


def verify_response(
    response: bytes, body: bytes, roots: Sequence[bytes], *, request: bytes | None = None
) -> TimeStamp:
    """Show that `response` stamps `body`, under one of the authorities whose certificates (PEM, or one as DER) are in `roots`.

    The files of `roots` may hold whole chains: self-signed certificates are the anchors, others help to reach one;
    where none is self-signed, all are anchors. The signer's own certificate is taken from them where the response
    does not carry it. `request`, where given, must have the nonce of the response. Raises `ProofError` when anything
    does not hold, `InputError` for roots that are no certificates and `MissingExtraError` without the extra.
    """
    client = _client()
    if len(response) > MAX_RESPONSE:
        raise _failed(f"it is longer than {MAX_RESPONSE:,} bytes")
    anchors, others = _sorted(_certificates(roots))
    nonce = None
    if request is not None:
        from rfc3161_client._rust import parse_timestamp_request

        nonce = parse_timestamp_request(request).nonce
    try:
        parsed: TimeStampResponse = client.decode_timestamp_response(response)
        client.VerifierBuilder(
            roots=anchors,
            intermediates=others,
            nonce=nonce,
            tsa_certificate=_signer(parsed, [*others, *anchors]),
        ).build().verify_message(parsed, body)
        info = parsed.tst_info
        return TimeStamp(info.gen_time, _authority(parsed))
    except (ValueError, TypeError, client.VerificationError) as error:
        raise _failed(_short(str(error))) from None


def _authority(response: "TimeStampResponse") -> str:
    """The name of the certificate that signed; the verifier has bound it to the signature."""
    signers = sorted(response.signed_data.signer_infos, key=lambda one: one.serial_number)
    return f"{signers[0].issuer.rfc4514_string()}, serial {signers[0].serial_number:x}"


def _signer(response: "TimeStampResponse", known: "Sequence[Certificate]") -> "Certificate | None":
    """The signer's certificate among those the reader brought, for a response that does not carry it."""
    if response.signed_data.certificates:
        return None
    named = {(one.issuer, one.serial_number) for one in response.signed_data.signer_infos}
    return next((one for one in known if (one.issuer, one.serial_number) in named), None)


def _short(text: str) -> str:
    """What the library says, without its stack of errors."""
    reasons = re.findall(r'reason: "([^"]{1,100})"', text[:5000])
    detail = re.findall(r'data: "(Verify error: [^"]{1,100})"', text[:5000])
    return (
        "; ".join(dict.fromkeys([*reasons, *detail])) or text.strip().rstrip(".")[:300] or "it is malformed"
    )


def _sorted(found: "Sequence[Certificate]") -> "tuple[list[Certificate], list[Certificate]]":
    anchors = [one for one in found if one.issuer == one.subject]
    return (anchors, [one for one in found if one not in anchors]) if anchors else (list(found), [])


def _certificates(files: Sequence[bytes]) -> "list[Certificate]":
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

    found: dict[bytes, Certificate] = {}
    for data in files:
        try:
            if len(data) > MAX_ROOTS:
                raise ValueError
            pem = b"-----BEGIN" in data
            some = load_pem_x509_certificates(data) if pem else [load_der_x509_certificate(data)]
            found.update((one.public_bytes(Encoding.DER), one) for one in some)
        except ValueError:
            raise InputError(
                "this is no file of certificates",
                remedy="ask the time-stamping authority for its root certificate as PEM or DER",
            ) from None
    if not found:
        raise InputError(
            "a time stamp is verified under a root certificate, and none is given",
            remedy="pass the authority's root certificate with --roots",
        )
    return list(found.values())


def _client() -> ModuleType:
    try:
        import rfc3161_client
    except ImportError:
        raise MissingExtraError(
            "time stamps from outside need an optional library", remedy="pip install 'leadline[timestamps]'"
        ) from None
    return rfc3161_client


def _failed(why: str) -> ProofError:
    return ProofError(
        f"the time stamp does not hold: {why}",
        remedy="ask the authority for another one; until then the checkpoint is a single operator's word",
    )
