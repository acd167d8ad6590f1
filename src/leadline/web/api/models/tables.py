"""The computed tables, for whoever keeps a registry's address instead of its file."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadline.store.remote.asking import MAX_AMONG, MAX_ROWS, MAX_SKIP
from leadline.web.api.models.base import Form


class ColumnInfo(Form):
    """A column of a computed table."""

    name: str
    type: Literal["integer", "real", "text", "blob"]
    nullable: bool


class TableInfo(Form):
    """A table computed from the log."""

    name: str
    columns: list[ColumnInfo]
    key: list[str]
    indexes: list[list[str]]


class Tables(Form):
    """Every computed table; all of it follows from the public log."""

    as_of: int
    tables: list[TableInfo]


Cell = int | float | str | None
"""A value; bytes are hex."""


class Rows(Form):
    """Rows of a computed table, as of a log size; `more` says that there are more."""

    as_of: int
    rows: list[dict[str, Cell]]
    more: bool


class RowCount(Form):
    """How many rows."""

    as_of: int
    count: int


class Group(Form):
    """Values of the columns, in the order they were asked for, and how many rows have them."""

    values: list[Cell]
    count: int


class Groups(Form):
    """Rows counted for each combination of some columns, most first."""

    as_of: int
    groups: list[Group]


class Matches(Form):
    """Log indexes of the documents that answer a full-text question."""

    as_of: int
    indexes: list[int]
    capped: bool


class TextFilter(BaseModel):
    """Keep a document only if a table has a row with this index in `link` whose `column` compares so."""

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(max_length=64)]
    link: Annotated[str, Field(max_length=64)]
    column: Annotated[str, Field(max_length=64)]
    value: "Cell | Annotated[list[Cell], Field(max_length=100)]"
    op: Literal["=", "<", ">=", "in"] = "="
    absent: bool = False


_Phrase = Annotated[str, Field(min_length=1, max_length=1_000)]


class TextQuestion(BaseModel):
    """A full-text question: documents in which every group of words has a match."""

    model_config = ConfigDict(extra="forbid")

    index: Annotated[str, Field(max_length=64)]
    words: Annotated[list[Annotated[list[_Phrase], Field(min_length=1, max_length=32)]], Field(max_length=32)]
    as_of: Annotated[int, Field(ge=0, le=2**53 - 1)]
    limit: Annotated[int, Field(ge=1, le=5_001)]
    filters: Annotated[list[TextFilter], Field(max_length=24)] = []
    every: bool = True
    ranked: bool = True
    before: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class AmongQuestion(BaseModel):
    """Rows whose column `where` is one of `among`."""

    model_config = ConfigDict(extra="forbid")

    where: Annotated[str, Field(max_length=64)]
    among: Annotated[list[int] | list[Annotated[str, Field(max_length=300)]], Field(max_length=MAX_AMONG)]
    skip: Annotated[int, Field(ge=0, le=MAX_SKIP)] = 0
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 100


class GroupQuestion(BaseModel):
    """How many rows have `where` in `among`, for each combination of the columns `group`."""

    model_config = ConfigDict(extra="forbid")

    group: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=4)]
    where: Annotated[str, Field(max_length=64)]
    among: Annotated[list[int] | list[Annotated[str, Field(max_length=300)]], Field(max_length=5_001)]
    starting: tuple[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=300)]] | None = None
    """Only rows whose text in the column (first) starts so (second)."""
    limit: Annotated[int, Field(ge=1, le=5_000)] | None = None
