"""The wire to a registry's API: bounded requests to one host, and its problems as errors of our own tree.

No redirect is followed, no answer is longer than was asked for, nothing is inflated, and nothing is sent in the
clear except to this very machine.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

from leadline import errors
from leadline.errors import (
    Explained,
    InputError,
    IntegrityError,
    MissingExtraError,
    NotAllowedError,
    NotFoundError,
    QuotaError,
    StateError,
    StoreError,
)
from leadline.ledger.canon import parse_strict

if TYPE_CHECKING:
    from httpx2 import Client, Response

PREFIX: Final = "/api/v1"
#: The header with which somebody who was invited writes for the first time.
INVITATION: Final = "Leadline-Invitation"
#: The longest JSON answer that is read.
MAX_JSON: Final = 64 << 20
_CHUNK: Final = 1 << 18
_CONNECT, _READ = 10.0, 120.0
#: Seconds between tries of a request that may come twice.
_PAUSES: Final = (0.5, 2.0, 5.0)
_TRY_AGAIN: Final = frozenset({502, 503, 504})


class Wire:
    """Requests to the registry at `address` (``https://host``), with `client` or one of its own.

    An `invitation` goes with what an author's own key signs, and with nothing else: beside what a sealed study sends
    under a key that points to nobody, it would point to the author. InputError for one that no registry gave out.
    """

    def __init__(
        self,
        address: str,
        client: "Client | None" = None,
        *,
        invitation: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = check_address(address)
        self._invited = {} if invitation is None else {INVITATION: _check_invitation(invitation)}
        self._client = _new_client() if client is None else client
        self._sleep = sleep

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The JSON object at an API path."""
        given = {name: _text(value) for name, value in parameters.items() if value is not None}
        return _object(self._bytes("GET", PREFIX + path, MAX_JSON, params=given))

    def text(self, path: str, limit: int, **parameters: Any) -> bytes:
        """The bytes at an API path, at most `limit`."""
        given = {name: _text(value) for name, value in parameters.items() if value is not None}
        return self._bytes("GET", PREFIX + path, limit, params=given)

    def site(self, path: str, limit: int) -> bytes:
        """The bytes at a path of the site itself, such as a tile's."""
        return self._bytes("GET", f"/{path}", limit)

    def ask(self, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question that changes nothing and is too long for an address."""
        body = json.dumps(question).encode()
        return _object(self._bytes("POST", PREFIX + path, MAX_JSON, content=body, headers=_JSON))

    def submit(self, path: str, body: bytes, *, introduced: bool = False) -> dict[str, Any]:
        """Write: sent again under the same idempotency key when the answer is lost on the way.

        `introduced` sends the invitation along.
        """
        invited = self._invited if introduced else {}
        headers = {**_JSON, **invited, "Idempotency-Key": sha256(body).hexdigest()}
        return _object(self._bytes("POST", PREFIX + path, MAX_JSON, content=body, headers=headers))

    def put(self, path: str, source: BinaryIO, size: int, headers: Mapping[str, str]) -> dict[str, Any]:
        """Send a file of `size` bytes, from its present position on."""
        import httpx2

        sent = {
            **headers,
            **self._invited,
            "Content-Length": str(size),
            "Content-Type": "application/octet-stream",
        }
        try:
            with self._client.stream(
                "PUT", self.address + PREFIX + path, content=_chunks(source), headers=sent
            ) as answer:
                return _object(self._taken(answer, MAX_JSON))
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error

    def download(self, path: str, sink: BinaryIO, limit: int) -> str:
        """Write the bytes at an API path into a file; the SHA-256 of what came."""
        import httpx2

        seen, length = sha256(), 0
        try:
            with self._client.stream("GET", self.address + PREFIX + path, headers=_PLAIN) as answer:
                if answer.status_code != 200:
                    self._taken(answer, MAX_JSON)
                self._refuse_encoded(answer)
                for chunk in answer.iter_bytes():
                    length += len(chunk)
                    if length > limit:
                        raise self._too_long(limit)
                    seen.update(chunk)
                    sink.write(chunk)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error
        return seen.hexdigest()

    def has(self, path: str) -> bool:
        """Whether there are bytes at an API path, without fetching them; NotFoundError says why not."""
        self._bytes("GET", PREFIX + path, MAX_JSON, headers={"Range": "bytes=0-0"})
        return True

    def _bytes(self, method: str, path: str, limit: int, **sent: Any) -> bytes:
        """One request, tried again where a try that came to nothing does no harm."""
        import httpx2

        sent["headers"] = {**_PLAIN, **sent.get("headers", {})}
        for pause in (*_PAUSES, None):
            try:
                with self._client.stream(method, self.address + path, **sent) as answer:
                    if pause is not None and (answer.status_code in _TRY_AGAIN or _in_progress(answer)):
                        self._sleep(pause)
                        continue
                    return self._taken(answer, limit)
            except httpx2.HTTPError as error:
                if pause is None:
                    raise self._unreachable(error) from error
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    def _taken(self, answer: "Response", limit: int) -> bytes:
        """The body of an answer; the error it stands for when it is a problem."""
        self._refuse_encoded(answer)
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise self._too_long(limit)
        if answer.status_code in (200, 201, 202, 206) or (answer.status_code == 416 and not body):
            return bytes(body)
        raise error_of(answer.status_code, bytes(body), answer.headers.get("retry-after"), self.address)

    def _refuse_encoded(self, answer: "Response") -> None:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise IntegrityError(
                "the server answers in an encoding that was not asked for",
                where=self.address,
                remedy="reach it without the proxy that compresses its answers",
            )

    def _too_long(self, limit: int) -> IntegrityError:
        return IntegrityError(
            f"the server's answer is longer than {limit:,} bytes",
            where=self.address,
            remedy="check that this is the address of a Leadline registry",
        )

    def _unreachable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the registry does not answer ({type(error).__name__})",
            where=self.address,
            remedy="check the address and the network, then run it again: what was acknowledged is kept, and doing it twice changes nothing",
        )


def check_address(address: str) -> str:
    """The address without a slash at its end; InputError unless it is https, or http to this machine."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    plain = parts.scheme == "http" and is_this_machine(host)
    odd = parts.query or parts.fragment or parts.username is not None or parts.password is not None
    if not host or odd or port == 0 or (parts.scheme != "https" and not plain):
        raise InputError(
            "this is no address of a registry that can be used",
            where=address.rpartition("@")[2][:200],
            remedy="give https://host (http:// is for this machine only), without user, query or fragment",
        )
    return address.rstrip("/")


def _check_invitation(token: str) -> str:
    """The token without blanks around it; InputError for what cannot be one."""
    stripped = token.strip()
    if not re.fullmatch(r"LLI-[A-Za-z0-9_-]{1,96}", stripped):
        raise InputError(
            "this is no invitation",
            remedy="pass the whole text that `leadline key invite` printed, beginning with LLI-",
        )
    return stripped


def is_this_machine(host: str) -> bool:
    """Whether a host name means the machine this runs on."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def error_of(status: int, body: bytes, retry_after: str | None, where: str) -> Explained:
    """The error of our tree that an answer stands for."""
    try:
        said = parse_strict(body)
    except InputError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("detail"), str):
        if status in (301, 302, 303, 307, 308):
            return InputError(
                "the server sends elsewhere, and no redirect is followed",
                where=where,
                remedy="use the address it really has",
            )
        return StoreError(
            f"the server answers {status} without saying why",
            where=where,
            remedy="check that this is the address of a Leadline registry; its operator's journal says more",
        )
    place, remedy = _word(said, "where"), _word(said, "remedy")
    if status == 429:
        seconds = int(retry_after) if retry_after is not None and retry_after.isdigit() else 60
        return QuotaError(said["detail"], retry_after=seconds, where=place, remedy=remedy)
    kind = _KINDS.get(str(said.get("type", "")).rpartition("/")[2]) or _BY_STATUS.get(status, StoreError)
    error = kind(said["detail"], where=place, remedy=remedy)
    if isinstance(said.get("taken_down"), str):
        error.taken_down = said["taken_down"]  # type: ignore[attr-defined]
    return error


def _word(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) else None


def _slug(name: str) -> str:
    plain = name.removesuffix("Error")
    return "".join(f"-{c.lower()}" if c.isupper() and at else c.lower() for at, c in enumerate(plain))


#: Errors that are made from a sentence alone, by the last part of a problem's type.
_KINDS: Final[dict[str, type[Explained]]] = {
    _slug(name): kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, Explained) and kind is not QuotaError
}
_BY_STATUS: Final[dict[int, type[Explained]]] = {
    400: InputError,
    403: NotAllowedError,
    404: NotFoundError,
    409: StateError,
    413: InputError,
    415: InputError,
    422: InputError,
}
_JSON: Final = {"Content-Type": "application/json"}
_PLAIN: Final = {"Accept-Encoding": "identity"}


def _in_progress(answer: "Response") -> bool:
    """Whether the server is still at work on this very request, which was sent before."""
    return answer.status_code == 409 and answer.headers.get("leadline-in-progress") == "1"


def _object(body: bytes) -> dict[str, Any]:
    value = parse_strict(body)
    if not isinstance(value, dict):
        raise IntegrityError(
            "the server's answer is no JSON object", remedy="check that this is a Leadline registry"
        )
    return value


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _chunks(source: BinaryIO) -> Iterable[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _new_client() -> "Client":
    try:
        import httpx2
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise MissingExtraError(
            "a registry on another machine needs httpx2, which is not installed",
            remedy="pip install 'leadline[web]'",
        ) from None
    timeout = httpx2.Timeout(_READ, connect=_CONNECT)
    return httpx2.Client(timeout=timeout, follow_redirects=False)
