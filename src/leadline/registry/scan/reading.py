"""Scanning log files: every member of a container, the replaced ones included, since their bytes are published too."""

import mmap
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from leadline.errors import InputError, LogError
from leadline.logs.container import Archive
from leadline.logs.discover import discover
from leadline.logs.source import opened
from leadline.registry.scan.shapes import CODES, SHAPES, Shape, Text, masked

_MOST_FINDINGS = 200
#: Members up to this many bytes are parsed to say where in them a value is.
_PARSED: Final = 32 << 20
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Finding:
    """One value that should perhaps not be published.

    `file` is the log, `member` the part of it, `path` the place in that part where it stands first (a JSON
    pointer, empty where the part was too large to parse), `shown` the masked value, `times` how often it occurs in
    the file, `blocks` whether attaching stops for it.
    """

    code: str
    words: str
    file: str
    member: str
    path: str
    shown: str
    times: int
    blocks: bool

    def __str__(self) -> str:
        return f"{self.words} ({self.shown}) in {self.where}"

    @property
    def where(self) -> str:
        """File, member and path, as far as they are known."""
        return ", ".join(part for part in (self.file, self.member, self.path) if part)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found: at most 200 findings, and how many values of each code there are in all."""

    findings: tuple[Finding, ...]
    totals: dict[str, int]
    files: int

    @property
    def secrets(self) -> list[Finding]:
        """What a server refuses whoever asks.

        Personal data may be published knowingly: whoever attaches decides that beforehand, on their own machine.
        """
        return [one for one in self.blocking() if one.code.startswith("secret.")]

    def blocking(self, allow: Collection[str] = ()) -> list[Finding]:
        """The findings for which attaching stops, unless their code is allowed."""
        return [one for one in self.findings if one.blocks and one.code not in allow]


def scan_logs(logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]") -> Scan:
    """Search log files, and folders of them, for secrets and personal data.

    A file that cannot be read as a container is searched as it is. Raises NotFoundError for a path that leads
    nowhere, LogError for a file that the system refuses.
    """
    files, _ = discover(logs)
    findings: list[Finding] = []
    totals: dict[str, int] = {}
    for path in files:
        for finding in _scan_file(path):
            totals[finding.code] = totals.get(finding.code, 0) + finding.times
            if len(findings) < _MOST_FINDINGS:
                findings.append(finding)
    findings.sort(key=lambda one: (not one.blocks, one.file))
    return Scan(tuple(findings), dict(sorted(totals.items())), len(files))


def require_clean(scan: Scan, allow: Collection[str] = ()) -> None:
    """Raise InputError when a scan found something that blocks and is not among the allowed codes."""
    for code in allow:
        if code not in CODES:
            raise InputError(
                f"there is no finding {code!r}",
                where="allowed findings",
                remedy=f"codes are {', '.join(CODES)}",
            )
    blocking = scan.blocking(allow)
    if not blocking:
        return
    first = blocking[0]
    more = len(blocking) - 1
    codes = sorted({one.code for one in blocking})
    also = f", and {more} more of {', '.join(codes)}" if more else ""
    raise InputError(
        f"the log holds {first.words}: {first.shown}{also}; an attached log is public, and copies cannot be called back",
        where=first.where,
        remedy="take it out where the run is made and run again, or if it may be public allow it by its code: "
        + " ".join(f"--allow-finding {code}" for code in codes),
    )


class _Kept:
    """The distinct values found in one file, each where it stood first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[tuple[str, bytes], Finding] = {}

    def search(self, text: Text, member: str) -> None:
        """Add what one part of the file holds."""
        new: dict[tuple[str, bytes], Shape] = {}
        times: Counter[tuple[str, bytes]] = Counter()
        for shape in SHAPES:
            for _, value in shape.values(text):
                key = shape.code, value
                if key in self._found or len(self._found) + len(new) < _MOST_FINDINGS:
                    times[key] += 1
                    if key not in self._found:
                        new.setdefault(key, shape)
        paths = _paths(text, [value for _, value in new]) if new and isinstance(text, bytes) else {}
        for (code, value), shape in new.items():
            self._found[code, value] = Finding(
                code,
                shape.words,
                self.file,
                member,
                paths.get(value, ""),
                masked(value, code),
                0,
                shape.blocks,
            )
        for key, count in times.items():
            self._found[key] = replace(self._found[key], times=self._found[key].times + count)

    def findings(self) -> list[Finding]:
        """What was found; the end of an address with a password is not an e-mail address beside it."""
        passwords = [value for code, value in self._found if code == "secret.password"]
        return [
            one
            for (code, value), one in self._found.items()
            if code != "personal.email" or not any(value in password for password in passwords)
        ]


def _scan_file(path: Path) -> list[Finding]:
    kept = _Kept(path.name)
    with opened(path) as source:
        try:
            if not source.head.startswith(_ZIP):
                raise LogError("is no container", where=str(path))
            archive = Archive(source)
            for member in [*archive.members.values(), *archive.superseded]:
                kept.search(archive.read(member), member.name)
        except LogError:  # no sound container: its bytes are what would be published
            _search_plain(kept, path)
    return kept.findings()


def _search_plain(kept: _Kept, path: Path) -> None:
    """A file as it is; mapped where it is large: it may be larger than memory."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= _PARSED:
            kept.search(file.read(), "")
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            kept.search(mapped, "")


def _paths(text: bytes, values: Collection[bytes]) -> dict[bytes, str]:
    """The JSON pointer of the first string that holds each value."""
    if len(text) > _PARSED:
        return {}
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    wanted = {_unescaped(value): value for value in values}
    paths: dict[bytes, str] = {}
    for path, string in _strings(document):
        for plain in [plain for plain in wanted if plain in string]:
            paths[wanted.pop(plain)] = path
        if not wanted:
            break
    return paths


def _unescaped(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\\\\", "\\").replace('\\"', '"')


def _strings(document: Any) -> Iterator[tuple[str, str]]:
    """Every string of a document with its pointer (RFC 6901), keys included, in order."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            for key, one in reversed(value.items()):
                waiting.append((f"{path}/{str(key).replace('~', '~0').replace('/', '~1')[:200]}", one))
            yield path, "\n".join(map(str, value))
        elif isinstance(value, list):
            waiting.extend((f"{path}/{i}", one) for i, one in reversed(list(enumerate(value))))
