"""How a registry computes: in its own process, which is the rule, or in others with limits (`intake.apart`).

Steps of the loop ask the registry's `computing` for whatever takes time or reads bytes that may be hostile.
"""

import os
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from leadline.protocol.model import Protocol as Plan
from leadline.registry.handover import HandedLog, handed_over

if TYPE_CHECKING:
    from leadline.registry.check.model import Finding, Studies
    from leadline.registry.registry import Registry
    from leadline.registry.scan import Scan
    from leadline.registry.similar import Similar
    from leadline.registry.study import Study

Progress = Callable[[int, int], None]
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Computing(Protocol):
    """Everything that is computed for a step; each raises what the function it is named after raises."""

    def plan(self, text: str | bytes) -> Plan:
        """The plan that somebody wrote; ProtocolError says where it is none."""
        ...

    def findings(self, plan: Plan, *, replicates: int | None, today: date | None) -> "list[Finding]":
        """Findings of the critical reader that need no registry, as `leadline.registry.check.check`."""
        ...

    def compared(self, plan: Plan, registry: "Studies", today: date | None) -> "list[Finding]":
        """Findings about what is registered already: the part of `check` that needs a registry."""
        ...

    def similar(self, plan: Plan, registry: "Registry", limit: int) -> "list[Similar]":
        """Registered studies near a plan, as `Registry.similar`."""
        ...

    def rehearse(self, plan: Plan) -> None:
        """Execute a plan once on simulated data; ProtocolError when it does not run."""
        ...

    def characteristics(self, plan: Plan, progress: Progress | None) -> bytes:
        """The JSON of a plan's operating characteristics, as registered."""
        ...

    def scan(self, logs: Paths) -> "Scan":
        """What these logs should not carry into a public record."""
        ...

    def handed_over(self, logs: Paths) -> list[HandedLog]:
        """The logs among these files and folders, with what they say of themselves."""
        ...

    def report(self, study: "Study") -> bytes:
        """The JSON of a study's report over its attached logs."""
        ...


class Here:
    """Computes in this very process, without limits: for a registry of one's own."""

    def plan(self, text: str | bytes) -> Plan:
        """See `Computing`."""
        return Plan.parse(text)

    def findings(self, plan: Plan, *, replicates: int | None, today: date | None) -> "list[Finding]":
        """See `Computing`."""
        from leadline.registry.check import check

        return check(plan, replicates=replicates, today=today)

    def compared(self, plan: Plan, registry: "Studies", today: date | None) -> "list[Finding]":
        """See `Computing`."""
        from leadline.registry.check.registered import compared

        return compared(plan, registry, today)

    def similar(self, plan: Plan, registry: "Registry", limit: int) -> "list[Similar]":
        """See `Computing`."""
        return registry.similar(plan, limit)

    def rehearse(self, plan: Plan) -> None:
        """See `Computing`."""
        from leadline.verdict.simulation import execute

        execute(plan)

    def characteristics(self, plan: Plan, progress: Progress | None) -> bytes:
        """See `Computing`."""
        from leadline.verdict.simulation import operating_characteristics

        return operating_characteristics(plan, progress=progress).to_json()

    def scan(self, logs: Paths) -> "Scan":
        """See `Computing`."""
        from leadline.registry.scan import scan_logs

        return scan_logs(logs)

    def handed_over(self, logs: Paths) -> list[HandedLog]:
        """See `Computing`."""
        return handed_over(logs)

    def report(self, study: "Study") -> bytes:
        """See `Computing`."""
        return study.analyze().to_json()


HERE: Final = Here()
