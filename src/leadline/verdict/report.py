"""The Report: everything the registered analysis found, as one value with one JSON form."""

from dataclasses import dataclass, field
from typing import Any

from leadline.protocol.model import Protocol
from leadline.verdict.elsewhere import NOTHING, Elsewhere
from leadline.verdict.model import (
    Attempt,
    Check,
    ConceptualResult,
    ControlResult,
    Denominator,
    ForecastScore,
    Registration,
    RobustnessResult,
    Standing,
    Verdict,
)
from leadline.verdict.ordering import in_order

#: Version of the report's JSON form.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class LogUsed:
    """A log the report rests on, or one that was attached and could not be used."""

    name: str
    sha256: str
    eval_id: str | None
    task: str
    model: str
    arm: str | None
    attempt: int | None
    created: str | None
    results: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """An aggregate a log claims, beside the same aggregate computed from its samples."""

    log: str
    scorer: str
    metric: str
    reported: float | None
    recomputed: float | None
    n: int
    consistent: bool | None
    """None when it cannot be recomputed; `note` says why."""
    note: str = ""
    sha256: str = ""
    """Digest of the log: names need not be unique."""


@dataclass(frozen=True)
class Report:
    """Verdicts, estimates, conformance and denominators of one study.

    A pure function of (protocol, logs, registration, attempts, what is elsewhere, engine version): no clock, no path,
    no machine. `to_json` gives the same bytes everywhere, numbers rounded to ten significant digits.
    """

    protocol: Protocol
    registration: Registration | None
    engine: str
    standing: Standing
    verdicts: dict[str, Verdict]
    conformance: tuple[Check, ...]
    denominators: tuple[Denominator, ...]
    controls: tuple[ControlResult, ...]
    robustness: tuple[RobustnessResult, ...]
    forecasts: tuple[ForecastScore, ...]
    conceptual: tuple[ConceptualResult, ...]
    logs: tuple[LogUsed, ...]
    attempts: tuple[Attempt, ...]
    recomputed: tuple[Recomputed, ...]
    left_open: tuple[str, ...] = ()
    """What the protocol promised nothing about, one phrase each."""
    reading: dict[str, Any] = field(default_factory=dict)
    """How the logs were read: tier, fallbacks, files skipped with reasons."""
    elsewhere: Elsewhere = NOTHING
    """What the record holds of the same authors: sibling registrations, and undeclared runs of what was registered."""

    @property
    def clean(self) -> bool:
        """True when every promise was kept and nothing is unknown."""
        return self.standing == "confirmatory"

    def checks(self, answer: str) -> tuple[Check, ...]:
        """The conformance checks with that answer, in the order in which they are shown."""
        return in_order(check for check in self.conformance if check.answer == answer)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values, numbers rounded."""
        from leadline.verdict.serialise import report_to_dict

        return report_to_dict(self)

    def to_json(self) -> bytes:
        """Canonical JSON (RFC 8785); byte-identical for the same inputs on any machine."""
        from leadline.verdict.serialise import report_to_json

        return report_to_json(self)

    def __str__(self) -> str:
        """Title and standing, and a line for each verdict."""
        lines = [f"{self.protocol.title} ({self.standing})"]
        for name, one in self.verdicts.items():
            reason = f": {one.reason}" if one.reason else ""
            lines.append(f"  {name}: {one.outcome}, {one.standing}{reason}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        study = "" if self.registration is None else f" of {self.registration.study}"
        said = ", ".join(f"{name} {one.outcome}" for name, one in self.verdicts.items())
        return f"<Report{study}: {self.standing}; {said or 'no verdict'}>"

    def to_html(self) -> str:
        """One self-contained page."""
        from leadline.verdict.page import report_page

        return report_page(self)

    def _repr_html_(self) -> str:
        from leadline.verdict.page import notebook_frame

        return notebook_frame(self.to_html())
