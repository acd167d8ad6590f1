"""Errors as answers: HTTP status and problem document (RFC 9457) for every branch of the error tree.

A problem says what is wrong, where, and what to do, as every error of Leadline does; never a traceback, a path of
the server's disk, or anything of its inside. What was not foreseen is answered with an id that the journal has too.
"""

import errno
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from leadline.errors import (
    Explained,
    ExpressionError,
    InputError,
    LeadlineError,
    LogError,
    MissingExtraError,
    NotAllowedError,
    NotFoundError,
    ProtocolError,
    QuotaError,
    SignatureError,
    StateError,
    StatementError,
    StatisticsError,
    StoreError,
)
from leadline.registry.intake.replay import InProgressError

MEDIA_TYPE: Final = "application/problem+json"
_TYPES: Final = "https://leadline.dev/problems/"

#: Branches of the tree, the nearest first, with their status and title.
_BRANCHES: Final[tuple[tuple[type[Explained], int, str], ...]] = (
    (ProtocolError, 422, "The protocol does not hold"),
    (ExpressionError, 422, "The expression cannot be read"),
    (LogError, 422, "The log cannot be taken"),
    (StatementError, 422, "The statement cannot be taken"),
    (StatisticsError, 422, "There is no answer to this question"),
    (InputError, 400, "The request makes no sense"),
    (QuotaError, 429, "Too much, too soon"),
    (StateError, 409, "Not at this moment"),
    (NotAllowedError, 403, "This key may not do that here"),
    (NotFoundError, 404, "There is no such thing here"),
    (MissingExtraError, 503, "This server cannot do that"),
    (StoreError, 503, "The store refused"),
    (SignatureError, 403, "The signature or its key is not acceptable"),
)
_INSIDE: Final = 500
_AWAY: Final = 503
#: What the system says when a disk, a quota or the table of open files is full: room may come, the request was good.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE})
#: Seconds after which a store that did not answer may be asked again.
RETRY_AFTER: Final = 5
#: A path of the server's own disk: nobody's business outside.
_PATH: Final = re.compile(r"(?:/[^\s/:;,'\"]+){2,}")


def status_of_error(error: BaseException) -> int:
    """The HTTP status that answers an error; 500 for one that is nobody's request's fault."""
    if _no_room(error):
        return _AWAY
    return next((status for branch, status, _ in _BRANCHES if isinstance(error, branch)), _INSIDE)


def retry_after(error: BaseException) -> int | None:
    """Seconds after which the same request may succeed; None for an error that time does not cure."""
    if isinstance(error, QuotaError):
        return max(1, int(error.retry_after))
    away = status_of_error(error) == _AWAY and not isinstance(error, MissingExtraError)
    return RETRY_AFTER if away else None


def problem_of(error: BaseException, instance: str = "", *, fault: str = "") -> dict[str, Any]:
    """The problem document of an error, as plain values; `fault` is the journal's id of an unforeseen one."""
    status = status_of_error(error)
    if _no_room(error):
        return _problem(
            "no-room",
            status,
            "The server has no room",
            "a disk or a limit of this server is full; nothing was acknowledged",
            "send the same request again later; the operator has to make room",
            instance,
        )
    if not isinstance(error, Explained) or (status == _INSIDE and isinstance(error, LeadlineError)):
        return _problem(
            "fault",
            _INSIDE,
            "A fault in Leadline",
            f"the request could not be answered (fault {fault})"
            if fault
            else "the request could not be answered",
            "tell the operator the id of this fault; nothing was acknowledged",
            instance,
        )
    title = next(
        (said for branch, _, said in _BRANCHES if isinstance(error, branch)), "Evidence does not hold"
    )
    shown = status < _INSIDE
    document = _problem(
        _slug(type(error)),
        status,
        title,
        error.message if shown else _PATH.sub("…", error.message),
        error.remedy() if shown else _PATH.sub("…", error.remedy() or ""),
        instance,
    )
    if error.where and shown and not _PATH.match(error.where):
        document["where"] = error.where
    digests = getattr(error, "digests", None)
    if isinstance(digests, tuple):
        document["missing"] = list(digests)
    reason = getattr(error, "taken_down", None)
    if isinstance(reason, str):
        document["taken_down"] = reason
    return document


def problem_response(error: BaseException, request: Request, *, fault: str = "") -> Response:
    """The answer to a request that failed with this error."""
    headers = {"Cache-Control": "no-store"}
    wait = retry_after(error)
    if wait is not None:
        headers["Retry-After"] = str(wait)
    if isinstance(error, InProgressError):
        headers["Leadline-In-Progress"] = "1"
    document = problem_of(error, request.url.path, fault=fault)
    return Response(encoded(document), document["status"], headers, MEDIA_TYPE)


def _no_room(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def plain_problem(status: int, title: str, detail: str, remedy: str, instance: str) -> dict[str, Any]:
    """A problem that no error of the tree stands behind: method not allowed, body too long."""
    return _problem(
        re.sub(r"[^a-z]+", "-", title.lower()).strip("-"), status, title, detail, remedy, instance
    )


def encoded(document: Mapping[str, Any]) -> bytes:
    """The bytes of a problem document."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def _problem(
    slug: str, status: int, title: str, detail: str, remedy: str | None, instance: str
) -> dict[str, Any]:
    said = {"type": _TYPES + slug, "title": title, "status": status, "detail": detail}
    more = {"remedy": remedy, "instance": instance}
    return said | {name: value for name, value in more.items() if value}


def _slug(kind: type) -> str:
    name = kind.__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
