"""Tending: overdue studies are published, silent ones closed in one batch, withheld ones look like silent ones."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, SignatureError, StateError, StoreError
from leadline.ledger.keys import SigningKey
from leadline.logs.apart import ApartLimits
from leadline.protocol.model import Protocol
from leadline.registry.lifecycle import (
    Budget,
    accept_request,
    analysis_apart,
    is_withheld,
    tend,
    withholding_request,
)
from leadline.registry.lifecycle.closing import STUDIES_PER_STATEMENT
from leadline.registry.registry import Registry
from leadline.registry.study import Study
from leadline.store.projections.status import closing_day, deadline_of, grace_end, status_of
from leadline.store.projections.studies import closings
from registry.world import World

DUE = date(2026, 6, 1)
LATE = date(2026, 6, 2)
CLOSING = date(2026, 9, 1)
"""Due date and 90 days of grace end on 30 August."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author."""
    return World(tmp_path / "w")


def silent(world: World, title: str = "silent", **changes: object) -> Study:
    """A study that was registered, and no more."""
    return world.register(world.protocol(title=title, **changes))


def test_an_overdue_study_with_logs_is_published_by_the_service(world: World) -> None:
    """The report is the registered analysis, byte for byte, and its signer is the service key."""
    study = world.honest_study()
    assert tend(world.registry, DUE) == []
    (event,) = tend(world.registry, LATE)
    assert (event.kind, event.studies) == ("published", (study.id,))
    (row,) = study.reports
    service = world.registry.home.service
    assert service is not None
    assert (row.keyid, row.ix) == (service.fingerprint, event.index)
    assert world.registry.store.blob(row.report) == study.analyze().to_json()
    assert status_of(study.row, LATE) == "reported"
    assert list(world.registry.fsck()) == []


def test_tending_again_does_nothing_again(world: World) -> None:
    """The second round finds nothing to publish and nothing to close."""
    world.honest_study()
    silent(world)
    assert [event.kind for event in tend(world.registry, CLOSING)] == ["closed", "published"]
    size = world.registry.store.size()
    assert tend(world.registry, CLOSING) == []
    assert world.registry.store.size() == size


def test_a_dry_run_says_what_would_be_done(world: World) -> None:
    """The events are those of the real round, and nothing is written."""
    world.honest_study()
    silent(world)
    size = world.registry.store.size()
    planned = tend(world.registry, CLOSING, dry=True)
    assert world.registry.store.size() == size
    done = tend(world.registry, CLOSING)
    assert [(one.kind, one.studies) for one in planned] == [(one.kind, one.studies) for one in done]


def test_a_failing_analysis_stops_nothing_else(world: World) -> None:
    """The study stays overdue with an event that says why; it is not tried daily; the others are published."""
    failing, fine = world.honest_study(), world.register(world.protocol(title="fine"))
    world.attempt(fine, name="fine")
    tiny = ApartLimits(wall_seconds=0.001)
    first = tend(world.registry, LATE, limits=tiny)
    assert [one.kind for one in first] == ["failed", "failed"]
    assert "longer than" in first[0].detail
    assert status_of(failing.row, LATE) == "overdue"
    again = tend(world.registry, LATE)  # remembered: not tried with better limits either
    assert [one.kind for one in again] == ["failed", "failed"]
    failing.open_attempt("once more")
    assert [one.kind for one in tend(world.registry, LATE)] == ["published", "failed"]


def ran(world: World, *titles: str) -> list[Study]:
    """Studies with logs, overdue on `LATE`."""
    made = []
    for title in titles:
        study = world.register(world.protocol(title=title))
        world.attempt(study, name=title)
        made.append(study)
    return made


class Analysis:
    """Stands for the analysis apart: fails for some studies, and writes down whom it was asked for."""

    def __init__(self, **fails: Exception) -> None:
        self.fails = fails
        self.asked: list[str] = []

    def __call__(self, study: Study, *, limits: ApartLimits) -> bytes:
        """The report, or the failure."""
        self.asked.append(study.row.title)
        if study.row.title in self.fails:
            raise self.fails[study.row.title]
        return study.analyze().to_json()


def test_a_round_keeps_to_its_budget_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """What is left is told, oldest first, and comes first in the next round."""
    world = World(tmp_path / "few", items=12)
    first, second, third = (study.id for study in ran(world, "first", "second", "third"))
    planned = tend(world.registry, LATE, dry=True, budget=Budget(studies=2))
    assert [(one.kind, one.studies) for one in planned] == [
        ("published", (first,)), ("published", (second,)), ("postponed", (third,)),
    ]  # fmt: skip
    done = tend(world.registry, LATE, budget=Budget(studies=1))
    assert [(one.kind, one.studies) for one in done] == [
        ("published", (first,)), ("postponed", (second, third)),
    ]  # fmt: skip
    assert "2 left" in done[1].detail
    assert [one.studies for one in tend(world.registry, LATE, budget=Budget(studies=5))] == [
        (second,), (third,),
    ]  # fmt: skip


def test_nothing_is_begun_when_the_time_is_up(tmp_path: Path) -> None:
    """Closing does not wait for publishing; what is owed a report is not closed before it was tried."""
    world = World(tmp_path / "few", items=12)
    quiet = silent(world, "quiet")
    (study,) = ran(world, "slow")
    now = iter([0.0, *[1_000.0] * 20])
    events = tend(world.registry, CLOSING, budget=Budget(seconds=900, ticks=lambda: next(now)))
    assert [(one.kind, one.studies) for one in events] == [
        ("closed", (quiet.id,)),
        ("postponed", (study.id,)),
    ]
    assert [one.kind for one in tend(world.registry, CLOSING)] == ["published"]
    assert study.row.closed is None


@pytest.mark.parametrize("trouble", [OSError("No space left"), MemoryError("none"), StoreError("locked")])
def test_trouble_with_one_study_is_an_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """The round goes on; the machine's trouble is tried again in the next round, behind what was never tried."""
    from leadline.registry.lifecycle import publishing

    world = World(tmp_path / "few", items=12)
    ran(world, "bad", "good")
    analysis = Analysis(bad=trouble)
    monkeypatch.setattr(publishing, "analysis_apart", analysis)
    events = tend(world.registry, LATE)
    assert [one.kind for one in events] == ["failed", "published"]
    assert str(trouble.args[0]) in events[0].detail
    ran(world, "new")
    analysis.asked.clear()
    del analysis.fails["bad"]
    assert [one.kind for one in tend(world.registry, LATE)] == ["published", "published"]
    assert analysis.asked == ["new", "bad"]


def test_what_nobody_can_analyse_never_keeps_the_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure doubles the days until the next try; it is told in every round, and everybody gets a turn."""
    from leadline.registry.lifecycle import publishing

    world = World(tmp_path / "few", items=12)
    ran(world, "poison", "venom", "honest")
    analysis = Analysis(poison=InputError("too large"), venom=InputError("too slow"))
    monkeypatch.setattr(publishing, "analysis_apart", analysis)
    tried: dict[str, list[int]] = {"poison": [], "venom": [], "honest": []}
    for day in range(120):
        analysis.asked.clear()
        events = tend(world.registry, LATE + timedelta(days=day), grace_days=400, budget=Budget(studies=1))
        for title in analysis.asked:
            tried[title].append(day)
        if day > 2:
            told = sum(len(one.studies) for one in events if one.kind in ("failed", "postponed"))
            assert told == 2, "neither is ever out of sight"
    assert tried["honest"] == [2]
    assert tried["poison"] == [0, 7, 21, 49, 105]
    assert tried["venom"] == [1, 8, 22, 50, 106]


@pytest.mark.parametrize(
    ("hazard", "opens"),
    [
        ({"level": "open", "release": "2027-01-01"}, LATE),
        ({"level": "delayed", "release": "2026-07-10"}, date(2026, 7, 10)),
        ({"level": "delayed", "release": "when it is safe"}, None),
        ({"level": "delayed"}, None),
        ({"level": "restricted", "release": "2026-07-10"}, None),
        ({"level": "sealed"}, None),
    ],
)
def test_a_plan_that_asks_for_less_openness_is_not_published_by_itself(
    world: World, hazard: dict[str, str], opens: date | None
) -> None:
    """A delayed report waits for its date; what only a person can allow never comes by itself, dry or not."""
    study = world.register(world.protocol(hazard=hazard))
    world.attempt(study)
    last = CLOSING - timedelta(days=1) if opens is None else opens - timedelta(days=1)
    if last >= LATE:
        assert tend(world.registry, last, dry=True) == tend(world.registry, last) == []
    if opens is None:
        (event,) = tend(world.registry, CLOSING)
        assert event.kind == "closed"
        study.publish()  # its author may, late
    else:
        assert [one.kind for one in tend(world.registry, opens, dry=True)] == ["published"]
        assert [one.kind for one in tend(world.registry, opens)] == ["published"]
    assert len(study.reports) == 1


class Parsing:
    """Counts the plans that are read, each of which takes `seconds` of a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> None:
        self.read: list[str] = []
        self.now = 0.0
        genuine = Protocol.parse

        def parse(*given: Any, **named: Any) -> Protocol:
            plan = genuine(*given, **named)
            self.now += seconds
            self.read.append(plan.title)
            return plan

        monkeypatch.setattr(Protocol, "parse", parse)


def restricted(world: World, *titles: str) -> list[Study]:
    """Studies with logs, overdue on `LATE`, that only a person may publish."""
    made = []
    for title in titles:
        study = world.register(world.protocol(title=title, hazard={"level": "restricted"}))
        world.attempt(study, name=title)
        made.append(study)
    return made


def test_a_plan_is_read_once_in_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it keeps a study from closing, and from being published, follows from one reading, and takes no turn."""
    world = World(tmp_path / "few", items=12)
    restricted(world, "one", "two")
    parsing = Parsing(monkeypatch)
    assert tend(world.registry, LATE) == []
    assert parsing.read == ["one", "two"]
    (third,) = ran(world, "third")
    (event,) = tend(world.registry, LATE, budget=Budget(studies=1))
    assert (event.kind, event.studies) == ("published", (third.id,))


def test_plans_are_read_while_the_time_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study whose plan was not read is neither published nor closed nor out of sight, and gets its turn later."""
    world = World(tmp_path / "few", items=12)
    first, second = (study.id for study in restricted(world, "first", "second"))
    (third,) = ran(world, "third")
    parsing = Parsing(monkeypatch, seconds=60)
    events = tend(world.registry, CLOSING, budget=Budget(seconds=100, ticks=lambda: parsing.now))
    assert parsing.read == ["first", "second"]
    assert [(one.kind, one.studies) for one in events] == [
        ("closed", tuple(sorted((first, second)))), ("postponed", (third.id,)),
    ]  # fmt: skip
    assert third.row.state == "attached"
    events = tend(world.registry, CLOSING, budget=Budget(seconds=1_000, ticks=lambda: parsing.now))
    assert [(one.kind, one.studies) for one in events] == [("published", (third.id,))]


def test_a_withheld_study_is_not_published(world: World) -> None:
    """Withholding leaves it out, lifting lets it in again; both write to the shelf alone."""
    study = world.honest_study()
    before = list(world.registry.store.entries())
    world.registry.withhold(study.id)
    assert tend(world.registry, LATE) == []
    assert is_withheld(world.registry.store, study.id)
    assert list(world.registry.store.entries()) == before
    world.registry.withhold(study.id, lift=True)
    assert [one.kind for one in tend(world.registry, LATE)] == ["published"]


def test_withheld_and_silent_studies_close_in_one_batch(world: World) -> None:
    """One statement, ids sorted, by the service key; neither it nor the tables say which was withheld."""
    studies = [silent(world, f"study {number}") for number in range(6)]
    for study in studies[::2]:
        world.registry.withhold(study.id)
    (event,) = tend(world.registry, CLOSING)
    assert event.studies == tuple(sorted(study.id for study in studies))
    (batch,) = closings(world.registry.store)
    assert (batch.period, batch.studies, batch.ix) == ("2026-09", 6, event.index)
    for study in studies:
        assert status_of(study.row, CLOSING) == "closed-undisclosed"
        assert study.row.closed == event.index


def test_a_batch_is_made_once_a_month_and_its_day_changes_nothing(tmp_path: Path) -> None:
    """Whoever tends first in the month makes it, with the studies whose grace ended before the month began."""
    seen = []
    for day in (1, 17, 30):
        world = World(tmp_path / str(day))
        first = silent(world, "first")
        silent(world, "second", timeline={"due": "2026-06-05"})  # its grace ends on 3 September
        assert tend(world.registry, date(2026, 8, 31)) == []
        (event,) = tend(world.registry, date(2026, 9, day))
        seen.append(event.studies == (first.id,))
        assert tend(world.registry, date(2026, 9, 30)) == []
        (later,) = tend(world.registry, date(2026, 10, 1))
        assert len(later.studies) == 1
    assert seen == [True, True, True]


def test_a_study_that_comes_late_waits_for_the_next_batch(world: World) -> None:
    """A closing on its own would say something of the one study in it."""
    silent(world)
    tend(world.registry, CLOSING)
    late = silent(world, "registered past its grace", timeline={"due": "2026-01-01"})
    assert tend(world.registry, date(2026, 9, 20)) == []
    (event,) = tend(world.registry, date(2026, 10, 2))
    assert event.studies == (late.id,)


def test_a_closed_study_may_report_late(world: World) -> None:
    """It is reported then; that it had been closed stays."""
    study = silent(world)
    (event,) = tend(world.registry, CLOSING)
    world.attempt(study)
    assert status_of(study.row, CLOSING) == "closed-undisclosed"
    study.publish()
    assert (status_of(study.row, CLOSING), study.row.closed) == ("reported", event.index)


def test_what_is_withdrawn_or_has_no_due_date_is_left_alone(world: World) -> None:
    """Neither is ever overdue or closed."""
    world.registry.withdraw(silent(world).id, "a mistake")
    silent(world, "no date", timeline={})
    assert tend(world.registry, date(2030, 1, 1)) == []


def test_many_studies_close_in_statements_that_fit(world: World) -> None:
    """A statement names as many studies as an entry can hold."""
    from leadline.ledger.statements import make_signed

    service = world.registry.home.service
    assert service is not None
    ids = [f"LL-{number:013d}" for number in range(STUDIES_PER_STATEMENT)]
    fields = {"studies": ids, "period": "2026-09", "created": "2026-09-01T00:00:00Z"}
    assert len(make_signed("close", fields, service)) < 65_535


def test_two_registries_on_one_store_do_the_work_once(world: World) -> None:
    """Of two processes that tend at once, each finds the other's work done."""
    world.honest_study()
    silent(world)
    other = Registry.open(world.folder / "registry.db", clock=world.clock)
    events = [*tend(world.registry, CLOSING), *tend(other, CLOSING)]
    assert [event.kind for event in events] == ["closed", "published"]
    other.close()


def test_two_rounds_at_once_do_the_work_once(world: World) -> None:
    """Each thing is done by one of them, whoever comes first."""
    from concurrent.futures import ThreadPoolExecutor

    world.honest_study()
    silent(world)
    registries = [Registry.open(world.folder / "registry.db", clock=world.clock) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(lambda registry: tend(registry, CLOSING), registries))
    assert sorted(event.kind for events in rounds for event in events) == ["closed", "published"]
    for registry in registries:
        registry.close()


def test_a_report_that_came_meanwhile_stays_the_only_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the author publishes while the service computes, the service adds nothing."""
    from leadline.registry.lifecycle import publishing

    study = world.honest_study()

    def meanwhile(found: Study, *, limits: ApartLimits) -> bytes:
        world.registry.study(found.id).publish()
        return found.analyze().to_json()

    monkeypatch.setattr(publishing, "analysis_apart", meanwhile)
    assert tend(world.registry, LATE) == []
    assert [row.keyid for row in study.reports] == [world.key.fingerprint]


def test_without_the_service_key_nothing_is_tended(world: World) -> None:
    """The error says where to do it."""
    world.registry.home.service = None
    with pytest.raises(StateError, match="service key"):
        tend(world.registry, LATE)


def test_the_analysis_apart_gives_the_same_bytes(world: World) -> None:
    """A process of its own computes what this one does."""
    study = world.honest_study()
    assert analysis_apart(study) == study.analyze().to_json()


def test_only_a_key_of_the_study_withholds_it(world: World) -> None:
    """A stranger, a revoked key and an unknown study get one and the same refusal."""
    study = silent(world)
    stranger = SigningKey.generate("example.org/eve")
    request = withholding_request(
        world.registry.home.origin, study.id, "withhold", stranger, world.registry.clock()
    )
    with pytest.raises(SignatureError, match="may not act for"):
        accept_request(world.registry, request)
    with pytest.raises(SignatureError, match="may not act for"):
        world.registry.withhold("LL-0000000000000")
    world.registry.revoke_key("lost")
    with pytest.raises(SignatureError, match="may not act for"):
        world.registry.withhold(study.id)
    assert not is_withheld(world.registry.store, study.id)


def test_requests_within_one_second_are_all_heard(world: World) -> None:
    """The newest wins, whatever the clock's resolution."""
    study = silent(world)
    moment = world.clock.now
    for lift in (False, True, False):
        world.clock.now = moment
        world.registry.withhold(study.id, lift=lift)
        assert is_withheld(world.registry.store, study.id) is not lift


def test_an_old_request_cannot_be_played_again(world: World) -> None:
    """After lifting, the earlier request to withhold is refused; the newest one again is harmless."""
    study = silent(world)
    origin, now = world.registry.home.origin, world.registry.clock()
    old = withholding_request(origin, study.id, "withhold", world.key, now)
    lift = withholding_request(origin, study.id, "lift", world.key, now + timedelta(seconds=1))
    for request in (old, lift, lift):
        accept_request(world.registry, request)
    with pytest.raises(StateError, match="same time or later"):
        accept_request(world.registry, old)
    assert not is_withheld(world.registry.store, study.id)


def test_a_request_says_exactly_what_it_must(world: World) -> None:
    """Another document, another registry, or a forged signature is refused."""
    from leadline.ledger.canon import canonical
    from leadline.ledger.dsse import sign
    from leadline.registry.lifecycle.withholding import PAYLOAD_TYPE

    study = silent(world)
    good = {"action": "withhold", "created": "2026-03-01T00:00:00+00:00", "study": study.id}
    said = good | {"origin": world.registry.home.origin}
    for wrong in (
        said | {"action": "delete"},
        said | {"created": "yesterday"},
        said | {"created": "2026-03-01T00:00:00"},
        said | {"created": "2030-03-01T00:00:00+00:00"},
        said | {"more": "x"},
        said | {"origin": 5},
        said | {"origin": "another.example"},
        good,
    ):
        with pytest.raises(InputError):
            accept_request(world.registry, sign(canonical(wrong), PAYLOAD_TYPE, world.key))
    with pytest.raises(InputError):
        accept_request(world.registry, sign(canonical(said), "application/json", world.key))
    envelope = sign(canonical(said), PAYLOAD_TYPE, world.key)
    forged = json.loads(envelope)
    forged["signatures"][0]["sig"] = "A" * 86 + "=="
    with pytest.raises(SignatureError):
        accept_request(world.registry, canonical(forged))


def test_deadlines_are_counted_in_days() -> None:
    """Due on the day is not overdue; the grace's end and the closing day follow from the due date alone."""
    from dataclasses import replace

    from leadline.store.projections.studies import StudyRow

    row = StudyRow(
        5,
        "LL-0000000000000",
        b"",
        "t",
        "running",
        "ab" * 32,
        "cd" * 32,
        "2026-06-01",
        "",
        None,
        None,
        5,
        None,
    )
    assert [status_of(row, day) for day in (DUE, LATE)] == ["running", "overdue"]
    found = deadline_of(row, date(2026, 6, 11))
    assert found is not None
    assert (found.days_overdue, found.grace_ends, found.closes) == (10, date(2026, 8, 30), CLOSING)
    assert status_of(replace(row, state="attached"), DUE) == "running"
    assert deadline_of(replace(row, due=None), DUE) is None
    december = deadline_of(replace(row, due="2026-09-30"), DUE)
    assert december is not None
    assert december.closes == date(2027, 1, 1)
    last = deadline_of(replace(row, due="9999-12-31"), DUE)
    assert last is not None
    assert last.closes == date.max


def test_sealed_studies_close_with_the_open_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch names a seal past its embargo and grace beside an open study, and may be revealed later."""
    from leadline.registry.sealing import reveal
    from leadline.store.projections.seals import seal as seal_row
    from registry.sealing.lab import SealedLab

    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    lab = SealedLab(tmp_path)
    work = lab.seal()
    row = seal_row(lab.registry.store, work.id)
    assert row is not None
    embargo = date.fromisoformat(row.embargo)
    due = {"due": embargo.isoformat()}
    open_study = lab.world.register(lab.world.protocol(title="open", timeline=due))
    closes = closing_day(grace_end(embargo))
    assert tend(lab.registry, closes - timedelta(days=1)) == []
    (event,) = tend(lab.registry, closes)
    assert event.studies == tuple(sorted((work.id, open_study.id)))
    reveal(lab.registry, work.id, work.secrets.content)
    shown = lab.registry.study(work.id).row
    assert (shown.state, shown.closed, shown.promised) == ("closed", event.index, row.ix)
