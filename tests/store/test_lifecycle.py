"""Lifecycle, judgements and key recovery on every engine: the same events, the same rows, a sound record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from leadline.ledger.keys import SigningKey
from leadline.registry.judging import critiques, judge, revoke
from leadline.registry.lifecycle import tend
from leadline.registry.registry import Registry
from leadline.store.projections.status import status_of
from registry.world import World


@dataclass
class Placed(World):
    """A world whose registry is at an address."""

    url: str = ""

    def opened(self, key: SigningKey) -> Registry:
        """The registry as the holder of another key opens it."""
        return Registry.open(self.url or self.folder / "registry.db", key=key, clock=self.clock)


@pytest.fixture(params=["sqlite", "postgres"])
def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Placed]:
    """A registry with an author, on each engine."""
    world = Placed(tmp_path)
    if request.param == "postgres":
        monkeypatch.setenv("LEADLINE_KEYS", str(tmp_path / "keys"))
        world.registry.close()
        world.url = request.getfixturevalue("postgres_url")
        world.registry = world.opened(world.key)
    yield world
    world.registry.close()


def test_a_year_of_a_registry(world: Placed) -> None:
    """Published, closed, judged, recovered; made again from the log the tables are the same."""
    registry = world.registry
    told = world.honest_study()
    quiet, kept = (world.register(world.protocol(title=title)) for title in ("quiet", "kept"))
    registry.withhold(kept.id)
    friends = []
    for name in ("bob", "carol"):
        key = SigningKey.generate(f"example.org/{name}")
        friends.append(world.opened(key))
        friends[-1].register_key(name.title())
    odds = {"H1": {"supported": 0.9, "null": 0.1}}
    judge(friends[0], told.id, type="forecast", part=odds)
    question = judge(friends[1], told.id, type="critique", part={"question": "why?"})
    registry.name_guardians([one.author().fingerprint for one in friends])
    events = tend(registry, date(2026, 9, 1))
    assert [event.kind for event in events] == ["closed", "published"]
    assert events[0].studies == tuple(sorted((quiet.id, kept.id)))
    heir = world.opened(SigningKey.generate("example.org/ada2"))
    heir.recover_key(world.key.fingerprint)
    for friend in friends:
        friend.vouch_for_key(heir.author().fingerprint)
    heir.withdraw(quiet.id, "no time")
    assert [row.ix for row in critiques(registry.store, told.id)] == [question.index]
    revoke(friends[1], question.index)
    before = (
        told.judgements,
        registry.keys(),
        [status_of(one.row, date(2026, 9, 2)) for one in (told, quiet, kept)],
    )
    assert before[2] == ["reported", "withdrawn", "closed-undisclosed"]
    registry.rebuild()
    after = (
        told.judgements,
        registry.keys(),
        [status_of(one.row, date(2026, 9, 2)) for one in (told, quiet, kept)],
    )
    assert after == before
    assert list(registry.fsck()) == []
    assert tend(registry, date(2026, 9, 30)) == []
    for one in (*friends, heir):
        one.close()
