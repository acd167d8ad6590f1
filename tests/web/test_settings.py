"""Settings of a server: defaults that are safe, every mistake named with its place, secrets never shown."""

from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, NotFoundError
from leadline.ledger.cosignature import CosignerKey
from leadline.ledger.keys import SigningKey
from leadline.web.serving import warnings
from leadline.web.settings import Quotas, Settings, is_loopback, redacted

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "leadline.toml"
KEY = SigningKey.generate("example.org/ada").public


def load(tmp_path: Path, text: str, environ: dict[str, str] | None = None, **given: Any) -> Settings:
    """Settings from a file with this text."""
    path = tmp_path / "leadline.toml"
    path.write_text(text, encoding="utf-8")
    return Settings.load(path, environ or {}, **given)


def test_the_defaults_serve_this_machine_alone_and_nobody_writes() -> None:
    """Without any setting the server is local, and only listed keys, of which there are none, may write."""
    settings = Settings()
    assert (settings.loopback, settings.access, settings.allowed_keys) == (True, "listed", ())
    assert settings.address == "http://127.0.0.1:8300"
    assert list(warnings(settings)) == []


def test_the_example_in_the_documentation_is_valid_and_names_every_setting() -> None:
    """The commented example loads, and each setting is explained in it."""
    settings = Settings.load(EXAMPLE, {})
    assert settings.base_url == "https://registry.example.org"
    assert list(warnings(settings)) == []
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in Settings().shown():
        assert name == "source" or name in text, name


def test_options_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """Each source overlays the one before; what is given as None counts as absent."""
    text = 'port = 1000\nname = "from the file"\nhost = "::1"'
    settings = load(
        tmp_path, text, {"LEADLINE_PORT": "2000", "LEADLINE_NAME": "from there"}, port=3000, name=None
    )
    assert (settings.port, settings.name, settings.host) == (3000, "from there", "::1")
    assert settings.address == "http://[::1]:3000"


def test_units_and_lists_are_read(tmp_path: Path) -> None:
    """Sizes, times, lists and tables have readable forms, in a file and in the environment."""
    settings = load(
        tmp_path,
        f"""
        max_blob_bytes = "2 GiB"
        tend_every = "6h"
        bulk_every = 60
        allowed_keys = ["{KEY.vkey}", "{"0" * 64}"]
        quotas = {{ statements_per_hour = 5, statements_burst = 2, bytes_per_day = "1 GiB" }}
        witnesses = [{{ url = "https://witness.example.org/", vkey = "{KEY.vkey}" }}]
        """,
        {"LEADLINE_ALLOWED_HOSTS": "a.example.org, *.b.example.org", "LEADLINE_MCP": "no"},
    )
    assert (settings.max_blob_bytes, settings.tend_every, settings.bulk_every) == (2 << 30, 21_600, 60)
    assert settings.allowed_keys == (KEY.fingerprint, "0" * 64)
    assert settings.quotas == Quotas(5, 2, 1 << 30)
    assert (settings.witnesses[0].url, settings.mcp) == ("https://witness.example.org", False)
    assert settings.hosts[-2:] == ("a.example.org", "*.b.example.org")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("prot = 1", "did you mean port"), ("port = 70000", "0 to 65,535"), ('port = "x"', "whole number"), ("port = true", "whole"),
        ('access = "all"', "open, listed, invited"), ('base_url = "registry.example.org"', "address of a server"),
        ('base_url = "https://a/b"', "no path"), ('base_url = "https://u:p@a"', "no path"), ('base_url = "https://a:99999"', "address"),
        ('allowed_keys = ["x"]', "public key"), ("allowed_keys = 3", "a list"), ('max_blob_bytes = "2 cubits"', "number of bytes"),
        ("max_blob_bytes = -1", "number of bytes"), ('tend_every = "soon"', "seconds"), ("mcp = 1", "true or false"),
        ('store = "mysql://x"', "postgresql"), ('store = ""', "not empty"), ('trusted_proxy = ["proxy"]', "address of the proxy"),
        ("quotas = { per_hour = 3 }", "per_hour"), ('quotas = { bytes_per_day = "x" }', "bytes_per_day"), ("quotas = 3", "table"),
        ("quotas = { statements_per_hour = 0 }", "none per hour"), ("port =", "not TOML"), ('name = "a\\nb"', "one line"),
        ('witnesses = [{ url = "https://a" }]', "url and vkey"), ('host = "a b"', "host name"), ("keys = 3", "a path"),
        (f'access = "open"\nallowed_keys = ["{KEY.vkey}"]', "keys are listed"), ("metrics = true", "local, open, off"),
    ],
)  # fmt: skip
def test_every_mistake_in_a_file_is_named(tmp_path: Path, text: str, what: str) -> None:
    """An unknown name or impossible value is an error with the file, the reason and a remedy."""
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert what in str(caught.value)
    assert "leadline.toml" in str(caught.value)
    assert caught.value.remedy()


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("LEADLINE_ACESS", "open", "did you mean access"), ("LEADLINE_PORT", "eighty", "whole number"),
        ("LEADLINE_MCP", "perhaps", "true or false"), ("LEADLINE_QUOTAS", "1", "is a table"),
    ],
)  # fmt: skip
def test_every_mistake_in_the_environment_is_named(name: str, value: str, what: str) -> None:
    """A misspelt variable is an error too; those that belong to other commands are left alone."""
    with pytest.raises(InputError, match=what) as caught:
        Settings.load(None, {name: value})
    assert name in str(caught.value)
    others = {"LEADLINE_HOME": "/x", "LEADLINE_KEY": "k", "LEADLINE_DEBUG": "1", "PORT": "x"}
    assert Settings.load(None, others) == Settings()


def test_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    """A missing file, a folder, and bytes that are no text are errors of the tree."""
    with pytest.raises(NotFoundError):
        Settings.load(tmp_path / "none.toml", {})
    with pytest.raises(NotFoundError):
        Settings.load(tmp_path, {})
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError):
        Settings.load(tmp_path / "bad.toml", {})
    (tmp_path / "long.toml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(InputError, match="too long"):
        Settings.load(tmp_path / "long.toml", {})
    (tmp_path / "deep.toml").write_text("x = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(InputError):
        Settings.load(tmp_path / "deep.toml", {})


@pytest.mark.parametrize(
    "address",
    ["postgresql://leadline:hunter2@db:5432/registry", "postgresql://db/registry?password=hunter2&user=x"],
)
def test_a_password_is_shown_nowhere(address: str) -> None:
    """Neither the settings' text, nor what `--check` prints, nor an address for the journal has the password."""
    settings = Settings(store=address)
    for shown in (repr(settings), str(settings.shown()), redacted(address)):
        assert "hunter2" not in shown
    assert "db" in redacted(address)
    assert redacted("registry.db") == "registry.db"
    assert "hunter2" not in redacted("postgresql://u:hunter2@[bad/x")


def test_an_address_others_can_reach_needs_a_name() -> None:
    """Beyond this machine a server is told its public address, or that it is only for development."""
    with pytest.raises(InputError, match="base_url"):
        list(warnings(Settings(host="0.0.0.0")))
    assert any("insecure" in said for said in warnings(Settings(host="0.0.0.0", insecure=True)))
    said = " ".join(
        warnings(
            Settings(host="0.0.0.0", base_url="http://a.example.org", access="open", allowed_hosts=("*",))
        )
    )
    for word in ("not encrypted", "everybody", "another host", "trusted_proxy"):
        assert word in said


@pytest.mark.parametrize(("host", "local"), [("127.0.0.2", True), ("::1", True), ("[::1]", True), ("localhost", True),
                                             ("0.0.0.0", False), ("::", False), ("example.org", False)])  # fmt: skip
def test_what_counts_as_this_machine(host: str, local: bool) -> None:
    """Loopback addresses and their usual name are this machine, everything else is not."""
    assert is_loopback(host) is local


def test_a_witness_is_named_by_the_key_it_hands_out(tmp_path: Path) -> None:
    """The cosigner's form of a key, which `witness init` prints, is taken like the plain one; other text is refused."""
    path = tmp_path / "leadline.toml"
    for vkey in (KEY.vkey, CosignerKey.of(KEY).vkey):
        path.write_text(f'witnesses = [{{ url = "https://witness.example.org/", vkey = "{vkey}" }}]')
        (peer,) = Settings.load(path, {}).witnesses
        assert peer.vkey == vkey
    path.write_text('witnesses = [{ url = "https://witness.example.org/", vkey = "nonsense" }]')
    with pytest.raises(InputError, match="witness init"):
        Settings.load(path, {})
