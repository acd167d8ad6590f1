"""Siblings: what the same authors registered about the same dataset, measure and technique."""

from pathlib import Path

import pytest

from leadline.registry.siblings import siblings
from leadline.verdict.kinship import traits
from registry.world import World, document


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author."""
    return World(tmp_path)


def test_variants_of_a_study_are_siblings(world: World) -> None:
    """Newest first, with their states, and what they share."""
    first, second, third = (world.register(world.protocol(title=title)) for title in "abc")
    world.registry.withdraw(second.id, "a mistake")
    found = first.siblings
    assert [one.row.id for one in found] == [third.id, second.id]
    assert found[1].row.state == "withdrawn"
    assert found[0].shared == tuple(sorted(traits(document(world.dataset_sha256()))))


def test_another_measure_dataset_or_author_is_no_sibling(world: World) -> None:
    """All three must agree, and the keys must."""
    study = world.register()
    arms = document()["arms"]
    other_arms = [{**arm, "technique": f"another {arm['technique']}"} for arm in arms]
    world.register(world.protocol(title="technique", arms=other_arms))
    tasks = document(dataset_sha256="ab" * 32)["tasks"]
    world.register(world.protocol(title="dataset", tasks=tasks))
    from leadline.ledger.keys import SigningKey

    world.registry.key = SigningKey.generate("example.org/bob")
    world.register(world.protocol(title="author"))
    assert study.siblings == []


def test_a_rotated_key_keeps_its_siblings(world: World) -> None:
    """The lineage counts, not the key."""
    from leadline.ledger.keys import SigningKey

    first = world.register()
    world.registry.rotate_key(SigningKey.generate("example.org/ada2"))
    second = world.register(world.protocol(title="with the new key"))
    assert [one.row.id for one in first.siblings] == [second.id]


def test_a_study_without_its_protocol_has_no_siblings(world: World) -> None:
    """Taken down, it cannot be compared; the others are not disturbed."""
    first, second = (world.register(world.protocol(title=title)) for title in "ab")
    third = world.register(world.protocol(title="c"))
    world.registry.take_down(second.row.protocol, "it named a person")
    assert [one.row.id for one in first.siblings] == [third.id]
    assert siblings(world.registry.store, second.id) == []
    assert siblings(world.registry.store, "LL-0000000000000") == []
