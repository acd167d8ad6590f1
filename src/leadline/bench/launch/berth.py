"""The private folder of one launch: what the launcher tells the hook, and what the hook tells the launcher.

``order.json`` and ``protocol.json`` are written before the evaluation begins; ``receipts/`` gets a file for each task
that began, written again when it ended; ``ended.json`` says that the evaluation was seen to end. ``lock`` is held by
the launcher and, because the evaluation inherits it, until both are gone: a folder whose lock is free is of a run that
is over, whatever became of its launcher. The folder is removed when the attempt has been closed.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from leadline.errors import InputError, StateError
from leadline.protocol.model import Protocol
from leadline.registry.places import default_home
from leadline.verdict.model import Registration

#: What a receipt may hold: a task's settings and what differs. Nobody writes here but the user's own processes.
_LONGEST: Final = 8 << 20
_MOST_RECEIPTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Order:
    """What a launch is for.

    `attempt` is its number, None for an offline run that was not announced yet. `stamp` is what every log of it must
    carry, `arm` the one arm it is for where that was said, `origin` the log that knows the study. `cwd` and `log_dir`
    are where the evaluation runs and was told to write.
    """

    study: str
    origin: str
    attempt: int | None
    stamp: dict[str, Any]
    registration: dict[str, Any]
    created: str
    strict: bool = False
    arm: str | None = None
    cwd: str = ""
    log_dir: str = "logs"
    note: str = ""

    def promised(self) -> Registration:
        """What the ledger says of the study."""
        said = self.registration
        return Registration(
            study=self.study,
            digest=said["digest"],
            index=said["index"],
            leaf_hash=bytes.fromhex(said["leaf"]),
            created=datetime.fromisoformat(said["created"]),
        )

    def begun(self) -> datetime:
        """When the launch began, by this machine's clock."""
        return datetime.fromisoformat(self.created)


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs from what was promised."""

    setting: str
    promised: str
    found: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One task of the run: as what it began, how it differs from the protocol, and how it ended.

    `status` is "started" until the task ended, then what its log says; `sha256` and `location` are of the finished
    log; `problem` says why it could not be compared or its log not be read. Tries of one task share their `task_id`.
    """

    eval_id: str
    task: str
    model: str
    arm: str | None = None
    status: str = "started"
    refused: bool = False
    location: str | None = None
    sha256: str | None = None
    samples: int | None = None
    differences: tuple[Difference, ...] = ()
    problem: str = ""
    task_id: str = ""

    @classmethod
    def read(cls, said: dict[str, Any]) -> "Receipt":
        """From its JSON form."""
        differences = tuple(Difference(**one) for one in said.pop("differences", ()))
        return cls(**said, differences=differences)


def last_tries(receipts: Sequence[Receipt]) -> list[Receipt]:
    """The receipts without the tries that `inspect eval-set` repeated; they are in the order in which tasks began."""
    last = {one.task_id or one.eval_id: one for one in receipts}
    return [one for one in receipts if last[one.task_id or one.eval_id] is one]


class Berth:
    """The private folder of one launch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<Berth {self.folder}>"

    # -- made and found ------------------------------------------------------------------------

    @classmethod
    def make(cls, order: Order, protocol: Protocol) -> "Berth":
        """A new folder in ``runs`` of $LEADLINE_HOME, for its owner's eyes only."""
        folder = runs_folder() / f"{order.study}-{secrets.token_hex(6)}"
        (folder / "receipts").mkdir(parents=True, mode=0o700)
        folder.chmod(0o700)
        berth = cls(folder)
        (folder / "protocol.json").write_bytes(protocol.canonical_bytes())
        berth.write_order(order)
        return berth

    @classmethod
    def left(cls, study: str | None = None) -> Iterator["Berth"]:
        """The folders of runs whose attempt was not closed, oldest first; of one study where it is named."""
        folders = runs_folder().glob(f"{study or 'LL-'}*/order.json")
        yield from (cls(path.parent) for path in sorted(folders, key=lambda path: path.stat().st_mtime))

    def remove(self) -> None:
        """Forget the launch: the record has all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- what the launcher says ----------------------------------------------------------------

    def order(self) -> Order:
        """What the launch is for; InputError where the folder is damaged."""
        try:
            return Order(**_load(self.folder / "order.json"))
        except (OSError, TypeError, ValueError) as error:
            raise self._damaged(error) from error

    def _damaged(self, why: object) -> InputError:
        return InputError(
            f"the folder of this run is damaged: {why}",
            where=str(self.folder),
            remedy="attach its logs with `leadline attach`, then remove the folder",
        )

    def write_order(self, order: Order) -> None:
        """Say what the launch is for; also when an offline run has been announced."""
        _write(self.folder / "order.json", asdict(order))

    def protocol(self) -> Protocol:
        """The protocol as first frozen."""
        return Protocol.parse((self.folder / "protocol.json").read_bytes(), name="protocol.json")

    def write_intent(self, intent: bytes) -> None:
        """Keep what the author of an offline run signed."""
        (self.folder / "intent.json").write_bytes(intent)

    def intent(self) -> bytes:
        """What the author of an offline run signed; InputError where nothing was."""
        try:
            return (self.folder / "intent.json").read_bytes()
        except OSError as error:
            raise self._damaged(error) from error

    def hold(self) -> int:
        """Lock the folder, and give the descriptor that holds the lock; StateError while the run is going on."""
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StateError(
                "this run is still going on", where=str(self.folder), remedy="wait for it, or interrupt it"
            ) from None
        return lock

    def note_end(self, code: int) -> None:
        """The evaluation was seen to end with this status."""
        _write(self.folder / "ended.json", {"code": code})

    @property
    def code(self) -> int | None:
        """The status the evaluation was seen to end with; None where nobody saw it end."""
        try:
            return int(_load(self.folder / "ended.json")["code"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    # -- what the hook says --------------------------------------------------------------------

    def put(self, receipt: Receipt) -> None:
        """Write a task's receipt, in place of an earlier one."""
        _write(self.folder / "receipts" / f"{_plain(receipt.eval_id)}.json", asdict(receipt))

    def get(self, eval_id: str) -> Receipt | None:
        """The receipt of one task."""
        path = self.folder / "receipts" / f"{_plain(eval_id)}.json"
        return Receipt.read(_load(path)) if path.exists() else None

    @cached_property
    def copies(self) -> Path:
        """Where the hook keeps logs that were written to another machine."""
        path = self.folder / "logs"
        path.mkdir(exist_ok=True)
        return path

    def receipts(self) -> list[Receipt]:
        """Every task that began, in the order in which they did."""
        paths = sorted((self.folder / "receipts").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        try:
            return [Receipt.read(_load(path)) for path in paths[:_MOST_RECEIPTS]]
        except (OSError, TypeError, ValueError) as error:
            raise self._damaged(error) from error


def runs_folder() -> Path:
    """Where the folders of launches are: ``runs`` in $LEADLINE_HOME (default ~/.leadline)."""
    return default_home() / "runs"


def _plain(eval_id: str) -> str:
    """An id as a file name."""
    return "".join(char if char.isalnum() else "-" for char in eval_id)[:100] or "none"


def _load(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LONGEST:
        raise ValueError(f"{path.name} has more than {_LONGEST:,} bytes")
    found = json.loads(path.read_bytes())
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is not an object")
    return found


def _write(path: Path, said: dict[str, Any]) -> None:
    """Whole or not at all, and durably: the next reader may come after a crash."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


__all__ = ["Berth", "Difference", "Order", "Receipt", "last_tries", "runs_folder"]
