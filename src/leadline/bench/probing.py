"""Trying somebody's Inspect task in a process of its own, and what was learnt from it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.errors import InputError
from leadline.logs.headers import LogHeader

#: Longest reason quoted from somebody's code.
_LONGEST = 300
#: Tags of console markup, which Inspect's own messages hold.
_MARKUP = re.compile(r"\[/?[a-z][a-z ]*\]|\[/\]")


@dataclass(frozen=True, slots=True)
class Found:
    """What the probe saw: the items, the scorers, and the header and score values of the dry run's log."""

    task: str
    samples: int
    ids: tuple[str, ...]
    dataset_sha256: str | None
    header: LogHeader | None
    scores: Mapping[str, str | None]
    """Score name -> None for a single value, or the first key of a table of values."""
    binary: bool
    """Whether every value seen was right or wrong; True when none was seen."""
    problem: str | None
    """Why the dry run failed; None when it succeeded or was not asked for."""
    notes: tuple[str, ...]


def probe(
    path: Path, task: str, args: dict[str, Any], *, model: str | None, dry_run: int, timeout: float
) -> Found:
    """Load the task in a child process and run `dry_run` samples; `InputError` when loading it fails or hangs."""
    with tempfile.TemporaryDirectory(prefix="leadline-probe-") as folder:
        work = Path(folder)
        request = {
            "file": str(path),
            "task": task or None,
            "args": args,
            "model": model,
            "dry_run": dry_run,
            "log_dir": str(work / "logs"),
            "answer": str(work / "answer.json"),
        }
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        _run_child(work / "request.json", path, timeout)
        answer = json.loads((work / "answer.json").read_text(encoding="utf-8"))
        return _understand(answer, work / "logs")


def _run_child(request: Path, path: Path, timeout: float) -> None:
    command = [sys.executable, "-m", "leadline.bench.inspect_probe", str(request)]
    child = subprocess.Popen(  # noqa: S603  (our own module, on a file of the user's)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        _, complaint = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"loading and trying the task took more than {timeout:g} s",
            where=str(path),
            remedy="give fewer dry-run samples, or more time",
        ) from error
    finally:
        _end(child)
    if child.returncode != 0:
        lines = [line for line in complaint.splitlines() if line.strip()]
        raise InputError(
            f"the task could not be loaded: {lines[-1].strip() if lines else 'no message'}",
            where=str(path),
            remedy="run it with `inspect eval` first; missing packages and arguments show there",
        )


def _end(child: subprocess.Popen[str]) -> None:
    """End the child and whatever it started; it leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended already
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def _understand(answer: dict[str, Any], logs: Path) -> Found:
    from leadline.logs import dataset_root, read_logs

    digests, ids = answer["digests"], tuple(answer["ids"])
    header, values = None, list[tuple[str, Any]]()
    if any(logs.glob("*.eval")):
        table = read_logs(logs, tier="sample")
        header, values = table.headers[0], list(_values(table))
    agrees = header is None or all(digests.get(key) == value for key, value in header.item_digests.items())
    complete = len(digests) == len(ids) == len(set(ids))
    notes: list[str] = []
    if not answer["stable"]:
        notes.append("the dataset differs from one load to the next; fix its seed, then state its hash")
    elif not (agrees and complete):
        notes.append("the dataset's hash could not be computed from the task; state it from a first log")
    return Found(
        task=answer["task"],
        samples=answer["samples"],
        ids=ids,
        dataset_sha256=dataset_root(digests)
        if answer["stable"] and agrees and complete and digests
        else None,
        header=header,
        scores=_scores(values, answer["scorers"], notes),
        binary=all(_is_binary(value) for _, value in values),
        problem=_reason(answer.get("problem")),
        notes=tuple(notes),
    )


def _values(table: Any) -> Iterator[tuple[str, Any]]:
    """Score name and value of each scored sample of the dry run."""
    arrow = table.to_arrow()
    for name, written in zip(arrow["score"].to_pylist(), arrow["value_json"].to_pylist(), strict=True):
        if name is not None and written:
            with contextlib.suppress(ValueError):  # NaN and its like
                yield name, json.loads(written)


def _scores(values: Iterable[tuple[str, Any]], scorers: list[str], notes: list[str]) -> dict[str, str | None]:
    """Score names, each with the key to read where its value is a table; the task's own where no sample was scored."""
    found: dict[str, str | None] = {}
    for name, value in values:
        if name in found:
            continue
        keys = list(value) if isinstance(value, dict) else []
        found[name] = keys[0] if keys else None
        if len(keys) > 1:
            notes.append(
                f"the score {name} holds several values ({', '.join(keys)}); choose the measure's `key`"
            )
    return found or dict.fromkeys(scorers)


def _is_binary(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_binary(item) for item in value.values())
    return isinstance(value, str) or value in (0, 1)


def _reason(problem: str | None) -> str | None:
    """Somebody's error message on one line of bounded length, without markup; None when nothing failed."""
    if problem is None:
        return None
    words = " ".join(_MARKUP.sub("", problem[: 10 * _LONGEST]).split()) or "no message"
    plain = "".join(char if char.isprintable() else "?" for char in words)
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}..."


__all__ = ["Found", "probe"]
