"""Keys, authors and judgements."""

from typing import Any, Literal

from leadline.web.api.models.base import Form, Sha256
from leadline.web.api.models.studies import Study


class KeyInfo(Form):
    """A signing key the log knows."""

    fingerprint: Sha256
    vkey: str
    role: Literal["author", "log", "service", "witness"]
    holder: str
    holder_kind: str
    state: Literal["pending", "active", "rotated", "revoked"]
    lineage: Sha256
    registered: int
    replaces: Sha256 | None
    ended: int | None


class Keys(Form):
    """Keys in order of registration; `next` is what to pass as `after` for more, null at the end."""

    as_of: int
    keys: list[KeyInfo]
    next: int | None


class Author(Form):
    """What the record has under one key and the keys it replaced or was replaced by."""

    as_of: int
    keys: list[KeyInfo]
    counts: dict[str, int]
    studies: list[Study]
    more: bool


class JudgementInfo(Form):
    """A judgement: `part` is what its type has of its own, `minutes` what its signer says it took."""

    index: int
    leaf_hash: Sha256
    type: Literal["forecast", "review", "critique", "trust", "outcome"]
    target: str
    verdict: str | None
    text: str | None
    part: dict[str, Any] | None
    minutes: int | None
    body: Sha256 | None
    key: Sha256
    lineage: Sha256
    created: str


class Judgements(Form):
    """Forecasts, reviews, critiques and other judgements about a study, oldest first."""

    as_of: int
    judgements: list[JudgementInfo]
