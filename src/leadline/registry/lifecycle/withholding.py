"""Withholding: a key of a study asks that it not be published by itself; nothing public changes.

The request is a small signed document, checked and then kept on the shelf, never in the log: no public byte,
page, count or time depends on it. Its whole effect is that automatic publication leaves the study out, so that it
closes in the same batch as a study whose authors said nothing at all.

What it cannot do: logs attached in the open are public already, and that no automatic report followed them can
be seen by anybody who computes one. Withhold before attaching.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from leadline.errors import InputError, SignatureError, StateError
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.dsse import Envelope, decode, sign
from leadline.ledger.ids import read_study_id
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.authority import right

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.store.protocol import Store

PAYLOAD_TYPE: Final = "application/vnd.leadline.withhold+json"
SPACE: Final = "withheld"
Action = Literal["withhold", "lift"]
_FIELDS: Final = {"action", "created", "origin", "study"}
_LONGEST: Final = 4096
_TRIES: Final = 8
_AHEAD: Final = timedelta(days=1)


def withhold(registry: "Registry", study: str, *, lift: bool = False) -> None:
    """Ask with the author's key at hand; `lift` takes the request back. A registry elsewhere is sent the request.

    Raises as `accept_request`.
    """
    from leadline.store.remote.store import RemoteStore

    action: Action = "lift" if lift else "withhold"
    name, now = read_study_id(study), registry.clock()
    if isinstance(registry.store, RemoteStore):
        origin, key = registry.home.origin, registry.author()
        registry.store.requests.withhold(withholding_request(origin, name, action, key, now))
        return
    kept = registry.store.shelf.get(SPACE, name)
    if kept is not None:  # clocks tick in seconds; two requests may fall into one
        now = max(now, _time(_read(decode(kept))) + timedelta(microseconds=1))
    accept_request(registry, withholding_request(registry.home.origin, name, action, registry.author(), now))


def withholding_request(origin: str, study: str, action: Action, key: SigningKey, now: datetime) -> bytes:
    """The signed request, for a registry that may be elsewhere: its envelope is sent, the key stays.

    `origin` is the log's name, `now` the time, with its zone.
    """
    said = {"action": action, "created": now.isoformat(), "origin": origin, "study": read_study_id(study)}
    return sign(canonical(said), PAYLOAD_TYPE, key)


def accept_request(registry: "Registry", envelope: bytes) -> None:
    """Check a request and keep it. The same request again changes nothing.

    Raises SignatureError for a signature that does not hold, or a key that may not act for the study (or a study
    that does not exist: the answer is the same), InputError for another document, StateError for a request
    older than the one kept.
    """
    parts = decode(envelope)
    said = _read(parts)
    _check_right(registry, parts, said["study"])
    if said["origin"] != registry.home.origin:
        raise InputError("the request is for another registry", remedy="make it for this one")
    if _time(said) > registry.clock() + _AHEAD:  # it would stand in the way of every later one
        raise InputError(
            "the request's time is in the future", remedy="set the clock right, and make a new request"
        )
    shelf = registry.store.shelf
    for _ in range(_TRIES):
        kept = shelf.get(SPACE, said["study"])
        if kept == envelope:
            return
        if kept is not None and _time(_read(decode(kept))) >= _time(said):
            raise StateError(
                "a request of the same time or later is kept already",
                remedy="make a new request, with the time of now",
            )
        if shelf.swap(SPACE, said["study"], kept, envelope):
            return
    raise StateError("other requests for this study keep coming in", remedy="send it again")


def is_withheld(store: "Store", study: str) -> bool:
    """Whether automatic publication leaves the study out. Private: nothing public may depend on it."""
    kept = store.shelf.get(SPACE, study)
    return kept is not None and _read(decode(kept))["action"] == "withhold"


def _check_right(registry: "Registry", parts: Envelope, study: str) -> None:
    """An active key with rights to the study signed this; one refusal for all other cases."""
    signer = find_key(registry.store, parts.keyid)
    record = right(registry.store, study)
    if (
        signer is None
        or signer.state != "active"
        or signer.role != "author"
        or record is None
        or signer.lineage not in record.lineages
    ):
        raise SignatureError(
            f"the key {parts.keyid[:16]} may not act for {study}",
            remedy="sign with an active key that the study's registration names",
        )
    VerifyKey.parse(signer.vkey).verify(parts.message(), parts.signature)


def _read(parts: Envelope) -> dict[str, Any]:
    said = parse_strict(parts.payload) if len(parts.payload) <= _LONGEST else None
    if (
        parts.payload_type != PAYLOAD_TYPE
        or not isinstance(said, dict)
        or said.keys() != _FIELDS
        or said["action"] not in ("withhold", "lift")
        or not all(isinstance(value, str) for value in said.values())
    ):
        raise InputError(
            "this is no request to withhold a study", remedy="make one with `leadline withhold ID`"
        )
    _time(said)
    return {**said, "study": read_study_id(said["study"])}


def _time(said: dict[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(said["created"])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError("the request's time is no time in UTC", remedy="make a new request")
    return found
