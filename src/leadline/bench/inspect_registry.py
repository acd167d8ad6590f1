"""What Inspect finds through the entry point group ``inspect_ai``: the ladder, and the hooks of `leadline run`.

Importing this module registers ``ladder/...`` as models and ``leadline/ladder_skill`` as a task. Weights are read
only when a model is asked for. The hooks ``leadline/launch`` are registered where a launcher is at work, and only
there: elsewhere they would cost every evaluation a line of Inspect's output.
"""

import os

from inspect_ai.model import ModelAPI, modelapi

from leadline.bench.ladder.inspect_tasks import ladder_skill
from leadline.bench.launch.stamps import LAUNCH

if LAUNCH in os.environ:
    import leadline.bench.launch.hooks  # noqa: F401 -- registers itself

__all__ = ["ladder", "ladder_skill"]


@modelapi(name="ladder")  # type: ignore[untyped-decorator]
def ladder() -> type[ModelAPI]:
    """The provider of the small-model ladder."""
    from leadline.bench.ladder.provider import LadderAPI

    return LadderAPI
