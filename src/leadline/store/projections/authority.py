"""Keys and rights: what the log so far lets each key do, as the ledger's rules replay it.

This projection comes before all others. It refuses an entry that its signer had no right to make, so the later
ones can take for granted that a study exists, that an attempt's number is due, and so on.
"""

from leadline.ledger.authority import Authority
from leadline.ledger.keys import Role, VerifyKey
from leadline.ledger.state import KeyRecord, StudyRecord
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


class Rights:
    """The ledger's `Authority`, kept in tables."""

    name = "authority"
    version = 1
    tables: tuple[Table, ...] = (KEY, RIGHT, LINEAGE, OPEN_ATTEMPT)
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


class TableState:
    """An `AuthorityState` in this projection's tables."""

    def __init__(self, tables: TableWriter) -> None:
        self._tables = tables

    def key(self, fingerprint: str) -> KeyRecord | None:
        """The key with this fingerprint, if the log knows it."""
        return key(self._tables, fingerprint)

    def put_key(self, record: KeyRecord) -> None:
        """Insert or replace the record of a key."""
        row: Row = {name: getattr(record, name) for name in KEY.names if name != "name"}
        self._tables.put(KEY, {**row, "name": VerifyKey.parse(record.vkey).name})

    def study(self, study: str) -> StudyRecord | None:
        """The study with this id, if the log knows it."""
        return right(self._tables, study)

    def put_study(self, record: StudyRecord) -> None:
        """Insert or replace the record of a study."""
        known = right(self._tables, record.study)
        flags = ("sealed", "revealed", "withdrawn", "closed", "attempts")
        row: Row = {"study": record.study, "ix": record.index, "leaf": record.leaf_hash}
        self._tables.put(RIGHT, {**row, **{name: int(getattr(record, name)) for name in flags}})
        for lineage in sorted(record.lineages - (known.lineages if known else frozenset())):
            self._tables.insert(LINEAGE, {"study": record.study, "lineage": lineage})
        before = known.open_attempts if known else frozenset()
        for number in sorted(record.open_attempts - before):
            self._tables.insert(OPEN_ATTEMPT, {"study": record.study, "number": number})
        for number in sorted(before - record.open_attempts):
            self._tables.delete(OPEN_ATTEMPT, record.study, number)


def key(view: TableReader, fingerprint: str) -> KeyRecord | None:
    """The key with this fingerprint, whatever its state, or None."""
    row = view.get(KEY, fingerprint)
    return None if row is None else _key(row)


def keys(view: TableReader, *, role: Role | None = None, name: str | None = None) -> list[KeyRecord]:
    """Keys of a role or name, or all of them, in order of registration."""
    given = (("role", role), ("name", name))
    where: dict[str, Value] = {column: value for column, value in given if value is not None}
    return [_key(row) for row in view.select(KEY, where, order="registered")]


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
    )


def _key(row: Row) -> KeyRecord:
    return typed(KeyRecord, {name: value for name, value in row.items() if name != "name"})
