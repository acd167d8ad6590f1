"""kill -9 of a working server: nothing that was acknowledged is lost, doubled or torn (`make kills`: 500 times each)."""

import pytest

from kills.campaign import campaign
from store.cluster import Cluster

#: On each store, so twenty in all.
KILLS = 10


@pytest.mark.slow
@pytest.mark.enable_socket
def test_a_registry_in_a_file_survives_its_server() -> None:
    """The server of a file is killed under sixteen writers; every acknowledged statement is there, once, proven."""
    outcome = campaign("sqlite", KILLS, seed=11)
    assert outcome.problems == [], outcome.summary()
    assert outcome.kills.total() == KILLS
    assert outcome.audited.statements > 2 * KILLS


@pytest.mark.slow
@pytest.mark.enable_socket
def test_a_registry_in_postgresql_survives_its_server_and_the_database_itself(cluster: Cluster) -> None:
    """The server, one of the database's processes, or the whole database is killed; nothing acknowledged is lost."""
    outcome = campaign("postgres", KILLS, seed=16)
    assert outcome.problems == [], outcome.summary()
    assert outcome.kills.total() == KILLS
    assert outcome.audited.statements > 2 * KILLS
