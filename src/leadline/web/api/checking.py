"""Reading a draft: what a critical referee would say of it, and what is near to it. Nothing of it is kept."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from leadline.errors import InputError
from leadline.protocol.model import Protocol
from leadline.registry.check.model import ordered
from leadline.registry.intake import Gate
from leadline.registry.intake.apart import Apart
from leadline.web.api import models, shapes
from leadline.web.api.common import Body, looking
from leadline.web.api.guard import address_of, json_bytes
from leadline.web.context import Site

_REPLICATES: Final = 400
_DRAFT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A protocol, as JSON or YAML.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}


def routes(site: Site) -> APIRouter:
    """The routes about drafts, and the schemas."""
    router = APIRouter(tags=["drafts"])
    gate = Gate(site.registry, site.access)

    def computing(request: Request) -> Apart:
        """Apart, at the expense of the client's address: a draft is signed by nobody."""
        return Apart(gate.purse(address_of(request.scope)))

    @router.post(
        "/check", operation_id="checkProtocol", summary="Read a plan critically", openapi_extra=_DRAFT
    )
    def check(
        body: Body,
        request: Request,
        replicates: Annotated[int, Query(ge=0, le=_REPLICATES)] = 0,
    ) -> models.Reading:
        """Findings of the critical reader, errors first; an error blocks registration.

        `replicates` studies per truth are simulated for what depends on power; 0 leaves that out. What is
        registered already is compared too.
        """
        apart = computing(request)
        protocol = _draft(apart, body)
        found = apart.findings(protocol, replicates=replicates, today=site.today())
        findings = ordered([*found, *apart.compared(protocol, site.registry, site.today())])
        return models.Reading(
            digest=protocol.digest,
            registrable=not any(one.blocks for one in findings),
            findings=[models.FoundProblem(**one.to_dict()) for one in findings],
        )

    @router.post(
        "/similar",
        operation_id="findSimilar",
        summary="Registered studies near to a draft",
        openapi_extra=_DRAFT,
    )
    def similar(
        body: Body, request: Request, limit: Annotated[int, Query(ge=1, le=20)] = 5
    ) -> models.NearStudies:
        """The nearest studies, null results and work in progress included, each with what agrees."""
        apart = computing(request)
        found = apart.similar(_draft(apart, body), site.registry, limit)
        with looking(site) as view:
            shown = shapes.studies_of(view, (one.row for one in found), site.today())
            return models.NearStudies(
                as_of=view.size(),
                similar=[
                    models.Near(study=study, score=one.score, why=list(one.why))
                    for study, one in zip(shown, found, strict=True)
                ],
            )

    @router.get(
        "/schema/{name}",
        operation_id="getSchema",
        summary="JSON schema of a document",
        tags=["schemas"],
        response_class=Response,
        responses={200: {"content": {"application/schema+json": {"schema": {"type": "object"}}}}},
    )
    def schema(name: str) -> Response:
        """The schema of `protocol` or `report`."""
        if name not in ("protocol", "report"):
            raise InputError(f"there is no schema {name[:80]!r}", remedy="ask for protocol or report")
        return Response(json_bytes(_schema(name)), media_type="application/schema+json")

    return router


def _draft(computing: Apart, body: bytes) -> Protocol:
    if not body.strip():
        raise InputError("the body is empty", remedy="send a protocol as JSON or YAML")
    return computing.plan(body)


def _schema(name: str) -> dict[str, Any]:
    if name == "protocol":
        from leadline.protocol.schema import json_schema

        return json_schema()
    from leadline.verdict.schema import report_schema

    return report_schema()
