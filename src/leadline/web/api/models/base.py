"""What every answer is made of, and the one shape of errors."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, a leaf hash, a root or a fingerprint in lower-case hex."""
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""An Ed25519 signature in lower-case hex."""
StudyIdText = Annotated[str, StringConstraints(pattern=r"^LL-[0-9a-z]{13}$")]


class Form(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Problem(BaseModel):
    """What went wrong, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str | None = None
    instance: str | None = None
    where: str | None = None
    missing: list[Sha256] | None = None
    """Digests of bytes to upload before the statements are sent again."""
    taken_down: str | None = None
    """Why the bytes were taken down, where they were."""
