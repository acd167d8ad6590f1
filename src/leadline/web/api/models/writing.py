"""What is sent to be recorded, and what comes back."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from leadline.registry.intake import MAX_STATEMENTS
from leadline.web.api.models.base import Form, Sha256


class KeptItem(Form):
    """Something kept beside the log: its key, and its bytes in base64."""

    key: str
    value: str


class Kept(Form):
    """Things kept beside the log, in order of their keys."""

    items: list[KeptItem]


class Receipt(Form):
    """Where a statement is, and the proof of it under the checkpoint of the same answer."""

    index: int
    leaf_hash: Sha256
    duplicate: bool
    study: str | None
    hashes: list[Sha256]


class Receipts(Form):
    """Statements that are durably in the log."""

    origin: str
    size: int
    checkpoint: str
    entries: list[Receipt]


class Submission(BaseModel):
    """Statements to append, all or none: DSSE envelopes in base64, in order."""

    model_config = ConfigDict(extra="forbid")

    envelopes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=87_384)]],
        Field(min_length=1, max_length=MAX_STATEMENTS),
    ]


class Stored(Form):
    """Bytes that wait for the statement that names them."""

    sha256: Sha256
    size: int
    expires: str
