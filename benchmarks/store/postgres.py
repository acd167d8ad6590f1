"""PostgreSQL beside SQLite in one run: registrations per second and search latency over the same studies.

Run: ``python benchmarks/store/postgres.py [studies] [--address postgresql://…]``. Without an address a private
cluster is started from installed server binaries. With one, use an empty database: its schema `leadline` is filled.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from append import append, drafts, rate

from leadline.store import Query, Store, open_store, search_studies
from leadline.store.postgres.buffer import BufferedTables
from leadline.store.postgres.store import PostgresStore
from leadline.store.projections.search import STUDY_TEXT, unstuffed
from leadline.store.projections.studies import STUDY
from leadline.store.sqlite.store import SqliteStore
from store.cluster import running
from store.factory import Lab

QUERIES = {
    "rare word": "word31337",
    "middling word": "word300",
    "common word": "word1",
    "two words": "word2 word30",
    "two rare words": "word3001 word300",
    "three words": "word1 word2 word3",
    "some of three": "word31337 word3001 word9999",
    "phrase": '"word1 word2"',
    "nothing found": "word1 aardvark",
}


def latency(store: Store, query: Query, repeats: int) -> tuple[float, float, int]:
    """Median and 95th percentile in milliseconds, and how many studies were on the page."""
    times, found = [], 0
    for _ in range(repeats):
        start = time.perf_counter()
        found = len(search_studies(store, query).studies)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), sorted(times)[int(0.95 * len(times))], found


def fill(engines: dict[str, Store], count: int) -> None:
    """The same documents into every engine's search tables, as the projections write them; no statements, no proofs.

    The rows of one real study stand in for all, and one entry far ahead makes the log long enough to search in.
    """
    sqlite, postgres = engines["sqlite"], engines["postgresql"]
    assert isinstance(sqlite, SqliteStore)
    assert isinstance(postgres, PostgresStore)
    row = sqlite.select(STUDY, limit=1)[0]
    first = max(store.size() for store in engines.values())
    with sqlite._write("filling") as one, postgres.transactions.write("filling") as other:
        buffered = BufferedTables(other.session)
        draw = random.Random(1)
        for index in range(first, first + count):
            words = [f"word{min(int(draw.paretovariate(0.7)), 40_000)}" for _ in range(100)]
            title = " ".join(words[:6])
            texts = [
                unstuffed(text) for text in (title, " ".join(words[6:20]), "control", "Ada", " ".join(words))
            ]
            study = {
                **row,
                "ix": index,
                "id": f"LL-{index}",
                "title": title,
                "leaf": index.to_bytes(32, "big"),
            }
            for tables in (one.tables, buffered):
                tables.insert(STUDY, study)
                tables.index_text(STUDY_TEXT, index, texts)
        buffered.flush()
        one.record.db.execute("INSERT INTO entry VALUES (?, ?)", (first + count, b"end"))
        other.session.run("INSERT INTO leadline.entry VALUES (%s, %s)", (first + count, b"end"))
    with postgres.transactions.pool.lend() as session:
        session.script("ANALYZE")


def registrations(engines: dict[str, Store], lab: Lab, count: int) -> None:
    for group in (1, 8, 64):
        rates = {}
        for name, store in engines.items():
            work = drafts(lab, f"{name}, groups of {group}", count)
            rates[name], _ = rate(count, lambda s=store, w=work, g=group: append(s, lab, w, g))
        shown = "".join(f"{name} {value:8,.0f}/s   " for name, value in rates.items())
        print(f"groups of {group:<4}{shown}{rates['postgresql'] / rates['sqlite']:5.2f} of SQLite")


def searches(engines: dict[str, Store], repeats: int) -> None:
    print(
        f"{'':18}{'sqlite p50':>12}{'p95':>8}{'postgresql p50':>16}{'p95':>8}{'ratio':>8}   ms; studies on the page"
    )
    for label, words in QUERIES.items():
        for order in ("relevance", "newest"):
            query = Query(words, order=order)
            s50, s95, s_found = latency(engines["sqlite"], query, repeats)
            p50, p95, p_found = latency(engines["postgresql"], query, repeats)
            name = label if order == "relevance" else "  newest first"
            print(
                f"{name:18}{s50:12.2f}{s95:8.2f}{p50:16.2f}{p95:8.2f}{p95 / s95:8.1f}   {s_found}, {p_found}"
            )


def proofs(engines: dict[str, Store]) -> None:
    for name, store in engines.items():
        draw, size = random.Random(1), store.size()
        wall, _ = rate(
            1000, lambda s=store, d=draw, n=size: [s.inclusion_proof(d.randrange(n)) for _ in range(1000)]
        )
        print(f"{name:12}{wall:10,.0f} inclusion proofs/s at {size:,}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("studies", nargs="?", type=int, default=20_000)
    options.add_argument("--address")
    options.add_argument("--repeats", type=int, default=20)
    given = options.parse_args()
    lab = Lab()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["LEADLINE_HOME"] = str(folder / "home")
        address = given.address
        if address is None:
            cluster = stack.enter_context(running("shared_buffers = 256MB"))
            address = stack.enter_context(cluster.database("benchmark"))
        engines = {
            "sqlite": stack.enter_context(open_store(folder / "registry.db")),
            "postgresql": stack.enter_context(open_store(address)),
        }
        for store in engines.values():
            lab.start(store)
        registrations(engines, lab, 1000)
        proofs(engines)
        fill(engines, given.studies)
        searches(engines, given.repeats)


if __name__ == "__main__":
    main()
