"""Sealing over the API: seals wait for the week's round, slots for its batch; no answer and no time tells more.

Only the first request, for a seal or for the installation's signature, is charged to an author's key. All others are
signed with the key that was made for one seal alone, and are charged to the address they come from.
"""

from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Request

from leadline.ledger.dsse import decode
from leadline.ledger.encoding import b64encode
from leadline.ledger.ids import read_study_id
from leadline.registry.intake.gate import Gate, Invited
from leadline.registry.intake.sealed import accept_seal, is_hazard
from leadline.registry.lifecycle.withholding import accept_request
from leadline.registry.sealing.fielding import open_hazard_fields
from leadline.registry.sealing.hazard import claimed_key, require_signed, sign_requested
from leadline.registry.sealing.holding import hold
from leadline.registry.sealing.outbox import answer_own, deposit
from leadline.web.api import models
from leadline.web.api.common import Body, Invitation, StudyPath, body_of, read_bytes, read_model
from leadline.web.api.guard import address_of
from leadline.web.context import Site

_SIGNATURE = "00" * 64


def routes(site: Site) -> APIRouter:
    """The routes of sealed studies' authors."""
    router = APIRouter(tags=["sealing"])
    registry, gate = site.registry, Gate(site.registry, site.access)

    @router.post(
        "/seals/signatures",
        operation_id="signHazardSeal",
        summary="Have a hazard seal signed",
        openapi_extra=body_of(models.PrivateRequest, {"request": "eyJwYXlsb2FkIjoi…"}),
    )
    def sign(body: Body, request: Request, invitation: Invitation = None) -> models.SignedSeal:
        """The hazard seal that an author's signed request asks for, signed by this installation.

        The request is checked, charged to its author's key, and forgotten. An invitation sent along is redeemed for
        that key. Hand the seal in with POST /seals, and without the invitation: it would point to its author.
        """
        asked = read_bytes(read_model(body, models.PrivateRequest).request, "request")
        invited = (
            None if invitation is None else Invited(invitation, partial(require_signed, registry, asked))
        )
        keyid, address = claimed_key(asked), address_of(request.scope)
        with gate.request(keyid, "seal", address=address, invited=invited):
            return models.SignedSeal(envelope=b64encode(sign_requested(registry, asked)))

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
        """Take a signed seal; it enters the log with the week's round, so that its place tells no time.

        The encrypted body of an ordinary seal is uploaded before, that of a hazard seal comes along in `body`.
        `deposit_key` is the public key that will sign what the study asks for and leaves here.
        """
        asked = read_model(body, models.SealSubmission)
        envelope = read_bytes(asked.envelope, "envelope")
        first = None if asked.introduction is None else read_bytes(asked.introduction, "introduction")
        brought = () if asked.body is None else (read_bytes(asked.body, "body"),)
        address, key = address_of(request.scope), bytes.fromhex(asked.deposit_key)
        if is_hazard(envelope):  # charged to its author when it was signed
            gate.charge(address)
            return models.Accepted(study=accept_seal(registry, envelope, key, None, brought))
        with gate.request(decode(envelope).keyid, "seal", address=address):
            return models.Accepted(study=accept_seal(registry, envelope, key, first, brought))

    @router.post(
        "/seals/{study}/slots",
        operation_id="depositSlot",
        summary="Leave a slot for the next batch",
        status_code=202,
        openapi_extra=body_of(
            models.SlotDeposit, {"slot": "AAAA…", "sequence": 1, "after": -1, "signature": _SIGNATURE}
        ),
    )
    def slot(study: StudyPath, body: Body, request: Request) -> models.Accepted:
        """Keep a finished slot of a sealed study until the week's batch is logged, in place of an earlier one."""
        asked = read_model(body, models.SlotDeposit)
        name = read_study_id(study)
        gate.charge(address_of(request.scope))
        deposit(
            registry,
            name,
            read_bytes(asked.slot, "slot"),
            sequence=asked.sequence,
            after=asked.after,
            signature=bytes.fromhex(asked.signature),
        )
        return models.Accepted(study=name)

    @router.post(
        "/seals/{study}/own",
        operation_id="askOwn",
        summary="What belongs to a sealed study alone",
        openapi_extra=body_of(models.OwnQuestion, {"expires": 1_772_000_000, "signature": _SIGNATURE}),
    )
    def own(study: StudyPath, body: Body, request: Request) -> models.OwnAnswer:
        """What opens the study's silent slots, and how many deposits it made, for whoever holds its own key."""
        asked = read_model(body, models.OwnQuestion)
        name = read_study_id(study)
        gate.charge(address_of(request.scope))
        expires = datetime.fromtimestamp(asked.expires, UTC)
        found = answer_own(registry, name, expires, bytes.fromhex(asked.signature))
        silent = [
            models.SilentSlot(batch=batch, salt=one.salt.hex(), verdict_salt=one.verdict_salt.hex())
            for batch, one in sorted(found.silent.items())
        ]
        return models.OwnAnswer(silent=silent, sequence=found.sequence)

    @router.post(
        "/seals/{study}/hold",
        operation_id="holdSeal",
        summary="Keep a sealed study from being opened by itself",
        status_code=202,
        openapi_extra=body_of(models.OwnRequest, {"signature": _SIGNATURE}),
    )
    def held(study: StudyPath, body: Body, request: Request) -> models.Accepted:
        """Leave the study out of the release at the end of its embargo. Nothing public changes by it."""
        asked = read_model(body, models.OwnRequest)
        name = read_study_id(study)
        gate.charge(address_of(request.scope))
        hold(registry, name, bytes.fromhex(asked.signature))
        return models.Accepted(study=name)

    @router.post(
        "/seals/{study}/fields",
        operation_id="openHazardFields",
        summary="Open fields of a hazard seal",
        status_code=201,
        openapi_extra=body_of(
            models.FieldsRequest,
            {"salts": {"title": "00" * 32}, "body": "eyJ0aXRsZSI6…", "signature": _SIGNATURE},
        ),
    )
    def fields(study: StudyPath, body: Body, request: Request) -> models.Logged:
        """Log a reveal of some fields, signed by the installation as the seal is.

        Whole reveals, and fields of ordinary seals, are statements: POST /statements.
        """
        asked = read_model(body, models.FieldsRequest)
        name = read_study_id(study)
        gate.charge(address_of(request.scope))
        receipt = open_hazard_fields(
            registry, name, asked.salts, read_bytes(asked.body, "body"), bytes.fromhex(asked.signature)
        )
        return models.Logged(index=receipt.index)

    @router.post(
        "/requests",
        operation_id="sendRequest",
        summary="A signed request that is no statement",
        tags=["statements"],
        status_code=202,
        openapi_extra=body_of(models.PrivateRequest, {"request": "eyJwYXlsb2FkIjoi…"}),
    )
    def private(body: Body, request: Request) -> models.Taken:
        """Withhold a study from being published by itself, or lift that. Nothing public changes, now or later.

        Make the request with `leadline.registry.lifecycle.withholding_request`. The answer is the same for every
        study that the key may act for, and the refusal the same for every other, and for one that there is not.
        """
        asked = read_bytes(read_model(body, models.PrivateRequest).request, "request")
        with gate.request(decode(asked).keyid, None, address=address_of(request.scope)):
            accept_request(registry, asked)
        return models.Taken(accepted=True)

    return router
