"""Everything the record has of one study, as its page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from leadline.draw import Picture
from leadline.errors import InputError, LeadlineError, NotFoundError
from leadline.ledger.canon import parse_strict
from leadline.ledger.state import KeyRecord
from leadline.protocol.model import Protocol
from leadline.store.listing import Listing
from leadline.store.projections.attachments import AttachmentRow, attachments
from leadline.store.projections.attempts import AttemptRow, attempt_logs, attempts
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.reports import ReportRow, VerdictRow, reports
from leadline.store.projections.status import Deadline, Status, deadline_of, status_of
from leadline.store.projections.studies import (
    AmendmentRow,
    HypothesisRow,
    StudyRow,
    amendments,
)
from leadline.store.protocol import ReadView
from leadline.verdict.page import report_context
from leadline.verdict.pictures import estimate_strip_of
from leadline.verdict.reading import MAX_BYTES, read_report
from leadline.verdict.report import Report
from leadline.web.context import Site

#: A frozen protocol longer than this is offered as a file, not shown.
MAX_PROTOCOL = 1 << 20


@dataclass(frozen=True)
class StudyView:
    """One study, read lazily from one state of the record."""

    site: Site
    view: ReadView
    row: StudyRow
    among: Listing | None = None
    """The list it is shown in, which reads for all of its studies at once."""

    @cached_property
    def _listing(self) -> Listing:
        return self.among or Listing(self.view, (self.row,))

    @cached_property
    def status(self) -> Status:
        """Where the study stands today."""
        return status_of(self.row, self.site.today())

    @cached_property
    def deadline(self) -> Deadline | None:
        """Its due date and what follows from it."""
        return deadline_of(self.row, self.site.today(), self.site.settings.grace_days)

    @cached_property
    def authors(self) -> list[str]:
        """Names, as frozen."""
        return self._listing.authors(self.row)

    @cached_property
    def areas(self) -> list[str]:
        """Areas of the landscape."""
        return self._listing.areas(self.row)

    @cached_property
    def hypotheses(self) -> list[HypothesisRow]:
        """What was asked, as frozen."""
        return self._listing.hypotheses(self.row)

    @property
    def claim(self) -> str:
        """What the study sets out to show, in one sentence: its first primary claim."""
        plan = self.protocol
        if plan is not None:
            primary = [item.claim for item in plan.hypotheses if item.role == "primary"]
            return primary[0] if primary else plan.hypotheses[0].claim
        return self.hypotheses[0].claim if self.hypotheses else self.row.title

    @cached_property
    def signer(self) -> KeyRecord | None:
        """The key that froze it."""
        return find_key(self.view, self.row.keyid)

    @cached_property
    def amendments(self) -> list[AmendmentRow]:
        """What was changed, when, and what had been seen."""
        return amendments(self.view, self.row.id)

    @cached_property
    def attempts(self) -> list[tuple[AttemptRow, int]]:
        """Every announced run with the number of logs it ended with."""
        rows = attempts(self.view, self.row.id)
        return [(row, len(attempt_logs(self.view, row.study, row.number))) for row in rows]

    @cached_property
    def logs(self) -> list[AttachmentRow]:
        """Every attached file once, as attached first, oldest first."""
        return list({row.sha256: row for row in reversed(attachments(self.view, self.row.id))}.values())[::-1]

    @cached_property
    def reports(self) -> list[ReportRow]:
        """Every published report, oldest first."""
        return reports(self.view, self.row.id)

    @property
    def newest_report(self) -> ReportRow | None:
        """The newest of them, or None."""
        return self._listing.report(self.row)

    @cached_property
    def verdicts(self) -> list[VerdictRow]:
        """The verdicts of the newest report."""
        return self._listing.verdicts(self.row)

    @cached_property
    def leading(self) -> VerdictRow | None:
        """The verdict on the study's first claim."""
        found = {row.hypothesis: row for row in self.verdicts}
        plan = self.protocol
        order = [item.id for item in self.hypotheses]
        if plan is not None:
            order.sort(key=lambda name: any(h.id == name and h.role != "primary" for h in plan.hypotheses))
        return next((found[name] for name in order if name in found), None)

    # -- documents ------------------------------------------------------------------------------

    @cached_property
    def _protocol(self) -> tuple[Protocol | None, str]:
        try:
            body = self.view.blob(self.row.protocol, limit=MAX_PROTOCOL)
            return Protocol.parse(body, name="protocol.json"), ""
        except NotFoundError:
            reason = self.view.taken_down(self.row.protocol)
            return (
                None,
                f"The protocol was taken down: {reason}" if reason else "The protocol is not kept here.",
            )
        except LeadlineError as error:
            return None, f"The protocol cannot be shown: {error.message.partition(chr(10))[0]}."

    @property
    def protocol(self) -> Protocol | None:
        """The protocol as first frozen, where it can be read."""
        return self._protocol[0]

    @property
    def protocol_missing(self) -> str:
        """Why there is no protocol to show; empty when there is one."""
        return self._protocol[1]

    @cached_property
    def _read(self) -> tuple[Report | None, str]:
        if not self.reports or self.protocol is None:
            return None, ""
        newest = self.reports[-1]
        try:
            found = read_report(self.view.blob(newest.report, limit=MAX_BYTES), self.protocol)
            stated = {row.hypothesis: (row.outcome, row.standing) for row in self.verdicts}
            if stated != {name: (one.outcome, one.standing) for name, one in found.verdicts.items()}:
                raise InputError("the report says otherwise than the statement that published it")
            return found, ""
        except NotFoundError:
            reason = self.view.taken_down(newest.report)
            return None, f"The report was taken down: {reason}" if reason else "The report is not kept here."
        except LeadlineError as error:
            return None, f"The report cannot be shown: {error.message.partition(chr(10))[0]}."

    @cached_property
    def _report(self) -> tuple[dict[str, Any] | None, str]:
        found, missing = self._read
        if found is None:
            return None, missing
        try:
            return report_context(found), ""
        except LeadlineError as error:
            return None, f"The report cannot be shown: {error.message.partition(chr(10))[0]}."
        except (ValueError, ArithmeticError, LookupError):
            return None, "The report cannot be shown: its numbers do not make a picture."

    @property
    def strip(self) -> Picture | None:
        """The leading estimate as a line of a list; None without one, or where its numbers make no picture."""
        found, leading = self._read[0], self.leading
        if found is None or leading is None:
            return None
        asked = next(one for one in found.protocol.hypotheses if one.id == leading.hypothesis)
        try:
            return estimate_strip_of(found, asked)
        except (LeadlineError, ValueError, ArithmeticError, LookupError):
            return None

    @property
    def report(self) -> Mapping[str, Any] | None:
        """What the templates of a report place; None when there is none, or none that can be shown."""
        return self._report[0]

    @property
    def report_missing(self) -> str:
        """Why a published report is not shown; empty when it is, or when there is none."""
        return self._report[1]

    @cached_property
    def characteristics(self) -> Mapping[str, Any] | None:
        """The simulated operating characteristics frozen with the protocol, as JSON values."""
        if self.row.characteristics is None:
            return None
        try:
            found = parse_strict(self.view.blob(self.row.characteristics, limit=MAX_PROTOCOL))
        except LeadlineError:
            return None
        return found if isinstance(found, dict) else None

    @property
    def address(self) -> str:
        """Where the public finds the page."""
        return f"{self.site.address}/study/{self.row.id}"
