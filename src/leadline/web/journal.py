"""What a server writes down about itself: one line per event, for people or as JSON.

No secret, no query text, no study id and no client address gets into a line of a request: who looks for what is
nobody's business, and an identifier beside a time can tell what a sealed study does. Errors are written with
their traceback, on the server's side only.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import IO, Any, Final

from leadline.draw.svg import visible
from leadline.web.settings import Settings

LOGGER: Final = logging.getLogger("leadline.server")
_PLAIN = re.compile(r"[a-z][a-z.-]{0,23}|v\d", re.ASCII)
_MOST_SEGMENTS = 6


def shape(path: str) -> str:
    """A request's path with everything that could identify something replaced by ``*``.

    >>> shape("/study/LL-8F2Q-1/report.json")
    '/study/*/report.json'
    """
    segments = path[:500].split("/")[1:]
    kept = [one if not one or _PLAIN.fullmatch(one) else "*" for one in segments[:_MOST_SEGMENTS]]
    return "/" + "/".join(kept + ["*"] * (len(segments) > _MOST_SEGMENTS))


class Human(logging.Formatter):
    """A line for a person: time, level when it is not information, what happened, and its details."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without control characters but for the line ends of a traceback."""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        details = "  ".join(f"{name}={value}" for name, value in _details(record).items())
        line = visible(
            f"{_time(record)}  {level}{record.getMessage()}  {details}".rstrip().replace("\n", " ")
        )
        if record.exc_info:
            traced = self.formatException(record.exc_info).split("\n")
            line += "".join(f"\n    {visible(one)}" for one in traced)
        return line


class Json(logging.Formatter):
    """A line of JSON: time, level, event, and the event's details."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; ASCII only, so that nothing in it can move a terminal's cursor."""
        said: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **_details(record),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _details(record: logging.LogRecord) -> dict[str, Any]:
    found = getattr(record, "details", None)
    return found if isinstance(found, dict) else {}


def configure(settings: Settings, stream: IO[str] | None = None) -> None:
    """Send Leadline's and uvicorn's records to `stream` (standard error) in the settings' format and level."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json() if settings.log_format == "json" else Human())
    for name in ("leadline", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(settings.log_level.upper())
    # Requests are written by `leadline.web.operation`, which leaves out what does not belong here.
    logging.getLogger("uvicorn.access").disabled = True
    # uvicorn's own account of starting and stopping says what `serving` says better.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def say(event: str, *, level: int = logging.INFO, error: BaseException | None = None, **details: Any) -> None:
    """Write one event with its details; `error` adds its traceback."""
    LOGGER.log(level, event, extra={"details": details}, exc_info=error)
