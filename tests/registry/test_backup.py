"""Backups: everything is in them, every changed byte is found, and restoring never makes a second history."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from leadline.errors import Explained, IntegrityError, KeyFileError, StateError
from leadline.ledger.fsck import Problem
from leadline.registry.backup import back_up, check_backup, copy_keys, is_backup, restore_registry
from leadline.registry.registry import Registry
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with a published study, a blob that was taken down, and something on its shelf."""
    made = World(tmp_path / "world")
    study = made.honest_study()
    study.publish()
    made.registry.store.take_down(study.attachments[0].sha256, "held somebody's name")
    made.registry.store.shelf.put("withheld", study.id, b"because")
    made.registry.store.shelf.put("lease", "tend", b"{}")
    return made


def problems(registry: Registry) -> list[Problem]:
    """What fsck finds."""
    return list(registry.fsck())


def everything(registry: Registry) -> tuple[object, ...]:
    """All that a registry holds, in a form that can be compared."""
    store = registry.store
    size = store.size()
    tables = [store.select(table) for projection in store.projections() for table in projection.tables]
    notes = [store.checkpoint_covering(index) for index in range(size)]
    blobs = [(blob.sha256, blob.reason) for blob in store.blobs()]
    return list(store.entries()), notes, blobs, tables, store.shelf.items("withheld")


def test_a_restored_registry_is_the_registry(world: World, tmp_path: Path) -> None:
    """Entries, checkpoints, blobs, tables and shelf are equal, all is sound, and it goes on from there."""
    back_up(world.registry, tmp_path / "backup")
    copy_keys(world.registry, tmp_path / "keys")
    restore_registry(tmp_path / "backup", tmp_path / "new.db", keys=tmp_path / "keys")
    with Registry.open(tmp_path / "new.db", world.key, create=False, clock=world.clock) as restored:
        assert everything(restored) == everything(world.registry)
        assert restored.store.shelf.get("lease", "tend") is None
        assert problems(restored) == problems(world.registry) == []
        later = restored.register(world.protocol(title="After the fire"), simulate=False)
        assert later.index == world.registry.store.size()
        assert problems(restored) == []


def test_a_backup_is_private_and_holds_no_private_key(world: World, tmp_path: Path) -> None:
    """Only the owner can read it, and no seed of a key is in it; keys are copied apart, as private."""
    back_up(world.registry, tmp_path / "backup")
    written = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    seeds = [
        line.encode()
        for path in world.registry.home.folder.glob("*.key")
        for line in path.read_text().splitlines()
        if line.startswith("seed")
    ]
    assert seeds
    assert not any(seed.split()[-1] in path.read_bytes() for path in written for seed in seeds)
    keys = copy_keys(world.registry, tmp_path / "keys")
    assert {path.name for path in keys} >= {"log.key", "service.key", "log.vkey"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_without_keys_it_can_be_read_and_nothing_can_be_added(world: World, tmp_path: Path) -> None:
    """A restore without the keys shows and verifies everything and refuses to sign."""
    back_up(world.registry, tmp_path / "backup")
    restore_registry(tmp_path / "backup", tmp_path / "new.db")
    with Registry.open(tmp_path / "new.db", world.key, create=False, clock=world.clock) as restored:
        assert problems(restored) == []
        with pytest.raises(StateError, match="private log key is not here"):
            restored.register(world.protocol(title="Another"), simulate=False)


def test_an_older_backup_is_not_restored_over_a_newer_memory(world: World, tmp_path: Path) -> None:
    """Where a later checkpoint was signed, an older backup is refused; the newest one is welcome there."""
    place = world.folder / "registry.db"
    back_up(world.registry, tmp_path / "old")
    world.register(world.protocol(title="Published after the backup"))
    back_up(world.registry, tmp_path / "new")
    world.registry.close()
    for path in place.parent.glob("registry.db*"):
        if path.is_file() and not path.name.endswith(".checkpoint"):
            path.unlink()
    with pytest.raises(IntegrityError, match="second history"):
        restore_registry(tmp_path / "old", place)
    assert not place.exists()
    restore_registry(tmp_path / "new", place)
    with Registry.open(place, world.key, create=False, clock=world.clock) as restored:
        assert problems(restored) == []
        restored.register(world.protocol(title="And on"), simulate=False)


def test_a_copied_database_that_fell_behind_refuses_to_sign(world: World, tmp_path: Path) -> None:
    """Putting an old copy of the file back, past this command, is caught at the next statement."""
    place = world.folder / "registry.db"
    world.registry.close()
    old = place.read_bytes()
    with Registry.open(place, world.key, clock=world.clock) as registry:
        registry.register(world.protocol(title="Published after the copy"), simulate=False)
    for path in place.parent.glob("registry.db-*"):
        path.unlink()
    place.write_bytes(old)
    with (
        Registry.open(place, world.key, clock=world.clock) as registry,
        pytest.raises(IntegrityError, match="restored backup"),
    ):
        registry.register(world.protocol(title="A second history"), simulate=False)


def test_what_is_there_is_never_overwritten(world: World, tmp_path: Path) -> None:
    """Neither a registry nor a folder with something in it gives way, and foreign keys are refused."""
    back_up(world.registry, tmp_path / "backup")
    with pytest.raises(StateError, match="something in this folder"):
        back_up(world.registry, tmp_path / "backup")
    with pytest.raises(StateError, match="registry here already"):
        restore_registry(tmp_path / "backup", world.folder / "registry.db")
    other = World(tmp_path / "other")
    with pytest.raises(KeyFileError, match="another log"):
        restore_registry(tmp_path / "backup", tmp_path / "new.db", keys=other.registry.home.folder)
    with pytest.raises(IntegrityError, match="another log"):
        check_backup(tmp_path / "backup", other.registry.home.log)
    assert not (tmp_path / "new.db").exists()


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_every_changed_file_is_found(world: World, tmp_path: Path) -> None:
    """A flipped bit in any file of a backup, or a missing file, makes it unusable, and is said."""
    back_up(world.registry, tmp_path / "backup")
    folder = tmp_path / "backup"
    assert is_backup(folder)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        before = path.read_bytes()
        flip(path)
        with pytest.raises(Explained):
            check_backup(folder)
        path.unlink()
        with pytest.raises(Explained):
            check_backup(folder)
        path.write_bytes(before)
    assert check_backup(folder).size == world.registry.store.size()


@pytest.mark.parametrize(
    "edit",
    [
        lambda manifest: {**manifest, "format": "leadline-backup/9"},
        lambda manifest: {**manifest, "size": manifest["size"] - 1},
        lambda manifest: {**manifest, "files": {}},
        lambda manifest: {"format": "leadline-backup/1"},
        lambda manifest: [],
    ],
)
def test_a_strange_manifest_is_refused(
    world: World, tmp_path: Path, edit: Callable[[object], object]
) -> None:
    """Another version, another size, or no manifest at all is an error, not a guess."""
    back_up(world.registry, tmp_path / "backup")
    path = tmp_path / "backup" / "manifest.json"
    said = edit(json.loads(path.read_text()))
    path.write_text(json.dumps(said))
    with pytest.raises(Explained):
        check_backup(tmp_path / "backup")


def test_names_of_blobs_lead_nowhere_else(world: World, tmp_path: Path) -> None:
    """A digest that is a path is refused before a file is opened."""
    back_up(world.registry, tmp_path / "backup")
    folder = tmp_path / "backup"
    lines = json.dumps({"sha256": "../../../../etc/passwd" + os.sep, "size": 1}) + "\n"
    (folder / "blobs.jsonl").write_text(lines)
    manifest = json.loads((folder / "manifest.json").read_text())
    from hashlib import sha256

    manifest["files"]["blobs.jsonl"] = sha256(lines.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Explained, match="no digest"):
        check_backup(folder)
