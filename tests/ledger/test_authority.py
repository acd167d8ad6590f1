"""Who may sign what: every rule, broken once."""

from typing import Any

import pytest

from leadline.errors import SignatureError, StatementError
from leadline.ledger.authority import Authority
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog import EMPTY_ROOT
from ledger.record import ALICE, BOB, LOG, ORIGIN, SERVICE, TIME, Registry, key, registration, small_registry

SUCCESSOR = SigningKey("alice.example", "author", b"\x07" * 32)
WITNESS = key("w.example", "witness")
STRANGER = key("eve.example")


@pytest.fixture
def registry() -> Registry:
    """Service, Alice and Bob are registered."""
    registry = Registry()
    for signer in (SERVICE, ALICE, BOB):
        registry.register(signer)
    return registry


def rotate(registry: Registry, old: SigningKey, new: SigningKey) -> None:
    """Both halves of a rotation."""
    registry.register(new, replaces=old.fingerprint)
    registry.append("key", rotation(old, new), old)


def rotation(old: SigningKey, new: SigningKey) -> dict[str, Any]:
    """The old key's half of a rotation."""
    fields = {"action": "rotate", "role": old.role, "public": new.public.vkey, "time": TIME}
    return fields | {"replaces": old.fingerprint}


def revocation(which: SigningKey) -> dict[str, Any]:
    """Fields that revoke a key."""
    fields = {"action": "revoke", "role": which.role, "public": which.public.vkey, "time": TIME}
    return fields | {"reason": "lost"}


def attempt(study: str, number: int, action: str = "open") -> dict[str, Any]:
    """Fields of an attempt."""
    status = {"open": "started", "close": "completed", "abandon": "failed"}[action]
    return {"study": study, "number": number, "action": action, "status": status, "created": TIME}


def amendment(study: str) -> dict[str, Any]:
    """Fields of an amendment."""
    fields = {"study": study, "protocol": "ab" * 32, "changed": ["/n"], "reason": "r", "seen": "looked"}
    return fields | {"created": TIME}


def report(study: str) -> dict[str, Any]:
    """Fields of a report."""
    fields = {"study": study, "report": "ab" * 32, "protocol": "ab" * 32, "logs": [], "engine": "e"}
    return fields | {"verdicts": {}, "created": TIME}


def withdrawal(study: str) -> dict[str, Any]:
    """Fields of a withdrawal."""
    return {"study": study, "reason": "r", "created": TIME}


def test_an_honest_log_is_accepted_and_replays() -> None:
    """A dozen ordinary statements pass, and replaying the entries gives the same state."""
    registry = small_registry()
    again = Authority(log_keys=[LOG.public], origin=ORIGIN)
    assert again.replay(data for _, data in registry.record.stored_entries) == registry.size
    assert again.state == registry.authority.state


def test_unknown_keys_sign_nothing(registry: Registry) -> None:
    """A key that never registered is refused with the way to register it."""
    with pytest.raises(SignatureError, match="register the key first"):
        registry.freeze(STRANGER)


def test_the_signature_is_verified(registry: Registry) -> None:
    """Entries with a signature of other bytes are refused on admission and change nothing."""
    good = make_signed(
        "freeze", {"title": "a", "protocol": "ab" * 32, "authors": ["A"], "created": TIME}, ALICE
    )
    other = make_signed(
        "freeze", {"title": "b", "protocol": "ab" * 32, "authors": ["A"], "created": TIME}, ALICE
    )
    forged = good[: good.index(b'"sig"')] + other[other.index(b'"sig"') :]
    with pytest.raises(SignatureError):
        registry.append_envelope(forged)
    assert registry.size == 3
    assert len(registry.authority.state.studies) == 0  # type: ignore[attr-defined]


def test_checking_changes_nothing(registry: Registry) -> None:
    """`check` alone leaves the state as it is."""
    entry = registry.authority.open(make_signed("key", registration(STRANGER), STRANGER))
    registry.authority.check(3, entry)
    assert registry.authority.state.key(STRANGER.fingerprint) is None


def test_nobody_registers_somebody_elses_key(registry: Registry) -> None:
    """A registration is signed by the key it registers."""
    with pytest.raises(SignatureError, match="registers itself"):
        registry.append("key", registration(STRANGER), ALICE)


def test_one_key_has_one_role_and_is_registered_once(registry: Registry) -> None:
    """The same public key in a second role, name or registration is refused, the log's own key too."""
    as_witness = SigningKey(ALICE.name, "witness", ALICE.seed)
    with pytest.raises(SignatureError, match="one key has one role"):
        registry.append("key", registration(as_witness, role="witness"), SERVICE)
    with pytest.raises(SignatureError, match="registered already"):
        registry.register(ALICE, time="2026-03-02T00:00:00Z")
    with pytest.raises(SignatureError, match="registered already"):
        registry.register(SigningKey("other.example", "author", ALICE.seed))
    with pytest.raises(SignatureError, match="one key has one role"):
        registry.register(SigningKey("log-as-author", "author", LOG.seed))


def test_a_revoked_key_cannot_come_back(registry: Registry) -> None:
    """Registering again after a revocation is refused."""
    registry.append("key", revocation(BOB), BOB)
    with pytest.raises(SignatureError, match="registered already"):
        registry.register(BOB, time="2026-03-02T00:00:00Z")


def test_a_service_key_is_the_first_entry_or_a_successor(registry: Registry) -> None:
    """Later service keys come by rotation only."""
    other = key("other.example", "service")
    with pytest.raises(SignatureError, match="first entry"):
        registry.register(other)
    rotate(registry, SERVICE, other)
    study = registry.freeze()
    registry.append("report", report(study), other)
    with pytest.raises(SignatureError, match="rotated since entry 4"):
        registry.append("report", report(study), SERVICE)


def test_log_and_witness_keys_are_announced_by_the_service(registry: Registry) -> None:
    """The service key registers a witness; an author may not."""
    with pytest.raises(SignatureError, match="role author"):
        registry.append("key", registration(WITNESS), ALICE)
    registry.append("key", registration(WITNESS), SERVICE)
    registry.append("key", registration(LOG), SERVICE)
    record = registry.authority.state.key(WITNESS.fingerprint)
    assert record is not None
    assert record.role == "witness"


def test_rotation_needs_both_keys(registry: Registry) -> None:
    """A successor acts only after the old key has confirmed it, and only one that volunteered."""
    study = registry.freeze()
    with pytest.raises(StatementError, match="no such key"):
        registry.append("key", rotation(ALICE, SUCCESSOR), ALICE)
    with pytest.raises(StatementError, match="successor"):
        registry.append("key", rotation(ALICE, BOB), ALICE)
    registry.register(SUCCESSOR, replaces=ALICE.fingerprint)
    with pytest.raises(SignatureError, match="pending"):
        registry.append("amend", amendment(study), SUCCESSOR)
    with pytest.raises(StatementError, match="successor"):
        registry.append("key", rotation(ALICE, SUCCESSOR), BOB)
    registry.append("key", rotation(ALICE, SUCCESSOR), ALICE)
    registry.append("amend", amendment(study), SUCCESSOR)
    with pytest.raises(SignatureError, match="rotated"):
        registry.append("attempt", attempt(study, 1), ALICE)


def test_a_chain_of_successors_keeps_its_studies(registry: Registry) -> None:
    """After two rotations the last key still acts for the first one's study."""
    study = registry.freeze()
    third = SigningKey("alice.example", "author", b"\x08" * 32)
    rotate(registry, ALICE, SUCCESSOR)
    rotate(registry, SUCCESSOR, third)
    registry.append("withdraw", withdrawal(study), third)
    with pytest.raises(StatementError, match="withdrawn already"):
        registry.append("withdraw", withdrawal(study) | {"reason": "again"}, third)


def test_a_successor_replaces_an_active_key_of_its_role(registry: Registry) -> None:
    """An author key cannot announce itself as heir of the service key."""
    with pytest.raises(StatementError, match="same role"):
        registry.register(SUCCESSOR, replaces=SERVICE.fingerprint)
    with pytest.raises(StatementError, match="same role"):
        registry.register(SUCCESSOR, replaces="ab" * 32)


def test_log_order_decides_over_claimed_time(registry: Registry) -> None:
    """A statement with an old claimed time is refused after the key's revocation."""
    study = registry.freeze()
    registry.append("key", revocation(ALICE), ALICE)
    backdated = amendment(study) | {"created": "2020-01-01T00:00:00Z"}
    with pytest.raises(SignatureError, match="revoked since entry 4"):
        registry.append("amend", backdated, ALICE)


def test_revocation_is_by_the_key_or_the_service(registry: Registry) -> None:
    """Another author may not revoke; the service may; nothing is revoked twice."""
    with pytest.raises(SignatureError, match="role author"):
        registry.append("key", revocation(ALICE), BOB)
    registry.append("key", revocation(ALICE), SERVICE)
    with pytest.raises(StatementError, match="revoked already"):
        registry.append("key", revocation(ALICE) | {"reason": "again"}, SERVICE)
    with pytest.raises(StatementError, match="no such key"):
        registry.append("key", revocation(STRANGER), SERVICE)
    with pytest.raises(StatementError, match="no such key"):
        registry.append("key", revocation(BOB) | {"role": "witness"}, SERVICE)


def test_a_pending_key_may_give_up_and_a_rotated_one_may_not_speak(registry: Registry) -> None:
    """A pending key revokes itself; a rotated key signs nothing, not even its revocation."""
    registry.register(SUCCESSOR, replaces=ALICE.fingerprint)
    registry.append("key", revocation(SUCCESSOR), SUCCESSOR)
    with pytest.raises(StatementError, match="successor"):
        registry.append("key", rotation(ALICE, SUCCESSOR), ALICE)
    other = SigningKey("bob.example", "author", b"\x09" * 32)
    rotate(registry, BOB, other)
    with pytest.raises(StatementError, match="rotated"):
        registry.append("key", revocation(BOB), BOB)
    registry.append("key", revocation(BOB), SERVICE)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("amend", amendment), ("withdraw", withdrawal), ("report", report), ("attempt", lambda study: attempt(study, 1))],
)  # fmt: skip
def test_only_a_studys_own_keys_act_for_it(registry: Registry, kind: str, fields: Any) -> None:
    """Bob may not act for Alice's study, and nobody for a study that is not there."""
    study = registry.freeze()
    with pytest.raises(SignatureError, match="may not act for"):
        registry.append(kind, fields(study), BOB)
    with pytest.raises(StatementError, match="knows no study"):
        registry.append(kind, fields("LL-0000000000000"), ALICE)
    registry.append(kind, fields(study), ALICE)


def test_a_freeze_may_name_further_keys(registry: Registry) -> None:
    """A co-author's key acts for the study; keys that are not active author keys cannot be named."""
    study = registry.freeze(ALICE, keys=[BOB.fingerprint])
    registry.append("attempt", attempt(study, 1), BOB)
    for wrong in (STRANGER.fingerprint, SERVICE.fingerprint):
        with pytest.raises(StatementError, match="not an active author key"):
            registry.freeze(ALICE, "another", keys=[wrong])


def test_the_service_reports_but_does_not_amend(registry: Registry) -> None:
    """Automatic reports and closings are the service's; the rest is not, and closings are only its."""
    study = registry.freeze()
    registry.append("report", report(study), SERVICE)
    for kind, fields in (
        ("amend", amendment(study)),
        ("withdraw", withdrawal(study)),
        ("attempt", attempt(study, 1)),
    ):
        with pytest.raises(SignatureError, match="role service"):
            registry.append(kind, fields, SERVICE)
    with pytest.raises(SignatureError, match="role service"):
        registry.freeze(SERVICE, "own")
    closing = {"studies": [registry.freeze(title="silent")], "period": "2026-01", "created": TIME}
    with pytest.raises(SignatureError, match="role author"):
        registry.append("close", closing, ALICE)
    registry.append("close", closing, SERVICE)
    with pytest.raises(StatementError, match="knows no study"):
        registry.append("close", closing | {"studies": ["LL-0000000000000"]}, SERVICE)


def test_attempts_are_numbered_without_gaps(registry: Registry) -> None:
    """Numbers come in order, only open attempts end, and each ends once."""
    study = registry.freeze()
    for number in (2, 5):
        with pytest.raises(StatementError, match="next attempt is number 1"):
            registry.append("attempt", attempt(study, number), ALICE)
    registry.append("attempt", attempt(study, 1), ALICE)
    with pytest.raises(StatementError, match="next attempt is number 2"):
        registry.append("attempt", attempt(study, 1) | {"note": "again"}, ALICE)
    registry.append("attempt", attempt(study, 2), ALICE)
    registry.append("attempt", attempt(study, 1, "abandon"), ALICE)
    with pytest.raises(StatementError, match="attempt 1 is not open"):
        registry.append("attempt", attempt(study, 1, "close"), ALICE)
    with pytest.raises(StatementError, match="attempt 3 is not open"):
        registry.append("attempt", attempt(study, 3, "close"), ALICE)
    logs = [{"sha256": "ab" * 32, "name": "a", "size": 1, "format": "eval"}]
    registry.append("attach", {"study": study, "attempt": 2, "logs": logs, "created": TIME}, ALICE)
    with pytest.raises(StatementError, match="no attempt 3"):
        registry.append("attach", {"study": study, "attempt": 3, "logs": logs, "created": TIME}, ALICE)


def test_a_checkpoint_seen_must_be_one_of_the_past() -> None:
    """Claims about this log are checked against its roots; claims about other logs are left alone."""
    registry = Registry()
    roots = [EMPTY_ROOT]
    registry.authority = Authority(log_keys=[LOG.public], origin=ORIGIN, root_at=lambda size: roots[size])
    registry.register(ALICE)
    roots.append(registry.frontier.root())
    registry.freeze(seen_checkpoint={"origin": ORIGIN, "size": 1, "root": roots[1].hex()})
    roots.append(registry.frontier.root())
    registry.freeze(title="b", seen_checkpoint={"origin": "elsewhere", "size": 999, "root": "ab" * 32})
    with pytest.raises(StatementError, match="never had the root"):
        registry.freeze(title="c", seen_checkpoint={"origin": ORIGIN, "size": 1, "root": "ab" * 32})
    with pytest.raises(StatementError, match="more than stand before it"):
        registry.freeze(title="d", seen_checkpoint={"origin": ORIGIN, "size": 9, "root": "ab" * 32})


def test_judgements_and_imports_are_attributable(registry: Registry) -> None:
    """Any active author or service key may judge and import; the study judged must exist."""
    judgement = {"type": "review", "target": "the protocol", "text": "fine", "created": TIME}
    imported = {"content": "table", "digest": "ab" * 32, "title": "T", "source": "s", "created": TIME}
    for signer in (BOB, SERVICE):
        registry.append("judgement", judgement, signer)
        registry.append("import", imported, signer)
    with pytest.raises(StatementError, match="knows no study"):
        registry.append("judgement", judgement | {"study": "LL-0000000000000"}, BOB)


def test_entries_of_another_payload_type_are_refused(registry: Registry) -> None:
    """An envelope around something else is no statement."""
    from leadline.ledger.dsse import sign

    with pytest.raises(StatementError, match="payload type"):
        registry.append_envelope(sign(b"{}", "application/json", ALICE))
