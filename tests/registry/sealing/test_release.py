"""Opening a seal without its author: trustees, the embargo date, a lost file."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from leadline.errors import (
    InputError,
    IntegrityError,
    KeyFileError,
    NotFoundError,
    SignatureError,
    StateError,
)
from leadline.ledger.sealing import age
from leadline.registry.sealing import combine, load_identity, make_identity, make_share, release_due
from leadline.registry.sealing.release import hold, recover, reveal_with_shares, sign_hold
from leadline.registry.sealing.work import SealedWork
from leadline.store.projections import seals
from registry.sealing.lab import SealedLab

TRUSTEES = [age.generate() for _ in range(3)]
NAMES = [age.recipient_of(one) for one in TRUSTEES]


def test_two_of_three_trustees_reveal_everything_without_the_author(lab: SealedLab) -> None:
    """Content, every slot and every statement; logs stay with the author until somebody brings them."""
    work = lab.seal(trustees=NAMES, quorum=2)
    lab.run(work)
    lab.next_week()
    work.open_attempt()
    lab.next_week()
    lab.next_week()
    with lab.as_author(None) as registry:
        shares = [make_share(registry, work.id, one) for one in TRUSTEES[1:]]
        done = reveal_with_shares(registry, work.id, shares)
        study = registry.study(work.id)
        assert study.protocol == work.protocol
        assert [attempt.status for attempt in study.attempts] == ["closed", "open"]
        assert len(done.left_out) == 1
        assert registry.store.entry(done.receipt.index)
        assert list(registry.fsck()) == []
    assert work.enter() == {}
    assert len(lab.registry.study(work.id).attachments) == 3


def test_one_of_three_opens_nothing(lab: SealedLab) -> None:
    """Below the quorum there is a clear answer and no content; strangers hold no share."""
    work = lab.seal(trustees=NAMES, quorum=2)
    share = make_share(lab.registry, work.id, TRUSTEES[0])
    with pytest.raises(InputError, match="2 shares of different trustees open this seal; here are 1"):
        combine(lab.registry, work.id, [share])
    with pytest.raises(NotFoundError, match="no trustee"):
        make_share(lab.registry, work.id, age.generate())
    with pytest.raises(NotFoundError, match="no sealed study"):
        make_share(lab.registry, "LL-0123456789abc", TRUSTEES[0])


def test_an_altered_share_opens_nothing(lab: SealedLab) -> None:
    """A trustee who hands over a wrong share is noticed, and the others' shares stay good."""
    work = lab.seal(trustees=NAMES, quorum=2)
    good, other = (make_share(lab.registry, work.id, one) for one in TRUSTEES[:2])
    with pytest.raises(IntegrityError, match="do not open the seal"):
        combine(lab.registry, work.id, [good, replace(other, value=bytes(32))])
    _, content = combine(lab.registry, work.id, [good, other])
    assert content == work.secrets.content


def installation_trustee(lab: SealedLab) -> str:
    """The registry's own age identity, made on first need; returns its recipient."""
    return make_identity(lab.registry.home.folder / "installation.age")


def test_the_installation_releases_at_the_end_of_the_embargo(
    lab: SealedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a day before; only what it can open alone; again changes nothing, and tries no body a second time."""
    recipient = installation_trustee(lab)
    alone = lab.seal(trustees=[recipient])
    shared = lab.seal(protocol=lab.world.protocol(title="Shared"), trustees=[recipient, NAMES[0]], quorum=2)
    without = lab.seal(protocol=lab.world.protocol(title="Without"))
    embargo = date.fromisoformat(alone.row.embargo)
    assert release_due(lab.registry, embargo) == []
    (done,) = release_due(lab.registry, embargo + timedelta(days=1))
    assert (done.study, done.why) == (alone.id, None)
    assert lab.registry.study(alone.id).protocol == alone.protocol
    monkeypatch.setattr("leadline.registry.sealing.release.open_share", None)
    assert release_due(lab.registry, embargo + timedelta(days=1)) == []
    assert {shared.row.state, without.row.state} == {"sealed"}


def test_a_dry_round_says_what_would_be_opened(lab: SealedLab) -> None:
    """Exactly what the round itself opens and closes; nothing is written."""
    from leadline.registry.lifecycle import tend

    recipient = installation_trustee(lab)
    alone = lab.seal(trustees=[recipient])
    lab.seal(protocol=lab.world.protocol(title="Shared"), trustees=[recipient, NAMES[0]], quorum=2)
    held = lab.seal(protocol=lab.world.protocol(title="Held"), trustees=[recipient])
    held.hold()
    late = date.fromisoformat(alone.row.embargo) + timedelta(days=200)
    size = lab.registry.store.size()
    planned = tend(lab.registry, late, dry=True)
    assert lab.registry.store.size() == size
    assert [(one.kind, one.studies) for one in planned if one.kind == "released"] == [
        ("released", (alone.id,))
    ]
    done = tend(lab.registry, late)
    assert [(one.kind, one.studies) for one in planned] == [(one.kind, one.studies) for one in done]


def test_a_held_study_is_not_released_and_nothing_shows_it(lab: SealedLab) -> None:
    """Holding back changes no public byte; it needs the key that was made for this seal."""
    recipient = installation_trustee(lab)
    work = lab.seal(trustees=[recipient], tier="hazard")
    before = list(lab.registry.store.entries())
    with pytest.raises(SignatureError):
        hold(lab.registry, work.id, bytes(64))
    with pytest.raises(SignatureError):
        hold(lab.registry, "LL-0123456789abc", bytes(64))
    hold(lab.registry, work.id, sign_hold(work.secrets.content, work.id))
    assert list(lab.registry.store.entries()) == before
    assert release_due(lab.registry, date.fromisoformat(work.row.embargo) + timedelta(days=1)) == []


def test_a_withheld_study_is_not_released(lab: SealedLab) -> None:
    """An author's withholding holds for sealed studies too."""
    from leadline.registry.lifecycle.withholding import withhold

    work = lab.seal(trustees=[installation_trustee(lab)])
    withhold(lab.registry, work.id)
    assert release_due(lab.registry, date.fromisoformat(work.row.embargo) + timedelta(days=1)) == []


def test_a_lost_file_is_made_again(lab: SealedLab) -> None:
    """Body and batches hold all that was committed; the author goes on from there."""
    work = lab.seal()
    lab.run(work)
    lab.next_week()
    work.sync()
    with pytest.raises(StateError, match="never overwritten"):
        recover(lab.registry, work.id, lab.identity, lab.place)
    files = work.secrets.files
    work.secrets.path.unlink()
    with pytest.raises(NotFoundError, match="does not open the seal"):
        recover(lab.registry, work.id, age.generate(), lab.place)
    recover(lab.registry, work.id, lab.identity, lab.place)
    again = SealedWork.open(lab.registry, work.id, lab.place)
    assert again.attempts == work.attempts
    again.secrets.files.update(files)
    assert again.report().verdicts["H1"].standing == "confirmatory"
    lab.next_week()
    assert again.reveal().left_out == ()
    assert seals.faults(lab.registry.store) == []


def test_identities_are_private_files(lab: SealedLab) -> None:
    """In the form other age programs read; never overwritten, and refused when others may read them."""
    path = lab.folder / "deep" / "author.age"
    recipient = make_identity(path)
    assert age.recipient_of(load_identity(path)) == recipient
    assert path.stat().st_mode & 0o777 == 0o600
    assert recipient in path.read_text()
    with pytest.raises(StateError, match="never overwritten"):
        make_identity(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="accessed by others"):
        load_identity(path)
    path.chmod(0o600)
    path.write_text("AGE-SECRET-KEY-1X\nAGE-SECRET-KEY-1Y\n")
    with pytest.raises(KeyFileError, match="not an age identity"):
        load_identity(path)
    with pytest.raises(NotFoundError, match="leadline key seal"):
        load_identity(lab.folder / "nothing")


def test_the_file_of_a_sealed_study_is_private_and_checked(lab: SealedLab) -> None:
    """Mode 0600; a damaged one is refused with the way to make it again."""
    path = lab.seal().secrets.path
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(KeyFileError, match="not an intact file"):
        SealedWork.open(lab.registry, path.stem, lab.place)
