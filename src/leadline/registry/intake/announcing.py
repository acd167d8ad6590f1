"""Announcing files for upload to a registry that is served: what its API wants to see before it takes a byte."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from leadline.errors import InputError, NotFoundError
from leadline.ledger.encoding import b64encode
from leadline.ledger.keys import SigningKey
from leadline.registry.intake.ticket import LONGEST, sign_ticket

#: The header that carries the ticket.
HEADER: Final = "Leadline-Upload"
_READ: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that may be sent until `expires`: its own `name`, hex SHA-256 and bytes, and the `ticket` in base64."""

    name: str
    sha256: str
    size: int
    expires: datetime
    ticket: str

    @property
    def path(self) -> str:
        """Where it is put, below the address of the registry."""
        return f"/api/v1/blobs/{self.sha256}"

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with it."""
        return {HEADER: self.ticket, "Content-Length": str(self.size)}


def announce(
    file: Path, *, origin: str, key: SigningKey, now: datetime, valid: timedelta = timedelta(hours=6)
) -> Announced:
    """A file, announced by `key` to the registry of the log `origin`, for `valid` from `now`.

    Raises NotFoundError for a file that cannot be read, InputError for a time that no registry accepts.
    """
    if not timedelta(0) < valid <= LONGEST:
        raise InputError("an upload is announced for at most a day", remedy="choose 1 to 24 hours")
    digest, size = sha256(), 0
    try:
        with file.open("rb") as source:
            while chunk := source.read(_READ):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise NotFoundError(
            f"the file cannot be read: {error.strerror}", where=str(file), remedy="check the path"
        ) from error
    expires = (now + valid).replace(microsecond=0)
    ticket = sign_ticket(digest.hexdigest(), size, origin=origin, expires=expires, key=key)
    return Announced(file.name, digest.hexdigest(), size, expires, b64encode(ticket))
