"""What the routes of the API share: parameters, bodies read strictly, views as of a log index."""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Header, Path, Query, Request
from pydantic import BaseModel, ValidationError

from leadline.errors import InputError, NotFoundError
from leadline.ledger.canon import parse_strict
from leadline.ledger.ids import read_study_id
from leadline.ledger.state import StudyRecord
from leadline.registry.stub import standing_of
from leadline.store.projections.authority import right
from leadline.store.projections.seals import seal as find_seal
from leadline.store.projections.studies import StudyRow
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import ReadView
from leadline.web.api import models
from leadline.web.context import Site

#: The largest index there can be: what a signed 64-bit column holds, and JSON numbers say exactly.
MAX_INDEX: Final = 2**53 - 1
_Model = TypeVar("_Model", bound=BaseModel)

StudyPath = Annotated[
    str,
    Path(
        alias="study",
        min_length=13,
        max_length=20,
        description="A study id, such as LL-0123456789abc.",
        examples=["LL-0123456789abc"],
    ),
]
DigestPath = Annotated[
    str, Path(alias="sha256", pattern=r"^[0-9a-f]{64}$", description="A SHA-256 digest in lower-case hex.")
]
KeyPath = Annotated[
    str, Path(alias="key", pattern=r"^[0-9a-f]{64}$", description="The fingerprint of a signing key.")
]
Index = Annotated[int, Query(ge=0, le=MAX_INDEX)]
#: How many entries of the log a page may have.
PageSize = Annotated[int, Query(ge=1, le=256)]
AsOf = Annotated[
    int | None,
    Query(ge=0, le=MAX_INDEX, description="Answer as of this log size; the present one if absent."),
]

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "A problem: what is wrong, and what to do.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


async def _body(request: Request) -> bytes:
    return await request.body()


async def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a misspelt filter must not widen a search in silence."""
    route = request.scope["route"]
    known = list(_query_names(route.dependant))
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        there = f"use {', '.join(known)}" if known else "ask without any"
        raise InputError(
            f"there is no parameter {unknown[0][:80]!r} here", where=f"query.{unknown[0][:80]}", remedy=there
        )


def _query_names(dependant: Any) -> Iterator[str]:
    """Names of the query parameters of a route and of all it depends on."""
    yield from (one.alias for one in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


#: The invitation of somebody who writes for the first time.
Invitation = Annotated[str | None, Header(max_length=200, alias="Leadline-Invitation")]
#: The bytes of the body, bounded by the guard.
Body = Annotated[bytes, Depends(_body)]


def read_model(body: bytes, model: type[_Model]) -> _Model:
    """The body as a model, read strictly: InputError for what two parsers could read differently."""
    document = parse_strict(body)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise InputError(
            f"{where}: {first['msg']}", where="body", remedy="see the schema in /api/v1/openapi.json"
        ) from None


def read_bytes(text: str, where: str) -> bytes:
    """Base64 as bytes; InputError that names the field `where`."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("this is not base64", where=where, remedy="encode the exact bytes") from None


def body_of(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read strictly."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    }


class AsOfView:
    """A view that says the log has a size it once had, for reads that are asked as of then."""

    def __init__(self, view: ReadView, size: int) -> None:
        self._view = view
        self._size = size

    def size(self) -> int:
        """The size that is asked about."""
        return self._size

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


@contextmanager
def looking(site: Site, as_of: int | None = None) -> Iterator[ReadView]:
    """One state of the record; with `as_of`, InputError when the log is not that long yet."""
    with site.registry.store.snapshot() as view:
        if as_of is None:
            yield view
            return
        size = view.size()
        if as_of > size:
            raise InputError(
                f"the log has {size} entries, not yet {as_of}", where="as_of", remedy="leave as_of out"
            )
        pinned: Any = AsOfView(view, as_of)
        yield pinned


def open_study(view: ReadView, study: str) -> StudyRow:
    """The row of a public study; NotFoundError where there is none, sealed studies included."""
    row = find_study(view, read_study_id(study))
    if row is None:
        name = _promised(view, study).study
        raise NotFoundError(
            f"the study {name} is sealed: there is nothing more to see",
            remedy=f"GET /api/v1/studies/{name} says what became of it",
        )
    return row


def any_study(view: ReadView, study: str, today: date) -> tuple[StudyRow | None, models.Sealed | None]:
    """The row of a study, or the stub of a sealed one; NotFoundError where there is neither."""
    row = find_study(view, read_study_id(study))
    if row is not None:
        return row, None
    record = _promised(view, study)
    seal = find_seal(view, record.study)
    standing = "sealed" if seal is None else standing_of(seal, today)
    status = (
        "sealed" if standing == "revealed" else standing
    )  # revealed, and yet no study: never in one state
    return None, models.Sealed(id=record.study, status=status, index=record.index, as_of=view.size())


def _promised(view: ReadView, study: str) -> StudyRecord:
    """The promise of a study, open or sealed; NotFoundError where there is none."""
    name = read_study_id(study)
    record = right(view, name)
    if record is None:
        raise NotFoundError(f"there is no study {name}", remedy="find it with /api/v1/studies")
    return record


def hexes(hashes: Sequence[bytes]) -> list[str]:
    """Hashes in hex."""
    return [value.hex() for value in hashes]
