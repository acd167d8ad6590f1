"""The four skills of the ladder, each at four levels of difficulty, as a pure, seeded item generator.

========  ==========================================  ==========================  ====================
skill     prompt and target at some level             level 1, 2, 3, 4            chance of a blind guess
========  ==========================================  ==========================  ====================
lookup    ``La3c7=c`` -> ``7``                        2, 4, 6, 8 pairs            one in the pairs
modular   ``M48+73%07=`` -> ``02``                    modulus 2, 5, 10, 11        one in the modulus
reversal  ``Rabca=`` -> ``acba``                      4, 6, 9, 12 letters         16 to the minus letters
sorting   ``Scabb=`` -> ``abbc``                      4, 6, 9, 12 letters         low
========  ==========================================  ==========================  ====================

Everything at one skill and level has one length, so that batches are rectangular. One item in five, chosen by a
hash of its prompt, is **held out**: `items` gives only held-out items, `training_batch` never gives one.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadline.bench.ladder.vocabulary import ALPHABET, DIGITS, LETTERS, decode
from leadline.errors import InputError

Rows = npt.NDArray[np.int64]

#: What each level of a skill means: pairs, modulus or letters.
SIZES: Mapping[str, tuple[int, ...]] = {
    "lookup": (2, 4, 6, 8),
    "modular": (2, 5, 10, 11),
    "reversal": (4, 6, 9, 12),
    "sorting": (4, 6, 9, 12),
}
SKILLS: tuple[str, ...] = tuple(SIZES)
LEVELS: tuple[int, ...] = (1, 2, 3, 4)
#: Most items one call may ask for; the smallest cell holds over 500 held-out items.
MAX_ITEMS = 500

_TAG = {"lookup": "L", "modular": "M", "reversal": "R", "sorting": "S"}
_DIGIT = ALPHABET.index(DIGITS[0])
_LETTER = ALPHABET.index(LETTERS[0])
_HELD_OUT_SHARE = 5
_BLOCK = 512


@dataclass(frozen=True)
class Item:
    """One question: what is asked, the only right answer, and where it comes from.

    ``id`` is a digest of the prompt, so that the same question has the same id in every arm, and two different
    questions never share one.
    """

    id: str
    prompt: str
    target: str
    metadata: Mapping[str, str | int]


def items(skill: str, level: int, n: int, seed: int) -> list[Item]:
    """`n` distinct held-out items of one skill and level; a smaller `n` gives a prefix of a larger one.

    Raises
    ------
    InputError: no such skill or level, or `n` outside 1 to `MAX_ITEMS`, or a negative seed.
    """
    _require_cell(skill, level)
    if not 1 <= n <= MAX_ITEMS:
        raise InputError(f"n is {n}", where="items", remedy=f"ask for 1 to {MAX_ITEMS} items")
    rng = _generator(seed, skill, level)
    found: dict[str, str] = {}
    while len(found) < n:
        prompts, targets = _draw(skill, level, _BLOCK, rng)
        keep = held_out(skill, prompts)
        for prompt, target in zip(prompts[keep], targets[keep], strict=True):
            found.setdefault(decode(prompt), decode(target))
    return [_item(skill, level, prompt, target) for prompt, target in list(found.items())[:n]]


def examples(skill: str, level: int, n: int, seed: int) -> list[Item]:
    """`n` distinct worked examples, none of them held out: what a few-shot prompt shows before the question."""
    _require_cell(skill, level)
    if not 0 <= n <= MAX_ITEMS:
        raise InputError(f"n is {n}", where="examples", remedy=f"ask for 0 to {MAX_ITEMS} examples")
    rng = _generator(seed, skill, level, stream=1)
    found: dict[str, str] = {}
    while len(found) < n:
        prompts, targets = training_batch(skill, level, _BLOCK // 16, rng)
        for prompt, target in zip(prompts, targets, strict=True):
            found.setdefault(decode(prompt), decode(target))
    return [_item(skill, level, prompt, target) for prompt, target in list(found.items())[:n]]


def training_batch(
    skill: str, level: int, n: int, rng: np.random.Generator, small: float = 0.0
) -> tuple[Rows, Rows]:
    """Token rows of `n` items that are not held out: prompts ``(n, P)`` and targets ``(n, A)``.

    `small` is the share of modular items one of whose operands is 0, 1 or 2: neither operand of a uniform sum says
    anything about the answer alone, so without such items there is nothing to start learning from.
    """
    _require_cell(skill, level)
    prompts, targets = _draw(skill, level, 2 * n + 16, rng)
    if skill == "modular" and small > 0:
        easy = rng.random(len(prompts)) < small
        prompts[easy], targets[easy] = _small_sums(SIZES[skill][level - 1], int(easy.sum()), rng)
    free = ~held_out(skill, prompts)
    prompts, targets = prompts[free], targets[free]
    if len(prompts) < n:
        more_prompts, more_targets = training_batch(skill, level, n - len(prompts), rng, small)
        prompts, targets = np.concatenate([prompts, more_prompts]), np.concatenate([targets, more_targets])
    return prompts[:n], targets[:n]


def held_out(skill: str, prompts: Rows) -> npt.NDArray[np.bool_]:
    """Which prompts are never trained on, shape ``(n,)``.

    a + b and b + a are one question, so modular prompts are hashed with their operands in order.
    """
    rows = prompts
    if skill == "modular":
        first, second = prompts[:, 1:3], prompts[:, 4:6]
        swap = (first[:, 0] * 64 + first[:, 1]) > (second[:, 0] * 64 + second[:, 1])
        rows = prompts.copy()
        rows[swap, 1:3], rows[swap, 4:6] = second[swap], first[swap]
    digest = np.full(len(rows), 0xCBF29CE484222325, dtype=np.uint64)
    for column in rows.T:
        digest = (digest ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
    return np.asarray((digest >> np.uint64(33)) % np.uint64(_HELD_OUT_SHARE) == 0)


def _small_sums(modulus: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    operands = np.stack([rng.integers(0, 100, size=n), rng.integers(0, 3, size=n)])
    left, right = rng.permuted(operands, axis=0)
    content, targets = modular_rows(left, right, modulus)
    return np.concatenate([_column(_TAG["modular"], n), content], axis=1), targets


def _item(skill: str, level: int, prompt: str, target: str) -> Item:
    digest = hashlib.sha256(prompt.encode("ascii")).hexdigest()[:12]
    size = SIZES[skill][level - 1]
    return Item(f"{skill}-{level}-{digest}", prompt, target, {"skill": skill, "level": level, "size": size})


def _require_cell(skill: str, level: int) -> None:
    if skill not in SIZES:
        raise InputError(f"no skill {skill!r}", where="ladder", remedy=f"choose one of {', '.join(SKILLS)}")
    if level not in LEVELS:
        raise InputError(f"no level {level}", where=f"skill {skill}", remedy="choose 1, 2, 3 or 4")


def _generator(seed: int, skill: str, level: int, stream: int = 0) -> np.random.Generator:
    if seed < 0:
        raise InputError(f"the seed is {seed}", where="ladder", remedy="give a seed of 0 or more")
    return np.random.default_rng([seed, SKILLS.index(skill), level, stream])


def _draw(skill: str, level: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    size = SIZES[skill][level - 1]
    content, targets = _DRAWS[skill](size, n, rng)
    return np.concatenate([_column(_TAG[skill], n), content], axis=1), targets


def _column(character: str, n: int) -> Rows:
    return np.full((n, 1), ALPHABET.index(character))


def _lookup(pairs: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Distinct letters as keys and distinct digits as values, so that a wrong value is never right by accident."""
    keys = rng.permuted(np.tile(np.arange(len(LETTERS)), (n, 1)), axis=1)[:, :pairs] + _LETTER
    values = rng.permuted(np.tile(np.arange(len(DIGITS)), (n, 1)), axis=1)[:, :pairs] + _DIGIT
    asked = rng.integers(0, pairs, size=n)
    table = np.stack([keys, values], axis=2).reshape(n, 2 * pairs)
    row = np.arange(n)
    return np.concatenate([table, _column("=", n), keys[row, asked, None]], axis=1), values[row, asked, None]


def _modular(modulus: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    return modular_rows(rng.integers(0, 100, size=n), rng.integers(0, 100, size=n), modulus)


def modular_rows(left: Rows, right: Rows, modulus: int) -> tuple[Rows, Rows]:
    """Content and target rows of ``left + right`` modulo `modulus`, for operands 0 to 99, shape ``(n,)``."""
    n = len(left)
    parts = [_two_digits(left), _column("+", n), _two_digits(right), _column("%", n)]
    parts += [_two_digits(np.full(n, modulus)), _column("=", n)]
    return np.concatenate(parts, axis=1), _two_digits((left + right) % modulus)


def _two_digits(numbers: Rows) -> Rows:
    return np.stack([numbers // 10, numbers % 10], axis=1) + _DIGIT


def _reversal(length: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    word = rng.integers(0, len(LETTERS), size=(n, length)) + _LETTER
    return np.concatenate([word, _column("=", n)], axis=1), word[:, ::-1]


def _sorting(length: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    word = rng.integers(0, len(LETTERS), size=(n, length)) + _LETTER
    return np.concatenate([word, _column("=", n)], axis=1), np.sort(word, axis=1)


_DRAWS: Mapping[str, Callable[[int, int, np.random.Generator], tuple[Rows, Rows]]] = {
    "lookup": _lookup,
    "modular": _modular,
    "reversal": _reversal,
    "sorting": _sorting,
}
