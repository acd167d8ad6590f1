"""Trust policies: which logs and which cosigners make a checkpoint acceptable (C2SP tlog-policy).

A policy is a small text file that a verifier writes and keeps. It is read strictly, as bytes: a policy that two
readers understand differently would be two policies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from leadline.errors import Explained, InputError, SignatureError
from leadline.ledger.cosignature import ML_DSA_44, Cosignature, CosignerKey, verified_cosignatures
from leadline.ledger.encoding import parse_uint64
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint, parse_body
from leadline.ledger.tlog.note import split_note

MAX_SIZE: Final = 1 << 20
#: The specification asks for at least 32 of each.
MAX_EACH: Final = 256
_KEYWORDS: Final = (b"all", b"any", b"none")
_FORBIDDEN: Final = frozenset(range(256)) - {0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)}


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log whose checkpoints are acceptable: its key, whose name is the log's origin, and perhaps its URL."""

    key: VerifyKey | CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A cosigner, under the `name` it has within this policy."""

    name: bytes
    key: CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """Cosigners and groups of which at least `threshold` must have witnessed a checkpoint."""

    name: bytes
    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint that satisfies a policy.

    `by` names the cosigners of the policy that cosigned it; `time` is the POSIX second by which those needed for
    the quorum had done so, None where the policy needs nobody.
    """

    checkpoint: Checkpoint
    log: VerifyKey | CosignerKey
    by: tuple[tuple[str, Cosignature], ...]
    time: int | None


@dataclass(frozen=True)
class Policy:
    """Logs, cosigners, groups in order of definition, and the name of the quorum (None: nobody needs to cosign)."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: bytes | None

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Read a policy file; `InputError` names the line that the specification does not allow."""
        return _Reader().read(data)

    def met_by(self, names: Sequence[bytes]) -> bool:
        """Whether cosignatures of the witnesses with these names make the quorum."""
        if self.quorum is None:
            return True
        met = set(names) & {witness.name for witness in self.witnesses}
        for group in self.groups:  # a group only refers to what is defined above it
            if len(met.intersection(group.members)) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def accept(self, note: bytes, log_keys: Sequence[VerifyKey] = ()) -> Accepted:
        """Show that the checkpoint in `note` satisfies the policy, or raise `SignatureError`.

        Any one listed log is enough, and the origin must be that log's name. `log_keys` are those known from
        elsewhere; they stand in only where the policy lists no log.
        """
        checkpoint, log = self._log(note, log_keys)
        names = {witness.key: witness.name for witness in self.witnesses}
        found = verified_cosignatures(note, list(names))
        if not self.met_by([names[one.key] for one in found]):
            raise SignatureError(
                f"the checkpoint of {checkpoint.size} entries does not satisfy the policy: {self._short_of(found)}",
                where=checkpoint.origin[:200],
                remedy="fetch a certificate with more cosignatures, or decide whether a weaker policy is enough",
            )
        return Accepted(
            checkpoint,
            log,
            tuple((names[one.key].decode("utf-8", "replace"), one) for one in found),
            self._met_at(found, names),
        )

    def _log(self, note: bytes, others: Sequence[VerifyKey]) -> tuple[Checkpoint, VerifyKey | CosignerKey]:
        body, lines = split_note(note)
        origin = parse_body(body).origin
        listed = [log.key for log in self.logs] or list(others)
        plain = [key for key in listed if isinstance(key, VerifyKey) and key.name == origin]
        for key in listed:
            if isinstance(key, CosignerKey) and key.name == origin:
                for line in lines:
                    if (line.name, line.key_id) == (key.name, key.key_id):
                        key.verify(body, line.signature)
                        return parse_body(body), key
        if not plain:
            raise SignatureError(
                f"the log {origin[:200]!r} is not in the policy, or did not sign",
                remedy="add its key to the policy if you trust it: `log <vkey>`",
            )
        opened = open_checkpoint(note, plain, origin=origin)
        return opened.checkpoint, opened.key

    def _short_of(self, found: Sequence[Cosignature]) -> str:
        names = ", ".join(sorted(one.key.name for one in found)) or "nobody"
        quorum = (self.quorum or b"").decode("utf-8", "replace")
        return f"the quorum {quorum!r} is not met by the cosignatures of {names}"

    def _met_at(self, found: Sequence[Cosignature], names: dict[CosignerKey, bytes]) -> int | None:
        """The earliest time at which those who had cosigned by then made the quorum."""
        if self.quorum is None:
            return None
        so_far: list[bytes] = []
        for one in sorted(found, key=lambda one: one.time):
            so_far.append(names[one.key])
            if self.met_by(so_far):
                return one.time
        return None


class _Reader:
    """Reads a policy line by line; what is defined so far decides what the next line may say."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[PolicyGroup] = []
        self.defined: set[bytes] = set()
        self.grouped: set[bytes] = set()
        self.quorum: list[bytes] = []

    def read(self, data: bytes) -> Policy:
        """The whole policy."""
        if len(data) > MAX_SIZE:
            raise InputError(f"a policy of more than {MAX_SIZE:,} bytes is not read", remedy=_REMEDY)
        lines = data.split(b"\n")
        if lines.pop():
            raise _refused(len(lines) + 1, "its last line does not end in a newline; it may be cut short")
        for number, line in enumerate(lines, 1):
            if _FORBIDDEN.intersection(line):
                raise _refused(number, "it contains a control character")
            words = line.replace(b"\t", b" ").split(b" ")
            words = [word for word in words if word]
            if words and not words[0].startswith(b"#"):
                try:
                    self._line(words[0], words[1:])
                except Explained as error:
                    raise _refused(number, error.message) from None
        if len(self.quorum) != 1:
            raise InputError("a policy has exactly one quorum line, and this has none", remedy=_REMEDY)
        quorum = self.quorum[0]
        return Policy(
            tuple(self.logs),
            tuple(self.witnesses),
            tuple(self.groups),
            None if quorum == b"none" else quorum,
        )

    def _line(self, keyword: bytes, words: list[bytes]) -> None:
        readers: dict[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._log,
            b"witness": self._witness,
            b"group": self._group,
            b"quorum": self._quorum,
        }
        if keyword not in readers:
            raise InputError(f"{keyword[:40]!r} begins no line of a policy")
        readers[keyword](words)

    def _log(self, words: list[bytes]) -> None:
        if not 1 <= len(words) <= 2:
            raise InputError("a log line is: log <vkey> [<url>]")
        key = _log_key(_text(words[0]))
        if any(log.key.public == key.public for log in self.logs):
            raise InputError("another log has the same public key")
        self.logs.append(PolicyLog(key, _url(words[1:])))
        _check_count(self.logs, "logs")

    def _witness(self, words: list[bytes]) -> None:
        if not 2 <= len(words) <= 3:
            raise InputError("a witness line is: witness <name> <vkey> [<url>]")
        self._define(words[0])
        key = CosignerKey.parse(_text(words[1]))
        if any(witness.key.public == key.public for witness in self.witnesses):
            raise InputError("another witness has the same public key")
        self.witnesses.append(PolicyWitness(words[0], key, _url(words[2:])))
        _check_count(self.witnesses, "witnesses")

    def _group(self, words: list[bytes]) -> None:
        if len(words) < 3:
            raise InputError("a group line is: group <name> all|any|<k> <name>...")
        name, rule, *members = words
        for member in members:
            if member not in self.defined:
                raise InputError(f"{_shown(member)} is not defined on a line above")
            if member in self.grouped:
                raise InputError(f"{_shown(member)} is a member of a group already")
            self.grouped.add(member)
        self._define(name)
        self.groups.append(PolicyGroup(name, _threshold(rule, len(members)), tuple(members)))
        _check_count(self.groups, "groups")

    def _quorum(self, words: list[bytes]) -> None:
        if len(words) != 1:
            raise InputError("a quorum line is: quorum <name>|none")
        if self.quorum:
            raise InputError("a policy has exactly one quorum line, and this is the second")
        if words[0] != b"none" and words[0] not in self.defined:
            raise InputError(f"the quorum {_shown(words[0])} is not defined on a line above")
        self.quorum.append(words[0])

    def _define(self, name: bytes) -> None:
        if name in _KEYWORDS:
            raise InputError(f"{_shown(name)} is a keyword and cannot be a name")
        if name in self.defined:
            raise InputError(f"{_shown(name)} is defined twice")
        self.defined.add(name)


def _log_key(vkey: str) -> VerifyKey | CosignerKey:
    """A key of a type that logs sign with: Ed25519 (1), or ML-DSA-44 (6)."""
    try:
        return VerifyKey.parse(vkey)
    except SignatureError:
        key = CosignerKey.parse(vkey)
        if key.kind != ML_DSA_44:
            raise InputError("a log's key has type 1 (Ed25519) or 6 (ML-DSA-44)") from None
        return key


def _threshold(rule: bytes, members: int) -> int:
    if rule in (b"all", b"any"):
        return members if rule == b"all" else 1
    try:
        threshold = parse_uint64(rule)
    except ValueError:
        threshold = 0
    if not 1 <= threshold <= members:
        raise InputError(f"the threshold {_shown(rule)} is not all, any, or a number from 1 to {members}")
    return threshold


def _url(words: list[bytes]) -> str | None:
    return words[0].decode("utf-8", "surrogateescape") if words else None


def _text(word: bytes) -> str:
    try:
        return word.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise InputError("a key is not UTF-8") from None


def _shown(word: bytes) -> str:
    return repr(word[:80].decode("utf-8", "replace"))


def _check_count(items: Sequence[object], what: str) -> None:
    if len(items) > MAX_EACH:
        raise InputError(f"more than {MAX_EACH} {what} are not read")


_REMEDY: Final = "write it as the C2SP tlog-policy specification says: log, witness, group and quorum lines"


def _refused(number: int, why: str) -> InputError:
    return InputError(why, where=f"policy, line {number}", remedy=_REMEDY)
