"""Blobs as one write transaction knows them: asked for once, and new ones written together."""

from typing import Final

from leadline.store.sqlite.blobs import Incoming, taken_down_again
from leadline.store.sqlite.record import Record

#: Bytes and digests remembered at most.
_MOST_BYTES: Final = 8 << 20
_MOST: Final = 5_000


class KnownBlobs:
    """A `BlobReader` inside one write transaction, in which nobody takes anything down; `flush` before its end."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._there: set[str] = set()
        self._contents: dict[str, bytes] = {}
        self._new: list[tuple[bytes, bytes | None]] = []
        self._bytes = 0

    def add(self, incoming: Incoming) -> None:
        """Keep a blob; the same bytes again change nothing. StateError when they were taken down."""
        if incoming.digest in self._there:
            return
        reason = self._record.taken_down(incoming.digest)
        if reason is not None:
            raise taken_down_again(self._record, incoming, reason)
        self._new.append((bytes.fromhex(incoming.digest), incoming.content))
        self._remember(incoming.digest)
        if incoming.content is not None:
            self._contents[incoming.digest] = incoming.content
            self._bytes += len(incoming.content)

    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are stored and have not been taken down."""
        if digest in self._there:
            return True
        there = self._record.has_blob(digest)
        if there:
            self._remember(digest)
        return there

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """All bytes of a blob, checked; StoreError when there are more than `limit`."""
        content = self._contents.get(digest)
        if content is not None and (limit is None or len(content) <= limit):
            return content
        self.flush()
        return self._record.blob(digest, limit=limit)

    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        return None if digest in self._there else self._record.taken_down(digest)

    def flush(self) -> None:
        """Write the rows of new blobs."""
        if self._new:
            self._record.db.executemany(
                "INSERT INTO blob VALUES (?, ?, NULL) ON CONFLICT DO NOTHING", self._new
            )
            self._new.clear()

    def _remember(self, digest: str) -> None:
        if len(self._there) >= _MOST or self._bytes >= _MOST_BYTES:
            self.flush()
            self._there.clear()
            self._contents.clear()
            self._bytes = 0
        self._there.add(digest)
