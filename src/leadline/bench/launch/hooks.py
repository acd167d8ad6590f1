"""The half of `leadline run` that works inside Inspect: compares each task as it begins, notes each log as it ends.

Imported by `leadline.bench.inspect_registry` only where a launcher is at work (`LEADLINE_LAUNCH` names its folder);
registered as ``leadline/launch``, which the launcher requires, so that nothing runs where this is not installed.
"""

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from inspect_ai.hooks import Hooks, RunEnd, TaskEnd, TaskStart, hooks
from inspect_ai.util import LimitExceededError

from leadline.bench.launch.berth import Berth, Receipt
from leadline.bench.launch.comparing import compare, header_of
from leadline.bench.launch.finished import digested
from leadline.bench.launch.stamps import LAUNCH

_log = logging.getLogger("inspect_ai.leadline")


@hooks(name="launch", description="compares each task with its registered protocol")
class Launched(Hooks):  # type: ignore[misc]  # inspect_ai is optional and unseen by the type checker
    """Receipts for the launcher: one per task."""

    def __init__(self) -> None:
        self.berth = Berth(Path(os.environ[LAUNCH]))

    async def on_task_start(self, data: TaskStart) -> None:
        """Compare the task with the protocol; in strict mode refuse it where it differs, or cannot be compared.

        A task that cannot even be noted is refused in any mode.

        Raising LimitExceededError is the one way in which a hook can stop a task: its log says ``error`` and holds
        no sample. Inspect's own status is 0 all the same, so the launcher's tells.
        """
        try:
            receipt = self._noted(data)
        except Exception as error:  # Inspect would swallow it, and the task would run unseen
            raise _refusal(f"this task cannot be noted: {type(error).__name__}: {error}") from error
        said = _said(receipt)
        if receipt.refused:
            raise _refusal(f"--strict: {said}", len(receipt.differences))
        if said:
            _log.warning("leadline: %s", said)

    async def on_task_end(self, data: TaskEnd) -> None:
        """Note the finished log."""
        self._finished(data.log)

    async def on_run_end(self, data: RunEnd) -> None:
        """Note the logs of tasks that failed: they have no end of their own."""
        for log in data.logs:
            self._finished(log)

    def _noted(self, data: TaskStart) -> Receipt:
        receipt = self._compared(data)
        refused = self.berth.order().strict and bool(receipt.differences or receipt.problem)
        receipt = replace(receipt, refused=refused)
        self.berth.put(receipt)
        return receipt

    def _compared(self, data: TaskStart) -> Receipt:
        receipt = Receipt(data.eval_id, data.spec.task, data.spec.model, task_id=data.spec.task_id)
        try:
            header = header_of(data.spec.model_dump(mode="json"), data.plan.model_dump(mode="json"))
            arm, differences = compare(self.berth.protocol(), self.berth.order(), header)
        except Exception as error:  # noqa: BLE001 -- to be told, not to be hidden
            return replace(
                receipt, problem=f"could not be compared: {type(error).__name__}: {str(error)[:300]}"
            )
        return replace(receipt, arm=arm, differences=tuple(differences))

    def _finished(self, log: Any) -> None:
        """Digest, number of samples and status of a finished log; a log elsewhere is copied here, to be attached."""
        known = self.berth.get(log.eval.eval_id) or Receipt(
            log.eval.eval_id, log.eval.task, log.eval.model, task_id=log.eval.task_id
        )
        samples = log.results.completed_samples if log.results else 0
        receipt = replace(known, status=str(log.status), samples=samples)
        try:
            location, digest = digested(log.location, self.berth.copies)
            receipt = replace(receipt, location=location, sha256=digest)
        except (OSError, ValueError, ImportError) as error:
            receipt = replace(receipt, problem=f"its log cannot be read: {error}")
        self.berth.put(receipt)


def _refusal(why: str, differences: int = 1) -> LimitExceededError:
    return LimitExceededError("custom", value=float(differences), limit=0.0, message=f"leadline run {why}")


def _said(receipt: Receipt) -> str:
    """What differs, in a line for each setting; nothing where nothing does."""
    if receipt.problem:
        return f"{receipt.task} {receipt.problem}"
    if not receipt.differences:
        return ""
    what = f"{receipt.task} on {receipt.model} ({'no arm' if receipt.arm is None else f'arm {receipt.arm}'})"
    lines = [f"{one.setting}: promised {one.promised}, found {one.found}" for one in receipt.differences]
    return "\n  ".join([f"{what} differs from the protocol", *lines])
