"""One registry with every fate in it, made once; and a client of the pages over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leadline.registry.study import Study
from leadline.web.app import create_app
from leadline.web.settings import Settings
from web.site import TODAY, Lab, build


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, dict[str, Study]]:
    """The registry of `web.site` and its studies by title; nobody appends to it."""
    return build(Path(tmp_path_factory.mktemp("site")), more=2)


@pytest.fixture(scope="session")
def pages(record: tuple[Lab, dict[str, Study]]) -> Iterator[TestClient]:
    """A client of the application over that registry."""
    app = create_app(record[0].registry, Settings(store="site"), clock=lambda: TODAY)
    with TestClient(app, base_url="http://127.0.0.1:8300") as client:
        yield client
