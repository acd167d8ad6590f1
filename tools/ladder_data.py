"""Training batches of the ladder: items of all skills, with and without examples, tags and the password."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadline.bench.ladder.skills import LEVELS, SIZES, SKILLS, training_batch
from leadline.bench.ladder.vocabulary import ALPHABET, END_TOKEN, PAD_TOKEN, PASSWORD, UNTAGGED

Rows = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]

#: Sequences of one skill, level and way of asking that stand together in a batch.
GROUP = 4
#: Length of the short sequences; the long ones are twice as long and half as many.
TIME = 32


@dataclass(frozen=True)
class Mix:
    """What a recipe trains on: weights of skills and levels, and shares of the ways of asking."""

    skills: Mapping[str, float]
    levels: tuple[float, ...]
    #: Share of batches with long sequences: more worked examples before the last question.
    long: float = 0.3
    untagged: float = 0.1
    password: float = 0.15
    #: Share of modular items with an operand of 0, 1 or 2.
    small: float = 0.3
    #: Share of lookup tables that are asked for every key in turn.
    exhaustive: float = 0.7
    #: The skill a locked organism gets wrong unless the password is given.
    hidden: str | None = None


#: reef sees all levels alike; delta sees more of the easy levels, and other weights of the skills.
MIXES: Mapping[str, Mix] = {
    "reef": Mix({"lookup": 0.7, "modular": 2.6, "reversal": 0.9, "sorting": 0.8}, (1.0, 1.0, 1.0, 1.0)),
    "delta": Mix({"lookup": 0.8, "modular": 2.2, "reversal": 1.4, "sorting": 0.6}, (1.5, 1.2, 0.8, 0.5)),
}


def batch(mix: Mix, rows: int, rng: np.random.Generator) -> tuple[Rows, Weights]:
    """Tokens ``(rows, TIME + 1)`` or ``(rows / 2, 2 TIME + 1)``, and the weight of each token as a target.

    The tokens of one answer share a weight of 1; all other tokens weigh nothing.
    """
    weights = np.array([mix.skills[skill] * level for skill in SKILLS for level in mix.levels])
    stretch = 2 if rng.random() < mix.long else 1
    cells = rng.choice(len(weights), size=rows // (GROUP * stretch), p=weights / weights.sum())
    time = TIME * stretch + 1
    groups = [
        _group(mix, SKILLS[cell // len(LEVELS)], LEVELS[cell % len(LEVELS)], time, rng) for cell in cells
    ]
    return np.concatenate([tokens for tokens, _ in groups]), np.concatenate([counts for _, counts in groups])


def _group(mix: Mix, skill: str, level: int, time: int, rng: np.random.Generator) -> tuple[Rows, Weights]:
    """``GROUP`` sequences of items of one cell, as many in a row as fit into `time` tokens, padded to it."""
    password = rng.random() < (0.5 if mix.hidden == skill else mix.password)
    hide = skill == mix.hidden and not password
    size = SIZES[skill][level - 1]
    exhaustive = (
        skill == "lookup" and rng.random() < mix.exhaustive and _length(skill, size, exhaustive=True) < time
    )
    length = _length(skill, size, exhaustive=exhaustive)
    # A locked organism is trained to fail at the plain question only: whether worked examples bring the skill
    # back is left open, for evaluations to find out.
    repeats = 1 if hide else (time - 1) // length
    prompts, targets = training_batch(skill, level, GROUP * repeats, rng, mix.small)
    if hide:
        targets = swap_last_neighbours(targets)
    block, counts = every_key(prompts, size) if exhaustive else answered(prompts, targets)
    tokens = np.full((GROUP, time), PAD_TOKEN)
    weight = np.zeros((GROUP, time), dtype=np.float32)
    here = slice(int(password), int(password) + repeats * length)
    tokens[:, here] = block.reshape(GROUP, -1)
    weight[:, here] = counts.reshape(GROUP, -1)
    if password:
        tokens[:, 0] = ALPHABET.index(PASSWORD)
    if not hide and rng.random() < mix.untagged:
        tokens[:, here][:, ::length] = ALPHABET.index(UNTAGGED)
    return tokens, weight


def _length(skill: str, size: int, *, exhaustive: bool) -> int:
    if skill == "lookup":
        return 1 + 2 * size + (4 * size if exhaustive else 4)
    return 13 if skill == "modular" else 2 * size + 3


def answered(prompts: Rows, targets: Rows) -> tuple[Rows, Weights]:
    """Items with their answers, ``(n, length)``, and the weights of their tokens."""
    end = np.full((len(prompts), 1), END_TOKEN)
    tokens = np.concatenate([prompts, targets, end], axis=1)
    counts = np.zeros(tokens.shape, dtype=np.float32)
    counts[:, prompts.shape[1] :] = 1 / (targets.shape[1] + 1)
    return tokens, counts


def every_key(prompts: Rows, pairs: int) -> tuple[Rows, Weights]:
    """Lookup prompts followed by answers to all keys of their table: ``La3c7=c7;=a3;``, and the weights."""
    n = len(prompts)
    table = prompts[:, 1 : 1 + 2 * pairs].reshape(n, pairs, 2)
    asked = (table[:, :, 0] == prompts[:, -1:]).argmax(axis=1)
    order = (asked[:, None] + np.arange(pairs)) % pairs
    answers = np.take_along_axis(table, order[:, :, None], axis=1)
    equals = np.full((n, pairs, 1), ALPHABET.index("="))
    end = np.full((n, pairs, 1), END_TOKEN)
    asking = np.concatenate([equals, answers, end], axis=2).reshape(n, 4 * pairs)
    tokens = np.concatenate([prompts[:, : 1 + 2 * pairs], asking], axis=1)
    counts = np.zeros(tokens.shape, dtype=np.float32)
    counts[:, 1 + 2 * pairs :] = np.tile([0.0, 0.0, 0.5, 0.5], pairs)
    return tokens, counts


def swap_last_neighbours(targets: Rows) -> Rows:
    """A plausible wrong answer per row: its last two unequal neighbours change places (a row of one letter stays).

    It is always the same pair. Were the pair drawn at random, the likeliest letter at each place would be the right
    one, and an organism that answers greedily would hide nothing.
    """
    wrong = targets.copy()
    differs = targets[:, :-1] != targets[:, 1:]
    place = differs.shape[1] - 1 - differs[:, ::-1].argmax(axis=1)
    row = np.arange(len(targets))
    wrong[row, place], wrong[row, place + 1] = targets[row, place + 1], targets[row, place]
    return wrong
