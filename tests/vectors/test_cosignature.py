"""Cosigner keys in published policies, and the exact bytes that the specification has signed."""

import json
import struct
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from leadline.errors import SignatureError
from leadline.ledger.cosignature import ED25519, CosignerKey, Ed25519Cosigner, MlDsaCosigner
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.tlog.note import split_note

pytestmark = pytest.mark.vectors

#: The body of the example in C2SP tlog-cosignature.
BODY = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def _signature(line: bytes) -> tuple[bytes, bytes]:
    """Key id and signature of one signature line."""
    _, (found,) = split_note(BODY + b"\n" + line)
    return found.key_id, found.signature


def test_vkeys_of_published_policies(shared_data: Path) -> None:
    """A type 4 vkey is spelled as published; a type 1 vkey stands for the cosigner, whose id is another."""
    cases = json.loads((shared_data / "trust/derived_json/witness_policy.json").read_text())["cases"]
    vkeys = {
        word
        for case in cases
        for word in case["policy"].split()
        if word.count("+") >= 2 and not word.startswith("http")
    }
    assert len(vkeys) == 3
    remora = next(vkey for vkey in vkeys if vkey.startswith("remora"))
    assert CosignerKey.parse(remora).vkey == remora
    for vkey in vkeys - {remora}:
        key = CosignerKey.parse(vkey)
        plain = VerifyKey.parse(vkey)
        assert (key.kind, key.public) == (ED25519, plain.public)
        assert key.key_id == sha256(key.name.encode() + b"\n\x04" + key.public).digest()[:4] != plain.key_id
    with pytest.raises(SignatureError):
        VerifyKey.parse(remora)


def test_the_ed25519_message_is_that_of_the_specification() -> None:
    """Header line, time line, and the whole body of the specification's example, and nothing else."""
    key = SigningKey("witness.example/w1", "witness", bytes(range(32)))
    key_id, signature = _signature(Ed25519Cosigner(key).line(BODY, 1679315147))
    assert key_id == sha256(b"witness.example/w1\n\x04" + key.public.public).digest()[:4]
    assert struct.unpack(">Q", signature[:8]) == (1679315147,)
    signed = b"cosignature/v1\ntime 1679315147\n" + BODY
    Ed25519PublicKey.from_public_bytes(key.public.public).verify(signature[8:], signed)


def test_the_ml_dsa_message_is_that_of_the_specification() -> None:
    """The `cosigned_message` structure, put together here field by field."""
    cosigner = MlDsaCosigner("witness.example/w1", bytes(range(32)))
    public = cosigner.cosigner.public
    key_id, signature = _signature(cosigner.line(BODY, 1679315147))
    assert key_id == sha256(b"witness.example/w1\n\x06" + public).digest()[:4]
    assert (len(public), len(signature)) == (1312, 8 + 2420)
    name, origin = b"witness.example/w1", b"example.com/behind-the-sofa"
    root = bytes.fromhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62")
    assert b64encode(root) in BODY
    signed = b"subtree/v1\n\0" + struct.pack(
        f">B{len(name)}sQB{len(origin)}sQQ32s",
        len(name),
        name,
        1679315147,
        len(origin),
        origin,
        0,
        20852163,
        root,
    )
    MLDSA44PublicKey.from_public_bytes(public).verify(signature[8:], signed)
