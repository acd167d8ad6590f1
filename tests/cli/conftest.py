"""A home of its own for every test, and a lab that has run a study."""

import shutil
from pathlib import Path

import pytest

from cli.shell import Lab, set_up


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches the user's registry or key; output is 80 columns wide."""
    for name in ("LEADLINE_STORE", "LEADLINE_KEY", "LEADLINE_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A study that was registered, run once, and not yet reported; made once, copied for each test."""
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLINE_HOME", str(folder / "home"))
        for name in ("LEADLINE_STORE", "LEADLINE_KEY"):
            patch.delenv(name, raising=False)
        return set_up(folder)


@pytest.fixture
def lab(built: Lab, tmp_path: Path) -> Lab:
    """The lab's folder with registry, key, protocol and logs, as a copy of this test's own."""
    shutil.copytree(built.folder, tmp_path, dirs_exist_ok=True)
    return Lab(tmp_path, built.study)
