"""A whole server is copied, cosigned and verified through the addresses it really serves."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leadline.registry.mirroring import DATABASE, mirror
from leadline.registry.outgoing import Http
from leadline.registry.registry import Registry
from registry.served import grow
from registry.world import World

pytest.importorskip("fastapi")


def test_a_served_registry_can_be_mirrored_and_the_copy_served(tmp_path: Path) -> None:
    """Blobs, one of them taken down, come through the API; the copy serves the same bytes to the next mirror."""
    from leadline.web.app import create_app
    from leadline.web.settings import Settings

    world = World(tmp_path / "world")
    study = world.honest_study()
    study.publish()
    digest = sorted(study.files)[0]
    world.registry.store.take_down(digest, "it named people")
    grow(world.registry, 280)
    settings = Settings(mcp=False)

    def copy(source: Registry, name: str) -> None:
        client = TestClient(create_app(source, settings), base_url=settings.address)
        done = mirror(
            settings.address, tmp_path / name, Http(client, sleep=lambda seconds: None), key=source.home.log
        )
        assert (done.size, dict(done.absent)) == (source.store.size(), {digest: "it named people"})

    copy(world.registry, "one")
    with Registry.open(tmp_path / "one" / DATABASE, read_only=True) as one:
        assert list(one.fsck()) == []
        assert one.study(study.id).row.state == "reported"
        copy(one, "two")
    with Registry.open(tmp_path / "two" / DATABASE, read_only=True) as two:
        assert list(two.store.entries()) == list(world.registry.store.entries())
        assert two.store.checkpoint() == world.registry.store.checkpoint()
