"""Group commit: who shares a transaction, whose fault is whose, and that nobody waits for nothing."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from leadline.errors import SignatureError, StateError, StoreError
from leadline.ledger.fsck import Problem
from leadline.store import Appended, Draft, ReadView, Store, open_store
from leadline.store.committer import Build, GroupCommitter, Outcome, RefusedDraftError
from leadline.store.model import CheckpointSigner
from leadline.store.projections.studies import study_at
from store.factory import ORIGIN, Lab


def _receipt(number: int) -> Appended:
    return Appended(number, bytes(32), b"")


def _sign(size: int, root: bytes) -> bytes:
    return b"%d" % size + root


class Engine:
    """A store's half of the bargain, in memory: it can be held up, and notes who came together."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.held = threading.Event()
        self.release = threading.Event()
        self.release.set()
        self.error: BaseException | None = None

    def commit(self, builds: Sequence[Build], sign: CheckpointSigner) -> list[Outcome]:
        """Run the builds, once nobody holds the engine up."""
        self.groups.append(len(builds))
        self.held.set()
        assert self.release.wait(20)
        if self.error is not None:
            raise self.error
        outcomes: list[Outcome] = []
        for build in builds:
            try:
                outcomes.append([_receipt(len(build(None)))])  # type: ignore[arg-type]
            except ValueError as error:
                outcomes.append(error)
        return outcomes


class Crowd:
    """Threads that append, one after the other into the queue, and what became of each."""

    def __init__(self, committer: GroupCommitter) -> None:
        self.committer = committer
        self.outcomes: dict[int, object] = {}
        self.threads: list[threading.Thread] = []

    def add(self, build: Build, sign: CheckpointSigner = _sign) -> None:
        """Start one, and wait until it is in the queue (or leads)."""
        number = len(self.threads)

        def run() -> None:
            try:
                self.outcomes[number] = self.committer.append(build, sign)
            except BaseException as error:  # noqa: BLE001 -- it is what the test looks at
                self.outcomes[number] = error

        before = len(self.committer._waiting)
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        while number and len(self.committer._waiting) == before and self.threads[-1].is_alive():
            pass

    def join(self) -> list[object]:
        """Every outcome, in the order in which they came."""
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()
        return [self.outcomes[number] for number in range(len(self.threads))]


def _held(engine: Engine, committer: GroupCommitter, builds: Sequence[Build]) -> list[object]:
    """The first build holds the engine up until all others wait."""
    crowd = Crowd(committer)
    engine.release.clear()
    for number, build in enumerate(builds):
        crowd.add(build)
        if not number:
            assert engine.held.wait(20)
    engine.release.set()
    return crowd.join()


def _fails(message: str) -> Build:
    def build(view: ReadView) -> list[Draft]:
        raise ValueError(message)

    return build


def test_a_lone_writer_is_committed_at_once_and_alone() -> None:
    """Without company there is one transaction for each append."""
    engine = Engine()
    committer = GroupCommitter(engine.commit, where="here")
    for _ in range(3):
        committer.append(lambda view: [], _sign)
    assert engine.groups == [1, 1, 1]


def test_those_who_wait_share_the_next_transaction() -> None:
    """Nine who come while one commits are the next group, and each gets its own answer."""
    engine = Engine()
    builds: list[Build] = [lambda view, n=n: [Draft(b"")] * n for n in range(10)]  # type: ignore[misc]
    outcomes = _held(engine, GroupCommitter(engine.commit, where="here"), builds)
    assert engine.groups == [1, 9]
    assert outcomes == [[_receipt(n)] for n in range(10)]


def test_a_build_that_raises_fails_alone() -> None:
    """The caller of a build gets that build's error, and nobody else notices."""
    engine = Engine()
    outcomes = _held(
        engine,
        GroupCommitter(engine.commit, where="here"),
        [lambda view: [], lambda view: [], _fails("mine"), lambda view: [Draft(b"")]],
    )
    assert [outcomes[0], outcomes[1], outcomes[3]] == [[_receipt(0)], [_receipt(0)], [_receipt(1)]]
    assert str(outcomes[2]) == "mine"
    assert engine.groups == [1, 3]


def test_another_signer_is_another_transaction() -> None:
    """A checkpoint is signed by the signer of those it answers, never by somebody else's."""
    engine = Engine()
    committer = GroupCommitter(engine.commit, where="here")
    crowd = Crowd(committer)
    engine.release.clear()
    crowd.add(lambda view: [])
    assert engine.held.wait(20)
    crowd.add(lambda view: [])
    crowd.add(lambda view: [], sign=lambda size, root: b"another")
    crowd.add(lambda view: [])
    engine.release.set()
    crowd.join()
    assert engine.groups == [1, 1, 1, 1]


def test_a_failed_commit_is_everybodys_error_each_with_its_own() -> None:
    """When the disk refuses, all are told, and no two threads share an error that one may add to."""
    engine = Engine()
    engine.error = StoreError("the disk is full", where="here", remedy="free space")
    outcomes = _held(engine, GroupCommitter(engine.commit, where="here"), [lambda view: []] * 3)
    assert [str(one) for one in outcomes] == [str(engine.error)] * 3
    assert len({id(one) for one in outcomes[1:]}) == 2


def test_an_interrupted_leader_leaves_the_others_an_answer() -> None:
    """Ctrl-C in the thread that commits reaches that thread; the others learn that the outcome is unknown."""
    engine = Engine()
    committer = GroupCommitter(engine.commit, where="here")
    engine.error = KeyboardInterrupt()
    outcomes = _held(engine, committer, [lambda view: []] * 3)
    assert [type(one) for one in outcomes] == [KeyboardInterrupt, KeyboardInterrupt, StoreError]
    assert "unknown" in str(outcomes[2])
    engine.error = None
    assert committer.append(lambda view: [], _sign) == [_receipt(0)]


def test_patience_ends_and_the_queue_goes_on() -> None:
    """Who waits longer than allowed gives up with an error; its build is not run, and others still are."""
    engine = Engine()
    committer = GroupCommitter(engine.commit, where="here", patience=0.05)
    crowd = Crowd(committer)
    engine.release.clear()
    crowd.add(lambda view: [])
    assert engine.held.wait(20)
    crowd.add(_fails("was run"))
    crowd.threads[1].join(20)
    engine.release.set()
    assert "another thread holds the database" in str(crowd.join()[1])
    assert committer.append(lambda view: [], _sign) == [_receipt(0)]
    assert engine.groups == [1, 1]


def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many that wait, the next one is refused at once instead of piling up."""
    monkeypatch.setattr("leadline.store.committer.MOST_WAITING", 2)
    engine = Engine()
    outcomes = _held(engine, GroupCommitter(engine.commit, where="here"), [lambda view: []] * 4)
    assert [isinstance(one, StoreError) for one in outcomes] == [False, False, False, True]


def test_a_refused_draft_sends_its_group_through_one_by_one() -> None:
    """Where the group cannot be written together, each build is committed by itself."""
    engine = Engine()
    inner = engine.commit

    def commit(builds: Sequence[Build], sign: CheckpointSigner) -> list[Outcome]:
        if len(builds) > 1:
            engine.groups.append(-len(builds))
            raise RefusedDraftError
        return inner(builds, sign)

    outcomes = _held(engine, GroupCommitter(commit, where="here"), [lambda view: [Draft(b"")]] * 3)
    assert outcomes == [[_receipt(1)]] * 3
    assert engine.groups == [1, -2, 1, 1]


# -- with an engine ----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store's address."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


def _together(store: Store, lab: Lab, builds: Sequence[Build]) -> list[object]:
    """What becomes of builds that come while another one (which adds nothing) is being committed."""
    entered, leave = threading.Event(), threading.Event()

    def first(view: ReadView) -> list[Draft]:
        entered.set()
        assert leave.wait(20)
        return []

    crowd = Crowd(store._committer)  # type: ignore[attr-defined]
    crowd.add(first, lab.sign)
    assert entered.wait(20)
    for build in builds:
        crowd.add(build, lab.sign)
    leave.set()
    return crowd.join()[1:]


def _study(lab: Lab, title: str) -> Build:
    protocol = lab.protocol(title)
    return lambda view: [Draft(lab.freeze(title, protocol), (protocol,))]


def _problems(store: Store, lab: Lab) -> list[Problem]:
    return list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN))


def test_each_build_of_a_group_sees_those_before_it(url: str) -> None:
    """Size, entries, rows, counts, root and search answer as if every build had been committed by itself."""
    from leadline.store import Query, search_studies

    lab = Lab()
    seen: list[tuple[int, int, list[str]]] = []

    def looking(number: int) -> Build:
        def build(view: ReadView) -> list[Draft]:
            size = view.size()
            assert [len(list(view.entries())), store.size()] == [size, size]
            assert view.index_of(view.leaf_hash(size - 1)) == size - 1
            assert view.root() == store.root()
            row = study_at(view, size - 1)
            found = search_studies(view, Query("sounding", order="newest")).studies
            seen.append((number, size, [one.title for one in found]))
            assert row is None or row.title == found[0].title
            return list(_study(lab, f"sounding {number}")(view))

        return build

    with open_store(url) as store:
        lab.start(store)
        outcomes = _together(store, lab, [looking(number) for number in range(4)])
        assert [one[0].index for one in outcomes] == [2, 3, 4, 5]  # type: ignore[index]
        assert [(number, size) for number, size, _ in seen] == [(0, 2), (1, 3), (2, 4), (3, 5)]
        assert seen[3][2] == ["sounding 2", "sounding 1", "sounding 0"]
        assert len({one[0].checkpoint for one in outcomes}) == 1  # type: ignore[index]
        assert not _problems(store, lab)


@pytest.mark.parametrize("fault", ["signature", "blob", "stranger", "same"])
def test_a_bad_draft_in_a_group_is_its_authors_alone(url: str, fault: str) -> None:
    """A forged signature, an absent blob, an unknown key: the others of the group are written all the same."""
    lab, stranger = Lab(), Lab(author=Lab().service)
    protocol = lab.protocol("bad")
    good = lab.freeze("bad", protocol)
    forged = good[: good.index(b'"sig":"') + 7] + b"A" * 86 + b'=="}]}'
    drafts: dict[str, Draft] = {
        "signature": Draft(forged, (protocol,)),
        "blob": Draft(good),
        "stranger": Draft(stranger.freeze("bad", protocol), (protocol,)),
        "same": Draft(lab.freeze("first", lab.protocol("first"))),
    }
    errors: dict[str, type[Exception]] = {
        "signature": SignatureError,
        "blob": StateError,
        "stranger": SignatureError,
    }
    with open_store(url) as store:
        lab.start(store)
        builds: list[Build] = [_study(lab, "first"), lambda view: [drafts[fault]], _study(lab, "last")]
        before, bad, after = _together(store, lab, builds)
        assert before[0].index == 2  # type: ignore[index]
        if fault == "same":
            assert (bad[0].index, bad[0].duplicate) == (2, True)  # type: ignore[index]
        else:
            assert type(bad) is errors[fault]
        assert (after[0].index, store.size()) == (3, 4)  # type: ignore[index]
        assert not _problems(store, lab)


def test_many_writers_at_once_lose_and_double_nothing(url: str) -> None:
    """Sixteen threads with ten studies each: 160 entries, every receipt at an index of its own, all sound."""
    lab = Lab()
    receipts: list[Appended] = []
    with open_store(url) as store:
        lab.start(store)

        def write(name: int) -> None:
            for number in range(10):
                receipts.extend(store.append(_study(lab, f"{name} {number}"), sign=lab.sign))

        threads = [threading.Thread(target=write, args=(name,)) for name in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(one.index for one in receipts) == list(range(2, 162))
        assert all(store.leaf_hash(one.index) == one.leaf_hash for one in receipts)
        assert not _problems(store, lab)


def test_an_append_inside_a_build_is_refused(url: str) -> None:
    """A build that appends would wait for itself; it is told so instead."""
    lab = Lab()
    with open_store(url) as store:
        lab.start(store)
        inner: Callable[[ReadView], list[Draft]] = lambda view: store.append(_study(lab, "in"), sign=lab.sign)  # type: ignore[assignment, return-value]  # noqa: E731
        with pytest.raises(StateError, match="inside another transaction"):
            store.append(inner, sign=lab.sign)
        assert store.append(_study(lab, "after"), sign=lab.sign)[0].index == 2
