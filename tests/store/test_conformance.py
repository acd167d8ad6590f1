"""The conformance suite on the embedded engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.store import Store, open_store
from store.conformance import StoreConformance, StoreMaker


class TestSqlite(StoreConformance):
    """SQLite in a file."""

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Iterator[StoreMaker]:
        """Opens the same file anew each time it is called."""
        opened: list[Store] = []

        def make() -> Store:
            opened.append(open_store(f"sqlite:///{tmp_path}/registry.db"))
            return opened[-1]

        yield make
        for store in opened:
            store.close()
