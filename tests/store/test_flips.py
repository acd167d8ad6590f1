"""Flipping bits: of every stored value of the record, one by one, and of the database file, at random."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from leadline.errors import Explained
from leadline.ledger import authority, fsck, study_id
from leadline.store import open_store
from leadline.store.projections import BUILT_IN
from leadline.store.sqlite.check import expected_schema
from leadline.store.sqlite.raw import RawRecord, database_problems
from store.factory import ORIGIN, TIME, small_registry
from store.image import LAB, RECORD_COLUMNS, contents, header_problems, opened, problems, remembering_verify


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed database file with sixteen statements of all usual kinds and a blob taken down."""
    path = tmp_path_factory.mktemp("flips") / "registry.db"
    with open_store(path) as store:
        small_registry(LAB, store)
        store.take_down(store.put_blob(b"regretted"), "personal data")
    assert not Path(f"{path}-wal").exists()
    return path.read_bytes()


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed database file with one study, small enough to flip every bit of every value in it."""
    path = tmp_path_factory.mktemp("little") / "registry.db"
    with open_store(path) as store:
        LAB.start(store)
        receipt = LAB.study(store, "Little", hypotheses=[])
        attempt = {"study": study_id(receipt.leaf_hash), "number": 1, "action": "open", "status": "started"}
        LAB.add(store, LAB.statement("attempt", {**attempt, "created": TIME}))
        store.take_down(store.put_blob(b"regretted"), "personal data")
    return path.read_bytes()


def test_an_intact_image_is_sound(image: bytes, little: bytes) -> None:
    """The images the other tests damage have no problem before."""
    for data in (image, little):
        assert header_problems(data) == []
        with opened(data) as view:
            assert list(problems(view)) == []


@pytest.mark.slow
def test_every_bit_of_every_record_value_is_checked(little: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flip any bit of any value in the four record tables: fsck of the record alone finds it."""
    # Unchanged entries are parsed once; altered bytes are new to the cache and reach the real parser.
    monkeypatch.setattr(authority, "decode", cache(authority.decode))
    monkeypatch.setattr(authority, "parse", cache(authority.parse))
    tried: Counter[str] = Counter()
    missed = []
    with opened(little) as view:
        db = view.record.db
        reader = RawRecord(view.record, iter(()))
        for table, column, key, value in _values(db):
            for flipped in _flips(value):
                tried[table] += 1
                db.execute("SAVEPOINT flip")
                try:
                    db.execute(f"UPDATE {table} SET {column} = ? WHERE {_key(table)} = ?", (flipped, key))
                    if not _noticed(reader):
                        missed.append((table, column, key, value, flipped))
                except sqlite3.IntegrityError:
                    pass  # another row has this key: the table cannot hold the change
                db.execute("ROLLBACK TO flip")
                db.execute("RELEASE flip")
        assert list(fsck.fsck(reader, log_keys=[LAB.log.public], origin=ORIGIN)) == []
    assert missed == []
    assert tried.keys() == RECORD_COLUMNS.keys()
    assert sum(tried.values()) > 30_000


def _values(db: sqlite3.Connection) -> Iterator[tuple[str, str, object, bytes | int]]:
    for table, columns in RECORD_COLUMNS.items():
        for column in columns:
            rows = db.execute(
                f"SELECT {_key(table)}, {column} FROM {table} WHERE {column} IS NOT NULL"
            ).fetchall()
            yield from ((table, column, key, value) for key, value in rows)


def _key(table: str) -> str:
    return RECORD_COLUMNS[table][0]


def _flips(value: bytes | int) -> Iterator[bytes | int]:
    if isinstance(value, int):
        for bit in range(64):
            flipped = (value % (1 << 64)) ^ (1 << bit)
            yield flipped - (1 << 64) if flipped >> 63 else flipped
        return
    for position in range(len(value)):
        for bit in range(8):
            changed = bytearray(value)
            changed[position] ^= 1 << bit
            yield bytes(changed)


def _noticed(reader: RawRecord) -> bool:
    found = fsck.fsck(reader, log_keys=[LAB.log.public], origin=ORIGIN, verify=remembering_verify)
    return next(found, None) is not None


@pytest.mark.slow
def test_random_flips_of_the_file_are_noticed_or_harmless(image: bytes) -> None:
    """10,000 random single-bit flips of the file: each is detected, or every value reads back unchanged."""
    with opened(image) as view:
        intact = contents(view.record.db)
    draw = random.Random(20260131)
    outcomes: Counter[str] = Counter()
    missed = []
    for _ in range(10_000):
        position, bit = draw.randrange(len(image)), draw.randrange(8)
        damaged = bytearray(image)
        damaged[position] ^= 1 << bit
        outcome = _outcome(bytes(damaged), intact)
        outcomes[outcome] += 1
        if outcome == "missed":
            missed.append((position, bit))
    assert missed == []
    assert outcomes["detected"] > 1_000
    assert outcomes["unchanged"] > 1_000


def _damaged(db: sqlite3.Connection) -> bool:
    return next(database_problems(db, expected_schema(BUILT_IN)), None) is not None


def _outcome(damaged: bytes, intact: list[object]) -> str:
    if header_problems(damaged):
        return "detected"
    try:
        with opened(damaged) as view:
            if _damaged(view.record.db):
                return "detected"
            if contents(view.record.db) == intact:
                return "unchanged"
            return "detected" if next(problems(view), None) is not None else "missed"
    except (sqlite3.DatabaseError, UnicodeDecodeError, Explained):
        return "detected"


@pytest.mark.parametrize("position", [18, 19, 20, 21, 44, 47, 56, 59, 60, 63, 68, 71, 72, 91])
def test_fixed_header_bytes_are_checked(image: bytes, position: int) -> None:
    """Header fields that have only one right value are compared with it."""
    for bit in range(8):
        damaged = bytearray(image)
        damaged[position] ^= 1 << bit
        assert header_problems(bytes(damaged)) != []


@pytest.mark.parametrize("column", ["content", "notice"])
def test_a_blob_is_kept_in_one_way(image: bytes, column: str) -> None:
    """A row that has bytes and a takedown notice, or neither where no file exists, is a problem."""
    with opened(image) as view:
        other = "notice" if column == "content" else "content"
        view.record.db.execute(f"UPDATE blob SET {other} = zeroblob(32) WHERE {column} IS NOT NULL")
        assert "blob-unreadable" in {problem.code for problem in problems(view)}
    with opened(image) as view:
        view.record.db.execute(f"UPDATE blob SET {column} = NULL")
        found = {problem.code for problem in problems(view)}
        assert found & {"blob-unreadable", "unreadable", "blob-hash"}


def test_projections_are_compared_with_a_replay(image: bytes) -> None:
    """A changed, missing or invented projection row is named with its table."""
    for sql in (
        "UPDATE study SET state = 'supported'",
        "DELETE FROM verdict",
        "INSERT INTO study_area VALUES (2, 'zzz')",
        "UPDATE projection SET stamp = 'old' WHERE name = 'search'",
        "UPDATE study_text SET title = 'Another title'",
    ):
        with opened(image) as view:
            view.record.db.execute(sql)
            codes = {problem.code for problem in problems(view)}
            assert "projection-row" in codes, sql


def test_postings_are_compared_with_documents(image: bytes) -> None:
    """A text index whose postings do not belong to its documents is a problem."""
    with opened(image) as view:
        view.record.db.execute("DELETE FROM study_text_data WHERE id > 10")
        assert "text-index" in {problem.code for problem in problems(view)}


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("CREATE TABLE extra (a)", "schema-unknown"),
        ("DROP INDEX study_state_due", "schema-missing"),
        ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM blob; END", "schema-unknown"),
    ],
)
def test_the_schema_is_checked(image: bytes, sql: str, code: str) -> None:
    """Anything in the schema that this version does not create, or that is missing, is named."""
    with opened(image) as view:
        view.record.db.execute(sql)
        assert code in {problem.code for problem in problems(view)}


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM entry WHERE ix = 5", "entry-missing"),
        ("DELETE FROM entry WHERE ix = 15", "log-shorter"),
        ("DELETE FROM node WHERE ix = 30", "node-missing"),
        ("DELETE FROM checkpoint WHERE size = 16", "checkpoint-missing"),
        ("DELETE FROM blob WHERE length(content) = 18", "blob-missing"),
    ],
)
def test_removed_rows_are_named(image: bytes, sql: str, code: str) -> None:
    """Taking rows out of the record is found and named."""
    with opened(image) as view:
        view.record.db.execute(sql)
        assert code in {problem.code for problem in problems(view)}
