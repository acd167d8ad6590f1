"""From rows of the record to the API's answers."""

import json
from collections.abc import Iterable
from datetime import date

from leadline.ledger.state import KeyRecord
from leadline.store.listing import Listing
from leadline.store.projections.attachments import attachments
from leadline.store.projections.attempts import attempt_logs, attempts
from leadline.store.projections.judgements import judgements
from leadline.store.projections.reports import VerdictRow, reports, verdicts
from leadline.store.projections.status import status_of
from leadline.store.projections.studies import StudyRow, amendments
from leadline.store.protocol import ReadView
from leadline.verdict.seeding import generate_seed
from leadline.web.api import models


def study_of(listing: Listing, row: StudyRow, today: date) -> models.Study:
    """A study of a listing as a list shows it."""
    return models.Study(
        id=row.id,
        index=row.ix,
        title=row.title,
        status=status_of(row, today),
        due=row.due,
        created=row.created,
        protocol=row.protocol,
        key=row.keyid,
        authors=listing.authors(row),
        areas=listing.areas(row),
        verdicts=_outcomes(listing.verdicts(row)),
    )


def studies_of(view: ReadView, rows: Iterable[StudyRow], today: date) -> list[models.Study]:
    """Studies as a list shows them."""
    listing = Listing(view, rows)
    return [study_of(listing, row, today) for row in listing.studies]


def detail_of(view: ReadView, row: StudyRow, today: date) -> models.Detail:
    """A study with everything the record says of it."""
    listing = Listing(view, (row,))
    return models.Detail(
        **study_of(listing, row, today).model_dump(),
        as_of=view.size(),
        leaf_hash=row.leaf.hex(),
        seed=generate_seed(row.leaf),
        hypotheses=[
            models.Hypothesis(id=one.id, kind=one.kind, claim=one.claim) for one in listing.hypotheses(row)
        ],
        amendments=amendments_of(view, row.id),
        attempts=attempts_of(view, row.id),
        attachments=attachments_of(view, row.id),
        reports=reports_of(view, row.id),
        reason=row.reason,
        characteristics=row.characteristics,
        certificate=f"/api/v1/studies/{row.id}/certificate",
    )


def amendments_of(view: ReadView, study: str) -> list[models.Amendment]:
    """Amendments of a study, oldest first."""
    return [
        models.Amendment(
            index=one.ix,
            protocol=one.protocol,
            seen=one.seen,
            reason=one.reason,
            key=one.keyid,
            created=one.created,
        )
        for one in amendments(view, study)
    ]


def attempts_of(view: ReadView, study: str) -> list[models.Attempt]:
    """Attempts of a study, in order."""
    return [
        models.Attempt(
            number=one.number,
            state=one.state,
            status=one.status,
            opened=one.opened,
            ended=one.ended,
            token=view.leaf_hash(one.opened).hex(),
            note=one.note,
            logs=attempt_logs(view, study, one.number),
            opened_at=one.opened_at,
            ended_at=one.ended_at,
        )
        for one in attempts(view, study)
    ]


def attachments_of(view: ReadView, study: str) -> list[models.Attachment]:
    """Attached log files of a study, oldest first."""
    return [
        models.Attachment(
            index=one.ix,
            attempt=one.attempt,
            sha256=one.sha256,
            name=one.name,
            size=one.size,
            format=one.format,
            eval_id=one.eval_id,
            samples=one.samples,
            created=one.created,
        )
        for one in attachments(view, study)
    ]


def reports_of(view: ReadView, study: str) -> list[models.PublishedReport]:
    """Published reports of a study, oldest first."""
    return [
        models.PublishedReport(
            index=one.ix,
            report=one.report,
            protocol=one.protocol,
            engine=one.engine,
            key=one.keyid,
            created=one.created,
            verdicts=_outcomes(verdicts(view, one.ix)),
        )
        for one in reports(view, study)
    ]


def judgements_of(view: ReadView, study: str) -> list[models.JudgementInfo]:
    """What was said of a study and not taken back, oldest first."""
    return [
        models.JudgementInfo(
            index=one.ix,
            leaf_hash=one.leaf,
            type=one.type,
            target=one.target,
            verdict=one.verdict,
            text=one.text,
            part=None if one.part is None else json.loads(one.part),
            minutes=one.minutes,
            body=one.body,
            key=one.keyid,
            lineage=one.lineage,
            created=one.created,
        )
        for one in judgements(view, study)
    ]


def key_of(record: KeyRecord) -> models.KeyInfo:
    """A key as the API shows it."""
    return models.KeyInfo(
        fingerprint=record.fingerprint,
        vkey=record.vkey,
        role=record.role,
        holder=record.holder,
        holder_kind=record.holder_kind,
        state=record.state,
        lineage=record.lineage,
        registered=record.registered,
        replaces=record.replaces,
        ended=record.ended,
    )


def _outcomes(verdicts: Iterable[VerdictRow]) -> dict[str, models.Verdict]:
    return {
        one.hypothesis: models.Verdict(outcome=one.outcome, standing=one.standing, reason=one.reason)
        for one in verdicts
    }
