"""Reading the computed tables as they are: what a registry opened at an ``https://`` address is made of.

All of these tables follow from the public log. Only questions that cost about what they return are answered:
rows looked up by a key or an index, in bounded portions.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from leadline.errors import InputError, NotFoundError
from leadline.ledger.canon import parse_strict
from leadline.store.projection import Table, Value
from leadline.store.remote.asking import (
    MAX_ROWS,
    MAX_SKIP,
    is_cheap,
    leading,
    read_value,
    read_where,
    to_json,
)
from leadline.store.text import Filter, TextQuestion
from leadline.web.api import models
from leadline.web.api.common import Body, body_of, looking, read_model
from leadline.web.context import Site

_Name = Annotated[str, Path(alias="table", pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_Json = Annotated[
    str,
    Query(max_length=8_000, description="A JSON object of column and value; bytes in hex.", examples=["{}"]),
]
_Column = Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


def routes(site: Site) -> APIRouter:
    """The routes about computed tables."""
    router = APIRouter(tags=["tables"])

    def table_of(name: str) -> Table:
        for projection in site.registry.store.projections():
            for table in projection.tables:
                if table.name == name:
                    return table
        raise NotFoundError(f"there is no table {name!r}", remedy="list them: /api/v1/tables")

    @router.get("/tables", operation_id="listTables", summary="The computed tables and their columns")
    def tables() -> models.Tables:
        """Every table that is computed from the log, with its key and what it can be looked up by."""
        store = site.registry.store
        found = [table for projection in store.projections() for table in projection.tables]
        return models.Tables(as_of=store.size(), tables=[_info(table) for table in found])

    @router.get("/tables/{table}", operation_id="listRows", summary="Rows of a computed table")
    def rows(
        table: _Name,
        where: _Json = "{}",
        order: _Column = None,
        descending: bool = False,
        after: Annotated[str | None, Query(max_length=1_000)] = None,
        skip: Annotated[int, Query(ge=0, le=MAX_SKIP)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
    ) -> models.Rows:
        """Rows equal to `where`, in order of a column (the key if absent), strictly past `after`."""
        found = table_of(table)
        conditions = _conditions(found, where)
        _require_column(found, order)
        if not is_cheap(found, conditions, order):
            raise InputError(
                "this listing would read the whole table",
                where=f"table {found.name}",
                remedy=f"look rows up by one of {', '.join(sorted(leading(found)))}, or order by one of these",
            )
        past = None if after is None else _after(found, order, after)
        with looking(site) as view:
            held = view.select(
                found, conditions, order=order, descending=descending, after=past, limit=skip + limit + 1
            )[skip:]
            size = view.size()
        return models.Rows(as_of=size, rows=[to_json(row) for row in held[:limit]], more=len(held) > limit)

    @router.get("/tables/{table}/count", operation_id="countRows", summary="How many rows")
    def count(table: _Name, where: _Json = "{}") -> models.RowCount:
        """How many rows are equal to `where`."""
        found = table_of(table)
        conditions = _conditions(found, where)
        if conditions and not is_cheap(found, conditions, None):
            raise InputError(
                "this count would read the whole table",
                where=f"table {found.name}",
                remedy=f"count by one of {', '.join(sorted(leading(found)))}",
            )
        with looking(site) as view:
            return models.RowCount(as_of=view.size(), count=view.count(found, conditions))

    @router.post(
        "/tables/{table}/among",
        operation_id="lookUpRows",
        summary="Rows looked up by many values",
        openapi_extra=body_of(models.AmongQuestion, {"where": "ix", "among": [3, 5]}),
    )
    def among(table: _Name, body: Body) -> models.Rows:
        """Rows that have one of some values in a column, ordered by the key."""
        found, asked = table_of(table), read_model(body, models.AmongQuestion)
        wanted = _among(found, asked.where, asked.among)
        with looking(site) as view:
            held = view.select_among(found, asked.where, wanted, limit=asked.skip + asked.limit + 1)
            size = view.size()
        rows = held[asked.skip :]
        return models.Rows(
            as_of=size, rows=[to_json(row) for row in rows[: asked.limit]], more=len(rows) > asked.limit
        )

    @router.post(
        "/tables/{table}/groups",
        operation_id="countGroups",
        summary="Rows counted by columns",
        openapi_extra=body_of(
            models.GroupQuestion, {"group": ["state"], "where": "ix", "among": [3, 5], "limit": 20}
        ),
    )
    def groups(table: _Name, body: Body) -> models.Groups:
        """How many rows have a column among some values, for each combination of other columns."""
        found, asked = table_of(table), read_model(body, models.GroupQuestion)
        for name in asked.group:
            _require_column(found, name)
        wanted = _among(found, asked.where, asked.among)
        if asked.starting is not None:
            _require_text(found, asked.starting)
        with looking(site) as view:
            counted = view.count_by(
                found,
                asked.group,
                where=asked.where,
                among=wanted,
                starting=asked.starting,
                limit=asked.limit,
            )
            size = view.size()
        plain = [
            models.Group(
                values=[value.hex() if isinstance(value, bytes) else value for value in values], count=number
            )
            for values, number in counted
        ]
        return models.Groups(as_of=size, groups=plain)

    @router.post(
        "/match",
        operation_id="matchText",
        summary="Answer a full-text question",
        openapi_extra=body_of(
            models.TextQuestion,
            {"index": "study_text", "words": [["sandbagging"]], "as_of": 3, "limit": 10},
        ),
    )
    def match(body: Body) -> models.Matches:
        """Log indexes of the documents in which every group of words has a match, and that pass all filters."""
        asked = read_model(body, models.TextQuestion)
        texts = [text for one in site.registry.store.projections() for text in one.texts]
        index = next((text for text in texts if text.name == asked.index), None)
        if index is None:
            raise NotFoundError(f"there is no text index {asked.index!r}", remedy="ask study_text")
        question = TextQuestion(
            index,
            tuple(tuple(group) for group in asked.words),
            as_of=asked.as_of,
            limit=asked.limit,
            filters=tuple(_filter(table_of(one.table), one) for one in asked.filters),
            every=asked.every,
            ranked=asked.ranked,
            before=asked.before,
        )
        with looking(site) as view:
            answer = view.match_text(question)
            return models.Matches(as_of=view.size(), indexes=list(answer.indexes), capped=answer.capped)

    return router


def _info(table: Table) -> models.TableInfo:
    return models.TableInfo(
        name=table.name,
        columns=[
            models.ColumnInfo(name=one.name, type=one.type, nullable=one.nullable) for one in table.columns
        ],
        key=list(table.key),
        indexes=[list(group) for group in table.indexes],
    )


def _conditions(table: Table, text: str) -> dict[str, Value]:
    document = parse_strict(text.encode("utf-8", "surrogatepass"))
    if not isinstance(document, dict):
        raise InputError(
            "the conditions are no JSON object", where="where", remedy='such as {"study": "LL-…"}'
        )
    return read_where(table, document)


def _after(table: Table, order: str | None, text: str) -> Value:
    name = order or table.key[0]
    column = next(one for one in table.columns if one.name == name)
    value: Any = text
    if column.type in ("integer", "real"):
        value = parse_strict(text.encode("utf-8", "surrogatepass"))
    return read_value(table.name, column, value)


def _among(table: Table, where: str, values: Sequence[int] | Sequence[str]) -> Any:
    """Integers or texts to look up in a column that an index begins with."""
    _require_column(table, where)
    if where not in leading(table):
        raise InputError(
            f"rows of {table.name} cannot be looked up by {where}",
            remedy=f"use one of {', '.join(sorted(leading(table)))}",
        )
    column = next(one for one in table.columns if one.name == where)
    if column.type not in ("integer", "text"):
        raise InputError("only integers and texts are looked up many at a time", where=where)
    return [read_value(table.name, column, value) for value in values]


def _require_column(table: Table, name: str | None) -> None:
    if name is not None and name not in table.names:
        raise InputError(
            f"the table {table.name} has no column {name!r}",
            remedy=f"its columns are {', '.join(table.names)}",
        )


def _require_text(table: Table, starting: tuple[str, str]) -> None:
    name, beginning = starting
    _require_column(table, name)
    column = next(one for one in table.columns if one.name == name)
    if column.type != "text":
        raise InputError(f"{name} of {table.name} is no text, so it starts with nothing", where="starting")
    read_value(table.name, column, beginning)


def _filter(table: Table, asked: models.TextFilter) -> Filter:
    _require_column(table, asked.link)
    _require_column(table, asked.column)
    if asked.link not in leading(table):
        raise InputError(
            f"rows of {table.name} cannot be looked up by {asked.link}",
            remedy=f"link by one of {', '.join(sorted(leading(table)))}",
        )
    column = next(one for one in table.columns if one.name == asked.column)
    if isinstance(asked.value, list) != (asked.op == "in"):
        raise InputError("`in` compares with a list, the others with one value", where=asked.column)
    if isinstance(asked.value, list):
        several = tuple(read_value(table.name, column, value) for value in asked.value)
        return Filter(table, asked.link, asked.column, several, "in", asked.absent)
    single = read_value(table.name, column, asked.value)
    return Filter(table, asked.link, asked.column, single, asked.op, asked.absent)
