"""Results that were never registered, and bytes that had to go."""

from pathlib import Path

import pytest

from leadline.errors import InputError, NotFoundError, StateError
from leadline.registry.retrospective import MOST_BYTES, Retrospective
from leadline.registry.takedown import taken_down, verify_note
from leadline.store.projections.imports import imports
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author."""
    return World(tmp_path)


def test_a_finished_comparison_is_recorded(world: World) -> None:
    """As it is, by digest, with its source; the key is introduced on the way."""
    result = b'{"kind": "leadline/comparison", "format": 1}'
    receipt = world.registry.record_retrospective(
        Retrospective("Hints help", "a laboratory's notebook", result, note="logs are lost")
    )
    (row,) = imports(world.registry.store)
    assert (row.ix, row.content, row.source) == (receipt.index, "report", "a laboratory's notebook")
    assert world.registry.store.blob(row.digest) == result
    assert list(world.registry.fsck()) == []


def test_a_table_is_kept_and_not_read(world: World) -> None:
    """Any bytes do."""
    world.registry.record_retrospective(Retrospective("T", "s", b"model,score\n=1+1,2\n", content="table"))
    assert [row.content for row in imports(world.registry.store)] == ["table"]


@pytest.mark.parametrize("result", [b"", b"{}", b"no JSON", b"[" * 100_000, b"x" * (MOST_BYTES + 1)])
def test_what_is_no_result_is_refused(world: World, result: bytes) -> None:
    """Empty, too long, or not what it is said to be."""
    with pytest.raises(InputError):
        world.registry.record_retrospective(Retrospective("T", "s", result))


def test_a_take_down_leaves_digest_and_signed_reason(world: World) -> None:
    """The bytes are gone, the note verifies, the log is unchanged and sound."""
    study = world.honest_study()
    digest = study.attachments[0].sha256
    entries = list(world.registry.store.entries())
    done = world.registry.take_down(digest, "it held an address")
    assert list(world.registry.store.entries()) == entries
    assert world.registry.store.taken_down(digest) == "it held an address"
    with pytest.raises(NotFoundError):
        world.registry.store.blob(digest)
    assert taken_down(world.registry, digest) == done
    assert verify_note(done.envelope, world.registry.home.ensure("installation").public) == done
    assert list(world.registry.fsck()) == []


def test_taking_down_twice_or_nothing_is_refused(world: World) -> None:
    """The first reason stays; unknown digests and missing reasons are errors."""
    digest = world.registry.store.put_blob(b"something")
    with pytest.raises(InputError):
        world.registry.take_down(digest, "  ")
    with pytest.raises(NotFoundError):
        world.registry.take_down("ab" * 32, "r")
    world.registry.take_down(digest, "first")
    with pytest.raises(StateError, match="already: first"):
        world.registry.take_down(digest, "second")


def test_a_take_down_that_was_interrupted_is_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note without removal, and a removal without note, are both completed by doing it again."""
    store = world.registry.store
    first, second = store.put_blob(b"one"), store.put_blob(b"two")
    store.take_down(first, "by hand")
    world.registry.take_down(first, "with a note")
    assert taken_down(world.registry, first) is not None
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "take_down", lambda *_: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(OSError, match="power"):
            world.registry.take_down(second, "r")
    world.registry.take_down(second, "r")
    assert store.taken_down(second) == "r"
