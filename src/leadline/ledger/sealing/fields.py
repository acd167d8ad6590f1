"""The blocks of a protocol that are committed to one by one: always all of them, so that none shows by its absence."""

from collections.abc import Mapping
from typing import Any, Final

from leadline.errors import InputError
from leadline.ledger.canon import canonical, parse_strict

#: Every top-level block of the protocol schema, in its order, and the digest of the operating characteristics.
FIELDS: Final[tuple[str, ...]] = (
    "leadline", "title", "authors", "area", "status", "licence", "funding", "conflicts", "relations", "target",
    "gap", "models", "tasks", "arms", "measures", "hypotheses", "families", "conceptual", "takeaways", "controls",
    "forecasts", "data_rules", "sample_size", "robustness", "attempts", "foreknowledge", "hazard", "timeline",
    "notes", "characteristics",
)  # fmt: skip
#: Opened from a batch's slot, not from the seal: what the newest sealed report concluded.
VERDICT: Final = "verdict"


def field_contents(protocol: bytes, characteristics: str | None) -> dict[str, bytes]:
    """The bytes each field's commitment is about: the block's canonical JSON, ``null`` where it is left out.

    `protocol` are the frozen bytes, `characteristics` the hex digest of the simulation, if there is one. Raises
    InputError for a protocol with blocks this version does not know: nothing may stay uncommitted.
    """
    document = parse_strict(protocol)
    if not isinstance(document, Mapping) or set(document) - set(FIELDS) or "characteristics" in document:
        raise InputError(
            "the protocol has blocks that this version does not know",
            remedy="seal and reveal it with the version of Leadline that wrote it",
        )
    values: dict[str, Any] = {**document, "characteristics": characteristics}
    return {name: field_content(values.get(name)) for name in FIELDS}


def field_content(value: object) -> bytes:
    """The bytes a commitment to this value is about."""
    return canonical(value)
