"""Activations of a ladder model are read and changed at places named as TransformerLens names them."""

import numpy as np
import pytest

from leadline.bench.ladder import vocabulary
from leadline.bench.ladder.hooks import hook_names
from leadline.bench.ladder.model import LadderModel
from leadline.errors import InputError

MODELS = ("reef-2", "delta-2")
PROMPT = vocabulary.encode("Scabb=")


@pytest.mark.parametrize("name", MODELS)
def test_reading_changes_nothing(name: str) -> None:
    """Logits with every place read are bit for bit those without, and the parts add up to the stream."""
    model = LadderModel.load(name)
    logits, cache = model.run_with_cache(PROMPT)
    assert np.array_equal(logits, model.logits(PROMPT))
    assert tuple(cache) == hook_names(model.architecture)
    assert cache["hook_embed"].shape == (1, len(PROMPT), model.architecture.width)
    for layer in range(model.architecture.layers):
        of = {
            key: cache[f"blocks.{layer}.hook_{key}"]
            for key in ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post")
        }
        assert np.array_equal(of["resid_pre"] + of["attn_out"], of["resid_mid"])
        assert np.array_equal(of["resid_mid"] + of["mlp_out"], of["resid_post"])


@pytest.mark.parametrize("name", MODELS)
def test_patching_a_whole_state_carries_the_other_prompts_answer(name: str) -> None:
    """The stream of another prompt put in its place gives that prompt's logits."""
    model = LadderModel.load(name)
    other = vocabulary.encode("Sdcba=")
    expected, cache = model.run_with_cache(other)
    patched = model.run_with_hooks(PROMPT, {"blocks.0.hook_resid_post": lambda x, at: cache[at]})
    assert np.array_equal(patched, expected)
    assert not np.array_equal(patched, model.logits(PROMPT))


def test_what_cannot_be_hooked_says_so() -> None:
    """An unknown place and another shape are errors that name them."""
    model = LadderModel.load("reef-1")
    with pytest.raises(InputError, match="no place"):
        model.run_with_hooks(PROMPT, {"blocks.9.hook_resid_post": lambda x, at: None})
    with pytest.raises(InputError, match="shape"):
        model.run_with_hooks(PROMPT, {"hook_embed": lambda x, at: x[:, :1]})
