"""A mirror holds what the log signed, byte for byte, or it stops and says why."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import Explained, IntegrityError, SignatureError, StateError, StoreError
from leadline.ledger.cosignature import CosignerKey, Ed25519Cosigner, with_lines
from leadline.ledger.policy import Policy
from leadline.ledger.splitview import read_evidence
from leadline.ledger.tlog.note import split_note
from leadline.ledger.tlog.tile import entries_path
from leadline.registry.cosigning import newest_checkpoint
from leadline.registry.mirroring import DATABASE, mirror
from leadline.registry.recheck import verify_study
from leadline.registry.registry import Registry
from ledger.record import key
from registry.served import URL, Served, copy_of, grow
from registry.world import Clock, World


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Registry]:
    """A registry to be copied, of some 300 entries."""
    with Registry.open(tmp_path / "log" / "registry.db", clock=Clock()) as registry:
        grow(registry, 297)
        yield registry


def copied(served: Served, folder: Path, **more: Any) -> Any:
    """Copy what is served, with its key, into a folder."""
    return mirror(URL, folder, served.http(), key=served.registry.home.log, **more)


def entries(registry: Registry) -> list[bytes]:
    """Every entry."""
    return list(registry.store.entries())


def test_a_mirror_is_the_registry(tmp_path: Path) -> None:
    """A copy of a published study can be opened, searched, verified and recomputed, and holds no private key."""
    world = World(tmp_path / "world")
    world.honest_study().publish()
    grow(world.registry, 260)
    done = copied(Served(world.registry), tmp_path / "mirror")
    assert (done.before, done.size) == (0, world.registry.store.size())
    assert (done.blobs > 4, dict(done.absent)) == (True, {})
    with Registry.open(tmp_path / "mirror" / DATABASE, read_only=True) as copy:
        assert entries(copy) == entries(world.registry)
        assert copy.store.checkpoint() == world.registry.store.checkpoint()
        (study,) = copy.studies()
        assert all(step.ok for step in verify_study(copy, study.id))
        assert [row.id for row in copy.search("hint").studies] == [study.id]
        assert list(copy.fsck()) == []
        assert copy.home.signing is None
        assert copy.home.service is None
    names = {path.name for path in (tmp_path / "mirror" / f"{DATABASE}.keys").iterdir()}
    assert names == {"log.vkey"}


def test_a_mirror_can_be_mirrored(log: Registry, tmp_path: Path) -> None:
    """What it serves is what the log serves, tile for tile; nothing can be added to it."""
    copied(Served(log), tmp_path / "one")
    with Registry.open(tmp_path / "one" / DATABASE, create=False) as one:
        again = mirror(URL, tmp_path / "two", Served(one).http(), key=one.home.log)
        assert again.size == log.store.size()
        assert one.store.tile(0, 0) == log.store.tile(0, 0)
        with pytest.raises(StateError, match="private"):
            grow(one, 1, "mine")


def test_only_what_is_new_is_fetched(log: Registry, tmp_path: Path) -> None:
    """A second run asks for a checkpoint; after growth, for the bundles from where the copy ends, and a proof."""
    served = Served(log)
    seen: list[tuple[int, int]] = []
    copied(served, tmp_path / "m", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(256, 300), (300, 300)]
    served.asked.clear()
    assert copied(served, tmp_path / "m").before == 300
    assert served.asked == ["/checkpoint"]
    grow(log, 300, "more")
    served.asked.clear()
    done = mirror(URL, tmp_path / "m", served.http())
    assert (done.before, done.size) == (300, 600)
    assert f"/{entries_path(0)}" not in served.asked
    assert {f"/{entries_path(1)}", f"/{entries_path(2, 88)}"} <= set(served.asked)


def test_an_interrupted_copy_goes_on_where_it_stopped(log: Registry, tmp_path: Path) -> None:
    """What was fetched is not fetched again, and nothing half done can be read as a registry's record."""
    last = f"/{entries_path(1, 44)}"
    served = Served(log, {last: (503, b"")})
    with pytest.raises(StoreError, match="503"):
        copied(served, tmp_path / "m")
    del served.instead[last]
    served.asked.clear()
    assert copied(served, tmp_path / "m").size == 300
    assert f"/{entries_path(0)}" not in served.asked
    assert not (tmp_path / "m" / "incoming").exists()


def test_a_dropped_partial_bundle_is_taken_from_the_full_one(log: Registry, tmp_path: Path) -> None:
    """A log that grew meanwhile may have only the full bundle left: its first entries are the same."""
    checkpoint = log.store.checkpoint()
    grow(log, 300, "more")
    served = Served(log, {"/checkpoint": (200, checkpoint), f"/{entries_path(1, 44)}": (404, b"")})
    assert copied(served, tmp_path / "m").size == 300


def test_a_shorter_log_is_refused_and_kept_as_evidence(log: Registry, tmp_path: Path) -> None:
    """After a rollback the copy stays as it was, and both checkpoints are at hand."""
    old = log.store.checkpoint()
    grow(log, 5, "later")
    served = Served(log)
    copied(served, tmp_path / "m")
    served.instead["/checkpoint"] = (200, old)
    with pytest.raises(IntegrityError, match="went back") as caught:
        copied(served, tmp_path / "m")
    assert caught.value.where is not None
    assert set(read_evidence(Path(caught.value.where).read_bytes())) == {old, log.store.checkpoint()}
    with Registry.open(tmp_path / "m" / DATABASE, read_only=True) as copy:
        assert copy.store.size() == 305


@pytest.mark.parametrize("more", [0, 4, 300], ids=["same size", "a little longer", "much longer"])
def test_a_second_history_is_proven_and_kept(log: Registry, tmp_path: Path, more: int) -> None:
    """A twin of the log with other entries: the mirror stops before it takes anything, with proof in hand."""
    with copy_of(log, tmp_path / "twin") as twin:
        grow(log, 5, "mine")
        grow(twin, 5 + more, "theirs")
        copied(Served(log), tmp_path / "m")
        with pytest.raises(IntegrityError, match="two histories") as caught:
            copied(Served(twin), tmp_path / "m")
        assert caught.value.where is not None
        assert set(read_evidence(Path(caught.value.where).read_bytes())) == {
            log.store.checkpoint(),
            twin.store.checkpoint(),
        }
    with Registry.open(tmp_path / "m" / DATABASE, read_only=True) as copy:
        assert entries(copy) == entries(log)
    assert mirror(URL, tmp_path / "m", Served(log).http()).size == log.store.size()


@pytest.mark.parametrize("at", [0, 1, 77, -1])
def test_damaged_entries_are_named_and_nothing_is_taken_over(log: Registry, tmp_path: Path, at: int) -> None:
    """One altered byte in a bundle: the bundle is named, the copy stays empty, and an honest run succeeds after."""
    path = entries_path(0)
    bad = bytearray(log.store.entry_bundle(0))
    bad[at] ^= 1
    served = Served(log, {f"/{path}": (200, bytes(bad))})
    with pytest.raises(IntegrityError):
        copied(served, tmp_path / "m")
    served.instead.clear()
    assert copied(served, tmp_path / "m").before == 0


def test_exchanged_entries_are_noticed(log: Registry, tmp_path: Path) -> None:
    """Two honest entries in the wrong order are not the log."""
    from leadline.ledger.tlog.tile import encode_bundle

    first = entries(log)[:256]
    first[100], first[101] = first[101], first[100]
    served = Served(log, {f"/{entries_path(0)}": (200, encode_bundle(first))})
    with pytest.raises(IntegrityError, match="is not what was logged"):
        copied(served, tmp_path / "m")


def test_a_blob_that_is_not_what_it_is_called_stops_the_copy(tmp_path: Path) -> None:
    """Wrong bytes under a digest are refused; nothing of the new entries is taken over."""
    world = World(tmp_path / "world")
    study = world.register()
    served = Served(world.registry, {f"/api/v1/blobs/{study.row.protocol}": (200, b"{}")})
    with pytest.raises(IntegrityError, match="digest"):
        copied(served, tmp_path / "m")
    with Registry.open(tmp_path / "m" / DATABASE, read_only=True) as copy:
        assert copy.store.size() == 0


def test_taken_down_blobs_are_recorded_with_their_reason(tmp_path: Path) -> None:
    """The copy is complete but for them, says why, and is sound; it asks again later and takes what came back."""
    world = World(tmp_path / "world")
    study = world.honest_study()
    digest = sorted(study.files)[0]
    hidden = study.row.protocol
    world.registry.store.take_down(digest, "it named people")
    served = Served(world.registry, {f"/api/v1/blobs/{hidden}": (404, b"")})
    done = copied(served, tmp_path / "m")
    assert done.absent == {digest: "it named people", hidden: "the source does not serve it"}
    with Registry.open(tmp_path / "m" / DATABASE, read_only=True) as copy:
        assert list(copy.fsck()) == []
        assert copy.store.taken_down(digest) == "it named people"
    served.instead.clear()
    done = copied(served, tmp_path / "m")
    assert (dict(done.absent), done.blobs) == ({digest: "it named people"}, 1)
    with Registry.open(tmp_path / "m" / DATABASE, read_only=True) as copy:
        assert copy.study(study.id).protocol.digest == hidden
        assert list(copy.fsck()) == []


@pytest.mark.parametrize("reason", [b"", b"no json", b'{"reason": 7}', b'{"reason": ""}', b"[" * 5000])
def test_a_strange_explanation_is_replaced_by_a_plain_one(tmp_path: Path, reason: bytes) -> None:
    """What the server says is shown where it can be read, and never needed."""
    world = World(tmp_path / "world")
    study = world.register()
    served = Served(world.registry, {f"/api/v1/blobs/{study.row.protocol}": (410, reason)})
    assert set(copied(served, tmp_path / "m").absent.values()) == {"taken down at the source"}


def test_cosignatures_travel_with_the_copy_and_a_policy_can_demand_them(
    log: Registry, tmp_path: Path
) -> None:
    """Without enough cosigners nothing is copied; with them the copy serves the same cosigned checkpoint."""
    cosigner = Ed25519Cosigner(key("w.example", "witness"))
    text = f"witness w {CosignerKey.of(cosigner.key.public).vkey}\nquorum w\n"
    policy = Policy.parse(text.encode())
    served = Served(log)
    with pytest.raises(SignatureError, match="quorum"):
        copied(served, tmp_path / "m", policy=policy)
    note = log.store.checkpoint()
    note = with_lines(note, cosigner.line(split_note(note)[0], 1_770_000_000))
    served.instead["/checkpoint"] = (200, note)
    copied(served, tmp_path / "unasked")
    with Registry.open(tmp_path / "unasked" / DATABASE, read_only=True) as copy:
        # Nobody has verified it there, so nobody is told that it was cosigned.
        assert newest_checkpoint(copy.store, copy.store.shelf) == log.store.checkpoint()
    copied(served, tmp_path / "m", policy=policy)
    with Registry.open(tmp_path / "m" / DATABASE, read_only=True) as copy:
        assert newest_checkpoint(copy.store, copy.store.shelf) == note
        assert list(copy.fsck()) == []


def test_the_key_is_pinned(log: Registry, tmp_path: Path) -> None:
    """The first run needs it, later ones may leave it out, another one is refused."""
    served = Served(log)
    with pytest.raises(Explained, match="needs the public key"):
        mirror(URL, tmp_path / "m", served.http())
    other = key("other.example", "log").public
    with pytest.raises(SignatureError, match="no trusted key"):
        mirror(URL, tmp_path / "o", served.http(), key=other)
    copied(served, tmp_path / "m")
    with pytest.raises(SignatureError, match="was made with the key"):
        mirror(URL, tmp_path / "m", served.http(), key=other)


def test_a_registry_of_ones_own_is_never_overwritten(log: Registry, tmp_path: Path) -> None:
    """A folder with a private log key is no place for a copy."""
    with pytest.raises(StateError, match="of your own"):
        copied(Served(log), tmp_path / "log")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/checkpoint", (404, b"")),
        ("/checkpoint", (200, b"")),
        ("/checkpoint", (200, b"\n\n\n")),
        ("/checkpoint", (302, b"")),
        ("/checkpoint", (200, bytes(2 << 20))),
        (f"/{entries_path(0)}", (200, b"")),
        (f"/{entries_path(0)}", (200, bytes(600))),
        (f"/{entries_path(1, 44)}", (200, b"\xff" * 1000)),
        (f"/{entries_path(1, 44)}", (403, b"")),
    ],
)
def test_hostile_servers_end_in_an_error_that_explains(
    log: Registry, tmp_path: Path, path: str, answer: tuple[int, bytes]
) -> None:
    """Whatever is served, the copy stays empty and can be made honestly afterwards."""
    served = Served(log, {path: answer})
    with pytest.raises(Explained) as caught:
        copied(served, tmp_path / "m")
    assert caught.value.remedy()
    served.instead.clear()
    assert copied(served, tmp_path / "m").before == 0


def test_statements_without_rights_are_refused(log: Registry, tmp_path: Path) -> None:
    """A log that signs a tree with a statement nobody had the right to make cannot be copied."""
    from hashlib import sha256

    from leadline.ledger.keys import SigningKey
    from leadline.ledger.statements import make_signed
    from leadline.ledger.tlog import Frontier, leaf_hash
    from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
    from leadline.ledger.tlog.tile import encode_bundle

    stranger = SigningKey("stranger.example", "author", sha256(b"x").digest())
    said = {"study": "LL-0123456789abc", "reason": "none", "created": "2026-03-01T12:00:00Z"}
    forged = [*entries(log), make_signed("withdraw", said, stranger)]
    edge = Frontier()
    for entry in forged:
        edge.append(leaf_hash(entry))
    assert log.home.signing is not None
    note = sign_checkpoint(Checkpoint(log.home.origin, 301, edge.root()), log.home.signing)
    bundle = encode_bundle(forged[256:])
    served = Served(log, {"/checkpoint": (200, note), f"/{entries_path(1, 45)}": (200, bundle)})
    with pytest.raises(SignatureError, match="knows no key"):
        copied(served, tmp_path / "m")
    shutil.rmtree(tmp_path / "m")
