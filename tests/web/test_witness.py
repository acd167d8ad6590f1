"""The witness over HTTP: bounded requests, exact types, and nothing where there is no witness."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from leadline.ledger.cosignature import verified_cosignatures
from leadline.ledger.witness import MAX_REQUEST, origin_hash
from leadline.registry.registry import Registry
from leadline.registry.witnessing import follow, start_witness, witness_of
from leadline.web.witness import routes
from ledger.record import LOG
from ledger.test_witness import HONEST, ORIGIN


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An installation with a witness that follows one log."""
    with Registry.open(tmp_path / "registry.db", clock=lambda: datetime(2026, 3, 1, tzinfo=UTC)) as made:
        start_witness(made)
        follow(made.store.shelf, LOG.public, ORIGIN)
        yield made


def client_of(registry: Registry) -> TestClient:
    """A client of the witness's routes alone."""
    site: Any = SimpleNamespace(registry=registry)
    return TestClient(Starlette(routes=list(routes(site))))


def test_a_log_is_cosigned_and_shown(registry: Registry) -> None:
    """POST gives the cosignature; GET under the origin's hash gives the checkpoint with it."""
    client, witness = client_of(registry), witness_of(registry)
    assert witness is not None
    path = f"/witness/{origin_hash(ORIGIN)}/checkpoint"
    assert client.get(path).status_code == 404
    answer = client.post("/witness/add-checkpoint", content=HONEST.request(0, 9))
    assert answer.status_code == 200
    shown = client.get(path)
    assert shown.content == HONEST.note(9) + answer.content
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(verified_cosignatures(shown.content, witness.keys)) == 1


def test_the_type_of_a_size_is_exact(registry: Registry) -> None:
    """409 has the specification's type, without a parameter."""
    answer = client_of(registry).post("/witness/add-checkpoint", content=HONEST.request(3, 9))
    assert (answer.status_code, answer.text) == (409, "0\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert answer.headers["cache-control"] == "no-store"


def test_long_requests_are_not_read_to_their_end(registry: Registry) -> None:
    """One byte too many, or an endless stream: 413, and what was sent is forgotten."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_REQUEST:
            sent += 1 << 16
            yield bytes(1 << 16)

    client = client_of(registry)
    assert client.post("/witness/add-checkpoint", content=bytes(MAX_REQUEST + 1)).status_code == 413
    assert client.post("/witness/add-checkpoint", content=endless()).status_code == 413
    assert client.post("/witness/add-checkpoint", content=bytes(MAX_REQUEST)).status_code == 400


def test_without_a_witness_key_there_is_no_witness(tmp_path: Path) -> None:
    """No request ever makes a key."""
    with Registry.open(tmp_path / "registry.db") as registry:
        client = client_of(registry)
        assert client.post("/witness/add-checkpoint", content=HONEST.request(0, 9)).status_code == 404
        assert client.get(f"/witness/{origin_hash(ORIGIN)}/checkpoint").status_code == 404
        assert registry.home.witness is None


def test_other_methods_and_paths(registry: Registry) -> None:
    """405 and 404, as the router gives them."""
    client = client_of(registry)
    assert client.get("/witness/add-checkpoint").status_code == 405
    assert client.post(f"/witness/{origin_hash(ORIGIN)}/checkpoint").status_code == 405
    for path in ("/witness/", "/witness/%2e%2e/checkpoint", "/witness/x/y/checkpoint"):
        assert client.get(path).status_code == 404
