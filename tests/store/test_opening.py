"""Opening: addresses, files that are not stores, older and newer ones, and restored backups."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, IntegrityError, LeadlineError, NotFoundError, StateError, StoreError
from leadline.store import Column, LogEntry, Store, Table, TableWriter, open_store
from leadline.store.projection import BlobReader, TextIndex
from leadline.store.sqlite.connection import connect
from leadline.store.sqlite.header import header_faults
from leadline.store.sqlite.schema import APPLICATION_ID, FORMAT_VERSION
from store.factory import ORIGIN, Lab, small_registry


def filled(path: Path, lab: Lab) -> Path:
    """A closed store with sixteen statements."""
    with open_store(path) as store:
        small_registry(lab, store)
    return path


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, a string path and sqlite:/// name the same file; spaces may be percent-encoded."""
    monkeypatch.chdir(tmp_path)
    open_store(tmp_path / "my registry.db").close()
    for url in (str(tmp_path / "my registry.db"), f"sqlite:///{tmp_path}/my%20registry.db", "my registry.db"):
        open_store(url, create=False).close()
    open_store("sqlite:///my%20registry.db", create=False).close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/db",
        "https://example.org",
        "sqlite://",
        "sqlite://host/x",
        "sqlite:///x?y=1",
        "",
        "\0",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """An address of another engine says what is supported."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    assert "registry.db" in str(caught.value)


def test_nothing_is_created_unasked(tmp_path: Path) -> None:
    """With create=False, or reading only, a missing file stays missing."""
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(NotFoundError, match="no registry here"):
            open_store(tmp_path / "none.db", **options)
    with pytest.raises(StoreError, match="cannot be created"):
        open_store(tmp_path / "no" / "such" / "folder.db")
    with pytest.raises(StoreError, match="a folder is not a database"):
        open_store(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Text, another program's database, and a truncated store are refused with a reason, and left alone."""
    text = tmp_path / "notes.txt"
    text.write_text("not a database, just notes\n" * 100)
    with pytest.raises(IntegrityError, match="not a database"):
        open_store(text)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    before = other.read_bytes()
    with pytest.raises(StateError, match="another program"):
        open_store(other, read_only=True)
    assert other.read_bytes() == before
    with pytest.raises(StateError, match="another program"):
        open_store(other)
    assert text.read_text().startswith("not a database, just notes\n")


def test_truncated_files_are_refused(tmp_path: Path, lab: Lab) -> None:
    """A store cut short raises a clear error at opening or is reported by fsck, never an answer."""
    path = filled(tmp_path / "registry.db", lab)
    whole = path.read_bytes()
    for keep in (0, 99, 100, 4096, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        try:
            with open_store(path, create=False) as store:
                found = list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN))
                assert found, keep
        except (LeadlineError, IntegrityError) as error:
            assert error.remedy()


@pytest.mark.parametrize("version", [3, 0, -1])
def test_other_formats_are_refused(tmp_path: Path, lab: Lab, version: int) -> None:
    """A newer format asks for an upgrade; a format that never existed is damage."""
    path = filled(tmp_path / "registry.db", lab)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    with pytest.raises(StateError if version > 2 else IntegrityError, match="format") as caught:
        open_store(path)
    assert version < 3 or "upgrade" in str(caught.value)


def test_a_store_without_a_shelf_gets_one(tmp_path: Path, lab: Lab) -> None:
    """Format 1 had no shelf: opening for writing adds it and keeps everything; reading only asks for that first."""
    path = filled(tmp_path / "registry.db", lab)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE shelf")
        db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(StateError, match="format 1") as caught:
        open_store(path, read_only=True)
    assert "open it once for writing" in str(caught.value)
    with open_store(path) as store:
        store.shelf.put("s", "k", b"v")
        assert store.size() == 16
        assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []
    with open_store(path, read_only=True) as store:
        assert store.shelf.get("s", "k") == b"v"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_permissions_are_said(tmp_path: Path, lab: Lab) -> None:
    """A file that may not be read or written says so."""
    path = filled(tmp_path / "registry.db", lab)
    path.chmod(0o400)
    with pytest.raises(StoreError, match="may not write"):
        open_store(path)
    path.chmod(0)
    with pytest.raises(StoreError, match="may not read"):
        open_store(path, read_only=True)


def test_permission_checks_ask_the_system(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system denies is denied with the file's name and a remedy."""
    path = filled(tmp_path / "registry.db", lab)
    monkeypatch.setattr(os, "access", lambda *_: False)
    for read_only, verb in ((True, "read"), (False, "write")):
        with pytest.raises(StoreError, match=f"may not {verb}") as caught:
            open_store(path, read_only=read_only)
        assert caught.value.where == str(path)


def test_read_only_reads_and_never_writes(tmp_path: Path, lab: Lab) -> None:
    """A store opened for reading answers everything, refuses every write, and leaves the file's bytes alone."""
    path = filled(tmp_path / "registry.db", lab)
    before = path.read_bytes()
    with open_store(path, read_only=True) as store:
        assert store.size() == 16
        assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []
        for write in (
            lambda: store.append(lambda view: [], sign=lab.sign),
            lambda: store.put_blob(b"x"),
            store.rebuild,
            lambda: store.take_down("0" * 64, "no"),
        ):
            with pytest.raises(StateError, match="reading only"):
                write()
    assert path.read_bytes() == before


class Titles:
    """A projection as another package would register it: one row per freeze."""

    name = "titles"
    tables: tuple[Table, ...] = (
        Table("title", (Column("ix", "integer"), Column("length", "integer")), key=("ix",)),
    )
    texts: tuple[TextIndex, ...] = ()

    def __init__(self, version: int = 1, factor: int = 1) -> None:
        self.version = version
        self._factor = factor

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Note how long the title is."""
        if entry.statement.kind == "freeze":
            title = entry.statement.predicate.model_dump()["title"]
            tables.insert(self.tables[0], {"ix": entry.index, "length": self._factor * len(title)})


def test_new_and_changed_projections_are_built_at_opening(tmp_path: Path, lab: Lab) -> None:
    """A projection that is new, gone or of another version leads to a rebuild at opening."""
    path = filled(tmp_path / "registry.db", lab)
    (table,) = Titles.tables
    with open_store(path, projections=[Titles()]) as store:
        lengths = [row["length"] for row in store.select(table)]
        assert lengths == [len("Deception probes transfer"), len("Password-locked models hide arithmetic")]
    with open_store(path, projections=[Titles(version=2, factor=10)]) as store:
        assert [row["length"] for row in store.select(table)] == [10 * length for length in lengths]
        assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []
    with pytest.raises(StateError, match="another version"):
        open_store(path, read_only=True)
    with open_store(path) as store:
        assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []
    with pytest.raises(ValueError, match="same name"):
        open_store(path, projections=[Titles(), Titles()])


def test_a_rebuild_by_another_version_is_noticed(tmp_path: Path, lab: Lab) -> None:
    """A store that is open while another version rebuilds refuses to append to tables it does not know."""
    path = filled(tmp_path / "registry.db", lab)
    with open_store(path) as store:
        lab.study(store, "Before")
        open_store(path, projections=[Titles()]).close()
        with pytest.raises(StateError, match="meanwhile"):
            lab.study(store, "After")
    with open_store(path) as store:
        assert lab.study(store, "After").index == 17


def test_a_restored_backup_does_not_sign(tmp_path: Path, lab: Lab) -> None:
    """With an older database beside a newer remembered checkpoint, reads work and appends are refused."""
    path = filled(tmp_path / "registry.db", lab)
    backup = tmp_path / "backup"
    shutil.copy(path, backup)
    with open_store(path) as store:
        lab.study(store, "Since the backup")
    shutil.copy(backup, path)
    with open_store(path) as store:
        assert store.size() == 16
        with pytest.raises(IntegrityError, match="restored backup") as caught:
            lab.study(store, "After the restore")
        assert "mirror" in str(caught.value)
        codes = {problem.code for problem in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)}
        assert codes == {"remembered-checkpoint"}


def test_another_history_does_not_sign(tmp_path: Path, lab: Lab) -> None:
    """A database of the same length with other entries is refused as another history."""
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    for path, title in ((one, "One"), (two, "Two")):
        with open_store(path) as store:
            lab.start(store)
            lab.study(store, title)
    shutil.copy(two, one)
    with open_store(one) as store, pytest.raises(IntegrityError, match="another history"):
        lab.study(store, "Three")


@pytest.mark.parametrize("damage", [b"", b"\0" * 4096, b"nonsense\n", b"\xff" * 5000])
def test_an_unreadable_memory_does_not_sign(tmp_path: Path, lab: Lab, damage: bytes) -> None:
    """A remembered checkpoint that cannot be read stops signing, since nothing can be compared with it."""
    path = filled(tmp_path / "registry.db", lab)
    (tmp_path / "registry.db.checkpoint").write_bytes(damage)
    with open_store(path) as store, pytest.raises(IntegrityError, match="unreadable"):
        lab.study(store, "After")


def test_a_tree_that_contradicts_its_checkpoint_does_not_sign(tmp_path: Path, lab: Lab) -> None:
    """A damaged tree node stops signing; rebuild mends it, because the signed root proves the entries."""
    path = filled(tmp_path / "registry.db", lab)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE node SET hash = zeroblob(32) WHERE ix = 30")
    db.close()
    with open_store(path) as store:
        with pytest.raises(IntegrityError, match="newest signed checkpoint"):
            lab.study(store, "After")
        assert store.rebuild().nodes == 1
        assert lab.study(store, "After").index == 16
        assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []


def test_rebuild_does_not_hide_altered_entries(tmp_path: Path, lab: Lab) -> None:
    """When an entry was altered, rebuild refuses to make the tree fit it; reads refuse it too."""
    path = filled(tmp_path / "registry.db", lab)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entry SET envelope = CAST(envelope || ' ' AS BLOB) WHERE ix = 3")
    db.close()
    with open_store(path) as store:
        with pytest.raises(IntegrityError, match="newest signed checkpoint"):
            store.rebuild()
        with pytest.raises(IntegrityError, match="entry 3 was altered"):
            store.entry(3)
        with pytest.raises(IntegrityError, match="entry 3 was altered"):
            list(store.entries())


def test_a_new_file_says_what_it_is(tmp_path: Path, store: Store) -> None:
    """The header of a fresh database, read as a file, already carries the application and format."""
    assert store.size() == 0
    header = (tmp_path / "registry.db").read_bytes()[:100]
    assert list(header_faults(header, APPLICATION_ID, FORMAT_VERSION)) == []
    assert list(header_faults(b"", APPLICATION_ID, FORMAT_VERSION)) != []


def test_importing_the_package_is_light() -> None:
    """`import leadline.store` loads neither the engine nor pydantic: names come when they are asked for."""
    code = "import sys, leadline.store; print(sorted({'sqlite3', 'pydantic', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_connections_of_threads_that_ended_are_closed(
    tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server's threads come and go for months; what each opened does not stay open, and neither does its cache."""
    made: list[sqlite3.Connection] = []

    def connecting(*args: Any, **options: Any) -> sqlite3.Connection:
        made.append(connect(*args, **options))
        return made[-1]

    path = tmp_path / "registry.db"
    filled(path, lab)
    monkeypatch.setattr("leadline.store.sqlite.store.connect", connecting)
    with open_store(path) as store:
        for _ in range(5):
            thread = threading.Thread(target=store.size)
            thread.start()
            thread.join()
        assert len(made) == 6
        assert store.size() > 0
        assert (
            sum(map(_is_open, made)) == 2
        )  # this thread's, and the last one's until somebody connects again
    assert sum(map(_is_open, made)) == 0


def _is_open(db: sqlite3.Connection) -> bool:
    try:
        db.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True
