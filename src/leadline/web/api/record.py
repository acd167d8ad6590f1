"""Reading the record: the log itself, its proofs, its feed, and the blobs its statements name."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from leadline import __version__
from leadline.errors import InputError, NotFoundError
from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Freeze, Seal
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.cosigning import with_cosignatures
from leadline.store.projections.references import is_referenced
from leadline.web.api import models
from leadline.web.api.common import MAX_INDEX, DigestPath, Index, PageSize, hexes, looking
from leadline.web.api.guard import wants_head
from leadline.web.context import Site

_CHUNK: Final = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
_IndexPath = Annotated[int, Path(ge=0, le=MAX_INDEX)]
_Place = Annotated[str | None, Query(pattern=r"^[0-9a-f/]{1,64}$")]
_After = Annotated[str, Query(pattern=r"^[0-9a-f/~]{0,64}$")]


class TakenDownError(NotFoundError):
    """The bytes were taken down; `taken_down` is the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"these bytes were taken down: {reason}", remedy="their digest stays in the log")
        self.taken_down = reason


def routes(site: Site) -> APIRouter:
    """The routes about the log."""
    router = APIRouter(tags=["log"])

    @router.get("/log", operation_id="getLog", summary="The log and its newest checkpoint")
    def log() -> models.Log:
        """Who the log is, how long it is, and the checkpoint it signed last."""
        home = site.registry.home
        with looking(site) as view:
            size = view.size()
            return models.Log(
                origin=home.origin,
                vkey=home.log.vkey,
                size=size,
                root=view.root(size).hex(),
                checkpoint=view.checkpoint().decode() if size else "",
                engine=f"leadline {__version__}",
            )

    @router.get("/log/entries", operation_id="listEntries", summary="Entries in log order")
    def entries(start: Index = 0, limit: PageSize = 64) -> models.Entries:
        """Signed envelopes, byte for byte, from `start` on."""
        with looking(site) as view:
            size = view.size()
            stop = min(size, start + limit)
            held = view.entries(start, stop) if start < size else iter(())
            found = [entry_of(index, envelope) for index, envelope in enumerate(held, start)]
            return models.Entries(as_of=size, entries=found, next=stop if start < stop < size else None)

    @router.get("/feed", operation_id="getFeed", summary="What came in since an index")
    def feed(since: Index = 0, limit: PageSize = 256) -> models.Entries:
        """The same entries, for those who follow: ask again with `since` = the last answer's `as_of` or `next`."""
        return entries(since, limit)

    @router.get("/log/proof/{index}", operation_id="proveInclusion", summary="Proof that an entry is there")
    def inclusion(
        index: _IndexPath, size: Annotated[int | None, Query(ge=1, le=MAX_INDEX)] = None
    ) -> models.InclusionProof:
        """The audit path of an entry in the tree of `size` entries (the present tree if absent)."""
        with looking(site) as view:
            at = _within(view, size)
            if index >= at:
                raise NotFoundError(
                    f"a log of {at} entries has no entry {index}", remedy="ask for an index below its size"
                )
            return models.InclusionProof(
                index=index,
                leaf_hash=view.leaf_hash(index).hex(),
                size=at,
                root=view.root(at).hex(),
                hashes=hexes(view.inclusion_proof(index, at)),
                checkpoint=_checkpoint(view, at),
            )

    @router.get(
        "/log/consistency", operation_id="proveConsistency", summary="Proof that nothing was rewritten"
    )
    def consistency(
        old: Annotated[int, Query(ge=1, le=MAX_INDEX)],
        new: Annotated[int | None, Query(ge=1, le=MAX_INDEX)] = None,
    ) -> models.ConsistencyProof:
        """The proof that the tree of `new` entries (the present one if absent) begins with that of `old`."""
        with looking(site) as view:
            at = _within(view, new)
            if old > at:
                raise InputError(f"no proof leads from {old} entries to {at}", remedy="old is at most new")
            return models.ConsistencyProof(
                old=old,
                new=at,
                old_root=view.root(old).hex(),
                new_root=view.root(at).hex(),
                hashes=hexes(view.consistency_proof(old, at)),
            )

    @router.get(
        "/log/checkpoint",
        operation_id="getCheckpoint",
        summary="A signed checkpoint",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def checkpoint(
        size: Annotated[int | None, Query(ge=1, le=MAX_INDEX)] = None,
        covering: Annotated[int | None, Query(ge=0, le=MAX_INDEX)] = None,
        cosigned: bool = True,
    ) -> Response:
        """The newest one, the one of exactly `size` entries, or the oldest one `covering` an index.

        With what witnesses cosigned of it, unless `cosigned` is false.
        """
        with looking(site) as view:
            note = view.checkpoint(size) if covering is None else view.checkpoint_covering(covering)
        if cosigned:
            note = with_cosignatures(site.registry.store.shelf, note)
        return Response(note, media_type="text/plain; charset=utf-8")

    def kept(space: str, key: str | None, after: str, limit: int) -> models.Kept:
        shelf = site.registry.store.shelf
        if key is not None:
            value = shelf.get(space, key)
            found = [] if value is None else [(key, value)]
        else:
            found = shelf.items(space, after=after, limit=limit)
        items = [models.KeptItem(key=name, value=b64encode(value).decode()) for name, value in found]
        return models.Kept(items=items)

    @router.get("/log/cosignatures", operation_id="listCosignatures", summary="What witnesses cosigned")
    def cosignatures(key: _Place = None, after: _After = "", limit: PageSize = 64) -> models.Kept:
        """Signature lines by tree size (20 digits), smallest first."""
        return kept("cosignatures", key, after, limit)

    @router.get("/log/timestamps", operation_id="listTimestamps", summary="Time stamps from outside")
    def timestamps(key: _Place = None, after: _After = "", limit: PageSize = 64) -> models.Kept:
        """RFC 3161 responses over checkpoints, by tree size and authority."""
        return kept("timestamps", key, after, limit)

    @router.get(
        "/blobs/{sha256}",
        operation_id="getBlob",
        summary="Bytes that a statement names",
        tags=["blobs"],
        response_class=Response,
        responses={
            200: {
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
            },
            206: {
                "description": "A part of the bytes.",
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            },
            416: {"description": "There are no such bytes."},
        },
    )
    def blob(sha256: DigestPath, request: Request) -> Response:
        """The bytes with this digest, or a range of them. What no statement names does not exist here."""
        store = site.registry.store
        with looking(site) as view:
            named = is_referenced(view, sha256)
            gone = view.taken_down(sha256) if named else None
            if not named or (gone is None and not view.has_blob(sha256)):
                raise NotFoundError(
                    "no statement of this log names such bytes", remedy="take the digest from a statement"
                )
        if gone is not None:
            raise TakenDownError(gone)
        tag = f'"{sha256}"'
        headers = {
            "ETag": tag,
            "Cache-Control": "public, max-age=3600",
            "Accept-Ranges": "bytes",
            "Content-Disposition": f'attachment; filename="{sha256}"',
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        asked, head = request.headers.get("range"), wants_head(request.scope)
        return _ranged(store.open_blob(sha256), asked, headers, head=head)

    return router


def entry_of(index: int, envelope: bytes) -> models.Entry:
    """An entry with what it says in short."""
    opened = decode(envelope)
    statement = parse(opened.payload)
    said = statement.predicate
    leaf = leaf_hash(envelope)
    begins = isinstance(said, Freeze) or (
        isinstance(said, Seal) and getattr(said, "action", "study") == "study"
    )
    created = getattr(said, "created", None) or getattr(said, "time", None)
    return models.Entry(
        index=index,
        leaf_hash=leaf.hex(),
        envelope=b64encode(envelope).decode(),
        kind=statement.kind,
        key=opened.keyid,
        study=study_id(leaf) if begins else getattr(said, "study", None),
        created=created,
    )


def _within(view: Any, size: int | None) -> int:
    now = int(view.size())
    if size is not None and size > now:
        raise InputError(f"the log has {now} entries, not yet {size}", remedy="ask for a smaller size")
    return now if size is None else size


def _checkpoint(view: Any, size: int) -> str | None:
    try:
        note: bytes = view.checkpoint(size)
    except NotFoundError:
        return None
    return note.decode()


def _ranged(source: BinaryIO, asked: str | None, headers: dict[str, str], *, head: bool) -> Response:
    """All the bytes, or the one range that was asked for (RFC 9110 section 14); other wishes are ignored.

    For `head` no byte is read: only what the answer would be is told.
    """
    size = source.seek(0, 2)
    begin, end = 0, size
    match = _RANGE.fullmatch(asked or "")
    if match and (match[1] or match[2]):
        if match[1]:
            begin = int(match[1])
            end = min(size, int(match[2]) + 1) if match[2] else size
        else:
            begin = max(0, size - int(match[2]))
        if begin >= end:
            source.close()
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        headers = {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{size}"}
    headers = {**headers, "Content-Length": str(end - begin)}
    partial = (begin, end) != (0, size) or bool(match and (match[1] or match[2]))
    status = 206 if partial else 200
    if head:
        source.close()
        return Response(None, status, headers, "application/octet-stream")
    source.seek(begin)
    return StreamingResponse(_chunks(source, end - begin), status, headers, "application/octet-stream")


def _chunks(source: BinaryIO, left: int) -> Iterator[bytes]:
    with source:
        while left and (chunk := source.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk
