"""A bench for every test: a registered study in a folder of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.launch.lab import Bench

NAMES = (
    "LEADLINE_STORE",
    "LEADLINE_KEY",
    "INSPECT_LOG_DIR",
    "INSPECT_EVAL_METADATA",
    "INSPECT_REQUIRED_HOOKS",
)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Made once, copied for each test."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLINE_HOME", str(folder / "home"))
        for name in NAMES:
            patch.delenv(name, raising=False)
        return Bench.make(folder)


@pytest.fixture
def bench(made: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """This test's own copy, as current folder and home."""
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    yield Bench(tmp_path, made.study)
