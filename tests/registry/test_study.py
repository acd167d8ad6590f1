"""A study's life in Python: attempts, stamps, publishing, and finding its like."""

from datetime import timedelta
from pathlib import Path

import pytest

from leadline.errors import InputError, StateError
from leadline.ledger.keys import SigningKey
from leadline.registry.registry import Registry
from leadline.registry.run import STUDY_STAMP
from leadline.verdict.conformance.context import ATTEMPT_STAMP
from registry.world import START, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path / "world")


def test_a_block_that_attaches_nothing_leaves_the_attempt_open(world: World) -> None:
    """Forgetting `run.attach` is told, and closes nothing as failed."""
    study = world.register()
    with pytest.raises(StateError, match="has no log") as told, study.attempt():
        pass
    assert "run.attach" in str(told.value.remedy())
    assert [row.state for row in study.attempt_rows] == ["open"]
    study.attach(world.lab_run(study, None), attempt=1)
    study.close_attempt(1, [row.sha256 for row in study.attachments])
    assert [(row.state, row.status) for row in study.attempt_rows] == [("closed", "completed")]


def test_a_block_that_raises_leaves_the_attempt_open(world: World) -> None:
    """The error of the run itself comes through."""
    study = world.register()
    with pytest.raises(ZeroDivisionError), study.attempt():
        _ = 1 / 0
    assert [row.state for row in study.attempt_rows] == ["open"]


def test_a_file_attached_loosely_can_be_given_to_its_attempt(world: World) -> None:
    """Attaching again with the attempt's number says where it belongs, once."""
    study = world.register()
    run = study.open_attempt()
    paths = world.lab_run(study, run)
    study.attach(paths)
    for _ in range(2):
        study.attach(paths, attempt=run.number)
    assert [row.attempt for row in study.attachments] == [None] * 3 + [1] * 3
    assert len(study.files) == 3
    other = study.open_attempt()
    with pytest.raises(InputError, match="stamped for attempt 1"):
        other.attach(paths)
    other.attach(paths, force=True)
    assert len(other.logs) == 3


def test_a_log_from_before_the_freeze_is_attached_on_purpose_only(world: World) -> None:
    """One old log by mistake would make the whole study retrospective for good: it is refused, and nothing is kept."""
    study = world.register()
    old = world.lab_run(study, None, name="old", created=START - timedelta(days=3))
    with pytest.raises(InputError, match="retrospective for good") as told:
        study.attach(old)
    assert "--force" in str(told.value.remedy())
    with pytest.raises(InputError, match="retrospective for good"):
        study.open_attempt().attach(old)
    assert study.attachments == []
    study.attach(old, force=True)
    assert study.analyze().standing == "retrospective"


def test_an_unstamped_file_belongs_to_one_attempt(world: World) -> None:
    """What was attached for one attempt is not quietly the result of another."""
    study = world.register()
    paths = world.lab_run(study, None)
    study.open_attempt().attach(paths)
    with pytest.raises(InputError, match="attached for attempt 1"):
        study.open_attempt().attach(paths)


def test_a_stamp_holds_what_was_registered_for_the_arm(world: World) -> None:
    """Registered metadata comes first and never replaces the stamp; unknown arms are refused."""
    plan = world.protocol().model_dump(mode="json")
    plan["arms"][1]["metadata"] = {"recipe": "b7", ATTEMPT_STAMP: "forged", "steps": [1, 2]}
    study = world.register(world.protocol(arms=plan["arms"]))
    run = study.open_attempt()
    name = plan["arms"][1]["name"]
    stamp = run.stamp(name)
    assert (stamp["recipe"], stamp[STUDY_STAMP], stamp[ATTEMPT_STAMP]) == ("b7", study.id, run.token)
    assert "recipe" not in run.stamp()
    words = run.environment(name)["INSPECT_EVAL_METADATA"].split(" ")
    assert {"recipe=b7", "steps=[1,2]", f"{ATTEMPT_STAMP}={run.token}"} <= set(words)
    with pytest.raises(InputError, match="no arm 'nope'"):
        run.stamp("nope")


def test_metadata_that_inspect_would_read_otherwise_does_not_go_into_the_environment(world: World) -> None:
    """A blank goes as an escape, for a bare one begins another setting; a text with a comma would become a list."""
    plan = world.protocol().model_dump(mode="json")
    plan["arms"][0]["metadata"] = {"recipe": "two words"}
    plan["arms"][1]["metadata"] = {"recipe": "one, two"}
    run = world.register(world.protocol(arms=plan["arms"])).open_attempt()
    words = run.environment(plan["arms"][0]["name"])["INSPECT_EVAL_METADATA"].split()
    assert 'recipe="two\\x20words"' in words
    with pytest.raises(InputError, match="cannot be written"):
        run.environment(plan["arms"][1]["name"])


def test_the_same_report_is_published_once(world: World) -> None:
    """Without anything new there is no new statement; with a new attempt there is."""
    study = world.honest_study()
    first = study.publish()
    size = world.registry.store.size()
    assert study.publish().to_json() == first.to_json()
    assert world.registry.store.size() == size
    study.open_attempt()
    study.publish()
    assert len(study.reports) == 2


def test_a_record_that_moves_while_it_is_analysed_is_not_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report always says what the record held when it was recorded."""
    study = world.honest_study()
    honest = study.analyze

    def interrupted() -> object:
        report = honest()
        study.open_attempt()
        return report

    monkeypatch.setattr(study, "analyze", interrupted)
    with pytest.raises(StateError, match="changed while"):
        study.publish()
    assert study.reports == []


def test_a_refused_statement_names_no_entry_that_does_not_exist(world: World) -> None:
    """What was refused has no place in the log."""
    study = world.register()
    world.registry.revoke_key("stolen")
    with pytest.raises(Exception, match="revoked") as told:
        study.open_attempt()
    assert getattr(told.value, "where", None) == "this attempt statement"


def test_similar_needs_some_common_words_only(world: World) -> None:
    """A renamed twin comes first, a stranger later or not at all, the very same protocol before anything."""
    study = world.register()
    arms = world.protocol().model_dump(mode="json")["arms"]
    hypotheses = world.protocol().model_dump(mode="json")["hypotheses"]
    for arm in arms:
        arm["technique"] = "fruit bowl"
    hypotheses[0]["claim"] = "Fruit ripens"
    world.register(world.protocol(title="Bananas beside apples", arms=arms, hypotheses=hypotheses))
    twin = world.protocol(title="Fruit salad")
    assert world.registry.similar(twin)[0].row.id == study.id
    assert world.registry.similar(study.protocol)[0].row.id == study.id
    assert len(world.registry.similar(twin, limit=1)) == 1


def test_open_without_an_address_is_the_command_lines_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$LEADLINE_STORE, else registry.db in $LEADLINE_HOME; no key unless one is given."""
    monkeypatch.delenv("LEADLINE_STORE", raising=False)
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    with Registry.open() as registry:
        assert registry.key is None
    assert (tmp_path / "home" / "registry.db").exists()
    monkeypatch.setenv("LEADLINE_STORE", str(tmp_path / "other.db"))
    with Registry.open(key=SigningKey.generate("example.org/ada")):
        assert (tmp_path / "other.db").exists()


def test_a_plan_withdrawn_meanwhile_is_not_amended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the record holds is looked at where the amendment enters it, not before."""
    study = world.register()
    put = world.registry.store.put_blob

    def interrupted(data: bytes) -> str:
        world.registry.withdraw(study.id, "no funds")
        return put(data)

    monkeypatch.setattr(world.registry.store, "put_blob", interrupted)
    with pytest.raises(StateError, match="withdrawn"):
        world.registry.amend(study.id, world.protocol(title="Other"), reason="r", seen="nothing_run")
