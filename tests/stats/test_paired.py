"""Paired differences and ratios."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats.paired import DIFFERENCE_METHODS, difference, mcnemar_exact, ratio, tango
from leadline.stats.quantiles import critical
from leadline.stats.tango import conditional

RNG = np.random.default_rng(4)
A, B = RNG.normal(1.0, 1.0, 90), RNG.normal(0.7, 1.0, 90)
KEY = np.repeat(np.arange(15), 6)


@st.composite
def binary(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two binary arms and their cluster keys."""
    sizes = draw(st.lists(st.integers(1, 8), min_size=5, max_size=9))
    total = sum(sizes)
    bits = st.lists(st.integers(0, 1), min_size=total, max_size=total)
    return np.array(draw(bits)), np.array(draw(bits)), np.repeat(np.arange(len(sizes)), sizes)


@settings(max_examples=40, deadline=None)
@given(data=binary(), seed=st.integers(0, 99))
def test_auto_on_binary_pairs(data: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int) -> None:
    """An interval within [-1, 1] that holds the difference, in any row order, mirrored when the arms change places."""
    a, b, key = data
    fit = difference(a, b, key)
    order = np.random.default_rng(seed).permutation(a.size)
    assert difference(a[order], b[order], key[order]) == fit
    assert fit.low is not None
    assert fit.high is not None
    assert -1.0 <= fit.low <= fit.value <= fit.high <= 1.0
    assert fit.low < fit.high
    back = difference(b, a, key)
    assert (back.low, back.high) == (pytest.approx(-fit.high, abs=1e-6), pytest.approx(-fit.low, abs=1e-6))


def test_graded_scores_use_cr2_of_the_differences() -> None:
    """method='auto' on graded scores is CR2 of a - b, and CR1 for equal clusters coincides."""
    fit = difference(A, B, KEY)
    assert (fit.method, fit.df, fit.clusters, fit.n) == ("cr2", pytest.approx(14.0), 15, 90)
    sums = (A - B).reshape(15, 6).sum(axis=1)
    se = math.sqrt(15 / 14 * np.sum((sums - sums.mean()) ** 2)) / 90
    assert fit.se == pytest.approx(se)
    assert fit.low == pytest.approx((A - B).mean() - critical(0.95, 14) * se)


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_a_common_shift_cancels(scale: float, shift: float) -> None:
    """Adding the same to both arms changes nothing; a change of unit scales everything."""
    one, two = difference(A, B, KEY), difference(scale * A + shift, scale * B + shift, KEY)
    assert one.low is not None
    assert two.value == pytest.approx(scale * one.value, rel=1e-6, abs=1e-9)
    assert two.low == pytest.approx(scale * one.low, rel=1e-6, abs=1e-9)


def test_identical_arms_never_get_zero_width() -> None:
    """Binary arms that never disagree get a band around zero; graded ones get a reason."""
    same = np.tile([0.0, 1.0], 45)
    for key in (None, KEY):
        fit = difference(same, same, key)
        assert fit.low is not None
        assert fit.high is not None
        assert fit.low < 0.0 < fit.high
    assert difference(A, A, KEY).reason == "degenerate"


def test_independent_binary_pairs_use_tango() -> None:
    """Without clusters the interval is Tango's with Student's t, wider than with the normal quantile."""
    a = np.array([1] * 30 + [0] * 15 + [1] * 30 + [0] * 25)
    b = np.array([0] * 30 + [1] * 15 + [1] * 30 + [0] * 25)
    fit, plain = difference(a, b), difference(a, b, method="tango")
    assert (fit.method, fit.clusters) == ("tango", None)
    assert (plain.low, plain.high) == tango(30, 15, 100)
    assert fit.low is not None
    assert plain.low is not None
    assert fit.low < plain.low < fit.low + 0.01


def test_few_discordant_pairs_agree_with_the_exact_test() -> None:
    """With under ten discordant pairs the interval excludes zero only if exact McNemar rejects."""
    for b in range(10):
        for c in range(10 - b):
            n = 60
            first = np.array([1] * b + [0] * c + [1] * (n - b - c))
            second = np.array([0] * b + [1] * c + [1] * (n - b - c))
            fit = difference(first, second)
            assert fit.low is not None
            assert fit.high is not None
            if not fit.low <= 0.0 <= fit.high:
                assert mcnemar_exact(b, c) < 0.05


def test_conditional_interval_excludes_zero_exactly_when_mcnemar_rejects() -> None:
    """The exact conditional interval and the exact test are one statement."""
    for b in range(15):
        for c in range(15):
            if b + c:
                low, high = conditional(b, c, 40, 0.95)
                assert (low > 0 or high < 0) == (mcnemar_exact(b, c) < 0.05)


def test_floors() -> None:
    """Four clusters refuse, nine warn."""
    assert difference(A[:24], B[:24], KEY[:24]).reason == "too_few_clusters"
    assert difference(A[:24] > 0, B[:24] > 0, KEY[:24]).reason == "too_few_clusters"
    assert difference(A[:54], B[:54], KEY[:54]).warnings == ("few_clusters",)


def test_every_method_answers_or_says_why() -> None:
    """Each offered method returns an interval or a reason on clustered binary pairs."""
    a, b = (A > 1).astype(float), (B > 1).astype(float)
    for method in DIFFERENCE_METHODS:
        fit = difference(a, b, KEY, method=method, replicates=200)
        assert (fit.low is None) == (fit.reason is not None)


def test_senseless_input_is_refused() -> None:
    """Unequal lengths, binary methods on graded scores and unknown methods raise StatisticsError."""
    with pytest.raises(StatisticsError, match="items"):
        difference(A, B[:-1])
    with pytest.raises(StatisticsError, match="0 or 1"):
        difference(A, B, method="tango")
    with pytest.raises(StatisticsError, match="unknown"):
        difference(A, B, method="t")
    with pytest.raises(StatisticsError):
        tango(5, 6, 10)
    with pytest.raises(StatisticsError):
        mcnemar_exact(1.5, 2)  # type: ignore[arg-type]


class TestRatio:
    """The log ratio of two paired means."""

    def test_delta_method(self) -> None:
        """Value and error follow the linearisation a_i/mean(a) - b_i/mean(b)."""
        a, b = np.exp(A / 4), np.exp(B / 4)
        fit = ratio(a, b, KEY)
        z = (a / a.mean() - b / b.mean()).reshape(15, 6).sum(axis=1)
        assert fit.value == pytest.approx(math.log(a.mean() / b.mean()))
        assert fit.se == pytest.approx(math.sqrt(15 / 14 * np.sum(z**2)) / 90)
        assert fit.df == pytest.approx(14.0)

    def test_units_cancel(self) -> None:
        """A change of unit of both arms changes nothing."""
        a, b = np.exp(A), np.exp(B)
        assert ratio(a * 1000, b * 1000, KEY).low == pytest.approx(ratio(a, b, KEY).low)

    def test_undefined_ratio_is_refused(self) -> None:
        """A mean that is not positive raises StatisticsError instead of an infinite logarithm."""
        with pytest.raises(StatisticsError, match="positive"):
            ratio([0, 0, 0], [1, 0, 1])

    def test_sparse_events_are_degenerate(self) -> None:
        """Under twenty events in an arm 'auto' gives a reason; a named method still answers."""
        rng = np.random.default_rng(0)
        a, b = (rng.random(200) < 0.05).astype(float), (rng.random(200) < 0.5).astype(float)
        key = np.repeat(np.arange(20), 10)
        assert ratio(a, b, key).reason == "degenerate"
        assert ratio(a, b, key, method="cr2").low is not None
