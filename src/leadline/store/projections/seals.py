"""Seals: what was sealed, by whom, in which period; what of it was opened; and the slots of later statements.

The ledger's rules have checked that a whole reveal opens the commitments to freeze and keys. Whether the bytes it
names are that freeze, with that protocol and every slot, needs those bytes, so it is checked here, once: a reveal
that does not match opens nothing and stands in `faults`. Other projections ask `opened_study`.
"""

from leadline.errors import StatementError
from leadline.ledger.canon import canonical
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Close, Reveal, Seal
from leadline.ledger.sealing.opening import MAX_BODY
from leadline.ledger.sealing.periods import period_begin
from leadline.ledger.sealing.slots import batch_root, batch_size, batch_slots
from leadline.ledger.tlog.tree import leaf_hash
from leadline.store.blobs import LongBlobError
from leadline.store.projection import BlobReader, LogEntry, Row, Table, TableWriter, TextIndex
from leadline.store.projections.seal_opening import (
    OpenedStudy,
    opened_study,
    read_fields,
    read_whole,
    sealed_facts,
)
from leadline.store.projections.seal_rows import (
    BATCH,
    FAULT,
    OPENED,
    SEAL,
    SLOT,
    SPOKEN,
    BatchRow,
    SealCounts,
    SealRow,
    SpokenRow,
    Tier,
    batches,
    committed_at,
    faults,
    installation_counts,
    live,
    opened_fields,
    seal,
    seal_body,
    seal_counts,
    seal_row,
    seals,
    slots,
    spoken,
)

__all__ = [
    "SEAL",
    "BatchRow",
    "OpenedStudy",
    "SealCounts",
    "SealRow",
    "Seals",
    "SpokenRow",
    "Tier",
    "batches",
    "committed_at",
    "faults",
    "installation_counts",
    "live",
    "opened_fields",
    "opened_study",
    "read_fields",
    "read_whole",
    "seal",
    "seal_body",
    "seal_counts",
    "sealed_facts",
    "seals",
    "slots",
    "spoken",
]


class Seals:
    """One row per seal, batch, slot, opened field and statement made under seal."""

    name = "seals"
    version = 1
    tables: tuple[Table, ...] = (SEAL, BATCH, SLOT, OPENED, SPOKEN, FAULT)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Seal, batch, reveal or close."""
        match entry.statement.predicate:
            case Seal(action="study") as said:
                _seal(tables, entry, said)
            case Seal() as said:
                _batch(tables, entry, said, blobs)
            case Reveal() as said:
                _reveal(tables, entry, said, blobs)
            case Close() as said:
                for study in said.studies:
                    row = seal_row(tables, study)
                    if row is not None and row["closed"] is None:
                        state = "closed" if row["state"] == "sealed" else row["state"]
                        tables.update(SEAL, (row["ix"],), {"closed": entry.index, "state": state})
            case _:
                pass


def _seal(tables: TableWriter, entry: LogEntry, said: Seal) -> None:
    tables.insert(
        SEAL,
        {
            "ix": entry.index,
            "id": study_id(entry.leaf_hash),
            "leaf": entry.leaf_hash,
            "keyid": entry.keyid,
            "tier": said.tier,
            "period": period_begin(said.created).isoformat(),
            "embargo": said.embargo,
            "state": "sealed",
            "body": said.body,
            "fields": canonical(said.fields or {}).decode(),
        },
    )


def _batch(tables: TableWriter, entry: LogEntry, said: Seal, blobs: BlobReader) -> None:
    """Commitments only: what is in the boxes is nobody's but the authors'."""
    slots: list[tuple[str, bytes]] = []
    if blobs.taken_down(said.body) is None:
        most = batch_size(tables.count(SEAL))
        try:
            slots = batch_slots(blobs.blob(said.body, limit=most))
            if batch_root(slots).hex() != said.root:
                slots = []
                raise StatementError("the root it states is not that of its slots")
        except (StatementError, LongBlobError) as error:
            tables.insert(FAULT, {"ix": entry.index, "what": error.message})
    period = period_begin(said.created).isoformat()
    tables.insert(BATCH, {"ix": entry.index, "period": period, "body": said.body, "slots": len(slots)})
    for study, slot in slots:
        tables.insert(SLOT, {"study": study, "batch": entry.index, "commitment": slot[:32]})


def _reveal(tables: TableWriter, entry: LogEntry, said: Reveal, blobs: BlobReader) -> None:
    row = seal_row(tables, said.study)
    if row is None:
        return
    if blobs.taken_down(said.body) is not None:  # it was checked when it came, and cannot be read again
        if said.scope == "whole":
            tables.update(SEAL, (row["ix"],), {"state": "revealed", "revealed_ix": entry.index})
        return
    try:
        if said.scope == "fields":
            values = read_fields(tables, said, blobs.blob(said.body, limit=MAX_BODY))
            for name, value in sorted(values.items()):
                text = canonical(value).decode()
                tables.put(OPENED, {"study": said.study, "field": name, "value": text, "ix": entry.index})
            return
        found = read_whole(tables, said, blobs)
    except (StatementError, LongBlobError) as error:
        tables.insert(FAULT, {"ix": entry.index, "what": error.message})
        return
    tables.update(SEAL, (row["ix"],), {"state": "revealed", "revealed_ix": entry.index})
    for position, (batch, envelope) in enumerate(found.said):
        spoken: Row = {"leaf": leaf_hash(envelope).hex(), "study": said.study}
        tables.put(SPOKEN, {**spoken, "batch": batch, "position": position})
