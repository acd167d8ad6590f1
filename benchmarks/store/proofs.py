"""Proofs per second from the stored tree of a large log. Run: ``python benchmarks/store/proofs.py [entries]``."""

import argparse
import random
import tempfile
import time
from pathlib import Path

from leadline.ledger import tlog
from leadline.store.sqlite.store import SqliteStore


def fill(store: SqliteStore, count: int) -> None:
    """Write entries and nodes directly: proofs do not look at what an entry says."""
    db, edge = store.record.db, tlog.Frontier()
    db.execute("BEGIN IMMEDIATE")
    for index in range(count):
        entry = b"%d" % index
        store.record.add_entry(index, entry, edge.append(tlog.leaf_hash(entry)))
    db.execute("COMMIT")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("entries", nargs="?", type=int, default=1_000_000)
    count = options.parse_args().entries
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as name, SqliteStore.open(Path(name) / "registry.db") as store:
        start = time.perf_counter()
        fill(store, count)
        print(f"{'entries and nodes written':28}{count / (time.perf_counter() - start):10,.0f}/s")
        for label, prove in (
            ("inclusion proofs", lambda: store.inclusion_proof(draw.randrange(count), count)),
            ("consistency proofs", lambda: store.consistency_proof(1 + draw.randrange(count), count)),
            ("tiles", lambda: store.tile(0, draw.randrange(count // 256))),
        ):
            start = time.perf_counter()
            for _ in range(5_000):
                prove()
            print(f"{label:28}{5_000 / (time.perf_counter() - start):10,.0f}/s at {count:,}")


if __name__ == "__main__":
    main()
