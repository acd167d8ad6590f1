"""A look after every kill, at a registry that a new server has just recovered by itself and serves."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kills.audit import Once, consistent, held, named_blobs
from kills.stages import Stage
from kills.writer import Acknowledged
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog import leaf_hash
from leadline.store import ReadView, open_store


@dataclass
class InFlight:
    """What became of submissions that were cut off: all of it in the log, or nothing."""

    found: int = 0
    absent: int = 0


class Watch:
    """Looks at what is new since the last look; everything older is looked at again by `kills.audit.audit`."""

    def __init__(self, stage: Stage) -> None:
        self._url = stage.url
        self._key = VerifyKey.parse((stage.keys / "log.vkey").read_text().strip())
        self._once = Once()
        self._newest: str | None = None
        self.in_flight = InFlight()

    def look(self, acknowledged: Sequence[Acknowledged], cut: Iterable[Sequence[bytes]]) -> list[str]:
        """What is wrong; `acknowledged` since the last look, `cut` the submissions that got no answer.

        The store is opened for reading while the server runs: a look repairs nothing, the server has to.
        """
        with open_store(self._url, create=False, read_only=True) as store, store.snapshot() as view:
            notes = {one.checkpoint for one in acknowledged}
            before = {self._newest} if self._newest else set()
            newest = view.checkpoint().decode()
            found = [
                *held(view, acknowledged, self._key),
                *consistent(view, notes | before | {newest}, self._key),
                *named_blobs(view, self._once.size),
                *self._once.again(view),
                *self._torn(view, cut),
            ]
            self._newest = newest
            return found

    def _torn(self, view: ReadView, cut: Iterable[Sequence[bytes]]) -> Iterator[str]:
        for envelopes in cut:
            there = sum(view.index_of(leaf_hash(one)) is not None for one in envelopes)
            if there == len(envelopes):
                self.in_flight.found += 1
            elif there == 0:
                self.in_flight.absent += 1
            else:
                yield f"of a submission of {len(envelopes)} statements that was cut off, {there} are in the log"
