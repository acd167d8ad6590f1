"""Recovering a lost key through the registry: guardians, co-authors, and exports that still verify."""

from pathlib import Path

import pytest

from leadline.errors import NotFoundError, SignatureError, StatementError
from leadline.ledger.keys import SigningKey
from leadline.registry.bundle import verify_bundle
from leadline.registry.exchange import export_study
from leadline.registry.registry import Registry
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author whose key the log knows."""
    world = World(tmp_path)
    world.registry.register_key("Ada")
    return world


def as_(world: World, name: str) -> Registry:
    """The registry as another person opens it, with a fresh key."""
    key = SigningKey.generate(f"example.org/{name}")
    return Registry.open(world.folder / "registry.db", key=key, clock=world.clock)


def guardian(world: World, name: str) -> Registry:
    """Another person whose key the log knows."""
    registry = as_(world, name)
    registry.register_key(name.title())
    return registry


def test_guardians_recover_all_rights(world: World) -> None:
    """After two of three have vouched, the new key finishes the study, and its export verifies."""
    guardians = [guardian(world, name) for name in ("bob", "carol", "dave")]
    world.registry.name_guardians([one.author().fingerprint for one in guardians])
    study = world.honest_study()
    new = as_(world, "ada-again")
    new.recover_key(world.key.fingerprint)
    with pytest.raises(SignatureError, match="pending"):
        new.study(study.id).publish()
    for one in guardians[1:]:
        one.vouch_for_key(new.author().fingerprint[:12])
    new.study(study.id).publish()
    folder = world.folder / "export"
    export_study(new, study.id, folder)
    assert [step.name for step in verify_bundle(folder, new.home.log) if not step.ok] == []
    assert list(new.fsck()) == []
    with pytest.raises(SignatureError, match="rotated"):
        study.open_attempt()


def test_co_authors_recover_one_study(world: World) -> None:
    """Without guardians the new key gets rights to the shared study, and its export verifies."""
    bob = guardian(world, "bob")
    protocol = world.protocol()
    world.registry.store.put_blob(protocol.canonical_bytes())
    from leadline.registry.freezing import frozen_fields

    said = {**frozen_fields(protocol), "keys": [bob.author().fingerprint], "created": world.registry.time()}
    receipt = world.registry.append(lambda view: [("freeze", said, world.key)])[0]
    from leadline.ledger.ids import study_id

    study = study_id(receipt.leaf_hash)
    new = as_(world, "ada-again")
    new.recover_key(world.key.fingerprint)
    other = world.register(world.protocol(title="another"))
    bob.vouch_for_key(new.author().fingerprint, lost=world.key.fingerprint, study=study)
    new.study(study).open_attempt()
    with pytest.raises(SignatureError, match="may not act for"):
        new.study(other.id).open_attempt()
    folder = world.folder / "export"
    export_study(new, study, folder)
    assert [step.name for step in verify_bundle(folder, new.home.log) if not step.ok] == []


def test_a_key_that_is_not_lost_vetoes(world: World) -> None:
    """Its holder refuses the pending one."""
    guardians = [guardian(world, name) for name in ("bob", "carol")]
    world.registry.name_guardians([one.author().fingerprint for one in guardians])
    thief = as_(world, "thief")
    thief.recover_key(world.key.fingerprint)
    world.registry.veto_key(thief.author().fingerprint, "I am here")
    with pytest.raises(StatementError, match="pending successor"):
        guardians[0].vouch_for_key(thief.author().fingerprint)


def test_keys_are_named_by_fingerprint_its_beginning_or_their_name(world: World) -> None:
    """Too short a beginning, or one that nobody has, is refused."""
    from leadline.registry.keys import known_key

    own = world.key.fingerprint
    view = world.registry.store
    for text in (own, own[:8], own.upper()[:20], "example.org/ada"):
        assert known_key(view, text).fingerprint == own
    for text in (own[:7], "0" * 16, "", "example.org/eve"):
        with pytest.raises(NotFoundError, match="no key"):
            known_key(view, text)


def test_a_rebuild_keeps_guardians_and_vouchings(world: World) -> None:
    """Tables made again from the log are the same."""
    guardians = [guardian(world, name) for name in ("bob", "carol")]
    world.registry.name_guardians([one.author().fingerprint for one in guardians])
    new = as_(world, "ada-again")
    new.recover_key(world.key.fingerprint)
    guardians[0].vouch_for_key(new.author().fingerprint)
    before = new.keys()
    new.rebuild()
    assert new.keys() == before
    assert list(new.fsck()) == []
