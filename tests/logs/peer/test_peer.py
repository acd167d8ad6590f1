"""A small run of `python -m tests.logs.peer`: Inspect writes, both read, everything is equal."""

from pathlib import Path

import pytest

from logs.peer.compare import compare_file
from logs.peer.generate import generate, shapes

# Inspect leaves an event loop and its sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty samples that Inspect ran and wrote."""
    (written,) = generate(tmp_path_factory.mktemp("peer"), 60, seed=7)
    return written


def test_as_written(log: Path) -> None:
    """Every value of every sample."""
    assert compare_file(log) == 60


def test_in_other_shapes(log: Path, tmp_path: Path) -> None:
    """Compressed otherwise, in many frames, ZIP64, requeued, indented, crashed, `.json`, chunked, mixed."""
    found = {one.stem: compare_file(one, peer) for one, peer in shapes(log, tmp_path / "shapes")}
    assert len(found) == 10
    assert set(found.values()) == {60}
