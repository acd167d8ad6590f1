"""Durable registrations per second, against a bare SQLite commit on the same disk in the same run.

One registration is all of it: parse, rights, signature check, leaf, tree nodes, projections, search row, signed
checkpoint, commit with synchronous=FULL. Run: ``python benchmarks/store/append.py [count] [folder]``.
"""

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from leadline.store import Draft, Store, open_store
from store.factory import Lab


def rate(count: int, work: Callable[[], None]) -> tuple[float, float]:
    """Operations per second of wall time and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return count / (time.perf_counter() - wall), count / (time.process_time() - processor)


def bare_commits(folder: Path, count: int) -> tuple[float, float]:
    """One 200-byte row and one durable commit each."""
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE t (ix INTEGER PRIMARY KEY, data BLOB) STRICT")

    def work() -> None:
        for i in range(count):
            db.execute("INSERT INTO t VALUES (?, ?)", (i, b"x" * 200))

    result = rate(count, work)
    db.close()
    return result


def drafts(lab: Lab, name: str, count: int) -> list[Draft]:
    """Signed freezes of protocols of about a hundred words."""
    draw = random.Random(name)
    made = []
    for i in range(count):
        words = " ".join(f"word{min(int(draw.paretovariate(0.7)), 40_000)}" for _ in range(100))
        protocol = lab.protocol(f"{name} {i}", words)
        made.append(Draft(lab.freeze(f"{name} {i}", protocol), (protocol,)))
    return made


def append(store: Store, lab: Lab, work: list[Draft], group: int) -> None:
    for start in range(0, len(work), group):
        part = work[start : start + group]
        store.append(lambda _, part=part: part, sign=lab.sign)


def concurrently(store: Store, lab: Lab, work: list[Draft], writers: int) -> None:
    """Every draft an append of its own, by that many threads at once."""
    left = deque(work)

    def write() -> None:
        with suppress(IndexError):  # nothing is left
            while True:
                draft = left.popleft()
                store.append(lambda _, draft=draft: [draft], sign=lab.sign)

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("count", nargs="?", type=int, default=3000)
    options.add_argument("folder", nargs="?", type=Path, default=None)
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    lab = Lab()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        floor, _ = bare_commits(Path(name), given.count)
        print(f"{'bare commit':28}{floor:10,.0f}/s")
        message, signature = b"x" * 500, lab.author.sign(b"x" * 500)
        checks, _ = rate(
            2000, lambda: [lab.author.public.verify(message, signature) for _ in range(2000)] and None
        )
        print(f"{'bare signature check':28}{checks:10,.0f}/s")
        with open_store(Path(name) / "registry.db") as store:
            lab.start(store)
            for group in (1, 8, 64):
                work = drafts(lab, f"group of {group}", given.count)
                wall, processor = rate(given.count, lambda w=work, g=group: append(store, lab, w, g))
                print(
                    f"{f'registration, groups of {group}':28}{wall:10,.0f}/s"
                    f"   {wall / floor:5.2f} of bare commits   {wall / checks:5.2f} of bare signature checks"
                    f"   {processor:7,.0f}/s of processor time"
                )
            for writers in (16, 64):
                rates = []
                for turn in range(given.repeats):
                    work = drafts(lab, f"{writers} writers, turn {turn}", given.count)
                    wall, processor = rate(
                        given.count, lambda w=work, n=writers: concurrently(store, lab, w, n)
                    )
                    rates.append(wall)
                wall = statistics.median(rates)
                print(
                    f"{f'registration, {writers} writers':28}{wall:10,.0f}/s"
                    f"   {wall / floor:5.2f} of bare commits   {wall / checks:5.2f} of bare signature checks"
                    f"   ({min(rates):,.0f} to {max(rates):,.0f} in {len(rates)} turns)"
                )
            size = store.size()
            draw = random.Random(1)
            wall, _ = rate(
                5000, lambda: [store.inclusion_proof(draw.randrange(size)) for _ in range(5000)] and None
            )
            print(f"{f'inclusion proof at {size:,}':28}{wall:10,.0f}/s")


if __name__ == "__main__":
    main()
