"""The deterministic cluster bootstrap."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats import kernels
from leadline.stats.bootstrap import cluster_bootstrap, percentile, resample
from leadline.stats.rng import key_of, keyed, stream
from leadline.stats.robust import cr1

RNG = np.random.default_rng(21)
SIZES = RNG.integers(5, 40, 300).astype(float)
SUMS = SIZES * RNG.normal(0.4, 0.1, 300)


@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("clusters", [2, 7, 8, 9, 300])
def test_compiled_and_numpy_paths_give_the_same_bits(columns: int, clusters: int) -> None:
    """The numba kernel reproduces NumPy's Philox and the integer totals exactly."""
    pytest.importorskip("numba")
    table = RNG.integers(-(2**40), 2**40, (clusters, columns))
    key = key_of(b"seed", "label")
    one = kernels.draw_sums(table, 137, key, use_numba=False)
    assert np.array_equal(one, kernels.draw_sums(table, 137, key, use_numba=True))


def test_batches_do_not_change_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicate i depends on i alone: any batch size, any number of replicates."""
    one = resample((SIZES, SUMS), 400, b"s", use_numba=False).totals
    monkeypatch.setattr(kernels, "_CHUNK", 5000)
    two = resample((SIZES, SUMS), 250, b"s", use_numba=False).totals
    assert np.array_equal(one[:250], two)


def test_cpu_features_do_not_change_the_numbers() -> None:
    """Another instruction set gives the same bits."""
    program = (
        "import numpy as np, hashlib\n"
        "from leadline.stats.bootstrap import resample\n"
        "r = np.random.default_rng(0); n = r.integers(1, 9, 99).astype(float); s = n * r.random(99)\n"
        "print(hashlib.sha256(resample((n, s), 300, b's', use_numba=False).totals.tobytes()).hexdigest())"
    )
    features = "AVX2 AVX512F AVX512_SKX AVX512_ICL AVX512_SPR X86_V3 X86_V4"
    found = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={"NPY_DISABLE_CPU_FEATURES": disabled, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disabled in ("", features)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("statistic", ["distinct clusters", "cells"])
def test_standard_error_agrees_with_the_analytic_one(statistic: str) -> None:
    """Bootstrap over analytic standard error lies in [.93, 1.07], for both ways of drawing."""
    if statistic == "cells":
        n, s = np.ones(5000), (np.arange(5000) < 1500).astype(float)
    else:
        n, s = SIZES, SUMS
    values = cluster_bootstrap((n, s), None, 2000, b"a seed")
    fit = cr1(n, s)
    assert 0.93 < values.std() / np.sqrt(fit.variance) < 1.07
    assert values.mean() == pytest.approx(fit.value, abs=3 * np.sqrt(fit.variance / 2000))


def test_replicates_are_uncorrelated() -> None:
    """Neighbouring replicates share nothing: the first autocorrelations are within four standard errors of 0."""
    values = cluster_bootstrap((SIZES, SUMS), None, 4000, b"streams")
    centred = values - values.mean()
    for lag in (1, 2, 7):
        assert abs(float(np.mean(centred[lag:] * centred[:-lag]) / np.mean(centred**2))) < 4 / np.sqrt(4000)


def test_draws_are_uniform() -> None:
    """Every cluster is drawn once per replicate on average (chi-square within four standard deviations)."""
    table = np.eye(20, dtype=np.int64)
    counts = kernels.draw_sums(table, 3000, key_of(b"uniform"), use_numba=False)
    assert (counts.sum(axis=1) == 20).all()
    chi = float(((counts.sum(axis=0) - 3000) ** 2 / 3000).sum()) / (1 - 1 / 20)
    assert abs(chi - 20) < 4 * np.sqrt(2 * 20)


@settings(max_examples=20)
@given(seed=st.binary(max_size=8), other=st.binary(max_size=8))
def test_seeds_key_the_stream(seed: bytes, other: bytes) -> None:
    """Equal seeds give equal numbers, different seeds or labels different ones."""
    one = resample((SIZES, SUMS), 100, seed).totals
    assert np.array_equal(one, resample((SIZES, SUMS), 100, seed).totals)
    assert np.array_equal(one, resample((SIZES, SUMS), 100, other).totals) == (seed == other)
    assert not np.array_equal(one, resample((SIZES, SUMS), 100, seed, label="x").totals)


def test_labels_are_framed() -> None:
    """("ab", "c") and ("a", "bc"), bytes, text and numbers are different keys."""
    keys = {
        key_of(b"s", "ab", "c"),
        key_of(b"s", "a", "bc"),
        key_of(b"s", b"ab", "c"),
        key_of("s", "ab", "c"),
    }
    assert len(keys | {key_of(1), key_of("1"), key_of(b"1")}) == 7


def test_streams_start_at_any_block() -> None:
    """A stream started at block b continues what the stream from 0 gives after 4 b words."""
    assert np.array_equal(stream(b"s").random_raw(40)[20:], keyed(key_of(b"s"), 5).random_raw(20))


def test_percentile_takes_order_statistics() -> None:
    """Of 999 values the 95 % interval runs from the 25th to the 975th."""
    assert percentile(np.arange(1.0, 1000.0)[::-1], 500.0) == (25.0, 975.0)


def test_senseless_input_is_refused() -> None:
    """One cluster, non-finite sums, few replicates and undefined statistics raise StatisticsError."""
    with pytest.raises(StatisticsError):
        resample((np.ones(1), np.ones(1)))
    with pytest.raises(StatisticsError):
        resample((np.ones(2), np.array([1.0, np.nan])))
    with pytest.raises(StatisticsError):
        resample((np.ones(2), np.ones(2)), 10)
    with pytest.raises(StatisticsError, match="not defined"):
        cluster_bootstrap((SIZES, SUMS), lambda totals: totals[:, 0] * np.inf)
