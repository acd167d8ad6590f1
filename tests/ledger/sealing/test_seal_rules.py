"""Who may seal and reveal, and what a sealed study may say: replayed from statements alone."""

from typing import Any

import pytest

from leadline.errors import SignatureError, StatementError
from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing.commitment import commit, commit_digest, keys_content
from ledger.record import ALICE, BOB, SERVICE, TIME, Registry, key, registration

HOUSE = key("test.example/installation")
SALT, FREEZE = b"s" * 32, bytes(32)
MONDAY = "2026-11-16T00:00:00Z"


@pytest.fixture
def registry() -> Registry:
    """A log that knows a service, an installation, Alice and Bob."""
    made = Registry()
    made.register(SERVICE)
    made.append("key", registration(HOUSE) | {"holder": {"name": "test", "kind": "service"}}, HOUSE)
    made.register(ALICE)
    made.register(BOB)
    return made


def seal(*keys: SigningKey, tier: str = "ordinary", **changes: Any) -> dict[str, Any]:
    """A seal that gives rights to these keys when it is opened."""
    names = tuple(one.fingerprint for one in keys or (ALICE,))
    return {
        "action": "study",
        "tier": tier,
        "commitment": commit_digest(SALT, FREEZE).hex(),
        "keys": commit(SALT, keys_content(names)).hex(),
        "fields": {"title": "ab" * 32},
        "body": "ab" * 32,
        "embargo": "2027-12-31" if tier == "hazard" else "2027-03-31",
        "created": MONDAY,
        **changes,
    }


def reveal(study: str, *keys: SigningKey, salt: bytes = SALT, freeze: bytes = FREEZE) -> dict[str, Any]:
    """A whole reveal."""
    names = [one.fingerprint for one in keys or (ALICE,)]
    return {
        "study": study,
        "scope": "whole",
        "body": "cd" * 32,
        "freeze": {"salt": salt.hex(), "sha256": freeze.hex()},
        "keys": {"salt": SALT.hex(), "keys": names},
        "protocol": "ef" * 32,
        "created": TIME,
    }


def sealed(registry: Registry, signer: SigningKey = ALICE, **changes: Any) -> str:
    """The id of a fresh sealed study."""
    tier = "hazard" if signer is HOUSE else "ordinary"
    return study_id(registry.append("seal", seal(tier=tier, **changes), signer).leaf_hash)


def rotate(registry: Registry, old: SigningKey, new: SigningKey) -> None:
    """Both halves of a rotation."""
    registry.register(new, replaces=old.fingerprint)
    fields = {"action": "rotate", "role": old.role, "public": new.public.vkey, "time": TIME}
    registry.append("key", fields | {"replaces": old.fingerprint}, old)


def attempt(study: str) -> dict[str, Any]:
    """The announcement of a first attempt."""
    return {"study": study, "number": 1, "action": "open", "status": "started", "created": TIME}


def test_a_whole_reveal_is_its_own_proof(registry: Registry) -> None:
    """Whoever holds the opening may reveal, so a quorum of trustees can; the rights stay with the sealed keys."""
    study = sealed(registry)
    registry.append("reveal", reveal(study), BOB)
    registry.append("attempt", attempt(study), ALICE)
    with pytest.raises(SignatureError, match="may not act for"):
        registry.append("withdraw", {"study": study, "reason": "r", "created": TIME}, BOB)
    with pytest.raises(StatementError, match="revealed already"):
        registry.append("reveal", reveal(study) | {"body": "ab" * 32}, ALICE)


@pytest.mark.parametrize("forged", [{"salt": b"t" * 32}, {"freeze": b"f" * 32}])
def test_a_forged_reveal_is_refused_in_replay(registry: Registry, forged: dict[str, bytes]) -> None:
    """Without the salts nothing opens the commitment, not even for the key that sealed."""
    study = sealed(registry)
    with pytest.raises(SignatureError, match="not that of"):
        registry.append("reveal", reveal(study, **forged), ALICE)


def test_a_reveal_gives_rights_to_no_other_key(registry: Registry) -> None:
    """The list of keys is committed to as well."""
    study = sealed(registry)
    with pytest.raises(SignatureError, match="not that of"):
        registry.append("reveal", reveal(study, ALICE, BOB), ALICE)


def test_the_author_of_a_hazard_seal_gets_rights_by_the_reveal(registry: Registry) -> None:
    """Before it nobody but the installation shows; after it the author acts as ever."""
    study = sealed(registry, HOUSE)
    assert registry.authority.state.study(study).lineages == {HOUSE.fingerprint}  # type: ignore[union-attr]
    registry.append("reveal", reveal(study), HOUSE)
    registry.append("attempt", attempt(study), ALICE)


def test_an_author_unknown_to_the_log_is_introduced_first(registry: Registry) -> None:
    """Rights go to keys that the log knows."""
    carol = key("carol.example")
    study = study_id(registry.append("seal", seal(carol, tier="hazard"), HOUSE).leaf_hash)
    with pytest.raises(StatementError, match="does not know as an author's"):
        registry.append("reveal", reveal(study, carol), HOUSE)
    registry.register(carol)
    registry.append("reveal", reveal(study, carol), HOUSE)


def test_a_sealed_study_says_nothing_in_the_open(registry: Registry) -> None:
    """Attempts, amendments, logs, reports and tombstones go through the batches."""
    study = sealed(registry)
    said: dict[str, dict[str, Any]] = {
        "attempt": attempt(study),
        "withdraw": {"study": study, "reason": "r", "created": TIME},
        "amend": {
            "study": study, "protocol": "ab" * 32, "changed": [""], "reason": "r", "seen": "looked", "created": TIME,
        },
        "attach": {
            "study": study, "created": TIME,
            "logs": [{"sha256": "ab" * 32, "name": "a.eval", "size": 1, "format": "eval"}],
        },
        "report": {
            "study": study, "report": "ab" * 32, "protocol": "ab" * 32, "logs": [], "engine": "e", "verdicts": {},
            "created": TIME,
        },
    }  # fmt: skip
    for kind, fields in said.items():
        with pytest.raises(StatementError, match="is sealed"):
            registry.append(kind, fields, ALICE)


@pytest.mark.parametrize(
    ("fields", "signer"),
    [
        (seal(tier="hazard"), ALICE),
        (seal(), HOUSE),
        ({"action": "batch", "body": "ab" * 32, "root": "ab" * 32, "created": MONDAY}, ALICE),
    ],
)
def test_each_tier_has_its_signer(registry: Registry, fields: dict[str, Any], signer: SigningKey) -> None:
    """An author cannot count under the installation, nor the installation under nobody, nor anybody make batches."""
    with pytest.raises(SignatureError, match="is signed by"):
        registry.append("seal", fields, signer)


def test_batches_change_nothing(registry: Registry) -> None:
    """A batch is a statement of the installation; no study comes of it."""
    entry = registry.append(
        "seal", {"action": "batch", "body": "ab" * 32, "root": "ab" * 32, "created": MONDAY}, HOUSE
    )
    assert registry.authority.state.study(study_id(entry.leaf_hash)) is None


def test_single_fields_are_opened_by_the_sealer(registry: Registry) -> None:
    """A partial reveal needs the key that sealed; the study stays sealed."""
    study = sealed(registry)
    fields = {
        "study": study,
        "scope": "fields",
        "body": "ab" * 32,
        "salts": {"n": "cd" * 32},
        "created": TIME,
    }
    with pytest.raises(SignatureError, match="did not seal"):
        registry.append("reveal", fields, BOB)
    registry.append("reveal", fields, ALICE)
    with pytest.raises(StatementError, match="is sealed"):
        registry.append("attempt", attempt(study), ALICE)


def test_open_studies_have_nothing_to_reveal(registry: Registry) -> None:
    """A reveal of a study that was never sealed is misplaced."""
    with pytest.raises(StatementError, match="not sealed"):
        registry.append("reveal", reveal(registry.freeze()), ALICE)


def test_what_was_signed_under_seal_survives_a_rotation_but_not_a_revocation(registry: Registry) -> None:
    """A rotated key may have signed before the reveal; a revoked one signs nothing, whenever it did."""
    from leadline.ledger.statements import make_signed

    for ending in ("rotate", "revoke"):
        author, heir = key(f"{ending}.example"), key(f"{ending}.heir.example")
        registry.register(author)
        study = study_id(registry.append("seal", seal(author), author).leaf_hash)
        hidden = make_signed("attempt", attempt(study), author)
        common = {"role": "author", "time": TIME}
        if ending == "rotate":
            registry.register(heir, replaces=author.fingerprint)
            fields = {
                "action": "rotate",
                "public": heir.public.vkey,
                "replaces": author.fingerprint,
                **common,
            }
            registry.append("key", fields, author)
        else:
            fields = {"action": "revoke", "public": author.public.vkey, "reason": "stolen", **common}
            registry.append("key", fields, author)
        registry.append("reveal", reveal(study, author), BOB)
        if ending == "rotate":
            registry.append_envelope(hidden)
        else:
            with pytest.raises(SignatureError, match="revoked"):
                registry.append_envelope(hidden)


def test_a_key_rotated_before_the_seal_stays_silent(registry: Registry) -> None:
    """Only what was signed under seal may come late: a key that was gone by then signed nothing under it."""
    heir = key("alice.heir.example")
    rotate(registry, ALICE, heir)
    study = study_id(registry.append("seal", seal(heir), heir).leaf_hash)
    registry.append("reveal", reveal(study, heir), heir)
    with pytest.raises(SignatureError, match="rotated"):
        registry.append("attempt", attempt(study), ALICE)
    registry.append("attempt", attempt(study), heir)


def test_a_rotated_key_does_not_withdraw(registry: Registry) -> None:
    """Nobody withdraws under seal, so a rotated key has nothing late to say of that kind."""
    study = sealed(registry)
    rotate(registry, ALICE, key("alice.heir.example"))
    registry.append("reveal", reveal(study), BOB)
    with pytest.raises(SignatureError, match="rotated"):
        registry.append("withdraw", {"study": study, "reason": "r", "created": TIME}, ALICE)


@pytest.mark.parametrize("kind", ["attempt", "withdraw", "report"])
def test_a_rotated_service_key_has_no_rights_to_what_was_sealed(registry: Registry, kind: str) -> None:
    """The service says nothing under seal, and a service key that was replaced says nothing at all."""
    study = sealed(registry)
    registry.append("reveal", reveal(study), ALICE)
    rotate(registry, SERVICE, key("heir.example/service", "service"))
    said = {
        "attempt": attempt(study),
        "withdraw": {"study": study, "reason": "r", "created": TIME},
        "report": {
            "study": study,
            "report": "ab" * 32,
            "protocol": "ef" * 32,
            "logs": [],
            "engine": "leadline 1",
            "verdicts": {},
            "created": TIME,
        },
    }
    with pytest.raises(SignatureError):
        registry.append(kind, said[kind], SERVICE)


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-11-17T00:00:00Z"},
        {"created": "2026-11-16T10:00:00Z"},
        {"embargo": "2027-04-01"},
        {"embargo": "2026-12-31"},
        {"commitment": None},
        {"fields": {}},
        {"root": "ab" * 32},
        {"due": "2027-01-01"},
        {"title": "T"},
        {"area": ["control"]},
    ],
)
def test_seals_have_no_room_for_more(registry: Registry, change: dict[str, Any]) -> None:
    """Finer dates, other embargoes, titles, areas and due dates are refused by the statement's own form."""
    with pytest.raises(StatementError, match="seal statement"):
        registry.append("seal", seal() | change, ALICE)


@pytest.mark.parametrize("change", [{"salts": {"n": "ab" * 32}}, {"freeze": None}, {"protocol": None}])
def test_reveals_are_whole_or_by_field(registry: Registry, change: dict[str, Any]) -> None:
    """The two scopes do not mix."""
    with pytest.raises(StatementError, match="reveal statement"):
        registry.append("reveal", reveal(sealed(registry)) | change, ALICE)
