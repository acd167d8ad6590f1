"""Reading a draft: what a critical referee would say of it, and what is near to it. Nothing of it is kept."""

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from leadline.errors import InputError
from leadline.logs.apart import GIB, MIB, ApartLimits
from leadline.protocol.model import Protocol
from leadline.protocol.nodes import MAX_BYTES
from leadline.registry.intake.work import apart
from leadline.web.api import models, shapes
from leadline.web.api.common import Body, looking
from leadline.web.api.guard import json_bytes
from leadline.web.context import Site

#: A reading takes a second or two; a plan that takes longer is read on the author's own machine.
_LIMITS: Final = ApartLimits(memory=2 * GIB, cpu_seconds=20, wall_seconds=40, output=8 * MIB)
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

    @router.post(
        "/check", operation_id="checkProtocol", summary="Read a plan critically", openapi_extra=_DRAFT
    )
    def check(
        body: Body,
        replicates: Annotated[int, Query(ge=0, le=_REPLICATES)] = 0,
    ) -> models.Reading:
        """Findings of the critical reader, errors first; an error blocks registration.

        `replicates` studies per truth are simulated for what depends on power; 0 leaves that out. What is
        registered already is compared too.
        """
        protocol = _draft(body)
        question = {
            "protocol": protocol.canonical_bytes().decode(),
            "replicates": replicates,
            "today": site.today().isoformat(),
        }
        answer = apart("leadline.web.api.checking:check_apart", json.dumps(question).encode(), _LIMITS)
        findings = [*json.loads(answer), *_registered(site, protocol)]
        rank = {"error": 0, "warning": 1, "note": 2}
        findings.sort(key=lambda one: rank[one["severity"]])
        return models.Reading(
            digest=protocol.digest,
            registrable=not any(one["severity"] == "error" for one in findings),
            findings=[models.FoundProblem(**one) for one in findings],
        )

    @router.post(
        "/similar",
        operation_id="findSimilar",
        summary="Registered studies near to a draft",
        openapi_extra=_DRAFT,
    )
    def similar(body: Body, limit: Annotated[int, Query(ge=1, le=20)] = 5) -> models.NearStudies:
        """The nearest studies, null results and work in progress included, each with what agrees."""
        protocol = _draft(body)
        found = near(site, protocol, limit)
        with looking(site) as view:
            return models.NearStudies(
                as_of=view.size(),
                similar=[
                    models.Near(study=shapes.study_of(view, row, site.today()), score=score, why=why)
                    for row, score, why in found
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


def near(site: Site, protocol: Protocol, limit: int) -> list[tuple[Any, float, list[str]]]:
    """Row, score and reasons of the registered studies nearest to a draft."""
    return [(found.row, found.score, list(found.why)) for found in site.registry.similar(protocol, limit)]


def check_apart(payload: bytes) -> bytes:
    """Findings on a plan that need no registry, as JSON; run in a process of its own."""
    from datetime import date

    from leadline.registry.check import check

    asked = json.loads(payload)
    protocol = Protocol.parse(asked["protocol"].encode(), name="protocol")
    today = date.fromisoformat(asked["today"])
    findings = check(protocol, None, replicates=asked["replicates"], today=today)
    return json.dumps([one.to_dict() for one in findings]).encode()


def _registered(site: Site, protocol: Protocol) -> list[dict[str, Any]]:
    """Findings about what is registered already."""
    from leadline.registry.check import registered
    from leadline.registry.check.model import View

    view = View(protocol, site.today(), site.registry, None)
    return [one.to_dict() for rule in registered.RULES for one in rule(view)]


def _draft(body: bytes) -> Protocol:
    if not body.strip():
        raise InputError("the body is empty", remedy="send a protocol as JSON or YAML")
    if len(body) > MAX_BYTES:
        raise InputError(
            f"a protocol has at most {MAX_BYTES:,} bytes", remedy="name large datasets by their digest"
        )
    return Protocol.parse(body, name="protocol")


def _schema(name: str) -> dict[str, Any]:
    if name == "protocol":
        from leadline.protocol.schema import json_schema

        return json_schema()
    from leadline.verdict.schema import report_schema

    return report_schema()
