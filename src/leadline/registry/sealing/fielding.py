"""Opening single fields: a reveal by whoever sealed the study, which for a hazard seal is the installation."""

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, StateError
from leadline.ledger.canon import canonical, sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Reveal
from leadline.ledger.statements import make_signed
from leadline.registry.sealing.brought import Brought
from leadline.registry.sealing.door import check_reveal
from leadline.registry.sealing.entering import said_in
from leadline.registry.sealing.outbox import check_own
from leadline.registry.sealing.writing import installation_key
from leadline.store import Appended
from leadline.store.projections.seals import seal as find_seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadline.registry.registry import Registry

_FIELDS: Final = b"leadline.dev/seal-fields/v1\x00"
#: Longest values of fields that are opened one by one.
MAX_FIELDS: Final = 4 << 20


def fields_message(study: str, salts: "Mapping[str, str]", body: bytes) -> bytes:
    """What a hazard seal's own key signs to have fields opened: the study, their salts and the values."""
    return _FIELDS + study.encode() + sha256(canonical(dict(salts))).digest() + sha256(body).digest()


def append_fields(registry: "Registry", said: Reveal, body: bytes, signer: SigningKey) -> Appended:
    """Log a reveal of fields with the values in `body`; StatementError when they are not what was sealed."""
    check_reveal(registry.store, Brought([body], registry.store), said)
    registry.store.put_blob(body)
    fields = said.model_dump(mode="json", exclude_none=True)
    return registry.append(lambda view: [("reveal", fields, signer)])[0]  # noqa: ARG005


def open_hazard_fields(
    registry: "Registry", study: str, salts: "Mapping[str, str]", body: bytes, signature: bytes
) -> Appended:
    """Have the installation open fields of a hazard seal, for whoever holds the seal's own key.

    Raises SignatureError, InputError for values that are too long, StateError for a seal of the ordinary tier, whose
    author signs for it, and StatementError when the values are not what was sealed.
    """
    if len(body) > MAX_FIELDS:
        raise InputError(f"opened fields have at most {MAX_FIELDS:,} bytes", remedy="open them all: reveal")
    check_own(registry, study, fields_message(study, salts, body), signature)
    row = find_seal(registry.store, study)
    if row is None or row.tier != "hazard":
        raise StateError(
            "the installation opens fields of hazard seals only",
            where=study,
            remedy="sign the reveal with the author's key",
        )
    said = {
        "study": study,
        "scope": "fields",
        "body": sha256_hex(body),
        "salts": dict(salts),
        "created": registry.time(),
    }
    key = installation_key(registry)
    checked = said_in(make_signed("reveal", said, key))  # refuses what is no reveal, with the field's name
    assert isinstance(checked, Reveal), "made as one"
    return append_fields(registry, checked, body, key)
