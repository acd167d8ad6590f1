"""The log: its entries, and proofs about them."""

from leadline.web.api.models.base import Form, Sha256


class Log(Form):
    """The log: its identity, its public key, its size, and the newest signed checkpoint."""

    origin: str
    vkey: str
    size: int
    root: Sha256
    checkpoint: str
    engine: str


class Entry(Form):
    """One entry: the signed envelope, and what it says in short."""

    index: int
    leaf_hash: Sha256
    envelope: str
    """Base64 of the exact bytes."""
    kind: str
    key: Sha256
    study: str | None
    created: str | None


class Entries(Form):
    """Entries in log order; `next` is the index to go on from, null at the end."""

    as_of: int
    entries: list[Entry]
    next: int | None


class InclusionProof(Form):
    """The proof that an entry is in the tree of a signed checkpoint."""

    index: int
    leaf_hash: Sha256
    size: int
    root: Sha256
    hashes: list[Sha256]
    checkpoint: str | None


class ConsistencyProof(Form):
    """The proof that one tree begins with another."""

    old: int
    new: int
    old_root: Sha256
    new_root: Sha256
    hashes: list[Sha256]
