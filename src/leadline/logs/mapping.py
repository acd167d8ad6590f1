"""What the columns of a table mean: a small document that holds names and no code.

A table says nothing of itself, so somebody says it, once, in a `TableMapping`. Bound to a table's digest it becomes a
file of its own: kept beside the table, it lets anybody read that very table the same way again.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from leadline.errors import LogError
from leadline.ledger.canon import canonical, sha256_hex

NAME: Final = "table-mapping"
#: Bytes of the largest mapping that is read.
LARGEST: Final = 64 << 10
_MOST_ENTRIES: Final = 10_000
#: A mapping has two levels; the bound keeps a parser that is slow in the depth of what it reads from reading on.
_DEEPEST: Final = 20
_MARK: Final = b'"leadline_table"'

Name = Annotated[str, Meta(min_length=1, max_length=200)]
#: A column's name in the table.
Column = Annotated[str, Meta(min_length=1, max_length=500)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class TableColumns(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """Which column of the table holds what. Only `sample_id` is required.

    `score` names the column with the score's name, in a table with a row per sample and score, and `value` the one
    with its value. `task`, `model` and `arm` have to hold one value throughout. `metadata` lists columns that are
    kept under their own names.
    """

    sample_id: Column
    epoch: Column | None = None
    score: Column | None = None
    value: Column | None = None
    answer: Column | None = None
    explanation: Column | None = None
    input: Column | None = None
    target: Column | None = None
    error: Column | None = None
    limit: Column | None = None
    started_at: Column | None = None
    completed_at: Column | None = None
    total_time: Column | None = None
    task: Column | None = None
    model: Column | None = None
    arm: Column | None = None
    metadata: tuple[Column, ...] = ()


class TableMapping(Struct, forbid_unknown_fields=True, omit_defaults=True, frozen=True, kw_only=True):
    """A mapping: its version, its columns, and what no column says.

    `scores` lists columns that are scores by their own names, in a table with a row per sample. `task`, `model`,
    `arm` and `score` are constants where no column holds them. `delimiter` and `encoding` are those of a CSV file.
    `table_sha256` binds it to one table.
    """

    leadline_table: Literal[1]
    columns: TableColumns
    scores: tuple[Column, ...] = ()
    task: Name | None = None
    model: Name | None = None
    arm: Name | None = None
    score: Name | None = None
    delimiter: Literal[",", ";", "\t", "|"] = ","
    encoding: Literal["utf-8", "latin-1", "windows-1252", "utf-16"] = "utf-8"
    table_sha256: Digest | None = None

    @classmethod
    def of(cls, given: "MappingLike") -> "TableMapping":
        """A mapping from itself, a dict, or the path of a YAML or JSON file; LogError for one that is none."""
        if isinstance(given, TableMapping):
            return given
        if isinstance(given, dict):
            return cls._converted(given, "mapping")
        path = Path(given)
        try:
            if path.stat().st_size > LARGEST:
                raise _wrong(f"is larger than {LARGEST:,} bytes", str(path))
            data = path.read_bytes()
        except OSError as error:
            raise _wrong(f"cannot be read: {error.strerror or error}", str(path)) from error
        return cls.parse(data, where=str(path))

    @classmethod
    def parse(cls, data: bytes, *, where: str) -> "TableMapping":
        """A mapping from the bytes of a YAML or JSON document."""
        import yaml

        if len(data) > LARGEST:
            raise _wrong(f"is larger than {LARGEST:,} bytes", where)
        if data.lstrip()[:1] == b"{":
            try:
                return cls._converted(msgspec.json.decode(data), where)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise _wrong(f"is no JSON document: {error}", where) from error
        try:
            depth = 0
            for number, event in enumerate(
                yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            ):
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
                    event, yaml.CollectionEndEvent
                )
                if isinstance(event, yaml.AliasEvent) or number > _MOST_ENTRIES or depth > _DEEPEST:
                    raise _wrong("has aliases, too many entries, or too many levels", where)
            return cls._converted(yaml.safe_load(data), where)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise _wrong(f"is no YAML document: {error}", where) from error

    @classmethod
    def _converted(cls, document: Any, where: str) -> "TableMapping":
        try:
            mapping = msgspec.convert(document, cls)
        except (msgspec.ValidationError, RecursionError) as error:
            raise _wrong(f"is not valid: {error}", where) from error
        mapping._check(where)
        return mapping

    def _check(self, where: str) -> None:
        columns = self.columns
        for name in ("task", "model", "arm", "score"):
            if getattr(self, name) is not None and getattr(columns, name) is not None:
                raise _wrong(f"gives {name} as a constant and as a column", where)
        if self.scores and (columns.score is not None or columns.value is not None or self.score is not None):
            raise _wrong("gives scores as columns of their own and a score and value as well", where)
        if not self.scores and columns.value is None:
            raise _wrong("names no score: neither columns.value nor scores", where)
        if columns.value is not None and columns.score is None and self.score is None:
            raise _wrong("names a value and not of which score: neither columns.score nor score", where)
        if self.task is None and columns.task is None:
            raise _wrong("names no task: neither task nor columns.task", where)
        if len(set(self.scores)) != len(self.scores):
            raise _wrong("names a score twice", where)

    @property
    def named(self) -> tuple[str, ...]:
        """Every column of the table that the mapping names, each once."""
        single = (
            getattr(self.columns, name) for name in TableColumns.__struct_fields__ if name != "metadata"
        )
        every = (*(name for name in single if name is not None), *self.columns.metadata, *self.scores)
        return tuple(dict.fromkeys(every))

    def bound(self, table_sha256: str) -> bytes:
        """The mapping bound to one table, in canonical form (RFC 8785): the same bytes wherever they are made."""
        return canonical(msgspec.to_builtins(msgspec.structs.replace(self, table_sha256=table_sha256)))

    def bound_digest(self, table_sha256: str) -> str:
        """SHA-256 of those bytes, hex."""
        return sha256_hex(self.bound(table_sha256))


MappingLike = TableMapping | dict[str, Any] | str | os.PathLike[str]


def looks_like_mapping(head: bytes) -> bool:
    """Whether a file begins like a bound mapping: one JSON object with the mark of one."""
    return head.lstrip()[:1] == b"{" and _MARK in head


def _wrong(what: str, where: str) -> LogError:
    return LogError(
        f"this mapping of a table {what}", where=where, remedy="write it as docs/log-formats.md shows"
    )
