"""Writing: signed statements, and the bytes they refer to. The server holds nobody's key and signs for nobody."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from leadline.errors import InputError, SignatureError
from leadline.ledger.canon import parse_strict
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Freeze, Seal
from leadline.ledger.statements import Statement
from leadline.registry.access import Access, Caller
from leadline.registry.intake import Gate, Staging, Ticket, read_ticket
from leadline.registry.intake.examine import Scan
from leadline.registry.intake.replay import Answer, Replay
from leadline.registry.intake.staging import KEPT, Upload
from leadline.registry.intake.ticket import claimed_key
from leadline.store import Appended
from leadline.store.memory import stated
from leadline.store.projections.authority import key as find_key
from leadline.web.api import models
from leadline.web.api.common import Body, DigestPath, Invitation, body_of, hexes, looking, read_model
from leadline.web.api.guard import address_of
from leadline.web.context import Site

_IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[!-~]{8,200}$",
        description="The same key with the same body is answered with the same answer for a day.",
    ),
]
_Ticket = Annotated[
    str | None,
    Header(
        max_length=8_000,
        alias="Leadline-Upload",
        description="A signed upload request (a DSSE envelope in base64).",
    ),
]
_FLUSH: Final = 1 << 20


def routes(site: Site, scan: Scan | None = None) -> APIRouter:
    """The routes that write."""
    router = APIRouter()
    access: Access | None = site.access
    gate = Gate(site.registry, access, scan)

    @router.post(
        "/statements",
        operation_id="submitStatements",
        summary="Append signed statements",
        tags=["statements"],
        status_code=201,
        responses={200: {"model": models.Receipts, "description": "All of it was in the log already."}},
        openapi_extra=body_of(models.Submission, {"envelopes": ["eyJwYXlsb2FkIjoi…"]}),
    )
    def statements(
        body: Body,
        request: Request,
        response: Response,
        idempotency_key: _IdempotencyKey = None,
        invitation: Invitation = None,
    ) -> models.Receipts:
        """All of them, in one transaction, or none; answered once they are durable, with their proofs.

        201 when something was appended; 200 when every statement was in the log already. A report is computed
        again before it is accepted. What statements refer to is uploaded first: otherwise the problem lists it
        in `missing`.
        """
        envelopes = _envelopes(read_model(body, models.Submission))
        incoming = gate.let_in(envelopes, address=address_of(request.scope), invitation=invitation)
        remembered = (
            None
            if idempotency_key is None
            else Replay(site.registry.store.shelf, incoming.signers[0][0], idempotency_key, body)
        )
        known = None if remembered is None else remembered.begin(site.now())
        if known is not None:
            response.status_code = known.status
            return models.Receipts.model_validate(parse_strict(known.body))
        try:
            receipts = incoming.submit()
            answer = _answer(site, receipts, incoming.statements)
        except BaseException:
            if remembered is not None:
                remembered.fail()
            raise
        response.status_code = 200 if all(one.duplicate for one in receipts) else 201
        if remembered is not None:
            # What was appended is a duplicate now; the answer to a repetition is the first one all the same.
            remembered.finish(Answer(response.status_code, answer.model_dump_json().encode()), site.now())
        return answer

    @router.put(
        "/blobs/{sha256}",
        operation_id="putBlob",
        summary="Upload bytes for a statement to come",
        tags=["blobs"],
        status_code=201,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def put(
        sha256: DigestPath, request: Request, upload: _Ticket = None, invitation: Invitation = None
    ) -> models.Stored:
        """Keep these bytes for a day, for a statement signed by the same key. Nobody else can see or use them.

        The answer is the same whether or not the registry holds such bytes already. An invitation sent along is
        redeemed for the key that signed the upload request.
        """
        ticket = await run_in_threadpool(_admit_upload, site, access, request, sha256, upload, invitation)
        staged = await run_in_threadpool(
            Staging(site.registry.store.shelf).begin, ticket.keyid, sha256, ticket.size, site.now()
        )
        try:
            await _receive(request, staged)
            await run_in_threadpool(staged.finish)
        except BaseException:
            await run_in_threadpool(staged.abandon)
            raise
        return models.Stored(sha256=sha256, size=ticket.size, expires=_written(site.now() + KEPT))

    return router


# -- statements -----------------------------------------------------------------------------------


def _envelopes(asked: models.Submission) -> list[bytes]:
    try:
        return [b64decode(text, validate=True) for text in asked.envelopes]
    except (binascii.Error, ValueError):
        raise InputError(
            "an envelope is not base64", where="envelopes", remedy="encode each envelope's exact bytes"
        ) from None


def _answer(site: Site, receipts: Sequence[Appended], statements: Sequence[Statement]) -> models.Receipts:
    checkpoint = receipts[-1].checkpoint
    size = stated(checkpoint).size
    with looking(site) as view:
        entries = [
            models.Receipt(
                index=one.index,
                leaf_hash=one.leaf_hash.hex(),
                duplicate=one.duplicate,
                study=_study(one, statement),
                hashes=hexes(view.inclusion_proof(one.index, size)),
            )
            for one, statement in zip(receipts, statements, strict=True)
        ]
    return models.Receipts(
        origin=site.registry.home.origin, size=size, checkpoint=checkpoint.decode(), entries=entries
    )


def _study(receipt: Appended, statement: Statement) -> str | None:
    said = statement.predicate
    if isinstance(said, Freeze) or (isinstance(said, Seal) and said.action == "study"):
        return study_id(receipt.leaf_hash)
    named: str | None = getattr(said, "study", None)
    return named


# -- uploads --------------------------------------------------------------------------------------


def _admit_upload(
    site: Site,
    access: Access | None,
    request: Request,
    digest: str,
    encoded: str | None,
    invitation: str | None,
) -> Ticket:
    """The upload request behind an upload, charged and then verified."""
    if encoded is None:
        raise SignatureError(
            "an upload is announced by a signed upload request",
            where="Leadline-Upload",
            remedy="send what `leadline key sign-upload` prints in this header",
        )
    try:
        envelope = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the upload request is not base64", where="Leadline-Upload") from None
    keyid = claimed_key(envelope)
    length = request.headers.get("content-length")
    most = site.settings.max_blob_bytes
    claimed = int(length[:20]) if length is not None and length.isdigit() else None
    if claimed is not None and claimed > most:
        raise InputError(
            f"an upload has at most {most:,} bytes", where="Content-Length", remedy="attach smaller logs"
        )
    if access is not None:
        # The size the client states now is charged before the signature is checked; see below for the rest.
        access.charge_bytes(Caller(address_of(request.scope), keyid), claimed or 0)
    store = site.registry.store
    try:
        ticket = read_ticket(
            envelope,
            origin=site.registry.home.origin,
            now=site.now(),
            find_key=lambda fingerprint: find_key(store, fingerprint),
        )
        if access is not None:
            if invitation is not None:  # the key has signed: nobody uses it up for a key of somebody else
                access.redeem(invitation, ticket.keyid)
            access.require(ticket.keyid, "register")
    except BaseException:
        if access is not None:
            access.forgive_bytes(keyid, claimed or 0)
        raise
    if ticket.digest != digest:
        raise InputError("the upload request is for other bytes", remedy="sign one for this digest")
    if ticket.size > most:
        raise InputError(f"an upload has at most {most:,} bytes", remedy="attach smaller logs")
    if access is not None and claimed is None:
        access.charge_bytes(Caller(address_of(request.scope), keyid), ticket.size)
    if claimed is not None and claimed != ticket.size:
        raise InputError("the body is not as long as the upload request says", remedy="send those bytes")
    return ticket


async def _receive(request: Request, staged: Upload) -> None:
    """The body, a megabyte at a time."""
    buffer = bytearray()
    async for chunk in request.stream():
        buffer += chunk
        if len(buffer) >= _FLUSH:
            await run_in_threadpool(staged.write, bytes(buffer))
            buffer.clear()
    await run_in_threadpool(staged.write, bytes(buffer))


def _written(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
