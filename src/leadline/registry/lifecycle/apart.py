"""A study's analysis in a process of its own, with limits: hostile logs end that process and nothing else."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline.logs.apart import ApartLimits, run_apart
from leadline.registry.questions import REPORT, question

if TYPE_CHECKING:
    from leadline.registry.study import Study

#: What one study's analysis may cost the machine that tends the registry.
LIMITS: Final = ApartLimits(memory=6 << 30, cpu_seconds=600, wall_seconds=900.0)


def analysis_apart(study: "Study", *, limits: ApartLimits = LIMITS) -> bytes:
    """The JSON of the registered analysis over the attached logs, the same bytes as ``study.analyze().to_json()``.

    Raises what the analysis raises, and InputError where it meets a limit.
    """
    with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
        paths = study.lay_out(Path(folder))
        asked = question(study.protocol, paths, study.registration, study.attempts, study.elsewhere)
        return run_apart(REPORT, asked, limits=limits)
