"""A campaign of kills: sixteen writers, one server, SIGKILL at random instants, and an audit now and then."""

import argparse
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from kills.audit import Audited, audit
from kills.author import Author
from kills.server import DeadServerError, Server
from kills.stages import Stage, Victim, stage
from kills.writer import Acknowledged, Writer
from leadline.ledger.keys import VerifyKey

WRITERS = 16
#: Seconds to the next kill: from the first connection the server accepts, so that some die while they warm up, or
#: from the first write it answers; now and then it lives to do long work.
SHORT, LONG = (0.05, 0.6), (0.6, 3.0)
COLD_SHARE, LONG_SHARE = 0.25, 0.08
WARM = 10.0
RECOVERY = 90.0
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a campaign did and found."""

    store: str
    kills: Counter[str] = field(default_factory=Counter)
    audited: Audited = field(default_factory=Audited)
    audits: int = 0
    retried: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line that says it all."""
        kills = ", ".join(f"{count} {victim}" for victim, count in sorted(self.kills.items()))
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(self.answers.items()))
        again = f", recovery at most {max(self.recoveries):.1f} s" if self.recoveries else ""
        return (
            f"{self.store}: {self.kills.total()} kills ({kills}); {self.audited.statements} acknowledged statements"
            f" found in {self.audited.entries} entries, {self.retried} of them sent more than once;"
            f" {self.audited.checkpoints} acknowledged checkpoints consistent; {self.audits} audits;"
            f" start {statistics.median(self.starts):.2f} s median, {max(self.starts):.2f} s at most{again};"
            f" answers {answers}; {len(self.problems)} problems"
        )


def campaign(
    store: str, kills: int, *, seed: int = 1, writers: int = WRITERS, every: int = 25, say: Say = print
) -> Outcome:
    """Kill the server of a new registry `kills` times under load; audit after each `every` kills and at the end."""
    with tempfile.TemporaryDirectory(prefix="leadline-kills-") as folder, stage(store, Path(folder)) as place:
        return _Campaign(place, Path(folder), seed, writers, say).run(kills, every)


class _Campaign:
    def __init__(self, place: Stage, folder: Path, seed: int, writers: int, say: Say) -> None:
        self._place, self._say = place, say
        self._draw = Random(seed)
        self._outcome = Outcome(place.name)
        self._server = Server(place.url, folder, place.environ)
        self._going = threading.Event()
        self._server.start(create=True)
        origin = VerifyKey.parse((place.keys / "log.vkey").read_text().strip()).name
        self._writers = [
            Writer(Author(number, seed, origin, folder), self._server.port, self._going)
            for number in range(writers)
        ]

    def run(self, kills: int, every: int) -> Outcome:
        """The whole campaign."""
        with self._writing():
            try:
                for number in range(1, kills + 1):
                    self._life()
                    if number % every == 0 and number < kills:
                        self._look(number, kills)
                    if self._outcome.problems:
                        break
                self._last_answers()
            except DeadServerError as error:
                self._outcome.problems.append(str(error))
            finally:
                self._server.kill()
        self._look(self._outcome.kills.total(), kills)
        return self._outcome

    @contextmanager
    def _writing(self) -> Iterator[None]:
        for writer in self._writers:
            writer.start()
        try:
            yield
        finally:
            for writer in self._writers:
                writer.ending = True
            self._going.set()

    def _life(self) -> None:
        """Start the server if it is dead, let it work for a while, and kill something."""
        cold, long = self._draw.random() < COLD_SHARE, self._draw.random() < LONG_SHARE
        before = self._count()
        self._awake()
        if not cold:
            self._acknowledges(before, WARM)
        time.sleep(self._draw.uniform(*(LONG if long else SHORT)))
        victim = self._place.victim(self._draw)
        self._outcome.kills[victim] += 1
        if victim == "server":
            self._server.kill()
            self._going.clear()
        else:
            self._place.strike(victim, self._draw)
            self._recovers(victim)
        self._outcome.problems += [line for writer in self._writers for line in writer.unexpected]

    def _awake(self) -> None:
        """A server that accepts connections, and writers that try theirs again."""
        if not self._server.running:
            self._server.start()
        self._going.set()

    def _acknowledges(self, before: int, patience: float) -> bool:
        """Whether something more is acknowledged in time; also when a writer met what it should not."""
        begun = time.monotonic()
        while self._count() == before and not any(writer.unexpected for writer in self._writers):
            if time.monotonic() - begun > patience or not self._server.running:
                return False
            time.sleep(0.005)
        return True

    def _recovers(self, victim: Victim) -> None:
        """After the database came back, the same server serves again, without anybody's help."""
        begun = time.monotonic()
        self._place.settle()
        if not self._acknowledges(self._count(), RECOVERY):
            raise DeadServerError(f"nothing is acknowledged after the {victim} was killed")
        self._outcome.recoveries.append(time.monotonic() - begun)

    def _last_answers(self) -> None:
        """Every request that is under way gets its answer; then the server ends in order."""
        for writer in self._writers:
            writer.ending = True
        self._awake()
        for writer in self._writers:
            writer.join(RECOVERY)
            if writer.is_alive():
                self._outcome.problems.append(f"{writer.name} never got an answer")
        status = self._server.stop()
        if status:
            self._outcome.problems.append(f"the server ended with status {status}")

    def _look(self, number: int, kills: int) -> None:
        """Hold the writers, look at everything with no server running, and go on."""
        self._going.clear()
        self._server.kill()
        self._place.settle()
        held = self._acknowledged()
        outcome = self._outcome
        outcome.audited = audit(self._place, held)
        outcome.audits += 1
        outcome.problems += outcome.audited.problems
        outcome.retried = sum(one.tries > 1 for one in held)
        outcome.starts = self._server.starts
        outcome.answers = sum((writer.answers for writer in self._writers), Counter())
        self._say(
            f"{number}/{kills} kills: {len(held)} statements acknowledged, {outcome.audited.entries} entries,"
            f" {len(outcome.problems)} problems"
        )
        for problem in outcome.problems[:20]:
            self._say(f"  {problem}")
        if outcome.problems:
            self._say(self._server.journal[-6000:])

    def _acknowledged(self) -> list[Acknowledged]:
        return [one for writer in self._writers for one in list(writer.acknowledged)]

    def _count(self) -> int:
        return sum(len(writer.acknowledged) for writer in self._writers)


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--writers", type=int, default=WRITERS)
    given = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, flush=True)

    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(1)
    )  # so that the server under test ends with this process
    begun = time.monotonic()
    outcome = campaign(given.store, given.kills, seed=given.seed, writers=given.writers, say=say)
    say(f"{outcome.summary()}; {time.monotonic() - begun:.0f} s")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
