"""Sealing at an address: the whole life of a sealed study, with every secret on the author's side."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import (
    IntegrityError,
    NotAllowedError,
    NotFoundError,
    SignatureError,
    StateError,
    StatementError,
)
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.ledger.sealing.periods import period_of
from leadline.registry.lifecycle import is_withheld
from leadline.registry.recheck import verify_study
from leadline.registry.registry import Registry
from leadline.registry.sealing import SealedWork, flush, make_share, seal
from leadline.registry.sealing.release import recover, reveal_with_shares
from leadline.registry.statements import indexes_of
from leadline.store.projections import seals
from leadline.store.projections.authority import keys as list_keys
from leadline.store.remote import wire as wiring
from leadline.store.remote.store import RemoteStore
from registry.test_statements import read_through
from registry.world import World
from web.api.world import Service, service

ADDRESS = "https://registry.test"
IDENTITY = age.generate()


class Far(World):
    """A lab whose registry is far away, and the server that keeps it."""

    def __init__(self, folder: Path, registry: Registry, served: Service) -> None:
        self.folder, self.items, self.clock = folder, 12, served.world.clock
        self.key, self.registry, self.served = served.key, registry, served
        self.place = folder / "seals"
        folder.mkdir()

    @property
    def near(self) -> Registry:
        """The registry on its own machine."""
        return self.served.world.registry

    def sealed(self, **options: Any) -> SealedWork:
        """A seal of the lab's protocol, or another, handed in."""
        plan = options.pop("plan", None) or self.protocol()
        return seal(self.registry, plan, age.recipient_of(IDENTITY), place=self.place, **options)

    def week(self, bucket: int = 0) -> int:
        """A week passes, and the server makes its round; the number of slots."""
        self.clock.now += timedelta(days=7)
        return flush(self.near, self.clock.now.date(), bucket=bucket).slots


@pytest.fixture
def served(tmp_path: Path) -> Service:
    """A served registry with nothing registered."""
    return service(tmp_path / "server")


@pytest.fixture
def far(served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """Opens the served registry by its address, with a key."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wiring, "_new_client", lambda: served.client)

    def open_it(key: SigningKey | None) -> Registry:
        registry = Registry.open(ADDRESS, key, clock=served.world.clock)
        assert isinstance(registry.store, RemoteStore)
        registry.store._now_at = lambda: served.world.clock.now
        return registry

    return open_it


@pytest.fixture
def lab(far: Callable[..., Registry], served: Service, tmp_path: Path) -> Far:
    """A lab that works against the served registry."""
    return Far(tmp_path / "lab", far(served.key), served)


@pytest.mark.parametrize("tier", ["ordinary", "hazard"])
def test_the_whole_life_of_a_sealed_study_from_afar(lab: Far, tier: Any) -> None:
    """Seal, run, report, reveal: the public report is confirmatory, and the same bytes as the sealed one."""
    work = lab.sealed(tier=tier)
    size = lab.near.store.size()
    assert work.secrets.index == -1
    with pytest.raises(NotFoundError, match="not in the log yet"):
        _ = work.row
    with work.attempt() as run:
        run.attach(lab.lab_run(work, run))  # type: ignore[arg-type]
    assert lab.near.store.size() == size, "nothing shows when it was sealed, or that it runs"
    assert lab.week() == 1
    report = work.report()
    assert work.row.ix == work.secrets.index == work.registration.index
    if tier == "hazard":
        assert lab.key.fingerprint not in {key.fingerprint for key in list_keys(lab.registry.store)}
    lab.week()
    work.reveal_fields(["title", "verdict"])
    opened = lab.near.sealed(work.id).fields["verdict"]["value"]["H1"]
    assert opened["outcome"] == report.verdicts["H1"].outcome
    done = work.reveal()
    assert done.left_out == ()
    study = lab.near.study(work.id)
    (published,) = study.reports
    assert lab.near.store.blob(published.report) == report.to_json()
    assert report.verdicts["H1"].standing == "confirmatory"
    assert study.attempts == work.attempts
    assert all(step.ok for step in verify_study(lab.near, study.id))
    assert list(lab.near.fsck()) == []
    assert work.enter() == {}


def test_silent_weeks_are_opened_with_the_studys_own_key(lab: Far) -> None:
    """The server shows to be silent what was silent, to nobody but the holder of the key; a reveal needs it."""
    work = lab.sealed()
    for _ in range(3):
        lab.week()
    assert work.reveal().left_out == ()
    assert len(seals.slots(lab.near.store, work.id)) == 2 + 1
    view, row = lab.near.store, lab.near.study(work.id).row
    for size in range(row.ix + 1, view.size() + 1):
        expected = read_through(view, row.id, row.promised, size, closings=True)
        assert list(indexes_of(view, row.id, size)) == expected


def test_the_server_keeps_no_trace_of_a_hazard_seals_author(lab: Far) -> None:
    """Neither log nor shelf nor any stored byte has the author's key, name or public key, whatever was done."""
    work = lab.sealed(tier="hazard")
    work.open_attempt()
    lab.week()
    store = lab.near.store
    kept = [value for space in store.shelf.spaces() for _, value in store.shelf.items(space)]
    names = [key for space in store.shelf.spaces() for key, _ in store.shelf.items(space)]
    everything = b"".join([*store.entries(), *kept, *(store.blob(one.sha256) for one in store.blobs())])
    for trace in (lab.key.fingerprint, lab.key.public.vkey, lab.key.name, "Ada"):
        assert trace.encode() not in everything
        assert not any(trace in name for name in names)


def test_an_unlisted_key_gets_no_hazard_seal(
    far: Callable[..., Registry], served: Service, tmp_path: Path
) -> None:
    """Rights are asked of the author's key when the installation signs, as for every statement."""
    served.access.mode = "listed"
    with pytest.raises(NotAllowedError, match="scope 'seal'"):
        Far(tmp_path / "lab", far(served.key), served).sealed(tier="hazard")


def test_a_server_that_signs_something_else_is_noticed(lab: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the installation signed is held to what was asked, before anything is handed in."""
    from leadline.registry.sealing import hazard

    honest = hazard.sign_requested
    monkeypatch.setattr(
        "leadline.web.api.sealing.sign_requested",
        lambda registry, request: honest(registry, asked_again(lab, request)),
    )
    with pytest.raises(IntegrityError, match="signed another seal"):
        lab.sealed(tier="hazard")
    assert not list(lab.near.store.shelf.items("seal-queue"))


def asked_again(lab: Far, request: bytes) -> bytes:
    """The same request with another commitment in it, signed by the same key."""
    from leadline.ledger.canon import parse_strict
    from leadline.ledger.dsse import decode
    from leadline.registry.sealing.hazard import seal_request

    said: Any = parse_strict(decode(request).payload)
    changed = {**said["seal"], "commitment": "0" * 64}
    expires = lab.clock.now + timedelta(hours=1)
    return seal_request(changed, origin=said["origin"], expires=expires, key=lab.key)


def test_a_request_for_a_seal_is_checked(lab: Far) -> None:
    """Another registry, another day, another form, the ordinary tier, a forged signature: each is refused."""
    from leadline.ledger.dsse import decode
    from leadline.registry.sealing.hazard import seal_request, sign_requested
    from leadline.registry.sealing.sealing import prepare

    made = prepare(
        lab.protocol(),
        lab.key,
        age.recipient_of(IDENTITY),
        now=lab.registry.time(),
        today=lab.clock.now.date(),
        tier="hazard",
    )
    origin, soon = lab.near.home.origin, lab.clock.now + timedelta(hours=1)
    good = seal_request(made.said, origin=origin, expires=soon, key=lab.key)
    assert sign_requested(lab.near, good) == sign_requested(lab.near, good)
    assert decode(sign_requested(lab.near, good)).keyid == lab.near.home.ensure("installation").fingerprint
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"origin": "elsewhere.example"}, "another registry"),
        ({"expires": lab.clock.now - timedelta(hours=1)}, "out of date"),
        ({"expires": lab.clock.now + timedelta(days=3)}, "out of date"),
        ({"said": {**made.said, "tier": "ordinary"}}, "hazard tier only"),
        ({"said": {**made.said, "fields": {"title": "0" * 64}}}, "every block"),
        ({"said": {**made.said, "extra": 1}}, "seal statement|extra"),
    ]
    for change, why in wrong:
        fields: dict[str, Any] = {"said": made.said, "origin": origin, "expires": soon, **change}
        with pytest.raises(StatementError, match=why):
            sign_requested(lab.near, seal_request(fields.pop("said"), key=lab.key, **fields))
    for forged in (good.replace(b'"sig":"', b'"sig":"AAAA', 1), good[:-4]):
        with pytest.raises((SignatureError, StatementError)):
            sign_requested(lab.near, forged)


def test_a_lost_file_is_made_again_from_afar(lab: Far) -> None:
    """Body, batches and the number of deposits come from the server, the rest from the age identity."""
    work = lab.sealed()
    work.open_attempt()
    lab.week()
    work.sync()
    work.secrets.path.unlink()
    recover(lab.registry, work.id, IDENTITY, lab.place)
    again = SealedWork.open(lab.registry, work.id, lab.place)
    assert again.attempts == work.attempts
    assert again.secrets.sequence == work.secrets.sequence
    again.abandon_attempt(1, "the machine broke")
    lab.week()
    assert again.sync() == 0
    assert again.reveal().left_out == ()
    assert lab.near.study(work.id).attempts[0].status == "abandoned"


def test_trustees_reveal_from_afar(lab: Far, far: Callable[..., Registry]) -> None:
    """A quorum with keys of their own opens it; what needs the author's files is named and enters later."""
    trustee = age.generate()
    work = lab.sealed(trustees=[age.recipient_of(trustee)])
    with work.attempt() as run:
        run.attach(lab.lab_run(work, run))  # type: ignore[arg-type]
    lab.week()
    other = far(SigningKey.generate("trustee.example"))
    other.register_key("Bo")
    done = reveal_with_shares(other, work.id, [make_share(other, work.id, trustee)])
    (left,) = done.left_out
    assert "is not here" in left[1], "the attach statement waits for its logs"
    assert lab.near.study(work.id).attachments == []
    assert work.enter() == {}
    assert len(lab.near.study(work.id).attachments) == 3


def test_holding_back_from_afar_shows_nowhere(lab: Far) -> None:
    """The study's own key asks; log and answers stay as they were; other keys are refused, for any id alike."""
    work = lab.sealed(tier="hazard")
    lab.week()
    before = list(lab.near.store.entries())
    work.hold()
    assert lab.near.store.shelf.get("seal-held", work.id) is not None
    assert list(lab.near.store.entries()) == before
    refused = [
        lab.served.client.post(f"/api/v1/seals/{name}/hold", json={"signature": "00" * 64})
        for name in (work.id, "LL-0000000000000")
    ]
    assert [one.status_code for one in refused] == [403, 403]
    assert refused[0].text.replace(work.id, "ID") == refused[1].text.replace("LL-0000000000000", "ID")


def test_a_study_is_withheld_from_afar(lab: Far, far: Callable[..., Registry]) -> None:
    """One answer for every open study of the key, one refusal for all others; nothing public changes."""
    study = lab.register()
    before = list(lab.near.store.entries())
    lab.registry.withhold(study.id)
    assert is_withheld(lab.near.store, study.id)
    lab.registry.withhold(study.id, lift=True)
    assert not is_withheld(lab.near.store, study.id)
    assert list(lab.near.store.entries()) == before
    stranger = far(SigningKey.generate("mallory.example"))
    refusals = set()
    for name in (study.id, "LL-0000000000000"):
        with pytest.raises(SignatureError) as caught:
            stranger.withhold(name)
        refusals.add(caught.value.message.replace(name, "ID"))
    assert len(refusals) == 1


def test_seals_of_a_week_enter_together_and_late(lab: Far) -> None:
    """A seal of this week waits for the next; its date tells the week, and its place nothing more."""
    first = lab.sealed()
    assert flush(lab.near, lab.clock.now.date()).seals == ()
    lab.clock.now += timedelta(days=1)
    second = lab.sealed(plan=lab.protocol(title="Another"))
    lab.week()
    places = sorted(work.row.ix for work in (first, second))
    assert places[1] - places[0] == 1
    assert {work.row.period for work in (first, second)} <= {
        period_of(lab.clock.now.date() - timedelta(days=days)).isoformat() for days in (7, 8, 14)
    }


def test_a_seal_that_waits_cannot_be_revealed(lab: Far) -> None:
    """There is nothing in the log to open yet, and that is said."""
    with pytest.raises(StateError, match="is not sealed"):
        lab.sealed().reveal()
