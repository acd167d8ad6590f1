"""fsck names what is wrong: every bit of every stored value, and every kind of loss."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

import pytest

from leadline.errors import IntegrityError
from leadline.ledger import keys
from leadline.ledger.fsck import Problem, fsck
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog import Frontier, leaf_hash, stored_count
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from ledger.record import ALICE, LOG, ORIGIN, SERVICE, TIME, MemoryRecord, Registry, key, small_registry

# Remembers positive answers only, for identical bytes: altered bytes always reach the real verifier.
remembered: Callable[[bytes, bytes, bytes], None] = lru_cache(maxsize=None)(keys.verify)


def check(record: MemoryRecord, **more: object) -> list[Problem]:
    """All problems of a record."""
    return list(fsck(record, log_keys=[LOG.public], origin=ORIGIN, verify=remembered, **more))  # type: ignore[arg-type]


def copied(record: MemoryRecord) -> MemoryRecord:
    """A record whose lists can be damaged."""
    return MemoryRecord(
        record.stored_entries.copy(),
        record.stored_nodes.copy(),
        record.stored_checkpoints.copy(),
        record.stored_blobs.copy(),
        record.taken_down.copy(),
    )


@pytest.fixture(scope="module")
def sound() -> MemoryRecord:
    """A sound record of a dozen entries."""
    return small_registry().record


def flips(data: bytes) -> Iterator[bytes]:
    """`data` with each single bit changed."""
    for at in range(len(data) * 8):
        bad = bytearray(data)
        bad[at // 8] ^= 1 << at % 8
        yield bytes(bad)


def test_a_sound_record_has_no_problems(sound: MemoryRecord) -> None:
    """Nothing is reported where nothing is wrong, and nothing for an empty record."""
    assert check(sound) == []
    assert check(MemoryRecord()) == []


def test_every_node_is_checked(sound: MemoryRecord) -> None:
    """A flipped node is one problem that names that node: every bit of one leaf and one inner node, some of all."""
    for index, value in sound.stored_nodes:
        for bad in flips(value) if index in (3, 6) else list(flips(value))[::37]:
            record = copied(sound)
            record.stored_nodes[index] = (index, bad)
            (problem,) = check(record)
            assert problem.code == "node-hash"
            assert problem.where.startswith(f"node {index} ")


def test_every_entry_is_checked(sound: MemoryRecord) -> None:
    """A changed entry is the first thing named, by its index, and the tree around it is left in peace."""
    for index, data in sound.stored_entries:
        for at in range(index % 5, len(data), 5):
            bad = bytearray(data)
            bad[at] ^= 1 << at % 8
            record = copied(sound)
            record.stored_entries[index] = (index, bytes(bad))
            problems = check(record)
            assert problems[0].code == "entry-hash"
            assert problems[0].where == f"entry {index}"
            assert not [p for p in problems if p.code.startswith(("node", "checkpoint"))]


def test_every_byte_of_every_checkpoint_is_checked(sound: MemoryRecord) -> None:
    """A changed checkpoint is named by its size, and nothing else is."""
    for position, (size, note) in enumerate(sound.stored_checkpoints):
        for at in range(len(note)):
            bad = bytearray(note)
            bad[at] ^= 1 << at % 8
            record = copied(sound)
            record.stored_checkpoints[position] = (size, bytes(bad))
            problems = [p for p in check(record) if p.code != "checkpoint-missing"]
            assert problems
            assert {p.where for p in problems} == {f"checkpoint {size}"}


def test_every_bit_of_every_blob_is_checked(sound: MemoryRecord) -> None:
    """A flipped blob, or a flipped digest it is filed under, is named."""
    for digest, data in sound.stored_blobs.items():
        for bad in flips(data):
            record = copied(sound)
            record.stored_blobs[digest] = bad
            assert [(p.code, p.where) for p in check(record)] == [("blob-hash", f"blob {digest}")]
        record = copied(sound)
        record.stored_blobs["0" * 64] = record.stored_blobs.pop(digest)
        codes = {p.code for p in check(record)}
        assert "blob-hash" in codes


def test_every_stored_number_is_checked(sound: MemoryRecord) -> None:
    """Entries, nodes and checkpoints filed under another number are reported, whatever the number."""
    for name in ("stored_entries", "stored_nodes", "stored_checkpoints"):
        rows = getattr(sound, name)
        for position, (number, data) in enumerate(rows):
            for bit in (0, 1, 2, 3, 4, 5, 13, 14, 31, 62):
                record = copied(sound)
                damaged = [*rows[:position], (number ^ 1 << bit, data), *rows[position + 1 :]]
                setattr(record, name, sorted(damaged, key=lambda row: row[0]))
                assert check(record), (name, number, bit)


def test_a_missing_entry_is_named_and_the_rest_is_still_checked(sound: MemoryRecord) -> None:
    """A deleted row is one missing entry, not a broken tree."""
    record = copied(sound)
    del record.stored_entries[7]
    problems = check(record)
    assert (problems[0].code, problems[0].where) == ("entry-missing", "entry 7")
    assert not [p for p in problems if p.code.startswith(("node", "checkpoint"))]
    assert all("may follow from entry 7" in p.what for p in problems[1:])


def test_a_truncated_log_is_shorter_than_what_was_signed(sound: MemoryRecord) -> None:
    """Dropping the last entries with their nodes contradicts the newest checkpoint."""
    record = copied(sound)
    del record.stored_entries[-2:]
    del record.stored_nodes[stored_count(10) :]
    codes = [p.code for p in check(record)]
    assert codes.count("log-shorter") == 2
    record.stored_checkpoints = record.stored_checkpoints[:-2]
    assert {p.code for p in check(record)} <= {"blob-missing"}


def test_entries_that_no_checkpoint_covers(sound: MemoryRecord) -> None:
    """A log that goes beyond its newest checkpoint was not written by one transaction."""
    record = copied(sound)
    record.stored_checkpoints.pop()
    assert [(p.code, p.where) for p in check(record)] == [("checkpoint-missing", "entry 11")]


def test_missing_and_surplus_nodes(sound: MemoryRecord) -> None:
    """A lost node and nodes beyond the last entry are named."""
    record = copied(sound)
    del record.stored_nodes[5]
    assert [p.code for p in check(record)] == ["node-missing"]
    record = copied(sound)
    record.stored_nodes.append((len(record.stored_nodes), bytes(32)))
    assert [p.code for p in check(record)] == ["node-surplus"]


def rebuilt(envelopes: list[bytes]) -> Registry:
    """A log that contains these envelopes, with a tree and checkpoints that fit, whatever they are."""
    registry = Registry()
    for envelope in envelopes:
        registry.append_raw(envelope)
    return registry


def test_an_attempt_deleted_with_its_tree_rebuilt(sound: MemoryRecord) -> None:
    """An operator who rewrites history needs the log key, and is then betrayed by attempt numbers."""
    envelopes = [data for _, data in sound.stored_entries]
    record = rebuilt(envelopes[:6] + envelopes[7:]).record
    record.stored_blobs = sound.stored_blobs
    assert "attempt 1 is not open" in check(record)[0].what


def test_a_forged_signature_in_a_consistent_tree(sound: MemoryRecord) -> None:
    """A statement whose signature is another's is named although tree and checkpoints fit."""
    envelopes = [data for _, data in sound.stored_entries]
    forged = envelopes[4][:-10] + (b"A" if envelopes[4][-10:-9] != b"A" else b"B") + envelopes[4][-9:]
    record = rebuilt([*envelopes[:4], forged]).record
    record.stored_blobs = sound.stored_blobs
    assert [(p.code, p.where) for p in check(record)] == [("entry-signature", "entry 4")]


def test_authority_is_replayed(sound: MemoryRecord) -> None:
    """A statement by a key without the right is named although everything else fits."""
    envelopes = [data for _, data in sound.stored_entries]
    stranger = make_signed("withdraw", {"study": "LL-0000000000000", "reason": "r", "created": TIME}, ALICE)
    unknown = make_signed("withdraw", {"study": "LL-0000000000000", "reason": "r", "created": TIME}, key("x"))
    record = rebuilt([*envelopes, stranger, unknown, b"no envelope"]).record
    record.stored_blobs = sound.stored_blobs
    assert [p.code for p in check(record)] == ["entry-authority", "entry-key", "entry-form"]


def test_the_same_entry_twice(sound: MemoryRecord) -> None:
    """A log takes a statement once."""
    envelopes = [data for _, data in sound.stored_entries]
    record = rebuilt([*envelopes, envelopes[-1]]).record
    record.stored_blobs = sound.stored_blobs
    assert [(p.code, p.where) for p in check(record)] == [("entry-twice", "entry 12")]


def test_one_altered_root_does_not_hide_the_next(sound: MemoryRecord) -> None:
    """A checkpoint properly signed over another root is named, and later ones still count."""
    record = copied(sound)
    other = Checkpoint(ORIGIN, 6, bytes(32))
    record.stored_checkpoints[5] = (6, sign_checkpoint(other, LOG))
    assert [(p.code, p.where) for p in check(record)] == [("checkpoint-root", "checkpoint 6")]


def test_a_run_of_wrong_roots_is_summed_up(sound: MemoryRecord) -> None:
    """When entries and tree were both altered, the signed roots show it once, not once per checkpoint."""
    envelopes = [data for _, data in sound.stored_entries]
    swapped = [*envelopes[:4], envelopes[4].replace(b"=", b" ", 1), *envelopes[5:]]
    record = copied(sound)
    frontier = Frontier()
    record.stored_entries = list(enumerate(swapped))
    record.stored_nodes = list(enumerate(value for e in swapped for value in frontier.append(leaf_hash(e))))
    roots = [p for p in check(record) if p.code == "checkpoint-root"]
    assert [p.where for p in roots] == ["checkpoint 5", "7 further checkpoints"]


def test_checkpoints_by_other_keys_or_of_other_logs(sound: MemoryRecord) -> None:
    """A checkpoint must carry this log's origin and only signatures by its keys."""
    good = Checkpoint(ORIGIN, 12, _root(sound, 12))
    foreign = sign_checkpoint(good, key("other.example", "log"))
    record = copied(sound)
    record.stored_checkpoints[-1] = (12, foreign)
    assert [p.code for p in check(record)] == ["checkpoint-key"]
    record.stored_checkpoints[-1] = (12, sign_checkpoint(replace(good, origin="other.example"), LOG))
    assert "checkpoint-origin" in [p.code for p in check(record)]
    record.stored_checkpoints[-1] = (12, sign_checkpoint(replace(good, size=11), LOG))
    assert "checkpoint-size" in [p.code for p in check(record)]


def _root(record: MemoryRecord, size: int) -> bytes:
    return Frontier.load(size, record.node_hashes).root()


def test_missing_blobs_and_takedowns(sound: MemoryRecord) -> None:
    """A digest that a statement relies on must be there, or be taken down on purpose."""
    digest, data = next(iter(sound.stored_blobs.items()))
    record = copied(sound)
    del record.stored_blobs[digest]
    (problem,) = check(record)
    assert problem.code == "blob-missing"
    assert "entry 3 (protocol)" in problem.what
    record.taken_down[digest] = "hazard"
    assert check(record) == []
    record.stored_blobs[digest] = data
    assert [p.code for p in check(record)] == ["blob-twice"]


def test_a_reader_that_fails_is_a_problem(sound: MemoryRecord) -> None:
    """What the store cannot read is reported with the store's own words; the rest is still checked."""
    record = copied(sound)
    record.stored_blobs[next(iter(record.stored_blobs))] = b"changed"

    def broken() -> Iterator[tuple[int, bytes]]:
        yield record.stored_entries[0]
        raise IntegrityError("page 3 is malformed", where="registry.db", remedy="restore it")

    record.entries = broken  # type: ignore[method-assign]
    problems = check(record)
    assert ("unreadable", "registry.db", "page 3 is malformed") in [
        (p.code, p.where, p.what) for p in problems
    ]
    assert "blob-hash" in [p.code for p in problems]


def test_own_problems_come_first(sound: MemoryRecord) -> None:
    """What the engine reports about its own file is passed on."""
    record = copied(sound)
    mine = Problem("schema", "table entry", "altered", "restore it")
    record.own_problems = lambda: iter([mine])  # type: ignore[method-assign]
    assert check(record) == [mine]
    assert str(mine) == "table entry: altered [schema]\n  what to do: restore it"


def test_a_lie_about_a_checkpoint_seen(sound: MemoryRecord) -> None:
    """fsck recomputes the roots that freezes claim to have seen."""
    registry = Registry()
    registry.register(SERVICE)
    registry.register(ALICE)
    fields = {"title": "t", "protocol": registry.blob(b"p"), "authors": ["A"], "created": TIME}
    true_root = _root(registry.record, 2).hex()
    for root, problems in ((true_root, []), ("ab" * 32, ["entry-authority"])):
        seen = {"origin": ORIGIN, "size": 2, "root": root}
        other = Registry()
        for envelope in (data for _, data in registry.record.stored_entries):
            other.append_raw(envelope)
        other.append_raw(make_signed("freeze", fields | {"seen_checkpoint": seen}, ALICE))
        other.record.stored_blobs = registry.record.stored_blobs
        assert [p.code for p in check(other.record)] == problems


def _spoiled(sound: MemoryRecord) -> MemoryRecord:
    """The record with a bad signature on every entry after the fourth."""
    envelopes = [data for _, data in sound.stored_entries]
    spoiled = [e[:-10] + (b"A" if e[-10:-9] != b"A" else b"B") + e[-9:] for e in envelopes[4:]]
    record = rebuilt(envelopes[:4] + spoiled).record
    record.stored_blobs = sound.stored_blobs
    return record


def test_two_processes_find_what_one_finds(sound: MemoryRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spreading the signature checks over processes changes neither problems nor their order."""
    from leadline.ledger import signatures

    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 0)
    record = _spoiled(sound)
    one = list(fsck(record, log_keys=[LOG.public], origin=ORIGIN))
    two = list(fsck(record, log_keys=[LOG.public], origin=ORIGIN, processes=2))
    assert one == two
    assert [p.code for p in one].count("entry-signature") == len(record.stored_entries) - 4


@pytest.mark.parametrize(
    "dying",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os; os.read(0, 10_000_000)",
        "import os; os.read(0, 10_000_000); os.write(1, bytes(3))",
    ],
)
def test_a_helper_that_dies_changes_no_finding(
    sound: MemoryRecord, monkeypatch: pytest.MonkeyPatch, dying: str
) -> None:
    """What it left unanswered is checked again: a sound record stays sound, and every bad signature is named."""
    from leadline.ledger import helper, signatures

    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 0)
    monkeypatch.setattr(helper, "_CODE", dying)
    assert list(fsck(sound, log_keys=[LOG.public], origin=ORIGIN, processes=2)) == []
    record = _spoiled(sound)
    one = list(fsck(record, log_keys=[LOG.public], origin=ORIGIN))
    assert [problem.code for problem in one].count("entry-signature") == len(record.stored_entries) - 4
    assert list(fsck(record, log_keys=[LOG.public], origin=ORIGIN, processes=2)) == one


def test_what_was_found_before_the_reader_refused_is_told(sound: MemoryRecord) -> None:
    """An entry that cannot be read ends the replay; the faults before it are named all the same."""
    from leadline.ledger import fsck as module

    registry = Registry()
    registry.register(ALICE)
    for number in range(module._CHUNK + 10):
        registry.append_raw(b"entry %d" % number)

    def broken() -> Iterator[tuple[int, bytes]]:
        yield from registry.record.stored_entries[:-1]
        raise IntegrityError("the page is torn", where="entry 74")

    record = copied(registry.record)
    record.entries = broken  # type: ignore[method-assign]
    problems = check(record)
    assert [p.code for p in problems] == ["entry-form"] * (module._CHUNK - 1) + ["unreadable"]
