"""A registry with a sealed study in it, and time that passes in weeks."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.registry.registry import Registry
from leadline.registry.sealing import Flushed, SealedWork, flush, seal
from registry.world import World


@dataclass
class SealedLab:
    """A world whose author also has an age identity; `work` makes and runs sealed studies."""

    folder: Path
    world: World = field(init=False)
    identity: str = field(default_factory=age.generate)

    def __post_init__(self) -> None:
        self.world = World(self.folder / "world")

    @property
    def registry(self) -> Registry:
        """The world's registry, with the author's key."""
        return self.world.registry

    @property
    def place(self) -> Path:
        """Where the author's files of sealed studies are."""
        return self.folder / "seals"

    def today(self) -> date:
        """The clock's day."""
        return self.world.clock.now.date()

    def seal(self, *, protocol: Any = None, **options: Any) -> SealedWork:
        """Seal the world's protocol, or another."""
        promised = self.world.protocol() if protocol is None else protocol
        return seal(self.registry, promised, age.recipient_of(self.identity), place=self.place, **options)

    def next_week(self) -> Flushed:
        """A week passes, and the batch is made."""
        self.world.clock.now += timedelta(days=7)
        return flush(self.registry)

    def run(self, work: SealedWork, **cheat: Any) -> list[Path]:
        """One announced run with its logs attached."""
        with work.attempt() as run:
            paths = self.world.lab_run(work, run, name=f"{work.id}-run{run.number}", **cheat)  # type: ignore[arg-type]
            run.attach(paths)
        return paths

    def reported(self, work: SealedWork) -> SealedWork:
        """Run it, wait for the batch, report it, wait for the batch."""
        self.run(work)
        self.next_week()
        work.report()
        self.next_week()
        return work

    def as_author(self, key: SigningKey | None) -> Registry:
        """The registry opened with another key, or none; to be closed by the caller."""
        return Registry.open(self.folder / "world" / "registry.db", key=key, clock=self.world.clock)
