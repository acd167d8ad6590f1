"""`pytest tests/fuzz --fuzz-seconds 600` fuzzes for ten minutes; without it a fixed, bounded choice is tried."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.addoption("--fuzz-seconds", type=int, default=0, help="fuzz each target for its share of so long")


@pytest.fixture(scope="session")
def fuzz_seconds(request: pytest.FixtureRequest) -> int:
    """How long to fuzz; 0 for the bounded choice that is the same in every run."""
    return int(request.config.getoption("--fuzz-seconds", default=0))
