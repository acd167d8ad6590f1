"""What is refused before it enters the log, although the ledger's rules alone would let it pass.

A seal whose body has another length, or that commits to other blocks than every seal does, would tell something
about its content. A reveal whose bytes are not what was sealed would stand in the log and open nothing.
"""

from datetime import date
from typing import Final

from leadline.errors import StateError, StatementError
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Reveal, Seal
from leadline.ledger.sealing.body import check_size
from leadline.ledger.sealing.fields import FIELDS
from leadline.ledger.sealing.periods import period_begin, period_of
from leadline.store.projection import BlobReader, TableReader
from leadline.store.projections.seals import read_fields, read_whole
from leadline.store.projections.seals import seal as find_seal

_REMEDY: Final = "seal it with `leadline seal` of the version this registry runs"


def check_seal(said: Seal, body: bytes, today: date) -> None:
    """Refuse a seal that differs from others in form; `body` are the bytes it names.

    Raises StatementError; a batch is refused always, since an installation makes its own.
    """
    check_form(said, today)
    check_size(body)


def check_form(said: Seal, today: date) -> None:
    """`check_seal`, as far as it goes without the body."""
    if said.action == "batch":
        raise StatementError("batches are made by the installation itself", remedy="deposit a slot instead")
    if set(said.fields or ()) != set(FIELDS):
        raise StatementError(
            "a seal commits to every block of the protocol, and to nothing else", remedy=_REMEDY
        )
    if period_begin(said.created) != period_of(today):
        raise StatementError("a seal is dated to the present week", remedy=_REMEDY)


def check_reveal(view: TableReader, blobs: BlobReader, said: Reveal, *, key: VerifyKey | None = None) -> None:
    """Refuse a reveal whose bytes (stored already) are not what was sealed; `key` is the author's if it is new.

    Raises StatementError, or StateError when the study is not sealed (any more).
    """
    row = find_seal(view, said.study)
    if row is None or row.state == "revealed":
        raise StateError(
            "this study is not sealed, or it is revealed already",
            where=said.study,
            remedy="nothing is to be done",
        )
    if said.scope == "whole":
        read_whole(view, said, blobs, key=key)
    else:
        read_fields(view, said, blobs.blob(said.body))
