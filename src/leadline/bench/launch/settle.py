"""From a run that is over to a closed attempt: its logs found, searched, attached, and the attempt closed with them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.bench.launch.berth import Berth, Order, Receipt, last_tries
from leadline.errors import StateError
from leadline.logs import read_logs
from leadline.registry.scan import require_clean, scan_logs
from leadline.registry.study import Study
from leadline.verdict.conformance.context import ATTEMPT_STAMP, INTENT_STAMP

#: So many of the newest files of a folder are looked at for logs of a run that left no receipt.
_MOST_FILES = 2_000


@dataclass(frozen=True, slots=True)
class Settled:
    """A closed attempt: its number, the log index of its closing, how it ended, the digests of its logs, remarks."""

    number: int
    index: int
    status: str
    logs: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def settle(study: Study, berth: Berth, *, allow: Collection[str] = ()) -> Settled:
    """Attach what logs the run left, close its attempt, and forget its folder.

    Raises what attaching raises (a secret in a log, a log that cannot be read, no registry to be reached): the
    attempt then stays open and the folder stays, so that the same can be tried again.
    """
    order, receipts = berth.order(), berth.receipts()
    if order.attempt is None:
        raise StateError(
            "this run was not announced yet",
            where=order.study,
            remedy=f"leadline attempts reconcile {order.study}",
        )
    paths = logs_of(berth)
    attached: tuple[str, ...] = ()
    if paths:
        require_clean(scan_logs(list(map(str, paths))), allow)
        attached = study.attach(paths, attempt=order.attempt)
    earlier = [row.sha256 for row in study.attachments if row.attempt == order.attempt]
    digests = list(dict.fromkeys([*attached, *earlier]))
    status = status_of(_states(receipts, paths), berth.code)
    remarks = tuple(_remarks(receipts, digests, berth.code))
    note = "; ".join(one for one in (order.note, *remarks) if one)
    receipt = study.close_attempt(order.attempt, digests, status, note)
    berth.remove()
    return Settled(order.attempt, receipt.index, status, tuple(digests), remarks)


def logs_of(berth: Berth) -> list[Path]:
    """The logs of a run: those its receipts name, and those in its log folder that carry its stamp.

    A task that was interrupted or killed leaves a log and no receipt of its end; what it had written can be read.
    """
    order = berth.order()
    named = [Path(one.location) for one in berth.receipts() if one.location]
    found = {path.resolve(): None for path in named if path.is_file()}
    for path in _stamped(order, Path(order.cwd, order.log_dir)):
        found.setdefault(path.resolve())
    return list(found)


def status_of(states: Collection[str], code: int | None) -> str:
    """How an attempt ended, by what its tasks and logs say: completed only where all succeeded and that was seen.

    `states` are Inspect's: success, error, cancelled, started (never finished).
    """
    if set(states) == {"success"}:
        return "unknown" if code is None else "completed" if code == 0 else "failed"
    return "cancelled" if states and set(states) <= {"success", "cancelled"} else "failed"


def _states(receipts: Sequence[Receipt], paths: Sequence[Path]) -> set[str]:
    """How the last tries of the tasks ended: as their receipts say, and where they say nothing, as their logs do."""
    logs = {one.eval_id: one.status for one in read_logs(paths, tier="header").headers} if paths else {}
    standing = {one.eval_id for one in last_tries(receipts)}
    told = {one.eval_id: one.status for one in receipts}
    ended = {key: status for key, status in told.items() if status != "started"}
    repeated = told.keys() - standing
    return {status for key, status in {**told, **logs, **ended}.items() if key not in repeated}


def _stamped(order: Order, folder: Path) -> Iterable[Path]:
    """Logs in a folder, written since the run began, that carry its stamp."""
    if "://" in order.log_dir or not folder.is_dir():
        return
    began = order.begun().timestamp() - 1
    files = [path for path in folder.rglob("*") if path.suffix in (".eval", ".json") and path.is_file()]
    recent = sorted(
        (path for path in files if path.stat().st_mtime >= began), key=lambda path: path.stat().st_mtime
    )
    if not recent:
        return
    for header in read_logs(recent[-_MOST_FILES:], tier="header").headers:
        carried = header.metadata or {}
        wanted = {key: order.stamp[key] for key in (ATTEMPT_STAMP, INTENT_STAMP) if key in order.stamp}
        if wanted and all(carried.get(key) == value for key, value in wanted.items()):
            yield Path(header.path)


def _remarks(receipts: Sequence[Receipt], digests: Collection[str], code: int | None) -> Iterable[str]:
    """What the record should say beside the logs."""
    if code is None:
        yield "nobody saw this run end: its launcher was killed, or it was interrupted"
    refused = sum(one.refused for one in receipts)
    if refused:
        yield f"{_tasks(refused)} refused for differing from the protocol"
    changed = [one for one in receipts if one.sha256 is not None and one.sha256 not in digests]
    if changed:
        yield f"{len(changed)} {'log was' if len(changed) == 1 else 'logs were'} changed or removed after its task ended"
    repeated = len(receipts) - len(last_tries(receipts))
    if repeated:
        tries = "1 earlier try" if repeated == 1 else f"{repeated} earlier tries"
        yield f"{tries} of its tasks did not succeed and were repeated; inspect eval-set removes their logs"
    if not receipts and not digests:
        yield "no task began"


def _tasks(number: int) -> str:
    return "1 task was" if number == 1 else f"{number} tasks were"


__all__ = ["Settled", "logs_of", "settle", "status_of"]
