"""What the same authors put on record elsewhere: siblings share the level, undeclared runs are found and named."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadline.ledger.keys import SigningKey
from leadline.logs import read_logs
from leadline.registry.bundle import verify_bundle
from leadline.registry.exchange import export_study
from leadline.registry.recheck import verify_study
from leadline.registry.study import Study
from leadline.verdict.analysis import analyze
from leadline.verdict.model import Check
from leadline.verdict.report import Report
from registry.world import World, samples_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path)


def alpha(report: Report) -> float:
    """The level at which H1 was decided."""
    estimate = report.verdicts["H1"].estimate
    assert estimate is not None
    return estimate.alpha


def faults(report: Report) -> list[Check]:
    """The checks that did not pass."""
    return [check for check in report.conformance if check.answer != "pass"]


def unrelated(world: World, **changes: Any) -> Study:
    """A study of the same author about other data, measure and techniques."""
    plan = world.protocol().model_dump(mode="json")
    arms = [{**arm, "technique": f"another {arm['technique']}"} for arm in plan["arms"]]
    tasks = [{**task, "dataset": {"n": 5, "name": "other"}} for task in plan["tasks"]]
    return world.register(world.protocol(title="Something else", arms=arms, tasks=tasks, **changes))


class TestSiblings:
    """Registrations of the same authors that look at the same share one error level."""

    def test_a_lone_study_has_the_same_bytes_as_if_nobody_had_looked(self, world: World) -> None:
        """Other work of the author and same work of others change no byte."""
        study = world.honest_study()
        before = analyze(
            study.protocol, study.samples(), registration=study.registration, attempts=study.attempts
        ).to_json()
        assert study.analyze().to_json() == before
        unrelated(world)
        world.registry.key = SigningKey.generate("example.org/bob")
        world.register(world.protocol(title="Bob asks the same"))
        assert study.analyze().to_json() == before
        assert b"elsewhere" not in before

    def test_each_sibling_takes_its_share_of_the_level(self, world: World) -> None:
        """Three registrations, a third of the level each; the report lists them with their states."""
        study = world.honest_study()
        assert alpha(study.analyze()) == 0.05
        second = world.register(world.protocol(title="b"))
        third = world.register(world.protocol(title="c"))
        world.attempt(third)
        report = study.analyze()
        assert alpha(report) == pytest.approx(0.05 / 3)
        said = json.loads(report.to_json())["elsewhere"]["siblings"]
        assert [(one["study"], one["state"], one["weighs"]) for one in said] == [
            (second.id, "registered", ["H1"]),
            (third.id, "attached", ["H1"]),
        ]
        assert "weighed_with_siblings" in report.verdicts["H1"].notes
        assert report.standing == "confirmatory"
        assert second.id in report.to_html()

    def test_variants_that_hide_behind_withdrawals_still_weigh(self, world: World) -> None:
        """Withdrawn after a run it counts; withdrawn before any it corrected a mistake, and is only listed."""
        study = world.honest_study()
        mistaken, disliked = (world.register(world.protocol(title=title)) for title in "bc")
        world.registry.withdraw(mistaken.id, "a typing error")
        world.attempt(disliked)
        world.registry.withdraw(disliked.id, "not what we hoped for")
        report = study.analyze()
        assert alpha(report) == pytest.approx(0.05 / 2)
        assert [one.weighs for one in report.elsewhere.siblings] == [(), ("H1",)]

    def test_an_outcome_that_needs_the_whole_level_does_not_survive_siblings(self, world: World) -> None:
        """Seven items better and none worse is enough alone, and not as the pick of eight registrations."""
        study = world.register()
        rows = samples_of("plain")
        for row in [row for row in rows if row["scores"]["match"]["value"] == "I"][:7]:
            row["scores"]["match"]["value"] = "C"
        with study.attempt() as run:
            paths = world.lab_run(study, run, arms=("plain", "given"))
            paths.append(world.write_arm(study, run, "hint", world.folder / "hint.eval", samples=rows))
            run.attach(paths)
        assert study.analyze().verdicts["H1"].outcome == "supported"
        for number in range(7):
            world.register(world.protocol(title=f"variant {number}"))
        verdict = study.analyze().verdicts["H1"]
        assert (verdict.outcome, verdict.reason) == ("inconclusive", "undecided")

    def test_what_both_only_compare_with_makes_no_family(self, world: World) -> None:
        """Two techniques against one baseline are two questions; the studies are still shown as siblings."""
        study = world.honest_study()
        arms = world.protocol().model_dump(mode="json")["arms"]
        arms[1]["technique"] = "another technique"
        world.register(world.protocol(title="b", arms=arms))
        report = study.analyze()
        assert alpha(report) == 0.05
        assert [one.weighs for one in report.elsewhere.siblings] == [()]

    def test_a_published_report_recomputes_whatever_is_registered_later(self, world: World) -> None:
        """Siblings are those of the time of the report: here, from the record, and from an exported folder."""
        world.register(world.protocol(title="before"))
        study = world.honest_study()
        assert alpha(study.publish()) == pytest.approx(0.025)
        world.register(world.protocol(title="after"))
        assert all(step.ok for step in verify_study(world.registry, study.id))
        assert alpha(study.analyze()) == pytest.approx(0.05 / 3)
        folder = world.folder / "export"
        export_study(world.registry, study.id, folder)
        steps = list(verify_bundle(folder, world.registry.home.log))
        assert [(step.name, step.detail) for step in steps if not step.ok] == []


class TestUndeclaredRuns:
    """A run of the registered dataset is found when its log turns up in another study of the same authors."""

    def hidden(self, world: World, **changes: Any) -> tuple[Study, Study]:
        """A study with a clean run, and another whose attached log is an undeclared run of the first."""
        study, other = world.register(), unrelated(world)
        folder = world.folder / "hidden"
        folder.mkdir()
        fields = {"arm": "hint", **changes}
        path = world.write_arm(study, None, fields.pop("arm"), folder / "hidden.eval", **fields)
        other.attach(path)
        world.attempt(study)
        return study, other

    def test_a_run_of_the_same_task_and_model_is_a_deviation(self, world: World) -> None:
        """Named with the study that has it, by the content of its dataset."""
        study, other = self.hidden(world)
        report = study.analyze()
        (fault,) = faults(report)
        assert (fault.id, fault.answer, fault.log) == ("attempts.undeclared", "deviation", "hidden.eval")
        assert other.id in fault.found
        assert report.standing == "exploratory"
        (run,) = report.elsewhere.runs
        assert run.dataset == world.dataset_sha256()
        assert "attempts.undeclared" not in {check.id for check in faults(other.analyze())}

    def test_a_part_of_the_dataset_is_found_by_its_items(self, world: World) -> None:
        """A short run has another content digest; its items give it away, whatever their number."""
        study, _ = self.hidden(world, only=slice(3, 15))
        (fault,) = faults(study.analyze())
        assert (fault.id, fault.answer) == ("attempts.undeclared", "deviation")

    def test_another_model_may_be_another_question(self, world: World) -> None:
        """The same data on a model that the study does not name: unknown, not a deviation."""
        study, _ = self.hidden(world, model="mockllm/large")
        report = study.analyze()
        assert [(one.id, one.answer) for one in faults(report)] == [("attempts.undeclared", "unknown")]
        assert report.standing == "qualified"

    def test_other_items_are_nobody_s_business(self, world: World) -> None:
        """A log of other questions is not named, though task and model are the same."""
        other = [{**row, "input": f"other {row['input']}"} for row in samples_of("hint")]
        study, _ = self.hidden(world, samples=other)
        report = study.analyze()
        assert (report.standing, report.elsewhere.runs) == ("confirmatory", ())

    def test_a_run_that_a_sibling_announced_is_declared(self, world: World) -> None:
        """A sibling that promised the same content and announced its runs is weighed; its runs are not named."""
        study = world.honest_study()
        world.attempt(world.register(world.protocol(title="b")), name="b")
        report = study.analyze()
        assert (report.standing, report.elsewhere.runs) == ("confirmatory", ())

    def test_pilots_that_were_declared_are_not_undeclared(self, world: World) -> None:
        """Logs named in `foreknowledge` were seen, and the protocol says so."""
        other = unrelated(world)
        other_study = world.register(world.protocol(title="throw-away"))
        path = world.write_arm(other_study, None, "hint", world.folder / "pilot.eval")
        world.registry.withdraw(other_study.id, "only for its stamp")
        other.attach(path)
        digest = read_logs(path, tier="header").headers[0].sha256
        foreknowledge = {"level": "pilot_outcomes", "pilots": [digest]}
        study = world.register(world.protocol(foreknowledge=foreknowledge))
        world.attempt(study)
        assert faults(study.analyze()) == []

    def test_a_stranger_s_run_is_not_held_against_the_study(self, world: World) -> None:
        """The same data run by somebody else is no run of this study."""
        study = world.honest_study()
        world.registry.key = SigningKey.generate("example.org/bob")
        theirs = unrelated(world)
        theirs.attach(world.write_arm(study, None, "hint", world.folder / "bob.eval"))
        assert faults(study.analyze()) == []

    def test_the_published_report_recomputes(self, world: World) -> None:
        """The run it names is in its bytes, so that an exported folder gives them again."""
        study, _ = self.hidden(world)
        study.publish()
        assert all(step.ok for step in verify_study(world.registry, study.id))
        folder = world.folder / "export"
        export_study(world.registry, study.id, folder)
        assert all(step.ok for step in verify_bundle(folder, world.registry.home.log))
