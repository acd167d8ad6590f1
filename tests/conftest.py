"""Fixtures every test may use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from store.cluster import Cluster, NoClusterError, running

# A property test that is slow on a busy machine has not failed.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what Inspect left open while the test's own filter of warnings holds, not during some later test."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party test data beside the checkout; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("shared/data is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A private PostgreSQL cluster for this process's tests.

    Where the machine cannot have one, the tests are skipped; in CI, or with LEADLINE_REQUIRE_POSTGRES=1, they fail.
    """
    try:
        with running() as found:
            yield found
    except NoClusterError as error:
        if os.environ.get("CI", "").lower() == "true" or os.environ.get("LEADLINE_REQUIRE_POSTGRES") == "1":
            pytest.fail(f"the PostgreSQL half of the tests cannot run: {error}")
        pytest.skip(f"the PostgreSQL half of the tests does not run here: {error}")


@pytest.fixture(scope="session")
def database(cluster: Cluster) -> Iterator[str]:
    """The address of a database that tests use one after the other."""
    with cluster.database("tests") as url:
        yield url


@pytest.fixture
def postgres_url(
    cluster: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of an empty database, with this test's folder as the home of its keys."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("LEADLINE_KEYS", raising=False)
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    yield database
    cluster.empty("tests")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the tests in a real browser did not run, where they did not."""
    skipped = [
        one
        for one in terminalreporter.stats.get("skipped", ())
        if "no Chromium was found" in str(one.longrepr)
    ]
    if skipped:
        terminalreporter.section("NO CHROMIUM: the browser tests did not run", red=True, bold=True)
        terminalreporter.line(
            f"{len(skipped)} tests were skipped. Install chromium, or name one with LEADLINE_TEST_CHROMIUM=path."
        )
