"""Keys and rights: what the log so far lets each key do, as the ledger's rules replay it.

This projection comes before all others. It refuses an entry that its signer had no right to make, so the later
ones can take for granted that a study exists, that an attempt's number is due, and so on.
"""

from dataclasses import replace
from functools import lru_cache

from leadline.ledger.authority import Authority
from leadline.ledger.keys import Role, VerifyKey
from leadline.ledger.state import JudgementRecord, KeyRecord, StudyRecord, VouchRecord
from leadline.store.projection import (
    BlobReader,
    Column,
    LogEntry,
    Row,
    Table,
    TableReader,
    TableWriter,
    TextIndex,
    Value,
)
from leadline.store.projections.rows import typed

KEY = Table(
    "signing_key",
    (
        Column("fingerprint", "text"),
        Column("vkey", "text"),
        Column("role", "text"),
        Column("holder", "text"),
        Column("holder_kind", "text"),
        Column("state", "text"),
        Column("lineage", "text"),
        Column("registered", "integer"),
        Column("replaces", "text", nullable=True),
        Column("ended", "integer", nullable=True),
        Column("guardians", "text"),
        Column("threshold", "integer"),
        Column("name", "text"),
    ),
    key=("fingerprint",),
    indexes=(("name",), ("role",), ("lineage",)),
)
RIGHT = Table(
    "study_right",
    (
        Column("study", "text"),
        Column("ix", "integer"),
        Column("leaf", "blob"),
        Column("sealed", "integer"),
        Column("revealed", "integer"),
        Column("withdrawn", "integer"),
        Column("closed", "integer"),
        Column("attempts", "integer"),
        Column("reported", "integer"),
        Column("commitment", "text", nullable=True),
        Column("keys", "text", nullable=True),
    ),
    key=("study",),
)
LINEAGE = Table(
    "study_lineage",
    (Column("study", "text"), Column("lineage", "text")),
    key=("study", "lineage"),
    indexes=(("lineage",),),
)
OPEN_ATTEMPT = Table(
    "open_attempt", (Column("study", "text"), Column("number", "integer")), key=("study", "number")
)
VOUCH = Table(
    "vouch",
    (
        Column("public", "text"),
        Column("replaces", "text"),
        Column("study", "text"),
        Column("keyid", "text"),
        Column("lineage", "text"),
    ),
    key=("public", "replaces", "study", "keyid"),
)
SAID = Table(
    "judgement_right",
    (
        Column("leaf", "text"),
        Column("type", "text"),
        Column("study", "text"),
        Column("lineage", "text"),
        Column("revoked", "integer", nullable=True),
    ),
    key=("leaf",),
)


class Rights:
    """The ledger's `Authority`, kept in tables."""

    name = "authority"
    version = 2
    tables: tuple[Table, ...] = (KEY, RIGHT, LINEAGE, OPEN_ATTEMPT, VOUCH, SAID)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Check that the signer may say this here, and record what it changes."""
        Authority(TableState(tables)).apply(entry.index, entry.parts)


class ViewState:
    """An `AuthorityState` that reads tables and keeps changes to itself.

    With it a caller can ask the ledger's `Authority` what would be accepted, statement after statement, before
    anything is signed or appended.
    """

    def __init__(self, view: TableReader) -> None:
        self._view = view
        self._keys: dict[str, KeyRecord] = {}
        self._studies: dict[str, StudyRecord] = {}
        self._vouches: list[VouchRecord] = []
        self._judgements: dict[str, JudgementRecord] = {}

    def key(self, fingerprint: str) -> KeyRecord | None:
        """The key with this fingerprint, if the log knows it."""
        return self._keys.get(fingerprint) or key(self._view, fingerprint)

    def put_key(self, record: KeyRecord) -> None:
        """Remember the record of a key, here only."""
        self._keys[record.fingerprint] = record

    def study(self, study: str) -> StudyRecord | None:
        """The study with this id, if the log knows it."""
        return self._studies.get(study) or right(self._view, study)

    def put_study(self, record: StudyRecord) -> None:
        """Remember the record of a study, here only."""
        self._studies[record.study] = record

    def vouches(self, public: str, replaces: str, study: str) -> list[VouchRecord]:
        """Who has vouched so far for one key as heir of another."""
        wanted = (public, replaces, study)
        here = [one for one in self._vouches if (one.public, one.replaces, one.study) == wanted]
        return [*vouches(self._view, public, replaces, study), *here]

    def put_vouch(self, record: VouchRecord) -> None:
        """Remember a vouching, here only."""
        self._vouches.append(record)

    def judgement(self, leaf: str) -> JudgementRecord | None:
        """The judgement with this leaf hash, if the log knows it."""
        return self._judgements.get(leaf) or judgement(self._view, leaf)

    def put_judgement(self, record: JudgementRecord) -> None:
        """Remember the record of a judgement, here only."""
        self._judgements[record.leaf] = record


class TableState:
    """An `AuthorityState` in this projection's tables."""

    def __init__(self, tables: TableWriter) -> None:
        self._tables = tables

    def key(self, fingerprint: str) -> KeyRecord | None:
        """The key with this fingerprint, if the log knows it."""
        return key(self._tables, fingerprint)

    def put_key(self, record: KeyRecord) -> None:
        """Insert or replace the record of a key."""
        row: Row = {name: getattr(record, name) for name in KEY.names if name not in ("name", "guardians")}
        guardians = " ".join(sorted(record.guardians))
        self._tables.put(KEY, {**row, "guardians": guardians, "name": VerifyKey.parse(record.vkey).name})

    def study(self, study: str) -> StudyRecord | None:
        """The study with this id, if the log knows it."""
        return right(self._tables, study)

    def put_study(self, record: StudyRecord) -> None:
        """Insert or replace the record of a study."""
        known = right(self._tables, record.study)
        row: Row = {
            "study": record.study,
            "ix": record.index,
            "leaf": record.leaf_hash,
            "sealed": int(record.sealed),
            "revealed": int(record.revealed),
            "withdrawn": int(record.withdrawn),
            "closed": int(record.closed),
            "attempts": record.attempts,
            "reported": int(record.reported),
            "commitment": record.commitment,
            "keys": record.keys,
        }
        self._tables.put(RIGHT, row)
        for lineage in sorted(record.lineages - (known.lineages if known else frozenset())):
            self._tables.insert(LINEAGE, {"study": record.study, "lineage": lineage})
        before = known.open_attempts if known else frozenset()
        for number in sorted(record.open_attempts - before):
            self._tables.insert(OPEN_ATTEMPT, {"study": record.study, "number": number})
        for number in sorted(before - record.open_attempts):
            self._tables.delete(OPEN_ATTEMPT, record.study, number)

    def vouches(self, public: str, replaces: str, study: str) -> list[VouchRecord]:
        """Who has vouched so far for one key as heir of another."""
        return vouches(self._tables, public, replaces, study)

    def put_vouch(self, record: VouchRecord) -> None:
        """Insert a vouching."""
        self._tables.put(VOUCH, {name: getattr(record, name) for name in VOUCH.names})

    def judgement(self, leaf: str) -> JudgementRecord | None:
        """The judgement with this leaf hash, if the log knows it."""
        return judgement(self._tables, leaf)

    def put_judgement(self, record: JudgementRecord) -> None:
        """Insert or replace the record of a judgement."""
        self._tables.put(SAID, {name: getattr(record, name) for name in SAID.names})


def key(view: TableReader, fingerprint: str) -> KeyRecord | None:
    """The key with this fingerprint, whatever its state, or None."""
    row = view.get(KEY, fingerprint)
    return None if row is None else _key(row)


def keys(
    view: TableReader,
    *,
    role: Role | None = None,
    name: str | None = None,
    lineage: str | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[KeyRecord]:
    """Keys of a role, name or lineage, or all of them, in order of registration, after log index `after`."""
    given = (("role", role), ("name", name), ("lineage", lineage))
    where: dict[str, Value] = {column: value for column, value in given if value is not None}
    return [_key(row) for row in view.select(KEY, where, order="registered", after=after, limit=limit)]


def right(view: TableReader, study: str) -> StudyRecord | None:
    """Who may act for a study, and how far its attempts are; None when the log does not know it."""
    row = view.get(RIGHT, study)
    if row is None:
        return None
    lineages = view.select(LINEAGE, {"study": study})
    open_attempts = view.select(OPEN_ATTEMPT, {"study": study}) if row["attempts"] else []
    return StudyRecord(
        study=study,
        index=int(row["ix"] or 0),
        leaf_hash=bytes(row["leaf"]) if isinstance(row["leaf"], bytes) else b"",
        lineages=frozenset(str(item["lineage"]) for item in lineages),
        sealed=bool(row["sealed"]),
        revealed=bool(row["revealed"]),
        withdrawn=bool(row["withdrawn"]),
        closed=bool(row["closed"]),
        attempts=int(row["attempts"] or 0),
        open_attempts=frozenset(int(item["number"] or 0) for item in open_attempts),
        reported=bool(row["reported"]),
        commitment=None if row["commitment"] is None else str(row["commitment"]),
        keys=None if row["keys"] is None else str(row["keys"]),
    )


def vouches(view: TableReader, public: str, replaces: str, study: str = "") -> list[VouchRecord]:
    """Who has vouched for the key `public` as heir of `replaces`, for a study or (empty) for all rights."""
    where: dict[str, Value] = {"public": public, "replaces": replaces, "study": study}
    return [typed(VouchRecord, row) for row in view.select(VOUCH, where)]


def judgement(view: TableReader, leaf: str) -> JudgementRecord | None:
    """Who signed the judgement with this leaf hash (hex), and whether it was revoked; None for no such one."""
    row = view.get(SAID, leaf)
    return None if row is None else typed(JudgementRecord, row)


def studies_of(view: TableReader, lineage: str, *, limit: int | None = None) -> list[str]:
    """Ids of the studies that keys of a lineage may act for, sorted; at most `limit`."""
    return [str(row["study"]) for row in view.select(LINEAGE, {"lineage": lineage}, limit=limit)]


def keys_of(view: TableReader, lineage: str, *, limit: int | None = None) -> list[str]:
    """Fingerprints of the keys of a lineage, newest first; at most `limit`."""
    rows = view.select(KEY, {"lineage": lineage}, order="registered", descending=True, limit=limit)
    return [str(row["fingerprint"]) for row in rows]


def _key(row: Row) -> KeyRecord:
    return _key_of(tuple([row[name] for name in KEY.names]))


@lru_cache(maxsize=1024)
def _key_of(values: tuple[Value, ...]) -> KeyRecord:
    """The record in a row's values: every statement asks for its signer's, and most signers say more than one."""
    row = dict(zip(KEY.names, values, strict=True))
    plain = {name: value for name, value in row.items() if name not in ("name", "guardians")}
    return replace(typed(KeyRecord, plain), guardians=frozenset(str(row["guardians"]).split()))
