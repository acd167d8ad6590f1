"""A witness cosigns what extends what it cosigned before, and answers everything else as the specification says."""

from base64 import b64encode

import pytest

from leadline.ledger.cosignature import Ed25519Cosigner, verified_cosignatures
from leadline.ledger.keys import SigningKey
from leadline.ledger.tlog import EMPTY_ROOT, Frontier, leaf_hash, prove_consistency
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from leadline.ledger.witness import (
    MAX_PROOF,
    MAX_REQUEST,
    Grant,
    Refusal,
    consider,
    format_request,
    parse_request,
)
from ledger.record import ALICE, LOG, key

ORIGIN = "followed.example/log"
COSIGNER = Ed25519Cosigner(key("w.example", "witness"))
TIME = 1_770_000_000


class Log:
    """A log in memory, of as many entries as needed; `salt` makes another history."""

    def __init__(self, size: int, salt: str = "", *, same: int = 0) -> None:
        self.nodes: list[bytes] = []
        self.roots = [EMPTY_ROOT]
        edge = Frontier()
        for i in range(size):
            self.nodes += edge.append(leaf_hash(f"{i}{salt if i >= same else ''}".encode()))
            self.roots.append(edge.root())

    def note(self, size: int, signer: SigningKey = LOG) -> bytes:
        """The signed checkpoint of a size."""
        return sign_checkpoint(Checkpoint(ORIGIN, size, self.roots[size]), signer)

    def proof(self, old: int, new: int) -> list[bytes]:
        """The consistency proof; empty from nothing."""
        return prove_consistency(old, new, lambda at: [self.nodes[i] for i in at]) if old else []

    def request(self, old: int, new: int) -> bytes:
        """An honest request."""
        return format_request(old, self.proof(old, new), self.note(new))


HONEST = Log(40)


def ask(request: bytes, record: bytes | None = None) -> Grant | Refusal:
    """Ask a witness that follows one log."""
    return consider(request, {ORIGIN: [LOG.public]}.get, lambda origin: record)


def status(request: bytes, record: bytes | None = None) -> int:
    """The status it answers with."""
    found = ask(request, record)
    return found.answer.status if isinstance(found, Refusal) else 200


def record_of(size: int) -> bytes:
    """What a witness remembers after cosigning a size."""
    granted = ask(HONEST.request(0, size))
    assert isinstance(granted, Grant)
    return granted.cosign([COSIGNER], TIME)[0]


@pytest.mark.parametrize("old", [0, 1, 2, 7, 8, 31, 32, 40])
def test_every_growth_is_cosigned(old: int) -> None:
    """From any size to any larger one, the same size included; the answer verifies, the record is the checkpoint."""
    before = record_of(old) if old else None
    for new in range(max(old, 1), 41):
        granted = ask(HONEST.request(old, new), before)
        assert isinstance(granted, Grant)
        record, answer = granted.cosign([COSIGNER], TIME)
        assert (answer.status, answer.body) == (200, record[len(HONEST.note(new)) :])
        assert open_checkpoint(record, [LOG.public]).checkpoint.size == new
        assert [one.time for one in verified_cosignatures(record, [COSIGNER.cosigner])] == [TIME]
        assert granted.before is before


def test_what_does_not_extend_is_never_cosigned() -> None:
    """Another history of any size, with any of its own proofs, is refused, and kept as evidence."""
    for same in (0, 5, 11):
        other = Log(40, "x", same=same)
        for new in range(12, 41):
            found = ask(format_request(12, other.proof(12, new), other.note(new)), record_of(12))
            assert isinstance(found, Refusal)
            assert (found.answer.status, found.evidence) == (422, other.note(new))
            assert found.suspicion == ("certain" if new == 12 else "possible")


def test_a_split_is_seen_even_when_the_old_size_is_wrong() -> None:
    """Another root for the size that was cosigned is evidence, although the answer is the 409 that is due."""
    other = Log(12, "x")
    found = ask(format_request(0, [], other.note(12)), record_of(12))
    assert isinstance(found, Refusal)
    assert (found.answer.status, found.answer.body, found.suspicion) == (409, b"12\n", "certain")
    assert found.evidence == other.note(12)
    honest = ask(HONEST.request(0, 12), record_of(12))
    assert isinstance(honest, Refusal)
    assert (honest.answer.status, honest.evidence) == (409, None)


@pytest.mark.parametrize(("old", "record", "told"), [(0, 5, b"5\n"), (6, 5, b"5\n"), (4, None, b"0\n")])
def test_another_old_size_is_told_the_right_one(old: int, record: int | None, told: bytes) -> None:
    """409 with the size, a newline, and the type of the specification."""
    found = ask(HONEST.request(old, 9), None if record is None else record_of(record))
    assert isinstance(found, Refusal)
    answer = found.answer
    assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", told)


def test_unknown_logs_and_wrong_keys() -> None:
    """404 before any signature is looked at; 403 for a foreign key, and for a known key's bad signature."""
    note = HONEST.note(5)
    assert status(format_request(0, [], note.replace(ORIGIN.encode(), b"unknown.example"))) == 404
    assert (
        status(format_request(0, [], HONEST.note(5, ALICE if ALICE.role == "log" else key("a.b", "log"))))
        == 403
    )
    damaged = bytearray(note)
    damaged[-10] ^= 1
    assert status(format_request(0, [], bytes(damaged))) == 403
    body = note[: note.rindex(b"\n\n") + 1]
    assert status(format_request(0, [], body + "\n— a b\n".encode())) == 403
    extra = key("extra.example", "log")
    assert (
        status(
            format_request(
                0,
                [],
                note + sign_checkpoint(Checkpoint(ORIGIN, 5, HONEST.roots[5]), extra).rpartition(b"\n\n")[2],
            )
        )
        == 200
    )


def test_an_empty_log_has_the_empty_root() -> None:
    """Size 0 is cosigned with the root of nothing, and refused with another."""
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG)
    assert status(format_request(0, [], empty)) == 200
    assert status(format_request(0, [], sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), LOG))) == 422


def test_a_proof_from_nothing_must_be_empty() -> None:
    """With old size 0 there is nothing to prove; with equal sizes neither."""
    assert status(format_request(0, [bytes(32)], HONEST.note(5))) == 422
    assert status(format_request(5, [bytes(32)], HONEST.note(5)), record_of(5)) == 422


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"new 0\n\n" + HONEST.note(5),
        b"old  0\n\n" + HONEST.note(5),
        b"old +1\n\n" + HONEST.note(5),
        b"old 00\n\n" + HONEST.note(5),
        b"old 1_0\n\n" + HONEST.note(5),
        b"old 18446744073709551616\n\n" + HONEST.note(5),
        b"old 0 \n\n" + HONEST.note(5),
        b"old 0\r\n\r\n" + HONEST.note(5),
        b"old 6\n\n" + HONEST.note(5),
        b"old 0\nAAAA\n\n" + HONEST.note(5),
        b"old 0\nno base64!\n\n" + HONEST.note(5),
        b"old 0\n" + (b64encode(bytes(32)) + b"\n") * (MAX_PROOF + 1) + b"\n" + HONEST.note(5),
        b"old 0\n\nonly.example\n5\n",
        b"old 0\n\n" + HONEST.note(5).replace(b"\n5\n", b"\n05\n"),
        b"old 0\n\n" + HONEST.note(5).partition(b"\n\n")[0] + b"\n",
        bytes(MAX_REQUEST + 1),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_malformed_requests_are_400(request_: bytes) -> None:
    """Form is decided before anything is looked up, and nothing is evidence."""
    found = ask(request_, record_of(3))
    assert isinstance(found, Refusal)
    assert (found.answer.status, found.evidence) == (400, None)


def test_requests_are_read_as_they_are_written() -> None:
    """A round trip of a request with a proof."""
    asked = parse_request(HONEST.request(7, 29))
    assert (asked.old, asked.checkpoint.size) == (7, 29)
    assert format_request(asked.old, asked.proof, asked.note) == HONEST.request(7, 29)
    assert (
        parse_request(b"old 0\n" + (b64encode(bytes(32)) + b"\n") * MAX_PROOF + b"\n" + HONEST.note(5)).old
        == 0
    )


def test_only_verified_signatures_are_remembered() -> None:
    """Lines of unknown keys are no part of the record that the witness later serves."""
    extra = sign_checkpoint(Checkpoint(ORIGIN, 5, HONEST.roots[5]), key("extra.example", "log"))
    granted = ask(format_request(0, [], HONEST.note(5) + extra.rpartition(b"\n\n")[2]))
    assert isinstance(granted, Grant)
    assert granted.note == HONEST.note(5)
