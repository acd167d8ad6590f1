"""Cosignatures verify for the checkpoint, key and time they were made for, and for nothing else."""

import pytest

from leadline.errors import SignatureError
from leadline.ledger.cosignature import (
    ML_DSA_44,
    CosignerKey,
    Ed25519Cosigner,
    MlDsaCosigner,
    only_by,
    verified_cosignatures,
    with_lines,
)
from leadline.ledger.tlog import EMPTY_ROOT
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.record import ALICE, LOG, ORIGIN, key

TIME = 1_770_000_000
W1 = Ed25519Cosigner(key("w1.example", "witness"))
W2 = MlDsaCosigner("w2.example", bytes(range(32)))
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 7, b"\x07" * 32), LOG)
BODY = Checkpoint(ORIGIN, 7, b"\x07" * 32).body()
KEYS = [W1.cosigner, W2.cosigner]


def cosigned(note: bytes = NOTE, time: int = TIME) -> bytes:
    """The checkpoint with a cosignature of each kind."""
    return with_lines(with_lines(note, W1.line(BODY, time)), W2.line(BODY, time + 5))


def test_both_kinds_verify_beside_the_logs_own_signature() -> None:
    """Each cosigner is found with its time; the log's signature still verifies; unknown cosigners are ignored."""
    note = cosigned()
    assert [(one.key, one.time) for one in verified_cosignatures(note, KEYS)] == [
        (W1.cosigner, TIME),
        (W2.cosigner, TIME + 5),
    ]
    assert open_checkpoint(note, [LOG.public]).checkpoint.size == 7
    assert verified_cosignatures(note, [CosignerKey.of(ALICE.public)]) == ()
    assert [one.key for one in verified_cosignatures(note, [W2.cosigner])] == [W2.cosigner]


@pytest.mark.parametrize("cosigner", [W1, W2], ids=["Ed25519", "ML-DSA-44"])
def test_every_flipped_byte_is_refused(cosigner: Ed25519Cosigner | MlDsaCosigner) -> None:
    """Time, signature and checkpoint are all covered."""
    public = cosigner.cosigner
    line = cosigner.line(BODY, TIME)
    signature = TIME.to_bytes(8, "big") + _raw(line)[12:]
    assert public.verify(BODY, signature) == TIME
    for at in [*range(8), *range(8, len(signature), 1 if public.kind != ML_DSA_44 else 97)]:
        bad = bytearray(signature)
        bad[at] ^= 0x10
        with pytest.raises(SignatureError):
            public.verify(BODY, bytes(bad))
    for other in (BODY.replace(b"\n7\n", b"\n8\n"), BODY.replace(ORIGIN.encode(), b"other.example")):
        with pytest.raises(SignatureError):
            public.verify(other, signature)
    for length in (0, 7, 8, 71, len(signature) - 1, len(signature) + 1):
        with pytest.raises(SignatureError, match="length"):
            public.verify(BODY, (signature + b"\0")[:length])


def _raw(line: bytes) -> bytes:
    from base64 import b64decode

    return b64decode(line.rsplit(b" ", 1)[1])


def test_a_known_cosigner_that_fails_rejects_the_note() -> None:
    """Name and id match, the signature does not: the note is malformed, whatever else it carries."""
    forged = Ed25519Cosigner(key("w1.example", "witness")).line(BODY.replace(b"\n7\n", b"\n8\n"), TIME)
    with pytest.raises(SignatureError, match=r"w1\.example"):
        verified_cosignatures(cosigned() + forged, KEYS)


def test_the_earliest_of_several_times_counts() -> None:
    """A witness asked twice has seen the checkpoint at the earlier of its two times."""
    note = NOTE + W1.line(BODY, TIME + 60) + W1.line(BODY, TIME)
    assert [one.time for one in verified_cosignatures(note, KEYS)] == [TIME]


def test_only_the_ml_dsa_kind_binds_the_name() -> None:
    """The same public key under another name is another cosigner; its Ed25519 message is the same."""
    renamed = MlDsaCosigner("w3.example", W2.seed)
    assert renamed.cosigner.public == W2.cosigner.public
    with pytest.raises(SignatureError):
        CosignerKey("w3.example", ML_DSA_44, W2.cosigner.public).verify(BODY, _raw(W2.line(BODY, TIME))[4:])


def test_times_out_of_range_are_refused() -> None:
    """Zero says nothing about time, and above 2^63 - 1 there is none."""
    for time in (0, -1, 1 << 63):
        for cosigner in (W1, W2):
            with pytest.raises(SignatureError, match="time"):
                cosigner.line(BODY, time)
    late = (1 << 63).to_bytes(8, "big") + bytes(64)
    with pytest.raises(SignatureError, match="time"):
        W1.cosigner.verify(BODY, late)


@pytest.mark.parametrize("role", ["author", "log", "service"])
def test_only_a_witness_key_cosigns(role: str) -> None:
    """A key has one role."""
    with pytest.raises(SignatureError, match="only a witness key cosigns"):
        Ed25519Cosigner(key("someone.example", role))


@pytest.mark.parametrize("public", [W1.cosigner, W2.cosigner], ids=["Ed25519", "ML-DSA-44"])
def test_vkeys_are_read_as_they_are_written_and_in_no_other_way(public: CosignerKey) -> None:
    """A round trip, and refusals of wrong ids, types and lengths."""
    assert CosignerKey.parse(public.vkey) == public
    name, key_id, material = public.vkey.split("+", 2)
    bad = (
        f"{name}+00000000+{material}",
        f"{name}+{key_id.upper()}x+{material}",
        f"{name}+{key_id}+{material[:-8]}",
        f"{name}+{key_id}",
        f"{name}+{key_id}+AgAA",
        "",
        f"with space+{key_id}+{material}",
    )
    for text in bad:
        with pytest.raises(SignatureError):
            CosignerKey.parse(text)
    with pytest.raises(SignatureError, match="type"):
        CosignerKey(name, 0x05, public.public)


def test_keys_of_small_order_are_refused() -> None:
    """A cosigner's Ed25519 key is held to the same rule as any other."""
    with pytest.raises(SignatureError, match="small order"):
        CosignerKey("w.example", 0x04, b"\x01" + bytes(31))


def test_lines_are_added_once_and_taken_off_again() -> None:
    """Adding what is there changes nothing; leaving only the log's lines gives the bare checkpoint back."""
    note = cosigned()
    assert with_lines(note, W1.line(BODY, TIME)) == note
    assert only_by(note, [LOG.public]) == NOTE
    with pytest.raises(SignatureError, match="malformed"):
        with_lines(note, b"no signature\n")


def test_an_empty_tree_can_be_cosigned() -> None:
    """A log's first checkpoint may be of nothing."""
    body = Checkpoint(ORIGIN, 0, EMPTY_ROOT).body()
    assert W1.cosigner.verify(body, _raw(W1.line(body, TIME))[4:]) == TIME
