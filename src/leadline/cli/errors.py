"""From an exception to what the person reads and the status the shell gets."""

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from leadline.cli.groups import DISK, FAULT, INTERRUPTED, NO_READER, USAGE
from leadline.errors import Explained


def explain(error: BaseException, *, as_json: bool, debug: bool, complete: Callable[[str], str] = str) -> int:
    """Say on standard error what went wrong, and return the exit status.

    `complete` makes the commands of a remedy such that they can be pasted.
    """
    if isinstance(error, SystemExit):
        # Typer ends the process itself when the reader of a pipe has gone.
        return NO_READER if isinstance(error.__context__, BrokenPipeError) else _status(error.code)
    if isinstance(error, BrokenPipeError):
        _close_output()
        return NO_READER
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        _say(
            as_json,
            "Interrupted",
            "interrupted",
            None,
            "what was acknowledged is kept; run the command again",
        )
        return INTERRUPTED
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, Explained):
        remedy = error.remedy()
        said = complete(remedy) if remedy else None
        _say(as_json, type(error).__name__, error.message, error.where, said)
        return error.exit_code
    if is_usage_error(error):
        return _usage(error, as_json)
    if isinstance(error, OSError):
        _say(as_json, "StoreError", *_disk(error))
        return DISK
    message = f"a fault in Leadline: {type(error).__name__}: {error}"
    _say(as_json, "Fault", message, None, "run it again as `leadline --debug ...`, and report the traceback")
    return FAULT


def is_usage_error(error: BaseException) -> bool:
    """Whether Typer means that the command line makes no sense (its class moved between versions)."""
    return callable(getattr(error, "show", None)) and callable(getattr(error, "format_message", None))


def _usage(error: Any, as_json: bool) -> int:
    if as_json:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "leadline"
        _say(True, "UsageError", error.format_message(), None, f"see `{command} --help`")
    else:
        error.show()
    return USAGE


def _disk(error: OSError) -> tuple[str, str | None, str]:
    where = None if error.filename is None else os.fspath(error.filename)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space, then run it again; what was acknowledged before is kept"
    else:
        remedy = "check that the place exists, is writable and has space left, then run it again"
    return f"the disk refused: {error.strerror or error}", where if isinstance(where, str) else None, remedy


def _say(as_json: bool, kind: str, message: str, where: str | None, remedy: str | None) -> None:
    if as_json:
        said = {"error": {"kind": kind, "message": message, "where": where, "remedy": remedy}}
        text = json.dumps(said, ensure_ascii=True)
    else:
        text = "leadline: " + (f"{where}: {message}" if where else message)
        text += f"\n  what to do: {remedy}" if remedy else ""
    print("\n".join(_plain(line) for line in text.split("\n")), file=sys.stderr)


def _plain(line: str) -> str:
    """The line without control characters: nothing a stranger wrote may move the cursor."""
    from leadline.draw.svg import visible

    return (
        visible(line.replace("\t", " ").replace("\r", "\ufffd"))
        .encode(sys.stderr.encoding or "utf-8", "replace")
        .decode(sys.stderr.encoding or "utf-8", "replace")
    )


def _status(code: Any) -> int:
    return code if isinstance(code, int) else 0 if code is None else 1


def _close_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is not a file, as in tests: nothing will be flushed
        return
