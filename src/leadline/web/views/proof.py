"""How far the place of an entry in the log is vouched for, in a sentence; and its certificate."""

from leadline.ledger.certificate import Certificate
from leadline.ledger.tlog.note import split_note
from leadline.registry.cosigning import best_size, with_cosignatures
from leadline.store.protocol import ReadView
from leadline.web.context import Site


def certificate(site: Site, view: ReadView, index: int) -> bytes:
    """The certificate of an entry, under the checkpoint that most witnesses have cosigned."""
    shelf = site.registry.store.shelf
    size = best_size(shelf, index, view.size())
    note = with_cosignatures(shelf, view.checkpoint(size))
    return Certificate.make(index, view.inclusion_proof(index, size), note, view.entry(index)).format()


def cosigners(site: Site, note: bytes) -> tuple[str, ...]:
    """Names of whoever signed a checkpoint besides the log itself."""
    own = site.registry.home.log.name
    _, signatures = split_note(note)
    return tuple(dict.fromkeys(one.name for one in signatures if one.name != own))


def proof_words(site: Site, view: ReadView, index: int) -> str:
    """Who says that the entry is where it is."""
    shelf = site.registry.store.shelf
    note = with_cosignatures(shelf, view.checkpoint(best_size(shelf, index, view.size())))
    return said_of(cosigners(site, note))


def said_of(names: tuple[str, ...]) -> str:
    """Who vouches for a checkpoint; plainly when nobody but the operator does."""
    if not names:
        return "Single-operator timestamp: nobody but this registry vouches for when the promise was made."
    return f"Cosigned by {', '.join(names)}: others saw this log and vouch that it was not rewritten."
