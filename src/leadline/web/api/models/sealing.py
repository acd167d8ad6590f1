"""Sealed studies: what their authors send and ask for."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from leadline.web.api.models.base import Form, Sha256, Signature, StudyIdText


class SealSubmission(BaseModel):
    """A signed seal, what introduces its key to the log, and the public key that will sign its slots (hex).

    `body` is the encrypted body of a hazard seal in base64; that of an ordinary seal is uploaded.
    """

    model_config = ConfigDict(extra="forbid")

    envelope: Annotated[str, StringConstraints(min_length=1, max_length=87_384)]
    introduction: Annotated[str, StringConstraints(min_length=1, max_length=87_384)] | None = None
    body: Annotated[str, StringConstraints(min_length=1, max_length=1 << 20)] | None = None
    deposit_key: Sha256


class SlotDeposit(BaseModel):
    """A finished slot of a sealed study, and the signature over it by the study's deposit key (hex)."""

    model_config = ConfigDict(extra="forbid")

    slot: Annotated[str, StringConstraints(min_length=1, max_length=1 << 20)]
    sequence: Annotated[int, Field(ge=1, lt=1 << 48)]
    after: Annotated[int, Field(ge=-1, lt=1 << 48)]
    signature: Signature


class PrivateRequest(BaseModel):
    """A signed request that is no statement (a DSSE envelope in base64)."""

    model_config = ConfigDict(extra="forbid")

    request: Annotated[str, StringConstraints(min_length=1, max_length=65_536)]


class OwnQuestion(BaseModel):
    """A question signed by a sealed study's own key, good until `expires` (seconds since 1970)."""

    model_config = ConfigDict(extra="forbid")

    expires: Annotated[int, Field(ge=0, lt=1 << 35)]
    signature: Signature


class OwnRequest(BaseModel):
    """A request signed by a sealed study's own key."""

    model_config = ConfigDict(extra="forbid")

    signature: Signature


class FieldsRequest(BaseModel):
    """Values of fields (canonical JSON, in base64), the salts that open them, and the own key's signature."""

    model_config = ConfigDict(extra="forbid")

    salts: Annotated[dict[Annotated[str, Field(max_length=64)], Sha256], Field(min_length=1, max_length=100)]
    body: Annotated[str, StringConstraints(min_length=1, max_length=6 << 20)]
    signature: Signature


class Accepted(Form):
    """What was sent is kept for a sealed study."""

    study: StudyIdText


class SignedSeal(Form):
    """A seal as the installation signed it (base64)."""

    envelope: str


class SilentSlot(Form):
    """What opens a slot in which nothing was said (hex)."""

    batch: int
    salt: Sha256
    verdict_salt: Sha256


class OwnAnswer(Form):
    """The silent slots of a study, and how many deposits it made."""

    silent: list[SilentSlot]
    sequence: int


class Logged(Form):
    """Where a statement stands that the registry made."""

    index: int


class Taken(Form):
    """A private request was taken."""

    accepted: Literal[True]
