"""Published vectors of RFC 6962 trees and of Go's checksum database."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, ProofError
from leadline.ledger import tlog
from leadline.ledger.encoding import b64encode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog import tile
from leadline.ledger.tlog.checkpoint import open_checkpoint

pytestmark = pytest.mark.vectors


def cases(shared_data: Path, folder: str) -> list[tuple[str, dict[str, Any]]]:
    """All JSON cases below a folder of transparency-dev/merkle."""
    root = shared_data / "trust" / "rfc6962_merkle_proofs" / folder
    return [
        (str(path.relative_to(root)), json.loads(path.read_text())) for path in sorted(root.rglob("*.json"))
    ]


def decoded(text: str | None) -> bytes:
    """Base64 of the case files; null and empty are no bytes."""
    return b64decode(text or "")


def accepted(check: Any, *arguments: Any) -> bool:
    """Whether a verifier accepts."""
    try:
        check(*arguments)
    except ProofError:
        return False
    return True


def test_inclusion(shared_data: Path) -> None:
    """All 98 inclusion cases are answered as published."""
    found = cases(shared_data, "inclusion")
    wrong = [
        name
        for name, case in found
        if case["wantErr"]
        == accepted(
            tlog.verify_inclusion,
            decoded(case["leafHash"]),
            case["leafIdx"],
            case["treeSize"],
            [decoded(text) for text in case["proof"] or []],
            decoded(case["root"]),
        )
    ]
    assert (len(found), wrong) == (98, [])


def test_consistency(shared_data: Path) -> None:
    """All 98 consistency cases are answered as published."""
    found = cases(shared_data, "consistency")
    wrong = [
        name
        for name, case in found
        if case["wantErr"]
        == accepted(
            tlog.verify_consistency,
            case["size1"],
            case["size2"],
            [decoded(text) for text in case["proof"] or []],
            decoded(case["root1"]),
            decoded(case["root2"]),
        )
    ]
    assert (len(found), wrong) == (98, [])


def test_reference_tree(shared_data: Path) -> None:
    """Inputs, every node, every root and the hasher cases of the classic eight-leaf tree."""
    tree = json.loads((shared_data / "trust/derived_json/rfc6962_reference_tree.json").read_text())
    leaves = [tlog.leaf_hash(bytes.fromhex(text)) for text in tree["leaf_inputs_hex"]]
    frontier = tlog.Frontier()
    stored = [value for leaf in leaves for value in frontier.append(leaf)]
    for level, nodes in enumerate(tree["node_hashes_hex"]):
        assert [stored[tlog.stored_index(level, n)].hex() for n in range(len(nodes))] == nodes
    assert [tlog.root(leaves[:n]).hex() for n in range(9)] == tree["root_hashes_by_size_hex"]
    for case in tree["hasher"]:
        if case["desc"].startswith("leaf"):
            assert tlog.leaf_hash(case.get("leaf", "").encode()).hex() == case["want"]
        elif "left" in case:
            assert tlog.node_hash(case["left"].encode(), case["right"].encode()).hex() == case["want"]
        else:
            assert tlog.root([]).hex() == case["want"]


def test_sumdb_tiles(shared_data: Path) -> None:
    """Tile numbers and the tiles that a growing tree needs; Go's paths carry a height, ours do not."""
    vectors = json.loads((shared_data / "trust/derived_json/tlog_sumdb.json").read_text())
    for path, fields in vectors["tile_paths"]:
        number = path.split("/", 3)[3].partition(".p/")[0]
        if fields is not None:
            assert tile.decode_index(number) == fields[2]
            assert tile.encode_index(fields[2]) == number
        elif "/-1/" not in path:
            with pytest.raises(InputError):
                tile.decode_index(number)
    for old, new, count in vectors["new_tiles_for_size_height10"]:
        assert len(tile.new_tiles(old, new, height=10)) == count
    text = vectors["format_tree"]
    lines = text["text"].split("\n")
    assert lines[1:3] == [str(text["size"]), b64encode(tlog.leaf_hash(text["leaf"].encode()))]


def test_sumdb_property_loop() -> None:
    """Sizes to 100: all proofs verify, and any single-bit corruption of any proof hash fails."""
    leaves = [tlog.leaf_hash(b"leaf %d" % i) for i in range(100)]
    stored: list[bytes] = []
    frontier = tlog.Frontier()

    def reader(indexes: Any) -> list[bytes]:
        return [stored[index] for index in indexes]

    for i, leaf in enumerate(leaves):
        stored.extend(frontier.append(leaf))
        size, root = i + 1, frontier.root()
        for j in range(size):
            proof = tlog.prove_inclusion(size, j, reader)
            tlog.verify_inclusion(leaves[j], j, size, proof, root)
            older = tlog.tree_hash(j + 1, reader)
            history = tlog.prove_consistency(j + 1, size, reader)
            tlog.verify_consistency(j + 1, size, history, older, root)
            for position in range(len(proof)):
                bad = list(proof)
                bad[position] = bytes([bad[position][0] ^ 1 << (i + j) % 8]) + bad[position][1:]
                with pytest.raises(ProofError):
                    tlog.verify_inclusion(leaves[j], j, size, bad, root)
            for position in range(len(history)):
                bad = list(history)
                bad[position] = bad[position][:-1] + bytes([bad[position][-1] ^ 1 << (i + j) % 8])
                with pytest.raises(ProofError):
                    tlog.verify_consistency(j + 1, size, bad, older, root)


def test_a_real_checkpoint_of_the_checksum_database(shared_data: Path) -> None:
    """sum.golang.org's checkpoint of 35,225,469 leaves opens; its key name is not its origin."""
    script = (shared_data / "trust/tlog_witness_torchwood/sumdb.txt").read_text()
    vkey = next(word for word in script.split() if word.startswith("sum.golang.org+"))
    start = script.index("go.sum database tree\n35225469\n")
    lines = script[start:].split("\n")
    end = next(i for i, line in enumerate(lines) if line.startswith("— sum.golang.org"))
    note = ("\n".join(lines[: end + 1]) + "\n").encode()
    opened = open_checkpoint(note, [VerifyKey.parse(vkey)], origin="go.sum database tree")
    assert opened.checkpoint.size == 35_225_469
    assert opened.key.name == "sum.golang.org"
