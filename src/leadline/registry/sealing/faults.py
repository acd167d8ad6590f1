"""What is wrong with seals in the log, although every byte is what was logged: batches and reveals that do not match."""

from collections.abc import Iterator

from leadline.ledger.problems import Problem
from leadline.store.projections.seals import faults
from leadline.store.protocol import Store


def seal_problems(store: Store) -> Iterator[Problem]:
    """A problem for every batch or reveal whose bytes are not what its statement says; they open nothing."""
    for index, what in faults(store):
        yield Problem(
            "seal-mismatch",
            f"entry {index}",
            what,
            "nothing follows from this entry; whoever signed it can log one that matches",
        )
