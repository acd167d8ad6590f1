"""This server as a witness for other logs: ``/witness/add-checkpoint`` and ``/witness/<origin hash>/checkpoint``.

C2SP tlog-witness; submission and monitoring prefix are both ``/witness``. Everything is decided in
`leadline.registry.witnessing`.
"""

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from leadline.ledger.witness import MAX_REQUEST, TEXT, Answer
from leadline.registry.witnessing import Witness, witness_of

if TYPE_CHECKING:
    from leadline.web.context import Site

PREFIX = "/witness"
_NO_WITNESS = Answer(404, TEXT, b"this server cosigns no logs\n")
_TOO_LONG = Answer(413, TEXT, b"the request is too long\n")


def routes(site: "Site") -> list[Route]:
    """The witness's routes, to be mounted at the root of the application."""

    async def add_checkpoint(request: Request) -> Response:
        witness = witness_of(site.registry)
        if witness is None:
            return _response(_NO_WITNESS)
        body = await _bounded(request)
        return _response(_TOO_LONG if body is None else await run_in_threadpool(witness.add_checkpoint, body))

    async def checkpoint(request: Request) -> Response:
        witness: Witness | None = witness_of(site.registry)
        if witness is None:
            return _response(_NO_WITNESS)
        return _response(await run_in_threadpool(witness.checkpoint, request.path_params["origin"]))

    return [
        Route(f"{PREFIX}/add-checkpoint", add_checkpoint, methods=["POST"]),
        Route(f"{PREFIX}/{{origin}}/checkpoint", checkpoint, methods=["GET"]),
    ]


async def _bounded(request: Request) -> bytes | None:
    """The body, or None as soon as it is longer than any request a witness understands."""
    parts, length = [], 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > MAX_REQUEST:
                return None
            parts.append(chunk)
    except ClientDisconnect:
        return b""
    return b"".join(parts)


def _response(answer: Answer) -> Response:
    # Set as a header of its own: Starlette would add a charset to what the specification names exactly.
    headers = {
        "content-type": answer.content_type,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(answer.body, answer.status, headers)
