"""Concepts: what a text speaks about, whatever words it uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.landscape.synonyms import alternatives, concepts, stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("detecting deception", "detects deceptive"),
        ("monitors", "Monitored"),
        ("catch backdoors", "flag trojans"),
        ("activation addition", "steering vector"),
        ("a Linear Probe", "the activation-probe"),
        ("generalization", "generalisation"),
        ("SAE", "sparse autoencoders"),
    ],
)
def test_the_same_thing_said_otherwise(one: str, other: str) -> None:
    """Endings, synonyms, aliases and small words make no difference."""
    assert concepts(one) == concepts(other) != []


def test_different_things_stay_apart() -> None:
    """A technique's name is one concept, not its words; unrelated words do not meet."""
    assert concepts("linear probe") != concepts("linear")
    assert concepts("debate") != concepts("unlearning")
    assert concepts("of the and") == []
    assert len(concepts("probing probes probe")) == 3


def test_alternatives_are_the_rest_of_a_group() -> None:
    """A word's alternatives are the other words of its group, never a form of itself."""
    assert "catch" in alternatives("detected")
    assert all(stem(word) != stem("detected") for word in alternatives("detected"))
    assert alternatives("quokka") == ()


@given(st.text(max_size=300))
def test_any_text_has_concepts(text: str) -> None:
    """No text raises anything, and nothing is invented: there are at most as many concepts as words."""
    assert len(concepts(text)) <= len(text)


def test_long_texts_are_read_in_part() -> None:
    """A very long text or word costs no more than its beginning."""
    assert len(concepts("word " * 100_000)) == 4_000
    assert len(stem("a" * 1_000)) == 64
