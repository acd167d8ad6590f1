"""Folders that came from somebody else: an exported study, an exported registry, a backup, with any file damaged."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pytest

from fuzz.mutation import mutated, survives
from leadline.registry.backup.checking import check_backup
from leadline.registry.backup.writing import back_up
from leadline.registry.bundle import study_of, verify_bundle
from leadline.registry.exchange import export_registry, export_study
from leadline.registry.static import verify_export
from registry.world import World

Verify = Callable[[Path], object]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A registry with a published study."""
    world = World(tmp_path_factory.mktemp("folders") / "world", items=12)
    world.honest_study().publish()
    return world


def damage(folder: Path, verify: Verify, *, each: int) -> None:
    """Verify the folder with each of its files mutated `each` times, one file at a time, then with it missing."""
    whole = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    seeds = [data for data in whole.values() if len(data) < 100_000]
    for number, (path, data) in enumerate(whole.items()):
        for turn in range(each):
            random = Random(f"{number}/{turn}")
            path.write_bytes(
                mutated([data, *random.sample(seeds, 1)], random, as_json=path.suffix == ".json")
            )
            survives(lambda _: verify(folder), b"")
        path.unlink()
        survives(lambda _: verify(folder), b"")
        path.mkdir()
        survives(lambda _: verify(folder), b"")
        path.rmdir()
        path.symlink_to("/dev/zero")
        survives(lambda _: verify(folder), b"")
        path.unlink()
        path.write_bytes(data)
    assert seeds


def exhaust(found: Iterable[object]) -> None:
    """Ask for all of it."""
    for _ in found:
        pass


def test_an_exported_study(world: World, tmp_path: Path, fuzz_seconds: int) -> None:
    """Verifying a damaged bundle ends in steps that fail, or an error of the tree."""
    folder = tmp_path / "bundle"
    export_study(world.registry, next(iter(world.registry.studies())).id, folder)
    key = world.registry.home.log

    def verify(place: Path) -> None:
        study_of(place)
        exhaust(verify_bundle(place, key, recompute=False))

    damage(folder, verify, each=4 + fuzz_seconds)


def test_an_exported_registry(world: World, tmp_path: Path, fuzz_seconds: int) -> None:
    """Verifying a damaged export ends in problems, or an error of the tree."""
    folder = tmp_path / "export"
    export_registry(world.registry, folder)
    damage(
        folder, lambda place: exhaust(verify_export(place, world.registry.home.log)), each=4 + fuzz_seconds
    )


def test_a_backup(world: World, tmp_path: Path, fuzz_seconds: int) -> None:
    """Checking a damaged backup is an error of the tree, or finds what is there."""
    folder = tmp_path / "backup"
    back_up(world.registry, folder)
    damage(folder, lambda place: check_backup(place, world.registry.home.log), each=4 + fuzz_seconds)


def test_a_backup_with_an_entry_too_many_restores_nothing(world: World, tmp_path: Path) -> None:
    """A list that names a path outside the folder reads and writes nothing there."""
    folder = tmp_path / "backup"
    back_up(world.registry, folder)
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    for path in sorted(copied.glob("*.jsonl")):
        data = path.read_bytes()
        for name in (b"../../../../etc/passwd", b"/etc/passwd", b"..", b"\0"):
            path.write_bytes(data.replace(b'"sha256":"', b'"sha256":"' + name, 1))
            survives(lambda _: check_backup(copied, world.registry.home.log), b"")
        path.write_bytes(data)
