"""What the author of an offline run signs before it begins: which study, when by this machine's clock, a random number.

It proves nothing about time: its author could have signed it at any time, and could have signed many. It says whose
run it is, and it ties the logs to what is announced when the registry can be reached again.
"""

import json
import secrets
from hashlib import sha256
from typing import Final

from leadline.errors import SignatureError
from leadline.ledger.dsse import decode, sign
from leadline.ledger.keys import SigningKey

PAYLOAD_TYPE: Final = "application/vnd.leadline.intent+json"


def sign_intent(study: str, origin: str, created: str, key: SigningKey) -> bytes:
    """The signed intent to run a study now; the SHA-256 of these bytes is stamped on the logs."""
    said = {"study": study, "origin": origin, "created": created, "nonce": secrets.token_hex(16)}
    return sign(json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), PAYLOAD_TYPE, key)


def digest_of(intent: bytes) -> str:
    """What the logs of the run carry."""
    return sha256(intent).hexdigest()


def require_own(intent: bytes, key: SigningKey, study: str) -> None:
    """SignatureError unless this key signed the intent, for this study; StatementError where it is none."""
    envelope = decode(intent)
    key.public.verify(envelope.message(), envelope.signature)
    said = json.loads(envelope.payload)
    if envelope.payload_type != PAYLOAD_TYPE or said.get("study") != study:
        raise SignatureError(
            "this is an intent for something else",
            where=study,
            remedy="attach the logs with `leadline attach`",
        )
