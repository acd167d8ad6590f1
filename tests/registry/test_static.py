"""An exported record verifies from its files alone, and any flipped bit in it is named."""

from pathlib import Path

import pytest

from leadline.errors import Explained
from leadline.registry.exchange import export_registry, export_study
from leadline.registry.static import verify_export
from registry.world import World


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """The record of one honest, published study as static files."""
    world = World(tmp_path_factory.mktemp("static"))
    world.honest_study().publish()
    folder = world.folder / "export"
    export_registry(world.registry, folder)
    return folder, world


def codes(folder: Path, world: World) -> list[str]:
    """What verification says of the folder: problem codes, or the error that ended it."""
    try:
        return [problem.where for problem in verify_export(folder, world.registry.home.log)]
    except Explained as error:
        return [type(error).__name__]


def test_an_honest_export_is_sound(exported: tuple[Path, World]) -> None:
    """Nothing is wrong with what the registry wrote."""
    assert codes(*exported) == []


def test_every_bit_of_every_tile_and_of_the_checkpoint_counts(exported: tuple[Path, World]) -> None:
    """Flipping any bit of a tile or of the checkpoint is noticed, and the tile is named."""
    folder, world = exported
    paths = [path for path in (folder / "tile").rglob("*") if path.is_file() and "entries" not in path.parts]
    assert paths
    for path in [*paths, folder / "checkpoint"]:
        honest = path.read_bytes()
        for bit in range(8 * len(honest)):
            forged = bytearray(honest)
            forged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(forged)
            found = codes(folder, world)
            assert found, f"bit {bit} of {path.name}"
            assert path.name == "checkpoint" or str(path.relative_to(folder)) in found
        path.write_bytes(honest)


def test_a_flip_anywhere_else_is_named(exported: tuple[Path, World]) -> None:
    """One flip in each file of the export, spread over its bytes, is noticed."""
    folder, world = exported
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "studies.jsonl"):
        honest = path.read_bytes()
        for step in range(5):
            forged = bytearray(honest)
            forged[(len(honest) - 1) * step // 4] ^= 1 << step
            path.write_bytes(forged)
            assert codes(folder, world), f"byte {(len(honest) - 1) * step // 4} of {path.relative_to(folder)}"
        path.write_bytes(honest)
    assert codes(folder, world) == []


def test_a_missing_file_is_named(exported: tuple[Path, World]) -> None:
    """A blob, tile or bundle that is not there is a problem, not a crash."""
    folder, world = exported
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "studies.jsonl"):
        if path.name == "log.vkey":
            continue
        aside = path.with_name(path.name + ".aside")
        path.rename(aside)
        assert codes(folder, world), str(path.relative_to(folder))
        aside.rename(path)


def test_a_study_bundle_holds_all_there_is(exported: tuple[Path, World], tmp_path: Path) -> None:
    """Protocol, certificate, statement, logs, report and the log's key."""
    _, world = exported
    study = next(iter(world.registry.studies()))
    names = {path.name for path in export_study(world.registry, study.id, tmp_path)}
    assert {
        "protocol.json",
        "protocol.yaml",
        f"{study.id}.tlog-proof",
        "freeze.dsse.json",
        "log.vkey",
    } <= names
    assert sum(name.endswith(".eval") for name in names) == 3
    assert any(name.startswith("report-") for name in names)


def test_what_no_statement_names_is_not_exported(tmp_path: Path) -> None:
    """A plan whose registration failed lies among the stored bytes, and is nobody's business."""
    world = World(tmp_path)
    stray = world.registry.store.put_blob(b"a plan that was never registered")
    named = world.register().row.protocol
    written = {path.parent.name + path.name for path in export_registry(world.registry, tmp_path / "all")}
    assert named in written
    assert stray not in written
