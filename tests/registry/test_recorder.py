"""A run that records itself: from promise to verdict, held to every promise, honest about what it does not say."""

from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, StateError
from leadline.logs.recording import dataset_sha256
from leadline.protocol.model import Protocol
from leadline.registry.check import check
from leadline.registry.run import Run
from leadline.registry.study import Study
from leadline.verdict.report import Report
from registry.world import ARMS, GENERATE, World, answers, document

N = 40
ITEMS = [{"sample_id": f"item-{i:03d}x", "input": f"question {i}", "target": f"answer {i}"} for i in range(N)]


def _protocol(**task: Any) -> Protocol:
    """The world's protocol, of a task that is recorded."""
    said = document(dataset_sha256(ITEMS))
    promised = said["tasks"][0]
    del promised["solver"], promised["limits"]
    said["tasks"][0] = {**promised, "harness": "recorded", **task}
    return Protocol.model_validate(said)


def _said(arm: str, **changed: Any) -> dict[str, Any]:
    """What honest code says of an arm."""
    said = {
        "task": "addition",
        "version": 0,
        "model": "mockllm/tiny",
        "args": {"style": arm},
        "generate": GENERATE,
        "scorers": {"match": {}},
    }
    return {**said, **changed}


def _record(run: Run, folder: Path, items: list[dict[str, Any]] = ITEMS, **changed: Any) -> None:
    """Record every arm."""
    for arm in ARMS:
        run.start(arm, folder=folder, **_said(arm, **changed))
        for item, answer in zip(items, answers(arm), strict=False):
            run.record(
                item["sample_id"], "match", answer, arm=arm, input=item["input"], target=item["target"]
            )


def _reported(tmp_path: Path, protocol: Protocol | None = None, **how: Any) -> Report:
    study = World(tmp_path).register(protocol or _protocol())
    with study.attempt() as run:
        _record(run, tmp_path / "recordings", **how)
    return study.publish()


def _not_passed(report: Report) -> set[tuple[str, str]]:
    return {(check.id, check.answer) for check in report.conformance if check.answer != "pass"}


def test_an_honest_recording_is_confirmatory_with_nothing_unknown(tmp_path: Path) -> None:
    """Promise, record, report: every check passes, and the attempt closed with the three files."""
    report = _reported(tmp_path)
    assert _not_passed(report) == set()
    assert (report.verdicts["H1"].outcome, report.verdicts["H1"].standing) == ("supported", "confirmatory")
    assert {"task.harness", "recording.protocol", "dataset.content"} <= {
        check.id for check in report.conformance
    }
    assert [(attempt.status, len(attempt.logs)) for attempt in report.attempts] == [("closed", 3)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"model": "mockllm/other"}, {("model.id", "deviation")}),
        ({"task": "other"}, {("task.name", "deviation")}),
        ({"version": 2}, {("task.version", "deviation")}),
        ({"generate": {**GENERATE, "temperature": 1.0}}, {("generate.temperature", "deviation")}),
        ({"generate": {**GENERATE, "top_p": 0.5}}, {("generate.top_p", "deviation")}),
        ({"model_args": {"patched": True}}, {("model.args.patched", "deviation")}),
        ({"scorers": {"match": {"lenient": True}}}, {("scorer.params", "deviation")}),
        ({"items": ITEMS[:-1]}, {("dataset.n", "deviation"), ("dataset.samples", "deviation"), ("dataset.content", "deviation")}),
        ({"items": [{**ITEMS[0], "input": "easier"}, *ITEMS[1:]]}, {("dataset.content", "deviation")}),
    ],
)  # fmt: skip
def test_what_differs_from_the_promise_is_a_deviation(
    tmp_path: Path, changed: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    """Each change of one thing shows in the checks of that thing and in no other."""
    assert _not_passed(_reported(tmp_path, **changed)) == expected


def test_what_the_code_does_not_say_is_unknown_and_never_passes(tmp_path: Path) -> None:
    """Rows alone leave model, task and settings open; the data are still the arms', by what they were recorded for."""
    study = World(tmp_path).register(_protocol())
    with study.attempt() as run:
        run.recorder.folder = tmp_path / "recordings"
        for arm in ARMS:
            for item, answer in zip(ITEMS, answers(arm), strict=True):
                run.record(item["sample_id"], "match", answer, arm=arm)
    report = study.publish()
    assert _not_passed(report) == {
        (name, "unknown")
        for name in (
            "model.id", "task.name", "task.version", "task.args.style", "generate.temperature", "generate.seed",
            "generate.max_tokens", "scorer.params", "dataset.content",
        )
    }  # fmt: skip
    assert (report.verdicts["H1"].outcome, report.verdicts["H1"].standing) == ("supported", "qualified")


def test_rows_of_an_authors_own_do_not_stand_in_for_a_harness(tmp_path: Path) -> None:
    """A protocol that promised an Inspect evaluation is not kept by a recording."""
    report = _reported(tmp_path, _protocol(harness="inspect"))
    assert ("task.harness", "deviation") in _not_passed(report)
    assert report.verdicts["H1"].standing == "exploratory"


def test_a_log_of_a_harness_is_not_the_recording_that_was_promised(tmp_path: Path) -> None:
    """And the other way about."""
    world = World(tmp_path)
    study = world.register(_protocol())
    world.attempt(study)
    assert ("task.harness", "deviation") in _not_passed(study.publish())


def test_a_recording_made_for_another_protocol_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest in its head is that of the protocol its code believed in."""
    study = World(tmp_path).register(_protocol())
    monkeypatch.setattr(Protocol, "digest", property(lambda self: "0" * 64))
    with study.attempt() as run:
        _record(run, tmp_path / "recordings")
    monkeypatch.undo()
    assert ("recording.protocol", "deviation") in _not_passed(study.analyze())


def _interrupted(study: Study, folder: Path) -> str:
    """An attempt whose block fails after ten results; returns what the error says to do."""
    with pytest.raises(ZeroDivisionError) as failed, study.attempt() as run:
        run.start("plain", folder=folder, **_said("plain"))
        for item in ITEMS[:10]:
            run.record(item["sample_id"], "match", "I", input=item["input"], target=item["target"])
        _ = 1 / 0
    return " ".join(failed.value.__notes__)


def test_an_exception_leaves_the_attempt_open_and_it_can_be_gone_on_with(tmp_path: Path) -> None:
    """What was recorded is kept; the resumed attempt has the same number and token, and adds the rest."""
    study = World(tmp_path).register(_protocol())
    folder = tmp_path / "recordings"
    assert "resume=1" in _interrupted(study, folder)
    assert [attempt.status for attempt in study.attempts] == ["open"]
    with study.attempt(resume=1) as run:
        for arm in ARMS:
            begun = run.start(arm, folder=folder, **_said(arm))
            assert begun.results == (10 if arm == "plain" else 0)
            for item, answer in list(zip(ITEMS, answers(arm), strict=True))[begun.results :]:
                run.record(
                    item["sample_id"], "match", answer, arm=arm, input=item["input"], target=item["target"]
                )
    report = study.publish()
    assert _not_passed(report) == set()
    assert [attempt.number for attempt in report.attempts] == [1]


def test_an_attempt_that_is_not_gone_on_with_is_never_a_clean_pass(tmp_path: Path) -> None:
    """A second attempt does not hide the first."""
    study = World(tmp_path).register(_protocol())
    _interrupted(study, tmp_path / "recordings")
    with study.attempt() as run:
        _record(run, tmp_path / "recordings")
    assert ("attempts.accounted", "deviation") in _not_passed(study.publish())


def test_only_open_attempts_are_gone_on_with(tmp_path: Path) -> None:
    """One that is closed, or was never announced, is refused."""
    study = World(tmp_path).register(_protocol())
    with study.attempt() as run:
        _record(run, tmp_path / "recordings")
    for number, why in ((1, "closed"), (7, "no attempt 7")):
        with pytest.raises(StateError, match=why), study.attempt(resume=number):
            pass


def test_a_notebook_starts_and_finishes_by_hand(tmp_path: Path) -> None:
    """Without a block: open, record, look, finish."""
    study = World(tmp_path).register(_protocol())
    run = study.open_attempt()
    _record(run, tmp_path / "recordings")
    assert "plain: 40 results" in repr(run)
    assert "<td>plain</td><td>40</td>" in run._repr_html_()
    run.finish()
    assert study.attempts[0].status == "closed"
    assert _not_passed(study.publish()) == set()
    with pytest.raises(StateError):
        run.finish()


def test_which_arm_is_meant_has_to_be_said_once(tmp_path: Path) -> None:
    """With several arms and nothing begun it is an error; with one recording open it is that one."""
    study = World(tmp_path).register(_protocol())
    run = study.open_attempt()
    run.recorder.folder = tmp_path / "recordings"
    with pytest.raises(InputError, match="several arms"):
        run.record("a", "match", 1)
    with pytest.raises(InputError, match="no arm 'other'"):
        run.start("other")
    run.start("plain")
    with pytest.raises(StateError, match="open already"):
        run.start("plain")
    run.record("a", "match", 1)
    assert run.record_many([{"sample_id": "b", "score": "match", "value": 0}]) == 1
    assert run.recorder.of(None).results == 2
    run.recorder.of(None).close()


def test_a_tampered_recording_cannot_be_attached(tmp_path: Path) -> None:
    """A row changed between the end of the run and the attachment is refused."""
    from leadline.errors import LeadlineError

    study = World(tmp_path).register(_protocol())
    run = study.open_attempt()
    _record(run, tmp_path / "recordings")
    one = run.recorder.of("hint")
    one.finish()
    one.path.write_bytes(one.path.read_bytes().replace(b'"value":"I"', b'"value":"C"', 1))
    with pytest.raises(LeadlineError, match="chain"):
        run.finish()
    assert study.attempts[0].status == "open"
    assert study.attachments == []


def test_the_critical_reader_asks_a_recorded_task_for_no_decoding_and_no_solver() -> None:
    """What belongs to text that a model writes under a harness is not missed elsewhere; scorers still are."""
    codes = {found.code for found in check(_protocol(generate={}, scorers=[]))}
    assert not codes & {"D103", "D104", "D105"}
    assert "D106" in codes
    assert {"D103", "D104", "D105"} <= {
        found.code for found in check(_protocol(harness="inspect", generate={}))
    }
