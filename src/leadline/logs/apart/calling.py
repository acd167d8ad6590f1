"""The caller's side: hand the payload over, take the answer or the error back."""

import io
import json
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from leadline import errors
from leadline.errors import Explained, InputError
from leadline.logs.apart import inside
from leadline.logs.apart.fresh import run_fresh
from leadline.logs.apart.limits import DEFAULT, ApartLimits
from leadline.logs.apart.template import NoTemplateError, run_forked

_MOST_ERROR = 20_000


def run_apart(function: str, payload: bytes, *, limits: ApartLimits = DEFAULT) -> bytes:
    """What ``package.module:function`` returns for `payload`, computed in a process of its own.

    The function is named by Leadline's own code, never by anything that came from outside. It takes
    bytes and returns bytes. An error of Leadline's own tree that it raises is raised here;
    any other error, and every limit that it meets, is InputError. See `opened_apart` for a large answer.
    """
    with opened_apart(function, payload, limits=limits) as answer:
        return answer.read()


@contextmanager
def opened_apart(function: str, payload: bytes, *, limits: ApartLimits = DEFAULT) -> Iterator[BinaryIO]:
    """The answer of `run_apart` as a file that is open for reading, for an answer too large to hold."""
    if inside.confined():  # a reader inside an analysis that runs apart already is within that one's bounds
        yield io.BytesIO(bytes(memoryview(inside.found(function)(payload))))
        return
    with tempfile.TemporaryDirectory(prefix="leadline-apart-") as folder:
        place = Path(folder)
        (place / "payload").write_bytes(payload)
        (place / "work").mkdir()
        code = _run(function, place, limits)
        answer = (place / "answer").open("rb")
        with answer:
            mark = answer.read(1)
            if code == 0 and mark == inside.ANSWER:
                yield answer
                return
            raise _failure(code, answer.read(_MOST_ERROR) if mark == inside.ERROR else b"", limits, function)


def _run(function: str, place: Path, limits: ApartLimits) -> int | None:
    """Run the function over the payload in `place` to its end; its exit status, None where the clock ended it."""
    try:
        return run_forked(function, place, limits)
    except NoTemplateError:
        return run_fresh(function, place, limits)


def _failure(code: int | None, said: bytes, limits: ApartLimits, function: str) -> Explained:
    """What a run that gave no answer is, as an error."""
    if said:
        with suppress(ValueError, KeyError, TypeError):
            return _remembered(json.loads(said))
    if code is None:
        what = f"it took longer than {limits.wall_seconds:g} seconds"
    elif code in (-int(getattr(signal, "SIGXCPU", 24)), -int(signal.SIGTERM), -9):
        what = (
            f"it took more than {limits.cpu_seconds} seconds of processor time, or more memory than there is"
        )
    elif code == -int(getattr(signal, "SIGXFSZ", 25)):
        what = f"its answer is larger than {limits.output:,} bytes"
    else:
        what = f"its process ended with status {code}"
    return InputError(what, where=function, remedy=inside.REMEDY)


def _remembered(said: dict[str, Any]) -> Explained:
    """An error of the child as an error of the same class."""
    found = getattr(errors, str(said["kind"]), InputError)
    kind = found if isinstance(found, type) and issubclass(found, Explained) else InputError
    return kind(str(said["message"]), where=said["where"], remedy=said["remedy"])
