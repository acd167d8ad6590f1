"""What a study showed: conformance, estimates, decisions, reports; and two logs compared without a registry."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.verdict.analysis import analyze
    from leadline.verdict.comparison import Comparison, compare
    from leadline.verdict.model import Attempt, Check, Registration, Verdict
    from leadline.verdict.needs import required_columns
    from leadline.verdict.report import Report

_HOME = {
    "Attempt": "model",
    "Check": "model",
    "Comparison": "comparison",
    "Registration": "model",
    "Report": "report",
    "Verdict": "model",
    "analyze": "analysis",
    "compare": "comparison",
    "required_columns": "needs",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"leadline.verdict.{_HOME[name]}"), name)
    raise AttributeError(f"module 'leadline.verdict' has no attribute {name!r}")


__all__ = [
    "Attempt",
    "Check",
    "Comparison",
    "Registration",
    "Report",
    "Verdict",
    "analyze",
    "compare",
    "required_columns",
]
