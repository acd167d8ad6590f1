"""Who the simulated items are: ids, clusters, and what the two arms have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.errors import ProtocolError
from leadline.protocol.blocks.claims import Hypothesis
from leadline.protocol.model import Protocol
from leadline.verdict.simulation.truths import is_binary

Strings = NDArray[np.str_]
#: Item values (items times epochs) that one simulated arm may have.
LARGEST = 2_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """Items, clusters and epochs of one hypothesis' arms, the same in every replicate.

    ``ids[j]`` are sorted ids of arm j; ``clusters[j]`` the keys the analysis will see (None when the
    measure registers no cluster); ``codes`` the cluster of each item for the simulation (None when items
    are independent); ``same_items`` whether item i is the same item in both arms; ``same_clusters`` likewise.
    """

    ids: tuple[Strings, ...]
    clusters: tuple[Strings | None, ...]
    codes: NDArray[np.int64] | None
    epochs: int
    same_items: bool
    same_clusters: bool
    binary: bool

    @property
    def items(self) -> int:
        """Items per arm."""
        return len(self.ids[0])

    @property
    def groups(self) -> int:
        """Clusters per arm (0 when items are independent)."""
        return 0 if self.codes is None else int(self.codes[-1]) + 1


def layout(protocol: Protocol, hypothesis: Hypothesis) -> Layout:
    """The layout of one hypothesis; `require_assumptions` says what it needs."""
    size, estimand = protocol.sample_size, hypothesis.estimand
    tasks = {protocol.arm(arm).task for arm in estimand.arms}
    paired = estimand.type == "paired_difference" or (estimand.type == "ratio" and len(tasks) == 1)
    same_clusters = paired or len(tasks) == 1
    binary = is_binary(protocol, hypothesis)
    return Layout(
        ids=_names("i", size.items, len(estimand.arms), paired),
        clusters=_clusters(protocol, hypothesis, same_clusters),
        codes=None if size.clusters is None else _codes(size.items, size.clusters),
        epochs=_epochs(protocol, hypothesis) if binary else 1,
        same_items=paired,
        same_clusters=same_clusters,
        binary=binary,
    )


def require_assumptions(protocol: Protocol, hypothesis: Hypothesis) -> None:
    """Raise ProtocolError naming the first assumption that simulating this hypothesis lacks."""
    size, estimand = protocol.sample_size, hypothesis.estimand
    if values_per_arm(protocol, hypothesis) > LARGEST:
        raise ProtocolError(
            f"{size.items:,} items are too many to simulate (at most {LARGEST:,} values per arm)",
            where="sample_size.items",
            remedy="plan fewer items or epochs",
        )
    assumed, binary = size.assumptions, is_binary(protocol, hypothesis)
    if not binary and assumed.sd is None:
        raise _lacking("sd", hypothesis, "the standard deviation of one item, from a pilot or a guess")
    if len(estimand.arms) == 2 and assumed.baseline is None and (binary or estimand.type == "ratio"):
        raise _lacking("baseline", hypothesis, f"the mean expected of the arm {estimand.arms[1]!r}")
    if estimand.type == "ratio" and (assumed.baseline or 0.0) <= 0:
        raise _lacking("baseline above 0", hypothesis, "a ratio needs a positive mean to divide by")
    clustered = protocol.measure(estimand.measure).cluster is not None
    if clustered and size.clusters is None:
        raise ProtocolError(
            f"the measure {estimand.measure!r} is clustered, and no number of clusters is planned",
            where="sample_size.clusters",
            remedy="state how many clusters the items fall in",
        )
    if size.clusters is not None and size.clusters > size.items:
        raise ProtocolError(
            f"{size.items} items cannot fall in {size.clusters} clusters",
            where="sample_size.clusters",
            remedy="plan at least one item per cluster",
        )


def values_per_arm(protocol: Protocol, hypothesis: Hypothesis) -> int:
    """Values one simulated study draws for one arm."""
    epochs = _epochs(protocol, hypothesis) if is_binary(protocol, hypothesis) else 1
    return protocol.sample_size.items * epochs


def _lacking(what: str, hypothesis: Hypothesis, remedy: str) -> ProtocolError:
    return ProtocolError(
        f"the hypothesis {hypothesis.id!r} cannot be simulated without an assumed {what}",
        where=f"sample_size.assumptions.{what.split()[0]}",
        remedy=f"state {remedy}",
    )


def _codes(items: int, clusters: int) -> NDArray[np.int64]:
    """Nearly equal clusters of consecutive items."""
    return (np.arange(items, dtype=np.int64) * clusters) // items


def _clusters(protocol: Protocol, hypothesis: Hypothesis, shared: bool) -> tuple[Strings | None, ...]:
    size, arms = protocol.sample_size, len(hypothesis.estimand.arms)
    if protocol.measure(hypothesis.estimand.measure).cluster is None or size.clusters is None:
        return (None,) * arms
    codes = _codes(size.items, size.clusters)
    return tuple(names[codes] for names in _names("c", size.clusters, arms, shared))


def _names(kind: str, count: int, arms: int, shared: bool) -> tuple[Strings, ...]:
    """Zero-padded names per arm, sorted; one array for all arms when they share."""
    if shared:
        return (_numbered(kind, count),) * arms
    return tuple(_numbered(f"{'ab'[arm]}{kind}", count) for arm in range(arms))


def _numbered(prefix: str, count: int) -> Strings:
    width = len(str(count - 1))
    return np.asarray([f"{prefix}{number:0{width}d}" for number in range(count)], dtype=np.str_)


def _epochs(protocol: Protocol, hypothesis: Hypothesis) -> int:
    """Epochs drawn per item: the fewest of the arms' tasks when epochs are averaged, else one.

    For any other way of reducing epochs, and for a threshold, the assumptions describe the reduced item.
    """
    if (
        protocol.measure(hypothesis.estimand.measure).epochs != "mean"
        or hypothesis.estimand.type == "threshold"
    ):
        return 1
    return min(protocol.task(protocol.arm(arm).task).epochs for arm in hypothesis.estimand.arms)
