"""Which statements of a log one study rests on: its own, and those of the keys that signed them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from leadline.ledger.dsse import decode
from leadline.ledger.predicates import Freeze, Key, Predicate, Reveal
from leadline.ledger.statements import parse
from leadline.registry.filenames import file_name
from leadline.store.projections.seals import slots
from leadline.store.projections.statements import AboutRow, about
from leadline.store.protocol import ReadView

#: Ends the name of a file that holds one signed statement.
ENVELOPE = ".dsse.json"
#: What an export says of bytes that are not in it because they were taken down: reasons by digest.
TAKEN_DOWN = "taken-down.json"


def log_path(sha256: str, name: str) -> PurePosixPath:
    """Where an exported study keeps a log: under its own name, in a folder named after its digest."""
    return PurePosixPath("logs", sha256[:16], file_name(name))


def statements_of(view: ReadView, study: str) -> Iterator[tuple[int, bytes]]:
    """(log index, envelope) of everything a study rests on, in log order.

    Closings are left out: each concerns many studies, and no report depends on one.
    """
    for index in indexes_of(view, study, view.size(), closings=False):
        yield index, view.entry(index)


def indexes_of(view: ReadView, study: str, size: int, *, closings: bool = True) -> Sequence[int]:
    """Log indexes of everything a study rests on among the first `size` entries, in order.

    These are all statements about the study (for a once sealed one its seal, and the batches with a slot of it),
    those that closed it if `closings`, and the registrations, rotations and revocations of the keys that signed
    them or may act for it.
    """
    own = [row for row in about(view, (study,), size) if closings or row.kind != "close"]
    batches = {batch for batch, _ in slots(view, study) if batch < size}
    signers = {row.keyid for row in own} | {decode(view.entry(batch)).keyid for batch in batches}
    keys = _key_statements(view, study, signers | _named(view, own), size)
    return sorted({row.ix for row in own} | batches | keys)


def _named(view: ReadView, own: Iterable[AboutRow]) -> set[str]:
    """Keys that may act for the study: its freeze names them, or the reveal of its seal."""
    found: set[str] = set()
    for row in own:
        if row.kind in ("freeze", "reveal"):
            match _predicate(view, row.ix):
                case Freeze() as said:
                    found.update(said.keys)
                case Reveal(keys=opened) if opened is not None:
                    found.update(opened.keys)
    return found


def _key_statements(view: ReadView, study: str, fingerprints: set[str], size: int) -> set[int]:
    """Statements about these keys, those they replaced or name as guardians, and those that signed these."""
    known: set[str] = set()
    found: set[int] = set()
    while fingerprints:
        known |= fingerprints
        further: set[str] = set()
        for row in about(view, fingerprints, size):
            said = _predicate(view, row.ix)
            assert isinstance(said, Key), "a fingerprint is the subject of statements about keys"
            if said.study in (None, study):  # a vouching for another study says nothing here
                found.add(row.ix)
                further |= {row.keyid, *(said.guardians or ()), *([said.replaces] if said.replaces else [])}
        fingerprints = further - known
    return found


def _predicate(view: ReadView, index: int) -> Predicate:
    return parse(decode(view.entry(index)).payload).predicate
