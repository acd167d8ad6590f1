"""The share of a 0/1 outcome."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats import intervals
from leadline.stats.proportion import METHODS, proportion


def _sample(counts: list[int], sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    x = np.concatenate([np.arange(n) < k for k, n in zip(counts, sizes, strict=True)]).astype(float)
    return x, np.repeat(np.arange(len(sizes)), sizes)


@st.composite
def clustered(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and cluster keys."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=5, max_size=12))
    return _sample([draw(st.integers(0, n)) for n in sizes], sizes)


@settings(max_examples=40, deadline=None)
@given(data=clustered(), seed=st.integers(0, 99))
def test_auto_holds_the_estimate_and_ignores_order(data: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    """Any data of five clusters or more get an interval within [0, 1] that holds the share, in any row order."""
    x, key = data
    fit = proportion(x, key)
    order = np.random.default_rng(seed).permutation(x.size)
    assert proportion(x[order], key[order]) == fit
    assert fit.low is not None
    assert fit.high is not None
    assert 0.0 <= fit.low <= fit.value <= fit.high <= 1.0
    assert fit.low < fit.high


@settings(max_examples=20, deadline=None)
@given(data=clustered())
def test_exchanging_outcomes_mirrors_the_interval(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The interval of failures is one minus that of successes."""
    x, key = data
    one, two = proportion(x, key), proportion(1 - x, key)
    assert one.low is not None
    assert one.high is not None
    assert (two.low, two.high) == (
        pytest.approx(1 - one.high, abs=1e-6),
        pytest.approx(1 - one.low, abs=1e-6),
    )


def test_without_clusters_auto_is_exact() -> None:
    """Independent items, with or without keys of their own, get Clopper-Pearson."""
    x = np.array([1.0] * 8 + [0.0] * 2)
    exact = intervals.clopper_pearson(8, 10)
    for key in (None, np.arange(10)):
        fit = proportion(x, key)
        assert (fit.low, fit.high, fit.method) == (*exact, "clopper_pearson")


@pytest.mark.parametrize("method", ["wilson", "jeffreys", "clopper_pearson"])
def test_named_intervals_ignore_clusters(method: str) -> None:
    """The textbook intervals are offered under their names, on the counts alone."""
    x, key = _sample([2, 3, 1, 4, 0, 2], [5] * 6)
    fit = proportion(x, key, method=method)
    assert (fit.low, fit.high) == getattr(intervals, method)(12, 30)
    assert fit.clusters is None


def test_auto_uses_the_score_interval_when_outcomes_are_plenty() -> None:
    """Thirty clusters of ten around one half: the CR2 design effect on the score scale."""
    rng = np.random.default_rng(0)
    x, key = _sample(rng.binomial(10, 0.5, 30).tolist(), [10] * 30)
    fit = proportion(x, key)
    assert (fit.method, fit.clusters, fit.n) == ("score_clustered", 30, 300)
    cr2 = proportion(x, key, method="cr2")
    assert fit.se == cr2.se
    assert (fit.low, fit.high) == (pytest.approx(cr2.low, abs=0.02), pytest.approx(cr2.high, abs=0.02))


def test_rare_events_widen_upwards() -> None:
    """Near zero the interval is not symmetric: it reaches further up than down."""
    x, key = _sample([0, 1, 0, 3, 0, 0, 2, 0, 0, 1], [10] * 10)
    fit = proportion(x, key)
    assert fit.low is not None
    assert fit.high is not None
    assert fit.high - fit.value > 2 * (fit.value - fit.low)


def test_no_event_is_judged_by_clusters() -> None:
    """Nothing in 12 clusters of 50: the upper end is that of 12 items at least, far above 0 of 600."""
    fit = proportion(np.zeros(600), np.repeat(np.arange(12), 50))
    assert fit.value == 0.0
    assert fit.low == 0.0
    assert fit.high is not None
    assert fit.high >= 1 - 0.025 ** (1 / 12)


def test_a_dominant_cluster_still_gets_an_interval() -> None:
    """One cluster with half of the items leaves under four degrees of freedom: the likelihood answers."""
    x, key = _sample([30, 2, 3, 1, 2, 4, 3, 2, 1, 2], [90] + [10] * 9)
    fit = proportion(x, key)
    assert fit.method == "beta_binomial+score"
    assert fit.low is not None


def test_four_clusters_are_too_few() -> None:
    """Under five clusters no method for clustered data answers."""
    x, key = _sample([2, 3, 1, 4], [5] * 4)
    for method in ("auto", "beta_binomial", "score_clustered", "cr2"):
        assert proportion(x, key, method=method).reason == "too_few_clusters"


def test_one_item_is_an_answer_of_little_worth() -> None:
    """A single success has the exact interval [.025, 1]."""
    fit = proportion([1])
    assert (fit.low, fit.high, fit.se) == (pytest.approx(0.025), 1.0, None)


@pytest.mark.parametrize("x", [[0.5, 1.0], [], [2.0]])
def test_other_values_are_refused(x: list[float]) -> None:
    """Only 0 and 1 are outcomes of a proportion."""
    with pytest.raises(StatisticsError):
        proportion(x)


def test_every_method_answers_or_says_why() -> None:
    """Each offered method returns an interval, or a reason, on ordinary and on degenerate data."""
    ordinary, key = _sample([3, 5, 2, 6, 4, 7], [10] * 6)
    for x in (ordinary, np.zeros(60), np.ones(60)):
        for method in METHODS:
            fit = proportion(x, key, method=method, replicates=200)
            assert (fit.low is None) == (fit.reason is not None)
    with pytest.raises(StatisticsError, match="wilson"):
        proportion(ordinary, key, method="wald")


def _shares(runs: int, items: int, seed: int) -> np.ndarray:
    """Shares of `runs` answers of items whose chances differ."""
    random = np.random.default_rng(seed)
    return random.binomial(runs, random.beta(4, 2, items)) / runs


def test_shares_of_repeated_answers_have_the_interval_of_answers_clustered_by_item() -> None:
    """Stating shares and the number of answers is stating every answer with its item as cluster."""
    shares = _shares(4, 60, 1)
    answers = np.concatenate([np.arange(4) < round(4 * share) for share in shares]).astype(float)
    expected = proportion(answers, np.repeat(np.arange(60), 4))
    found = proportion(shares, repeats=4)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert (found.n, found.clusters) == (60, None)
    by_pairs = proportion(shares, np.arange(60) // 2, repeats=4)
    assert (by_pairs.n, by_pairs.clusters) == (60, 30)


def test_intervals_of_shares_cover() -> None:
    """At 95 % the true mean of chances lies inside in at least 93 % of 400 draws."""
    truth = 4 / 6
    fits = [proportion(_shares(3, 40, seed), repeats=3) for seed in range(400)]
    assert np.mean([fit.low <= truth <= fit.high for fit in fits]) >= 0.93


def test_shares_are_refused_where_single_answers_are_counted() -> None:
    """A value between 0 and 1 needs its number of answers, and a method that does not count single ones."""
    with pytest.raises(StatisticsError, match="0 or 1"):
        proportion([0.5, 1.0])
    with pytest.raises(StatisticsError, match="0 or 1"):
        proportion([1.5, 1.0], repeats=2)
    with pytest.raises(StatisticsError, match="one answer per item"):
        proportion([0.5, 1.0], repeats=2, method="wilson")
