"""Publishing a computed report: what its statement says follows from its bytes, and nobody types any of it."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadline.errors import StateError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.registry.elsewhere import elsewhere
from leadline.store import Appended, ReadView
from leadline.store.projection import TableReader
from leadline.store.projections.attachments import AttachmentRow, attachments
from leadline.store.projections.attempts import AttemptRow, attempts
from leadline.store.projections.reports import reports
from leadline.store.projections.studies import AmendmentRow, amendments
from leadline.store.projections.studies import study as find_study
from leadline.verdict.elsewhere import Elsewhere

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said
    from leadline.registry.study import Study

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything in the record that a study's report depends on besides the freeze."""

    attachments: tuple[AttachmentRow, ...]
    attempts: tuple[AttemptRow, ...]
    amendments: tuple[AmendmentRow, ...]
    elsewhere: Elsewhere


class AlreadyReportedError(Exception):
    """Leaves the write transaction without writing: somebody has published meanwhile."""


def facts_of(view: ReadView, study: str) -> Facts:
    """The facts as the record has them now."""
    return Facts(
        tuple(attachments(view, study)),
        tuple(attempts(view, study)),
        tuple(amendments(view, study)),
        elsewhere(view, study),
    )


def statement_of(body: bytes, digest: str) -> dict[str, Any]:
    """What a report statement says of a report, given the report's JSON and its digest."""
    report = json.loads(body)
    return {
        "report": digest,
        "logs": sorted(log["sha256"] for log in report["logs"]),
        "engine": report["engine"],
        "verdicts": {
            name: {
                "outcome": verdict["outcome"],
                "reason": (verdict["reason"] or "decided")[:_LONGEST_REASON],
                "standing": verdict["standing"],
            }
            for name, verdict in report["verdicts"].items()
        },
    }


def record_report(
    registry: "Registry", study: str, body: bytes, signer: SigningKey, facts: Facts, *, first: bool = False
) -> Appended:
    """Keep a report's bytes and log its statement, if the record still is what the report was computed from.

    With `first` it must be the study's first report: AlreadyReportedError otherwise. Raises StateError when the
    study is withdrawn, or when its record changed while the report was being computed.
    """
    digest = registry.store.put_blob(body)

    def build(view: ReadView) -> "list[Said]":
        require_live(view, study, "it gets no further report")
        if first and reports(view, study):
            raise AlreadyReportedError(study)
        if facts_of(view, study) != facts:
            raise StateError(
                "the record of this study changed while its report was being computed",
                where=study,
                remedy=f"run it again: `leadline report {study} --publish`",
            )
        row = find_study(view, study)
        assert row is not None, "it was found to be live"
        said = {"study": study, "protocol": row.protocol, "created": registry.time()}
        return [("report", {**said, **statement_of(body, digest)}, signer)]

    return registry.append(build)[0]


def reportable(study: "Study") -> Facts:
    """What a report that is computed now rests on; StateError when the study is withdrawn."""
    with study.registry.store.snapshot() as view:
        require_live(view, study.id, "it gets no further report")
        return facts_of(view, study.id)


def record_new(study: "Study", body: bytes, facts: Facts) -> None:
    """`record_report` by the author, unless the newest published report has these very bytes."""
    published = study.reports
    if not published or published[-1].report != sha256_hex(body):
        record_report(study.registry, study.id, body, study.registry.author(), facts)


def publish_computed(study: "Study") -> bytes:
    """As `Study.publish`, computed as the registry computes; the report's JSON."""
    facts = reportable(study)
    body = study.registry.computing.report(study)
    record_new(study, body, facts)
    return body


def require_live(view: TableReader, study: str, so: str) -> None:
    """StateError when the study is withdrawn; `so` says what therefore cannot be done."""
    row = find_study(view, study)
    if row is not None and row.state == "withdrawn":
        raise StateError(
            f"the study is withdrawn ({row.reason}), so {so}; its history stays",
            where=study,
            remedy=f"see it with `leadline show {study}`; register a new study for a new run",
        )
