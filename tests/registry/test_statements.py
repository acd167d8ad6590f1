"""Which statements a study rests on: what a reading of the whole log finds is found without one."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from leadline.ledger.dsse import decode
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.predicates import Close, Key
from leadline.ledger.statements import parse
from leadline.registry.lifecycle import tend
from leadline.registry.statements import indexes_of, statements_of
from leadline.store import ReadView
from leadline.store.projections.seals import slots
from leadline.store.projections.statements import about
from registry.world import World

CLOSING = date(2026, 9, 1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with two authors, a rotated key, a silent study and one that runs and reports."""
    made = World(tmp_path / "w")
    made.register(made.protocol(title="silent"))
    made.register(made.protocol(title="silent too"))
    study = made.honest_study()
    made.registry.rotate_key(SigningKey.generate("example.org/ada-2"))
    study.publish()
    stranger = SigningKey.generate("example.org/bob")
    other = type(made.registry)(made.registry.store, home=made.registry.home, key=stranger, clock=made.clock)
    other.register(made.protocol(title="of another"), simulate=False)
    tend(made.registry, CLOSING)
    return made


def read_through(view: ReadView, study: str, promised: int, size: int, *, closings: bool) -> list[int]:
    """The same from a reading of every entry, with nothing looked up but a seal's slots."""
    own, keys = {promised} | {batch for batch, _ in slots(view, study) if batch < size}, {}
    needed: set[str] = set()
    for index, envelope in enumerate(view.entries(0, size)):
        opened = decode(envelope)
        said = parse(opened.payload).predicate
        if isinstance(said, Key):
            if said.study in (None, study):
                keys[index] = (VerifyKey.parse(said.public).fingerprint, opened.keyid, said)
        elif getattr(said, "study", None) == study or (closings and _closes(said, study)) or index in own:
            own.add(index)
            opened_keys = getattr(said, "keys", None)
            named = getattr(opened_keys, "keys", opened_keys)
            needed |= {opened.keyid, *(named if isinstance(named, tuple) else ())}
    found: set[int] = set()
    while True:
        chosen = {index for index, (key, _, _) in keys.items() if key in needed}
        if chosen == found:
            return sorted(own | found)
        found = chosen
        for index in found:
            _, signer, said = keys[index]
            needed |= {signer, *(said.guardians or ()), *([said.replaces] if said.replaces else [])}


def _closes(said: Any, study: str) -> bool:
    return isinstance(said, Close) and study in said.studies


def test_looked_up_is_what_reading_the_log_finds(world: World) -> None:
    """For every study, at every size of the log it stands in, with closings and without."""
    view = world.registry.store
    rows = [study.row for study in world.registry.studies()]
    assert len(rows) == 4
    for row in rows:
        for size in range(row.ix + 1, view.size() + 1):
            for closings in (True, False):
                expected = read_through(view, row.id, row.promised, size, closings=closings)
                assert list(indexes_of(view, row.id, size, closings=closings)) == expected
        exported = list(statements_of(view, row.id))
        assert [index for index, _ in exported] == indexes_of(view, row.id, view.size(), closings=False)
        assert all(envelope == view.entry(index) for index, envelope in exported)


def test_a_closing_is_about_each_study_it_names(world: World) -> None:
    """One statement that closes several studies is found from each of them, and from no other."""
    view, size = world.registry.store, world.registry.store.size()
    closed = {
        study.row.title: [row.ix for row in about(view, [study.id], size) if row.kind == "close"]
        for study in world.registry.studies()
    }
    (index,) = closed["silent"]
    said = parse(decode(view.entry(index)).payload).predicate
    assert isinstance(said, Close)
    assert len(said.studies) == 3
    assert closed["silent too"] == closed["of another"] == [index]
    assert [title for title, found in closed.items() if not found] == [world.protocol().title]


def test_the_log_is_not_read_through(world: World) -> None:
    """However long the log, only the statements themselves are read."""

    class Watched:
        """A view that refuses to go through the log, and notes which entries are read."""

        def __init__(self, view: ReadView) -> None:
            self._view = view
            self.read: list[int] = []

        def __getattr__(self, name: str) -> Any:
            return getattr(self._view, name)

        def entry(self, index: int) -> bytes:
            self.read.append(index)
            return self._view.entry(index)

        def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
            raise AssertionError("the log is read through")

    study = next(one for one in world.registry.studies() if one.row.title == "of another")
    watched: Any = Watched(world.registry.store)
    found = [index for index, _ in statements_of(watched, study.id)]
    assert 2 <= len(found) < world.registry.store.size() / 2
    assert set(watched.read) == set(found)
