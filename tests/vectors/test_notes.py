"""Published vectors of signed notes, checkpoint bodies, proof files, DSSE, JCS and Ed25519."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import ProofError, SignatureError
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.dsse import pae
from leadline.ledger.keys import SigningKey, VerifyKey, verify
from leadline.ledger.tlog.checkpoint import parse_body, split_body
from leadline.ledger.tlog.note import open_note, sign_note
from leadline.ledger.tlog.proof import TlogProof, parse_proof

pytestmark = pytest.mark.vectors


def derived(shared_data: Path, name: str) -> Any:
    """One of the transcribed vector files."""
    return json.loads((shared_data / "trust" / "derived_json" / f"{name}.json").read_text())


def test_signed_notes(shared_data: Path) -> None:
    """Valid notes open with the expected signers, and all rejected ones are refused."""
    vectors = derived(shared_data, "signed_note")
    keys = {name: VerifyKey.parse(text) for name, text in vectors["vkeys"].items()}
    for case in vectors["valid"]:
        opened = open_note(case["note"].encode(), [keys[name] for name in case["keys"]])
        assert [key.name for key in opened.verified] == case["verified"]
        assert [line.name for line in opened.unverified] == case.get("unverified", [])
    for case in vectors["rejected"]:
        # Fresh objects: a key listed twice is ambiguous even when the two are equal.
        known = [VerifyKey(keys[name].name, keys[name].public) for name in case["keys"]]
        with pytest.raises(SignatureError) as caught:
            open_note(case["note"].encode(), known)
        if "malformed" in case["error"] or "ambiguous" in case["error"]:
            assert case["error"].split()[0] in caught.value.message
    for text in vectors["bad_vkeys"]:
        with pytest.raises(SignatureError):
            VerifyKey.parse(text)
    assert (len(vectors["valid"]), len(vectors["rejected"])) == (4, 10)


def test_signing_is_deterministic(shared_data: Path) -> None:
    """Signing the published text with the published test key gives the published note."""
    vectors = derived(shared_data, "signed_note")
    seed = b64decode(vectors["skey"].split("+", 4)[4])[1:]
    signer = SigningKey("PeterNeumann", "log", seed)
    assert signer.public.vkey == vectors["vkeys"]["peter"]
    note = vectors["valid"][0]["note"].encode()
    assert sign_note(note[: note.rindex(b"\n\n") + 1], [signer]) == note


def test_checkpoint_bodies(shared_data: Path) -> None:
    """Line structure and numbers as published; the strict layer refuses the roots that are no hashes.

    Known difference: the vectors come from a lenient parser, whose five valid bodies have roots of 7 or
    37 bytes, and one of them empty lines at its end, which the specification forbids.
    """
    cases = derived(shared_data, "checkpoint_body")["cases"]
    assert len(cases) == 12
    for case in cases:
        body = case["checkpoint_body"].encode()
        if case["want_error"]:
            with pytest.raises(SignatureError):
                split_body(body)
        else:
            assert len(split_body(body)[2]) in (7, 37)
        with pytest.raises(SignatureError):
            parse_body(body)


def test_proof_files(shared_data: Path) -> None:
    """Three proofs are written as published and read back; seven malformed files are refused."""
    vectors = derived(shared_data, "tlog_proof")
    for case in vectors["marshal"]:
        extra = None if case["extra"] is None else b64decode(case["extra"])
        hashes = tuple(b64decode(text) for text in case["hashes"])
        proof = TlogProof(case["index"], hashes, case["checkpoint"].encode(), extra)
        assert proof.marshal() == case["want"].encode()
        assert parse_proof(case["want"].encode()) == proof
    for text, _ in vectors["malformed"]:
        with pytest.raises(ProofError):
            parse_proof(text.encode())
    assert (len(vectors["marshal"]), len(vectors["malformed"])) == (3, 7)


def test_dsse_encoding(shared_data: Path) -> None:
    """The pre-authentication encoding equals the published one; its P-256 signature is another scheme."""
    vectors = derived(shared_data, "dsse")
    assert pae(vectors["payload_type"], vectors["payload"].encode()) == vectors["pae"].encode()


def test_canonical_json(shared_data: Path) -> None:
    """Six of six inputs of RFC 8785's author give the published bytes."""
    folder = shared_data / "trust" / "rfc8785_jcs"
    names = sorted(path.name for path in (folder / "input").iterdir())
    assert len(names) == 6
    for name in names:
        expected = (folder / "output" / name).read_bytes()
        assert canonical(json.loads((folder / "input" / name).read_bytes())) == expected
        assert canonical(parse_strict((folder / "input" / name).read_bytes())) == expected
        (hexed,) = (folder / "outhex").glob(f"{Path(name).stem}.*")
        assert bytes.fromhex(hexed.read_text()) == expected


def test_wycheproof_ed25519(shared_data: Path) -> None:
    """All 151 signatures are answered as published."""
    vectors = json.loads((shared_data / "trust/wycheproof/ed25519_test.json").read_text())
    right = 0
    for group in vectors["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        VerifyKey("w", public)
        for case in group["tests"]:
            try:
                verify(public, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
                answer = "valid"
            except SignatureError:
                answer = "invalid"
            right += answer == case["result"]
    assert right == 151
