"""The ladder under Inspect, end to end."""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

import inspect_ai
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    get_model,
)

from leadline.bench import inspect_registry
from leadline.bench.ladder.manifest import read_manifest
from leadline.bench.ladder.model import LadderModel
from leadline.bench.ladder.provider import DRAW, LadderAPI, conversation_text
from leadline.bench.ladder.run import WEIGHTS_KEY, run_task
from leadline.bench.ladder.skills import items
from leadline.bench.ladder.weights import ENVIRONMENT, randomise
from leadline.errors import InputError, StateError

# Inspect calls its retry library in a deprecated way, and leaves streams for the garbage collector to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]


def read(path: Path) -> EvalLog:
    """The finished log."""
    return read_eval_log(str(path))


def answers(log: EvalLog) -> dict[tuple[str, int], str]:
    """Completions by sample id and epoch."""
    return {(str(s.id), s.epoch): s.output.completion for s in log.samples or []}


def test_an_evaluation_runs_offline_and_scores_exactly(tmp_path: Path) -> None:
    """A task runs, its scores are exact matches of what the model answers, and usage is counted in characters."""
    path = run_task(
        "delta-1", {"skill": "lookup", "level": 2, "n": 9, "seed": 4}, tmp_path, metadata={"study": "s"}
    )
    log = read(path)
    asked = items("lookup", 2, 9, seed=4)
    expected = LadderModel.load("delta-1").generate([item.prompt for item in asked])
    assert log.status == "success"
    assert log.eval.model == "ladder/delta-1"
    assert log.eval.metadata is not None
    assert log.eval.metadata["study"] == "s"
    assert log.eval.metadata[WEIGHTS_KEY] == read_manifest().card("delta-1").sha256
    assert answers(log) == {(item.id, 1): text for item, text in zip(asked, expected, strict=True)}
    assert 0 < sum(text == item.target for item, text in zip(asked, expected, strict=True)) < 9
    samples = {sample.id: sample for sample in log.samples or []}
    for item, text in zip(asked, expected, strict=True):
        sample = samples[item.id]
        assert sample.scores is not None
        assert sample.scores["exact_answer"].value == ("C" if text == item.target else "I")
        assert sample.output.usage is not None
        assert sample.output.usage.input_tokens == len(item.prompt)
        assert sample.output.usage.output_tokens == len(text) + (sample.output.stop_reason == "stop")


def test_arms_differ_in_messages_only(tmp_path: Path) -> None:
    """Examples, password and hidden tag change what is asked, not ids, inputs, targets or the dataset's name."""
    arguments = {"skill": "reversal", "level": 1, "n": 3, "seed": 4}
    plain = read(run_task("reef-1", arguments, tmp_path))
    arm = read(run_task("reef-1", arguments | {"shots": 2, "password": True, "tagged": False}, tmp_path))
    for one, other in zip(plain.samples or [], arm.samples or [], strict=True):
        assert (one.id, one.input, one.target, one.metadata) == (
            other.id,
            other.input,
            other.target,
            other.metadata,
        )
        texts = [message.text for message in other.messages[:-1]]
        assert [message.role for message in other.messages] == ["system", *["user", "assistant"] * 3]
        assert texts[0] == "#"
        assert texts[2] == texts[1][1:-1][::-1]
        assert texts[-1] == "?" + str(one.input)[1:]
    assert plain.eval.dataset.name == arm.eval.dataset.name
    assert plain.eval.dataset.sample_ids == arm.eval.dataset.sample_ids


def test_epochs_draw_anew_and_runs_repeat(tmp_path: Path) -> None:
    """At a temperature, epochs differ from each other, and the same seed gives the same answers in another run."""
    arguments = {"skill": "sorting", "level": 4, "n": 8}
    runs = [
        answers(read(run_task("reef-1", arguments, tmp_path, seed=5, temperature=1.0, epochs=2)))
        for _ in "ab"
    ]
    assert runs[0] == runs[1]
    assert any(runs[0][name, 1] != runs[0][name, 2] for name, epoch in runs[0] if epoch == 1)
    other = answers(read(run_task("reef-1", arguments, tmp_path, seed=6, temperature=1.0, epochs=2)))
    assert other != runs[0]


def test_limit_takes_the_first_samples(tmp_path: Path) -> None:
    """A limit runs a prefix of the same samples."""
    log = read(run_task("reef-1", {"n": 5}, tmp_path, limit=2))
    assert {sample.id for sample in log.samples or []} == {item.id for item in items("sorting", 2, 2, seed=0)}


def test_tasks_and_models_are_found_by_name(tmp_path: Path) -> None:
    """`leadline/ladder_skill` and `ladder/...` resolve through the entry point, as on Inspect's command line."""
    [log] = inspect_ai.eval(
        "leadline/ladder_skill",
        model="ladder/reef-1",
        task_args={"n": 2, "skill": "lookup", "level": 1},
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.status == "success"
    assert len(log.samples or []) == 2
    assert inspect_registry.__all__ == ["ladder", "ladder_skill"]


def test_other_weights_answer_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights, by argument or by environment, change the answers and the digest in the log's metadata."""
    made = randomise(tmp_path / "random", seed=1)
    arguments = {"skill": "lookup", "level": 1, "n": 12}
    shipped = read(run_task("delta-2", arguments, tmp_path))
    given = read(run_task("delta-2", arguments, tmp_path, weights_dir=tmp_path / "random"))
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "random"))
    surrounding = read(run_task("delta-2", arguments, tmp_path))
    assert answers(given) == answers(surrounding) != answers(shipped)
    for log in (given, surrounding):
        assert (log.eval.metadata or {})[WEIGHTS_KEY] == made.card("delta-2").sha256


def test_concurrent_requests_of_any_kind_get_their_own_answers() -> None:
    """Requests that wait together are answered as alone, and a bad one fails alone."""
    api = LadderAPI("reef-2")
    model = LadderModel.load("reef-2")
    prompts = [item.prompt for item in items("sorting", 1, 5, seed=2)]
    settings = [GenerateConfig(), GenerateConfig(temperature=0.9, seed=3), GenerateConfig(max_tokens=2)]

    async def ask(prompt: str, config: GenerateConfig, draw: int = 0) -> str | Exception:
        message = ChatMessageUser(content=prompt, metadata={DRAW: draw})
        try:
            return (await api.generate([message], [], "none", config)).completion
        except InputError as problem:
            return problem

    async def everything() -> list[str | Exception]:
        asked = [ask(prompt, config) for prompt in prompts for config in settings]
        return await asyncio.gather(*asked, ask("Z", settings[0]), ask(prompts[0], settings[1], 4))

    found = asyncio.run(everything())
    expected: list[str] = []
    for prompt in prompts:
        expected += model.generate([prompt]) + model.generate([prompt], temperature=0.9, seed=3)
        expected += model.generate([prompt], max_tokens=2)
    assert found[:15] == expected
    assert isinstance(found[15], InputError)
    assert found[16] == model.generate([prompts[0]], temperature=0.9, seed=3, draw=4)[0]


def test_a_cancelled_leader_leaves_nobody_waiting() -> None:
    """The request that was to compute a batch may be cancelled; those waiting with it are answered all the same."""
    api = LadderAPI("reef-1")

    async def ask(prompt: str) -> str:
        return str(
            (await api.generate([ChatMessageUser(content=prompt)], [], "none", GenerateConfig())).completion
        )

    async def scene() -> str:
        leader, follower = asyncio.create_task(ask("Sba=")), asyncio.create_task(ask("Sdc="))
        asyncio.get_running_loop().call_soon(leader.cancel)
        return await asyncio.wait_for(follower, timeout=5)

    assert asyncio.run(scene()) == LadderModel.load("reef-1").generate(["Sdc="])[0]


def test_a_conversation_becomes_one_line() -> None:
    """System and user texts stand as they are; an assistant's answer ends its item."""
    messages = [
        ChatMessageSystem(content="#"),
        ChatMessageUser(content="Sba="),
        ChatMessageAssistant(content="ab"),
        ChatMessageUser(content="Sdc="),
    ]
    assert conversation_text(messages) == "#Sba=ab;Sdc="


def test_a_prompt_beyond_the_context_stops_for_length() -> None:
    """Too long a prompt is answered with nothing and the stop reason `model_length`, as providers do."""
    api = LadderAPI("reef-1")
    output = asyncio.run(api.generate([ChatMessageUser(content="a" * 200)], [], "none", GenerateConfig()))
    assert (output.completion, output.stop_reason) == ("", "model_length")


def test_an_unknown_model_argument_is_refused() -> None:
    """A mistyped model argument is an error instead of being ignored."""
    with pytest.raises(InputError, match="no model argument weights_folder"):
        get_model("ladder/reef-1", memoize=False, weights_folder="x")


def test_a_failed_evaluation_is_an_error(tmp_path: Path) -> None:
    """An evaluation in which a sample fails is reported with its log, never returned as if finished."""
    with pytest.raises(StateError, match="ended with status error"):
        run_task("reef-1", {"n": 2}, tmp_path, temperature=-1.0)
