"""Pure array mathematics, no input or output: intervals, tests, clusters, power.

Names load on first use, so that importing the package costs nothing. The estimators return
`leadline.stats.model.Estimate`; `leadline.stats.policy` says what ``method="auto"`` does and when it refuses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.stats import (
        bootstrap,
        clusters,
        equivalence,
        intervals,
        mean,
        model,
        multiplicity,
        paired,
        policy,
        power,
        proportion,
        unpaired,
    )
    from leadline.stats.model import Estimate

_SUBMODULES = (
    "bootstrap",
    "clusters",
    "equivalence",
    "intervals",
    "mean",
    "model",
    "multiplicity",
    "paired",
    "policy",
    "power",
    "proportion",
    "unpaired",
)

__all__ = [
    "Estimate",
    "bootstrap",
    "clusters",
    "equivalence",
    "intervals",
    "mean",
    "model",
    "multiplicity",
    "paired",
    "policy",
    "power",
    "proportion",
    "unpaired",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"leadline.stats.{name}")
    if name == "Estimate":
        return import_module("leadline.stats.model").Estimate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
