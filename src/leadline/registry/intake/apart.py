"""Computing for people nobody knows: in processes of their own, within limits, paid for by their address."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError
from leadline.logs.apart import GIB, MIB, ApartLimits, run_apart
from leadline.protocol.model import Protocol as Plan
from leadline.protocol.nodes import require_size
from leadline.registry import questions
from leadline.registry.computing import Paths, Progress
from leadline.registry.handover import HandedLog
from leadline.registry.intake.places import FREE, UNSIGNED, Purse, apart, paid, turn

if TYPE_CHECKING:
    from leadline.registry.check.model import Finding, Studies
    from leadline.registry.registry import Registry
    from leadline.registry.scan import Scan
    from leadline.registry.similar import Similar
    from leadline.registry.study import Study

#: A plan of so many bytes is read in the server's own process: at most a tenth of a second, a few megabytes.
SMALL: Final = 16_000
#: Seconds that such a reading is charged for at most.
MOMENT: Final = 0.2
#: Seconds that comparing a plan with registered ones is charged for at most: some twenty of those are read.
COMPARING: Final = 20.0
READING: Final = ApartLimits(memory=2 * GIB, cpu_seconds=20, wall_seconds=40, output=8 * MIB)
SIMULATING: Final = ApartLimits(memory=2 * GIB, cpu_seconds=60, wall_seconds=90, output=8 * MIB)
LOGS: Final = ApartLimits(memory=4 * GIB, cpu_seconds=120, wall_seconds=180, output=8 * MIB)
ANALYSIS: Final = ApartLimits(memory=4 * GIB, cpu_seconds=300, wall_seconds=400, output=16 * MIB)
#: Attached logs of one study beyond this many bytes are not analysed for a draft.
MOST_LOGS: Final = 2 << 30


@dataclass(frozen=True, slots=True)
class Apart:
    """A `Computing` for a server: hostile plans and logs end a process apart, and cost `purse` what it took."""

    purse: Purse = FREE

    def plan(self, text: str | bytes) -> Plan:
        """See `Computing`; also InputError for a document that takes too much to read."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        require_size(data)
        if len(data) <= SMALL:
            with paid(self.purse, MOMENT) as clock, clock.running():
                return Plan.parse(data)
        return questions.plan_of(self._ask(questions.PLAN, data, READING))

    def findings(self, plan: Plan, *, replicates: int | None, today: date | None) -> "list[Finding]":
        """See `Computing`; also InputError where a limit is met."""
        asked = questions.findings_question(plan, replicates, today)
        return questions.findings_of(
            self._ask(questions.FINDINGS, asked, READING if replicates == 0 else SIMULATING)
        )

    def compared(self, plan: Plan, registry: "Studies", today: date | None) -> "list[Finding]":
        """See `Computing`; in this process, for the record is here, and every plan in it was accepted once."""
        from leadline.registry.check.registered import compared

        with turn(COMPARING, places=UNSIGNED, purse=self.purse):
            return compared(plan, registry, today)

    def similar(self, plan: Plan, registry: "Registry", limit: int) -> "list[Similar]":
        """See `Computing`; in this process, for the record is here, in its turn and paid for."""
        with turn(COMPARING, places=UNSIGNED, purse=self.purse):
            return registry.similar(plan, limit)

    def rehearse(self, plan: Plan) -> None:
        """See `Computing`; also InputError where a limit is met."""
        self._ask(questions.REHEARSAL, plan.canonical_bytes(), SIMULATING)

    def characteristics(self, plan: Plan, progress: Progress | None) -> bytes:  # noqa: ARG002
        """See `Computing`; also InputError where a limit is met."""
        remedy = "register without simulation, or on a machine of your own: leadline register"
        with _advising(remedy, where="sample_size"):
            return self._ask(questions.CHARACTERISTICS, plan.canonical_bytes(), SIMULATING)

    def scan(self, logs: Paths) -> "Scan":
        """See `Computing`; also InputError where a limit is met."""
        return questions.scan_of(self._ask(questions.SCAN, _asked(logs), LOGS))

    def handed_over(self, logs: Paths) -> list[HandedLog]:
        """See `Computing`; also InputError where a limit is met."""
        return questions.handed_of(self._ask(questions.HANDED, _asked(logs), LOGS))

    def report(self, study: "Study") -> bytes:
        """See `Computing`; also InputError where a limit is met."""
        advice = f"compute it on a machine of your own: `leadline report {study.id} --publish`"
        total = sum(row.size for row in study.files.values())
        if total > MOST_LOGS:
            raise InputError(
                f"its logs have {total:,} bytes; a report is drafted here from at most {MOST_LOGS:,}",
                where=study.id,
                remedy=advice,
            )
        with (
            turn(ANALYSIS.wall_seconds, places=UNSIGNED, purse=self.purse),  # before gigabytes are laid out
            tempfile.TemporaryDirectory(prefix="leadline-") as folder,
            _advising(advice, where=study.id),
        ):
            paths = study.lay_out(Path(folder))
            asked = questions.question(
                study.protocol, paths, study.registration, study.attempts, study.elsewhere
            )
            return run_apart(questions.REPORT, asked, limits=ANALYSIS)

    def _ask(self, function: str, payload: bytes, limits: ApartLimits) -> bytes:
        return apart(function, payload, limits, places=UNSIGNED, purse=self.purse)


@contextmanager
def _advising(remedy: str, *, where: str) -> Iterator[None]:
    """Where a limit is met, say what to do about this very thing; what the analysis itself refuses is told as it is."""
    try:
        yield
    except InputError as error:
        if type(error) is not InputError:
            raise
        raise InputError(error.message, where=where, remedy=remedy) from None


def _asked(logs: Paths) -> bytes:
    return questions.paths_question([logs] if isinstance(logs, str | os.PathLike) else logs)
