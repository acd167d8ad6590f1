"""Published RFC 3161 time stamps, and what must become of damaged ones."""

from datetime import datetime
from pathlib import Path

import pytest

from leadline.errors import InputError, ProofError
from leadline.ledger.timestamps import make_request, verify_response

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.vectors


@pytest.fixture
def folder(shared_data: Path) -> Path:
    """The folder of requests, responses and chains."""
    return shared_data / "trust" / "rfc3161_timestamps"


def _verify(
    folder: Path, response: str, body: bytes = b"hello", chain: str | None = None, request: str | None = None
) -> str:
    data = (folder / response).read_bytes()
    roots = (folder / (chain or f"{response.partition('/')[0]}/ts_chain.pem")).read_bytes()
    asked = None if request is None else (folder / request).read_bytes()
    found = verify_response(data, body, [roots], request=asked)
    return f"{found.time.isoformat()} {found.authority}"


@pytest.mark.parametrize(
    ("response", "time", "authority"),
    [
        ("sigstage/response-sha256.tsr", "2025-05-09T11:58:55", "CN=sigstore-tsa-selfsigned"),
        ("sigstage/response-sha384.tsr", "2025-05-09T11:58:55", "CN=sigstore-tsa-selfsigned"),
        ("sigstage/response-sha512.tsr", "2025-05-09T11:58:56", "CN=sigstore-tsa-selfsigned"),
        ("sigstage/response-no-embedded-cert.tsr", "2025-06-18T08:13:02", "CN=sigstore-tsa-selfsigned"),
        ("identrust/issue-104.tsr", "2025-03-11T08:52:08", "CN=TrustID Timestamping CA 3"),
        ("test_tsa/response.tsr", "2024-10-08T15:40:32", "CN=Test TSA Intermediate"),
        # Certificates of others were put in; the authority named is still the one that signed.
        ("test_tsa/response-injected-certs.tsr", "2024-10-08T15:40:32", "CN=Test TSA Intermediate"),
    ],
)
def test_stamps_that_hold(folder: Path, response: str, time: str, authority: str) -> None:
    """Time and authority are those of the token, also where the signer's certificate is the reader's."""
    found = _verify(folder, response)
    assert found.startswith(f"{time}+00:00 {authority}")
    assert datetime.fromisoformat(found.split(" ")[0]).tzinfo is not None


def test_a_stamp_made_while_the_certificate_was_valid_stays_good(folder: Path) -> None:
    """What counts is the validity at the time of stamping, not today's."""
    body = (folder / "sigstore.mock/payload").read_bytes()
    assert _verify(folder, "sigstore.mock/response-expired.tsr", body).startswith("2023-02-01")


@pytest.mark.parametrize(
    ("response", "chain", "request_", "why"),
    [
        ("sigstage/response-invalid-signature.tsr", None, None, "signature failure"),
        ("sigstage/response-sha512.tsr", None, "sigstage/request.der", "Nonce"),
        ("test_tsa/response.tsr", "sigstage/ts_chain.pem", None, "certificate"),
        ("test_tsa/other_response.tsr", None, None, "certificate"),
        ("test_tsa/response.tsr", None, "test_tsa/other_request.der", "Nonce"),
    ],
)
def test_stamps_that_do_not_hold(
    folder: Path, response: str, chain: str | None, request_: str | None, why: str
) -> None:
    """A bad signature, another authority, another request's answer."""
    with pytest.raises(ProofError, match=why):
        _verify(folder, response, chain=chain, request=request_)


def test_the_nonce_of_the_right_request_is_accepted(folder: Path) -> None:
    """The published pair belongs together."""
    assert _verify(folder, "test_tsa/response.tsr", request="test_tsa/request.der")


def test_another_text_is_not_stamped(folder: Path) -> None:
    """The imprint is of exactly these bytes."""
    with pytest.raises(ProofError, match="Mismatch"):
        _verify(folder, "test_tsa/response.tsr", b"hello ")


def test_damaged_responses_never_hold_and_never_crash(folder: Path) -> None:
    """Every byte of a token flipped, and every length cut: an error that says so, or the very same answer."""
    data = (folder / "test_tsa/response.tsr").read_bytes()
    roots = (folder / "test_tsa/ts_chain.pem").read_bytes()
    honest = verify_response(data, b"hello", [roots])
    for at in range(0, len(data), 3):
        bad = bytearray(data)
        bad[at] ^= 1 << at % 8
        for hostile in (bytes(bad), data[:at]):
            try:
                found = verify_response(hostile, b"hello", [roots])
            except ProofError:
                continue
            assert found.time == honest.time
    with pytest.raises(ProofError, match="longer"):
        verify_response(bytes(1 << 18), b"hello", [roots])


def test_roots_must_be_certificates(folder: Path) -> None:
    """Anything else is refused by name, and so is having none."""
    data = (folder / "test_tsa/response.tsr").read_bytes()
    for roots in ([], [b""], [b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]):
        with pytest.raises(InputError, match="certificate"):
            verify_response(data, b"hello", roots)


def test_requests_carry_the_imprint_and_a_fresh_nonce() -> None:
    """Two requests over one text differ, and both hold its SHA-512."""
    from hashlib import sha512

    one, two = make_request(b"text\n"), make_request(b"text\n")
    assert one != two
    assert sha512(b"text\n").digest() in one
