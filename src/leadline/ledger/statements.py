"""Statements: making their bytes, once, and reading them back (in-toto Statement v1).

``{_type, predicateType, predicate, subject: [{name, digest: {sha256}}]}``. `make` writes canonical JSON;
`parse` takes whatever bytes were signed and never re-canonicalises them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from leadline.errors import InputError, StatementError
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.dsse import PAYLOAD_TYPE, check_payload_length, sign
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import PREDICATES, Predicate, Subject

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
_TYPE_PREFIX: Final = "https://leadline.dev/statement/"
_TYPE_SUFFIX: Final = "/v1"
_KEYS: Final = {"_type", "subject", "predicateType", "predicate"}

KINDS: Final = tuple(PREDICATES)
"""Names of all statement kinds."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a known kind whose fields are what the kind demands. Who signed it is another matter."""

    kind: str
    subject: tuple[Subject, ...]
    predicate: Predicate


def predicate_type(kind: str) -> str:
    """The predicate type URI of a kind."""
    return f"{_TYPE_PREFIX}{kind}{_TYPE_SUFFIX}"


def make(kind: str, predicate: Predicate | Mapping[str, Any]) -> bytes:
    """The canonical bytes of a statement, ready to be signed; its subject is derived from the predicate.

    Raises `StatementError` for an unknown kind, for fields the kind does not have, and for a statement
    whose envelope would exceed 65,535 bytes.
    """
    model = _validated(kind, predicate if isinstance(predicate, Mapping) else predicate.model_dump())
    try:
        payload = canonical(
            {
                "_type": STATEMENT_TYPE,
                "subject": _subject_json(model.subjects()),
                "predicateType": predicate_type(kind),
                "predicate": model.model_dump(mode="json", exclude_none=True),
            }
        )
    except InputError as error:
        raise StatementError(error.message, where=f"{kind} statement", remedy=error.remedy()) from None
    check_payload_length(payload)
    return payload


def make_signed(kind: str, predicate: Predicate | Mapping[str, Any], key: SigningKey) -> bytes:
    """`make`, signed by `key`: the envelope that becomes a log entry."""
    return sign(make(kind, predicate), PAYLOAD_TYPE, key)


def parse(payload: bytes) -> Statement:
    """The statement in an envelope's payload.

    Raises `StatementError` for what is not strict JSON, not an in-toto statement, of an unknown kind, with
    fields its kind does not allow, or about other digests than its predicate names.
    """
    try:
        document = parse_strict(payload)
    except InputError as error:
        raise StatementError(error.message, where=error.where, remedy=error.remedy()) from None
    if not isinstance(document, dict) or document.keys() != _KEYS or document["_type"] != STATEMENT_TYPE:
        raise StatementError(
            "this is not an in-toto Statement v1 with subject, predicateType and predicate", remedy=_REMEDY
        )
    kind = _kinds().get(str(document["predicateType"]))
    if kind is None or not isinstance(document["predicateType"], str):
        raise _unknown_kind(str(document["predicateType"]))
    predicate = _validated(kind, document["predicate"])
    subjects = predicate.subjects()
    if document["subject"] != _subject_json(subjects):
        raise StatementError(
            "the subject is not what the predicate is about",
            where=f"{kind} statement",
            remedy="the subject must list exactly the digests that the predicate names, in their order",
        )
    return Statement(kind, subjects, predicate)


def _validated(kind: str, fields: object) -> Predicate:
    model = PREDICATES.get(kind)
    if model is None:
        raise _unknown_kind(kind)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise StatementError(
            first["msg"].removeprefix("Value error, ") + more,
            where=f"{kind} statement" + (f", field {place}" if place else ""),
            remedy="correct the field; nothing was signed or recorded",
        ) from None


@cache
def _kinds() -> dict[str, str]:
    return {predicate_type(kind): kind for kind in PREDICATES}


def _subject_json(subjects: tuple[Subject, ...]) -> list[dict[str, Any]]:
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects]


def _unknown_kind(kind: str) -> StatementError:
    return StatementError(
        f"{kind[:120]!r} is not a kind of statement",
        remedy=f"the kinds are {', '.join(KINDS)}; a newer Leadline may have made this one",
    )


_REMEDY = "make statements with leadline.ledger.statements.make"
