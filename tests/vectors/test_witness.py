"""The torchwood witness scripts, replayed against the witness's HTTP routes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from starlette.applications import Starlette
from starlette.testclient import TestClient

from leadline.ledger.cosignature import Ed25519Cosigner, verified_cosignatures
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.registry.witnessing import Witness, follow, followed
from leadline.store.shelf import MemoryShelf
from leadline.web import witness as web

pytestmark = pytest.mark.vectors

#: The scripts answer 403 for a log nobody knows; the present specification says 404.
KNOWN_DIFFERENCE = ("unknown log", 403, 404)


@dataclass(frozen=True)
class Exchange:
    """One request of a script, the status it expects, and what it asserts of the body."""

    body: bytes
    status: int
    contains: str | None
    equals: str | None


def _files(script: str) -> dict[str, str]:
    """The files of a txtar archive, and the script itself under an empty name."""
    parts = re.split(r"^-- (.+) --\n", script, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def _exchanges(hurl: str) -> Iterator[Exchange]:
    pattern = r"^POST \S+/add-checkpoint\n```\n([^`]*)```\nHTTP (\d+)\n\[Asserts\]\nbody (contains|==) \"([^\n]*)\"$"
    for body, status, kind, text in re.findall(pattern, hurl, re.MULTILINE):
        said = text.replace("\\n", "\n")
        yield Exchange(
            body.encode(),
            int(status),
            said if kind == "contains" else None,
            None if kind == "contains" else said,
        )


def _log(files: dict[str, str]) -> tuple[VerifyKey, str]:
    """The log a script sets up, and its origin."""
    if found := re.search(r"add-sigsum-log -key=(\w+)", files[""]):
        public = bytes.fromhex(found[1])
        (origin,) = set(
            re.findall(r"^sigsum\.org/v1/tree/\w+562$", files["add-checkpoint.hurl"], re.MULTILINE)
        )
        return VerifyKey(origin, public), origin
    found = re.search(r"add-key -origin '(.+)' -key (\S+)", files[""])
    assert found is not None
    return VerifyKey.parse(found[2]), found[1]


@pytest.mark.parametrize(
    ("name", "count", "size"), [("litewitness", 9, 5), ("sumdb", 1, 35225469), ("bastion", 1, 1)]
)
def test_witness_scripts(
    shared_data: Path, name: str, count: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every status and body is as the script says; what is cosigned verifies and is remembered."""
    files = _files((shared_data / f"trust/tlog_witness_torchwood/{name}.txt").read_text())
    private: Any = load_ssh_private_key(files["witness_key.pem"].encode(), None)
    key = SigningKey("example.com/witness", "witness", private.private_bytes_raw())
    shelf = MemoryShelf()
    witness = Witness(shelf, [Ed25519Cosigner(key)], lambda: datetime(2026, 3, 1, tzinfo=UTC))
    log, origin = _log(files)
    follow(shelf, log, origin)
    monkeypatch.setattr(web, "witness_of", lambda registry: witness)
    site: Any = SimpleNamespace(registry=None)
    client = TestClient(Starlette(routes=list(web.routes(site))))
    exchanges = list(_exchanges(files["add-checkpoint.hurl"]))
    assert len(exchanges) == count
    differences = 0
    for one in exchanges:
        answer = client.post("/witness/add-checkpoint", content=one.body)
        expected = one.status
        if one.contains == KNOWN_DIFFERENCE[0]:
            assert one.status == KNOWN_DIFFERENCE[1]
            expected = KNOWN_DIFFERENCE[2]
            differences += 1
        assert answer.status_code == expected, answer.text
        if one.contains is not None:
            assert one.contains in answer.text
        if one.equals is not None:
            assert answer.text == one.equals
            assert answer.headers["content-type"] == "text/x.tlog.size"
        if answer.status_code == 200:
            note = one.body.partition(b"\n\n")[2] + answer.content
            assert [found.key.name for found in verified_cosignatures(note, witness.keys)] == [key.name]
    assert differences == (1 if name == "litewitness" else 0)
    assert [(log.origin, log.size) for log in followed(shelf)] == [(origin, size)]
