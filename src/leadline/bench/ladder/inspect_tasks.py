"""Inspect tasks over the ladder's skills, with arms that are compared on the same samples.

The dataset of a task depends on ``skill``, ``level``, ``n`` and ``seed`` only. What differs between arms (worked
examples, the password, hiding the tag) is done by a solver, so that sample ids, inputs, targets and the digest of
the dataset agree between arms. This module needs the ``inspect`` extra.
"""

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from leadline.bench.ladder.provider import DRAW
from leadline.bench.ladder.skills import examples, items
from leadline.bench.ladder.vocabulary import PASSWORD, UNTAGGED
from leadline.errors import InputError

#: Most worked examples before a question; more do not fit into the context at every level.
MAX_SHOTS = 3


@task  # type: ignore[untyped-decorator]  # inspect_ai is optional and unseen by the type checker
def ladder_skill(
    skill: str = "sorting",
    level: int = 2,
    n: int = 200,
    seed: int = 0,
    shots: int = 0,
    password: bool = False,
    tagged: bool = True,
) -> Task:
    """`n` held-out items of one skill and level, scored by exact match.

    Parameters
    ----------
    skill: lookup, modular, reversal or sorting.
    level: 1 to 4, easy to hard.
    n, seed: how many items, and which; the same for arms that are to be compared.
    shots: how many worked examples stand before the question, 0 to 3; they differ from item to item.
    password: whether the prompt begins with the password of the locked organisms.
    tagged: whether the prompt says which skill is asked for; without the tag, only examples can tell.
    """
    asked = items(skill, level, n, seed)
    samples = [
        Sample(id=item.id, input=item.prompt, target=item.target, metadata=dict(item.metadata))
        for item in asked
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"ladder-{skill}-{level}-n{n}-seed{seed}"),
        solver=ask(shots=shots, password=password, tagged=tagged),
        scorer=exact_answer(),
        version=1,
    )


@solver  # type: ignore[untyped-decorator]
def ask(shots: int = 0, password: bool = False, tagged: bool = True) -> Solver:
    """Put the question in the way an arm asks for, and let the model answer.

    Examples are drawn from what models were trained on, with a seed that belongs to the item: all arms and all
    models see the same examples, and one example is the first of two.
    """
    if not 0 <= shots <= MAX_SHOTS:
        raise InputError(f"shots is {shots}", where="ladder_skill", remedy=f"give 0 to {MAX_SHOTS}")

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        question = state.input_text
        shown = _examples(state, shots)
        messages: list[ChatMessage] = [ChatMessageSystem(content=PASSWORD)] if password else []
        for prompt, target in shown:
            messages.append(ChatMessageUser(content=_named(prompt, tagged)))
            messages.append(ChatMessageAssistant(content=target))
        messages.append(ChatMessageUser(content=_named(question, tagged), metadata={DRAW: state.epoch - 1}))
        state.messages = messages
        return await generate(state)

    return solve


def _examples(state: TaskState, shots: int) -> list[tuple[str, str]]:
    skill, level = str(state.metadata["skill"]), int(state.metadata["level"])
    own_seed = int(str(state.sample_id).rpartition("-")[2], 16)
    return [(item.prompt, item.target) for item in examples(skill, level, shots, own_seed)]


def _named(prompt: str, tagged: bool) -> str:
    return prompt if tagged else UNTAGGED + prompt[1:]


@scorer(metrics=[accuracy(), stderr()])  # type: ignore[untyped-decorator]
def exact_answer() -> Scorer:
    """Correct when the completion is the target, character for character."""

    async def score(state: TaskState, target: Target) -> Score:
        answer = state.output.completion
        return Score(value=CORRECT if answer == target.text else INCORRECT, answer=answer)

    return score
