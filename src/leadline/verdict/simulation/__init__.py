"""What a plan would find if the world were like this: the registered analysis, executed on simulated data."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.verdict.simulation.model import Characteristics, HypothesisCharacteristics, TruthResult
    from leadline.verdict.simulation.rehearsal import execute
    from leadline.verdict.simulation.run import operating_characteristics

_HOME = {
    "Characteristics": "model",
    "HypothesisCharacteristics": "model",
    "TruthResult": "model",
    "execute": "rehearsal",
    "operating_characteristics": "run",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"leadline.verdict.simulation.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Characteristics",
    "HypothesisCharacteristics",
    "TruthResult",
    "execute",
    "operating_characteristics",
]
