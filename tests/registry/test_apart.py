"""Computing for people nobody knows: bounded in memory, time and places, paid for beforehand."""

import json
import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from leadline.errors import Explained, InputError, LogError, ProtocolError, QuotaError, StateError
from leadline.ledger.keys import SigningKey
from leadline.logs.apart import MIB
from leadline.protocol.model import Protocol
from leadline.protocol.nodes import MAX_BYTES
from leadline.registry.access import Access, Caller, Rates
from leadline.registry.drafting import Draft, draft
from leadline.registry.intake import apart as computing
from leadline.registry.intake import places
from leadline.registry.intake.apart import SMALL, Apart
from leadline.registry.intake.places import FREE, AddressPurse, Places
from leadline.registry.publication import publish_computed
from leadline.store.shelf import MemoryShelf
from registry.world import START, World, document


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and its lab."""
    return World(tmp_path / "world", items=12)


class Purse:
    """Writes down what it pays."""

    def __init__(self, *, empty: bool = False) -> None:
        self.empty = empty
        self.charged: list[float] = []
        self.forgiven: list[float] = []

    def charge(self, seconds: float) -> None:
        """Pay, unless there is nothing."""
        if self.empty:
            raise QuotaError("nothing left", retry_after=1, remedy="come again")
        self.charged.append(seconds)

    def forgive(self, seconds: float) -> None:
        """Take back."""
        self.forgiven.append(seconds)


@contextmanager
def growing_at_most(mebibytes: int) -> Iterator[None]:
    """The peak memory of this process grows by at most so much."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown <= mebibytes, f"the server's own process grew by {grown} MiB"


def huge() -> Protocol:
    """A plan that is short to write and takes minutes to simulate."""
    size = {"items": 2_000_000, "assumptions": {"baseline": 0.5, "correlation": 0.3}, "replicates": 200}
    task = {**document()["tasks"][0], "dataset": {"n": 2_000_000}}
    return Protocol.model_validate(document(sample_size=size, tasks=[task]))


# -- the same answers -----------------------------------------------------------------------------


def test_a_process_apart_answers_as_this_one_does(world: World) -> None:
    """Plans, findings, logs, scans and reports are the same wherever they are computed."""
    study = world.honest_study()
    logs = world.lab_run(study, None, name="more")
    here, apart = world.registry.computing, Apart()
    text = json.dumps(document(world.dataset_sha256(), 12, notes="n" * SMALL))
    plan = here.plan(text)
    assert apart.plan(text).canonical_bytes() == plan.canonical_bytes()
    today = world.clock.now.date()
    assert apart.findings(plan, replicates=50, today=today) == here.findings(plan, replicates=50, today=today)
    assert apart.characteristics(plan, None) == here.characteristics(plan, None)
    assert apart.handed_over(logs) == here.handed_over(logs)
    assert apart.handed_over(logs[0].parent) == here.handed_over(logs[0].parent)
    assert apart.scan(logs) == here.scan(logs)
    assert apart.report(study) == here.report(study)


def test_a_draft_is_computed_where_it_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the analysis runs in the process that drafts."""
    from leadline.registry.study import Study

    study = world.honest_study()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed in the server's own process")

    monkeypatch.setattr(Study, "analyze", never)
    monkeypatch.setattr(Study, "samples", never)
    for heavy in ("execute", "operating_characteristics"):
        monkeypatch.setattr(f"leadline.verdict.simulation.{heavy}", never, raising=False)
    monkeypatch.setattr("leadline.registry.handover.read_logs", never)
    key = world.key.public
    logs = world.lab_run(study, None, name="more")
    plan = world.protocol(title="Another")
    assert isinstance(draft(world.registry, key, lambda it: it.register(plan), Apart()), Draft)
    assert isinstance(draft(world.registry, key, lambda it: it.study(study.id).attach(logs), Apart()), Draft)
    drafted = draft(world.registry, key, lambda it: publish_computed(it.study(study.id)), Apart())
    assert isinstance(drafted, Draft)
    (body,) = drafted.blobs.values()
    monkeypatch.undo()
    assert body == study.analyze().to_json()


# -- hostile plans --------------------------------------------------------------------------------


def test_a_simulation_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on time is kept by the kernel; the error says what to do instead, and this process stays small."""
    monkeypatch.setattr(
        computing, "SIMULATING", replace(computing.SIMULATING, cpu_seconds=3, wall_seconds=30.0)
    )
    with growing_at_most(64), pytest.raises(InputError) as refused:
        Apart().characteristics(huge(), None)
    assert "without simulation" in str(refused.value)


HOSTILE = {
    "values": "a: [" + "1," * 299_000 + "1]",
    "too many values": "[" + "1," * (MAX_BYTES // 2 - 2) + "1]",
    "keys": "".join(f"k{number}: 1\n" for number in range(90_000)),
    "depth": "[" * 900_000,
    "aliases": "a: &a [1,1]\n" + "b: *a\n" * 100_000,
    "digits": "leadline: " + "9" * 900_000,
    "quotes": 'a: "' + "\\x41" * 200_000,
    "too long": "x" * (MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_plan_costs_this_process_little(name: str) -> None:
    """A document of a megabyte is read elsewhere: what comes back is an error of the tree, short, with a remedy."""
    text = HOSTILE[name]
    with growing_at_most(16), pytest.raises(ProtocolError) as refused:
        Apart().plan(text)
    assert refused.value.remedy()
    assert len(str(refused.value)) < 8_000


def test_only_short_plans_are_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is one of bytes."""
    seen: list[str] = []
    read = places.run_apart

    def noted(function: str, payload: bytes, **limits: object) -> bytes:
        seen.append(function.rpartition(":")[2])
        return read(function, payload, **limits)  # type: ignore[arg-type]

    monkeypatch.setattr(places, "run_apart", noted)
    short = json.dumps(document())
    Apart().plan(short)
    assert seen == []
    Apart().plan(json.dumps(document(notes="n" * SMALL)))
    assert seen == ["plan"]


# -- hostile logs ---------------------------------------------------------------------------------


def bomb(path: Path) -> Path:
    """A log of a few hundred kilobytes whose members hold gigabytes."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("header.json", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(b" " * MIB)
    return path


def nested(path: Path) -> Path:
    """A log whose header is nested a million deep."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", "[" * 1_000_000)
    return path


@pytest.mark.parametrize("make", [bomb, nested])
def test_a_hostile_log_costs_this_process_little(tmp_path: Path, make: object) -> None:
    """Neither the search for secrets nor the reading of the log happens here."""
    path = make(tmp_path / "hostile.eval")  # type: ignore[operator]
    with growing_at_most(32):
        try:
            Apart().scan([path])
        except Explained as error:
            assert error.remedy()
        with pytest.raises((InputError, LogError)) as refused:
            Apart().handed_over([path])
    assert refused.value.remedy()


def test_a_stamp_that_is_no_text_is_a_stamp_for_nothing(world: World) -> None:
    """A log may hold a list where its token should be; that is an error of the tree like any other token."""
    from leadline.verdict.conformance.context import ATTEMPT_STAMP

    study = world.register()
    (log,) = world.lab_run(study, None, arms=["plain"], metadata={ATTEMPT_STAMP: [1, {"a": 2}]})
    with pytest.raises(InputError, match="belongs to no attempt"):
        study.attach(log)


def test_a_long_name_is_cut_to_what_a_statement_takes(world: World) -> None:
    """A log's own name may be as long as it pleases; the statement holds 300 characters of it."""
    from leadline.registry.handover import LONGEST_NAME, HandedLog

    log = HandedLog("x", "n" * 1_000, "0" * 64, 1, START, "eval", None, None)
    assert log.said()["name"] == "n" * LONGEST_NAME
    assert LONGEST_NAME == 300


# -- places and purses ----------------------------------------------------------------------------


def test_whoever_finds_no_place_is_sent_away() -> None:
    """One works, one waits, the third is refused at once; a place that becomes free is taken again."""
    room = Places(1, waiting=1, patience=0.2)
    inside, leave = Event(), Event()

    def work() -> None:
        with room.taken():
            inside.set()
            leave.wait(10)

    worker = Thread(target=work)
    worker.start()
    inside.wait(10)
    with pytest.raises(QuotaError, match="busy"), room.taken():
        raise AssertionError("not reached")
    leave.set()
    worker.join()
    with room.taken():
        pass
    full = Places(1, waiting=0, patience=60)
    with full.taken(), pytest.raises(QuotaError), full.taken():  # at once: nobody may wait here
        raise AssertionError("not reached")


def test_unsigned_drafts_and_signed_statements_have_places_of_their_own() -> None:
    """A flood of the ones leaves room for the others."""
    assert places.UNSIGNED is not places.SIGNED


def test_a_computation_is_paid_for_before_it_begins() -> None:
    """All that it may take is charged, what it did not take is given back; an empty purse starts nothing."""
    purse = Purse()
    plan = Protocol.model_validate(document())
    Apart(purse).findings(plan, replicates=0, today=None)
    (charged,), (forgiven,) = purse.charged, purse.forgiven
    assert charged == computing.READING.wall_seconds
    assert 0 < forgiven < charged
    nothing = Purse(empty=True)
    for ask in (
        lambda it: it.plan(json.dumps(document())),
        lambda it: it.plan(json.dumps(document(notes="n" * SMALL))),
        lambda it: it.findings(plan, replicates=0, today=None),
        lambda it: it.characteristics(plan, None),
        lambda it: it.rehearse(plan),
        lambda it: it.scan([]),
        lambda it: it.handed_over([]),
    ):
        with pytest.raises(QuotaError, match="nothing left"):
            ask(Apart(nothing))


def test_nothing_is_laid_out_before_it_is_paid_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of attached logs take disk and time as well: without seconds, or without a place, none is made."""
    from leadline.registry.study import Study

    study = world.honest_study()
    laid_out: list[Path] = []
    real = Study.lay_out
    monkeypatch.setattr(
        Study,
        "lay_out",
        lambda it, folder: laid_out.append(folder) or real(it, folder),  # type: ignore[func-returns-value]
    )
    with pytest.raises(QuotaError, match="nothing left"):
        Apart(Purse(empty=True)).report(study)
    full = Places(1, waiting=0)
    monkeypatch.setattr(computing, "UNSIGNED", full)
    with full.taken(), pytest.raises(QuotaError, match="busy"):
        Apart().report(study)
    assert laid_out == []
    purse = Purse()
    Apart(purse).report(study)
    assert len(laid_out) == len(purse.charged) == 1


def test_comparing_with_the_record_is_paid_for(world: World) -> None:
    """A draft makes the server read registered plans, which their authors may have made long."""
    study = world.honest_study()
    today = world.clock.now.date()
    here = world.registry.computing.compared(study.protocol, world.registry, today)
    assert [one.code for one in here] == ["R102"]
    purse = Purse()
    assert Apart(purse).compared(study.protocol, world.registry, today) == here
    assert purse.charged == [computing.COMPARING]
    with pytest.raises(QuotaError, match="nothing left"):
        Apart(Purse(empty=True)).compared(study.protocol, world.registry, today)


def test_looking_for_what_is_near_is_paid_for(world: World) -> None:
    """A draft of many words makes the server look each of them up."""
    world.honest_study()
    plan = Protocol.model_validate(document())
    here = world.registry.computing.similar(plan, world.registry, 5)
    purse = Purse()
    assert Apart(purse).similar(plan, world.registry, 5) == here
    assert purse.charged == [computing.COMPARING]
    with pytest.raises(QuotaError, match="nothing left"):
        Apart(Purse(empty=True)).similar(plan, world.registry, 5)


def test_an_address_has_only_so_many_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once they are used up nothing is computed for it until they have refilled; others are not concerned."""
    now = [0.0]
    access = Access(
        MemoryShelf(), rates=Rates(computing_per_hour=3600, computing_burst=100), ticks=lambda: now[0]
    )
    one, other = (AddressPurse(access, Caller(address)) for address in ("192.0.2.1", "192.0.2.2"))
    monkeypatch.setattr(places, "run_apart", lambda *_, **__: b"[]")
    plan = Protocol.model_validate(document())
    one.charge(90)
    with pytest.raises(QuotaError, match="computations for this address") as refused:
        Apart(one).findings(plan, replicates=0, today=None)
    assert refused.value.retry_after == 30
    Apart(other).findings(plan, replicates=0, today=None)
    now[0] = 30.0
    Apart(one).findings(plan, replicates=0, today=None)
    FREE.charge(10**9)


def test_too_many_bytes_of_logs_are_not_analysed_for_a_draft(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the command that does it elsewhere."""
    study = world.honest_study()
    monkeypatch.setattr(computing, "MOST_LOGS", 10)
    with pytest.raises(InputError, match="leadline report"):
        Apart().report(study)


def test_a_withdrawn_study_is_refused_before_anything_is_computed(world: World) -> None:
    """Cheap refusals come first."""
    study = world.honest_study()
    world.registry.withdraw(study.id, "a mistake")
    key = SigningKey.generate("example.org/x").public
    with pytest.raises(StateError, match="withdrawn"):
        draft(world.registry, key, lambda it: publish_computed(it.study(study.id)), Apart(Purse(empty=True)))
