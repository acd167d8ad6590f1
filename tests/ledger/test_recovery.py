"""Lost keys: who may give a successor its rights, and what guardians, co-authors and thieves cannot do."""

from typing import Any

import pytest

from leadline.errors import SignatureError, StatementError
from leadline.ledger.authority import Authority
from leadline.ledger.keys import SigningKey
from ledger.record import ALICE, BOB, LOG, ORIGIN, SERVICE, TIME, Registry, key

CAROL, DAVE, EVE = key("carol.example"), key("dave.example"), key("eve.example")
HEIR = SigningKey("alice.example", "author", b"\x07" * 32)
OTHER = SigningKey("alice.example", "author", b"\x08" * 32)


@pytest.fixture
def registry() -> Registry:
    """Alice has named Bob, Carol and Dave, two of whom suffice; Eve is somebody else."""
    registry = Registry()
    for signer in (SERVICE, ALICE, BOB, CAROL, DAVE, EVE):
        registry.register(signer)
    name(registry, ALICE, [BOB, CAROL, DAVE])
    return registry


def name(registry: Registry, own: SigningKey, guardians: list[SigningKey], threshold: int | None = 2) -> None:
    """A key names its guardians."""
    registry.append("key", naming(own, guardians, threshold), own)


def naming(own: SigningKey, guardians: list[SigningKey], threshold: int | None = 2) -> dict[str, Any]:
    """Fields of that statement."""
    fields = {"action": "guardians", "role": own.role, "public": own.public.vkey, "time": TIME}
    quorum = {} if threshold is None else {"threshold": threshold}
    return fields | quorum | {"guardians": [one.fingerprint for one in guardians]}


def vouching(new: SigningKey, old: SigningKey, **extra: Any) -> dict[str, Any]:
    """Fields of a vouching."""
    fields = {"action": "vouch", "role": new.role, "public": new.public.vkey, "time": TIME}
    return fields | {"replaces": old.fingerprint} | extra


def revocation(which: SigningKey) -> dict[str, Any]:
    """Fields of a revocation."""
    fields = {"action": "revoke", "role": which.role, "public": which.public.vkey, "time": TIME}
    return fields | {"reason": "not lost"}


def withdrawal(study: str) -> dict[str, Any]:
    """Something only a study's own key may say."""
    return {"study": study, "reason": "r", "created": TIME}


def state_of(registry: Registry, which: SigningKey) -> str:
    """The state of a key."""
    record = registry.authority.state.key(which.fingerprint)
    assert record is not None
    return record.state


def test_a_quorum_of_guardians_gives_the_successor_the_rights(registry: Registry) -> None:
    """At the threshold the old key is rotated, the new one acts for its studies and keeps its guardians."""
    study = registry.freeze()
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    assert state_of(registry, HEIR) == "pending"
    with pytest.raises(SignatureError, match="pending"):
        registry.append("withdraw", withdrawal(study), HEIR)
    registry.append("key", vouching(HEIR, ALICE), DAVE)
    assert (state_of(registry, ALICE), state_of(registry, HEIR)) == ("rotated", "active")
    registry.append("withdraw", withdrawal(study), HEIR)
    record = registry.authority.state.key(HEIR.fingerprint)
    assert record is not None
    assert record.guardians == {BOB.fingerprint, CAROL.fingerprint, DAVE.fingerprint}
    assert record.lineage == ALICE.fingerprint


def test_replaying_the_entries_gives_the_same_state(registry: Registry) -> None:
    """Guardians, vouchings and their outcome are a function of the log."""
    study = registry.freeze(keys=[BOB.fingerprint, CAROL.fingerprint])
    registry.register(OTHER)
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(OTHER, ALICE, study=study), BOB)
    for guardian in (BOB, DAVE):
        registry.append("key", vouching(HEIR, ALICE), guardian)
    again = Authority(log_keys=[LOG.public], origin=ORIGIN)
    assert again.replay(data for _, data in registry.record.stored_entries) == registry.size
    assert again.state == registry.authority.state


def test_guardians_may_be_named_at_registration() -> None:
    """A registration with guardians needs no second statement."""
    registry = Registry()
    for signer in (SERVICE, BOB, CAROL):
        registry.register(signer)
    registry.register(ALICE, guardians=[BOB.fingerprint, CAROL.fingerprint], threshold=2)
    registry.register(HEIR, replaces=ALICE.fingerprint)
    for guardian in (BOB, CAROL):
        registry.append("key", vouching(HEIR, ALICE), guardian)
    assert state_of(registry, HEIR) == "active"


def test_one_guardian_is_not_a_quorum(registry: Registry) -> None:
    """A guardian who turns on the owner cannot vouch twice, for itself, or with its own successor's voice."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    with pytest.raises(StatementError, match="vouched for it already"):
        registry.append("key", vouching(HEIR, ALICE, time="2026-03-02T00:00:00Z"), BOB)
    successor = SigningKey("bob.example", "author", b"\x09" * 32)
    registry.register(successor, replaces=BOB.fingerprint)
    rotation = {"action": "rotate", "role": "author", "public": successor.public.vkey, "time": TIME}
    registry.append("key", rotation | {"replaces": BOB.fingerprint}, BOB)
    with pytest.raises(StatementError, match="vouched for it already"):
        registry.append("key", vouching(HEIR, ALICE), successor)
    with pytest.raises(SignatureError, match="pending"):
        registry.append("key", vouching(HEIR, ALICE), HEIR)
    assert state_of(registry, HEIR) == "pending"


def test_a_revoked_guardians_voice_is_lost(registry: Registry) -> None:
    """A voice given by a key that was revoked later does not count, and a revoked guardian gives none."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    registry.append("key", revocation(BOB), SERVICE)
    registry.append("key", vouching(HEIR, ALICE), CAROL)
    assert state_of(registry, HEIR) == "pending"
    with pytest.raises(SignatureError, match="revoked"):
        registry.append("key", vouching(HEIR, ALICE, time="2026-03-02T00:00:00Z"), BOB)
    registry.append("key", vouching(HEIR, ALICE), DAVE)
    assert state_of(registry, HEIR) == "active"


def test_strangers_and_the_service_are_no_guardians(registry: Registry) -> None:
    """Only those whom the lost key named may vouch."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    with pytest.raises(SignatureError, match="no guardian"):
        registry.append("key", vouching(HEIR, ALICE), EVE)
    with pytest.raises(SignatureError, match="role service"):
        registry.append("key", vouching(HEIR, ALICE), SERVICE)


def test_a_key_that_still_signs_can_veto(registry: Registry) -> None:
    """The key that is said to be lost revokes the pending one; another author may not."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    with pytest.raises(SignatureError, match="role author"):
        registry.append("key", revocation(HEIR), EVE)
    registry.append("key", revocation(HEIR), ALICE)
    with pytest.raises(StatementError, match="pending successor"):
        registry.append("key", vouching(HEIR, ALICE), CAROL)
    assert (state_of(registry, ALICE), state_of(registry, HEIR)) == ("active", "revoked")


def test_a_successor_once_active_is_not_vetoed(registry: Registry) -> None:
    """After the rotation the old key signs nothing, so it cannot take the new one down with it."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    for guardian in (BOB, CAROL):
        registry.append("key", vouching(HEIR, ALICE), guardian)
    with pytest.raises(SignatureError, match="rotated"):
        registry.append("key", revocation(HEIR), ALICE)


def test_a_revocation_is_final(registry: Registry) -> None:
    """Guardians that a thief may have named cannot bring a revoked key's rights back."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    registry.append("key", revocation(ALICE), SERVICE)
    with pytest.raises(StatementError, match="pending successor"):
        registry.append("key", vouching(HEIR, ALICE), CAROL)
    with pytest.raises(StatementError, match="not an active key"):
        registry.register(OTHER, replaces=ALICE.fingerprint)


def test_a_rotation_overtakes_a_recovery(registry: Registry) -> None:
    """Once the old key has confirmed a successor itself, vouching for another leads nowhere."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.register(OTHER, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    rotation = {"action": "rotate", "role": "author", "public": OTHER.public.vkey, "time": TIME}
    registry.append("key", rotation | {"replaces": ALICE.fingerprint}, ALICE)
    with pytest.raises(StatementError, match="pending successor"):
        registry.append("key", vouching(HEIR, ALICE), CAROL)


def test_naming_again_replaces_and_an_empty_list_takes_back(registry: Registry) -> None:
    """Only the newest naming counts, also for voices given before it."""
    registry.register(HEIR, replaces=ALICE.fingerprint)
    registry.append("key", vouching(HEIR, ALICE), BOB)
    name(registry, ALICE, [CAROL, DAVE, EVE])
    registry.append("key", vouching(HEIR, ALICE), CAROL)
    assert state_of(registry, HEIR) == "pending"
    name(registry, ALICE, [], None)
    with pytest.raises(SignatureError, match="no guardian"):
        registry.append("key", vouching(HEIR, ALICE), DAVE)


def test_only_a_key_itself_names_its_guardians(registry: Registry) -> None:
    """Nobody names guardians for somebody else, and guardians are active author keys of other lineages."""
    with pytest.raises(SignatureError, match="its own guardians"):
        registry.append("key", naming(ALICE, [BOB, EVE]), EVE)
    for wrong in ([ALICE, BOB], [BOB, SERVICE], [BOB, HEIR]):
        with pytest.raises(StatementError):
            registry.append("key", naming(ALICE, wrong), ALICE)
    registry.append("key", revocation(DAVE), DAVE)
    with pytest.raises(StatementError, match="not an active author key"):
        registry.append("key", naming(ALICE, [BOB, DAVE]), ALICE)


@pytest.mark.parametrize(
    "change",
    [
        {"guardians": None}, {"threshold": 1}, {"threshold": 4}, {"threshold": None},
        {"guardians": [BOB.fingerprint] * 2}, {"guardians": [], "threshold": 2}, {"replaces": "ab" * 32},
        {"study": "LL-0123456789abc"}, {"action": "revoke", "reason": "r"}, {"role": "service"},
    ],
)  # fmt: skip
def test_a_naming_makes_sense(registry: Registry, change: dict[str, Any]) -> None:
    """Two guardians at least, a threshold among them, each named once, and nothing else said."""
    fields = naming(ALICE, [BOB, CAROL, DAVE]) | change
    with pytest.raises(StatementError):
        registry.append("key", {k: v for k, v in fields.items() if v is not None}, ALICE)


# one study's rights


def test_most_co_authors_give_a_new_key_rights_to_their_study(registry: Registry) -> None:
    """More than half of the other keys of the study; the new key gets no right to anything else."""
    shared = registry.freeze(EVE, keys=[BOB.fingerprint, CAROL.fingerprint, DAVE.fingerprint])
    alone = registry.freeze(EVE, "alone")
    registry.register(OTHER)
    registry.append("key", vouching(OTHER, EVE, study=shared), BOB)
    with pytest.raises(SignatureError, match="may not act"):
        registry.append("withdraw", withdrawal(shared), OTHER)
    registry.append("key", vouching(OTHER, EVE, study=shared), CAROL)
    with pytest.raises(SignatureError, match="may not act"):
        registry.append("withdraw", withdrawal(alone), OTHER)
    assert state_of(registry, EVE) == "active"
    registry.append("withdraw", withdrawal(shared), OTHER)


def test_co_authors_help_also_where_the_lost_key_was_revoked(registry: Registry) -> None:
    """A stolen key is revoked; its holder gets on with the studies that others vouch for."""
    shared = registry.freeze(EVE, keys=[BOB.fingerprint])
    registry.append("key", revocation(EVE), SERVICE)
    registry.register(OTHER)
    registry.append("key", vouching(OTHER, EVE, study=shared), BOB)
    registry.append("withdraw", withdrawal(shared), OTHER)


def test_who_does_not_share_the_study_does_not_vouch_for_it(registry: Registry) -> None:
    """Strangers, the lost key itself, and keys for which nobody can vouch are refused."""
    shared = registry.freeze(EVE, keys=[BOB.fingerprint, CAROL.fingerprint])
    registry.register(OTHER)
    for stranger in (DAVE, EVE):
        with pytest.raises(SignatureError, match="may not act for"):
            registry.append("key", vouching(OTHER, EVE, study=shared), stranger)
    with pytest.raises(StatementError, match="no rights to"):
        registry.append("key", vouching(OTHER, DAVE, study=shared), BOB)
    with pytest.raises(StatementError, match="has these rights already"):
        registry.append("key", vouching(CAROL, EVE, study=shared), BOB)
    with pytest.raises(StatementError, match="no rights to"):
        registry.append("key", vouching(OTHER, EVE, study="LL-0000000000000"), BOB)
    registry.append("key", vouching(OTHER, EVE, study=shared), BOB)
    with pytest.raises(StatementError, match="vouched for it already"):
        registry.append("key", vouching(OTHER, EVE, study=shared, time="2026-03-02T00:00:00Z"), BOB)
    with pytest.raises(SignatureError, match="vouch for itself"):
        registry.append("key", vouching(OTHER, EVE, study=shared), OTHER)


def test_a_sole_authors_study_has_no_co_authors(registry: Registry) -> None:
    """Without others there is no majority of them."""
    alone = registry.freeze(EVE, "alone")
    registry.register(OTHER)
    with pytest.raises(SignatureError, match="may not act for"):
        registry.append("key", vouching(OTHER, EVE, study=alone), BOB)
