"""What a plan's block ``hazard`` means for a study that was registered in the open."""

from datetime import date

from leadline.protocol.blocks.conduct import Hazard


def opens_on(hazard: Hazard) -> date | None:
    """The day from which a study may be published by itself; None where only a person may decide.

    The first day of the calendar for a study of level ``open``.
    """
    if hazard.level == "open":
        return date.min
    if hazard.level != "delayed" or hazard.release is None:
        return None
    try:
        return date.fromisoformat(hazard.release.strip())
    except ValueError:
        return None
