"""`leadline key sign`: what a server drafted is signed only when it is a statement, and for this key."""

import json
from pathlib import Path

import pytest

from cli.shell import leadline
from leadline.ledger import dsse, keyfile
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """An author's key, in its file."""
    signing = SigningKey.generate("example.org/ada")
    keyfile.save(signing, tmp_path / "ada.key")
    return signing


def a_draft(tmp_path: Path, payload: bytes, keyid: str) -> Path:
    """A draft as a server's answer holds it."""
    asked = {"payload_type": dsse.PAYLOAD_TYPE, "keyid": keyid, "payloads": [b64encode(payload)]}
    path = tmp_path / "draft.json"
    path.write_text(json.dumps({"status": "to_sign", "to_sign": asked}))
    return path


def a_statement() -> bytes:
    """A statement that needs no study."""
    said = {
        "type": "trust",
        "target": "model x",
        "text": "seen its recipe",
        "created": "2026-03-01T10:00:00Z",
    }
    return make("judgement", said)


def test_a_statement_is_shown_and_signed(tmp_path: Path, key: SigningKey) -> None:
    """The envelope verifies, and what it says is named on standard error."""
    draft = a_draft(tmp_path, a_statement(), key.fingerprint)
    done = leadline("key", "sign", str(draft), "--key", str(tmp_path / "ada.key"), "--json", status=None)
    assert done.status == 0, done.err
    (envelope,) = json.loads(done.out)["envelopes"]
    opened = dsse.decode(b64decode(envelope.encode()))
    dsse.check_signature(opened, key.public)
    assert "judgement of" in done.err
    assert " sha256 " in done.err


def test_a_draft_for_another_key_is_refused(tmp_path: Path, key: SigningKey) -> None:
    """Nobody is made to sign in another's name."""
    draft = a_draft(tmp_path, a_statement(), "0" * 64)
    done = leadline("key", "sign", str(draft), "--key", str(tmp_path / "ada.key"), status=None)
    assert done.status == 5
    assert "another key" in done.err


@pytest.mark.parametrize("payload", [b"any bytes", b'{"_type": "elsewhere"}'])
def test_only_statements_are_signed(tmp_path: Path, key: SigningKey, payload: bytes) -> None:
    """Bytes that are no statement get no signature."""
    draft = a_draft(tmp_path, payload, key.fingerprint)
    done = leadline("key", "sign", str(draft), "--key", str(tmp_path / "ada.key"), status=None)
    assert done.status == 3
    assert done.out == ""


@pytest.mark.parametrize("text", ["[]", "{}", '{"to_sign": 1}', "not json"])
def test_other_files_are_no_drafts(tmp_path: Path, key: SigningKey, text: str) -> None:
    """A file that is no draft is an error with a remedy."""
    path = tmp_path / "draft.json"
    path.write_text(text)
    done = leadline("key", "sign", str(path), "--key", str(tmp_path / "ada.key"), status=None)
    assert done.status == 3
    assert "what to do" in done.err
