"""Pages that were made already, as long as the record has not moved and the day is the same."""

from collections import OrderedDict
from datetime import date

from leadline.web.answer import Ready

#: Path and query string of a request, as they came.
Key = tuple[str, bytes]
#: What a page depends on: the size of the log, and the day.
Version = tuple[int, date]

#: What is outside the log (cosignatures, names of peers) may be this many seconds old on a page.
LONGEST = 30.0


class PageCache:
    """The pages asked for most recently, within a bound of bytes; used from one thread, the event loop's."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._pages: OrderedDict[Key, tuple[Version, float, Ready]] = OrderedDict()

    def get(self, key: Key, version: Version, now: float) -> Ready | None:
        """The page made for this very version, not longer ago than `LONGEST` seconds; else None."""
        found = self._pages.get(key)
        if found is None:
            return None
        made_for, made_at, ready = found
        if made_for != version or now - made_at > LONGEST:
            return None
        self._pages.move_to_end(key)
        return ready

    def put(self, key: Key, version: Version, now: float, ready: Ready) -> None:
        """Keep a page, dropping those not asked for longest; one larger than a quarter of the bound is not kept."""
        self.drop(key)
        if ready.size * 4 > self._most:
            return
        self._pages[key] = (version, now, ready)
        self._held += _weight(key, ready)
        while self._held > self._most:
            oldest, (_, _, gone) = self._pages.popitem(last=False)
            self._held -= _weight(oldest, gone)

    def drop(self, key: Key) -> None:
        """Forget a page."""
        found = self._pages.pop(key, None)
        if found is not None:
            self._held -= _weight(key, found[2])

    @property
    def held(self) -> int:
        """Bytes kept."""
        return self._held

    def __len__(self) -> int:
        return len(self._pages)


def _weight(key: Key, ready: Ready) -> int:
    return ready.size + len(key[0]) + len(key[1]) + 300
