"""Who may say what, and is it sensible now? Everything about a batch of statements that costs next to nothing.

The ledger's `Authority` decides rights and order. Beside it stand the refusals that the registry's own methods
make: a tombstone ends a study, an attempt does not close without its log, a plan is frozen once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadline.errors import Explained, StateError, StatementError
from leadline.ledger import dsse
from leadline.ledger.authority import Authority, Entry
from leadline.ledger.predicates import Amend, Attach, Attempt, Freeze, Judgement, Key, Predicate, Report
from leadline.ledger.state import AuthorityState
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.judging import require_fitting
from leadline.registry.running import WITHOUT_LOGS
from leadline.store.projections.authority import ViewState
from leadline.store.projections.reports import reports
from leadline.store.projections.seals import committed_at
from leadline.store.projections.studies import studies
from leadline.store.protocol import ReadView

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Admitted:
    """One statement at the door.

    `envelope` is what is appended: the submitted bytes, or those of an earlier entry that says the same.
    `entry` is None where the log holds these bytes already.
    """

    envelope: bytes
    entry: Entry | None

    @property
    def said(self) -> Predicate | None:
        """What is said anew, or None."""
        return None if self.entry is None else self.entry.statement.predicate


def admit(
    registry: "Registry", view: ReadView, envelopes: Sequence[bytes], *, verify: bool = True
) -> list[Admitted]:
    """Check signatures (unless they were), rights and good sense of statements, in order, against one view.

    Raises StatementError, SignatureError or StateError that names the statement by its number in the batch.
    """
    home = registry.home
    authority = Authority(ViewState(view), log_keys=[home.log], origin=home.origin, root_at=view.root)
    passed: list[Admitted] = []
    index = view.size()
    for number, envelope in enumerate(envelopes, 1):
        try:
            one = _one(registry, authority, view, envelope, passed, index, verify=verify)
        except Explained as error:
            error.where = f"statement {number} of {len(envelopes)}" + (
                f", {error.where}" if error.where and not error.where.startswith("entry ") else ""
            )
            raise
        index += one.entry is not None
        passed.append(one)
    return passed


def _one(
    registry: "Registry",
    authority: Authority,
    view: ReadView,
    envelope: bytes,
    passed: Sequence[Admitted],
    index: int,
    *,
    verify: bool,
) -> Admitted:
    if view.index_of(leaf_hash(envelope)) is not None or any(one.envelope == envelope for one in passed):
        return Admitted(envelope, None)
    entry = authority.open(envelope)
    if verify:
        dsse.check_signature(entry.envelope, entry.key)
    said = entry.statement.predicate
    earlier = _said_before(view, entry, said, passed)
    if earlier is not None:
        return Admitted(earlier, None)
    if isinstance(said, Judgement):
        require_fitting(view, said)
    elif isinstance(said, Key):
        _require_own_kind(registry, said)
    else:
        _require_sensible(authority.state, said, passed, late=_was_sealed(view, said, envelope))
    authority.apply(index, entry)
    return Admitted(envelope, entry)


def _said_before(view: ReadView, entry: Entry, said: Predicate, passed: Sequence[Admitted]) -> bytes | None:
    """The entry that says the same: one key freezes a plan once, and publishes a report once in a row."""
    keyid = entry.key.fingerprint
    if isinstance(said, Freeze):
        for row in studies(view, protocol=said.protocol, keyid=keyid, limit=1):
            first = view.index_of(row.leaf)
            return None if first is None else view.entry(first)
        for one in passed:
            if (
                isinstance(one.said, Freeze)
                and one.said.protocol == said.protocol
                and one.entry is not None
                and one.entry.key.fingerprint == keyid
            ):
                return one.envelope
    if isinstance(said, Report):
        published = reports(view, said.study)
        if published and published[-1].report == said.report:
            return view.entry(published[-1].ix)
    return None


def _require_own_kind(registry: "Registry", said: Key) -> None:
    """A key of the kind ``service`` may seal hazards, which count under the installation: only its own is one."""
    own = registry.home.installation
    if said.action != "register" or said.role != "author" or said.holder is None:
        return
    if said.holder.kind == "service" and (own is None or said.public != own.public.vkey):
        raise StateError(
            "a key held by a service is this installation's own, and is announced by nobody else",
            where=said.holder.name,
            remedy="register it as held by a human, or by an llm",
        )


def _was_sealed(view: ReadView, said: Predicate, envelope: bytes) -> bool:
    """Whether a batch had committed to this attach statement: its logs may turn up when its attempt has ended."""
    return isinstance(said, Attach) and committed_at(view, said.study, leaf_hash(envelope)) is not None


def _require_sensible(
    state: AuthorityState, said: Predicate, passed: Sequence[Admitted], *, late: bool = False
) -> None:
    """What the registry's own methods refuse although the ledger's rules would allow it."""
    if not isinstance(said, Amend | Attach | Attempt | Report):
        return
    study = state.study(said.study)
    if study is None:
        return  # the ledger's rules say so better
    ends = isinstance(said, Attempt) and said.action != "open"
    if study.withdrawn and not ends:
        raise StateError(
            "the study is withdrawn, so nothing is added to it; its history stays",
            where=said.study,
            remedy="register a new study for a new run",
        )
    closes = isinstance(said, Attempt) and said.action == "close"
    if isinstance(said, Attempt) and closes and not said.logs and said.status not in WITHOUT_LOGS:
        raise StateError(
            f"attempt {said.number} has no log, so there is nothing to close it with; it stays open",
            where=said.study,
            remedy="attach its logs and close it with their digests, or abandon it with a reason",
        )
    ended = isinstance(said, Attach) and said.attempt is not None and said.attempt not in study.open_attempts
    if isinstance(said, Attach) and ended and not late:
        raise StateError(
            f"attempt {said.attempt} is not open, so nothing can be attached to it",
            where=said.study,
            remedy="announce a new attempt, or attach without naming one",
        )
    if isinstance(said, Report) and any(getattr(one.said, "study", None) == said.study for one in passed):
        raise StatementError(
            "a report is computed from what the log holds, so it comes in a batch after everything else",
            where=said.study,
            remedy="send the other statements about this study first, then the report",
        )
