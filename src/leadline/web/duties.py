"""Which periodic tasks a server has; what they do belongs to the registry.

What sealed studies do leaves no line in the journal: a line, and its time, would be a second record of it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadline.errors import IntegrityError, LeadlineError
from leadline.registry.registry import Clock, Registry
from leadline.web.settings import Settings
from leadline.web.tasks import Task

if TYPE_CHECKING:
    from datetime import date

    from leadline.registry.cosigning import Peer

HOUR = 3600.0
#: Seconds between looks whether the log has grown and wants cosigning.
COSIGN_EVERY = 60.0


def duties(registry: Registry, settings: Settings, clock: Clock) -> Sequence[Task]:
    """The tasks of a server with these settings, in the order in which they come first."""
    work = _Work(registry, settings, clock)
    found = [Task("sweep", HOUR, work.sweep, first=30.0)]
    if settings.tend:
        every = float(settings.tend_every)
        found += [
            Task("release", every, work.release, first=40.0),
            Task("tend", every, work.tend, first=60.0),
            Task("flush", every, work.flush, first=80.0),
        ]
    if settings.witnesses or settings.policy is not None:
        found.append(Task("cosign", COSIGN_EVERY, work.cosign, first=5.0))
    if settings.bulk_folder is not None:
        found.append(Task("bulk", float(settings.bulk_every), work.bulk, first=300.0))
    return found


class _Work:
    """The tasks themselves: each says in a line what it did, or None."""

    def __init__(self, registry: Registry, settings: Settings, clock: Clock) -> None:
        self._registry = registry
        self._settings = settings
        self._clock = clock
        self._cosigned = 0

    def _today(self) -> "date":
        return self._clock().date()

    def sweep(self) -> None:
        """Forget uploads and answers nobody came back for."""
        from leadline.registry.intake.staging import sweep

        sweep(self._registry, self._clock())

    def release(self) -> None:
        """Open the seals whose embargo has ended."""
        from leadline.registry.sealing import release_due

        release_due(self._registry, self._today())

    def tend(self) -> str | None:
        """Publish what is overdue, close what is silent."""
        from leadline.registry.lifecycle import tend

        events = tend(self._registry, self._today(), grace_days=self._settings.grace_days)
        counted = Counter[str]()
        for event in events:
            if event.kind != "released":  # a sealed study leaves no line
                counted[event.kind] += len(event.studies)
        return ", ".join(f"{number} {kind}" for kind, number in sorted(counted.items())) or None

    def flush(self) -> None:
        """The week's round: waiting seals enter, and a batch is logged whether or not anybody said anything."""
        from leadline.registry.sealing import flush

        flush(self._registry, self._today(), bucket=self._settings.hazard_bucket)

    def bulk(self) -> str | None:
        """Make a dump when the log has grown."""
        from leadline.registry.bulk import refresh

        assert self._settings.bulk_folder is not None, "the task exists only with a folder"
        made = refresh(self._registry, self._settings.bulk_folder)
        return None if made is None else f"a dump of {made:,} entries"

    def cosign(self) -> str | None:
        """Ask the witnesses when the log has grown; raises for one that has seen more than this log has."""
        size = self._registry.store.size()
        if size == self._cosigned:
            return None
        from leadline.registry.cosigning import request_cosignatures
        from leadline.registry.outgoing import Http

        with Http() as http:
            asked = request_cosignatures(self._registry, self._peers(), http)
        ahead = [one for one in asked if one.outcome == "ahead"]
        if ahead:
            raise IntegrityError(
                f"a witness has cosigned a larger log than this one ({ahead[0].detail}): entries were lost, or this "
                "log runs twice",
                where=ahead[0].peer.url,
                remedy="stop the server, and follow `A witness is ahead of us` in docs/operating.md",
            )
        failed = [one for one in asked if one.outcome != "cosigned"]
        if failed:
            raise LeadlineError(
                f"{len(failed)} of {len(asked)} witnesses did not cosign entry {size}: {failed[0].outcome} "
                f"{failed[0].detail}".strip(),
                where=failed[0].peer.url,
                remedy="they are asked again; see `leadline witness`",
            )
        self._cosigned = size
        return None

    def _peers(self) -> "list[Peer]":
        from leadline.ledger.policy import Policy
        from leadline.registry.cosigning import Peer, peers_of

        named = [Peer.parse(one.vkey, one.url) for one in self._settings.witnesses]
        path = self._settings.policy
        return named if path is None else [*named, *peers_of(Policy.parse(path.read_bytes()))]
