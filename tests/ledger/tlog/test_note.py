"""Signed notes, checkpoints and proof files: what is written comes back, and nothing else is accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import ProofError, SignatureError
from leadline.ledger.encoding import b64encode
from leadline.ledger.tlog.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_body,
    sign_checkpoint,
    split_body,
)
from leadline.ledger.tlog.note import open_note, sign_note, split_note
from leadline.ledger.tlog.proof import TlogProof, parse_proof
from ledger.record import ALICE, LOG, key

TEXT = b"first\n\nafter a blank line\n"
ROOT = bytes(range(32))
BODY = f"log.example\n7\n{b64encode(ROOT)}\n".encode()


def test_a_note_comes_back_with_its_blank_lines() -> None:
    """The text ends at the last blank line, not the first."""
    opened = open_note(sign_note(TEXT, [LOG, ALICE]), [LOG.public])
    assert opened.text == TEXT
    assert opened.verified == (LOG.public,)
    assert [signature.name for signature in opened.unverified] == [ALICE.name]


def test_every_flipped_bit_of_a_note_is_refused() -> None:
    """No single bit of a note with one signature can change."""
    note = sign_note(BODY, [LOG])
    for at in range(len(note) * 8):
        bad = bytearray(note)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises(SignatureError):
            open_note(bytes(bad), [LOG.public])


def test_a_known_name_with_another_id_is_ignored() -> None:
    """A signature by an unknown key of a known name neither counts nor spoils the note."""
    impostor = key(LOG.name, "author")
    note = sign_note(BODY, [impostor, LOG])
    assert open_note(note, [LOG.public]).verified == (LOG.public,)
    with pytest.raises(SignatureError, match="no trusted key"):
        open_note(sign_note(BODY, [impostor]), [LOG.public])


def test_a_known_key_that_fails_spoils_the_note() -> None:
    """One bad signature of a known key rejects the note, whatever else is right."""
    good = sign_note(BODY, [ALICE])
    stolen = sign_note(TEXT, [LOG]).split(b"\n\n")[-1]
    with pytest.raises(SignatureError, match=r"test\.example/log"):
        open_note(good + stolen, [ALICE.public, LOG.public])


def test_number_of_signatures_is_capped_at_100() -> None:
    """Sixteen and a hundred signatures are read; 101 are malformed."""
    line = sign_note(BODY, [LOG])[len(BODY) + 1 :]
    for count in (16, 100):
        assert open_note(BODY + b"\n" + line * count, [LOG.public]).verified == (LOG.public,)
    with pytest.raises(SignatureError, match="more than 100"):
        open_note(BODY + b"\n" + line * 101, [LOG.public])


@pytest.mark.parametrize(
    "text", [b"no newline", b"tab\there\n", b"nul\x00\n", b"return\r\n", b"\xff\n", b"x" * 1_000_001 + b"\n"]
)
def test_texts_that_no_note_can_carry(text: bytes) -> None:
    """Control characters, other encodings and missing newlines are refused before signing."""
    with pytest.raises(SignatureError, match="malformed"):
        sign_note(text, [LOG])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    """Whatever comes in, a note that is not one is a SignatureError."""
    for note in (data, BODY + b"\n" + data, data + b"\n\n" + data):
        with pytest.raises(SignatureError):
            open_note(note, [LOG.public])


@pytest.mark.parametrize("at", range(4))
def test_loose_base64_in_a_signature_line_is_refused(at: int) -> None:
    """Junk, missing padding, blanks and non-zero padding bits are refused."""
    note = sign_note(BODY, [LOG])
    encoded = note.rsplit(b" ", 1)[1][:-1]
    loose = (
        encoded[:8] + b"*" + encoded[8:],
        encoded.rstrip(b"="),
        encoded + b" ",
        encoded.replace(b"A=", b"B="),
    )[at]
    if loose == encoded:
        loose = encoded[:-2] + bytes([encoded[-2] + 1]) + b"="
    with pytest.raises(SignatureError):
        split_note(note.replace(encoded, loose))


def test_checkpoints_round_trip() -> None:
    """A signed checkpoint opens to its origin, size and root; its key need not be named like its origin."""
    checkpoint = Checkpoint("log.example", 7, ROOT)
    note = sign_checkpoint(checkpoint, LOG)
    opened = open_checkpoint(note, [LOG.public], origin="log.example")
    assert (opened.checkpoint, opened.key, opened.note) == (checkpoint, LOG.public, note)
    assert note.startswith(BODY + b"\n")
    with pytest.raises(SignatureError, match="not of"):
        open_checkpoint(note, [LOG.public], origin="other.example")


def test_only_a_log_key_signs_checkpoints() -> None:
    """An author key that signs a checkpoint is a fault in role separation."""
    with pytest.raises(SignatureError, match="only a log key"):
        sign_checkpoint(Checkpoint("log.example", 7, ROOT), ALICE)


@pytest.mark.parametrize(
    "body",
    [
        BODY[:-1], BODY + b"\n", BODY + b"ext\n\n", BODY.replace(b"7", b"07"), BODY.replace(b"7", b"+7"),
        BODY.replace(b"7", b" 7"), BODY.replace(b"7", b"7_0"), BODY.replace(b"7", "٧".encode()), BODY.replace(b"7", b"-7"),
        BODY.replace(b"7", b"18446744073709551616"), BODY.replace(b"log.example", b""), b"o\n1\nAAAA\n", b"o\n1\n\n", b"",
        BODY.replace(b"7", b""), BODY.replace(b"log.example", b"\xff"),
    ],
)  # fmt: skip
def test_malformed_checkpoint_bodies(body: bytes) -> None:
    """Numbers, roots and lines have one spelling each."""
    with pytest.raises(SignatureError, match="malformed checkpoint"):
        parse_body(body)


def test_extension_lines_are_legal_and_ignored() -> None:
    """Extension lines do not change what a checkpoint says."""
    assert parse_body(BODY + b"extension\n") == Checkpoint("log.example", 7, ROOT)
    assert split_body(BODY + b"extension\n")[3] == [b"extension"]
    assert parse_body(BODY.replace(b"7", b"18446744073709551615")).size == 2**64 - 1


@pytest.mark.parametrize(
    "wrong",
    [
        Checkpoint("", 1, ROOT),
        Checkpoint("a\nb", 1, ROOT),
        Checkpoint("a", -1, ROOT),
        Checkpoint("a", 1, b""),
    ],
)
def test_a_wrong_checkpoint_is_not_written(wrong: Checkpoint) -> None:
    """What could not be read back is never signed."""
    with pytest.raises(SignatureError):
        wrong.body()


@given(
    st.integers(0, 2**64 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=64),
    st.none() | st.binary(max_size=40),
)
def test_proof_files_round_trip(index: int, hashes: list[bytes], extra: bytes | None) -> None:
    """Every proof file comes back from its bytes."""
    proof = TlogProof(index, tuple(hashes), BODY, extra)
    assert parse_proof(proof.marshal()) == proof


PROOF = TlogProof(5, (ROOT, ROOT), BODY, b"x").marshal()


@pytest.mark.parametrize(
    "data",
    [
        b"", PROOF.replace(b"@v1", b"@v2"), PROOF.replace(b"index 5", b"index 05"), PROOF.replace(b"index 5\n", b""),
        PROOF.replace(b"\n\n", b"\n"), PROOF.replace(b"extra eA==", b"extra eB=="), PROOF.replace(b"index", b"Index"),
        PROOF.replace(b"index 5", b"index 18446744073709551616"), PROOF.replace(b"\n\n", b"\nAAAA\n\n"),
        PROOF.replace(b"\n", b"\r\n"), PROOF.replace(b"index 5\n", b"index 5\nindex 5\n"), b"x" * 1_000_001,
        TlogProof(0, (ROOT,) * 65, BODY).marshal(), PROOF.replace(b"extra eA==\n", b"extra eA==\nextra eA==\n"),
    ],
)  # fmt: skip
def test_malformed_proof_files(data: bytes) -> None:
    """A proof file has one spelling."""
    with pytest.raises(ProofError, match="malformed proof"):
        parse_proof(data)


def test_a_proof_that_cannot_be_written() -> None:
    """Hashes of another length and indexes beyond uint64 are refused when writing."""
    for proof in (TlogProof(0, (b"",), BODY), TlogProof(1 << 64, (), BODY), TlogProof(-1, (), BODY)):
        with pytest.raises(ProofError):
            proof.marshal()
