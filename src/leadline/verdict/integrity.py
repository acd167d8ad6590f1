"""Failures of the data that forbid any outcome but `inconclusive`, each with its code."""

import math
from collections.abc import Sequence

import numpy as np

from leadline.protocol.blocks.claims import Hypothesis
from leadline.protocol.model import Protocol
from leadline.verdict.estimate import pair
from leadline.verdict.items import Items
from leadline.verdict.model import Check, Denominator

#: Shares such as 1 - 7/10 exceed their decimal by less than this; a cap that is met exactly is not exceeded.
ROUNDING = 1e-9
#: Conformance checks whose deviation means the analysed data are not the promised data.
FATAL = {
    "dataset.content": "hash_mismatch",
    "log.recomputed": "inconsistent_log",
    "log.summaries": "inconsistent_log",
}


def failure(
    protocol: Protocol,
    hypothesis: Hypothesis,
    arms: Sequence[Items],
    denominators: Sequence[Denominator],
    checks: Sequence[Check],
) -> str | None:
    """The first failure in a fixed order, or None.

    Data no expression can be applied to, no data, hash mismatch, inconsistent log, items that differ between arms, missing, n short, clusters.
    """
    for arm in arms:
        if arm.problem is not None:
            return arm.problem
    if not arms or any(len(arm) == 0 for arm in arms):
        return "no_data"
    for check in checks:
        if check.answer == "deviation" and check.id in FATAL and check.arm in hypothesis.estimand.arms:
            return FATAL[check.id]
    if items_disagree(protocol, hypothesis, arms):
        return "items_disagree"
    if too_much_missing(protocol, denominators):
        return "missing_above_cap"
    if analysed(hypothesis, arms) < least(protocol):
        return "n_short"
    clusters = clusters_of(arms)
    if clusters is not None and clusters < protocol.sample_size.min_clusters:
        return "too_few_clusters"
    return None


def too_much_missing(protocol: Protocol, denominators: Sequence[Denominator]) -> bool:
    """Whether any arm lost more of its promised results than the registered cap."""
    return any(side.missing_share > protocol.data_rules.missing_cap + ROUNDING for side in denominators)


def items_disagree(protocol: Protocol, hypothesis: Hypothesis, arms: Sequence[Items]) -> bool:
    """Whether an item is in scope in one arm only, or paired across clusters.

    Both rest on sample metadata, which a solver may rewrite and no content digest binds.
    """
    if len(arms) < 2 or len({protocol.arm(name).task for name in hypothesis.estimand.arms}) > 1:
        return False
    a, b = arms
    if not a.outside.isdisjoint(b.ids.tolist()) or not b.outside.isdisjoint(a.ids.tolist()):
        return True
    if a.clusters is None or b.clusters is None or hypothesis.estimand.type == "difference":
        return False
    _, left, right = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
    return bool((a.clusters[left] != b.clusters[right]).any())


def least(protocol: Protocol) -> int:
    """Fewest items that may be analysed: the registered number less the registered cap on missing ones."""
    size = protocol.sample_size
    return math.ceil(size.items * (1 - protocol.data_rules.missing_cap) - ROUNDING)


def analysed(hypothesis: Hypothesis, arms: Sequence[Items]) -> int:
    """Items that enter: pairs for a paired difference, else the smaller arm."""
    if hypothesis.estimand.type == "paired_difference":
        return len(pair(arms[0], arms[1])[0])
    return min(len(arm) for arm in arms)


def clusters_of(arms: Sequence[Items]) -> int | None:
    """Clusters in the smaller arm, None when items are their own clusters."""
    counts = [len(set(arm.clusters.tolist())) for arm in arms if arm.clusters is not None]
    return min(counts, default=None)
