"""Findings, and what a rule may look at."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from leadline.protocol.blocks.claims import Control, Hypothesis
from leadline.protocol.model import Protocol as Plan
from leadline.registry.check.catalogue import CATALOGUE, Severity

if TYPE_CHECKING:
    from leadline.verdict.simulation.model import Characteristics

_RANK = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a plan: a code of the catalogue, where it is, what is wrong, what to do.

    Errors block registration, warnings and notes do not. ``where`` is a field path of the document.
    """

    code: str
    severity: Severity
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code} {self.severity} {self.where}: {self.message} -> {self.remedy}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "code": self.code,
            "severity": self.severity,
            "where": self.where,
            "message": self.message,
            "remedy": self.remedy,
        }

    @property
    def blocks(self) -> bool:
        """True when a plan with this finding cannot be registered."""
        return self.severity == "error"


def finding(code: str, where: str, message: str, remedy: str) -> Finding:
    """A finding with the severity the catalogue gives its code."""
    return Finding(code, CATALOGUE[code].severity, where, message, remedy)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then notes; within each in the order they were found."""
    return sorted(findings, key=lambda found: _RANK[found.severity])


class Registered(Protocol):
    """A study as the rules see it."""

    @property
    def id(self) -> str:
        """The study's id."""
        ...

    @property
    def protocol(self) -> Plan:
        """What it promised."""
        ...


class Studies(Protocol):
    """The part of a registry the rules use."""

    def neighbours(self, protocol: Plan) -> Iterable[tuple[Registered, float]]:
        """Studies of this very protocol, then those most like it, each with its likeness (0 to 1)."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """What a rule may look at: the plan, the day (None = unknown), the registry, the simulation (None = not made)."""

    plan: Plan
    today: date | None = None
    registry: Studies | None = None
    characteristics: "Characteristics | None" = None


Asked: TypeAlias = Hypothesis | Control


def asked(plan: Plan) -> tuple[Asked, ...]:
    """Every hypothesis and control: what the runs are asked."""
    return (*plan.hypotheses, *plan.controls)


Rule: TypeAlias = Callable[[View], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything a critical reading gives: the findings, and the simulation they rest on (None if it could not run)."""

    findings: tuple[Finding, ...]
    characteristics: "Characteristics | None"

    @property
    def registrable(self) -> bool:
        """True when nothing blocks registration."""
        return not any(found.blocks for found in self.findings)
