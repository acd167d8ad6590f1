"""What an adversary tries who reads every public byte, or holds a key too many."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from leadline.errors import SignatureError
from leadline.ledger.keys import SigningKey
from leadline.registry.lifecycle import tend
from leadline.registry.registry import Registry
from leadline.store.projection import Table
from registry.world import World

DAYS = [date(2026, 6, 2), date(2026, 7, 15), date(2026, 9, 3), date(2026, 10, 4)]


def public(registry: Registry) -> dict[str, object]:
    """Every public byte: entries, checkpoints, blobs, and the rows of every computed table."""
    store = registry.store
    tables: list[Table] = [table for one in store.projections() for table in one.tables]
    return {
        "entries": list(store.entries()),
        "checkpoint": store.checkpoint(),
        "blobs": [(blob.sha256, blob.kept) for blob in store.blobs()],
        **{table.name: store.select(table) for table in tables},
    }


def test_withholding_changes_no_public_byte(tmp_path: Path) -> None:
    """Two copies of a registry, in one of which studies were withheld and one lifted, end equal, byte for byte.

    The withheld ones had announced and abandoned runs, amendments, or nothing at all, as others had.
    """
    world = World(tmp_path / "plain")
    studies = [world.register(world.protocol(title=f"study {number}")) for number in range(4)]
    studies[0].open_attempt()
    studies[1].abandon_attempt(studies[1].open_attempt().number, "no time")
    world.honest_study()
    moment = world.clock.now
    world.registry.close()
    shutil.copytree(tmp_path / "plain", tmp_path / "other")
    seen = []
    for folder, withheld in (("plain", ()), ("other", (0, 1, 2))):
        world.clock.now = moment
        registry = Registry.open(tmp_path / folder / "registry.db", key=world.key, clock=world.clock)
        for number in withheld:
            registry.withhold(studies[number].id)
        for number in withheld[2:]:
            registry.withhold(studies[number].id, lift=True)
        for day in DAYS:
            world.clock.now = moment.replace(month=day.month, day=day.day)
            tend(registry, day)
        seen.append(public(registry))
        registry.close()
    assert seen[0] == seen[1]
    assert seen[0]["closing"]


def test_a_closings_time_follows_from_the_due_date_alone(tmp_path: Path) -> None:
    """Whatever a study did before falling silent, it closes in the batch of its due date."""
    world = World(tmp_path)
    quiet = world.register(world.protocol(title="quiet"))
    busy = world.register(world.protocol(title="busy"))
    for _ in range(3):
        busy.open_attempt()
    world.registry.amend(busy.id, world.protocol(title="busier"), reason="r", seen="nothing_run")
    world.registry.withhold(busy.id)
    (event,) = tend(world.registry, date(2026, 9, 5))
    assert set(event.studies) == {quiet.id, busy.id}


def test_the_service_key_says_nothing_but_reports_and_closings(tmp_path: Path) -> None:
    """Whoever steals it cannot amend, withdraw, announce or attach in an author's name."""
    world = World(tmp_path)
    study = world.honest_study()
    stolen = world.registry.home.service
    world.registry.key = stolen
    with pytest.raises(SignatureError, match="role service"):
        world.registry.withdraw(study.id, "r")
    with pytest.raises(SignatureError, match="role service"):
        study.open_attempt()
    with pytest.raises(SignatureError, match="may not act for"):
        world.registry.withhold(study.id)


def test_a_stranger_cannot_hide_a_study(tmp_path: Path) -> None:
    """Withholding somebody else's overdue study is refused, and it is published."""
    world = World(tmp_path)
    study = world.honest_study()
    eve = SigningKey.generate("example.org/eve")
    other = Registry.open(tmp_path / "registry.db", key=eve, clock=world.clock)
    other.register_key("Eve")
    with pytest.raises(SignatureError, match="may not act for"):
        other.withhold(study.id)
    assert [event.kind for event in tend(other, date(2026, 6, 2))] == ["published"]
    other.close()


def test_logs_that_cannot_be_analysed_stop_no_round(tmp_path: Path) -> None:
    """A study whose log is damaged beyond reading is left overdue; the one after it is published."""
    world = World(tmp_path)
    hostile = world.honest_study()
    fine = world.register(world.protocol(title="fine"))
    world.attempt(fine, name="fine")
    first = hostile.attachments[0]
    world.registry.take_down(first.sha256, "it held personal data")
    kinds = {event.studies[0]: event.kind for event in tend(world.registry, date(2026, 6, 2))}
    assert kinds == {hostile.id: "failed", fine.id: "published"}
