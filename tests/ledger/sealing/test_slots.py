"""Slots, streams and batches."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import InputError, StatementError
from leadline.ledger.ids import study_id
from leadline.ledger.sealing import age, slots
from leadline.ledger.sealing.commitment import commit
from leadline.ledger.sealing.slots import (
    SLOT_SIZE,
    SlotOpening,
    batch_slots,
    encode_batch,
    make_slot,
    open_slot,
    records,
    room,
    silence,
    silent_slot,
    slot_commitment,
    stream_of,
)

ME, RELEASE = age.generate(), age.generate()
READERS = [age.recipient_of(ME), age.recipient_of(RELEASE)]
IDS = [study_id(bytes([n]) * 32) for n in (9, 3, 200)]


@settings(max_examples=20)
@given(st.binary(max_size=room()))
def test_a_slot_has_one_length_and_opens(piece: bytes) -> None:
    """Whatever is said, and for silence, the bytes are as many; author and release identity read it."""
    slot, opening = make_slot(piece, b"null", READERS)
    assert len(slot) == SLOT_SIZE == len(silent_slot(silence(b"s" * 32, IDS[0], "2026-11-16")))
    assert open_slot(slot, ME) == open_slot(slot, RELEASE) == opening
    assert opening.piece == piece


def test_silence_cannot_be_told() -> None:
    """Nobody opens a silent slot; its form is that of every other."""
    slot = silent_slot(silence(b"s" * 32, IDS[0], "2026-11-16"))
    slots.check_slot(slot)
    assert open_slot(slot, ME) is None


def test_silence_is_shown_by_its_secret() -> None:
    """The opening follows from secret, study and period, and from nothing else."""
    made = silence(b"s" * 32, IDS[0], "2026-11-16")
    assert made == silence(b"s" * 32, IDS[0], "2026-11-16")
    others = [
        (b"t" * 32, IDS[0], "2026-11-16"),
        (b"s" * 32, IDS[1], "2026-11-16"),
        (b"s" * 32, IDS[0], "2026-11-23"),
    ]
    assert made.commitment not in {silence(*one).commitment for one in others}


def test_a_verdict_has_a_leaf_of_its_own() -> None:
    """A slot's commitment is made of two, so that the verdict opens without the rest."""
    _, opening = make_slot(b"piece", b'{"H1":1}', READERS)
    leaf = commit(opening.verdict_salt, b'{"H1":1}')
    assert opening.commitment == slot_commitment(opening.piece_leaf, leaf)
    assert opening.commitment != slot_commitment(leaf, opening.piece_leaf)


def test_a_slot_that_lies_about_its_content_is_noticed() -> None:
    """Commitment and box must agree."""
    slot, _ = make_slot(b"one", b"null", READERS)
    other, _ = make_slot(b"two", b"null", READERS)
    with pytest.raises(StatementError, match="something else than it commits to"):
        open_slot(slot[:32] + other[32:], ME)


def test_too_much_for_one_slot_is_refused() -> None:
    """What is longer is cut into pieces by the caller, never truncated here."""
    with pytest.raises(InputError, match="one length"):
        make_slot(bytes(room() + 1), b"null", READERS)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=12), st.lists(st.integers(0, 800), max_size=20))
def test_a_stream_cut_anywhere_comes_back(statements: list[bytes], cuts: list[int]) -> None:
    """Each record comes back whole, at the batch that holds its last byte."""
    stream = stream_of(statements)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [(10 + n, stream[a:b]) for n, (a, b) in enumerate(pairwise(places))]
    found = list(records(pieces))
    assert [one for _, one in found] == statements
    end = 0
    for batch, one in found:
        end += 4 + len(one)
        assert places[batch - 10] < end <= places[batch - 9]


def test_an_unfinished_record_waits() -> None:
    """A statement that is not wholly committed does not count yet."""
    stream = stream_of([b"first", b"second"])
    assert list(records([(1, stream[:-1])])) == [(1, b"first")]


@pytest.mark.parametrize("stream", [bytes(8), b"\xff\xff\xff\xff1234"])
def test_lengths_that_make_no_sense_are_refused(stream: bytes) -> None:
    """Zero, and more than a statement can have."""
    with pytest.raises(StatementError, match="behind their lengths"):
        list(records([(1, stream)]))


def test_a_batch_is_in_order_of_study() -> None:
    """The order of slots says nothing of the order in which they came."""
    made = [(study, silent_slot(silence(b"s" * 32, study, "2026-11-16"))) for study in IDS]
    assert batch_slots(encode_batch(made)) == sorted(made)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"x" + data[1:],
        lambda data: data[:26] + b"\xff\xff\xff\xff" + data[30:],
        lambda data: data.replace(b"LL-", b"XX-", 1),
        lambda data: data[:31] + data[31 + 16 + SLOT_SIZE :] + data[31 : 31 + 16 + SLOT_SIZE],
        lambda data: b"",
    ],
)
def test_malformed_batches_are_refused(damage: object) -> None:
    """Length, magic, count, ids and order are all checked, before anything is allocated for them."""
    assert callable(damage)
    made = [(study, bytes(SLOT_SIZE)) for study in IDS]
    with pytest.raises(StatementError, match="batch"):
        batch_slots(damage(encode_batch(made)))


def test_openings_round_trip() -> None:
    """What is encrypted reads back; too short a content is refused."""
    opening = SlotOpening(b"a" * 32, b"b" * 32, b"piece", b'{"H1":{}}')
    assert SlotOpening.decode(opening.encode()) == opening
    with pytest.raises(StatementError, match="not the content of a slot"):
        SlotOpening.decode(b"a" * 64 + b"\xff\xff\xff\xff")
