"""Paired contrasts between models on the Starsim benchmark's archived logs."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from leadline.stats.paired import difference, mcnemar_exact

FOLDER = "logs/inspect/starsimhub+scipy2026_starsim_ai"


def _scores(shared_data: Path, suffix: str) -> dict[str, float]:
    """Sub-step score by sample id, read directly from the archive."""
    [path] = (shared_data / FOLDER).glob(f"*{suffix}*.eval")
    scores: dict[str, float] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("samples/"):
                sample: dict[str, Any] = json.loads(archive.read(name))
                [score] = sample["scores"].values()
                scores[str(sample["id"])] = float(score["value"])
    return scores


CONTRASTS = [
    ("ZLCP7", "o3aSq", "opus-4-6 (ZLCP7...) minus gpt-5.2 (o3aSq...), both with_background"),
    ("24AbB", "GqBbP", "sonnet-4-6 with_background (24AbB...) minus without (GqBbP...)"),
]


@pytest.mark.parametrize(("first", "second", "name"), CONTRASTS)
def test_published_contrast(shared_data: Path, first: str, second: str, name: str) -> None:
    """logs/inspect/expected.json, paired_starsim: difference, CR1 error and interval with t on 5 df, exact McNemar."""
    expected = json.loads((shared_data / "logs/inspect/expected.json").read_text())["paired_starsim"][
        "contrasts"
    ][name]
    one, two = _scores(shared_data, first), _scores(shared_data, second)
    ids = sorted(one)
    assert ids == sorted(two)
    a, b = [one[i] for i in ids], [two[i] for i in ids]
    cluster = [i.rsplit(".", 1)[0] for i in ids]
    fit = difference(a, b, cluster, method="cr1")
    assert (fit.n, fit.clusters, fit.df) == (expected["n"], expected["clusters"], 5.0)
    assert fit.value == pytest.approx(expected["mean_diff"], rel=1e-12)
    assert fit.se == pytest.approx(expected["se_cr1"], rel=1e-12)
    assert [fit.low, fit.high] == pytest.approx(expected["ci95_cr1_t"], rel=1e-10)
    assert difference(a, b, method="iid").se == pytest.approx(expected["se_paired"], rel=1e-12)
    only_a = sum(x > y for x, y in zip(a, b, strict=True))
    only_b = sum(x < y for x, y in zip(a, b, strict=True))
    assert (only_a, only_b) == (expected["a_only"], expected["b_only"])
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected["mcnemar_exact_p"], rel=1e-12)
