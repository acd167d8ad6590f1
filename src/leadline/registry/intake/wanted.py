"""The bytes that statements refer to: who may count on which, and where they are read from."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

from leadline.errors import InputError, NotFoundError, StateError, StoreError
from leadline.ledger.canon import sha256_hex
from leadline.registry.intake.staging import Staging
from leadline.store.projections.references import is_referenced

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


_MOST_READ = 64 << 20


class MissingBlobsError(StateError):
    """Statements refer to bytes that their author has to upload first; `digests` are hex SHA-256, sorted."""

    def __init__(self, digests: Iterable[str]) -> None:
        self.digests = tuple(sorted(set(digests)))
        shown = ", ".join(self.digests[:3]) + (", …" if len(self.digests) > 3 else "")
        super().__init__(
            f"the statements refer to bytes that were not uploaded: {shown}",
            remedy="upload each of them (PUT /api/v1/blobs/DIGEST), then send the statements again",
        )


class Offered:
    """What an author may refer to: bytes brought along, bytes the author uploaded, and what is public already.

    Whether the store holds other bytes makes no difference: an answer that depended on it would tell strangers
    what somebody else has, and a statement that named them would publish it.
    """

    def __init__(self, registry: "Registry", brought: Iterable[bytes] = ()) -> None:
        self._store = registry.store
        self._staging = Staging(registry.store.shelf)
        self._brought = {sha256_hex(data): data for data in brought}

    def has(self, keyid: str, digest: str) -> bool:
        """Whether a statement signed by this key may refer to these bytes."""
        return digest in self._brought or self._staging.has(keyid, digest) or self._public(digest)

    def open(self, keyid: str, digest: str) -> BinaryIO:
        """The bytes as a file."""
        import io

        if digest in self._brought:
            return io.BytesIO(self._brought[digest])
        if self._staging.has(keyid, digest):
            return self._staging.open(keyid, digest)
        return self._store.open_blob(digest)

    def read(self, keyid: str, digest: str, limit: int) -> bytes:
        """All the bytes; InputError when there are more than `limit`."""
        with self.open(keyid, digest) as source:
            data = source.read(limit + 1)
        if len(data) > limit:
            raise InputError(
                f"{digest} is longer than {limit:,} bytes, more than this use allows",
                remedy="send a shorter document",
            )
        return data

    def blobs_for(self, keyid: str) -> "OfferedBlobs":
        """The bytes that a statement signed by this key may refer to, as a `BlobReader`."""
        return OfferedBlobs(self, keyid)

    def keep(self, keyid: str, digest: str) -> None:
        """Put the bytes into the store, durably; the statement that names them comes next."""
        if self._public(digest):
            return
        with self.open(keyid, digest) as source:
            kept = self._store.put_blob(source)
        if kept != digest:
            raise StoreError(
                f"the bytes uploaded as {digest} are other bytes by now", remedy="upload them again"
            )

    def settle(self, keyid: str, digests: Iterable[str]) -> None:
        """The statement is in the log: what waited for it waits no longer."""
        for digest in digests:
            self._staging.drop(keyid, digest)

    def _public(self, digest: str) -> bool:
        return is_referenced(self._store, digest) and self._store.has_blob(digest)


class OfferedBlobs:
    """A `BlobReader` over what one key may refer to."""

    def __init__(self, offered: Offered, keyid: str) -> None:
        self._offered, self._keyid = offered, keyid

    def has_blob(self, digest: str) -> bool:
        """Whether the key may refer to these bytes."""
        return self._offered.has(self._keyid, digest)

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """The bytes; NotFoundError where the key may not refer to such, InputError above `limit`."""
        if not self.has_blob(digest):
            raise NotFoundError(f"{digest} was not uploaded", remedy="upload it first")
        return self._offered.read(self._keyid, digest, _MOST_READ if limit is None else limit)

    def taken_down(self, digest: str) -> str | None:  # noqa: ARG002
        """What is offered is there: None."""
        return None
