"""Fixtures of the sealing tests."""

from pathlib import Path

import pytest

from registry.sealing.lab import SealedLab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedLab:
    """A fresh registry with an author who can seal."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    return SealedLab(tmp_path)
