"""A registry of many sealed studies over two years, made through the product, and who watches it from outside.

`SealedWorld.live` lets time pass: authors do what their plans say, and the server does its duties once a day. Seals
and slots come in as they do at a server, and wait for the week's batch. The watcher notes how long the log is each
day, and keeps every answer it was given.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory
from unittest.mock import patch

from attacks.sealed_plans import START, Deed, Plan
from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.ledger.sealing.body import Trustees
from leadline.ledger.sealing.periods import BUCKET
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.intake.sealed import accept_seal
from leadline.registry.lifecycle import accept_request, tend, withholding_request
from leadline.registry.registry import Registry
from leadline.registry.sealing import SealedWork, SealSecrets, flush, make_identity
from leadline.registry.sealing.holding import hold, sign_hold
from leadline.registry.sealing.outbox import register_deposit
from leadline.registry.sealing.private import INSTALLATION
from leadline.registry.sealing.sealing import prepare
from leadline.registry.sealing.secrets import SUFFIX
from leadline.registry.sealing.waiting import enter_seal
from leadline.registry.sealing.writing import installation_key
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.seals import seal as find_seal
from logs.factory import sample, write_eval

GRACE = 14
_DUTIES = time(0, 20)


@dataclass
class SetClock:
    """A clock that stands where it is put."""

    now: datetime = datetime(START.year, START.month, START.day, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time, in whole seconds."""
        return self.now.replace(microsecond=0)


@dataclass
class Author:
    """Somebody who seals: a signing key, an age identity, and a folder of private files."""

    key: SigningKey
    identity: str
    recipient: str


@dataclass
class SealedWorld:
    """One registry, its authors with their plans, and the watcher's notes.

    `works` are the authors' sides of the studies, in the order of `plans`; `sizes` is the log's length after each day.
    With `at_once` seals do not wait for the week's round, as in a registry that one person keeps.
    """

    folder: Path
    plans: Sequence[Plan]
    clock: SetClock = field(default_factory=SetClock)
    works: list[SealedWork] = field(default_factory=list)
    sizes: list[tuple[date, int]] = field(default_factory=list)
    at_once: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.registry = Registry.open(self.folder / "registry.db", clock=self.clock)
        self.installation = make_identity(self.registry.home.folder / INSTALLATION)
        self.authors = [self._author(n) for n in range(1 + max(plan.author for plan in self.plans))]
        self._waiting: set[int] = set()
        self._log = write_eval(self.folder / "run.eval", task="addition", samples=[sample(f"item-{n}") for n in range(4)])  # fmt: skip

    def close(self) -> None:
        """Let go of the store."""
        self.registry.close()

    @property
    def ids(self) -> list[str]:
        """Public ids of the studies, in the order of `plans`."""
        return [work.id for work in self.works]

    # -- time ----------------------------------------------------------------------------------

    def live(self, until: date) -> None:
        """Let every day pass up to and without `until`: first the server's duties, then what authors do."""
        queue = self._agenda()
        day = self.sizes[-1][0] + timedelta(days=1) if self.sizes else START
        while day < until:
            midnight = datetime.combine(day, time(), UTC)
            self._duties(day)
            while queue and queue[-1][0] < midnight + timedelta(days=1):
                when, number, deed = queue.pop()
                self.clock.now = max(when, midnight + timedelta(hours=1))
                self._seal(number) if deed == "seal" else self._do(number, deed)
            self.sizes.append((day, self.registry.store.size()))
            day += timedelta(days=1)
        self._left = queue

    def _agenda(self) -> "list[tuple[datetime, int, Deed | str]]":
        """What authors will do, the last first."""
        if self.sizes:
            return self._left
        found: list[tuple[datetime, int, Deed | str]] = []
        for number, plan in enumerate(self.plans):
            found.append((plan.sealed, number, "seal"))
            found += [(when, number, deed) for when, deed in plan.deeds]
        return sorted(found, reverse=True)

    def _duties(self, day: date) -> None:
        self.clock.now = datetime.combine(day, _DUTIES, UTC)
        if day.weekday() == 0 or day.day == 1 or len(self.works) < len(self.plans):
            tend(self.registry, day, grace_days=GRACE)
            if flush(self.registry, day, bucket=BUCKET).batch is not None:
                for number in sorted(self._waiting):
                    self._sync(number)

    # -- authors -------------------------------------------------------------------------------

    def _author(self, number: int) -> Author:
        identity = age.generate()
        key = SigningKey.generate(f"author-{number}.example")
        return Author(key, identity, age.recipient_of(identity))

    def _seal(self, number: int) -> None:
        plan, registry = self.plans[number], self.registry
        author = self.authors[plan.author]
        trusted = [self.authors[n % len(self.authors)].recipient for n in range(min(plan.trustees, 12))]
        if plan.installation:
            trusted.append(self.installation)
        with _rehearsed(plan):
            made = prepare(
                plan.protocol(number),
                author.key,
                author.recipient,
                now=registry.time(),
                today=self.clock.now.date(),
                tier=plan.tier,
                trustees=Trustees(tuple(dict.fromkeys(trusted)), 1),
                release=plan.wanted,
            )
        hazard = plan.tier == "hazard"
        envelope = make_signed("seal", made.said, installation_key(registry) if hazard else author.key)
        known = hazard or find_key(registry.store, author.key.fingerprint) is not None
        first = None if known else made.content.introduction
        study = study_id(leaf_hash(envelope))
        if self.at_once:
            register_deposit(registry, study, made.deposit_public)
            registry.store.put_blob(made.body)
            enter_seal(registry, envelope, first)
        else:
            accept_seal(registry, envelope, made.deposit_public, first, [made.body])
        secrets = SealSecrets(study, -1, leaf_hash(envelope), made.content, self.folder / f"{study}{SUFFIX}")
        assert number == len(self.works), "plans are in order of sealing"
        self.works.append(SealedWork(registry, secrets, author.key))

    def _do(self, number: int, deed: "Deed | str") -> None:
        work, plan = self.works[number], self.plans[number]
        row = find_seal(self.registry.store, work.id)
        if row is not None and row.state != "sealed":
            return  # released or closed meanwhile: nothing more is said under seal
        match deed:
            case "attempt":
                run = work.open_attempt("n" * (40 * number % 900))
                work.abandon_attempt(run.number, "it did not work")
            case "amend":
                said = work.protocol.model_dump(mode="json") | {
                    "notes": f"amended {len(work.secrets.statements)}"
                }
                work.amend(type(work.protocol).model_validate(said), reason="r" * 300, seen="nothing_run")
            case "report":
                work.attach(self._log, force=True)
                work.report()
            case "hold":
                self._hold(work, plan)
            case "reveal":
                self._reveal(work)
        self._waiting.add(number)

    def _hold(self, work: SealedWork, plan: Plan) -> None:
        hold(self.registry, work.id, sign_hold(work.secrets.content, work.id))
        if plan.tier == "ordinary":
            origin = self.registry.home.origin
            accept_request(
                self.registry, withholding_request(origin, work.id, "withhold", work.key, self.clock.now)
            )

    def _reveal(self, work: SealedWork) -> None:
        own = self.registry.key
        self.registry.key = work.key if work.row.tier == "ordinary" else None
        try:
            work.reveal()
        finally:
            self.registry.key = own

    def _sync(self, number: int) -> None:
        """After a batch, an author looks which slot was taken, and hands over what still waits."""
        row = find_seal(self.registry.store, self.works[number].id)
        if row is None or row.state != "sealed" or not self.works[number].sync():
            self._waiting.discard(number)


def outcomes(world: SealedWorld, numbers: Iterable[int]) -> list[str]:
    """What the log says became of the studies: ``closed``, ``revealed`` or ``sealed``."""
    found = (find_seal(world.registry.store, world.works[n].id) for n in numbers)
    return ["waiting" if row is None else row.state for row in found]


_shapes: set[int] = set()


@contextmanager
def _rehearsed(plan: Plan) -> Iterator[None]:
    """One rehearsal for all plans of as many arms, which differ in words only: a thousand would prove no more."""
    if plan.arms not in _shapes:
        yield
        _shapes.add(plan.arms)
        return
    with patch("leadline.verdict.simulation.execute"):
        yield


@contextmanager
def fast_folder(room: int) -> Iterator[Path]:
    """A folder for `room` bytes that are soon thrown away: in memory where there is enough, since nothing here is
    about a disk."""
    memory = Path("/dev/shm")
    there = memory.is_dir() and disk_usage(memory).free > 2 * room
    with TemporaryDirectory(prefix="leadline-sealed-", dir=memory if there else None) as name:
        yield Path(name)
