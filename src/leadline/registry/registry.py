"""The Registry: one object that carries a study through its life."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice, zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from leadline.errors import Explained, NotFoundError, StateError
from leadline.ledger import keyfile
from leadline.ledger.authority import Authority
from leadline.ledger.fsck import Problem
from leadline.ledger.ids import read_study_id, study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.state import KeyRecord
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from leadline.protocol.diff import diff
from leadline.protocol.model import Protocol
from leadline.registry.home import Home
from leadline.registry.opening import open_parts
from leadline.registry.places import default_store
from leadline.registry.study import Study
from leadline.store import Appended, Draft, Page, Query, ReadView, Rebuilt
from leadline.store.projections.authority import ViewState
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.authority import keys as list_keys
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import StudyRow, study_at
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import Store
from leadline.store.search import RANKED_DEPTH, search_studies
from leadline.store.text import MAX_WORDS, TextQuestion

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
        clock: Clock = utc_now,
    ) -> Self:
        """Open the registry at `url` (a path or ``sqlite:///path``), making a new one where none is.

        Without `url` it is the command line's: $LEADLINE_STORE, else registry.db in $LEADLINE_HOME, else in
        ~/.leadline. `key` is an author's key or its file; without one nothing can be signed (the command line's
        is `leadline.registry.places.default_key()`). Raises NotFoundError (nothing there and `create` is False),
        StoreError, StateError, KeyFileError or IntegrityError.
        """
        home, store = open_parts(
            default_store() if url is None else url, create=create, read_only=read_only, origin=origin
        )
        loaded = keyfile.load(Path(key)) if isinstance(key, str | Path) else key
        registry = cls(store, home, loaded, clock)
        if not read_only and store.size() == 0:
            registry._found()
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

    def _found(self) -> None:
        """The first entries of a new log: its service key, and the log key announced by it."""
        service = self.home.service
        if service is None:
            raise StateError("a new registry needs its service key", where=str(self.home.folder))
        holder = {"name": self.home.origin, "kind": "service"}
        said: list[dict[str, Any]] = [
            {"role": "service", "public": service.public.vkey},
            {"role": "log", "public": self.home.log.vkey},
        ]
        self.append(
            lambda view: [  # noqa: ARG005
                ("key", {"action": "register", "holder": holder, "time": self.time(), **one}, service)
                for one in said
            ]
        )

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

        return self.store.append(drafts, sign=self._sign_checkpoint)

    def _sign_checkpoint(self, size: int, root: bytes) -> bytes:
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
        key = self.author()
        if find_key(view, key.fingerprint) is not None:
            return []
        said = {
            "action": "register",
            "role": key.role,
            "public": key.public.vkey,
            "holder": {"name": holder, "kind": kind},
            "time": self.time(),
        }
        return [("key", said, key)]

    def register_key(self, holder: str, kind: str = "human") -> Appended | None:
        """Announce the author's key to the log; None when the log knows it already."""
        receipts = self.append(lambda view: self.introduce(view, holder, kind))
        return receipts[-1] if receipts else None

    def revoke_key(self, reason: str) -> Appended:
        """Revoke the author's key: from the next entry on it signs nothing."""
        key = self.author()
        said = {
            "action": "revoke",
            "role": key.role,
            "public": key.public.vkey,
            "reason": reason,
            "time": self.time(),
        }
        return self.append(lambda view: [("key", said, key)])[0]  # noqa: ARG005

    def rotate_key(self, new: SigningKey, reason: str = "rotation") -> Appended:
        """Replace the author's key by `new`, which inherits its rights; both sign."""
        old = self.author()

        def build(view: ReadView) -> list[Said]:
            record = find_key(view, old.fingerprint)
            if record is None:
                raise NotFoundError(
                    "the log does not know the old key", remedy="register it first: `leadline key register`"
                )
            common = {
                "role": new.role,
                "public": new.public.vkey,
                "replaces": old.fingerprint,
                "time": self.time(),
            }
            holder = {"name": record.holder, "kind": record.holder_kind}
            return [
                ("key", {"action": "register", "holder": holder, **common}, new),
                ("key", {"action": "rotate", "reason": reason, **common}, old),
            ]

        receipt = self.append(build)[-1]
        self.key = new
        return receipt

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
        from leadline.verdict.simulation import execute, operating_characteristics

        key = self.author()
        execute(protocol)
        if characteristics is None and simulate:
            characteristics = operating_characteristics(protocol, progress=progress).to_json()
        body = protocol.canonical_bytes()
        digest = self.store.put_blob(body)
        blob = None if characteristics is None else self.store.put_blob(characteristics)
        first = protocol.authors[0]

        def build(view: ReadView) -> list[Said]:
            known = self._frozen_before(view, digest, key)
            if known is not None:
                raise _AlreadyFrozenError(known)
            said = {
                "title": protocol.title,
                "protocol": digest,
                "authors": [author.name for author in protocol.authors],
                "area": list(protocol.area),
                "due": None if protocol.timeline.due is None else protocol.timeline.due.isoformat(),
                "seen_checkpoint": _seen(protocol),
                "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in protocol.hypotheses],
                "characteristics": blob,
                "created": self.time(),
            }
            return [*self.introduce(view, first.name, first.kind), ("freeze", said, key)]

        try:
            receipt = self.append(build)[-1]
        except _AlreadyFrozenError as known:
            return self.study(known.study)
        return self.study(study_id(receipt.leaf_hash))

    def _frozen_before(self, view: ReadView, digest: str, key: SigningKey) -> str | None:
        from leadline.store.projections.studies import studies

        for row in studies(view, protocol=digest, keyid=key.fingerprint):
            return row.id
        return None

    def amend(self, study: str, protocol: Protocol, *, reason: str, seen: str) -> Appended:
        """Record a changed protocol, why, and what had been seen; the first freeze stays the one compared with.

        Raises StateError when nothing changed or the study is withdrawn.
        """
        current = self.study(study)
        _require_not_withdrawn(current.row)
        changed = [change.pointer for change in diff(current.protocol, protocol)]
        if not changed:
            raise StateError(
                "the new protocol promises exactly the same", remedy="nothing needs to be amended"
            )
        digest = self.store.put_blob(protocol.canonical_bytes())
        said = {
            "study": current.id,
            "protocol": digest,
            "changed": changed[:200],
            "reason": reason,
            "seen": seen,
            "created": self.time(),
        }
        return self.append(lambda view: [("amend", said, self.author())])[0]  # noqa: ARG005

    def withdraw(self, study: str, reason: str) -> Appended:
        """Put a tombstone on a study; its history stays. StateError when it is withdrawn already."""
        current = self.study(study)
        _require_not_withdrawn(current.row)
        said = {"study": current.id, "reason": reason, "created": self.time()}
        return self.append(lambda view: [("withdraw", said, self.author())])[0]  # noqa: ARG005

    # -- reading -------------------------------------------------------------------------------

    def study(self, study: str) -> Study:
        """The study with this id (any spelling a person may type); NotFoundError when there is none."""
        name = read_study_id(study)
        row = find_study(self.store, name)
        if row is None:
            raise NotFoundError(f"there is no study {name}", remedy="find it with `leadline search`")
        return Study(self, row)

    def studies(self, *, limit: int | None = None) -> Iterator[Study]:
        """Every study, newest first."""
        from leadline.store.projections.studies import studies

        return (Study(self, row) for row in studies(self.store, limit=limit))

    def search(self, text: str = "", *, cursor: str | None = None, **filters: Any) -> Page:
        """A page of studies: words that must all occur, and filters `area`, `author`, `state`, `limit`, `order`."""
        return search_studies(self.store, Query(text=text, **filters), cursor=cursor)

    def similar(self, protocol: Protocol, limit: int = 5) -> list[StudyRow]:
        """Registered studies nearest in words to a protocol, best first; the identical protocol excepted.

        Title, claims and techniques are compared, and some common words suffice: a study under another title
        is found by what it claims.
        """
        words = _telling_words(protocol)
        if not words:
            return []
        with self.store.snapshot() as view:
            question = TextQuestion(
                STUDY_TEXT,
                tuple((word,) for word in words),
                as_of=view.size(),
                limit=RANKED_DEPTH,
                every=False,
            )
            rows = (study_at(view, index) for index in view.match_text(question).indexes)
            others = (row for row in rows if row is not None and row.protocol != protocol.digest)
            return list(islice(others, limit))

    def keys(self) -> list[KeyRecord]:
        """Every key the log knows."""
        return list_keys(self.store)

    # -- care ----------------------------------------------------------------------------------

    def rebuild(self) -> Rebuilt:
        """Make every computed table again from the log."""
        return self.store.rebuild()

    def fsck(self, *, processes: int = 1) -> Iterator[Problem]:
        """Check every stored byte; yields what is wrong, nothing when all is sound."""
        return self.store.fsck(log_keys=[self.home.log], origin=self.home.origin, processes=processes)


def _admit(authority: Authority, index: int, envelope: bytes) -> None:
    """Check rights; a refusal names the statement, not the place in the log that it did not get."""
    entry = authority.open(envelope)
    try:
        authority.apply(index, entry)
    except Explained as error:
        error.where = f"this {entry.statement.kind} statement"
        raise


class _AlreadyFrozenError(Exception):
    """Leaves the write transaction without writing: the study exists."""

    def __init__(self, study: str) -> None:
        super().__init__(study)
        self.study = study


def _telling_words(protocol: Protocol) -> tuple[str, ...]:
    """Words of title, claims and techniques in turn, each once, as many as a question may have."""
    sources = (
        protocol.title,
        " ".join(hypothesis.claim for hypothesis in protocol.hypotheses),
        " ".join(arm.technique for arm in protocol.arms),
    )
    words = (re.findall(r"\w+", source.casefold()) for source in sources)
    mixed = chain.from_iterable(zip_longest(*map(dict.fromkeys, words)))
    return tuple(dict.fromkeys(word for word in mixed if word))[:MAX_WORDS]


def _require_not_withdrawn(row: StudyRow) -> None:
    if row.state == "withdrawn":
        raise StateError(
            f"the study is withdrawn already: {row.reason}",
            where=row.id,
            remedy=f"see it with `leadline show {row.id}`; its history stays",
        )


def _seen(protocol: Protocol) -> dict[str, Any] | None:
    checkpoint = protocol.timeline.checkpoint
    return None if checkpoint is None else checkpoint.model_dump(mode="json")
