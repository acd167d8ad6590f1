"""Rotation of the keys a registry signs with itself."""

from pathlib import Path

import pytest

from leadline.errors import StateError
from leadline.ledger import keyfile
from leadline.registry import own_keys
from leadline.registry.own_keys import OwnKey, rotate_own
from leadline.registry.registry import Registry
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.authority import keys as list_keys
from registry.world import World


@pytest.mark.parametrize("which", ["service", "installation"])
def test_the_new_key_takes_over_and_the_old_one_signs_nothing(which: OwnKey, tmp_path: Path) -> None:
    """Both keys sign the change, the log stays sound, and the next opening uses the new key."""
    world = World(tmp_path)
    old = getattr(world.registry.home, which)
    receipt = rotate_own(world.registry, which, "yearly")
    new = getattr(world.registry.home, which)
    assert receipt is not None
    assert new.fingerprint != old.fingerprint
    states = {one.fingerprint: one for one in list_keys(world.registry.store)}
    assert (states[old.fingerprint].state, states[new.fingerprint].state) == ("rotated", "active")
    assert states[new.fingerprint].lineage == states[old.fingerprint].lineage
    assert list(world.registry.fsck()) == []
    world.registry.close()
    with Registry.open(tmp_path / "registry.db", create=False) as again:
        assert getattr(again.home, which).fingerprint == new.fingerprint
        assert rotate_own(again, which, "and once more") is not None
        assert list(again.fsck()) == []


@pytest.mark.parametrize("when", ["before the log", "after the log", "between the files"])
def test_an_interrupted_rotation_is_finished_by_the_next(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stopped, the file under the usual name is a key that the log knows, and the next call ends the work."""
    world = World(tmp_path)
    place = world.registry.home.folder / "service.key"

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if when == "before the log":
            patch.setattr(own_keys, "rotate", stop)
        elif when == "after the log":
            patch.setattr(own_keys, "_take_place", stop)
        else:
            patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            rotate_own(world.registry, "service", "interrupted")
    assert find_key(world.registry.store, keyfile.load(place).fingerprint) is not None
    done = rotate_own(world.registry, "service", "again")
    assert (done is None) == (when != "before the log")
    record = find_key(world.registry.store, keyfile.load(place).fingerprint)
    assert record is not None
    assert record.state == "active"
    assert not place.with_name("service.key.next").exists()
    assert list(world.registry.fsck()) == []


def test_without_the_keys_nothing_is_rotated(tmp_path: Path) -> None:
    """Where the private key is not, the command says where to run it."""
    world = World(tmp_path)
    (world.registry.home.folder / "service.key").unlink()
    with pytest.raises(StateError, match="not here"):
        rotate_own(world.registry, "service", "why")
