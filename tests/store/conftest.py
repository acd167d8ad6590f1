"""A laboratory, and an open store in a fresh folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.store import Store, open_store
from store.factory import Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    """Keys and people; they hold no state of any store."""
    return Lab()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of the embedded engine."""
    with open_store(tmp_path / "registry.db") as opened:
        yield opened
