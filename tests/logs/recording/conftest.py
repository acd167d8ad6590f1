"""Every recording a test leaves open is closed after it."""

from collections.abc import Iterator

import pytest

from logs.recording import recorded


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while recorded.OPEN:
        recorded.OPEN.pop().close()
