"""The Registry: one object that carries a study through its life."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from leadline.errors import Explained, NotFoundError, StateError
from leadline.ledger import keyfile
from leadline.ledger.authority import Authority
from leadline.ledger.fsck import Problem
from leadline.ledger.ids import read_study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.state import KeyRecord
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from leadline.protocol.model import Protocol
from leadline.registry import freezing, keys
from leadline.registry.computing import HERE, Computing
from leadline.registry.founding import found
from leadline.registry.home import Home
from leadline.registry.judging import Judged, judge
from leadline.registry.lifecycle import Event, tend, withhold
from leadline.registry.opening import open_parts
from leadline.registry.places import default_store
from leadline.registry.retrospective import Retrospective, record_retrospective
from leadline.registry.sealing.faults import seal_problems
from leadline.registry.similar import Similar, neighbours, similar
from leadline.registry.stub import SealedStudy, require_unsealed
from leadline.registry.stub import sealed as sealed_stub
from leadline.registry.study import Study
from leadline.registry.takedown import TakeDown, take_down
from leadline.store import Appended, Draft, Page, Query, ReadView, Rebuilt
from leadline.store.facets import Facets, facets
from leadline.store.projections.authority import ViewState
from leadline.store.projections.authority import keys as list_keys
from leadline.store.projections.judgements import JudgementType
from leadline.store.projections.status import GRACE_DAYS
from leadline.store.projections.studies import studies
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import Represented, Store
from leadline.store.search import search_studies

Clock = Callable[[], datetime]
Progress = Callable[[int, int], None]
#: A statement about to be made: its kind, what it says, and the key that signs it.
Said: TypeAlias = tuple[str, Mapping[str, Any], SigningKey]


def utc_now() -> datetime:
    """The time in UTC, in whole seconds: what statements claim."""
    return datetime.now(UTC).replace(microsecond=0)


class Registry:
    """A registry on an embedded store.

    Open one with `Registry.open`. Writing needs an author's key; reading, searching and checking do not.
    Every write is one durable transaction: when a method returns, the statement is on disk and its proof
    can be had.
    """

    #: How plans and logs are computed over.
    computing: Computing = HERE

    def __init__(self, store: Store, home: Home, key: SigningKey | None, clock: Clock) -> None:
        self.store = store
        self.home = home
        self.key = key
        self.clock = clock

    @classmethod
    def open(
        cls,
        url: str | Path | None = None,
        key: SigningKey | str | Path | None = None,
        *,
        create: bool = True,
        read_only: bool = False,
        origin: str | None = None,
        invitation: str | None = None,
        clock: Clock = utc_now,
    ) -> Self:
        """Open the registry at `url` (a path or ``sqlite:///path``), making a new one where none is.

        Without `url` it is the command line's: $LEADLINE_STORE, else registry.db in $LEADLINE_HOME, else in
        ~/.leadline. `key` is an author's key or its file; without one nothing can be signed (the command line's
        is `leadline.registry.places.default_key()`). `origin` names a new registry's log; `invitation` lets the key
        write to a server that asks for one. Raises NotFoundError (nothing there and `create` is False),
        StoreError, StateError, KeyFileError or IntegrityError.
        """
        home, store = open_parts(
            default_store() if url is None else url,
            create=create,
            read_only=read_only,
            origin=origin,
            invitation=invitation,
        )
        loaded = keyfile.load(Path(key)) if isinstance(key, str | Path) else key
        registry = cls(store, home, loaded, clock)
        if isinstance(store, Represented):  # on another machine: uploads are announced by the author
            store.act_for(lambda: registry.key)
        try:
            if not read_only:
                found(registry)
        except BaseException:
            store.close()
            raise
        return registry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        self.store.close()

    # -- writing -------------------------------------------------------------------------------

    def append(self, build: Callable[[ReadView], Sequence[Said]]) -> list[Appended]:
        """Sign and append what `build` returns as (kind, predicate, key), in one transaction.

        The store checks each statement against the rights its key has at that very place in the log.
        """

        def drafts(view: ReadView) -> list[Draft]:
            # The store checks rights too; only the registry knows the log's key, origin and past roots.
            authority = Authority(
                ViewState(view), log_keys=[self.home.log], origin=self.home.origin, root_at=view.root
            )
            envelopes = [make_signed(kind, predicate, key) for kind, predicate, key in build(view)]
            for index, envelope in enumerate(envelopes, view.size()):
                _admit(authority, index, envelope)
            return [Draft(envelope) for envelope in envelopes]

        return self.store.append(drafts, sign=self.sign_checkpoint)

    def sign_checkpoint(self, size: int, root: bytes) -> bytes:
        """The checkpoint of this log for a tree, signed by its key; StateError where that is not at hand.

        Whoever appends passes this very method: the store commits together what one signer signs.
        """
        if self.home.signing is None:
            raise StateError(
                "this registry's private log key is not here, so nothing can be added",
                where=str(self.home.folder),
                remedy="add statements on the machine that holds the key, or restore log.key",
            )
        return sign_checkpoint(Checkpoint(self.home.origin, size, root), self.home.signing)

    def time(self) -> str:
        """The claimed time of a statement."""
        return self.clock().astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")

    def author(self) -> SigningKey:
        """The author's key; StateError when the registry was opened without one."""
        if self.key is None:
            raise StateError(
                "this needs an author's key",
                remedy="make one with `leadline key new`, and pass it with --key (in Python: Registry.open(url, key=...))",
            )
        return self.key

    def introduce(self, view: ReadView, holder: str, kind: str) -> list[Said]:
        """The key statement an author's first statement brings along, unless the log knows the key."""
        return keys.introduction(self, view, holder, kind)

    def register_key(self, holder: str, kind: str = "human") -> Appended | None:
        """Announce the author's key to the log; None when the log knows it already."""
        receipts = self.append(lambda view: self.introduce(view, holder, kind))
        return receipts[-1] if receipts else None

    def revoke_key(self, reason: str) -> Appended:
        """Revoke the author's key: from the next entry on it signs nothing."""
        return keys.revoke(self, reason)

    def rotate_key(self, new: SigningKey, reason: str = "rotation") -> Appended:
        """Replace the author's key by `new`, which inherits its rights; both sign."""
        return keys.rotate(self, new, reason)

    def name_guardians(self, guardians: Sequence[str], threshold: int | None = None) -> Appended:
        """Name the keys (fingerprints) that may together confirm a successor when the author's key is lost."""
        return keys.name_guardians(self, guardians, threshold)

    def recover_key(self, lost: str, *, holder: str | None = None) -> Appended:
        """Announce the author's (new) key as heir of a lost one; see `leadline.registry.keys.recover`."""
        return keys.recover(self, lost, holder=holder)

    def vouch_for_key(self, new: str, *, lost: str | None = None, study: str | None = None) -> Appended:
        """Vouch for a new key as a guardian of the lost one, or as a co-author of one study."""
        return keys.vouch(self, new, lost=lost, study=study)

    def veto_key(self, pending: str, reason: str) -> Appended:
        """Refuse a key that claims to replace the author's own."""
        return keys.veto(self, pending, reason)

    def register(
        self,
        protocol: Protocol,
        *,
        characteristics: bytes | None = None,
        simulate: bool = True,
        progress: Progress | None = None,
    ) -> Study:
        """Freeze a protocol. The same protocol registered twice by the same key is one study.

        Its operating characteristics are simulated by executing the registered analysis and frozen with
        it, unless `characteristics` brings the bytes of an earlier simulation of this very protocol.
        Raises ProtocolError when the plan does not execute: such a plan cannot be registered.
        """
        study = freezing.freeze(
            self, protocol, characteristics=characteristics, simulate=simulate, progress=progress
        )
        return self.study(study)

    def amend(self, study: str, protocol: Protocol, *, reason: str, seen: str) -> Appended:
        """Record a changed protocol, why, and what had been seen; the first freeze stays the one compared with.

        Raises StateError when nothing changed or the study is withdrawn.
        """
        return freezing.amend(self, study, protocol, reason=reason, seen=seen)

    def withdraw(self, study: str, reason: str) -> Appended:
        """Put a tombstone on a study; its history stays. StateError when it is withdrawn already."""
        return freezing.withdraw(self, study, reason)

    def judge(self, study: str, *, type: JudgementType, **said: Any) -> Judged:  # noqa: A002
        """Record a judgement of a study: a forecast, review, critique, trust or outcome.

        Parameters and errors as `leadline.registry.judging.judge`.
        """
        return judge(self, study, type=type, **said)

    def record_retrospective(self, result: Retrospective) -> Appended:
        """Record a result that was never registered, labelled so: a comparison's JSON, or a table."""
        return record_retrospective(self, result)

    # -- lifecycle -----------------------------------------------------------------------------

    def tend(
        self, today: date | None = None, *, grace_days: int = GRACE_DAYS, dry: bool = False
    ) -> list[Event]:
        """Publish what is overdue and has logs, and close what is silent past its grace; what was done, in order.

        Needs the registry's service key, not an author's. See `leadline.registry.lifecycle`.
        """
        return tend(self, today or self.clock().date(), grace_days=grace_days, dry=dry)

    def withhold(self, study: str, *, lift: bool = False) -> None:
        """Stop (or with `lift` allow again) the automatic publication of a study; nothing public changes."""
        withhold(self, study, lift=lift)

    def take_down(self, digest: str, reason: str) -> TakeDown:
        """Remove a blob's bytes; its digest, the reason, and a signed note of it stay."""
        return take_down(self, digest, reason)

    # -- reading -------------------------------------------------------------------------------

    def study(self, study: str) -> Study:
        """The study with this id (any spelling a person may type).

        Raises NotFoundError when there is none, StateError while it is sealed (see `sealed`).
        """
        name = read_study_id(study)
        row = find_study(self.store, name)
        if row is None:
            require_unsealed(self.store, name)
            raise NotFoundError(f"there is no study {name}", remedy="find it with `leadline search`")
        return Study(self, row)

    def sealed(self, study: str) -> SealedStudy:
        """What everybody may know of a sealed (or once sealed) study; NotFoundError when no seal made this id."""
        return sealed_stub(self.store, study)

    def studies(self, *, limit: int | None = None) -> Iterator[Study]:
        """Every study, newest first."""
        return (Study(self, row) for row in studies(self.store, limit=limit))

    def search(self, text: str = "", *, cursor: str | None = None, **filters: Any) -> Page:
        """A page of studies: words that must all occur, and the filters and options of `Query`."""
        return search_studies(
            self.store, Query(text=text, **filters), cursor=cursor, today=self.clock().date()
        )

    def facets(self, text: str = "", **filters: Any) -> Facets:
        """How many of the studies that a search finds there are of each area, technique, verdict, status, ..."""
        with self.store.snapshot() as view:
            return facets(view, Query(text=text, **filters), today=self.clock().date())

    def similar(self, protocol: Protocol, limit: int = 5) -> list[Similar]:
        """Registered studies near a protocol, nearest first, with what agrees; the very same protocol first."""
        return similar(self, protocol, limit)

    def neighbours(self, protocol: Protocol) -> Iterator[tuple[Study, float]]:
        """Studies of this very protocol, then those most like it, each with its likeness (0 to 1)."""
        return neighbours(self, protocol)

    def keys(self) -> list[KeyRecord]:
        """Every key the log knows."""
        return list_keys(self.store)

    # -- care ----------------------------------------------------------------------------------

    def rebuild(self) -> Rebuilt:
        """Make every computed table again from the log."""
        return self.store.rebuild()

    def fsck(self, *, processes: int = 1) -> Iterator[Problem]:
        """Check every stored byte; yields what is wrong, nothing when all is sound."""
        yield from self.store.fsck(log_keys=[self.home.log], origin=self.home.origin, processes=processes)
        yield from seal_problems(self.store)


def _admit(authority: Authority, index: int, envelope: bytes) -> None:
    """Check rights; a refusal names the statement, not the place in the log that it did not get."""
    entry = authority.open(envelope)
    try:
        authority.apply(index, entry)
    except Explained as error:
        error.where = f"this {entry.statement.kind} statement"
        raise
