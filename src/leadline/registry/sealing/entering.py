"""Statements made under seal on their way into the open log: which may enter, and why others may not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from leadline.errors import Explained
from leadline.ledger.authority import Authority
from leadline.ledger.dsse import decode
from leadline.ledger.predicates import Predicate, Report
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.store import Appended


@dataclass(frozen=True, slots=True)
class Entered:
    """What entered, in order, and (leaf hash in hex -> why) of what is left out."""

    receipts: list[Appended] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def said_in(envelope: bytes) -> Predicate:
    """What an envelope says; nothing is verified."""
    return parse(decode(envelope).payload).predicate


def until_report(statements: Sequence[bytes]) -> list[bytes]:
    """The statements before the first report: a report is computed from all of these."""
    return list(takewhile(lambda one: not isinstance(said_in(one), Report), statements))


def acceptable(
    rights: Authority,
    start: int,
    statements: Sequence[bytes],
    missing: Mapping[bytes, str],
    left: dict[str, str],
) -> list[bytes]:
    """The statements that may enter from log index `start` on, tried in order; `left` says why the others may not.

    `missing` are those that wait for a file, and why.
    """
    taken: list[bytes] = []
    for envelope in statements:
        reason = missing.get(envelope)
        if reason is None:
            try:
                entry = rights.open(envelope)
                entry.key.verify(entry.envelope.message(), entry.envelope.signature)
                rights.apply(start + len(taken), entry)
            except Explained as error:
                reason = error.message
        if reason is None:
            taken.append(envelope)
        else:
            left[leaf_hash(envelope).hex()] = reason
    return taken
