"""PostgreSQL beside SQLite in one run: registrations per second and search latency over the same studies.

Run: ``python benchmarks/store/postgres.py [studies] [--address postgresql://…]``. Without an address a private
cluster is started from installed server binaries. With one, use an empty database: its schema `leadline` is filled.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import search_scale
from append import append, drafts, rate

from leadline.store import Store, open_store, search_studies
from leadline.store.postgres.buffer import BufferedTables
from leadline.store.postgres.store import PostgresStore
from leadline.store.projections.facets import FACET
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import STUDY
from leadline.store.sqlite.store import SqliteStore
from store.cluster import running
from store.factory import Lab

TODAY = date(2026, 6, 15)


def fill(engines: dict[str, Store], count: int) -> None:
    """The same documents, marks and rows into every engine's search tables; no statements, no proofs.

    One entry far ahead makes the log long enough to search in.
    """
    sqlite, postgres = engines["sqlite"], engines["postgresql"]
    assert isinstance(sqlite, SqliteStore)
    assert isinstance(postgres, PostgresStore)
    first = max(store.size() for store in engines.values())
    with sqlite._write("filling") as one, postgres.transactions.write("filling") as other:
        buffered = BufferedTables(other.session)
        draw = Random(1)
        for index, texts in enumerate(search_scale.some_texts(count, seed=1), first):
            study = search_scale.some_study(index, draw)
            marks = sorted(search_scale.some_marks(draw))
            for tables in (one.tables, buffered):
                tables.insert(STUDY, study)
                tables.index_text(STUDY_TEXT, index, texts)
                for mark in marks:
                    tables.insert(FACET, {"ix": index, "mark": mark})
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


def searches(engines: dict[str, Store]) -> None:
    """Every kind of question to both, in turns; beside them the least that a question to a server costs."""
    postgres = engines["postgresql"]
    assert isinstance(postgres, PostgresStore)
    with postgres.transactions.pool.lend() as session:
        trip = search_scale.measure([lambda: session.rows("SELECT 1")] * 500).p50
    print(f"a bare SELECT 1 takes {trip:.3f} ms")
    print(
        f"{'':26}{'sqlite p50':>12}{'p95':>8}{'postgresql p50':>16}{'p95':>8}{'ratio of p95':>14}{'p50 in trips':>14}"
    )
    for label, asked in search_scale.queries(Random(7)):
        times = {
            name: search_scale.measure(
                [
                    lambda store=store, query=query: search_studies(store, query, today=TODAY)
                    for query in asked
                ]
            )
            for name, store in engines.items()
        }
        (s50, s95, _), (p50, p95, _) = times["sqlite"], times["postgresql"]
        print(
            f"{label:26}{s50:12.2f}{s95:8.2f}{p50:16.2f}{p95:8.2f}{p95 / s95:14.1f}{p50 / trip:14.0f}",
            flush=True,
        )


def proofs(engines: dict[str, Store]) -> None:
    for name, store in engines.items():
        draw, size = Random(1), store.size()
        wall, _ = rate(
            1000, lambda s=store, d=draw, n=size: [s.inclusion_proof(d.randrange(n)) for _ in range(1000)]
        )
        print(f"{name:12}{wall:10,.0f} inclusion proofs/s at {size:,}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("studies", nargs="?", type=int, default=20_000)
    options.add_argument("--address")
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
        searches(engines)


if __name__ == "__main__":
    main()
