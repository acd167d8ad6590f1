"""What every engine must do, whatever it is built on: a test class to subclass with a `make_store` fixture.

A second engine joins with one subclass that overrides the fixture.
"""

import json
import threading
from collections.abc import Callable, Sequence
from io import BytesIO

import pytest

from leadline.errors import InputError, NotFoundError, SignatureError, StateError, StatementError, StoreError
from leadline.ledger import study_id, tlog
from leadline.ledger.tlog import tile as tiling
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.store import Appended, Draft, Projection, ReadView, Store
from leadline.store.projections import attachments, attempts, authority, imports, reports, studies
from store.examples import COUNT, NOTE, TEXT, Counts, Notes, Texts
from store.factory import ORIGIN, TIME, Lab, digest, life_of_a_study, seeded_key, small_registry
from store.studies import add_report

StoreMaker = Callable[[], Store]
#: Opens the same store with projections on top of the built-in ones.
StoreOpener = Callable[[Sequence[Projection]], Store]


class StoreConformance:
    """Behaviour of the `Store` protocol; fixture `make_store` opens the same store each time it is called.

    `store_with` does so with further projections.
    """

    @pytest.fixture
    def store(self, make_store: StoreMaker) -> Store:
        """An empty store."""
        return make_store()

    # the record

    def test_a_receipt_is_proof(self, store: Store, lab: Lab) -> None:
        """A receipt's checkpoint is signed, and a proof ties the entry to it."""
        lab.start(store)
        receipt = lab.study(store, "A study")
        signed = open_checkpoint(receipt.checkpoint, [lab.log.public], origin=ORIGIN).checkpoint
        proof = store.inclusion_proof(receipt.index, signed.size)
        tlog.verify_inclusion(receipt.leaf_hash, receipt.index, signed.size, proof, signed.root)
        assert (
            tlog.leaf_hash(store.entry(receipt.index)) == receipt.leaf_hash == store.leaf_hash(receipt.index)
        )
        assert store.index_of(receipt.leaf_hash) == receipt.index
        assert store.checkpoint() == receipt.checkpoint == store.checkpoint(signed.size)

    def test_every_proof_at_every_size_holds(self, store: Store, lab: Lab) -> None:
        """Inclusion and consistency proofs of every size verify against independently computed roots."""
        small_registry(lab, store)
        leaves = [tlog.leaf_hash(entry) for entry in store.entries()]
        roots = [tlog.root(leaves[:size]) for size in range(len(leaves) + 1)]
        for size in range(1, len(leaves) + 1):
            assert store.root(size) == roots[size]
            for index in range(size):
                proof = store.inclusion_proof(index, size)
                tlog.verify_inclusion(leaves[index], index, size, proof, roots[size])
            for old in range(1, size + 1):
                proof = store.consistency_proof(old, size)
                tlog.verify_consistency(old, size, proof, roots[old], roots[size])

    def test_group_commit_signs_one_checkpoint(self, store: Store, lab: Lab) -> None:
        """Several entries of one append share one checkpoint, and each finds the one that covers it."""
        lab.start(store)
        assert store.size() == 2
        assert store.checkpoint_covering(0) == store.checkpoint_covering(1) == store.checkpoint(2)
        with pytest.raises(NotFoundError, match="no checkpoint was signed at size 1"):
            store.checkpoint(1)
        with pytest.raises(NotFoundError, match="no entry 2"):
            store.checkpoint_covering(2)

    def test_double_submission_is_a_no_op(self, store: Store, lab: Lab) -> None:
        """The same bytes again return the first index and change nothing, in one append or in two."""
        lab.start(store)
        protocol = lab.protocol("Twice")
        freeze = lab.freeze("Twice", protocol)
        first, again = lab.add(store, freeze, freeze, blobs=(protocol,))
        assert (first.index, first.duplicate, again.index, again.duplicate) == (2, False, 2, True)
        (third,) = lab.add(store, freeze)
        assert third == Appended(2, first.leaf_hash, first.checkpoint, duplicate=True)
        assert store.size() == 3

    def test_build_sees_the_state_it_appends_to(self, store: Store, lab: Lab) -> None:
        """The builder reads the state that nothing can overtake before its entries are in."""
        lab.start(store)
        protocol = lab.protocol("Numbered")
        store.put_blob(protocol)

        def build(view: ReadView) -> list[Draft]:
            return [Draft(lab.freeze(f"Study {view.size()}", protocol))]

        for _ in range(3):
            store.append(build, sign=lab.sign)
        assert [row.title for row in studies.studies(store)] == ["Study 4", "Study 3", "Study 2"]

    def test_nothing_to_append_is_fine(self, store: Store, lab: Lab) -> None:
        """A builder that finds nothing to do leaves no trace, not even a checkpoint."""
        assert store.append(lambda view: [], sign=lab.sign) == []
        with pytest.raises(NotFoundError, match="nothing has been registered yet"):
            store.checkpoint()

    def test_threads_take_turns(self, store: Store, lab: Lab) -> None:
        """Appends from several threads all succeed, each at an index of its own."""
        lab.start(store)
        protocol = lab.protocol("Shared")
        store.put_blob(protocol)
        receipts: list[Appended] = []

        def work(name: int) -> None:
            for i in range(5):
                receipts.extend(lab.add(store, lab.freeze(f"Study {name}.{i}", protocol)))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(receipt.index for receipt in receipts) == list(range(2, 22))
        assert self.problems(store, lab) == []

    def test_a_snapshot_does_not_move(self, store: Store, lab: Lab) -> None:
        """Reads in a snapshot see one state while another thread appends."""
        lab.start(store)
        with store.snapshot() as view:
            before = view.size()
            thread = threading.Thread(target=lab.study, args=(store, "Meanwhile"))
            thread.start()
            thread.join()
            assert (view.size(), studies.studies(view)) == (before, [])
        assert store.size() == before + 1

    # refusals

    def test_a_failed_build_changes_nothing(self, store: Store, lab: Lab) -> None:
        """An exception from the builder, also after earlier entries of the batch, undoes all of it."""
        lab.start(store)
        before = self.everything(store)
        protocol = lab.protocol("Good")

        def build(view: ReadView) -> list[Draft]:
            raise StateError("not now", remedy="later")

        with pytest.raises(StateError, match="not now"):
            store.append(build, sign=lab.sign)
        with pytest.raises(StatementError, match="malformed envelope"):
            lab.add(store, lab.freeze("Good", protocol), b"{}", blobs=(protocol,))
        assert self.everything(store) == before
        assert lab.study(store, "After").index == 2

    def test_a_failed_signer_changes_nothing(self, store: Store, lab: Lab) -> None:
        """When the checkpoint is not signed, or signed for something else, no entry is in."""
        lab.start(store)
        before = self.everything(store)
        protocol = lab.protocol("Unsigned")
        drafts = [Draft(lab.freeze("Unsigned", protocol), (protocol,))]

        def refuse(size: int, root: bytes) -> bytes:
            raise SignatureError("no key here")

        with pytest.raises(SignatureError, match="no key here"):
            store.append(lambda view: drafts, sign=refuse)
        with pytest.raises(SignatureError, match="instead of the one asked for"):
            store.append(lambda view: drafts, sign=lambda size, root: lab.sign(size + 1, root))
        assert self.everything(store) == before
        assert lab.study(store, "Unsigned").index == 2

    def test_oversized_entries_are_refused(self, store: Store, lab: Lab) -> None:
        """An entry that no bundle can carry is refused before anything is written."""
        lab.start(store)
        with pytest.raises(StatementError, match="65,5"):
            lab.add(store, b"x" * 65_536)
        assert store.size() == 2

    def test_a_wrong_signature_is_refused(self, store: Store, lab: Lab) -> None:
        """The store itself verifies the signature of every entry."""
        lab.start(store)
        protocol = lab.protocol("Forged")
        genuine = lab.freeze("Forged", protocol)
        other = lab.freeze("Foregd", protocol)
        forged = genuine[: genuine.index(b'"sig"')] + other[other.index(b'"sig"') :]
        with pytest.raises(SignatureError):
            lab.add(store, forged, blobs=(protocol,))
        assert store.size() == 2

    def test_rights_are_checked(self, store: Store, lab: Lab) -> None:
        """Unknown keys, other people's studies and attempts out of turn are refused at the door."""
        lab.start(store)
        stranger = seeded_key("example.org/mallory")
        study = life_of_a_study(lab, store)
        attempt = {"study": study, "number": 2, "action": "open", "status": "started", "created": TIME}
        with pytest.raises(SignatureError, match="knows no key"):
            lab.add(store, lab.statement("attempt", attempt, stranger))
        lab.add(store, lab.register(stranger))
        with pytest.raises(SignatureError, match="may not act"):
            lab.add(store, lab.statement("attempt", attempt, stranger))
        with pytest.raises(StatementError, match="next attempt is number 2"):
            lab.add(store, lab.statement("attempt", {**attempt, "number": 3}))
        lab.add(store, lab.statement("attempt", attempt))
        assert [row.state for row in attempts.attempts(store, study)] == ["closed", "open"]

    def test_bytes_come_before_the_statement(self, store: Store, lab: Lab) -> None:
        """A statement that names bytes which are not stored is refused."""
        lab.start(store)
        with pytest.raises(StateError, match="which is not stored"):
            lab.add(store, lab.freeze("Too early", lab.protocol("Too early")))
        assert store.size() == 2

    # tiles

    def test_tiles_hold_the_tree(self, store: Store, lab: Lab) -> None:
        """Tiles and entry bundles carry exactly the hashes and entries of the tree."""
        small_registry(lab, store)
        size = store.size()
        entries = list(store.entries())
        assert store.tile(0, 0, size) == b"".join(map(tlog.leaf_hash, entries))
        assert tiling.decode_bundle(store.entry_bundle(0, size), size) == entries
        assert store.tile(0, 0, 3) == store.tile(0, 0, size)[:96]
        for level, n, width in ((0, 0, size + 1), (0, 1, 1), (1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0)):
            with pytest.raises(NotFoundError, match="no tile"):
                store.tile(level, n, width)
        with pytest.raises(NotFoundError, match="no tile"):
            store.entry_bundle(0, size + 1)

    def test_higher_tiles_hold_roots_of_lower_ones(self, store: Store, lab: Lab) -> None:
        """A full level-0 tile's root is the first hash of the level-1 tile."""
        lab.start(store)
        protocol = lab.protocol("Many")
        store.put_blob(protocol)
        drafts = [Draft(lab.freeze(f"Study {i}", protocol)) for i in range(256)]
        store.append(lambda view: drafts, sign=lab.sign)
        leaves = [store.leaf_hash(index) for index in range(256)]
        assert store.tile(1, 0, 1) == tlog.root(leaves)
        assert store.tile(0, 1, 2) == store.leaf_hash(256) + store.leaf_hash(257)

    def test_what_is_not_there_is_said(self, store: Store, lab: Lab) -> None:
        """Indexes and sizes beyond the log raise NotFoundError, never an empty answer."""
        lab.start(store)
        for call in (
            lambda: store.entry(2),
            lambda: store.entry(-1),
            lambda: store.leaf_hash(2),
            lambda: store.leaf_hash(1 << 80),
            lambda: store.root(3),
            lambda: store.inclusion_proof(0, 3),
            lambda: list(store.entries(0, 3)),
        ):
            with pytest.raises(NotFoundError):
                call()
        for wrong in (lambda: store.inclusion_proof(2, 2), lambda: store.consistency_proof(0, 2)):
            with pytest.raises(InputError):
                wrong()
        assert store.index_of(b"\0" * 32) is None
        assert store.root(0) == tlog.EMPTY_ROOT

    # blobs

    @pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
    def test_blobs_come_back(self, store: Store, size: int) -> None:
        """Bytes of any size come back under their digest, from bytes or a stream, kept once."""
        data = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
        name = store.put_blob(data)
        assert name == digest(data) == store.put_blob(BytesIO(data))
        assert store.has_blob(name)
        assert store.blob(name) == data
        with store.open_blob(name) as file:
            file.seek(size // 2)
            assert file.read() == data[size // 2 :]
        assert [info.sha256 for info in store.blobs()] == [name]

    def test_absent_blobs_are_said(self, store: Store) -> None:
        """An unknown digest raises NotFoundError; text that is no digest raises InputError."""
        assert not store.has_blob("0" * 64)
        with pytest.raises(NotFoundError, match="no blob"):
            store.blob("0" * 64)
        for text in ("", "0" * 63, "G" * 64, "../../etc/passwd", "٣" * 64):
            with pytest.raises(InputError, match="not a SHA-256 digest"):
                store.blob(text)

    @pytest.mark.parametrize("size", [10, 70_000])
    def test_takedown_leaves_digest_and_reason(self, store: Store, lab: Lab, size: int) -> None:
        """After a takedown the bytes are gone, digest and reason stay, and they are not accepted again."""
        data = b"p" * size
        name = store.put_blob(data)
        store.take_down(name, "personal data; decided by the operator")
        assert not store.has_blob(name)
        assert store.taken_down(name) == "personal data; decided by the operator"
        with pytest.raises(NotFoundError, match="taken down: personal data"):
            store.blob(name)
        with pytest.raises(StateError, match="not accepted again"):
            store.put_blob(data)
        with pytest.raises(StateError, match="already"):
            store.take_down(name, "again")
        assert {info.reason for info in store.blobs() if info.sha256 == name} == {
            "personal data; decided by the operator"
        }
        lab.start(store)
        assert self.problems(store, lab) == []

    def test_projections_forget_what_was_taken_down(self, store: Store, lab: Lab) -> None:
        """A protocol that is taken down is no longer found by its words; the study stays."""
        from leadline.store import Query, search_studies

        lab.start(store)
        receipt = lab.study(store, "Public title", "unspeakable particulars")
        assert search_studies(store, Query("unspeakable")).studies
        store.take_down(digest(lab.protocol("Public title", "unspeakable particulars")), "harmful")
        assert not search_studies(store, Query("unspeakable")).studies
        assert [row.ix for row in search_studies(store, Query("public")).studies] == [receipt.index]
        assert self.problems(store, lab) == []

    # projections

    def test_the_life_of_a_study_shows(self, store: Store, lab: Lab) -> None:
        """Every statement of a study's life is found again through the typed accessors."""
        lab.start(store)
        id_ = life_of_a_study(lab, store)
        study = studies.study(store, id_)
        assert study is not None
        assert (study.state, study.title, study.due) == (
            "reported",
            "Deception probes transfer",
            "2026-06-30",
        )
        assert (
            study == studies.study_at(store, study.ix) == studies.studies(store, protocol=study.protocol)[0]
        )
        assert studies.authors(store, study.ix) == ["Alice Example"]
        assert studies.areas(store, study.ix) == ["sandbagging"]
        assert [row.id for row in studies.hypotheses(store, study.ix)] == ["h1"]
        assert [row.seen for row in studies.amendments(store, id_)] == ["not_looked"]
        (attempt,) = attempts.attempts(store, id_)
        assert (attempt.state, attempt.status, attempt.number) == ("closed", "completed", 1)
        (attachment,) = attachments.attachments(store, id_)
        assert attempts.attempt_logs(store, id_, 1) == [attachment.sha256]
        assert attachments.attachments(store, sha256=attachment.sha256) == [attachment]
        (report,) = reports.reports(store, id_)
        assert [(v.hypothesis, v.outcome, v.standing) for v in reports.verdicts(store, report.ix)] == [
            ("h1", "null", "confirmatory")
        ]
        assert reports.report_logs(store, report.ix) == [attachment.sha256]
        assert attempts.next_number(store, id_) == 2

    def test_the_newest_report_of_many_studies_is_looked_up(self, store: Store, lab: Lab) -> None:
        """Each report takes the place of the one before it; a study without one has no row."""
        lab.start(store)
        bodies = {study_id(lab.study(store, title).leaf_hash): lab.protocol(title) for title in "abc"}
        first, second, third = bodies
        for name in (first, second, first, first):
            add_report(lab, store, name, bodies[name], h1=("null", "confirmatory"))
        newest = {name: reports.reports(store, name)[-1].ix for name in (first, second)}
        rows = store.select_among(reports.NEWEST_REPORT, "study", [third, second, first])
        assert rows == [{"study": name, "ix": newest[name]} for name in sorted(newest)]
        assert newest[first] > newest[second]
        store.rebuild()
        assert store.select(reports.NEWEST_REPORT) == rows
        assert self.problems(store, lab) == []

    def test_keys_and_imports_show(self, store: Store, lab: Lab) -> None:
        """Keys are found by fingerprint, role and name with their fate; imports by digest."""
        small_registry(lab, store)
        successor = seeded_key("example.org/alice2")
        lab.add(store, lab.register(successor, replaces=lab.author.fingerprint))
        rotate = {"action": "rotate", "role": "author", "public": successor.public.vkey, "time": TIME}
        lab.add(store, lab.statement("key", {**rotate, "replaces": lab.author.fingerprint}))
        assert [record.state for record in authority.keys(store, role="author")] == ["rotated", "active"]
        (service,) = authority.keys(store, name="example.org/service")
        assert service == authority.key(store, lab.service.fingerprint)
        (imported,) = imports.imports(store)
        assert imports.imports(store, digest=imported.digest) == [imported]
        assert imports.imports(store, digest="0" * 64) == []

    def test_rights_can_be_asked_beforehand(self, store: Store, lab: Lab) -> None:
        """A caller can try statements against a view, one after the other, and nothing is written."""
        from leadline.ledger import Authority

        lab.start(store)
        protocol = lab.protocol("Asked")
        ask = Authority(authority.ViewState(store), origin=ORIGIN, root_at=store.root)
        newcomer = seeded_key("example.org/bob")
        ask.admit(2, lab.register(newcomer))
        ask.admit(3, lab.statement("freeze", {**FREEZE, "protocol": digest(protocol)}, newcomer))
        assert authority.key(store, newcomer.fingerprint) is None
        assert store.size() == 2

    def test_live_equals_rebuilt(self, make_store: StoreMaker, lab: Lab) -> None:
        """Projections that grew entry by entry are row for row those of a replay."""
        store = make_store()
        small_registry(lab, store)
        live = self.everything(store)
        done = store.rebuild()
        assert (done.entries, done.nodes) == (store.size(), 0)
        assert self.everything(store) == live
        store.close()
        assert self.everything(make_store()) == live

    def test_fsck_is_content(self, store: Store, lab: Lab) -> None:
        """A store that only ever did what it should has no problems, empty or not."""
        assert self.problems(store, lab) == []
        small_registry(lab, store)
        store.put_blob(b"large" * 20_000)
        assert self.problems(store, lab) == []

    # tables, as projections of any kind use them

    def test_rows_come_back_in_bytewise_order(self, store_with: StoreOpener, lab: Lab) -> None:
        """Texts sort by their bytes, NULLs first, ties by the key; `after` and `limit` cut where they should."""
        with store_with([Notes()]) as store:
            lab.start(store)
            for title in ("b", "a b", "ä", "B", "a", "Z", "𝛼", "ﬀ"):
                lab.study(store, title)
            everything = [row["title"] for row in store.select(NOTE, order="title")]
            assert everything == sorted(everything, key=lambda text: str(text).encode())
            assert everything[:3] == ["B", "Z", "a"]
            assert [row["title"] for row in store.select(NOTE, order="title", descending=True)] == everything[
                ::-1
            ]
            assert [row["title"] for row in store.select(NOTE, order="title", after="a", limit=2)] == [
                "a b",
                "b",
            ]
            lengths = [row["length"] for row in store.select(NOTE, order="length")]
            assert lengths == [None, None, None, None, 1, 2, 2, 3], lengths
            assert lengths[::-1] == [
                row["length"] for row in store.select(NOTE, order="length", descending=True)
            ]
            assert len(store.select(NOTE, order="length", after=1)) == 3
            assert store.count(NOTE, {"length": None}) == len(store.select(NOTE, {"length": None})) == 4
            assert store.count(NOTE) == 8
            assert [type(row["share"]) for row in store.select(NOTE, limit=1)] == [float]
            assert self.problems(store, lab) == []

    def test_many_look_ups_in_one(self, store_with: StoreOpener, lab: Lab) -> None:
        """Rows with one of many values come once each, by the key, up to a limit; what is not there is left out."""
        with store_with([Notes()]) as store:
            lab.start(store)
            for day, title in enumerate(("b", "ä", "b", "Z", "a", "b"), 1):
                protocol = lab.protocol(title)
                lab.add(store, lab.freeze(title, protocol, due=f"2026-03-{day:02}"), blobs=(protocol,))
            found = store.select_among(NOTE, "ix", [6, 2, 99, -1, 4, 2])
            assert found == [store.get(NOTE, ix) for ix in (2, 4, 6)]
            titled = store.select_among(NOTE, "title", ["ä", "b", "B", "b"])
            assert [(row["ix"], row["title"]) for row in titled] == [(2, "b"), (3, "ä"), (4, "b"), (7, "b")]
            assert store.select_among(NOTE, "title", ["ä", "b"], limit=2) == titled[:2]
            assert [row["ix"] for row in store.select_among(NOTE, "length", [1])] == [3]
            assert store.select_among(NOTE, "ix", []) == []
            assert len(store.select_among(NOTE, "ix", range(5_000))) == 6
            with pytest.raises(ValueError, match="no columns"):
                store.select_among(NOTE, "no", [1])

    def test_many_look_ups_see_what_was_just_written(self, store_with: StoreOpener, lab: Lab) -> None:
        """Inside an append they see the entries before it in the same transaction."""
        with store_with([Notes()]) as store:
            lab.start(store)
            seen: list[list[str]] = []

            def watching(title: str) -> Callable[[ReadView], list[Draft]]:
                protocol = lab.protocol(title)

                def build(view: ReadView) -> list[Draft]:
                    found = view.select_among(NOTE, "ix", range(view.size()))
                    seen.append([str(row["title"]) for row in found])
                    return [Draft(lab.freeze(title, protocol), (protocol,))]

                return build

            for title in ("first", "second", "third"):
                store.append(watching(title), sign=lab.sign)
            assert seen == [[], ["first"], ["first", "second"]]

    def test_any_text_is_kept_as_it_is(self, store_with: StoreOpener, lab: Lab) -> None:
        """A projection may keep texts with any characters, U+0000 included, and finds them by their value."""
        hard = ["\0", "\0\0", "\1", "\1\1", "a\0b", "\2", "'; --", "%s", '"\\', ""]
        with store_with([Texts()]) as store:
            lab.start(store)
            protocol = json.dumps(hard).encode()
            receipt = lab.add(store, lab.freeze("Hard", protocol), blobs=(protocol,))[0]
            assert [row["text"] for row in store.select(TEXT, order="position")] == hard
            assert [row["text"] for row in store.select(TEXT)] == sorted(hard)
            for text in hard:
                assert store.get(TEXT, receipt.index, text) is not None
                assert store.count(TEXT, {"text": text}) == 1
            counted = store.count_by(TEXT, ("text",), where="text", among=["%s", "\1\1", "absent"])
            assert counted == [(("\1\1",), 1), (("%s",), 1)]
            held = store.count_by(TEXT, ("text",), where="text", among=["a\0b", "a"])
            assert held == [(("a\0b",), 1)]
            assert store.count_by(TEXT, ("ix",), where="ix", among=[2], starting=("text", "\0")) == [
                ((2,), 2)
            ]
            assert store.count_by(TEXT, ("ix",), where="ix", among=[]) == []
            assert [row["text"] for row in store.select_among(TEXT, "text", hard)] == sorted(hard)
            assert [row["text"] for row in store.select_among(TEXT, "text", ["a\0b", "a"])] == ["a\0b"]
            assert self.problems(store, lab) == []

    def test_projections_read_what_they_wrote(self, store_with: StoreOpener, lab: Lab) -> None:
        """Within one append a projection sees, changes and removes rows of earlier entries, and of its own."""
        with store_with([Counts()]) as store:
            lab.start(store)
            protocol = lab.protocol("Shared")
            store.put_blob(protocol)
            titles = ["x", "y", "x", "drop", "x", "drop", "y"]
            lab.add(
                store,
                *(
                    lab.freeze(f"{title}", protocol, due=f"2026-01-{i + 1:02}")
                    for i, title in enumerate(titles)
                ),
            )
            expected = [{"title": "x", "n": 3, "latest": 5}, {"title": "y", "n": 2, "latest": 7}]
            assert store.select(COUNT) == expected
            lab.add(store, lab.freeze("x", protocol, due="2026-02-01"))
            assert store.get(COUNT, "x") == {"title": "x", "n": 4, "latest": 8}
            assert self.problems(store, lab) == []
            store.rebuild()
            assert store.get(COUNT, "x") == {"title": "x", "n": 4, "latest": 8}

    # the shelf

    def test_the_shelf_keeps_values(self, make_store: StoreMaker, lab: Lab) -> None:
        """Values are there for every handle at once, in order of their keys, and outlive a rebuild."""
        store, other = make_store(), make_store()
        assert store.shelf.get("a", "k") is None
        for key in ("b", "ä", "a b", "𝛼", "a", "ﬀ"):
            store.shelf.put("a", key, key.encode())
        store.shelf.put("b", "k", b"\0\xff" * 1000)
        store.shelf.put("b", "k", b"")
        assert other.shelf.get("b", "k") == b""
        keys = [key for key, _ in other.shelf.items("a")]
        assert keys == sorted(keys, key=str.encode) == ["a", "a b", "b", "ä", "ﬀ", "𝛼"]
        assert other.shelf.items("a", after="a b", limit=2) == [("b", b"b"), ("ä", "ä".encode())]
        assert other.shelf.items("nothing") == []
        assert other.shelf.spaces() == ["a", "b"]
        assert (other.shelf.delete("a", "b"), other.shelf.delete("a", "b")) == (True, False)
        small_registry(lab, store)
        store.rebuild()
        assert len(store.shelf.items("a")) == 5
        assert self.problems(store, lab) == []

    def test_the_shelf_compares_and_sets(self, store: Store) -> None:
        """A swap writes only where the present value is the expected one; None stands for absent."""
        shelf = store.shelf
        assert shelf.swap("s", "k", None, b"1")
        assert not shelf.swap("s", "k", None, b"2")
        assert not shelf.swap("s", "k", b"2", b"3")
        assert shelf.swap("s", "k", b"1", b"2")
        assert not shelf.swap("s", "k", b"1", None)
        assert not shelf.swap("s", "k", None, None)
        assert shelf.swap("s", "k", b"2", None)
        assert shelf.get("s", "k") is None
        assert shelf.swap("s", "k", None, None)
        assert not shelf.swap("s", "k", b"", b"x")

    def test_one_of_many_swaps_succeeds(self, make_store: StoreMaker) -> None:
        """Threads that count up by compare-and-set lose no step."""
        stores = [make_store(), make_store()]
        stores[0].shelf.put("s", "n", b"0")

        def count(store: Store) -> None:
            for _ in range(10):
                while True:
                    seen = store.shelf.get("s", "n") or b"0"
                    if store.shelf.swap("s", "n", seen, str(int(seen) + 1).encode()):
                        break

        threads = [threading.Thread(target=count, args=(stores[i % 2],)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stores[0].shelf.get("s", "n") == b"40"

    def test_the_shelf_stays_outside_appends(self, store: Store, lab: Lab) -> None:
        """Inside a builder the shelf is refused; inside a snapshot it can be read, not written."""
        lab.start(store)
        for use in (
            lambda: store.shelf.get("s", "k"),
            lambda: store.shelf.put("s", "k", b""),
            lambda: store.shelf.items("s"),
        ):
            with pytest.raises(StateError, match=r"shelf|another transaction"):
                store.append(lambda view, use=use: [use()], sign=lab.sign)
        with store.snapshot():
            assert store.shelf.get("s", "k") is None
            with pytest.raises(StateError, match="another transaction"):
                store.shelf.put("s", "k", b"")
        store.shelf.put("s", "k", b"now")
        assert store.shelf.get("s", "k") == b"now"
        assert lab.study(store, "Afterwards").index == 2

    def test_senseless_names_on_the_shelf_are_refused(self, store: Store) -> None:
        """Spaces, keys and values outside the limits raise InputError, in reads and in writes."""
        shelf = store.shelf
        for space, key in (
            ("", "k"),
            ("S", "k"),
            ("s/", "k"),
            ("s" * 65, "k"),
            ("s", ""),
            ("s", "a\0"),
            ("s", "k" * 513),
        ):
            with pytest.raises(InputError):
                shelf.get(space, key)
            with pytest.raises(InputError):
                shelf.put(space, key, b"")
        with pytest.raises(InputError, match="1,048,576"):
            shelf.put("s", "k", bytes((1 << 20) + 1))
        shelf.put("s", "k", bytes(1 << 20))

    def test_two_handles_append_in_turn(self, make_store: StoreMaker, lab: Lab) -> None:
        """Two open stores on one record, as two processes have them, each see and continue what the other wrote."""
        one, two = make_store(), make_store()
        lab.start(one)
        for i in range(6):
            assert lab.study((one, two)[i % 2], f"Study {i}").index == 2 + i
        assert one.size() == two.size() == 8
        assert self.problems(two, lab) == []

    def test_a_write_cannot_begin_inside_a_write(self, store: Store, lab: Lab) -> None:
        """Putting a blob from inside a builder would tear the transaction; it is refused and undone."""
        lab.start(store)
        with pytest.raises(StateError, match="inside another transaction"):
            store.append(lambda view: [store.put_blob(b"late")], sign=lab.sign)  # type: ignore[list-item]
        assert store.size() == 2
        assert lab.study(store, "Afterwards").index == 2

    def test_a_large_blob_does_not_load_where_it_should_not(self, store: Store) -> None:
        """A caller's limit holds for whatever length the blob has."""
        for size in (1_000, 100_000):
            name = store.put_blob(b"x" * size)
            assert len(store.blob(name, limit=size)) == size
            with pytest.raises(StoreError, match=f"longer than {size - 1:,} bytes"):
                store.blob(name, limit=size - 1)

    def test_what_is_absent_can_be_recorded_so(self, store: Store, lab: Lab) -> None:
        """A restored statement may name bytes that were taken down; their digest and the reason are kept."""
        lab.start(store)
        protocol = lab.protocol("Gone")
        name = digest(protocol)
        with pytest.raises(NotFoundError):
            store.take_down(name, "taken down elsewhere")
        store.take_down(name, "taken down elsewhere", absent=True)
        freeze = lab.freeze("Gone", protocol)
        with pytest.raises(StateError, match="not stored"):
            lab.add(store, freeze)
        store.append(lambda view: [Draft(freeze, restored=True)], sign=lab.sign)
        assert [row.title for row in studies.studies(store)] == ["Gone"]
        assert self.problems(store, lab) == []

    def test_a_closed_store_says_so(self, store: Store) -> None:
        """After close, a read says that the store is closed."""
        store.close()
        with pytest.raises(StateError, match="closed"):
            store.size()

    @staticmethod
    def problems(store: Store, lab: Lab) -> list[str]:
        """All that fsck finds."""
        return [str(problem) for problem in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)]

    @staticmethod
    def everything(store: Store) -> dict[str, object]:
        """Every entry and every projection row."""
        found: dict[str, object] = {"entries": list(store.entries()), "size": store.size()}
        for projection in store.projections():
            for table in projection.tables:
                found[table.name] = store.select(table)
        return found


FREEZE = {
    "title": "Asked beforehand",
    "authors": ["Bob Example"],
    "created": TIME,
}
