"""Installations cosign each other: what is remembered, what is refused, and what certificates then say."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadline.errors import InputError, NotFoundError, SignatureError
from leadline.ledger.certificate import SINGLE_OPERATOR, verify_certificate
from leadline.ledger.cosignature import CosignerKey, Ed25519Cosigner, verified_cosignatures
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.policy import Policy
from leadline.registry.cosigning import (
    Peer,
    certificate_of,
    newest_checkpoint,
    peers_of,
    request_cosignatures,
    with_cosignatures,
)
from leadline.registry.registry import Registry
from leadline.registry.witnessing import (
    MOST_EVIDENCE,
    Witness,
    evidence,
    follow,
    followed,
    start_witness,
    unfollow,
    witness_of,
)
from leadline.store.shelf import MemoryShelf
from ledger.record import LOG, key
from ledger.test_witness import HONEST, ORIGIN, Log, format_request
from registry.served import URL, Served, copy_of, grow
from registry.world import Clock

COSIGNER = Ed25519Cosigner(key("w.example", "witness"))


def at_noon() -> datetime:
    """A clock that stands still."""
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Registry]:
    """A registry whose log is to be cosigned."""
    with Registry.open(tmp_path / "log" / "registry.db", clock=Clock()) as registry:
        yield registry


@pytest.fixture
def other(tmp_path: Path, log: Registry) -> Iterator[Registry]:
    """Another installation, a witness that follows the first one's log."""
    with Registry.open(tmp_path / "other" / "registry.db", clock=Clock()) as registry:
        start_witness(registry)
        follow(registry.store.shelf, log.home.log)
        yield registry


def peer(registry: Registry, url: str = f"{URL}/witness") -> Peer:
    """The other installation as one that is asked."""
    witness = witness_of(registry)
    assert witness is not None
    return Peer.parse(witness.keys[0].vkey, url)


# -- remembering ------------------------------------------------------------------------------------


def test_what_was_cosigned_is_remembered_and_served() -> None:
    """The record under the origin's hash holds the log's signature and the very cosignature that was returned."""
    from leadline.ledger.witness import origin_hash

    shelf = MemoryShelf()
    witness = Witness(shelf, [COSIGNER], at_noon)
    follow(shelf, LOG.public, ORIGIN)
    assert witness.checkpoint(origin_hash(ORIGIN)).status == 404
    answer = witness.add_checkpoint(HONEST.request(0, 9))
    assert answer.status == 200
    served = witness.checkpoint(origin_hash(ORIGIN))
    assert (served.status, served.body) == (200, HONEST.note(9) + answer.body)
    for name in ("", "0" * 63, "0" * 64, origin_hash(ORIGIN).upper(), "../../etc"):
        assert witness.checkpoint(name).status == 404
    assert followed(shelf)[0].size == 9


def test_of_many_at_once_none_is_rolled_back() -> None:
    """Threads that all start from the same size: exactly one is cosigned each time, the others are told the size."""
    shelf = MemoryShelf()
    witness = Witness(shelf, [COSIGNER], at_noon)
    follow(shelf, LOG.public, ORIGIN)
    assert witness.add_checkpoint(HONEST.request(0, 1)).status == 200
    statuses: list[int] = []
    barrier = threading.Barrier(16)

    def submit(size: int) -> None:
        barrier.wait()
        statuses.append(witness.add_checkpoint(HONEST.request(1, size)).status)

    threads = [threading.Thread(target=submit, args=(size,)) for size in range(2, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, *[409] * 15]


def test_an_answer_that_lost_the_race_is_not_given() -> None:
    """Where the record changed between reading and writing, the request is decided again: 409, not a rollback."""

    class Racing(MemoryShelf):
        raced = False

        def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
            if space == "witness" and not self.raced:
                self.raced = True
                witness.add_checkpoint(HONEST.request(0, 30))
            return super().swap(space, key, expected, value)

    shelf = Racing()
    witness = Witness(shelf, [COSIGNER], at_noon)
    follow(shelf, LOG.public, ORIGIN)
    answer = witness.add_checkpoint(HONEST.request(0, 9))
    assert (answer.status, answer.body) == (409, b"30\n")
    assert followed(shelf)[0].size == 30


def test_nothing_is_answered_that_was_not_kept() -> None:
    """A shelf that cannot write makes the request fail; no cosignature leaves the house."""

    class Full(MemoryShelf):
        def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
            if space == "witness":
                raise OSError("disk full")
            return super().swap(space, key, expected, value)

    shelf = Full()
    follow(shelf, LOG.public, ORIGIN)
    with pytest.raises(OSError, match="full"):
        Witness(shelf, [COSIGNER], at_noon).add_checkpoint(HONEST.request(0, 9))


def test_evidence_is_kept_and_bounded() -> None:
    """Contradictions are kept under their certainty; a flood of them takes no more room."""
    shelf = MemoryShelf()
    witness = Witness(shelf, [COSIGNER], at_noon)
    follow(shelf, LOG.public, ORIGIN)
    witness.add_checkpoint(HONEST.request(0, 9))
    split = Log(9, "x").note(9)
    assert witness.add_checkpoint(format_request(9, [], split)).status == 422
    assert evidence(shelf) == [("certain", split)]
    for number in range(100):
        log = Log(12, f"y{number}")
        assert witness.add_checkpoint(format_request(9, log.proof(9, 12), log.note(12))).status == 422
        assert witness.add_checkpoint(format_request(9, [], Log(9, f"z{number}").note(9))).status == 422
    assert len(evidence(shelf)) <= 2 * MOST_EVIDENCE
    assert ("certain", split) in evidence(shelf)


def test_logs_are_followed_and_left() -> None:
    """A log may have two keys under one origin; a log that was left is unknown, and what was cosigned stays."""
    shelf = MemoryShelf()
    witness = Witness(shelf, [COSIGNER], at_noon)
    follow(shelf, LOG.public, ORIGIN)
    second = key("second.example", "log").public
    follow(shelf, second, ORIGIN)
    follow(shelf, second, ORIGIN)
    assert [log.keys for log in followed(shelf)] == [(LOG.public, second)]
    assert witness.add_checkpoint(HONEST.request(0, 9)).status == 200
    unfollow(shelf, ORIGIN)
    assert witness.add_checkpoint(HONEST.request(9, 10)).status == 404
    with pytest.raises(NotFoundError):
        unfollow(shelf, ORIGIN)
    follow(shelf, LOG.public, ORIGIN)
    assert witness.add_checkpoint(HONEST.request(0, 10)).body == b"9\n"
    with pytest.raises(SignatureError):
        follow(shelf, LOG.public, "two\nlines")


# -- being cosigned ---------------------------------------------------------------------------------


def test_the_witness_key_is_announced_once(log: Registry) -> None:
    """The log knows the key in its role, signed by the service key; asking again adds nothing."""
    made = start_witness(log)
    size = log.store.size()
    assert start_witness(log) == made
    assert log.store.size() == size
    records = log.keys()
    (known,) = [record for record in records if record.role == "witness"]
    assert VerifyKey.parse(known.vkey) == made.public
    assert list(log.fsck()) == []


def test_a_certificate_says_who_cosigned(log: Registry, other: Registry) -> None:
    """Before: the single operator. After: the other installation, with its time; the log verifies as before."""
    grow(log, 3)
    before = certificate_of(log.store, 1)
    assert verify_certificate(before, None, [log.home.log]).standing() == SINGLE_OPERATOR
    size = log.store.size()
    (asked,) = request_cosignatures(log, [peer(other)], Served(other).http())
    assert (asked.outcome, asked.size) == ("cosigned", size)
    grow(log, 4, "later")
    key = peer(other).key
    found = verify_certificate(certificate_of(log.store, 1), None, [log.home.log], cosigners=[key])
    assert (found.size, found.time) == (size, asked.time)
    assert found.warnings == ()
    policy = f"log {log.home.log.vkey}\nwitness them {key.vkey}\nquorum them\n"
    assert verify_certificate(certificate_of(log.store, 1), None, [], policy=Policy.parse(policy.encode()))
    # What came after the cosignature has none yet.
    fresh = verify_certificate(certificate_of(log.store, size), None, [log.home.log], cosigners=[key])
    assert (fresh.size, fresh.standing()) == (log.store.size(), SINGLE_OPERATOR)
    assert list(log.fsck()) == []


def test_the_checkpoint_is_served_with_its_cosignatures(log: Registry, other: Registry) -> None:
    """The newest one only, and each cosignature once however often it was asked for."""
    grow(log, 2)
    for _ in range(3):
        request_cosignatures(log, [peer(other)], Served(other).http())
    note = newest_checkpoint(log.store, log.store.shelf)
    assert note.count("— ".encode()) == 2
    assert len(verified_cosignatures(note, [peer(other).key])) == 1
    grow(log, 1, "more")
    assert newest_checkpoint(log.store, log.store.shelf) == log.store.checkpoint()


def test_growth_is_proven_to_the_witness(log: Registry, other: Registry) -> None:
    """Size after size is cosigned in one exchange each, also when this log forgot what the witness knows."""
    served = Served(other)
    for count in (1, 5, 40, 300):
        grow(log, count, f"w{count}")
        served.asked.clear()
        (asked,) = request_cosignatures(log, [peer(other)], served.http())
        assert asked.outcome == "cosigned"
        assert len(served.asked) == 1
    grow(log, 1, "last")
    for place, _ in log.store.shelf.items("witness-peers"):
        log.store.shelf.delete("witness-peers", place)
    served.asked.clear()
    assert request_cosignatures(log, [peer(other)], served.http())[0].outcome == "cosigned"
    assert len(served.asked) == 2


def test_the_certificate_with_most_cosigners_is_chosen(
    log: Registry, other: Registry, tmp_path: Path
) -> None:
    """An earlier tree that one witness cosigned is passed over for a later one that two did."""
    with Registry.open(tmp_path / "third" / "registry.db", clock=Clock()) as third:
        start_witness(third)
        follow(third.store.shelf, log.home.log)
        grow(log, 1)
        request_cosignatures(log, [peer(other)], Served(other).http())
        grow(log, 1, "second")
        for one in (other, third):
            request_cosignatures(log, [peer(one)], Served(one).http())
        keys = [peer(other).key, peer(third).key]
        text = certificate_of(log.store, 0)
        grow(log, 3, "after")
    found = verify_certificate(text, None, [log.home.log], cosigners=keys)
    assert (found.size, len(found.cosignatures)) == (log.store.size() - 3, 2)


def test_a_second_copy_of_the_log_is_found_out(log: Registry, other: Registry, tmp_path: Path) -> None:
    """A copy that goes its own way gets no cosignature: behind the witness it is told so, beside it it is refused."""
    grow(log, 5)
    with copy_of(log, tmp_path / "copy") as twin:
        grow(log, 5, "mine")
        assert request_cosignatures(log, [peer(other)], Served(other).http())[0].outcome == "cosigned"
        grow(twin, 2, "theirs")
        (behind,) = request_cosignatures(twin, [peer(other)], Served(other).http())
        assert (behind.outcome, "second copy" in behind.detail) == ("ahead", True)
        grow(twin, 30, "further")
        (beside,) = request_cosignatures(twin, [peer(other)], Served(other).http())
        assert beside.outcome == "refused"
        assert "422" in beside.detail
        assert [how for how, _ in evidence(other.store.shelf)] == ["possible"]
        assert newest_checkpoint(twin.store, twin.store.shelf) == twin.store.checkpoint()


@pytest.mark.parametrize(
    ("status", "body", "outcome", "why"),
    [
        (404, b"unknown log\n", "refused", "404: unknown log"),
        (500, b"\x1b[31mboom", "refused", "500"),
        (302, b"", "refused", "302"),
        (200, b"", "refused", ""),
        (200, b"nonsense\n", "refused", "malformed"),
        (200, "— w.example AAAAAAAA\n".encode(), "refused", "no cosignature by the key"),
        (200, bytes(1 << 17), "refused", "longer"),
        (409, b"7", "refused", "keeps changing"),
        (409, b"-1\n", "refused", "409"),
        (409, b"999\n", "ahead", "entries were lost"),
    ],
)
def test_strange_answers_are_reported_not_believed(
    log: Registry, other: Registry, status: int, body: bytes, outcome: str, why: str
) -> None:
    """Whatever a witness says, nothing unverified is kept, and the reason is told."""
    grow(log, 10)
    served = Served(other, {"/witness/add-checkpoint": (status, body)})
    (asked,) = request_cosignatures(log, [peer(other)], served.http())
    assert asked.outcome == outcome
    assert why in asked.detail
    assert with_cosignatures(log.store.shelf, log.store.checkpoint()) == log.store.checkpoint()


def test_a_cosignature_by_another_key_is_not_kept(log: Registry, other: Registry) -> None:
    """The peer's key is known beforehand; what others sign in its place is refused."""
    grow(log, 1)
    imposter = Peer(CosignerKey.of(key("imposter.example", "witness").public), f"{URL}/witness")
    (asked,) = request_cosignatures(log, [imposter], Served(other).http())
    assert (asked.outcome, "no cosignature by the key" in asked.detail) == ("refused", True)


def test_a_witness_that_is_away_is_no_error(log: Registry, other: Registry) -> None:
    """A refused connection is reported, and the others are asked all the same."""
    import httpx2

    from leadline.registry.outgoing import Http

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with httpx2.Client(transport=httpx2.MockTransport(refuse)) as client:
        asked = request_cosignatures(log, [peer(other)] * 2, Http(client, sleep=lambda seconds: None))
    assert [one.outcome for one in asked] == ["unreachable"] * 2


def test_peers_come_from_a_policy() -> None:
    """The witnesses with an address; an address that is none is refused."""
    keys = [CosignerKey.of(key(f"w{i}.example", "witness").public).vkey for i in range(2)]
    text = f"witness a {keys[0]} https://a.example/witness/\nwitness b {keys[1]}\nquorum a\n"
    assert [peer.url for peer in peers_of(Policy.parse(text.encode()))] == ["https://a.example/witness"]
    for url in (
        "ftp://a.example",
        "https://",
        "https://u:p@a.example",
        "file:///etc/passwd",
        "a.example",
        "https://a/?q",
    ):
        with pytest.raises(InputError):
            Peer.parse(keys[0], url)


def test_signing_keys_of_other_roles_make_no_witness(log: Registry) -> None:
    """A registry without a witness key cosigns nothing."""
    assert witness_of(log) is None
    with pytest.raises(SignatureError):
        Ed25519Cosigner(SigningKey.generate("x.example", "service"))
