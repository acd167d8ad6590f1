"""Rates of the ledger beside the floor each one stands on, measured in the same run.

    python benchmarks/ledger/rates.py [--entries 50000] [--leaves 1000000] [--repeats 3]

The floor is the bare primitive that no implementation can avoid (SHA-256 of a node, an Ed25519 signature).
Read the ratios: absolute rates depend on the machine and on what else it does. Best of `repeats` runs each.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context

from leadline.ledger import tlog
from leadline.ledger.dsse import PAYLOAD_TYPE, decode, sign
from leadline.ledger.fsck import Problem, StoredBlob, fsck
from leadline.ledger.keys import SigningKey, verify
from leadline.ledger.statements import make, make_signed
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from leadline.ledger.tlog.tile import WIDTH, encode_bundle, tile_data, tiles

ORIGIN = "bench.example/registry"
TIME = "2026-01-01T00:00:00Z"
AUTHOR = SigningKey("author.example", "author", bytes(32))
LOG = SigningKey("bench.example", "log", b"\x01" * 32)


@dataclass
class Record:
    """A log in memory, as `fsck` reads it."""

    log: list[bytes] = field(default_factory=list)
    tree: list[bytes] = field(default_factory=list)
    note: bytes = b""

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Entries in order."""
        return enumerate(self.log)

    def nodes(self) -> Iterator[tuple[int, bytes]]:
        """Nodes in storage order."""
        return enumerate(self.tree)

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """One checkpoint over everything."""
        return iter([(len(self.log), self.note)])

    def node_hashes(self, indexes: Sequence[int]) -> list[bytes]:
        """Stored hashes."""
        return [self.tree[index] for index in indexes]

    def blobs(self) -> Iterator[StoredBlob]:
        """No blobs."""
        return iter(())

    def own_problems(self) -> Iterator[Problem]:
        """A list has no format."""
        return iter(())


def best(repeats: int, run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Shortest of a few runs, in seconds."""
    times = []
    for _ in range(repeats):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def processors() -> float:
    """Seconds of processor time of this process and of all that it started and that have ended."""
    return sum(os.times()[:4])


def show(name: str, floor_name: str, count: int, took: float, floor: float) -> None:
    """One line: rate, floor rate, ratio."""
    print(
        f"{name:<34}{count / took:>12,.0f}/s   {floor_name:<30}{count / floor:>12,.0f}/s   x{took / floor:.2f}"
    )


def check_all(triples: Sequence[tuple[bytes, bytes, bytes]]) -> None:
    """Bare signature checks, here or in another process."""
    for triple in triples:
        verify(*triple)


def statement(number: int) -> dict[str, object]:
    """A review of ordinary length."""
    return {
        "type": "review",
        "target": f"item {number}",
        "verdict": "sound",
        "text": "word " * 40,
        "created": TIME,
    }


def build(entries: int) -> Record:
    """A log of one registration and many reviews."""
    holder = {"name": "Author", "kind": "human"}
    key = {
        "action": "register",
        "role": "author",
        "public": AUTHOR.public.vkey,
        "holder": holder,
        "time": TIME,
    }
    record = Record([make_signed("key", key, AUTHOR)])
    record.log += [make_signed("judgement", statement(i), AUTHOR) for i in range(entries - 1)]
    frontier = tlog.Frontier()
    for entry in record.log:
        record.tree += frontier.append(tlog.leaf_hash(entry))
    record.note = sign_checkpoint(Checkpoint(ORIGIN, frontier.size, frontier.root()), LOG)
    return record


def tree(leaves: int, repeats: int) -> None:
    """Hashing, proving and verifying at `leaves`."""
    entries = [b"%0200d" % i for i in range(leaves)]
    stored: list[bytes] = []

    def bare() -> None:
        for entry in entries:
            sha256(entry).digest()
            sha256(entry[:65]).digest()

    def append() -> None:
        stored.clear()
        frontier = tlog.Frontier()
        for entry in entries:
            stored.extend(frontier.append(tlog.leaf_hash(entry)))

    def reader(indexes: Sequence[int]) -> list[bytes]:
        return [stored[index] for index in indexes]

    def publish() -> None:
        append()
        for tile in tiles(leaves):
            tile_data(tile, reader)
            if tile.level == 0:
                first = tile.index * WIDTH
                encode_bundle(entries[first : first + tile.width])

    floor = best(repeats, bare)
    show("append, leaf and nodes", "two bare hashes each", leaves, best(repeats, append), floor)
    took = best(repeats, publish)
    show("nodes, all tiles and bundles", "two bare hashes each", leaves, took, floor)
    print(f"{'':4}{took:.1f} s for {leaves:,} entries of 200 bytes")

    sample = range(0, leaves, max(1, leaves // 5000))
    root = tlog.tree_hash(leaves, reader)
    proofs = [(stored[tlog.stored_index(0, i)], i, tlog.prove_inclusion(leaves, i, reader)) for i in sample]

    def verify_all() -> None:
        for leaf, index, proof in proofs:
            tlog.verify_inclusion(leaf, index, leaves, proof, root)

    def fold_all() -> None:
        for leaf, _, proof in proofs:
            value = leaf
            for sibling in proof:
                value = sha256(b"\x01" + sibling + value).digest()

    def prove_all() -> None:
        for index in sample:
            tlog.prove_inclusion(leaves, index, reader)

    floor = best(repeats, fold_all)
    show("verify inclusion", "its bare node hashes", len(sample), best(repeats, verify_all), floor)
    show("prove inclusion, in memory", "its bare node hashes", len(sample), best(repeats, prove_all), floor)


def statements(entries: int, repeats: int) -> None:
    """Making, and checking a whole log, beside bare signatures."""
    payloads = [make("judgement", statement(i)) for i in range(2000)]
    took = best(repeats, lambda: [make_signed("judgement", statement(i), AUTHOR) for i in range(2000)])
    floor = best(repeats, lambda: [AUTHOR.sign(payload) for payload in payloads])
    show("make and sign a statement", "bare signatures", 2000, took, floor)
    took = best(repeats, lambda: [sign(payload, PAYLOAD_TYPE, AUTHOR) for payload in payloads])
    show("envelope only", "bare signatures", 2000, took, floor)

    record = build(entries)
    envelopes = [decode(entry) for entry in record.log]
    triples = [(AUTHOR.public.public, e.message(), e.signature) for e in envelopes]

    def check(processes: int) -> None:
        assert not list(fsck(record, log_keys=[LOG.public], origin=ORIGIN, processes=processes))

    show(
        "fsck, one process",
        "bare signature checks",
        entries,
        best(repeats, lambda: check(1)),
        best(repeats, lambda: check_all(triples)),
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores > 1:
        took = best(repeats, lambda: check(2))
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            half = len(triples) // 2
            list(pool.map(check_all, [triples[:1], triples[-1:]]))
            floor = best(repeats, lambda: list(pool.map(check_all, [triples[:half], triples[half:]])))
        show("fsck, two processes", "bare checks, two processes", entries, took, floor)
        took = best(repeats, lambda: check(2), processors)
        floor = best(repeats, lambda: check_all(triples), processors)
        show("the same, processor time of both", "bare checks, processor time", entries, took, floor)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=50_000)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    tree(options.leaves, options.repeats)
    if options.entries:
        statements(options.entries, options.repeats)


if __name__ == "__main__":
    main()
