"""Studies as RO-Crates: complete metadata over an export that still verifies."""

import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from leadline.errors import StateError
from leadline.registry.bundle import verify_bundle
from leadline.registry.crate import METADATA, write_crate
from leadline.registry.study import Study
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry."""
    return World(tmp_path / "world")


@pytest.fixture
def study(world: World) -> Study:
    """A published study in it."""
    made = world.honest_study()
    made.publish()
    return made


def graph(folder: Path) -> dict[str, dict[str, Any]]:
    """The entities of a crate by id."""
    document = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    return {one["@id"]: one for one in document["@graph"]}


def test_the_metadata_is_what_the_specification_asks_for(world: World, study: Study, tmp_path: Path) -> None:
    """Descriptor, root dataset with the required properties, and every reference leads to an entity."""
    write_crate(world.registry, study.id, tmp_path / "crate")
    entities = graph(tmp_path / "crate")
    assert entities[METADATA]["about"] == {"@id": "./"}
    assert entities[METADATA]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities["./"]
    assert {"name", "description", "datePublished", "license", "author", "identifier"} <= set(root)
    assert root["identifier"] == study.id
    assert "H1: supported (confirmatory)" in root["description"]
    for name in ("author", "hasPart"):
        assert all(one["@id"] in entities for one in root[name])


def test_every_file_is_described_with_its_digest(world: World, study: Study, tmp_path: Path) -> None:
    """What is in the folder and what the metadata lists are the same files with the same bytes."""
    folder = tmp_path / "crate"
    write_crate(world.registry, study.id, folder)
    listed = {unquote(id_): one for id_, one in graph(folder).items() if one["@type"] == "File"}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(listed) == there - {METADATA}
    for name, one in listed.items():
        content = (folder / name).read_bytes()
        assert (one["sha256"], one["contentSize"]) == (sha256(content).hexdigest(), str(len(content)))


def test_the_study_in_it_verifies(world: World, study: Study, tmp_path: Path) -> None:
    """With the log's public key alone, as any exported study."""
    write_crate(world.registry, study.id, tmp_path / "crate")
    steps = list(verify_bundle(tmp_path / "crate" / "study", world.registry.home.log))
    assert steps
    assert all(step.ok for step in steps)


def test_the_same_record_gives_the_same_archive(world: World, study: Study, tmp_path: Path) -> None:
    """An archive has no time of its own; it unpacks to the folder, and is never written over another."""
    write_crate(world.registry, study.id, tmp_path / "one.zip")
    write_crate(world.registry, study.id, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    write_crate(world.registry, study.id, tmp_path / "crate")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "crate" / name).read_bytes()
    for target in (tmp_path / "one.zip", tmp_path / "crate"):
        with pytest.raises(StateError):
            write_crate(world.registry, study.id, target)
