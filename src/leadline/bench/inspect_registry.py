"""What Inspect finds through the entry point group ``inspect_ai``: the ladder's model provider and its tasks.

Importing this module registers ``ladder/...`` as models and ``leadline/ladder_skill`` as a task. Weights are read
only when a model is asked for.
"""

from inspect_ai.model import ModelAPI, modelapi

from leadline.bench.ladder.inspect_tasks import ladder_skill

__all__ = ["ladder", "ladder_skill"]


@modelapi(name="ladder")  # type: ignore[untyped-decorator]
def ladder() -> type[ModelAPI]:
    """The provider of the small-model ladder."""
    from leadline.bench.ladder.provider import LadderAPI

    return LadderAPI
