"""Every promise compared with what was run: pass, deviation or unknown. "Not measured" is never "passed".

To add a check: write a function ``(Context) -> Iterator[Check]`` in the file of its subject, and name it
in `CHECKS`.
"""

from collections.abc import Callable, Iterator

from leadline.verdict.conformance.context import Context
from leadline.verdict.conformance.dataset import dataset_checks
from leadline.verdict.conformance.logs import log_checks
from leadline.verdict.conformance.recorded import recorded_checks
from leadline.verdict.conformance.registration import registration_checks
from leadline.verdict.conformance.settings import setting_checks
from leadline.verdict.model import Check, Standing

CHECKS: tuple[Callable[[Context], Iterator[Check]], ...] = (
    registration_checks,
    log_checks,
    setting_checks,
    dataset_checks,
    recorded_checks,
)


def conformance(context: Context) -> tuple[Check, ...]:
    """All checks, in the order of `CHECKS`, each subject's checks by arm and log."""
    return tuple(check for subject in CHECKS for check in subject(context))


def standing(checks: tuple[Check, ...], context: Context) -> Standing:
    """How much the outcome may be headlined.

    Retrospective: never registered, or a log older than the freeze. Exploratory: a deviation.
    Qualified: something unknown. Confirmatory: every check passed.
    """
    if context.registration is None or context.logs_before_freeze():
        return "retrospective"
    answers = {check.answer for check in checks}
    if "deviation" in answers:
        return "exploratory"
    return "qualified" if "unknown" in answers else "confirmatory"


__all__ = ["CHECKS", "Context", "conformance", "standing"]
