"""Which statements of a log one study rests on: its own, and those of the keys that signed them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from leadline.ledger.dsse import decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Close, Freeze, Key, Predicate, Reveal
from leadline.ledger.statements import parse, predicate_type
from leadline.registry.filenames import file_name
from leadline.store.projections.seals import slots
from leadline.store.protocol import ReadView

#: Ends the name of a file that holds one signed statement.
ENVELOPE = ".dsse.json"
#: What an export says of bytes that are not in it because they were taken down: reasons by digest.
TAKEN_DOWN = "taken-down.json"
_KEY = predicate_type("key").encode()


def log_path(sha256: str, name: str) -> PurePosixPath:
    """Where an exported study keeps a log: under its own name, in a folder named after its digest."""
    return PurePosixPath("logs", sha256[:16], file_name(name))


@dataclass(frozen=True, slots=True)
class _Found:
    index: int
    envelope: bytes
    signer: str
    predicate: Predicate


def statements_of(view: ReadView, study: str, freeze: int) -> Iterator[tuple[int, bytes]]:
    """(log index, envelope) of everything a study rests on, in log order; `freeze` is the index of its freeze.

    These are all statements about the study (for a once sealed one its seal, and the batches with a slot of it), and the registrations, rotations and revocations of the keys
    that signed them. Closings are left out: each concerns many studies, and no report depends on one.
    """
    own, keys = _scan(view, study, freeze, {batch for batch, _ in slots(view, study)})
    needed = {found.signer for found in own}
    for found in own:
        if isinstance(found.predicate, Freeze):
            needed.update(found.predicate.keys)
        if isinstance(found.predicate, Reveal) and found.predicate.keys is not None:
            needed.update(found.predicate.keys.keys)
    chosen = _closure(keys, needed)
    for found in sorted([*own, *chosen], key=lambda found: found.index):
        yield found.index, found.envelope


def _scan(view: ReadView, study: str, freeze: int, batches: set[int]) -> tuple[list[_Found], list[_Found]]:
    """The statements about the study, and every key statement of the log."""
    own, keys = [], []
    for index, envelope in enumerate(view.entries()):
        opened = decode(envelope)
        mine = index == freeze or index in batches or study.encode() in opened.payload
        if not mine and _KEY not in opened.payload:  # spares reading most of a long log
            continue
        said = parse(opened.payload).predicate
        found = _Found(index, envelope, opened.keyid, said)
        if isinstance(said, Key):
            if said.study in (None, study):  # a vouching for another study says nothing here
                keys.append(found)
        elif (
            index == freeze
            or index in batches
            or (getattr(said, "study", None) == study and not isinstance(said, Close))
        ):
            own.append(found)
    return own, keys


def _closure(keys: list[_Found], needed: set[str]) -> list[_Found]:
    """Statements about the needed keys, those they replaced or name as guardians, and those that signed these."""
    while True:
        chosen = [found for found in keys if _about(found.predicate) & needed]
        more = {found.signer for found in chosen}
        for found in chosen:
            if isinstance(said := found.predicate, Key):
                more |= {*([said.replaces] if said.replaces else []), *(said.guardians or ())}
        if more <= needed:
            return chosen
        needed = needed | more


def _about(said: Predicate) -> set[str]:
    return {VerifyKey.parse(said.public).fingerprint} if isinstance(said, Key) else set()
