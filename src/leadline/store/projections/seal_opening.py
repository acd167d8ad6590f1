"""What a reveal opens, checked against the log: needs the bytes, so the ledger's rules cannot do it."""

from dataclasses import dataclass
from typing import Any

from leadline.errors import Explained, StatementError
from leadline.ledger.canon import parse_strict
from leadline.ledger.dsse import check_signature
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Freeze, Reveal
from leadline.ledger.sealing import opening
from leadline.store.projection import BlobReader, LogEntry, TableReader
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.seal_rows import seal_row, slots, typed_row


@dataclass(frozen=True, slots=True)
class OpenedStudy:
    """A study that this entry revealed: what its author had frozen, and where the log had promised it.

    `promised` and `leaf` are those of the seal, `keyid` is the author's key, `closed` the index of the statement
    that had closed it as undisclosed before, if one had.
    """

    id: str
    freeze: Freeze
    keyid: str
    leaf: bytes
    promised: int
    closed: int | None


def read_whole(
    view: TableReader, said: Reveal, blobs: BlobReader, *, key: VerifyKey | None = None
) -> opening.Opened:
    """What a whole reveal opens; StatementError when its bytes are not what was sealed.

    The signature of the freeze inside is verified too, under the key that the log knows (or `key`, which is about to
    be announced).
    """
    body = blobs.blob(said.body, limit=opening.MAX_BODY)
    gone = said.protocol is None or blobs.taken_down(said.protocol) is not None
    protocol = None if gone or said.protocol is None else blobs.blob(said.protocol, limit=opening.MAX_BODY)
    found = opening.open_whole(said, body, protocol, sealed_facts(view, said.study))
    record = find_key(view, found.envelope.keyid)
    author = key if record is None else VerifyKey.parse(record.vkey)
    try:
        if author is None:
            raise StatementError("the log does not know the key of the freeze inside")
        check_signature(found.envelope, author)
        _check_sealer(view, said.study, found.envelope.keyid)
    except Explained as error:
        raise StatementError(
            f"the freeze inside is not rightly signed: {error.message}",
            remedy="reveal the very bytes that were sealed",
        ) from None
    return found


def _check_sealer(view: TableReader, study: str, keyid: str) -> None:
    """An ordinary seal counts under its author, so nobody may seal under one name and reveal under another."""
    row = seal_row(view, study)
    sealer = None if row is None else find_key(view, str(row["keyid"]))
    author = find_key(view, keyid)
    if row is None or row["tier"] == "hazard" or sealer is None:
        return
    if author is None or author.lineage != sealer.lineage:
        raise StatementError("its author is not who sealed it")


def read_fields(view: TableReader, said: Reveal, body: bytes) -> dict[str, Any]:
    """The values a reveal of fields opens; StatementError when they are not what was sealed."""
    return opening.open_fields(said, body, sealed_facts(view, said.study))


def sealed_facts(view: TableReader, study: str) -> opening.Sealed:
    """What the log says of a seal; StatementError when there is none."""
    row = seal_row(view, study)
    if row is None:
        raise StatementError(f"no seal made {study}", remedy="check the id")
    fields = parse_strict(str(row["fields"]).encode())
    return opening.Sealed(study, fields, dict(slots(view, study)))


def opened_study(tables: TableReader, entry: LogEntry, blobs: BlobReader) -> OpenedStudy | None:
    """The study that this entry makes public by a whole, matching reveal; None for every other entry.

    For projections that come after this one: a reveal becomes a study there, under the reveal's log index.
    """
    said = entry.statement.predicate
    if not isinstance(said, Reveal) or said.scope != "whole":
        return None
    row = seal_row(tables, said.study)
    if row is None or row["revealed_ix"] != entry.index or blobs.taken_down(said.body) is not None:
        return None
    found = opening.open_whole(
        said, blobs.blob(said.body, limit=opening.MAX_BODY), None, sealed_facts(tables, said.study)
    )
    opened = typed_row(row)
    return OpenedStudy(opened.id, found.freeze, found.envelope.keyid, opened.leaf, opened.ix, opened.closed)
