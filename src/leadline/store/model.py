"""The values that go into a store and come out of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

#: Signs a checkpoint for (tree size, root hash) and returns the signed note's bytes.
CheckpointSigner = Callable[[int, bytes], bytes]

#: Blobs up to this many bytes live in the database; larger ones are files beside it.
INLINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Draft:
    """An envelope to append, with the small blobs that must be durable in the same transaction.

    `restored` says that it was in this log before: it may name bytes that were taken down meanwhile.
    """

    envelope: bytes
    blobs: tuple[bytes, ...] = ()
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    """The receipt of one durable entry: where it is, and a signed checkpoint that covers it.

    `duplicate` is true when the same bytes were already in the log; `index` is then the first one.
    """

    index: int
    leaf_hash: bytes
    checkpoint: bytes
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """Where a blob is kept: in the database, in a file, or taken down with a reason."""

    sha256: str
    kept: Literal["inline", "file", "taken_down"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: entries replayed, tree nodes corrected, and the projections made anew."""

    entries: int
    nodes: int
    projections: tuple[str, ...]
