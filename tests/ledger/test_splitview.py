"""Two checkpoints of one log either fit together or become evidence; a reader remembers what it saw."""

from pathlib import Path

import pytest

from leadline.errors import InputError, IntegrityError, ProofError, SignatureError, StoreError
from leadline.ledger.seen import Seen
from leadline.ledger.splitview import Consistent, Split, compare_checkpoints, read_evidence
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from ledger.record import LOG, key
from ledger.test_witness import HONEST, ORIGIN, Log

KEYS = [LOG.public]
OTHER = Log(40, "x", same=10)


def test_one_history_is_consistent_in_either_order() -> None:
    """Any two sizes, whichever came first."""
    for a, b in [(1, 40), (40, 1), (7, 7), (8, 31), (0, 5)]:
        found = compare_checkpoints(HONEST.note(a), HONEST.note(b), KEYS, HONEST.proof)
        assert isinstance(found, Consistent)
        assert (found.older.checkpoint.size, found.newer.checkpoint.size) == (min(a, b), max(a, b))


def test_two_roots_for_one_size_are_proof_without_anybodys_help() -> None:
    """Nothing is asked, and the evidence verifies for anybody with the log's key."""

    def nobody(old: int, new: int) -> list[bytes]:
        raise AssertionError("not needed")

    found = compare_checkpoints(HONEST.note(20), OTHER.note(20), KEYS, nobody)
    assert isinstance(found, Split)
    assert found.proven
    assert read_evidence(found.evidence()) == (HONEST.note(20), OTHER.note(20))
    assert "two histories" in found.error().message


def test_a_later_checkpoint_of_another_history_cannot_be_explained() -> None:
    """No proof of either history leads from one to the other."""
    for source in (HONEST.proof, OTHER.proof):
        found = compare_checkpoints(HONEST.note(20), OTHER.note(33), KEYS, source)
        assert isinstance(found, Split)
        assert not found.proven
        assert "does not show" in found.error().message


def test_before_they_part_two_histories_are_one() -> None:
    """Checkpoints of the common beginning are no evidence."""
    assert isinstance(compare_checkpoints(HONEST.note(9), OTHER.note(30), KEYS, OTHER.proof), Consistent)


def test_what_is_not_the_logs_decides_nothing() -> None:
    """Unsigned checkpoints, other logs, and proofs that cannot be had are errors, not splits."""
    with pytest.raises(SignatureError):
        compare_checkpoints(HONEST.note(5), HONEST.note(6, key("other.example", "log")), KEYS, HONEST.proof)
    elsewhere = sign_checkpoint(Checkpoint("elsewhere.example", 9, bytes(32)), LOG)
    with pytest.raises(InputError, match="two logs"):
        compare_checkpoints(HONEST.note(5), elsewhere, KEYS, HONEST.proof)

    def offline(old: int, new: int) -> list[bytes]:
        raise StoreError("no answer")

    with pytest.raises(StoreError):
        compare_checkpoints(HONEST.note(5), HONEST.note(6), KEYS, offline)


@pytest.mark.parametrize("data", [b"", b"leadline.dev/split-view@v1\n", b"x" * 100])
def test_other_files_are_no_evidence(data: bytes) -> None:
    """A damaged file of evidence is refused, cut anywhere."""
    with pytest.raises(InputError):
        read_evidence(data)
    found = compare_checkpoints(HONEST.note(20), OTHER.note(20), KEYS, HONEST.proof)
    assert isinstance(found, Split)
    whole = found.evidence()
    for end in (len(whole) - 1, len(whole) // 2, 90):
        with pytest.raises(InputError):
            read_evidence(whole[:end])
    with pytest.raises(InputError):
        read_evidence(whole + b"x")


def test_a_reader_remembers_the_newest_checkpoint(tmp_path: Path) -> None:
    """Growth is taken over; an older checkpoint of the same history changes nothing."""
    seen = Seen(tmp_path / "seen")
    assert seen.last(ORIGIN) is None
    for size, remembered in ((5, 5), (9, 9), (7, 9), (9, 9), (40, 40)):
        seen.remember(HONEST.note(size), KEYS, HONEST.proof)
        assert seen.last(ORIGIN) == HONEST.note(remembered)
    assert len(list((tmp_path / "seen").iterdir())) == 1


@pytest.mark.parametrize("size", [12, 15, 20, 31])
def test_a_reader_notices_a_second_history_and_keeps_both(tmp_path: Path, size: int) -> None:
    """Shorter, of the same size, or longer: refused, both checkpoints kept, the first one remembered."""
    seen = Seen(tmp_path)
    seen.remember(HONEST.note(20), KEYS, HONEST.proof)
    for source in (HONEST.proof, OTHER.proof):
        with pytest.raises(IntegrityError) as caught:
            seen.remember(OTHER.note(size), KEYS, source)
    assert caught.value.where is not None
    pair = set(read_evidence(Path(caught.value.where).read_bytes()))
    assert pair == {HONEST.note(20), OTHER.note(size)}
    assert seen.last(ORIGIN) == HONEST.note(20)


def test_a_new_key_is_no_reason_to_forget(tmp_path: Path) -> None:
    """What was remembered under another key must be settled by a person."""
    seen = Seen(tmp_path)
    seen.remember(HONEST.note(5), KEYS, HONEST.proof)
    new = key("new.example", "log")
    with pytest.raises(SignatureError, match="remembered checkpoint"):
        seen.remember(HONEST.note(9, new), [new.public], HONEST.proof)
    with pytest.raises(SignatureError, match="no trusted key"):
        seen.remember(HONEST.note(9, new), KEYS, HONEST.proof)


def test_a_failing_proof_source_is_passed_on(tmp_path: Path) -> None:
    """A reader that is offline neither remembers nor accuses."""
    seen = Seen(tmp_path)
    seen.remember(HONEST.note(5), KEYS, HONEST.proof)

    def offline(old: int, new: int) -> list[bytes]:
        raise StoreError("no answer")

    with pytest.raises(StoreError):
        seen.remember(HONEST.note(9), KEYS, offline)
    assert seen.last(ORIGIN) == HONEST.note(5)
    assert not issubclass(StoreError, ProofError)
