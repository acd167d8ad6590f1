"""The conformance suite on both engines: the embedded one, and PostgreSQL in a cluster of its own."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from leadline.store import Projection, Store, open_store
from store.conformance import StoreConformance, StoreMaker, StoreOpener


class _Engine(StoreConformance):
    """An engine is an address; subclasses give it as the fixture `url`."""

    @pytest.fixture
    def store_with(self, url: str) -> Iterator[StoreOpener]:
        """Opens the same store anew, with projections; closes all of them at the end."""
        opened: list[Store] = []

        def make(projections: Sequence[Projection]) -> Store:
            opened.append(open_store(url, projections=projections))
            return opened[-1]

        yield make
        for store in opened:
            store.close()

    @pytest.fixture
    def make_store(self, store_with: StoreOpener) -> StoreMaker:
        """Opens the same store anew each time it is called."""
        return lambda: store_with(())


class TestSqlite(_Engine):
    """SQLite in a file."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """A file in this test's folder."""
        return f"sqlite:///{tmp_path}/registry.db"


class TestPostgres(_Engine):
    """PostgreSQL 15 or newer."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        """An empty database."""
        return postgres_url
