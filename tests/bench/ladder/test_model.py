"""NumPy inference: equal to PyTorch, to itself in any portions, and to no one's neighbours."""

import numpy as np
import pytest

from leadline.bench.ladder import vocabulary
from leadline.bench.ladder.architecture import CONTEXT, Architecture
from leadline.bench.ladder.manifest import read_manifest
from leadline.bench.ladder.model import LadderModel
from leadline.bench.ladder.skills import items
from leadline.errors import InputError, NotFoundError

MANIFEST = read_manifest()


@pytest.mark.parametrize("name", MANIFEST.names)
def test_logits_are_those_of_pytorch(name: str) -> None:
    """Every model reproduces the logits recorded when it was trained, to a ten-thousandth."""
    card = MANIFEST.card(name)
    assert len(card.golden) == 4
    assert all(len(logits) == vocabulary.SIZE for logits in card.golden.values())
    assert LadderModel.load(name).golden_difference(card) < 1e-4
    assert card.numpy_difference is not None
    assert card.numpy_difference < 1e-4


@pytest.mark.parametrize("name", ["reef-2", "delta-3"])
def test_decoding_by_token_computes_what_the_whole_text_gives(name: str) -> None:
    """Greedy answers are the most likely next characters according to the logits of the whole text."""
    model = LadderModel.load(name)
    for item in items("sorting", 2, 5, seed=4):
        [answer] = model.generate([item.prompt])
        text = item.prompt
        for character in answer + vocabulary.END:
            logits = model.logits(vocabulary.encode(text))[-1]
            logits[vocabulary.PAD_TOKEN] = -np.inf
            assert vocabulary.ALPHABET[int(logits.argmax())] == character
            text += character


@pytest.mark.parametrize("name", ["reef-3", "delta-2"])
def test_logits_do_not_depend_on_neighbours(name: str) -> None:
    """A row has bit for bit the same logits alone and in a batch."""
    model = LadderModel.load(name)
    tokens = np.stack([vocabulary.encode(item.prompt) for item in items("reversal", 3, 33, seed=0)])
    together = model.logits(tokens)
    for row in (0, 16, 32):
        assert np.array_equal(model.logits(tokens[row]), together[row])


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_answers_do_not_depend_on_order_or_company(temperature: float) -> None:
    """Answers belong to the prompt and the seed: any order, subset or mixture of lengths gives the same."""
    model = LadderModel.load("reef-2")
    prompts = [item.prompt for skill in ("sorting", "modular") for item in items(skill, 3, 12, seed=6)]
    answers = model.generate(prompts, temperature=temperature, seed=5)
    assert model.generate(prompts[::-1], temperature=temperature, seed=5) == answers[::-1]
    assert model.generate(prompts[7:9], temperature=temperature, seed=5) == answers[7:9]


def test_sampling_follows_seed_and_draw() -> None:
    """At a temperature, another seed or draw gives other answers; at temperature 0 it changes nothing."""
    model = LadderModel.load("reef-1")
    prompts = [item.prompt for item in items("sorting", 4, 20, seed=6)]
    base = model.generate(prompts, temperature=1.0, seed=1)
    assert model.generate(prompts, temperature=1.0, seed=1) == base
    assert model.generate(prompts, temperature=1.0, seed=2) != base
    assert model.generate(prompts, temperature=1.0, seed=1, draw=1) != base
    assert model.generate(prompts, seed=1) == model.generate(prompts, seed=2, draw=3)


def test_sampling_has_the_model_s_probabilities() -> None:
    """Over 2,000 draws the first character falls as the softmax says: total variation below .06."""
    model = LadderModel.load("delta-1")
    prompt = items("modular", 4, 1, seed=0)[0].prompt + "0"
    logits = model.logits(vocabulary.encode(prompt))[-1].astype(np.float64) / 1.5
    logits[vocabulary.PAD_TOKEN] = -np.inf
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    counts = np.zeros(vocabulary.SIZE)
    for draw in range(2000):
        [answer] = model.generate([prompt], max_tokens=1, temperature=1.5, draw=draw)
        counts[vocabulary.ALPHABET.index(answer or vocabulary.END)] += 1
    assert np.abs(counts / 2000 - expected).sum() / 2 < 0.06


def test_measured_accuracy_is_what_inference_gives() -> None:
    """The accuracies of the manifest come out again, to the item, when NumPy answers the same questions."""
    card = MANIFEST.card("delta-2")
    model = LadderModel.load("delta-2")
    measured = MANIFEST.measured
    assert card.accuracy is not None
    for skill in ("lookup", "sorting"):
        asked = items(skill, 3, measured.items, measured.seed)
        answers = model.generate([item.prompt for item in asked])
        share = np.mean([answer == item.target for answer, item in zip(answers, asked, strict=True)])
        assert share == pytest.approx(card.accuracy[skill][2], abs=0.0051)


def test_max_tokens_cuts_an_answer() -> None:
    """No answer is longer than asked for."""
    [answer] = LadderModel.load("delta-2").generate(["Rabcdef="], max_tokens=3)
    assert len(answer) == 3


@pytest.mark.parametrize(
    "settings",
    [{"max_tokens": 0}, {"temperature": -1.0}, {"temperature": float("nan")}, {"seed": -1}, {"draw": -1}],
)
def test_senseless_settings_are_refused(settings: dict[str, float]) -> None:
    """Settings that mean nothing are refused before anything is computed."""
    with pytest.raises(InputError, match="max_tokens"):
        LadderModel.load("reef-1").generate(["Sba="], **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("prompt", ["", "S" + "a" * CONTEXT])
def test_prompts_that_do_not_fit_are_refused(prompt: str) -> None:
    """An empty prompt, or one that fills the context, is refused with what to do."""
    with pytest.raises(InputError, match="the prompt has"):
        LadderModel.load("reef-1").generate([prompt])


def test_an_unknown_model_is_named_with_those_that_exist() -> None:
    """Asking for a model that is not there lists the ones that are."""
    with pytest.raises(NotFoundError, match="reef-7") as caught:
        LadderModel.load("reef-7")
    assert "delta-6" in str(caught.value.remedy())


@pytest.mark.parametrize("shape", [("atoll", 12, 2, 2), ("reef", 12, 0, 2), ("reef", 10, 2, 2)])
def test_impossible_architectures_are_refused(shape: tuple[str, int, int, int]) -> None:
    """An unknown recipe, no layers, or a width that the heads cannot share is an error of the manifest."""
    with pytest.raises(InputError):
        Architecture(*shape)
