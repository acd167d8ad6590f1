"""Reports: the computed results of studies, verdict by verdict."""

from dataclasses import dataclass

from leadline.ledger.fields import Outcome, Standing
from leadline.ledger.predicates import Report
from leadline.store.projection import BlobReader, Column, LogEntry, Table, TableReader, TableWriter, TextIndex
from leadline.store.projections.rows import typed

REPORT = Table(
    "report",
    (
        Column("ix", "integer"),
        Column("study", "text"),
        Column("report", "text"),
        Column("protocol", "text"),
        Column("engine", "text"),
        Column("keyid", "text"),
        Column("created", "text"),
    ),
    key=("ix",),
    indexes=(("study",),),
)
VERDICT = Table(
    "verdict",
    (
        Column("ix", "integer"),
        Column("hypothesis", "text"),
        Column("outcome", "text"),
        Column("standing", "text"),
        Column("reason", "text"),
    ),
    key=("ix", "hypothesis"),
    indexes=(("outcome",),),
)
REPORT_LOG = Table(
    "report_log",
    (Column("ix", "integer"), Column("sha256", "text")),
    key=("ix", "sha256"),
    indexes=(("sha256",),),
)
NEWEST_REPORT = Table(
    "newest_report",
    (Column("study", "text"), Column("ix", "integer")),
    key=("study",),
)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A published report: digests of its JSON and of the protocol it judged by, and the engine's version."""

    ix: int
    study: str
    report: str
    protocol: str
    engine: str
    keyid: str
    created: str


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """The verdict on one hypothesis in the report at log index `ix`."""

    ix: int
    hypothesis: str
    outcome: Outcome
    standing: Standing
    reason: str


class Reports:
    """One row per report, per verdict in it, and per log it was computed from; per study, which report is the newest."""

    name = "reports"
    version = 2
    tables: tuple[Table, ...] = (REPORT, VERDICT, REPORT_LOG, NEWEST_REPORT)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add the report."""
        said = entry.statement.predicate
        if not isinstance(said, Report):
            return
        tables.insert(
            REPORT,
            {
                "ix": entry.index,
                "study": said.study,
                "report": said.report,
                "protocol": said.protocol,
                "engine": said.engine,
                "keyid": entry.keyid,
                "created": said.created,
            },
        )
        for hypothesis, verdict in sorted(said.verdicts.items()):
            tables.insert(
                VERDICT,
                {
                    "ix": entry.index,
                    "hypothesis": hypothesis,
                    "outcome": verdict.outcome,
                    "standing": verdict.standing,
                    "reason": verdict.reason,
                },
            )
        for digest in sorted(set(said.logs)):
            tables.insert(REPORT_LOG, {"ix": entry.index, "sha256": digest})
        tables.put(NEWEST_REPORT, {"study": said.study, "ix": entry.index})


def reports(view: TableReader, study: str) -> list[ReportRow]:
    """Reports of a study, oldest first."""
    return [typed(ReportRow, row) for row in view.select(REPORT, {"study": study}, order="ix")]


def verdicts(view: TableReader, index: int) -> list[VerdictRow]:
    """Verdicts of the report at log index `index`, by hypothesis id."""
    return [typed(VerdictRow, row) for row in view.select(VERDICT, {"ix": index})]


def report_logs(view: TableReader, index: int) -> list[str]:
    """Digests of the logs the report at log index `index` was computed from, sorted."""
    return [str(row["sha256"]) for row in view.select(REPORT_LOG, {"ix": index})]
