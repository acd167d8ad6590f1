"""Opening registries by their address: files and PostgreSQL, with the keys that belong to them."""

import shutil
import threading
from pathlib import Path

import pytest

from leadline.errors import Explained, KeyFileError, NotFoundError, StateError, StoreError
from leadline.ledger.keys import SigningKey
from leadline.registry.home import INSTALLATION_KEY, PUBLIC, load_home, make_home
from leadline.registry.places import default_store, shared_keys
from leadline.registry.registry import Registry
from leadline.store.projections.authority import keys

AUTHOR = SigningKey.generate("ada")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a registry that does not exist yet, on either engine."""
    if request.param == "sqlite":
        return str(tmp_path / "registry.db")
    found: str = request.getfixturevalue("postgres_url")
    return found


def test_a_new_registry_announces_its_keys(url: str) -> None:
    """The first entries are the keys of service, log and installation; opening again adds nothing."""
    for _ in range(2):
        with Registry.open(url) as registry:
            assert [(record.role, record.holder_kind) for record in keys(registry.store)] == [
                ("service", "service"), ("log", "service"), ("author", "service"),
            ]  # fmt: skip
            assert registry.store.size() == 3
            assert registry.home.installation is not None
            assert registry.home.witness is None
            assert list(registry.fsck()) == []


def test_nothing_is_made_unasked(url: str) -> None:
    """Where nothing is, reading or create=False says so and makes neither store nor keys."""
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(NotFoundError, match="no registry"):
            Registry.open(url, **options)
    with Registry.open(url) as registry:
        assert registry.store.size() == 3


def test_keys_made_on_first_need_stay(tmp_path: Path) -> None:
    """A key that is missing is made once, with its role, and read back; without private keys it is refused."""
    home = make_home(tmp_path, "example.org/log")
    first = home.ensure("witness")
    assert (first.role, first.name) == ("witness", "example.org/log/witness")
    assert home.ensure("witness") is home.witness is first
    again = load_home(tmp_path)
    assert (again.witness, again.ensure("installation")) == (first, home.installation)
    (tmp_path / INSTALLATION_KEY).unlink()
    assert load_home(tmp_path).installation is None
    for private in tmp_path.glob("*.key"):
        private.unlink()
    reader = load_home(tmp_path)
    with pytest.raises(StateError, match="private keys are not here"):
        reader.ensure("installation")


def test_a_registry_from_before_installation_keys_opens(tmp_path: Path) -> None:
    """Where the folder has no installation key, the registry opens, and one can be had."""
    path = tmp_path / "registry.db"
    Registry.open(path).close()
    (tmp_path / "registry.db.keys" / INSTALLATION_KEY).unlink()
    with Registry.open(path, AUTHOR) as registry:
        assert registry.home.installation is None
        registry.register_key("Ada")
        assert registry.home.ensure("installation").role == "author"


def test_keys_of_a_shared_registry(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine with the keys writes; one with the public key, or none, reads; one with other keys is refused."""
    folder = shared_keys(postgres_url)
    with Registry.open(postgres_url, AUTHOR) as registry:
        origin = registry.home.origin
        registry.register_key("Ada")
    assert {path.name for path in folder.iterdir()} >= {"log.key", "service.key", PUBLIC, "newest.checkpoint"}

    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("LEADLINE_KEYS", str(elsewhere))
    for _ in range(2):
        with Registry.open(postgres_url, AUTHOR) as registry:
            assert (registry.home.origin, registry.home.signing) == (origin, None)
            assert registry.store.size() == 4
            assert list(registry.fsck()) == []
            with pytest.raises(StateError, match="private log key is not here"):
                registry.revoke_key("lost")
        elsewhere.mkdir(exist_ok=True)
        shutil.copy(folder / PUBLIC, elsewhere / PUBLIC)

    strange = tmp_path / "strange"
    make_home(strange)
    monkeypatch.setenv("LEADLINE_KEYS", str(strange))
    with pytest.raises(KeyFileError, match="not of the log in this database"):
        Registry.open(postgres_url)


def test_of_many_that_open_a_new_registry_one_founds_it(url: str) -> None:
    """Several threads that open a new registry at once get the same one, with its keys announced once."""
    Path(url).parent.mkdir(exist_ok=True) if "://" not in url else None
    opened: list[Registry] = []
    refused: list[Explained] = []

    def work() -> None:
        try:
            opened.append(Registry.open(url))
        except Explained as error:
            refused.append(error)

    if "://" not in url:
        Registry.open(url).close()  # a file is made by one; only the shared engine promises more
    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert len({registry.home.origin for registry in opened}) == 1
    assert opened[0].store.size() == 3
    for registry in opened:
        registry.close()


def test_keys_made_on_two_machines_at_once(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made keys for an empty database that another founds meanwhile is refused, and signs nothing."""
    from leadline.registry import opening

    monkeypatch.setenv("LEADLINE_KEYS", str(tmp_path / "second"))
    make = opening.make_home

    def overtaken(folder: Path, origin: str | None) -> object:
        home = make(folder, origin)
        with monkeypatch.context() as patch:
            patch.setattr(opening, "make_home", make)
            patch.setenv("LEADLINE_KEYS", str(tmp_path / "first"))
            Registry.open(postgres_url).close()
        return home

    monkeypatch.setattr(opening, "make_home", overtaken)
    with pytest.raises(KeyFileError, match="not of the log"):
        Registry.open(postgres_url)
    monkeypatch.setattr(opening, "make_home", make)
    monkeypatch.setenv("LEADLINE_KEYS", str(tmp_path / "first"))
    with Registry.open(postgres_url) as registry:
        assert registry.store.size() == 3
        assert list(registry.fsck()) == []


def test_an_address_may_be_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """$LEADLINE_STORE may hold an address; a path stays a path."""
    monkeypatch.setenv("LEADLINE_STORE", "postgresql://db/registry")
    assert default_store() == "postgresql://db/registry"
    monkeypatch.setenv("LEADLINE_STORE", "/var/registry.db")
    assert default_store() == Path("/var/registry.db")


def test_a_password_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server refuses, neither message nor cause holds the password."""
    with pytest.raises(StoreError) as caught:
        Registry.open("postgresql://ada:swordfish@%2Fno%2Fsuch/registry")
    error: BaseException | None = caught.value
    assert "swordfish" not in str(error)
    assert error.__suppress_context__


def test_a_new_registry_is_its_owner_s_alone(tmp_path: Path) -> None:
    """Plans that are not public yet are in it: database, blobs and a folder made for them are private."""
    place = tmp_path / "new" / "registry.db"
    with Registry.open(place) as registry:
        registry.store.put_blob(b"x" * 3_000_000)
    public = (".vkey", ".checkpoint")
    assert place.parent.stat().st_mode & 0o077 == 0
    assert [
        path for path in place.parent.rglob("*") if path.stat().st_mode & 0o007 and path.suffix not in public
    ] == []
