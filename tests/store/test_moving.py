"""A registry moves from a file to PostgreSQL and back with every id, proof and withheld value."""

from pathlib import Path

import pytest

from leadline.errors import StateError
from leadline.registry.backup import back_up, copy_keys, restore_registry
from leadline.registry.bulk import export_tables
from leadline.registry.registry import Registry
from registry.world import World


def everything(registry: Registry) -> tuple[object, ...]:
    """Entries, checkpoints, blobs and the shelf."""
    store = registry.store
    notes = [store.checkpoint_covering(index) for index in range(store.size())]
    blobs = [(blob.sha256, blob.reason) for blob in store.blobs()]
    return list(store.entries()), notes, blobs, store.shelf.items("withheld")


def test_from_a_file_to_postgresql_and_back(tmp_path: Path, postgres_url: str) -> None:
    """Both ways everything is equal and sound, the registry goes on, and dumps agree byte for byte."""
    world = World(tmp_path / "world")
    study = world.honest_study()
    study.publish()
    world.registry.store.take_down(study.attachments[0].sha256, "held somebody's name")
    world.registry.store.shelf.put("withheld", study.id, b"\x00because")
    back_up(world.registry, tmp_path / "one")
    copy_keys(world.registry, tmp_path / "keys")
    restore_registry(tmp_path / "one", postgres_url, keys=tmp_path / "keys")
    with Registry.open(postgres_url, world.key, create=False, clock=world.clock) as moved:
        assert everything(moved) == everything(world.registry)
        assert list(moved.fsck()) == []
        assert (
            export_tables(moved, tmp_path / "a").files == export_tables(world.registry, tmp_path / "b").files
        )
        moved.register(world.protocol(title="Registered after the move"), simulate=False)
        back_up(moved, tmp_path / "two")
        with pytest.raises(StateError, match="entries in this store already"):
            restore_registry(tmp_path / "two", postgres_url)
        restore_registry(tmp_path / "two", tmp_path / "back.db", keys=tmp_path / "keys")
        with Registry.open(tmp_path / "back.db", world.key, create=False, clock=world.clock) as back:
            assert everything(back) == everything(moved)
            assert list(back.fsck()) == []
