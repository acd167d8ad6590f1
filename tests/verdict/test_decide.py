"""The decision table, claim kind by claim kind, and the levels of a family."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.protocol.blocks.claims import ClaimKind, Outcome
from leadline.verdict.decide import decide, levels

D = 0.1
#: (wide, narrow) intervals that mean something, by what they show.
SMALL = ((-0.06, 0.08), (-0.05, 0.07))
SMALL_NOT_ZERO = ((0.01, 0.08), (0.02, 0.07))
POSITIVE = ((0.02, 0.3), (0.04, 0.28))
LARGE = ((0.12, 0.3), (0.14, 0.28))
NEGATIVE = ((-0.3, -0.02), (-0.28, -0.04))
VERY_NEGATIVE = ((-0.3, -0.12), (-0.28, -0.14))
WIDE = ((-0.3, 0.3), (-0.25, 0.25))

TABLE: list[tuple[ClaimKind, tuple[tuple[float, float], tuple[float, float]], Outcome]] = [
    ("greater", SMALL, "null"),
    ("greater", SMALL_NOT_ZERO, "null"),
    ("greater", POSITIVE, "supported"),
    ("greater", LARGE, "supported"),
    ("greater", NEGATIVE, "refuted"),
    ("greater", WIDE, "inconclusive"),
    ("at_least", SMALL, "null"),
    ("at_least", POSITIVE, "inconclusive"),
    ("at_least", LARGE, "supported"),
    ("at_least", NEGATIVE, "refuted"),
    ("at_least", WIDE, "inconclusive"),
    ("differs", SMALL, "null"),
    ("differs", POSITIVE, "supported"),
    ("differs", NEGATIVE, "supported"),
    ("differs", WIDE, "inconclusive"),
    ("no_worse", SMALL, "supported"),
    ("no_worse", LARGE, "supported"),
    ("no_worse", VERY_NEGATIVE, "refuted"),
    ("no_worse", NEGATIVE, "inconclusive"),
    ("no_worse", WIDE, "inconclusive"),
    ("equivalent", SMALL, "supported"),
    ("equivalent", LARGE, "refuted"),
    ("equivalent", VERY_NEGATIVE, "refuted"),
    ("equivalent", POSITIVE, "inconclusive"),
    ("equivalent", WIDE, "inconclusive"),
]


@pytest.mark.parametrize(("kind", "intervals", "outcome"), TABLE)
def test_each_cell_of_the_table(
    kind: ClaimKind, intervals: tuple[tuple[float, float], tuple[float, float]], outcome: Outcome
) -> None:
    """Every claim kind reads every kind of interval as the table says."""
    assert decide(kind, *intervals, D) == outcome


def test_a_margin_must_be_cleared_as_a_whole() -> None:
    """`greater` than m is supported only when the wide interval lies above m."""
    assert decide("greater", (0.04, 0.3), (0.05, 0.28), D, margin=0.05) == "inconclusive"
    assert decide("greater", (0.06, 0.3), (0.07, 0.28), D, margin=0.05) == "supported"


@given(
    low=st.floats(-1, 1),
    width=st.floats(0.001, 1),
    inner=st.floats(0.1, 0.9),
    kind=st.sampled_from(["greater", "at_least", "differs", "no_worse", "equivalent"]),
)
def test_support_and_refutation_never_meet(low: float, width: float, inner: float, kind: ClaimKind) -> None:
    """Mirroring the effect never turns a directional support into another support."""
    wide = (low, low + width)
    margin = width * (1 - inner) / 2
    narrow = (wide[0] + margin, wide[1] - margin)
    mirrored = decide(kind, (-wide[1], -wide[0]), (-narrow[1], -narrow[0]), D)
    outcome = decide(kind, wide, narrow, D)
    if kind in ("differs", "equivalent"):
        assert mirrored == outcome
    elif outcome == "supported" and kind in ("greater", "at_least"):
        assert mirrored != "supported"


def _decided_below(thresholds: dict[str, float]):  # type: ignore[no-untyped-def]
    """A member is decided at levels at or above its threshold (its p-value)."""
    return lambda name, level: "supported" if level >= thresholds[name] else "inconclusive"


def holm_rejections(p: dict[str, float], alpha: float) -> set[str]:
    """Holm's step-down procedure, straight from the definition."""
    rejected: set[str] = set()
    for rank, name in enumerate(sorted(p, key=p.__getitem__)):
        if p[name] > alpha / (len(p) - rank):
            break
        rejected.add(name)
    return rejected


def bh_rejections(p: dict[str, float], alpha: float) -> set[str]:
    """Benjamini and Hochberg's step-up procedure, straight from the definition."""
    ordered = sorted(p, key=p.__getitem__)
    last = max((j for j in range(1, len(p) + 1) if p[ordered[j - 1]] <= alpha * j / len(p)), default=0)
    return set(ordered[:last])


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=7))
def test_family_levels_decide_what_holm_and_bh_reject(values: list[float]) -> None:
    """With a p-value for each member, the levels decide exactly the procedure's rejections."""
    p = {f"h{i}": value for i, value in enumerate(values)}
    alpha = dict.fromkeys(p, 0.05)
    decided = _decided_below(p)
    for correction, rejections in (("holm", holm_rejections), ("bh", bh_rejections)):
        at = levels(list(p), alpha, decided, correction)  # type: ignore[arg-type]
        got = {name for name in p if decided(name, at[name]) != "inconclusive"}
        if len(p) > 1:
            assert got == rejections(p, 0.05)


def test_no_correction_leaves_every_level_alone() -> None:
    """`none` means each hypothesis at its own registered level."""
    assert levels(["a", "b"], {"a": 0.05, "b": 0.01}, _decided_below({"a": 1, "b": 1}), "none") == {
        "a": 0.05,
        "b": 0.01,
    }


def test_holm_example_of_six() -> None:
    """p = (.01, .02, .03, .04, .05, .2): Holm adjusts the smallest to .06, so nothing is decided at .05."""
    p = dict(zip("abcdef", (0.01, 0.02, 0.03, 0.04, 0.05, 0.2), strict=True))
    at = levels(list(p), dict.fromkeys(p, 0.05), _decided_below(p), "holm")
    assert all(math.isclose(level, 0.05 / 6) for level in at.values())


def test_every_pair_of_kinds_and_intervals_gives_a_word() -> None:
    """The table is total: any interval gives one of the four outcomes."""
    grid = [(-0.2, -0.15), (-0.2, 0.0), (-0.05, 0.05), (0.0, 0.2), (0.15, 0.2)]
    for kind, wide in itertools.product(("greater", "at_least", "differs", "no_worse", "equivalent"), grid):
        assert decide(kind, wide, wide, D) in {"supported", "refuted", "null", "inconclusive"}
