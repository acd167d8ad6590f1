"""Secrets and personal data in logs are found before they are published, and nothing is cried wolf about."""

import json
import random
import string
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError
from leadline.registry.scan import CODES, require_clean, scan_logs
from leadline.registry.scan.shapes import SHAPES
from logs.factory import sample, write_eval

LETTERS = string.ascii_letters + string.digits


def random_text(seed: int, length: int, alphabet: str = LETTERS) -> str:
    """Random text, made here so that no file of this project holds what looks like a secret."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


SECRETS: dict[str, tuple[str, str]] = {
    "openai": ("secret.api-key", "sk-" + "proj-" + random_text(1, 48)),
    "anthropic": ("secret.api-key", "sk-ant-" + "api03-" + random_text(2, 80)),
    "aws": ("secret.api-key", "AKIA" + random_text(3, 16, string.ascii_uppercase + string.digits)),
    "google": ("secret.api-key", "AIza" + random_text(4, 35)),
    "hugging face": ("secret.api-key", "hf_" + random_text(5, 34)),
    "github": ("secret.api-key", "ghp_" + random_text(6, 36)),
    "gitlab": ("secret.api-key", "glpat-" + random_text(7, 20)),
    "slack": ("secret.api-key", "xoxb-" + random_text(8, 40)),
    "private key": ("secret.private-key", "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE"),
    "age": ("secret.private-key", "AGE-SECRET-" + "KEY-1" + random_text(9, 58, string.ascii_uppercase)),
    "jwt": ("secret.token", f"eyJ{random_text(10, 30)}.eyJ{random_text(11, 60)}.{random_text(12, 43)}"),
    "bearer": ("secret.token", "Authorization: Bearer " + random_text(13, 40)),
    "environment": ("secret.password", "MY_SERVICE_API_KEY=" + random_text(14, 32)),
    "database": ("secret.password", "postgresql://ada:" + random_text(15, 12) + "@db.internal.net/prod"),
    "email": ("personal.email", "ada.lovelace@analytical-engine.co.uk"),
    "phone": ("personal.phone", "+44 20 7946 0958"),
    "home": ("personal.home-path", "/home/lovelace/run.py"),
    "windows": ("personal.home-path", "C:\\Users\\lovelace\\run.py"),
}

HARMLESS = (
    "someone@example.com", "noreply@github.com", "@property", "a+b@c", "5 + 34 567 89 12", "2+2 4", "sk-learn-contrib-py",
    "task-1234567890abcdefghijklmnop", "/home/user/x", "https://example.org:8080/path@2x", "https://host/a:b@c",
    "ghp_short", "eyJub3QuYS50b2tlbg", "hf_transfer", "AKIA", "+1 202 555 0123", "-----BEGIN PUBLIC KEY-----",
    "sk-aaaaaaaaaaaaaaaaaaaaaaaaaa", "postgresql://user:password@db/x", "version 1.2.3+4 5",
)  # fmt: skip


def log_with(folder: Path, text: str, **fields: Any) -> Path:
    """A log in which one sample's answer holds a text."""
    return write_eval(
        folder / "a.eval", samples=[sample("one"), sample("two", input=f"say: {text} .", **fields)]
    )


@pytest.mark.parametrize("name", SECRETS)
def test_it_is_found_with_its_place_and_masked(name: str, tmp_path: Path) -> None:
    """Each shape is found in a log, with the member and the path, and the whole value is shown nowhere."""
    code, text = SECRETS[name]
    found = scan_logs(log_with(tmp_path, text)).findings
    assert {one.code for one in found} == {code}
    places = {(one.member, one.path) for one in found}
    assert ("samples/two_epoch_1.json", "/input") in places
    if code != "personal.home-path":
        assert all(text not in str(one) and text not in one.shown for one in found)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_is_let_through(text: str, tmp_path: Path) -> None:
    """Reserved addresses, decorators, sums, placeholders and public keys are no findings."""
    assert scan_logs(log_with(tmp_path, text)).findings == ()


def test_samples_that_a_later_run_replaced_are_searched_too(tmp_path: Path) -> None:
    """The bytes of a replaced sample stay in the file and would be published with it."""
    from logs.factory import archive

    path = log_with(tmp_path, "nothing")
    from leadline.logs.container import Archive
    from leadline.logs.source import opened

    with opened(path) as source:
        found = Archive(source)
        members = [(name, json.loads(found.read(name))) for name in found.members]
    secret = SECRETS["github"][1]
    bad = dict(next(body for name, body in members if name.startswith("samples/two")), input=secret)
    path = archive(tmp_path / "b.eval", [("samples/two_epoch_1.json", bad), *members])
    assert [one.code for one in scan_logs(path).findings] == ["secret.api-key"]


def test_files_of_every_form_are_searched(tmp_path: Path) -> None:
    """A .json log, a damaged container and any other file are searched as they are; folders are walked."""
    secret = SECRETS["openai"][1]
    (tmp_path / "a.json").write_text(json.dumps({"eval": [{"x": f"{secret}"}]}))
    (tmp_path / "b.eval").write_bytes(b"PK\x03\x04 damaged " + secret.encode())
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.txt").write_text(secret)
    found = scan_logs(tmp_path)
    assert [(one.file, one.path) for one in found.findings] == [
        ("a.json", "/eval/0/x"),
        ("b.eval", ""),
        ("c.txt", ""),
    ]
    assert (found.files, found.totals) == (3, {"secret.api-key": 3})


def test_attaching_stops_unless_the_code_is_allowed(tmp_path: Path) -> None:
    """Secrets and personal data block, home folders are only mentioned, and allowing is by code."""
    clean = scan_logs(log_with(tmp_path, "/home/lovelace/run.py"))
    require_clean(clean)
    assert len(clean.findings) == 1
    path = log_with(tmp_path, f"{SECRETS['email'][1]} and {SECRETS['github'][1]}")
    found = scan_logs(path)
    with pytest.raises(InputError, match="1 more") as caught:
        require_clean(found)
    assert "--allow-finding personal.email --allow-finding secret.api-key" in str(caught.value)
    require_clean(found, ["personal.email", "secret.api-key"])
    with pytest.raises(InputError, match="no finding 'everything'"):
        require_clean(found, ["everything"])
    assert [one.code for one in scan_logs(path).secrets] == ["secret.api-key"]


def test_every_code_is_explained_and_has_a_shape() -> None:
    """The list of codes is exactly what the shapes may say."""
    assert {shape.code for shape in SHAPES} == set(CODES)


@pytest.mark.parametrize(
    "filler", ["@", "a", "a@", "://", "sk-", "eyJ", "eyJaaaaaaaaaaaa.", "+1 22", "_API_KEY", "-----BEGIN "]
)
def test_hostile_repetition_costs_no_more_than_its_length(filler: str) -> None:
    """Steps are bounded per byte: each shape looks at no more than a few thousand bytes around an anchor."""
    text = (filler * (200_000 // len(filler))).encode()
    for shape in SHAPES:
        assert sum(1 for _ in shape.values(text)) <= len(text)


def test_findings_are_bounded(tmp_path: Path) -> None:
    """A log full of addresses gives a bounded list and the true total of what was listed."""
    text = " ".join(f"person{i}@some-lab.ac.uk" for i in range(1000))
    found = scan_logs(log_with(tmp_path, text))
    assert len(found.findings) <= 200
    assert found.totals["personal.email"] >= len(found.findings)
