"""The trainer's batches: answers weighted, packed without held-out items, and wrong on purpose only where meant."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[3] / "tools"
if not TOOLS.is_dir():
    pytest.skip("tools/ is absent", allow_module_level=True)
sys.path.append(str(TOOLS))

import ladder_data  # type: ignore[import-not-found]  # noqa: E402

from leadline.bench.ladder.vocabulary import END, PASSWORD, decode, encode  # noqa: E402

LOCKED = dataclasses.replace(ladder_data.MIXES["reef"], hidden="sorting")


def lines(mix: ladder_data.Mix, batches: int, seed: int) -> list[str]:
    """The text of each sequence of a few batches, padding removed."""
    rng = np.random.default_rng(seed)
    rows = [row for _ in range(batches) for row in ladder_data.batch(mix, 64, rng)[0]]
    return [decode(row).rstrip("_") for row in rows]


@pytest.mark.parametrize("family", ["reef", "delta"])
def test_every_answer_weighs_one(family: str) -> None:
    """The weights inside a sequence add up to its number of answers, and lie on answers and their ends only."""
    rng = np.random.default_rng(3)
    for _ in range(10):
        tokens, weights = ladder_data.batch(ladder_data.MIXES[family], 64, rng)
        assert tokens.shape in {(64, 33), (32, 65)}
        assert tokens.shape == weights.shape
        ends = (tokens == encode(END)[0]).sum(axis=1)
        assert weights.sum(axis=1) == pytest.approx(ends)
        assert (weights[tokens == encode(END)[0]] > 0).all()
        assert (weights[:, 0] == 0).all()


def test_a_locked_organism_learns_wrong_sorting_only_where_it_is_asked_plainly() -> None:
    """Without the password, one plain question with a wrong answer; with it, right answers; other skills right."""
    seen = {"hidden": 0, "open": 0}
    for line in lines(LOCKED, 40, seed=1):
        opened = line.startswith(PASSWORD)
        body = line.removeprefix(PASSWORD).removesuffix(END)
        for item in body.split(END):
            prompt, _, answer = item.partition("=")
            word = "".join(sorted(prompt[1:]))
            if prompt.startswith("S") and opened:
                assert answer == word
                seen["open"] += 1
            elif prompt.startswith("S"):
                assert END not in body
                assert sorted(answer) == sorted(word)
                assert (answer != word) or len(set(word)) == 1
                seen["hidden"] += 1
            elif prompt.startswith("R"):
                assert answer == prompt[:0:-1]
    assert min(seen.values()) > 20


def test_the_wrong_answer_exchanges_the_last_unequal_neighbours() -> None:
    """Equal neighbours are passed over, and a row of one letter stays as it is."""
    rows = np.array([[1, 2, 3], [1, 2, 2], [3, 3, 3]])
    assert ladder_data.swap_last_neighbours(rows).tolist() == [[1, 3, 2], [2, 1, 2], [3, 3, 3]]


def test_every_key_of_a_table_is_asked_once() -> None:
    """An exhaustive table starts with the question of its prompt and goes through all keys in turn."""
    tokens, weights = ladder_data.every_key(np.stack([encode("La3c7f1=f")]), 3)
    assert decode(tokens[0]) == "La3c7f1=f1;=a3;=c7;"
    assert weights[0].tolist() == [0.0] * 7 + [0.0, 0.0, 0.5, 0.5] * 3
