"""Published trust policies (transparency-dev/formats)."""

import json
from pathlib import Path

import pytest

from leadline.errors import InputError
from leadline.ledger.policy import Policy

pytestmark = pytest.mark.vectors

#: Accepted by the parser the vectors come from, and refused by the specification, which is followed here:
#: one vkey under two names; a comment at the end of a line.
KNOWN_DIFFERENCES = {
    "group numerical": "same public key",
    "group all": "same public key",
    "group any": "same public key",
    "whitespace and comments": "a witness line is",
}


def test_policies(shared_data: Path) -> None:
    """Every published case is answered as published, but for four that the specification forbids."""
    cases = json.loads((shared_data / "trust/derived_json/witness_policy.json").read_text())["cases"]
    assert len(cases) == 11
    differences = set()
    for case in cases:
        data = case["policy"].encode()
        if case["name"] in KNOWN_DIFFERENCES:
            with pytest.raises(InputError, match=KNOWN_DIFFERENCES[case["name"]]):
                Policy.parse(data)
            differences.add(case["name"])
        elif case["error"] is None:
            assert Policy.parse(data).quorum == b"g1"
        else:
            # Some of them do not end in a newline, which is refused first: add it, to see the reason meant.
            with pytest.raises(InputError) as caught:
                Policy.parse(data + b"\n")
            assert "newline" not in caught.value.message
    assert differences == set(KNOWN_DIFFERENCES)


def test_the_tidy_policy_is_read_as_written(shared_data: Path) -> None:
    """Two witnesses with their addresses, both needed; keys become cosigner keys."""
    cases = json.loads((shared_data / "trust/derived_json/witness_policy.json").read_text())["cases"]
    policy = Policy.parse(cases[0]["policy"].encode())
    assert [witness.url for witness in policy.witnesses] == [
        "https://sigsum.org/witness/",
        "https://example.com/witness/",
    ]
    assert [witness.key.vkey.split("+")[2][:2] for witness in policy.witnesses] == ["BJ", "BO"]
    assert policy.met_by([b"w1", b"w2"])
    assert not policy.met_by([b"w1"])
