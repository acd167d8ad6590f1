"""How the site says what state a study is in."""

from typing import Final

from leadline.store.projections.status import Deadline, Status

STATUS: Final[dict[Status, str]] = {
    "registered": "Registered",
    "sealed": "Sealed",
    "running": "Running",
    "reported": "Reported",
    "overdue": "Overdue",
    "closed-undisclosed": "Closed undisclosed",
    "withdrawn": "Withdrawn",
}

MEANING: Final[dict[Status, str]] = {
    "registered": "The promise stands; no run has been announced.",
    "sealed": "The promise is committed to and not shown yet.",
    "running": "Runs were announced or logs attached; there is no report yet.",
    "reported": "The registered analysis was run, and its report published.",
    "overdue": "The due date has passed, and nothing was reported.",
    "closed-undisclosed": "The due date and the grace after it passed without a report.",
    "withdrawn": "The authors took the study back; its history stays.",
}

SEEN: Final = {
    "nothing_run": "nothing had been run",
    "not_looked": "runs existed, the results had not been looked at",
    "looked": "some results had been looked at",
    "results_known": "the results were known",
}


def deadline_words(deadline: Deadline | None, status: Status) -> str:
    """What the due date means today, in a few words; empty when there is none or it no longer matters."""
    if deadline is None or status in ("withdrawn",):
        return ""
    if status == "reported":
        return f"was due {deadline.due.isoformat()}"
    if status == "closed-undisclosed":
        return f"was due {deadline.due.isoformat()}; grace ended {deadline.grace_ends.isoformat()}"
    if deadline.days_overdue:
        days = "1 day" if deadline.days_overdue == 1 else f"{deadline.days_overdue} days"
        return f"due {deadline.due.isoformat()}, {days} ago"
    return f"due {deadline.due.isoformat()}"
