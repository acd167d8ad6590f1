"""Search at 100,000 and 1,000,000 studies: random queries of one to three words, filters, counts.

Run: ``python benchmarks/store/search_scale.py [studies] [--keep FILE]``. The studies are synthetic: 100 words each from
a Zipf vocabulary of 40,000, sixteen facets. Only the tables that search reads are filled (study, facet, text index),
with plain INSERTs into the store's own schema: a million signed statements would take an hour and change nothing
here. Every figure stands beside floors of the same run: a read by primary key, and FTS5's first ten rows unranked.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from leadline.store.blobs import BlobFolder
from leadline.store.facets import facets
from leadline.store.projections.facets import FACET
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import STUDY, study_at
from leadline.store.query import Query
from leadline.store.search import search_studies
from leadline.store.sqlite.connection import connect
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.schema import table_ddl, text_ddl

VOCABULARY = 40_000
TODAY = date(2026, 6, 15)
#: Ranks in the vocabulary: in nearly every study, in one of ten, of a hundred to a thousand, of many thousand.
CLASSES = {"very common": (0, 10), "common": (10, 100), "middling": (100, 3_000), "rare": (3_000, VOCABULARY)}


class View(SqliteView):
    """A view of tables without a log: as many entries as there are studies."""

    studies = 0

    def size(self) -> int:
        """The number of studies."""
        return self.studies


def fill(path: Path, count: int) -> None:
    """Write the tables that search reads."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    for statement in (*table_ddl(STUDY), *table_ddl(FACET), *text_ddl(STUDY_TEXT)):
        db.execute(statement)
    draw = Random(1)
    for start in range(0, count, 20_000):
        many = min(20_000, count - start)
        db.execute("BEGIN")
        columns = ", ".join(("rowid", *STUDY_TEXT.columns))
        db.executemany(
            f"INSERT INTO {STUDY_TEXT.name}({columns}) VALUES (?, ?, ?, ?, ?, ?)",
            ((start + i, *texts) for i, texts in enumerate(some_texts(many, seed=start))),
        )
        marks = [(start + i, mark) for i in range(many) for mark in sorted(some_marks(draw))]
        db.executemany(f"INSERT INTO {FACET.name} VALUES (?, ?)", marks)
        names = STUDY.names
        db.executemany(
            f"INSERT INTO {STUDY.name} VALUES ({', '.join('?' * len(names))})",
            ([row[name] for name in names] for row in (some_study(start + i, draw) for i in range(many))),
        )
        db.execute("COMMIT")
    db.close()


def some_texts(count: int, *, seed: int) -> Iterator[tuple[str, ...]]:
    """Documents for `STUDY_TEXT`: 100 words each, as frequent as Zipf has it."""
    words = np.array([f"word{rank}" for rank in range(VOCABULARY)])
    shares = 1 / np.arange(1, VOCABULARY + 1)
    drawn = words[np.random.default_rng(seed).choice(VOCABULARY, size=(count, 100), p=shares / shares.sum())]
    for one in drawn:
        yield " ".join(one[:8]), " ".join(one[8:25]), "control", "Alice", " ".join(one[25:])


def some_marks(draw: Random) -> set[str]:
    """Facets as skewed as in life: a few techniques and models everywhere, thousands of datasets."""

    def skewed(kind: str, alpha: float, most: int) -> str:
        return f"{kind}:{min(int(draw.paretovariate(alpha)), most)}"

    leaf = draw.randrange(40)
    return {
        f"area:{leaf % 9}/{leaf}", f"area:{leaf % 9}", skewed("claim", 1.5, 5), skewed("measure", 1.0, 40),
        *(skewed("technique", 0.8, 60) for _ in range(3)), *(skewed("model", 0.6, 200) for _ in range(2)),
        skewed("task", 0.5, 3_000), f"dataset:{draw.randrange(3_000)}", f"verdict:{draw.choice(['null', 'supported'])}",
        "standing:confirmatory", *(f"gap:{axis}:{draw.choice(['same', 'near', 'far'])}" for axis in ("scale", "task")),
    }  # fmt: skip


def some_study(ix: int, draw: Random) -> dict[str, Any]:
    """A study's row; columns that do not matter here are 0 or NULL."""
    row: dict[str, Any] = {column.name: None if column.nullable else 0 for column in STUDY.columns}
    row |= {
        "ix": ix, "id": f"LL-{ix}", "leaf": b"%d" % ix, "title": f"Study {ix}", "protocol": "p", "keyid": "k",
        "state": draw.choice(["registered", "reported", "attached"]), "due": f"2026-{draw.randint(1, 12):02d}-01",
        "created": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return row


class Times(NamedTuple):
    """Median and 95th percentile in milliseconds, and the latter of this process's processor time."""

    p50: float
    p95: float
    cpu95: float


def measure(calls: Sequence[Callable[[], object]]) -> Times:
    """How long the calls take; processor time says more where others are using the machine."""
    wall, cpu = [], []
    for call in calls:
        start, begun = time.perf_counter(), time.process_time()
        call()
        cpu.append(1000 * (time.process_time() - begun))
        wall.append(1000 * (time.perf_counter() - start))
    at = min(int(0.95 * len(calls)), len(calls) - 1)
    return Times(statistics.median(wall), sorted(wall)[at], sorted(cpu)[at])


def word(draw: Random, kind: str) -> str:
    return f"word{draw.randrange(*CLASSES[kind])}"


def queries(draw: Random) -> Iterator[tuple[str, list[Query]]]:
    """Kinds of queries, each with some of that kind."""
    kinds = list(CLASSES)
    for length in (1, 2, 3):
        texts = [" ".join(word(draw, draw.choice(kinds)) for _ in range(length)) for _ in range(150)]
        yield f"{length} random word{'s' * (length > 1)}", [Query(text) for text in texts]
    for kind in kinds:
        yield f"3 {kind} words", [Query(" ".join(word(draw, kind) for _ in range(3))) for _ in range(25)]
    yield (
        "no study has all words",
        [Query(f"{word(draw, 'very common')} {word(draw, 'common')} zebra") for _ in range(25)],
    )
    yield (
        "newest first",
        [Query(f"{word(draw, 'common')} {word(draw, 'middling')}", order="newest") for _ in range(50)],
    )
    yield "newest, no words", [Query(order="newest") for _ in range(50)]
    for label, filters in (
        ("few", {"task": "2500"}), ("some", {"task": "50"}), ("many", {"technique": "1"}), ("two", {"area": "3", "model": "2"}),
        ("overdue", {"status": "overdue"}), ("registered", {"status": "registered"}), ("reported", {"status": "reported"}),
        ("since", {"since": date(2026, 1, 1)}), ("none left", {"since": date(2026, 1, 2)}),
        ("area, overdue", {"area": "3", "status": "overdue"}),
        ("three", {"area": "3", "technique": "1", "verdict": "null"}),
    ):  # fmt: skip
        yield (
            f"filter, {label}",
            [
                Query(" ".join(word(draw, draw.choice(kinds)) for _ in range(1 + i % 3)), **filters)
                for i in range(60)
            ],
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("studies", nargs="?", type=int, default=100_000)
    options.add_argument("--keep", type=Path, help="keep the database here, and use it if it is there")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = given.keep or Path(name) / "search.db"
        if not path.exists():
            start = time.perf_counter()
            fill(path, given.studies)
            print(f"{given.studies:,} studies written in {time.perf_counter() - start:.0f} s")
        db = connect(path, timeout=5, read_only=True)
        view = View(db, BlobFolder(Path(name)), str(path))
        (view.studies,) = db.execute(f"SELECT max(ix) + 1 FROM {STUDY.name}").fetchone()
        report(view, db)
        db.close()


def report(view: View, db: sqlite3.Connection) -> None:
    draw = Random(7)
    bare = f"SELECT rowid FROM {STUDY_TEXT.name} WHERE {STUDY_TEXT.name} MATCH ? LIMIT 10"
    indexes = [draw.randrange(view.studies) for _ in range(2_000)]
    key = measure([lambda ix=ix: study_at(view, ix) for ix in indexes]).p50
    texts = [word(draw, draw.choice(list(CLASSES))) for _ in range(200)]
    scan = measure([lambda text=text: db.execute(bare, (text,)).fetchall() for text in texts]).p50
    print(
        f"{view.studies:,} studies; floors: a study by its key {key:.3f} ms, ten unranked rows {scan:.3f} ms"
    )
    print(f"{'':26}{'p50':>9}{'p95':>9}   ms{'p95 of processor time':>24}{'p50 in reads by key':>22}")

    def line(label: str, times: Times) -> None:
        print(
            f"{label:26}{times.p50:9.2f}{times.p95:9.2f}{times.cpu95:24.2f}{times.p50 / key:25,.0f}",
            flush=True,
        )

    for label, asked in queries(draw):
        line(
            label, measure([lambda query=query: search_studies(view, query, today=TODAY) for query in asked])
        )
    for label, query in (
        ("counts", Query()),
        ("counts, common word", Query("word3")),
        ("counts, 2 chosen", Query("word3", technique="1", area="3")),
    ):
        line(label, measure([lambda query=query: facets(view, query, today=TODAY) for _ in range(10)]))


if __name__ == "__main__":
    main()
