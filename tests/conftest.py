"""Fixtures every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

# A property test that is slow on a busy machine has not failed.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party test data beside the checkout; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("shared/data is absent")
    return SHARED_DATA
