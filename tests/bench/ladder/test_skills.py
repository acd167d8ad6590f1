"""The item generator: right answers, held-out items, determinism."""

import itertools

import numpy as np
import pytest

from leadline.bench.ladder import skills
from leadline.bench.ladder.skills import LEVELS, MAX_ITEMS, SIZES, SKILLS, Item, examples, held_out, items
from leadline.bench.ladder.vocabulary import encode
from leadline.errors import InputError

CELLS = list(itertools.product(SKILLS, LEVELS))


def answer(prompt: str) -> str:
    """Solve a prompt from its text alone, by other means than the generator."""
    tag, body = prompt[0], prompt[1:]
    if tag == "L":
        table, asked = body.split("=")
        return dict(zip(table[::2], table[1::2], strict=True))[asked]
    if tag == "M":
        left, rest = body.rstrip("=").split("+")
        right, modulus = rest.split("%")
        return f"{(int(left) + int(right)) % int(modulus):02d}"
    word = body.rstrip("=")
    return word[::-1] if tag == "R" else "".join(sorted(word))


@pytest.mark.parametrize(("skill", "level"), CELLS)
def test_targets_are_right(skill: str, level: int) -> None:
    """Every target is the answer that a plain reading of the prompt gives."""
    asked = items(skill, level, 200, seed=11)
    assert [item.target for item in asked] == [answer(item.prompt) for item in asked]


@pytest.mark.parametrize(("skill", "level"), CELLS)
def test_items_are_distinct_held_out_and_of_one_length(skill: str, level: int) -> None:
    """The largest request is met with distinct held-out prompts of one length, and says where they come from."""
    asked = items(skill, level, MAX_ITEMS, seed=2)
    rows = np.stack([encode(item.prompt) for item in asked])
    assert held_out(skill, rows).all()
    assert len({item.prompt for item in asked}) == len({item.id for item in asked}) == MAX_ITEMS
    assert {(i.metadata["skill"], i.metadata["level"], i.metadata["size"]) for i in asked} == {
        (skill, level, SIZES[skill][level - 1])
    }


@pytest.mark.parametrize(("skill", "level"), CELLS)
def test_training_never_meets_a_held_out_item(skill: str, level: int) -> None:
    """Training batches and worked examples hold no held-out prompt, small sums included."""
    prompts, targets = skills.training_batch(skill, level, 3000, np.random.default_rng(0), small=0.4)
    assert len(prompts) == len(targets) == 3000
    assert not held_out(skill, prompts).any()
    shown = examples(skill, level, 50, seed=3)
    assert not held_out(skill, np.stack([encode(item.prompt) for item in shown])).any()
    assert [item.target for item in shown] == [answer(item.prompt) for item in shown]


def test_a_sum_and_its_swap_are_held_out_together() -> None:
    """a + b and b + a are one question: knowing one from training would give away the other."""
    pairs = [(a, b) for a in range(0, 100, 7) for b in range(0, 100, 3)]
    one = np.stack([encode(f"M{a:02d}+{b:02d}%11=") for a, b in pairs])
    other = np.stack([encode(f"M{b:02d}+{a:02d}%11=") for a, b in pairs])
    assert (held_out("modular", one) == held_out("modular", other)).all()


def test_about_one_prompt_in_five_is_held_out() -> None:
    """The hash takes a fifth of the questions, within four standard errors."""
    rng = np.random.default_rng(5)
    letters = rng.integers(1, 20, size=(20_000, 8))
    assert abs(held_out("sorting", letters).mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 20_000)


def test_items_belong_to_their_seed() -> None:
    """The same seed gives the same items, a smaller n a prefix, another seed other items; ids follow prompts."""
    first = items("lookup", 3, 40, seed=1)
    assert items("lookup", 3, 40, seed=1) == first
    assert items("lookup", 3, 7, seed=1) == first[:7]
    assert {item.id for item in items("lookup", 3, 40, seed=2)} != {item.id for item in first}
    assert first[0] == Item(
        id="lookup-3-9880f622b120",
        prompt="Ld0m5c1i9a6f8=a",
        target="6",
        metadata={"skill": "lookup", "level": 3, "size": 6},
    )


def test_fewer_examples_are_the_first_of_more() -> None:
    """One worked example is the first of three, so that arms with different shots are nested."""
    assert examples("reversal", 1, 1, seed=9) == examples("reversal", 1, 3, seed=9)[:1]
    assert examples("reversal", 1, 0, seed=9) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("spelling", 1, 5, 0), "no skill 'spelling'"),
        (("lookup", 5, 5, 0), "no level 5"),
        (("lookup", 1, 0, 0), "n is 0"),
        (("lookup", 1, MAX_ITEMS + 1, 0), "n is 501"),
        (("lookup", 1, 5, -1), "seed is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, int, int, int], said: str) -> None:
    """Unknown skills, levels, counts and seeds are named, with what to do."""
    with pytest.raises(InputError, match=said) as caught:
        items(*arguments)
    assert caught.value.remedy()
