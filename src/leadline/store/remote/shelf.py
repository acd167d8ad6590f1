"""What may be seen from afar of a registry's shelf: cosignatures and time stamps. The rest is its own business."""

from base64 import b64decode
from typing import Final, NoReturn

from leadline.errors import StateError
from leadline.store.remote.wire import Wire

#: Spaces of the shelf that anybody may read.
PUBLIC_SPACES: Final = ("cosignatures", "timestamps")
_PAGE: Final = 100


class RemoteShelf:
    """A `Shelf` for reading what is public; other spaces look empty, and writing raises StateError."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get(self, space: str, key: str) -> bytes | None:
        """The value, or None."""
        found = self._page(space, key=key, after=None, limit=1)
        return found[0][1] if found else None

    def items(self, space: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, bytes]]:
        """Keys strictly above `after` and their values, at most `limit`."""
        found: list[tuple[str, bytes]] = []
        while limit is None or len(found) < limit:
            page = self._page(
                space, key=None, after=after, limit=_PAGE if limit is None else min(_PAGE, limit - len(found))
            )
            found += page
            if not page:
                break
            after = page[-1][0]
        return found

    def spaces(self) -> list[str]:
        """The spaces that may be read from afar."""
        return list(PUBLIC_SPACES)

    def put(self, space: str, key: str, value: bytes) -> NoReturn:  # noqa: ARG002
        """Not from here; StateError."""
        self._elsewhere()

    def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> NoReturn:  # noqa: ARG002
        """Not from here; StateError."""
        self._elsewhere()

    def delete(self, space: str, key: str) -> NoReturn:  # noqa: ARG002
        """Not from here; StateError."""
        self._elsewhere()

    def _page(self, space: str, *, key: str | None, after: str | None, limit: int) -> list[tuple[str, bytes]]:
        if space not in PUBLIC_SPACES:
            return []
        said = self._wire.get(f"/log/{space}", key=key, after=after or None, limit=limit)
        return [(str(one["key"]), b64decode(one["value"], validate=True)) for one in said["items"]]

    def _elsewhere(self) -> NoReturn:
        raise StateError(
            "what is kept beside the log cannot be changed over the network",
            where=self._wire.address,
            remedy="do it on the registry's own machine",
        )
