"""The stamps a run under `leadline run` carries, for scripts that call Inspect's `eval()` themselves."""

import os
from typing import Any, Final

#: Environment variable that names the private folder of a launch; where it is absent nothing of this is active.
LAUNCH: Final = "LEADLINE_LAUNCH"


def stamp(arm: str | None = None) -> dict[str, Any]:
    """Eval metadata for ``eval(..., metadata=stamp("arm"))``; empty where no launcher is at work.

    With an arm's name it includes the metadata registered for that arm. Raises InputError for an arm the protocol
    does not have.
    """
    if LAUNCH not in os.environ:
        return {}
    from pathlib import Path

    from leadline.bench.launch.berth import Berth
    from leadline.registry.run import arm_stamp

    berth = Berth(Path(os.environ[LAUNCH]))
    said = berth.order()
    return said.stamp if arm is None else arm_stamp(said.study, berth.protocol(), arm, said.stamp)
