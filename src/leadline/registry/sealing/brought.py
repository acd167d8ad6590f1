"""Bytes that are about to be stored, read as if they were: a reveal is checked before anything of it is written."""

from collections.abc import Iterable

from leadline.ledger.canon import sha256_hex
from leadline.store.blobs import too_long
from leadline.store.projection import BlobReader


class Brought:
    """A `BlobReader` over bytes at hand, and over `others` for the rest."""

    def __init__(self, data: Iterable[bytes], others: BlobReader) -> None:
        self._held = {sha256_hex(one): one for one in data}
        self._others = others

    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are at hand, or stored."""
        return digest in self._held or self._others.has_blob(digest)

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """The bytes; StoreError above `limit`, NotFoundError where there are none."""
        held = self._held.get(digest)
        if held is None:
            return self._others.blob(digest, limit=limit)
        if limit is not None and len(held) > limit:
            raise too_long(digest, limit, "the reveal")
        return held

    def taken_down(self, digest: str) -> str | None:
        """Why the bytes were taken down; None for what is at hand."""
        return None if digest in self._held else self._others.taken_down(digest)
