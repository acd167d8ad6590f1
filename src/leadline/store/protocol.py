"""What the registry asks of a store: one protocol, one native implementation per engine.

The life of a statement: the caller puts large blobs (durable before anything mentions them), then calls
`append` with a function that builds the envelopes. That function runs inside the write transaction and reads a
consistent view, so "the next attempt number" or "not registered before" is decided where nothing can overtake
it. The store adds leaves and tree nodes, folds the entries into every projection, has the new checkpoint
signed, and commits durably. Only then does the caller get receipts; each holds a signed checkpoint, so whoever
holds a receipt can hold a proof. Nothing is queued and nothing is half accepted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, Self, runtime_checkable

from leadline.ledger import keys
from leadline.ledger.fsck import Problem
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.store.model import Appended, BlobInfo, CheckpointSigner, Draft, Rebuilt
from leadline.store.projection import BlobReader, Projection, Row, Table, TableReader, Value
from leadline.store.shelf import Shelf
from leadline.store.text import TextAnswer, TextQuestion


class ReadView(TableReader, BlobReader, Protocol):
    """Reads that see one state of the record and of every projection."""

    def size(self) -> int:
        """The number of entries."""
        ...

    def entry(self, index: int) -> bytes:
        """The exact envelope at `index`; NotFoundError beyond the end, IntegrityError on altered bytes."""
        ...

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Envelopes from `start` up to but not including `stop` (default: the end), in log order."""
        ...

    def leaf_hash(self, index: int) -> bytes:
        """The RFC 6962 leaf hash at `index`."""
        ...

    def index_of(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        ...

    def root(self, size: int | None = None) -> bytes:
        """The tree's root hash at `size` (default: now)."""
        ...

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint at exactly `size`, or the newest; NotFoundError where none was signed."""
        ...

    def checkpoint_covering(self, index: int) -> bytes:
        """The oldest signed checkpoint whose tree contains the entry at `index`."""
        ...

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes from the leaf's sibling upward that tie entry `index` to the root at `size`."""
        ...

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """Hashes that show the tree of `new` entries to begin with the tree of `old` entries."""
        ...

    def tile(self, level: int, n: int, width: int = 256) -> bytes:
        """Concatenated hashes of one tile (C2SP tlog-tiles); NotFoundError unless the tree holds them all."""
        ...

    def entry_bundle(self, n: int, width: int = 256) -> bytes:
        """Entries `256 n` and on, each behind its 16-bit length; NotFoundError unless all are there."""
        ...

    def match_text(self, question: TextQuestion) -> TextAnswer:
        """Log indexes of the documents that answer a full-text question."""
        ...

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`: many look-ups in one.

        `among` holds integers or texts, thousands at most, repeats count once; an empty one gives nothing.
        """
        ...

    def count_by(
        self,
        table: Table,
        group: Sequence[str],
        *,
        where: str,
        among: Sequence[int] | Sequence[str],
        starting: tuple[str, str] | None = None,
        limit: int | None = None,
    ) -> list[tuple[tuple[Value, ...], int]]:
        """How many rows of `table` have `where` in `among`, for each combination of the columns `group`.

        Most rows first, ties by the group's values, at most `limit` combinations. `among` holds integers or
        texts, thousands at most, repeats count once; an empty one gives nothing. With `starting`, a text column
        and a beginning, only rows whose column begins so are counted.
        """
        ...


class Store(ReadView, Protocol):
    """An append-only record with its projections: see the module's description of a statement's life."""

    def append(
        self, build: Callable[[ReadView], Sequence[Draft]], *, sign: CheckpointSigner
    ) -> list[Appended]:
        """Append what `build` returns, in one durable transaction; one receipt per draft, in order.

        Appends of several threads may share a transaction, when their `sign` is equal (`leadline.store.committer`):
        each still sees what those before it wrote, and fails alone. `build` may therefore run in another thread, and
        more than once.

        A draft whose bytes are already in the log is answered with the first index and changes nothing. Any
        exception from `build`, from a projection or from `sign` leaves the store as it was. Raises StoreError
        when the disk or database refuses (nothing was acknowledged) and IntegrityError when signing could
        contradict a checkpoint signed before.
        """
        ...

    def snapshot(self) -> AbstractContextManager[ReadView]:
        """A view in which all reads see the same state, whatever others append meanwhile."""
        ...

    def put_blob(self, data: bytes | BinaryIO) -> str:
        """Keep bytes under their SHA-256, durably, and return it in hex; the same bytes are kept once."""
        ...

    def open_blob(self, digest: str) -> BinaryIO:
        """The bytes as a seekable file, after they were checked against the digest."""
        ...

    def blobs(self) -> Iterator[BlobInfo]:
        """Every blob the store knows, in order of digest."""
        ...

    def take_down(self, digest: str, reason: str, *, absent: bool = False) -> None:
        """Remove a blob's bytes; the digest and the reason stay, and projections forget what they read in it.

        With `absent` also where the bytes were never stored, as when a backup is restored.
        """
        ...

    def rebuild(self) -> Rebuilt:
        """Drop every projection and replay the log into new ones; correct tree nodes that entries contradict."""
        ...

    def fsck(
        self,
        *,
        log_keys: Sequence[VerifyKey],
        origin: str,
        processes: int = 1,
        verify: Callable[[bytes, bytes, bytes], None] = keys.verify,
    ) -> Iterator[Problem]:
        """Every problem of the record and of what was computed from it, as found; nothing when all is sound.

        `log_keys` and `origin` come from the verifier, not from the store.
        """
        ...

    def __enter__(self) -> Self:
        """The store itself; leaving the block closes it."""
        ...

    def __exit__(self, *exception: object) -> None: ...

    def projections(self) -> Sequence[Projection]:
        """The projections this store keeps."""
        ...

    @property
    def shelf(self) -> Shelf:
        """Durable values beside the log, which neither `rebuild` nor an export touches."""
        ...

    def close(self) -> None:
        """Release the database; further calls fail."""
        ...


@runtime_checkable
class Represented(Protocol):
    """A store that asks others to keep bytes, in the name of whoever has a key."""

    def act_for(self, signer: Callable[[], SigningKey | None]) -> None:
        """Announce what is put under the key that `signer` gives at the time."""
        ...
