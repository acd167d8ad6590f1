"""The small-model ladder: eighteen tiny sequence models, the skills they were trained on, and their provider.

``README.md`` beside this file is the model card. NumPy is needed to run the models, the ``inspect`` extra to
evaluate them under Inspect, and the ``train`` extra only to train them again.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.bench.ladder.manifest import Card, Manifest, read_manifest
    from leadline.bench.ladder.model import LadderModel
    from leadline.bench.ladder.run import run_task
    from leadline.bench.ladder.skills import LEVELS, SKILLS, Item, examples, items
    from leadline.bench.ladder.weights import randomise

__all__ = [
    "LEVELS",
    "SKILLS",
    "Card",
    "Item",
    "LadderModel",
    "Manifest",
    "examples",
    "items",
    "randomise",
    "read_manifest",
    "run_task",
]

_HOME = {
    "Card": "manifest",
    "Manifest": "manifest",
    "read_manifest": "manifest",
    "LadderModel": "model",
    "run_task": "run",
    "LEVELS": "skills",
    "SKILLS": "skills",
    "Item": "skills",
    "examples": "skills",
    "items": "skills",
    "randomise": "weights",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"leadline.bench.ladder.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
