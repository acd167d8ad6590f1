"""PostgreSQL: addresses, other people's databases and settings, damage, memory, and words as the other engine cuts them."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import Explained, InputError, IntegrityError, NotFoundError, StateError, StoreError
from leadline.store import Query, Store, open_store, search_studies
from leadline.store.postgres.address import Address
from leadline.store.postgres.store import PostgresStore
from leadline.store.postgres.words import LONGEST, words_of
from leadline.store.projections.studies import STUDY
from store.cluster import Cluster
from store.examples import Notes
from store.factory import ORIGIN, Lab, digest, small_registry

Execute = Callable[[str], object]


@pytest.fixture
def shared(postgres_url: str) -> Iterator[PostgresStore]:
    """An empty store."""
    with PostgresStore.open(postgres_url) as store:
        yield store


@pytest.fixture
def execute(cluster: Cluster) -> Execute:
    """Runs SQL in the database behind the store's back."""
    return lambda sql: cluster.run(sql, "tests")


def problems(store: Store, lab: Lab) -> set[str]:
    """Codes of all that fsck finds."""
    return {problem.code for problem in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)}


# addresses


@pytest.mark.parametrize(
    ("url", "shown", "folder"),
    [
        (
            "postgresql://u:secret@db.example.org:6432/reg",
            "u@db.example.org:6432/reg",
            "db.example.org_6432_reg",
        ),
        ("postgres://db/reg", "db:5432/reg", "db_5432_reg"),
        (
            "postgresql:///reg?host=/run/pg&password=secret",
            "%2Frun%2Fpg:5432/reg",
            "run-pg.5aa1ef81_5432_reg",
        ),
        ("postgresql://u@[::1]:5433/a%20b", "u@::1:5433/a b", None),
        ("postgresql://", "local:5432/default", "local_5432_default"),
    ],
)
def test_addresses(url: str, shown: str, folder: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address shows where it leads and never the password; each has a folder of its own for keys."""
    monkeypatch.setenv("LEADLINE_HOME", "/home/me/.leadline")
    monkeypatch.delenv("LEADLINE_KEYS", raising=False)
    address = Address.parse(url)
    assert str(address) == f"postgresql://{shown}"
    assert "secret" not in repr(address)
    if folder and "." not in folder.partition("_")[0]:
        assert address.keys_folder() == Path("/home/me/.leadline/keys") / folder
    monkeypatch.setenv("LEADLINE_KEYS", "/keys")
    assert address.keys_folder() == Path("/keys")


@pytest.mark.parametrize(
    "url",
    ["postgresql://a:secret@h:99999/x", "postgresql://a:secret@h:x/d", "postgresql://u:secret@h/a/b",
     "postgresql://h/x?secret", "postgresql://h/x#secret", "postgresql://a:secret@h1:1,h2:2/x", "postgresql://h/%00"],
)  # fmt: skip
def test_senseless_addresses_are_refused(url: str) -> None:
    """An address that cannot be read is refused without repeating any of it."""
    with pytest.raises(InputError, match="cannot be used") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_no_server_no_database_no_user(postgres_url: str) -> None:
    """What cannot be reached is said, with a remedy and without the password."""
    there, _, _ = postgres_url.rpartition("/")
    for url, said in (
        (f"{there}/nowhere", "no such database"),
        (postgres_url.replace("leadline@", "stranger:secret@"), "does not accept this user"),
        ("postgresql://u:secret@%2Fno%2Fsuch%2Ffolder/x", "cannot be reached"),
    ):
        with pytest.raises(StoreError, match=said) as caught:
            open_store(url)
        assert caught.value.remedy()
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
    with pytest.raises(InputError, match="does not know"):
        open_store(f"{postgres_url}?nonsense=1")


# whose database it is


def test_nothing_is_created_unasked(postgres_url: str, execute: Execute) -> None:
    """With create=False, or reading only, an empty database stays empty."""
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(NotFoundError, match="no registry in this database"):
            open_store(postgres_url, **options)
    assert execute("SELECT to_regnamespace('leadline')::text") == [(None,)]


def test_another_programs_schema_is_refused(postgres_url: str, execute: Execute) -> None:
    """A schema of this name with other tables is left alone; an empty one, and other schemas, are no hindrance."""
    execute("CREATE TABLE public.entry (ix text)")
    execute("CREATE SCHEMA leadline")
    execute("CREATE TABLE leadline.mine (a int)")
    with pytest.raises(StateError, match="belongs to another program"):
        open_store(postgres_url)
    execute("CREATE TABLE leadline.format (application text, version integer)")
    with pytest.raises(StateError, match="belongs to another program"):
        open_store(postgres_url)
    execute("DROP TABLE leadline.mine, leadline.format")
    open_store(postgres_url).close()
    execute("DROP TABLE public.entry")


@pytest.mark.parametrize(("version", "said"), [(2, "upgrade"), (0, "restore")])
def test_other_formats_are_refused(shared: PostgresStore, execute: Execute, version: int, said: str) -> None:
    """A newer format asks for an upgrade; one that never existed is damage."""
    execute(f"UPDATE leadline.format SET version = {version}")
    with pytest.raises((StateError, IntegrityError), match="format") as caught:
        PostgresStore.open(shared.address)
    assert said in str(caught.value)
    execute("UPDATE leadline.format SET version = 1")
    execute("DROP TABLE leadline.blob_chunk")
    with pytest.raises(IntegrityError, match="does not have its tables"):
        PostgresStore.open(shared.address)


def test_an_encoding_that_cannot_hold_the_text_is_refused(cluster: Cluster, postgres_url: str) -> None:
    """A database of another encoding than UTF-8 is refused with the command that makes a right one."""
    cluster.run("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1")
    try:
        with pytest.raises(StateError, match="LATIN1") as caught:
            open_store(cluster.url("latin"))
        assert "createdb --encoding=UTF8" in str(caught.value)
    finally:
        cluster.run("DROP DATABASE latin")


def test_settings_change_no_answer(postgres_url: str, cluster: Cluster, lab: Lab) -> None:
    """Whatever role, database or address set, commits are durable and reads and searches give the same."""
    settings = {
        "search_path": "public", "synchronous_commit": "off", "bytea_output": "escape", "DateStyle": "German",
        "standard_conforming_strings": "off", "default_transaction_isolation": "serializable",
        "transform_null_equals": "on", "gin_fuzzy_search_limit": "1", "client_encoding": "LATIN1",
        "default_transaction_read_only": "on", "extra_float_digits": "-15", "default_text_search_config": "german",
    }  # fmt: skip
    for name, value in settings.items():
        cluster.run(f"ALTER DATABASE tests SET {name} = '{value}'")
    try:
        with PostgresStore.open(postgres_url, projections=[Notes()]) as store:
            small_registry(lab, store)
            lab.study(store, "Café \\ 'quoted'", "naïve 𝛼")
            assert store.put_blob(b"\\x00\x00'") == digest(b"\\x00\x00'")
            assert [row.title for row in search_studies(store, Query("cafe")).studies] == ["Café \\ 'quoted'"]
            assert problems(store, lab) == set()
            with store.transactions.pool.lend() as session:
                assert session.row("SELECT current_setting('synchronous_commit')") == ("on",)
    finally:
        for name in settings:
            cluster.run(f"ALTER DATABASE tests RESET {name}")


def test_a_stronger_promise_is_kept(postgres_url: str, cluster: Cluster) -> None:
    """Where the server is told to wait for its standby, the store does not make it wait for less."""
    cluster.run("ALTER DATABASE tests SET synchronous_commit = 'remote_apply'")
    try:
        with PostgresStore.open(postgres_url) as store, store.transactions.pool.lend() as session:
            assert session.row("SELECT current_setting('synchronous_commit')") == ("remote_apply",)
    finally:
        cluster.run("ALTER DATABASE tests RESET synchronous_commit")


def test_a_role_that_may_only_read(
    shared: PostgresStore, cluster: Cluster, execute: Execute, lab: Lab
) -> None:
    """A role with SELECT alone reads, searches and checks everything; its writes are refused clearly."""
    small_registry(lab, shared)
    execute("CREATE ROLE reader LOGIN")
    try:
        execute("GRANT USAGE ON SCHEMA leadline TO reader")
        execute("GRANT SELECT ON ALL TABLES IN SCHEMA leadline TO reader")
        url = cluster.url("tests", "reader")
        with open_store(url, read_only=True) as store:
            assert problems(store, lab) == set()
            for write in (
                lambda: store.append(lambda view: [], sign=lab.sign),
                lambda: store.put_blob(b"x"),
                lambda: store.shelf.put("s", "k", b""),
                store.rebuild,
                lambda: store.take_down("0" * 64, "no"),
            ):
                with pytest.raises(StateError, match="reading only"):
                    write()
        with open_store(url) as store:
            with pytest.raises(StoreError, match="may not do this"):
                lab.study(store, "Not allowed")
            with pytest.raises(StoreError, match="may not do this"):
                store.shelf.put("s", "k", b"")
            assert store.size() == 16
    finally:
        cluster.empty("tests")
        execute("DROP ROLE reader")


# projections of other versions, and snapshots meanwhile


def test_a_rebuild_by_another_version_is_noticed(shared: PostgresStore, lab: Lab) -> None:
    """A store that is open while another version rebuilds refuses to append to tables it does not know."""
    lab.start(shared)
    PostgresStore.open(shared.address, projections=[Notes()]).close()
    with pytest.raises(StateError, match="meanwhile"):
        lab.study(shared, "After")
    with pytest.raises(StateError, match="another version"):
        PostgresStore.open(shared.address, read_only=True)
    with PostgresStore.open(shared.address) as store:
        assert lab.study(store, "After").index == 2
        assert problems(store, lab) == set()
    with pytest.raises(ValueError, match="same name"):
        PostgresStore.open(shared.address, projections=[Notes(), Notes()])


def test_a_snapshot_outlives_a_rebuild(shared: PostgresStore, lab: Lab) -> None:
    """While somebody reads a snapshot, another rebuilds every table: neither waits, and the reader sees all rows."""
    small_registry(lab, shared)
    before = len(shared.select(STUDY))
    with shared.snapshot() as view:
        thread = threading.Thread(target=shared.rebuild)
        thread.start()
        thread.join(timeout=30)
        assert not thread.is_alive()
        assert len(view.select(STUDY)) == before == 2
        assert search_in(view) == [2, 8]
    assert problems(shared, lab) == set()


def search_in(view: object) -> list[int]:
    """Studies about probes."""
    page = search_studies(view, Query("probes"))  # type: ignore[arg-type]
    return sorted(row.ix for row in page.studies)


# damage


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("UPDATE leadline.entry SET envelope = envelope || ' ' WHERE ix = 3", None),
        ("DELETE FROM leadline.entry WHERE ix = 15", None),
        ("UPDATE leadline.node SET hash = decode(repeat('00', 32), 'hex') WHERE ix = 5", None),
        ("DELETE FROM leadline.checkpoint WHERE size = (SELECT max(size) FROM leadline.checkpoint)", None),
        ("UPDATE leadline.blob SET content = 'x' WHERE content IS NOT NULL", None),
        ("UPDATE leadline.blob_chunk SET data = 'x' WHERE n = 1", None),
        ("DELETE FROM leadline.blob_chunk WHERE n = 1", None),
        ("INSERT INTO leadline.blob_chunk VALUES ('x', 0, 'x')", "blob-stray"),
        ("UPDATE leadline.study SET title = 'Another'", "projection-row"),
        ("DELETE FROM leadline.leaf WHERE ix = 3", "projection-row"),
        ("INSERT INTO leadline.study_text VALUES (77, 'a:1')", "projection-row"),
        ("UPDATE leadline.study_text SET words = words || 'added:9'", "projection-row"),
        ("DELETE FROM leadline.study_text WHERE ix = 2", "projection-row"),
        ("UPDATE leadline.projection SET stamp = 'x' WHERE name = 'search'", "projection-row"),
        ("CREATE TABLE leadline.more (a int)", "schema-unknown"),
        ("CREATE VIEW leadline.more AS SELECT 1 AS a", "schema-unknown"),
        ("ALTER TABLE leadline.study ADD extra text", "schema-altered"),
        ("CREATE RULE quiet AS ON DELETE TO leadline.entry DO INSTEAD NOTHING", "schema-unknown"),
        ("DROP INDEX leadline.study_text_words_idx", "schema-altered"),
        ("ALTER TABLE leadline.node DROP CONSTRAINT node_pkey", "schema-altered"),
        ("ALTER TABLE leadline.study ALTER title SET DEFAULT 'none'", "schema-unknown"),
    ],
)  # fmt: skip
def test_damage_is_found(
    shared: PostgresStore, execute: Execute, lab: Lab, sql: str, code: str | None
) -> None:
    """Rows, tables and indexes changed behind the store's back are named by fsck."""
    small_registry(lab, shared)
    shared.put_blob(bytes(range(256)) * 8192)
    assert problems(shared, lab) == set()
    execute(sql)
    found = problems(shared, lab)
    assert found
    assert code is None or found == {code}


def test_altered_bytes_are_never_read(shared: PostgresStore, execute: Execute, lab: Lab) -> None:
    """Entries and blobs, small and large, are checked on every read."""
    small_registry(lab, shared)
    small, large = shared.put_blob(b"small"), shared.put_blob(b"large" * 500_000)
    execute("UPDATE leadline.entry SET envelope = envelope || ' ' WHERE ix = 3")
    execute("UPDATE leadline.blob SET content = 'SMALL' WHERE content = 'small'")
    execute("UPDATE leadline.blob_chunk SET data = set_byte(data, 7, 0) WHERE n = 2")
    for read in (
        lambda: shared.entry(3),
        lambda: list(shared.entries()),
        lambda: shared.entry_bundle(0, 5),
        lambda: shared.blob(small),
        lambda: shared.open_blob(small),
        lambda: shared.blob(large),
        lambda: shared.open_blob(large),
    ):
        with pytest.raises(IntegrityError, match="altered"):
            read()
    with pytest.raises(IntegrityError, match="newest signed checkpoint"):
        shared.rebuild()


def test_a_tree_that_contradicts_its_checkpoint_does_not_sign(
    postgres_url: str, execute: Execute, lab: Lab
) -> None:
    """A damaged tree node stops signing; rebuild mends it, because the signed root proves the entries."""
    with open_store(postgres_url) as store:
        small_registry(lab, store)
    execute("UPDATE leadline.node SET hash = decode(repeat('00', 32), 'hex') WHERE ix = 30")
    execute("INSERT INTO leadline.node VALUES (999, 'x')")
    with open_store(postgres_url) as store:
        with pytest.raises(IntegrityError, match="newest signed checkpoint"):
            lab.study(store, "After")
        assert store.rebuild().nodes == 2
        assert lab.study(store, "After").index == 16
        assert problems(store, lab) == set()


def test_a_restored_backup_does_not_sign(postgres_url: str, execute: Execute, lab: Lab) -> None:
    """With an older database than the checkpoint this machine remembers, reads work and appends are refused."""
    with open_store(postgres_url) as store:
        small_registry(lab, store)
        lab.study(store, "Since the backup")
    execute("DELETE FROM leadline.entry WHERE ix = 16")
    execute("DELETE FROM leadline.node WHERE ix >= (SELECT 2 * 16 - 1)")
    execute("DELETE FROM leadline.checkpoint WHERE size = 17")
    execute("TRUNCATE leadline.projection")
    with open_store(postgres_url) as store:
        assert store.size() == 16
        with pytest.raises(IntegrityError, match="restored backup"):
            lab.study(store, "After the restore")
        assert problems(store, lab) == {"remembered-checkpoint"}


def test_taken_down_bytes_leave_the_tables(shared: PostgresStore, execute: Execute) -> None:
    """After a takedown no row holds the bytes, nor does any chunk."""
    name = shared.put_blob(b"regret" * 400_000)
    assert execute("SELECT count(*) FROM leadline.blob_chunk") == [(3,)]
    shared.take_down(name, "personal data")
    assert execute("SELECT count(*) FROM leadline.blob_chunk") == [(0,)]
    assert execute("SELECT count(*) FROM leadline.blob WHERE content LIKE 'regret%'::bytea") == [(0,)]


# sharing connections


def test_more_threads_than_connections(shared: PostgresStore, lab: Lab) -> None:
    """Fifty threads read and append at once through sixteen connections."""
    lab.start(shared)
    sizes: list[int] = []

    def work(name: int) -> None:
        if name % 5 == 0:
            lab.study(shared, f"Study {name}")
        sizes.append(shared.size())

    threads = [threading.Thread(target=work, args=(name,)) for name in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sizes) == 50
    assert shared.size() == 12


def test_waiting_for_a_connection_ends(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds every connection in use for too long is told so."""
    from leadline.store.postgres import transactions as module

    monkeypatch.setattr(module, "MOST_CONNECTIONS", 1)
    with PostgresStore.open(postgres_url, timeout=0.2) as store:
        caught: list[Explained] = []

        def read() -> None:
            try:
                store.size()
            except StoreError as error:
                caught.append(error)

        with store.snapshot():
            thread = threading.Thread(target=read)
            thread.start()
            thread.join()
        assert "connections of this process are in use" in caught[0].message
        assert store.size() == 0


# words


WORDS = st.text(
    st.sampled_from("abcdeilnorstuyzXÉéüßñΣσςжЙ019-_'.,/ \t\u0301\u0000")
    | st.characters(max_codepoint=0x24F),
    max_size=60,
)


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_words_are_cut_as_by_the_other_engine(texts: list[str]) -> None:
    """Words of Latin, Greek and Cyrillic text are cut, folded and stemmed exactly as FTS5 does."""
    texts = [text.replace("\0", " ") for text in texts if not set(text) & EXOTIC]
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize='porter unicode61 remove_diacritics 2')")
        db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")
        db.executemany("INSERT INTO t (rowid, x) VALUES (?, ?)", enumerate(texts))
        for row, text in enumerate(texts):
            terms = db.execute("SELECT term FROM v WHERE doc = ? ORDER BY offset", (row,)).fetchall()
            assert words_of(text) == [
                term if len(term.encode()) <= LONGEST else words_of(term)[0] for (term,) in terms
            ]


#: A vowel with two accents, and letters that are younger than the other engine's tables.
EXOTIC = set("\u01e0\u01e1\u037f\u0528\u052a\u052c\u052e\u1e9b")


def test_english_words_are_stemmed_as_by_the_other_engine() -> None:
    """A vocabulary with every suffix of the algorithm has the same stems in both engines."""
    stems = "relat condit valenc hesit digit conform radic differ vile analog vietnam predic oper feudal decis hope call"
    suffixes = (
        "s es ed ing ational tional enci anci izer bli alli entli eli ousli ization ation ator alism iveness fulness "
        "ousness aliti iviti biliti logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement "
        "ment ent sion tion ou ism ate iti ous ive ize e y ies sses eed ll"
    )
    words = [a + b + c for a in stems.split() for b in suffixes.split() for c in ("", "s", "ed", "ing", "ly")]
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize='porter unicode61')")
        db.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")
        db.execute("INSERT INTO t VALUES (?)", (" ".join(words),))
        expected = [term for (term,) in db.execute("SELECT term FROM v ORDER BY offset")]
    assert words_of(" ".join(words)) == expected
    assert len(words) > 4000


def test_a_text_of_twenty_thousand_long_words_is_indexed(shared: PostgresStore, lab: Lab) -> None:
    """The longest text that is indexed, of words as long as they come, fits, and its last word is found."""
    lab.start(shared)
    words = [f"{number:x}".rjust(150, "q") for number in range(19_000)]
    text = " ".join([*words, "ſomewhere", "at", "the", "end"])
    protocol = json.dumps({"text": text}).encode()
    lab.add(shared, lab.freeze("Long", protocol), blobs=(protocol,))
    for query in ("somewhere", words[-1], words[0]):
        assert [row.title for row in search_studies(shared, Query(query)).studies] == ["Long"]
    assert not search_studies(shared, Query("q" * 150)).studies
    assert problems(shared, lab) == set()
