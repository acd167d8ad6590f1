"""A campaign of kills: sixteen writers, one server, SIGKILL at random instants, a look after each, an audit now and then."""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from kills.audit import Audited, audit
from kills.author import Author
from kills.gate import Gate
from kills.launch import Zygote
from kills.server import DeadServerError, Server
from kills.stages import Stage, Victim, stage
from kills.watch import InFlight, Watch
from kills.writer import Acknowledged, Writer
from leadline.ledger.keys import VerifyKey

WRITERS = 16
#: Seconds to the next kill: from the first connection the server accepts, so that some die while they warm up, or
#: from the first write it answers; now and then it lives to do long work.
SHORT, LONG = (0.02, 0.6), (0.6, 3.0)
COLD_SHARE, LONG_SHARE = 0.2, 0.05
#: Servers that are killed while they start, at any instant up to somewhat after they usually take connections.
EARLY_SHARE, EARLY_UNTIL, USUAL_START = 0.15, 1.3, 1.0
#: Servers that are a new interpreter and the real command line; the others are forks (`kills.zygote`).
FRESH_SHARE = 0.08
WARM = 10.0
#: The whole audit, with fsck and rebuild, after so many kills.
EVERY = 100
#: A line of progress after so many.
PROGRESS = 10
RECOVERY = 90.0
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a campaign did and found."""

    store: str
    kills: Counter[str] = field(default_factory=Counter)
    early: int = 0
    looks: int = 0
    in_flight: InFlight = field(default_factory=InFlight)
    audited: Audited = field(default_factory=Audited)
    audits: int = 0
    retried: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    forked: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line that says it all."""
        kills = ", ".join(f"{count} {victim}" for victim, count in sorted(self.kills.items()))
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(self.answers.items()))
        again = f"; recovery of the database at most {max(self.recoveries):.1f} s" if self.recoveries else ""
        return (
            f"{self.store}: {self.kills.total()} kills ({kills}), {self.early} of them during a start;"
            f" {self.audited.statements} acknowledged statements in {self.audited.entries} entries,"
            f" {self.retried} of them sent more than once; of submissions cut off in flight {self.in_flight.found}"
            f" were in the log and {self.in_flight.absent} were not;"
            f" {self.audited.checkpoints} acknowledged checkpoints; {self.looks} looks, {self.audits} audits;"
            f" {_spread('new interpreters', self.starts)}; {_spread('forks', self.forked)}{again};"
            f" answers {answers}; {len(self.problems)} problems"
        )


def campaign(
    store: str, kills: int, *, seed: int = 1, writers: int = WRITERS, every: int = EVERY, say: Say = print
) -> Outcome:
    """Kill the server of a new registry `kills` times under load.

    What is new is looked at whenever a server serves again, and everything after each `every` kills and at the end.
    """
    with tempfile.TemporaryDirectory(prefix="leadline-kills-") as folder, stage(store, Path(folder)) as place:
        server = Server(place.url, Path(folder), place.environ)
        with server.zygote() as zygote:
            try:
                server.start(create=True)
                return _Campaign(place, server, zygote, Path(folder), seed, writers, say).run(kills, every)
            finally:
                server.kill()


class _Campaign:
    def __init__(
        self, place: Stage, server: Server, zygote: Zygote, folder: Path, seed: int, writers: int, say: Say
    ) -> None:
        self._place, self._server, self._zygote, self._say = place, server, zygote, say
        self._draw = Random(seed)
        self._outcome = Outcome(place.name)
        self._gate = Gate()
        origin = VerifyKey.parse((place.keys / "log.vkey").read_text().strip()).name
        self._writers = [
            Writer(Author(number, seed, origin, folder), server.port, self._gate) for number in range(writers)
        ]
        self._watch = Watch(place)
        self._outcome.in_flight = self._watch.in_flight
        self._looked = [0] * writers

    def run(self, kills: int, every: int) -> Outcome:
        """The whole campaign."""
        with self._writing():
            try:
                for number in range(1, kills + 1):
                    self._life()
                    if number % PROGRESS == 0:
                        self._say(f"{number}/{kills} kills: {self._count()} statements acknowledged")
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
            self._gate.close()

    def _life(self) -> None:
        """Start the server if it is dead, let it work for a while, and kill something."""
        early, fresh, cold, long = (
            self._draw.random() < share for share in (EARLY_SHARE, FRESH_SHARE, COLD_SHARE, LONG_SHARE)
        )
        victim = self._place.victim(self._draw)
        if early and victim == "server" and not self._server.running:
            self._early(fresh=fresh)
        else:
            before = self._count()
            self._awake(fresh=fresh)
            if not cold:
                self._acknowledges(before, WARM)
            time.sleep(self._draw.uniform(*(LONG if long else SHORT)))
        self._outcome.kills[victim] += 1
        if victim == "server":
            self._server.kill()
            self._hold()
        else:
            self._place.strike(victim, self._draw)
            self._recovers(victim)
        self._outcome.problems += [line for writer in self._writers for line in writer.unexpected]

    def _early(self, *, fresh: bool) -> None:
        """Start the server, and be there to kill it while it opens the store, or just before or after."""
        known = self._server.starts if fresh else self._server.forked
        usual = statistics.median(known) if known else USUAL_START
        self._outcome.early += 1
        self._gate.open()
        self._server.begin(None if fresh else self._zygote)
        time.sleep(self._draw.uniform(0, EARLY_UNTIL * usual))

    def _awake(self, *, fresh: bool = False) -> None:
        """A server that accepts connections and has lost nothing, and writers that try theirs again."""
        if not self._server.running:
            self._server.start(None if fresh else self._zygote)
            self._look_again()
        self._gate.open()

    def _hold(self) -> None:
        """Hold every writer, with the answer that was on its way or without one."""
        self._gate.close()
        if not self._gate.empty(RECOVERY):
            raise DeadServerError("a writer still waits for a server that is dead")
        for writer in self._writers:
            writer.hang_up()

    def _look_again(self) -> None:
        """Look for what was acknowledged since the last look, and for what was cut off by the kill."""
        new = []
        for number, writer in enumerate(self._writers):
            new += writer.acknowledged[self._looked[number] :]
            self._looked[number] = len(writer.acknowledged)
        cut = [one.envelopes for writer in self._writers if (one := writer.unanswered) is not None]
        self._outcome.problems += self._watch.look(new, cut)
        self._outcome.looks += 1

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
        """Every request that is under way gets its answer; then a server of the real command line ends in order."""
        for writer in self._writers:
            writer.ending = True
        self._awake(fresh=True)
        for writer in self._writers:
            writer.join(RECOVERY)
            if writer.is_alive():
                self._outcome.problems.append(f"{writer.name} never got an answer")
        status = self._server.stop()
        if status:
            self._outcome.problems.append(f"the server ended with status {status}")

    def _look(self, number: int, kills: int) -> None:
        """Hold the writers, look at everything with no server running, and go on."""
        self._server.kill()
        self._hold()
        self._place.settle()
        held = self._acknowledged()
        outcome = self._outcome
        outcome.audited = audit(self._place, held)
        outcome.audits += 1
        outcome.problems += outcome.audited.problems
        outcome.retried = sum(one.tries > 1 for one in held)
        outcome.starts, outcome.forked = self._server.starts, self._server.forked
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


def _spread(what: str, seconds: list[float]) -> str:
    if not seconds:
        return f"no {what}"
    return f"{len(seconds)} {what} up in {statistics.median(seconds):.2f} s (median), {max(seconds):.2f} s at most"


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
