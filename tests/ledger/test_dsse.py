"""Envelopes: one spelling, one signature, exact bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import SignatureError, StatementError
from leadline.ledger import dsse
from leadline.ledger.canon import canonical
from leadline.ledger.keys import VerifyKey
from ledger.record import ALICE, BOB, LOG, SERVICE, key

PAYLOAD = b'{ "spaced" : "as it was signed" }'
ENVELOPE = dsse.sign(PAYLOAD, dsse.PAYLOAD_TYPE, ALICE)


def resolve(keyid: str) -> VerifyKey:
    """Know Alice only."""
    if keyid == ALICE.fingerprint:
        return ALICE.public
    raise SignatureError("unknown key")


@given(st.binary(max_size=300))
def test_payloads_come_back_byte_for_byte(payload: bytes) -> None:
    """The payload is not touched, whatever it is."""
    envelope = dsse.sign(payload, dsse.PAYLOAD_TYPE, ALICE)
    assert dsse.open_envelope(envelope, resolve) == (payload, ALICE.fingerprint)


def test_the_envelope_is_canonical_json() -> None:
    """The bytes are RFC 8785 of the DSSE document."""
    assert canonical(json.loads(ENVELOPE)) == ENVELOPE
    assert json.loads(ENVELOPE).keys() == {"payload", "payloadType", "signatures"}


def test_every_flipped_bit_of_an_envelope_is_refused() -> None:
    """No bit of an envelope can change."""
    for at in range(len(ENVELOPE) * 8):
        bad = bytearray(ENVELOPE)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises((StatementError, SignatureError)):
            dsse.open_envelope(bytes(bad), resolve)


def variants() -> list[bytes]:
    """Other spellings of one signed statement, and documents with other parts."""
    document = json.loads(ENVELOPE)
    signature = document["signatures"][0]
    two = document | {"signatures": [signature, signature]}
    return [
        json.dumps(document).encode(),
        ENVELOPE + b"\n",
        b" " + ENVELOPE,
        canonical(two),
        canonical(document | {"signatures": []}),
        canonical(document | {"extra": 1}),
        canonical(document | {"signatures": [{"sig": signature["sig"]}]}),
        canonical(document | {"signatures": [signature | {"keyid": "ABC"}]}),
        canonical(document | {"signatures": [signature | {"sig": "AAAA"}]}),
        canonical(document | {"payload": 5}),
        ENVELOPE.replace(b"keyid", b"\\u006beyid"),
        ENVELOPE.replace(b"==", b"="),
        b"",
        b"[]",
    ]


@pytest.mark.parametrize("envelope", variants())
def test_one_signed_statement_has_one_envelope(envelope: bytes) -> None:
    """Another spelling is another leaf, so it is refused: nobody can log a statement twice."""
    with pytest.raises(StatementError, match="malformed envelope"):
        dsse.decode(envelope)


def test_the_envelope_must_name_the_key_that_signed() -> None:
    """A signature under another known key does not count."""
    with pytest.raises(SignatureError):
        dsse.open_envelope(ENVELOPE, lambda _: BOB.public)
    with pytest.raises(SignatureError, match="unknown"):
        dsse.open_envelope(dsse.sign(PAYLOAD, dsse.PAYLOAD_TYPE, BOB), resolve)


def test_the_payload_type_is_signed() -> None:
    """The same payload under another type is another message."""
    other = dsse.sign(PAYLOAD, "application/json", ALICE)
    assert dsse.decode(other).signature != dsse.decode(ENVELOPE).signature
    with pytest.raises(SignatureError):
        dsse.open_envelope(ENVELOPE.replace(b"vnd.in-toto+json", b"json"), resolve)


@pytest.mark.parametrize("payload_type", ["", 'a"b', "a b", "a\\b", "é", "x" * 201])
def test_odd_payload_types_are_refused(payload_type: str) -> None:
    """A payload type needs no escaping anywhere."""
    with pytest.raises(StatementError, match="payload type"):
        dsse.sign(b"", payload_type, ALICE)


def test_only_author_and_service_keys_sign_statements() -> None:
    """Log and witness keys sign checkpoints and nothing else."""
    dsse.sign(b"", dsse.PAYLOAD_TYPE, SERVICE)
    for signer in (LOG, key("w", "witness")):
        with pytest.raises(SignatureError, match="may not sign statements"):
            dsse.sign(b"", dsse.PAYLOAD_TYPE, signer)


def test_the_longest_envelope_fits_a_log_entry() -> None:
    """65,535 bytes pass, and one payload byte more is refused before signing."""
    length = 48_960
    while len(dsse.sign(bytes(length), dsse.PAYLOAD_TYPE, ALICE)) <= 65_535 - 4:
        length += 1
    with pytest.raises(StatementError, match="blob"):
        dsse.sign(bytes(length + 3), dsse.PAYLOAD_TYPE, ALICE)
    with pytest.raises(StatementError, match="malformed"):
        dsse.decode(bytes(65_536))


def test_pae_counts_bytes_not_characters() -> None:
    """Lengths in the pre-authentication encoding are of UTF-8 bytes."""
    assert dsse.pae("é", "ü!".encode()) == "DSSEv1 2 é 3 ü!".encode()
    assert dsse.pae("", b"") == b"DSSEv1 0  0 "
