"""Dumps of a whole registry: every table, the same bytes for the same record, and what changed since."""

import itertools
import json
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pyarrow.parquet as pq
import pytest

from leadline.errors import InputError, StateError
from leadline.registry.bulk import export_tables, refresh, sheets
from leadline.registry.bulk.cells import neutral
from leadline.registry.bulk.feed import read_index
from leadline.registry.bulk.sheets import scan
from leadline.registry.registry import Registry
from leadline.store.projections import BUILT_IN
from leadline.store.projections.studies import AUTHOR
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with a reported study and one that was only registered."""
    made = World(tmp_path / "world")
    study = made.honest_study()
    study.publish()
    made.register(made.protocol(title="=cmd|' /C calc'!A0", authors=[{"name": "Bo"}, {"name": "Cy"}]))
    return made


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    """Rows of a sheet."""
    return pq.read_table(folder / f"{name}.parquet").to_pylist()


def test_a_dump_has_every_public_table_and_says_what_it_is(world: World, tmp_path: Path) -> None:
    """Studies with authors, verdicts, logs and statements are there, under digests, with the signed checkpoint."""
    dump = export_tables(world.registry, tmp_path / "dump")
    assert dump.size == world.registry.store.size()
    studies = table(tmp_path / "dump", "studies")
    assert [(row["state"], row["authors"]) for row in studies] == [
        ("reported", ["Ada"]),
        ("registered", ["Bo", "Cy"]),
    ]
    assert [row["outcome"] for row in table(tmp_path / "dump", "verdicts")] == ["supported"]
    assert len(table(tmp_path / "dump", "attachments")) == 3
    statements = table(tmp_path / "dump", "statements")
    assert [row["ix"] for row in statements] == list(range(dump.size))
    assert all(row["envelope"] == world.registry.store.entry(row["ix"]) for row in statements)
    assert {"freeze", "attempt", "attach", "report"} <= {row["kind"] for row in statements}
    for name, said in dump.files.items():
        content = (tmp_path / "dump" / name).read_bytes()
        assert (sha256(content).hexdigest(), len(content)) == (said["sha256"], said["bytes"])
    assert (tmp_path / "dump" / "checkpoint").read_bytes() == world.registry.store.checkpoint()


def test_the_sqlite_file_says_the_same_as_the_parquet_files(world: World, tmp_path: Path) -> None:
    """Both forms have the same tables and rows; lists are JSON in SQLite."""
    dump = export_tables(world.registry, tmp_path / "dump")
    db = sqlite3.connect(tmp_path / "dump" / "registry.sqlite")
    try:
        for name, said in dump.files.items():
            if not name.endswith(".parquet"):
                continue
            cursor = db.execute(f'SELECT * FROM "{name.removesuffix(".parquet")}"')
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor]
            assert len(rows) == said["rows"]
            for row, other in zip(rows, table(tmp_path / "dump", name.removesuffix(".parquet")), strict=True):
                assert {
                    k: json.loads(v) if isinstance(other[k], list) else v for k, v in row.items()
                } == other
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        db.close()


def test_the_same_record_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    """Two dumps, and one made after the tables were computed again, are equal byte for byte."""
    first = export_tables(world.registry, tmp_path / "one")
    world.registry.rebuild()
    second = export_tables(world.registry, tmp_path / "two")
    assert first.files == second.files
    assert (tmp_path / "one" / "manifest.json").read_bytes() == (
        tmp_path / "two" / "manifest.json"
    ).read_bytes()


def test_nothing_beside_the_log_is_in_a_dump(world: World, tmp_path: Path) -> None:
    """What stands on the shelf changes no byte of a dump."""
    before = export_tables(world.registry, tmp_path / "one")
    world.registry.store.shelf.put("withheld", "LL-secret", b"hazard")
    assert export_tables(world.registry, tmp_path / "two").files == before.files


def test_a_delta_brings_an_older_dump_up_to_date(world: World, tmp_path: Path) -> None:
    """Replacing the touched studies' rows of the older dump by the delta's gives the newer dump."""
    old = export_tables(world.registry, tmp_path / "old")
    world.attempt(next(iter(world.registry.studies())))
    world.register(world.protocol(title="A third one"))
    delta = export_tables(world.registry, tmp_path / "delta", since=old.size)
    export_tables(world.registry, tmp_path / "new")
    assert delta.since == old.size
    changed = {row["id"] for row in table(tmp_path / "delta", "studies")}
    assert len(changed) == 2
    for name, key, replaced in (
        ("studies", "ix", lambda row: row["id"] in changed),
        ("attempts", "study", lambda row: row["study"] in changed),
        ("attachments", "ix", lambda row: row["study"] in changed),
        ("statements", "ix", lambda row: False),
    ):
        kept = [row for row in table(tmp_path / "old", name) if not replaced(row)]
        merged = sorted([*kept, *table(tmp_path / "delta", name)], key=lambda row: row[key])
        assert merged == table(tmp_path / "new", name), name
    with pytest.raises(InputError, match="nothing follows"):
        export_tables(world.registry, tmp_path / "beyond", since=10_000)


def test_a_delta_reads_many_studies_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows and their order do not depend on how many are read at once, and reads grow with batches, not studies."""
    for number in range(3):
        world.register(world.protocol(title=f"Number {number}", authors=[{"name": "Bo"}, {"name": "Cy"}]))
    tables = {one.name: one for projection in BUILT_IN for one in projection.tables}

    def read(together: int) -> tuple[list[list[tuple[object, ...]]], int]:
        monkeypatch.setattr(sheets, "_TOGETHER", together)
        with world.registry.store.snapshot() as view:
            seen = Mock(wraps=view)
            known = sheets.touched(view, 1)
            rows = [list(one.rows(seen, 1, known)) for one in sheets.sheets(tables)]
        return rows, len(seen.select.mock_calls) + len(seen.select_among.mock_calls)

    one_by_one, many = read(1)
    together, few = read(500)
    assert together == one_by_one
    assert few < many


def test_a_folder_with_something_in_it_is_left_alone(world: World, tmp_path: Path) -> None:
    """No dump is written over another."""
    (tmp_path / "mine").write_text("x")
    with pytest.raises(StateError):
        export_tables(world.registry, tmp_path)
    assert (tmp_path / "mine").read_text() == "x"


def test_pages_never_split_or_lose_rows(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small a page, a scan gives every row once, in order."""
    from leadline.registry.bulk import sheets

    with world.registry.store.snapshot() as view:
        everything = view.select(AUTHOR)
        for page in (1, 2, 3, 100):
            monkeypatch.setattr(sheets, "PAGE", page)
            assert list(scan(view, AUTHOR, "ix")) == everything


def test_the_feed_offers_the_newest_dump_and_the_way_to_it(world: World, tmp_path: Path) -> None:
    """A refresh makes a dump once per size of the log, with a delta from the last, and removes what it no longer names."""
    folder = tmp_path / "bulk"
    first = refresh(world.registry, folder)
    assert refresh(world.registry, folder) is None
    sizes = [first]
    for number in range(3):
        world.register(world.protocol(title=f"Study number {number}"))
        sizes.append(refresh(world.registry, folder))
    index = read_index(folder)
    assert [one["size"] for one in index["whole"]] == sizes[-2:]
    assert [(one["since"], one["size"]) for one in index["delta"]] == list(itertools.pairwise(sizes))
    named = {one["folder"] for kind in index.values() for one in kind} | {"index.json"}
    assert {path.name for path in folder.iterdir()} == named


def test_a_registry_read_only_can_be_dumped(world: World, tmp_path: Path) -> None:
    """A dump needs neither key nor write permission."""
    with Registry.open(world.folder / "registry.db", read_only=True) as registry:
        assert export_tables(registry, tmp_path / "dump").size == world.registry.store.size()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+a", "'+a"), ("-a", "'-a"), ("@a", "'@a"), ("\t=a", "'\t=a"), ("  =a", "'  =a"), ("＝a", "'＝a"),
        (-1.5, "-1.5"), (3, "3"), (None, ""), ("a=b", "a=b"), (True, "True"),
    ],
)  # fmt: skip
def test_csv_cells_are_no_formulas(value: object, cell: str) -> None:
    """Text that a spreadsheet would execute is shown as text; numbers stay numbers."""
    assert neutral(value) == cell
