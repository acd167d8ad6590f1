"""`leadline run`: an attempt announced, its evaluations run and compared, the attempt closed with their logs."""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from leadline.bench.launch import child
from leadline.bench.launch.berth import Berth, Order, Receipt, last_tries
from leadline.bench.launch.command import Command, commands, prepared
from leadline.bench.launch.intent import digest_of, sign_intent
from leadline.bench.launch.promise import Promise, of_study
from leadline.bench.launch.settle import Settled, settle
from leadline.errors import Explained
from leadline.ledger.keys import SigningKey
from leadline.registry.registry import Registry
from leadline.registry.run import STUDY_STAMP
from leadline.verdict.conformance.context import ATTEMPT_STAMP, INTENT_STAMP

Say = Callable[[str], None]
#: Opens the registry, each time it is needed.
Connect = Callable[[], Registry]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be run: a command, or none for the protocol's own; for which arms; and how strictly.

    `allow` are codes of findings in logs that may be published; `note` goes into the record; `output` takes what the
    evaluations print, instead of standard output.
    """

    words: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    strict: bool = False
    note: str = ""
    allow: Collection[str] = ()
    output: IO[Any] | None = None


@dataclass(frozen=True, slots=True)
class Launched:
    """What became of a launch.

    `attempt` is None for an offline run; `settled` None while the attempt is open, and then `problem` says why where
    it was not simply interrupted. `code` is what the command line ends with.
    """

    study: str
    attempt: int | None
    code: int
    interrupted: bool
    receipts: tuple[Receipt, ...]
    settled: Settled | None = None
    problem: Explained | None = None


def launch(connect: Connect, study: str, wanted: Wanted, say: Say) -> Launched:
    """Run evaluations under a new attempt of a study.

    Everything that can be refused is refused before the attempt is announced. The registry that `connect` opens is
    left while the evaluations run, for they may take days. When a run was interrupted or killed, or its logs cannot
    be attached, the attempt stays open for everybody to see, and its folder is kept.
    """
    with connect() as registry:
        found = registry.study(study)
        promise = of_study(found)
        planned = commands(promise.protocol, wanted.words, wanted.arms, promise.seeds)
        _rehearse(planned, promise)
        run = found.open_attempt(wanted.note)
    say(f"attempt {run.number} of {promise.study} is announced")
    berth, held = _berth(promise, planned, wanted, run.stamp(), run.number)
    try:
        ended = _run(berth, held, planned, promise, wanted, say)
    finally:
        os.close(held)
    receipts = tuple(berth.receipts())
    done = Launched(promise.study, run.number, _code(ended.code, receipts), ended.interrupted, receipts)
    if not ended.whole:
        return done
    try:
        with connect() as registry:
            return replace(done, settled=settle(registry.study(promise.study), berth, allow=wanted.allow))
    except Explained as problem:
        return replace(done, code=done.code or problem.exit_code, problem=problem)


def launch_offline(promise: Promise, key: SigningKey, wanted: Wanted, say: Say) -> Launched:
    """Run evaluations without a registry: an intent is signed here, and the attempt announced when one can be reached.

    Such a run was announced after it began, so no report will take it as known to be later than the freeze.
    """
    planned = commands(promise.protocol, wanted.words, wanted.arms, promise.seeds)
    _rehearse(planned, promise)
    intent = sign_intent(promise.study, promise.origin, _now(), key)
    stamp = {STUDY_STAMP: promise.study, INTENT_STAMP: digest_of(intent)}
    berth, held = _berth(promise, planned, wanted, stamp, None)
    berth.write_intent(intent)
    try:
        ended = _run(berth, held, planned, promise, wanted, say)
    finally:
        os.close(held)
    receipts = tuple(berth.receipts())
    return Launched(promise.study, None, _code(ended.code, receipts), not ended.whole, receipts)


def _rehearse(planned: Sequence[Command], promise: Promise) -> None:
    """Find what cannot be put into the commands before anything is announced."""
    stamp = {STUDY_STAMP: promise.study, ATTEMPT_STAMP: "", INTENT_STAMP: ""}
    for one in planned:
        prepared(one, promise.protocol, stamp, promise.seeds, Path())


def _berth(
    promise: Promise, planned: Sequence[Command], wanted: Wanted, stamp: dict[str, Any], attempt: int | None
) -> tuple[Berth, int]:
    said = promise.registration
    order = Order(
        study=promise.study,
        origin=promise.origin,
        attempt=attempt,
        stamp=stamp,
        registration={
            "digest": said.digest,
            "index": said.index,
            "leaf": said.leaf_hash.hex(),
            "created": said.created.isoformat(),
        },
        created=_now(),
        strict=wanted.strict,
        cwd=str(Path.cwd()),
        log_dir=planned[0].log_dir,
        note=wanted.note,
    )
    berth = Berth.make(order, promise.protocol)
    return berth, berth.hold()


def _run(
    berth: Berth, held: int, planned: Sequence[Command], promise: Promise, wanted: Wanted, say: Say
) -> child.Ended:
    """Each command in turn until one is interrupted or killed; the first status that is not 0 stands for all."""
    order, code = berth.order(), 0
    for one in planned:
        if len(planned) > 1:
            say(f"arm {one.arm}")
        berth.write_order(replace(order, arm=one.arm))
        words, environment = prepared(one, promise.protocol, order.stamp, promise.seeds, berth.folder)
        ended = child.run(words, environment=environment, held=held, output=wanted.output)
        code = code or ended.code
        if not ended.whole:
            return replace(ended, code=code)
    berth.note_end(code)
    return child.Ended(code, False, False)


def _code(code: int, receipts: Sequence[Receipt]) -> int:
    """The child's status; 1 where that is 0 although a task was refused, could not be compared, or did not succeed."""
    bad = any(one.refused or one.problem or one.status != "success" for one in last_tries(receipts))
    return code or int(bad)


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def receipt_forms(receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    """Receipts as JSON values."""
    return [asdict(one) for one in receipts]
