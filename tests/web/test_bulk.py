"""Dumps under /bulk: exactly what the index names, and nothing else of the file system."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from leadline.registry.bulk import refresh
from leadline.web.bulk import routes
from leadline.web.settings import Settings
from registry.world import World


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A client of a server with one dump, beside a file that is nobody's business."""
    world = World(tmp_path / "world", items=4)
    world.register()
    folder = tmp_path / "bulk"
    refresh(world.registry, folder)
    (folder / "secret.txt").write_text("x")
    (folder / "whole-99").mkdir()
    (folder / "whole-99" / "studies.parquet").write_text("not in the index")
    return TestClient(Starlette(routes=routes(SimpleNamespace(settings=Settings(bulk_folder=folder)))))


def test_the_index_leads_to_files_with_their_digests(client: TestClient) -> None:
    """Every file it names is there, under its digest as entity tag, and never changes."""
    from hashlib import sha256

    (whole,) = client.get("/bulk/index.json").json()["whole"]
    for name, digest in whole["files"].items():
        answer = client.get(f"/bulk/{whole['folder']}/{name}")
        assert answer.status_code == 200
        assert sha256(answer.content).hexdigest() == digest
        assert answer.headers["etag"] == f'"{digest}"'
        assert "immutable" in answer.headers["cache-control"]
    manifest = client.get(f"/bulk/{whole['folder']}/manifest.json")
    assert {name: said["sha256"] for name, said in manifest.json()["files"].items()} == whole["files"]


@pytest.mark.parametrize(
    "path",
    [
        "/bulk/secret.txt", "/bulk/whole-99/studies.parquet", "/bulk/../world/registry.db", "/bulk/%2e%2e/world/registry.db",
        "/bulk/%2e%2e%2fworld/registry.db", "/bulk/whole-5/..%2f..%2fworld%2fregistry.db", "/bulk//etc/passwd", "/bulk/x/%00",
    ],
)  # fmt: skip
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    """Files that the index does not name, and every way out of the folder, are not there."""
    assert client.get(path).status_code == 404


def test_without_a_folder_there_is_nothing() -> None:
    """A server that makes no dumps has no such routes."""
    assert routes(SimpleNamespace(settings=Settings())) == []
