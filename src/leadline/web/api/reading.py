"""Reading studies: search, facets, everything about one, authors and keys."""

from collections import Counter
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from leadline.errors import NotFoundError
from leadline.ledger.certificate import SUFFIX
from leadline.ledger.fields import Outcome, Standing
from leadline.registry.cosigning import certificate_of
from leadline.registry.siblings import siblings as siblings_of
from leadline.registry.statements import indexes_of
from leadline.store.facets import facets
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.authority import keys as list_keys
from leadline.store.projections.status import status_of
from leadline.store.projections.studies import studies
from leadline.store.query import Query as Question
from leadline.store.query import SearchStatus
from leadline.store.search import search_studies
from leadline.web.api import models, shapes
from leadline.web.api.common import (
    MAX_INDEX,
    AsOf,
    Index,
    KeyPath,
    PageSize,
    StudyPath,
    any_study,
    looking,
    open_study,
)
from leadline.web.api.record import entry_of
from leadline.web.context import Site

_Text = Annotated[str, Query(max_length=1_000, description='Words and "phrases" that must all occur.')]
_Word = Annotated[str | None, Query(min_length=1, max_length=300)]
_Date = Annotated[date | None, Query()]
_MOST_OF_AUTHOR = 200
_DISPOSITION = {"X-Content-Type-Options": "nosniff"}


def routes(site: Site) -> APIRouter:
    """The routes about studies and their authors."""
    router = APIRouter(tags=["studies"])

    @router.get("/studies", operation_id="searchStudies", summary="Search studies")
    def search(
        q: _Text = "",
        area: _Word = None,
        author: _Word = None,
        technique: _Word = None,
        model: _Word = None,
        task: _Word = None,
        measure: _Word = None,
        verdict: Outcome | None = None,
        standing: Standing | None = None,
        status: SearchStatus | None = None,
        gap: _Word = None,
        key: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
        protocol: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
        since: _Date = None,
        until: _Date = None,
        order: Literal["relevance", "newest"] = "relevance",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(min_length=1, max_length=8_000)] = None,
        as_of: AsOf = None,
    ) -> models.StudyPage:
        """A page of studies: ranked where there are words, else newest first.

        Answered as of a log index: pages of one search, followed by their cursors, show each study once, however
        many are registered meanwhile. `as_of` asks about an earlier state; a cursor carries its own.
        """
        question = Question(
            text=q, area=area, author=author, technique=technique, model=model, task=task, measure=measure,
            verdict=verdict, standing=standing, status=status, gap=gap, keyid=key, protocol=protocol,
            since=since, until=until, order=order, limit=limit,
        )  # fmt: skip
        today = site.today()
        with looking(site, None if cursor else as_of) as view:
            page = search_studies(view, question, cursor=cursor, today=today)
            return models.StudyPage(
                as_of=page.as_of,
                studies=shapes.studies_of(view, page.studies, today),
                cursor=page.cursor,
                capped=page.capped,
                relaxed=page.relaxed,
            )

    @router.get("/facets", operation_id="countFacets", summary="Count what a search finds")
    def count(
        q: _Text = "",
        area: _Word = None,
        author: _Word = None,
        technique: _Word = None,
        model: _Word = None,
        verdict: Outcome | None = None,
        standing: Standing | None = None,
        status: SearchStatus | None = None,
        gap: _Word = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        as_of: AsOf = None,
    ) -> models.FacetCounts:
        """How many of the studies found have each area, technique, model, verdict, standing, status and gap.

        Exact up to 5,000 studies; beyond (`capped`) the counts are of the newest 5,000.
        """
        question = Question(
            text=q, area=area, author=author, technique=technique, model=model,
            verdict=verdict, standing=standing, status=status, gap=gap,
        )  # fmt: skip
        with looking(site, as_of) as view:
            found = facets(view, question, today=site.today(), limit=limit)
        return models.FacetCounts(
            as_of=found.as_of,
            total=found.total,
            capped=found.capped,
            relaxed=found.relaxed,
            facets={
                str(name): [models.Count(value=value, count=number) for value, number in counts]
                for name, counts in found.items()
            },
        )

    @router.get("/studies/{study}", operation_id="getStudy", summary="Everything about one study")
    def study(study: StudyPath) -> models.Detail | models.Sealed:
        """What the record says of a study; of a sealed one, that it exists."""
        with looking(site) as view:
            row, sealed = any_study(view, study, site.today())
            return sealed if row is None and sealed else shapes.detail_of(view, _some(row), site.today())

    @router.get(
        "/studies/{study}/protocol",
        operation_id="getProtocol",
        summary="The protocol as it was frozen",
        response_class=Response,
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    def protocol(study: StudyPath) -> Response:
        """The canonical bytes whose digest the freeze names."""
        with looking(site) as view:
            digest = open_study(view, study).protocol
            return _bytes(view.blob(digest), "application/json", digest)

    @router.get(
        "/studies/{study}/report",
        operation_id="getReport",
        summary="The newest report",
        response_class=Response,
        responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    )
    def report(study: StudyPath) -> Response:
        """The bytes of the newest published report; 404 before there is one."""
        with looking(site) as view:
            published = shapes.reports_of(view, open_study(view, study).id)
            if not published:
                raise NotFoundError("the study has no report yet", remedy="look again after its due date")
            digest = published[-1].report
            return _bytes(view.blob(digest), "application/json", digest)

    @router.get(
        "/studies/{study}/certificate",
        operation_id="getCertificate",
        summary="The certificate of registration",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def certificate(study: StudyPath) -> Response:
        """One small file that proves the promise offline, with the log's public key alone."""
        with looking(site) as view:
            row, sealed = any_study(view, study, site.today())
            name = row.id if row is not None else sealed.id if sealed is not None else study
            index = row.promised if row is not None else sealed.index if sealed is not None else 0
        made = certificate_of(site.registry.store, index)
        headers = {"Content-Disposition": f'attachment; filename="{name}{SUFFIX}"'}
        return Response(made, headers=headers, media_type="text/plain; charset=utf-8")

    @router.get(
        "/studies/{study}/statements",
        operation_id="listStatements",
        summary="Every statement a study rests on",
    )
    def statements(
        study: StudyPath, start: Index = 0, limit: PageSize = 64, as_of: AsOf = None
    ) -> models.Entries:
        """Its own statements, those that closed it, and those of the keys that signed them, in log order.

        From log index `start` on; go on at `next`, with the `as_of` of the first page, to read one state to its end.
        """
        with looking(site, as_of) as view:
            row, size = open_study(view, study), view.size()
            indexes = [index for index in indexes_of(view, row.id, size) if index >= start]
            return models.Entries(
                as_of=size,
                entries=[entry_of(index, view.entry(index)) for index in indexes[:limit]],
                next=indexes[limit] if len(indexes) > limit else None,
            )

    @router.get("/studies/{study}/attempts", operation_id="listAttempts", summary="Every announced run")
    def attempts(study: StudyPath) -> list[models.Attempt]:
        """Attempts in order, with how each ended; the open ones too."""
        with looking(site) as view:
            return shapes.attempts_of(view, open_study(view, study).id)

    @router.get("/studies/{study}/judgements", operation_id="listJudgements", summary="What others say of it")
    def judgements(study: StudyPath) -> models.Judgements:
        """Forecasts, reviews and critiques, each under its author's key, oldest first."""
        with looking(site) as view:
            row = open_study(view, study)
            return models.Judgements(as_of=view.size(), judgements=shapes.judgements_of(view, row.id))

    @router.get("/studies/{study}/siblings", operation_id="listSiblings", summary="Its nearest relatives")
    def siblings(study: StudyPath) -> models.StudyPage:
        """Studies of the same author that share dataset, technique and measure: they weigh as one family."""
        with looking(site) as view:
            row = open_study(view, study)
            found = [one.row for one in siblings_of(view, row.id)]
            return models.StudyPage(
                as_of=view.size(),
                studies=shapes.studies_of(view, found, site.today()),
                cursor=None,
                capped=False,
                relaxed=False,
            )

    @router.get("/authors/{key}", operation_id="getAuthor", summary="What stands under a key", tags=["keys"])
    def author(key: KeyPath) -> models.Author:
        """The keys of one lineage, and their studies by status. There is no ranking of people."""
        today = site.today()
        with looking(site) as view:
            record = find_key(view, key)
            if record is None:
                raise NotFoundError("the log knows no such key", remedy="list the keys: /api/v1/keys")
            lineage = list_keys(view, lineage=record.lineage)
            rows = [row for one in lineage for row in studies(view, keyid=one.fingerprint, limit=5_000)]
            rows.sort(key=lambda row: -row.ix)
            counts = Counter(status_of(row, today) for row in rows)
            return models.Author(
                as_of=view.size(),
                keys=[shapes.key_of(one) for one in lineage],
                counts=dict(sorted(counts.items())),
                studies=shapes.studies_of(view, rows[:_MOST_OF_AUTHOR], today),
                more=len(rows) > _MOST_OF_AUTHOR,
            )

    @router.get("/keys", operation_id="listKeys", summary="Every key the log knows", tags=["keys"])
    def keys(
        role: Literal["author", "log", "service", "witness"] | None = None,
        after: Annotated[int | None, Query(ge=0, le=MAX_INDEX)] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000,
    ) -> models.Keys:
        """Signing keys in order of registration, with what became of them."""
        with looking(site) as view:
            found = list_keys(view, role=role, after=after, limit=limit + 1)
            more = len(found) > limit
            return models.Keys(
                as_of=view.size(),
                keys=[shapes.key_of(one) for one in found[:limit]],
                next=found[limit - 1].registered if more else None,
            )

    return router


def _some(row: Any) -> Any:
    assert row is not None
    return row


def _bytes(data: bytes, media_type: str, digest: str) -> Response:
    return Response(data, headers={**_DISPOSITION, "Repr-Digest-Hex": digest}, media_type=media_type)
