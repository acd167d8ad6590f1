"""Private requests to a registry elsewhere: what is signed and sent, and is no statement in the open log.

Nothing here holds a secret: what is sent was signed or encrypted before.
"""

import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, Final

from leadline.errors import IntegrityError
from leadline.store.remote.wire import Wire

_REMEDY: Final = "use the version of Leadline that the server runs (GET /api/v1/log says which)"


class Requests:
    """The private part of a registry's API, over a wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def sign_seal(self, request: bytes) -> bytes:
        """The seal that a signed request asks the installation to sign: its envelope."""
        asked = json.dumps({"request": _text(request)}).encode()
        said = _Answer(self._wire.submit("/seals/signatures", asked, introduced=True))
        return _bytes(said["envelope"])

    def send_seal(
        self, envelope: bytes, deposit_key: bytes, *, introduction: bytes | None, body: bytes | None
    ) -> str:
        """Hand in a signed seal, to wait for the week's round; the id its study will have."""
        sent = {"envelope": _text(envelope), "deposit_key": deposit_key.hex()}
        more = {"introduction": introduction, "body": body}
        sent |= {name: _text(value) for name, value in more.items() if value is not None}
        return str(self._post("/seals", sent)["study"])

    def send_slot(self, study: str, slot: bytes, sequence: int, after: int, signature: bytes) -> None:
        """Leave a slot for the next batch."""
        said = {"slot": _text(slot), "sequence": sequence, "after": after, "signature": signature.hex()}
        self._post(f"/seals/{study}/slots", said)

    def ask_own(
        self, study: str, expires: datetime, signature: bytes
    ) -> tuple[list[tuple[int, bytes, bytes]], int]:
        """(batch, salt, verdict salt) of each silent slot of a study, and how many deposits it made."""
        said = self._post(
            f"/seals/{study}/own", {"expires": int(expires.timestamp()), "signature": signature.hex()}
        )
        try:
            silent = [
                (int(one["batch"]), bytes.fromhex(one["salt"]), bytes.fromhex(one["verdict_salt"]))
                for one in said["silent"]
            ]
            return silent, int(said["sequence"])
        except (KeyError, TypeError, ValueError):
            raise IntegrityError("the server's answer names no slots", remedy=_REMEDY) from None

    def send_hold(self, study: str, signature: bytes) -> None:
        """Keep a sealed study from being opened by itself."""
        self._post(f"/seals/{study}/hold", {"signature": signature.hex()})

    def open_fields(self, study: str, salts: dict[str, str], body: bytes, signature: bytes) -> int:
        """Have the installation open fields of a hazard seal; the log index of the reveal."""
        said = {"salts": salts, "body": _text(body), "signature": signature.hex()}
        return int(self._post(f"/seals/{study}/fields", said)["index"])

    def withhold(self, request: bytes) -> None:
        """Hand in a signed request to withhold a study, or to lift that."""
        self._post("/requests", {"request": _text(request)})

    def _post(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        return _Answer(self._wire.submit(path, json.dumps(said).encode()))


class _Answer(dict[str, Any]):
    """An answer of the server; IntegrityError for a field that is not in it."""

    def __missing__(self, name: str) -> Any:
        raise IntegrityError(f"the server's answer has no {name}", remedy=_REMEDY)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _bytes(text: Any) -> bytes:
    try:
        return b64decode(str(text), validate=True)
    except ValueError:
        raise IntegrityError("the server's answer is not base64", remedy=_REMEDY) from None
