"""The gate of a server: what is charged, to whom, in which order, and what is given back."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from leadline.errors import (
    InputError,
    NotAllowedError,
    NotFoundError,
    QuotaError,
    SignatureError,
    StatementError,
)
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.registry.access import Access, Rates, access_to, invitations, invite, revoke_invitation
from leadline.registry.intake import Gate
from registry.world import World
from web.api.world import TIME, freeze, key_statement

TIGHT = Rates(statements_per_hour=1, statements_burst=3, address_factor=2)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author."""
    return World(tmp_path / "world", items=12)


def gate(world: World, **policy: object) -> Gate:
    """A gate with this policy, open and tight unless told otherwise."""
    chosen = {"mode": "open", "rates": TIGHT, **policy}
    return Gate(world.registry, Access(world.registry.store.shelf, **chosen))  # type: ignore[arg-type]


def test_what_passes_is_submitted(world: World) -> None:
    """Quotas and scopes are looked at once; the statements enter, and say who signed them."""
    plan = world.protocol()
    incoming = gate(world).let_in([key_statement(world.key), freeze(plan, world.key)], address="192.0.2.1")
    assert incoming.counts() == {world.key.fingerprint: 2}
    assert [one.kind for one in incoming.statements] == ["key", "freeze"]
    receipts = incoming.submit([plan.canonical_bytes()])
    assert [one.duplicate for one in receipts] == [False, False]


def test_without_a_policy_everybody_passes(world: World) -> None:
    """A registry of one's own has no quotas."""
    open_to_all = Gate(world.registry)
    for _ in range(5):
        open_to_all.let_in([key_statement(world.key)], address="here").submit()
        open_to_all.charge("here")
        with open_to_all.request("anybody", "admin", address="here"):
            pass


def test_a_key_and_an_address_are_charged_before_anything_is_verified(world: World) -> None:
    """Nonsense in a key's name costs the key nothing in the end, and the address everything."""
    door = gate(world)
    head, mark, rest = key_statement(world.key).partition(b'"sig":"')
    forged = head + mark + b"AAAA" + rest[4:]
    for _ in range(6):
        with pytest.raises(SignatureError):
            door.let_in([forged], address="192.0.2.1").submit()
    with pytest.raises(QuotaError, match="from this address"):
        door.let_in([forged], address="192.0.2.1")
    plans = [world.protocol(title=f"Plan {number}") for number in range(4)]
    door.let_in([key_statement(world.key)], address="192.0.2.2").submit()
    for plan in plans[:2]:
        door.let_in([freeze(plan, world.key)], address="192.0.2.2").submit([plan.canonical_bytes()])
    with pytest.raises(QuotaError, match="under this key"):
        door.let_in([freeze(plans[3], world.key)], address="192.0.2.2")


def test_nobody_uses_up_the_quota_of_somebody_else(world: World) -> None:
    """Public envelopes sent again, and statements badly signed beside others, cost their key nothing."""
    door = gate(world, rates=Rates(statements_per_hour=1, statements_burst=3, address_factor=50))
    known = key_statement(world.key)
    door.let_in([known], address="192.0.2.1").submit()
    for _ in range(6):
        receipts = door.let_in([known], address="192.0.2.9").submit()
        assert [one.duplicate for one in receipts] == [True]
    head, mark, rest = freeze(world.protocol(), world.key).partition(b'"sig":"')
    forged = head + mark + b"AAAA" + rest[4:]
    for _ in range(6):
        with pytest.raises(SignatureError):
            door.let_in([forged, known], address="192.0.2.9").submit()
    listed = gate(world, mode="listed", allowed=[world.key.fingerprint], rates=Rates(statements_burst=3))
    for _ in range(6):
        with pytest.raises(NotAllowedError, match="scope"):
            listed.let_in([forged, key_statement(SigningKey.generate("m.example"))], address="192.0.2.9")
    plan = world.protocol()
    for one in (door, listed):
        one.let_in([freeze(plan, world.key)], address="192.0.2.1").submit([plan.canonical_bytes()])


def test_seals_have_a_door_of_their_own(world: World) -> None:
    """Whichever surface brings one: by its place it would tell when it was made. Too many are refused as well."""
    from leadline.ledger.sealing import age
    from leadline.registry.sealing import prepare

    made = prepare(
        world.protocol(),
        world.key,
        age.recipient_of(age.generate()),
        now=TIME,
        today=world.clock.now.date(),
    )
    with pytest.raises(StatementError, match="week's batch"):
        gate(world).let_in([make_signed("seal", made.said, world.key)], address="192.0.2.1")
    for count in (0, 65):
        with pytest.raises(InputError, match="statements in one submission"):
            gate(world).let_in([key_statement(world.key)] * count, address="192.0.2.1")


def test_a_successor_announces_itself_by_the_rights_of_the_key_it_replaces(world: World) -> None:
    """Where that key confirms it at once; a stranger who only names somebody else's key is refused."""
    store = world.registry.store
    world.registry.register_key("Ada")
    listed = access_to(store, mode="listed", allowed=[world.key.fingerprint])
    door = Gate(world.registry, listed)
    new, stranger = SigningKey.generate("example.org/ada2"), SigningKey.generate("mallory.example")
    announced = key_statement(new, replaces=world.key.fingerprint)
    with pytest.raises(NotAllowedError, match="scope 'register'"):
        door.let_in([key_statement(new)], address="here")
    with pytest.raises(NotAllowedError, match="scope 'register'"):
        door.let_in([announced], address="here")
    with pytest.raises(NotAllowedError, match="scope 'register'"):
        door.let_in([freeze(world.protocol(), stranger)], address="here")
    said = {"action": "rotate", "role": "author", "public": new.public.vkey}
    rotation = make_signed("key", {**said, "replaces": world.key.fingerprint, "time": TIME}, world.key)
    door.let_in([announced, rotation], address="here").submit()
    plan = world.protocol()
    door.let_in([freeze(plan, new)], address="here").submit([plan.canonical_bytes()])


def test_an_invitation_is_redeemed_at_the_gate(world: World) -> None:
    """Without one a stranger is refused; with one the key may write, and the token is used up."""
    door = gate(world, mode="invited", rates=Rates())
    token = invite(world.registry.store.shelf)
    with pytest.raises(NotAllowedError, match="scope"):
        door.let_in([key_statement(world.key)], address="here")
    door.let_in([key_statement(world.key)], address="here", invitation=token).submit()
    other = SigningKey.generate("other.example")
    with pytest.raises(NotFoundError, match="no such invitation"):
        door.let_in([key_statement(other)], address="here", invitation=token)


def test_a_private_request_is_charged_like_a_statement(world: World) -> None:
    """The key needs its scope; where the signature does not hold, the key gets back what it was charged."""
    door = gate(world)
    name = world.key.fingerprint
    for _ in range(4):
        with pytest.raises(SignatureError), door.request(name, "seal", address="192.0.2.1"):
            raise SignatureError("it does not hold")
    for _ in range(3):
        with door.request(name, "seal", address="192.0.2.2"):
            pass
    with pytest.raises(QuotaError, match="under this key"), door.request(name, None, address="192.0.2.3"):
        raise AssertionError("not reached")
    with (
        pytest.raises(NotAllowedError, match="scope 'admin'"),
        door.request("other", "admin", address="192.0.2.4"),
    ):
        raise AssertionError("not reached")


def test_an_invitation_is_not_used_up_by_who_did_not_sign(world: World) -> None:
    """Whoever saw the token cannot spend it on a key that is not theirs; the key it was meant for still can."""
    door = gate(world, mode="invited", rates=Rates())
    shelf = world.registry.store.shelf
    token = invite(shelf)
    head, mark, rest = key_statement(SigningKey.generate("nobody.example")).partition(b'"sig":"')
    forged = head + mark + b"AAAA" + rest[4:]
    with pytest.raises(SignatureError, match="does not verify"):
        door.let_in([forged], address="here", invitation=token)
    (one,) = invitations(shelf)
    assert one.used_by is None
    door.let_in([key_statement(world.key)], address="here", invitation=token).submit()


def test_a_successor_of_a_successor_keeps_what_its_line_may(world: World) -> None:
    """The key that was listed need not be the first of its line: the nearest key of which something was said decides."""
    registry, store = world.registry, world.registry.store
    registry.register_key("Ada")
    second, third, fourth = (SigningKey.generate(f"example.org/ada{n}") for n in (2, 3, 4))
    for new in (second, third, fourth):
        registry.rotate_key(new)
        registry.key = new
    first_only = access_to(store, mode="listed", allowed=[world.key.fingerprint])
    second_only = access_to(store, mode="listed", allowed=[second.fingerprint])
    assert "register" in first_only.scopes(fourth.fingerprint)
    assert "register" in second_only.scopes(fourth.fingerprint)
    assert "register" not in second_only.scopes(world.key.fingerprint)
    token = invite(store.shelf, scopes=["judge"])
    invited = access_to(store, mode="invited", allowed=[world.key.fingerprint])
    invited.redeem(token, third.fingerprint)
    assert invited.scopes(fourth.fingerprint) == {"read", "judge"}
    registry.revoke_key("stolen")
    assert "register" not in second_only.scopes(fourth.fingerprint)


def test_an_invitation_that_is_revoked_gives_nothing_whoever_is_first(world: World) -> None:
    """Redeeming and revoking at once, many times: afterwards no key has a right from an invitation that is gone."""
    shelf = world.registry.store.shelf
    access = Access(shelf, mode="invited")
    named = 0
    for number in range(40):
        keyid = f"{number:064x}"
        token = invite(shelf)
        (made,) = invitations(shelf)
        start = Barrier(2)

        def redeem(keyid: str = keyid, token: str = token, start: Barrier = start) -> bool:
            start.wait()
            try:
                access.redeem(token, keyid)
            except NotFoundError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            redeemed = pool.submit(redeem)
            start.wait()
            gone = revoke_invitation(shelf, made.name)
            assert redeemed.result() or gone.used_by is None
        named += gone.used_by == keyid
        assert access.scopes(keyid) == {"read"}
        assert invitations(shelf) == []
        with pytest.raises(NotFoundError):
            access.redeem(token, keyid)
    assert 0 <= named <= 40


def test_an_invitation_goes_to_one_of_many_keys(world: World) -> None:
    """Of keys that redeem it at once one gets in; the same key may ask as often as it likes."""
    shelf = world.registry.store.shelf
    access = Access(shelf, mode="invited")
    token = invite(shelf)
    keys = [f"{number:064x}" for number in range(4)] * 3

    def redeem(keyid: str) -> str | None:
        try:
            access.redeem(token, keyid)
        except NotFoundError:
            return None
        return keyid

    with ThreadPoolExecutor(8) as pool:
        winners = {one for one in pool.map(redeem, keys) if one is not None}
    assert len(winners) == 1
    assert [keyid for keyid in sorted(set(keys)) if "register" in access.scopes(keyid)] == sorted(winners)


def test_revoking_one_of_two_invitations_leaves_the_other(world: World) -> None:
    """What each gives is its own."""
    shelf, keyid = world.registry.store.shelf, world.key.fingerprint
    access = Access(shelf, mode="invited")
    access.redeem(invite(shelf, scopes=["judge"], note="first"), keyid)
    access.redeem(invite(shelf, scopes=["report"], note="second"), keyid)
    (first,) = [one for one in invitations(shelf) if one.note == "first"]
    revoke_invitation(shelf, first.name)
    assert access.scopes(keyid) == {"read", "report"}
