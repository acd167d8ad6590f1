"""Sealing over the API: a seal waits for the week's batch, and so do the slots of its study."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.ledger.sealing.slots import make_slot
from leadline.ledger.statements import make_signed
from leadline.registry.access import Rates, invitations, invite
from leadline.registry.lifecycle import withholding_request
from leadline.registry.sealing import flush, prepare
from leadline.registry.sealing.hazard import seal_request
from leadline.registry.sealing.outbox import sign_deposit
from leadline.registry.sealing.sealing import Prepared, deposit_key
from web.api.world import PREFIX, Service, key_statement, service


@pytest.fixture
def served(tmp_path: Path) -> Service:
    """A served registry."""
    return service(tmp_path / "world")


def prepared(served: Service) -> Prepared:
    """The world's protocol, frozen and encrypted on the author's side."""
    clock = served.world.clock
    return prepare(
        served.world.protocol(),
        served.key,
        age.recipient_of(age.generate()),
        now="2026-03-01T10:00:00Z",
        today=clock.now.date(),
    )


def submission(served: Service, made: Prepared, **changes: Any) -> dict[str, Any]:
    """What an author sends."""
    return {
        "envelope": b64encode(make_signed("seal", made.said, served.key)).decode(),
        "introduction": b64encode(key_statement(served.key)).decode(),
        "deposit_key": made.deposit_public.hex(),
        **changes,
    }


def test_a_seal_waits_for_the_batch(served: Service) -> None:
    """Nothing shows when it is sent, nor when it is sent again; after the week the study exists, and no more."""
    made = prepared(served)
    size = served.get("/log")["size"]
    missing = served.client.post(f"{PREFIX}/seals", json=submission(served, made))
    assert missing.status_code == 409
    served.upload(made.body)
    first = served.client.post(f"{PREFIX}/seals", json=submission(served, made))
    again = served.client.post(f"{PREFIX}/seals", json=submission(served, made))
    assert first.status_code == 202, first.text
    assert (again.status_code, again.content) == (202, first.content)
    assert served.get("/log")["size"] == size
    study = first.json()["study"]
    assert served.client.get(f"{PREFIX}/studies/{study}").status_code == 404
    served.world.clock.now += timedelta(days=7)
    flush(served.world.registry)
    stub = served.get(f"/studies/{study}")
    assert (stub["id"], stub["status"]) == (study, "sealed")
    assert served.client.get(f"{PREFIX}/studies/{study}/protocol").status_code == 404
    assert served.client.get(f"{PREFIX}/studies/{study}/certificate").status_code == 200
    repeated = served.client.post(f"{PREFIX}/seals", json=submission(served, made))
    assert (repeated.status_code, repeated.json()["study"]) == (202, study)
    assert served.get("/studies?q=hint")["studies"] == []


def test_a_seal_does_not_enter_by_itself(served: Service) -> None:
    """Sent with other statements it is refused: its place in the log would tell when it was made."""
    made = prepared(served)
    served.upload(made.body)
    response = served.send([key_statement(served.key), make_signed("seal", made.said, served.key)])
    assert response.status_code == 422
    assert "/seals" in response.json()["remedy"]


def test_slots_are_signed_by_the_studys_own_key(served: Service) -> None:
    """A slot is kept when the deposit key signed it, and refused otherwise; a number is used once."""
    made = prepared(served)
    served.upload(made.body)
    study = served.client.post(f"{PREFIX}/seals", json=submission(served, made)).json()["study"]
    served.world.clock.now += timedelta(days=7)
    flush(served.world.registry)
    slot, _ = make_slot(b"piece", b"", [age.recipient_of(age.generate()), age.recipient_of(age.generate())])
    key = deposit_key(made.content)
    signature = sign_deposit(key, study, 1, -1, slot)
    body = {"slot": b64encode(slot).decode(), "sequence": 1, "after": -1, "signature": signature.hex()}
    url = f"{PREFIX}/seals/{study}/slots"
    forged = served.client.post(url, json={**body, "signature": "00" * 64})
    assert forged.status_code == 403
    assert served.client.post(url, json=body).status_code == 202
    assert served.client.post(url, json=body).status_code == 202
    earlier = {**body, "after": 0, "signature": sign_deposit(key, study, 1, 0, slot).hex()}
    assert served.client.post(url, json=earlier).status_code == 409
    assert served.client.post(f"{PREFIX}/seals/LL-0000000000000/slots", json=body).status_code == 404


def test_what_is_no_seal_is_refused(served: Service) -> None:
    """Another statement, a body of another size, a key without the scope."""
    made = prepared(served)
    other = submission(
        served, made, envelope=b64encode(key_statement(served.key)).decode(), introduction=None
    )
    assert served.client.post(f"{PREFIX}/seals", json=other).status_code == 422
    short = {**made.said, "body": "0" * 64}
    wrong = submission(served, made, envelope=b64encode(make_signed("seal", short, served.key)).decode())
    assert served.client.post(f"{PREFIX}/seals", json=wrong).status_code == 409
    assert served.client.post(f"{PREFIX}/seals", json={"envelope": "!"}).status_code == 400


def test_private_requests_are_charged_and_change_nothing_public(tmp_path: Path) -> None:
    """Withholding answers alike for every open study of the key, until the key has asked for too much."""
    rates = Rates(statements_per_hour=1, statements_burst=4, address_factor=10, requests_per_minute=0)
    served = service(tmp_path / "world", rates=rates)
    first = served.world.register().id
    second = served.world.register(served.world.protocol(title="Another")).id
    size, answers = served.get("/log")["size"], set()
    origin, clock = served.world.registry.home.origin, served.world.clock

    def ask(study: str, action: Any, key: Any = None) -> Any:
        envelope = withholding_request(origin, study, action, key or served.key, clock())
        return served.client.post(f"{PREFIX}/requests", json={"request": b64encode(envelope).decode()})

    for study, action in ((first, "withhold"), (second, "withhold"), (first, "lift")):
        response = ask(study, action)
        answers.add((response.status_code, response.content))
    stranger = SigningKey.generate("mallory.example")
    refused = [ask(study, "withhold", stranger) for study in (first, "LL-0000000000000")]
    assert [one.status_code for one in refused] == [403, 403]
    assert len(answers) == 1
    assert served.get("/log")["size"] == size
    assert ask(second, "lift").status_code == 202
    too_much = ask(second, "withhold")
    assert (too_much.status_code, int(too_much.headers["retry-after"]) > 0) == (429, True)


def test_a_hazard_seal_must_be_the_installations(served: Service) -> None:
    """Signed by somebody else it is refused, and so is one without its body."""
    made = prepare(
        served.world.protocol(),
        served.key,
        age.recipient_of(age.generate()),
        now="2026-03-01T10:00:00Z",
        today=served.world.clock.now.date(),
        tier="hazard",
    )
    own = submission(served, made, introduction=None, body=b64encode(made.body).decode())
    assert served.client.post(f"{PREFIX}/seals", json=own).status_code == 403
    key = served.world.registry.home.ensure("installation")
    signed = b64encode(make_signed("seal", made.said, key)).decode()
    bare = {"envelope": signed, "deposit_key": made.deposit_public.hex()}
    assert served.client.post(f"{PREFIX}/seals", json=bare).status_code == 409
    short = {**bare, "body": b64encode(made.body[:-1]).decode()}
    assert served.client.post(f"{PREFIX}/seals", json=short).status_code == 409
    whole = {**bare, "body": own["body"]}
    assert served.client.post(f"{PREFIX}/seals", json=whole).status_code == 202


def test_who_was_invited_may_begin_with_a_hazard_seal(tmp_path: Path) -> None:
    """The invitation is redeemed for the key that signed the request, and for nobody who only names that key."""
    served = service(tmp_path / "world", mode="invited")
    token = invite(served.world.registry.store.shelf)
    made = prepare(
        served.world.protocol(),
        served.key,
        age.recipient_of(age.generate()),
        now="2026-03-01T10:00:00Z",
        today=served.world.clock.now.date(),
        tier="hazard",
    )
    expires = served.world.clock.now + timedelta(hours=1)
    origin = served.world.registry.home.origin
    request = seal_request(made.said, origin=origin, expires=expires, key=served.key)
    forged = bytearray(request)
    at = request.index(b'"sig":"') + 7
    forged[at] = ord("A") if forged[at] != ord("A") else ord("B")

    def ask(envelope: bytes, *, invited: bool) -> int:
        headers = {"Leadline-Invitation": token} if invited else {}
        body = {"request": b64encode(envelope).decode()}
        answer = served.client.post(f"{PREFIX}/seals/signatures", json=body, headers=headers)
        return int(answer.status_code)

    assert ask(request, invited=False) == 403
    assert ask(bytes(forged), invited=True) == 403
    assert [one.used_by for one in invitations(served.world.registry.store.shelf)] == [None]
    assert ask(request, invited=True) == 200
    assert [one.used_by for one in invitations(served.world.registry.store.shelf)] == [served.key.fingerprint]
    assert ask(request, invited=False) == 200
