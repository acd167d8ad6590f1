"""A small registry in memory: it builds entries with their tree and checkpoints, and reads them back raw."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from leadline.ledger.authority import Authority, Entry
from leadline.ledger.fsck import Problem, StoredBlob
from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog import Frontier, stored_count
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint

ORIGIN = "test.example/registry"
TIME = "2026-03-01T12:00:00Z"


def key(name: str, role: Any = "author") -> SigningKey:
    """A fixed key per name, so that tests are reproducible."""
    return SigningKey(name, role, sha256(f"seed of {name} {role}".encode()).digest())


LOG = key("test.example/log", "log")
SERVICE = key("test.example/service", "service")
ALICE = key("alice.example")
BOB = key("bob.example")


@dataclass
class MemoryRecord:
    """Implements `fsck.RecordReader` over plain lists, which tests may damage."""

    stored_entries: list[tuple[int, bytes]] = field(default_factory=list)
    stored_nodes: list[tuple[int, bytes]] = field(default_factory=list)
    stored_checkpoints: list[tuple[int, bytes]] = field(default_factory=list)
    stored_blobs: dict[str, bytes] = field(default_factory=dict)
    taken_down: dict[str, str] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Entries as stored."""
        return iter(self.stored_entries)

    def nodes(self) -> Iterator[tuple[int, bytes]]:
        """Nodes as stored."""
        return iter(self.stored_nodes)

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Checkpoints as stored."""
        return iter(self.stored_checkpoints)

    def node_hashes(self, indexes: Sequence[int]) -> list[bytes]:
        """Hashes as stored."""
        return [self.stored_nodes[index][1] for index in indexes]

    def blobs(self) -> Iterator[StoredBlob]:
        """Blobs as stored, in two chunks."""
        for digest, data in self.stored_blobs.items():
            yield StoredBlob(digest, (data[:3], data[3:]))
        for digest, reason in self.taken_down.items():
            yield StoredBlob(digest, taken_down=reason)

    def own_problems(self) -> Iterator[Problem]:
        """A list has no format to check."""
        return iter(())


@dataclass
class Registry:
    """Appends signed statements the way a store does, without one."""

    record: MemoryRecord = field(default_factory=MemoryRecord)
    authority: Authority = field(default_factory=lambda: Authority(log_keys=[LOG.public], origin=ORIGIN))
    frontier: Frontier = field(default_factory=Frontier)

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.frontier.size

    def blob(self, data: bytes) -> str:
        """Store a blob; returns its digest."""
        digest = sha256(data).hexdigest()
        self.record.stored_blobs[digest] = data
        return digest

    def append(self, kind: str, fields: Mapping[str, Any], signer: SigningKey) -> Entry:
        """Sign, admit and append one statement, with a new checkpoint."""
        return self.append_envelope(make_signed(kind, fields, signer))

    def append_envelope(self, envelope: bytes) -> Entry:
        """Admit and append an envelope, with a new checkpoint."""
        entry = self.authority.admit(self.size, envelope)
        self.append_raw(envelope)
        return entry

    def append_raw(self, envelope: bytes) -> None:
        """Append without asking the authority."""
        from leadline.ledger.tlog import leaf_hash

        index = self.size
        self.record.stored_entries.append((index, envelope))
        first = stored_count(index)
        for offset, value in enumerate(self.frontier.append(leaf_hash(envelope))):
            self.record.stored_nodes.append((first + offset, value))
        note = sign_checkpoint(Checkpoint(ORIGIN, self.size, self.frontier.root()), LOG)
        self.record.stored_checkpoints.append((self.size, note))

    def register(self, signer: SigningKey, **extra: Any) -> Entry:
        """Register a key by itself."""
        return self.append("key", registration(signer, **extra), signer)

    def freeze(self, signer: SigningKey = ALICE, title: str = "Does a lead line help?", **extra: Any) -> str:
        """Freeze a study; returns its id."""
        fields = {
            "title": title,
            "protocol": self.blob(title.encode()),
            "authors": ["Alice"],
            "created": TIME,
        }
        return study_id(self.append("freeze", fields | extra, signer).leaf_hash)


def registration(signer: SigningKey, **extra: Any) -> dict[str, Any]:
    """Fields of the statement that registers `signer`."""
    holder = {"name": signer.name, "kind": "service" if signer.role == "service" else "human"}
    fields = {
        "action": "register",
        "role": signer.role,
        "public": signer.public.vkey,
        "holder": holder,
        "time": TIME,
    }
    return fields | extra


def small_registry() -> Registry:
    """About a dozen entries of most kinds."""
    registry = Registry()
    registry.register(SERVICE)
    registry.register(ALICE)
    registry.register(BOB)
    study = registry.freeze()
    second = registry.freeze(BOB, "Does a second line help?")
    changed = {"study": study, "protocol": registry.blob(b"new"), "changed": ["/sample"], "reason": "cost"}
    registry.append("amend", changed | {"seen": "nothing_run", "created": TIME}, ALICE)
    attempt = {"study": study, "number": 1, "created": TIME}
    registry.append("attempt", attempt | {"action": "open", "status": "started"}, ALICE)
    log = registry.blob(b"a log")
    registry.append("attempt", attempt | {"action": "close", "status": "completed", "logs": [log]}, ALICE)
    file = {"sha256": log, "name": "a.eval", "size": 5, "format": "eval", "samples": 3}
    registry.append("attach", {"study": study, "attempt": 1, "logs": [file], "created": TIME}, ALICE)
    verdict = {"outcome": "null", "reason": "smaller than d", "standing": "confirmatory"}
    report = {
        "study": study,
        "report": registry.blob(b"{}"),
        "protocol": registry.blob(b"new"),
        "logs": [log],
    }
    registry.append(
        "report", report | {"engine": "0.1.0", "verdicts": {"h1": verdict}, "created": TIME}, SERVICE
    )
    registry.append("withdraw", {"study": second, "reason": "no funds", "created": TIME}, BOB)
    imported = {"content": "table", "digest": registry.blob(b"table"), "title": "Old", "source": "a paper"}
    registry.append("import", imported | {"created": TIME}, BOB)
    return registry
