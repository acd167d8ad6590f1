"""Sealing over the API: seals wait for the week's batch, slots too; neither answer nor time tells more than that."""

import binascii
from base64 import b64decode

from fastapi import APIRouter, Request

from leadline.errors import InputError, SignatureError
from leadline.ledger.dsse import decode
from leadline.ledger.ids import read_study_id
from leadline.registry.access import Access, Caller
from leadline.registry.intake.sealed import accept_seal
from leadline.registry.sealing.outbox import deposit
from leadline.web.api import models
from leadline.web.api.common import Body, StudyPath, body_of, read_model
from leadline.web.api.guard import address_of
from leadline.web.context import Site


def routes(site: Site) -> APIRouter:
    """The routes of sealed studies' authors."""
    router = APIRouter(tags=["sealing"])
    access: Access | None = site.access

    @router.post(
        "/seals",
        operation_id="submitSeal",
        summary="Seal a study",
        status_code=202,
        openapi_extra=body_of(
            models.SealSubmission, {"envelope": "eyJwYXlsb2FkIjoi…", "deposit_key": "00" * 32}
        ),
    )
    def seal(body: Body, request: Request) -> models.Accepted:
        """Take a signed seal; it enters the log with the week's batch, so that its place tells no time.

        The encrypted body is uploaded first. `deposit_key` is the public key that will sign the study's slots.
        """
        asked = read_model(body, models.SealSubmission)
        envelope = _bytes(asked.envelope, "envelope")
        first = None if asked.introduction is None else _bytes(asked.introduction, "introduction")
        keyid = decode(envelope).keyid
        if access is not None:
            access.charge_statements(Caller(address_of(request.scope), keyid), 1)
            access.require(keyid, "seal")
        try:
            study = accept_seal(site.registry, envelope, bytes.fromhex(asked.deposit_key), first)
        except SignatureError:
            if access is not None:
                access.forgive_statements(keyid, 1)
            raise
        return models.Accepted(study=study)

    @router.post(
        "/seals/{study}/slots",
        operation_id="depositSlot",
        summary="Leave a slot for the next batch",
        status_code=202,
        openapi_extra=body_of(
            models.SlotDeposit, {"slot": "AAAA…", "sequence": 1, "after": -1, "signature": "00" * 64}
        ),
    )
    def slot(study: StudyPath, body: Body, request: Request) -> models.Accepted:
        """Keep a finished slot of a sealed study until the week's batch is logged, in place of an earlier one."""
        asked = read_model(body, models.SlotDeposit)
        name = read_study_id(study)
        if access is not None:
            access.charge_statements(Caller(address_of(request.scope)), 1)
        deposit(
            site.registry,
            name,
            _bytes(asked.slot, "slot"),
            sequence=asked.sequence,
            after=asked.after,
            signature=bytes.fromhex(asked.signature),
        )
        return models.Accepted(study=name)

    return router


def _bytes(text: str, where: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("this is not base64", where=where, remedy="encode the exact bytes") from None
