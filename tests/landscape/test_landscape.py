"""The vocabularies: complete, unambiguous, and found from what people write."""

import pytest

from leadline import landscape
from leadline.errors import NotFoundError
from leadline.landscape.techniques import TECHNIQUES
from leadline.protocol.blocks.identity import Gaps


def test_the_map_has_nine_areas_and_thirty_eight_leaves() -> None:
    """The map is complete, and every id is its own."""
    leaves = [leaf.id for leaf in landscape.leaves()]
    assert len(landscape.areas()) == 9
    assert len(leaves) == len(set(leaves)) == 38
    assert all(
        leaf.startswith(f"{area.id}/") for area in landscape.areas() for leaf in (x.id for x in area.leaves)
    )
    assert landscape.VERSION == 1


def test_axes_are_those_a_protocol_states() -> None:
    """The axes of difference are the fields of a protocol's gap, in the same order."""
    assert [axis.id for axis in landscape.axes()] == list(Gaps.model_fields)
    assert all(axis.meaning and axis.near for axis in landscape.axes())


def test_areas_and_leaves_are_found_by_id() -> None:
    """An id finds its area or leaf; an unknown one is refused with a suggestion."""
    assert landscape.area("control").title == "AI control"
    assert landscape.area("control/monitoring").id == "control/monitoring"
    assert landscape.is_area("robustness/jailbreaks")
    assert not landscape.is_area("robustness/nothing")
    with pytest.raises(NotFoundError, match="did you mean 'control/monitoring'"):
        landscape.area("control/monitorng")
    with pytest.raises(NotFoundError, match="did you mean 'control'"):
        landscape.area("contrl")
    with pytest.raises(NotFoundError, match="begin with one of: interpretability"):
        landscape.area("qqq")


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("monitors for untrusted models", "control/monitoring"),
        ("sandbagging", "organisms/elicitation"),
        ("SAE features", "interpretability/superposition"),
        ("Backdoors and sleeper agents", "organisms/trojans"),
        ("prompt injection", "security/applications"),
        ("unlearning", "control/unlearning"),
        ("scaling laws", "understanding/scaling"),
        ("mechanistic anomaly detection", "robustness/anomaly-detection"),
        ("weak to strong", "oversight/weak-to-strong"),
        ("calibrated confidence", "other/calibration"),
    ],
)
def test_suggestions(text: str, leaf: str) -> None:
    """What people write leads to the leaf they mean."""
    assert landscape.suggest(text)[0] == leaf


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A monitor catches sabotage", ["control/monitoring"]),
        ("Do two worked examples help a small model with sorting? few-shot prompting", []),
        ("sums", []),
        ("", []),
    ],
)
def test_only_leaves_named_outright_are_mentioned(text: str, found: list[str]) -> None:
    """A leaf is mentioned when every word of one of its terms is there; a word in common is not enough."""
    assert landscape.mentioned(text) == found


def test_nothing_near_means_no_suggestion() -> None:
    """Unrelated words lead nowhere, rather than anywhere."""
    assert landscape.suggest("zzz qqq") == []
    assert landscape.suggest("") == []
    assert len(landscape.suggest("alignment attacks detection evaluations", limit=2)) == 2


def test_techniques_have_one_spelling() -> None:
    """Aliases lead to one technique each, whatever the case, dashes and spaces."""
    names = [name for technique in TECHNIQUES for name in (technique.id, *technique.aliases)]
    folded = [name.casefold().replace("-", "").replace(" ", "") for name in names]
    assert len(folded) == len(set(folded))
    for spelling in ("LoRA", "lora", "low rank adaptation", "LoRA fine-tuning"):
        found = landscape.technique(spelling)
        assert found is not None
        assert found.id == "LoRA fine-tuning"
    assert landscape.technique("phrenology") is None
