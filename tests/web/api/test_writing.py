"""Writing over the API: signed statements, uploads, repetition, permission, quotas, and hostile bodies."""

import gzip
import json
import threading
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest

from leadline.ledger import dsse, keys
from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog import leaf_hash, verify_inclusion
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.registry.access import Access, Buckets, Caller, Rates, invitations, invite, revoke_invitation
from leadline.registry.intake import sweep
from leadline.registry.run import Run
from leadline.web.api.guard import address_of
from registry.test_intake import attach_statement, report_fields
from web.api.world import GENEROUS, PREFIX, Service, freeze, key_statement, later, service, statement


@pytest.fixture
def served(tmp_path: Path) -> Service:
    """A served registry, open to everybody."""
    return service(tmp_path / "world")


# statements


def test_the_whole_life_of_a_study(served: Service) -> None:
    """Key, freeze, attempt, logs, close and report, all signed on the author's side; every receipt is a proof."""
    study = served.world.registry.study(served.register())
    response = served.send(
        [statement("attempt", study.id, served.key, number=1, action="open", status="started")]
    )
    entry = response.json()["entries"][0]
    paths = served.world.lab_run(study, Run(study, 1, entry["leaf_hash"]))
    for path in paths:
        assert served.upload(path.read_bytes()).status_code == 201
    assert served.send([attach_statement(paths, study.id, served.key)]).status_code == 201
    digests = sorted(sha256_hex(path.read_bytes()) for path in paths)
    close = statement(
        "attempt", study.id, served.key, number=1, action="close", status="completed", logs=digests
    )
    assert served.send([close]).status_code == 201
    said = statement("report", study.id, served.key, **report_fields(study))
    response = served.send([said])
    assert response.status_code == 201
    receipt = response.json()
    vkey = VerifyKey.parse(served.get("/log")["vkey"])
    signed = open_checkpoint(receipt["checkpoint"].encode(), [vkey], origin=receipt["origin"]).checkpoint
    (one,) = receipt["entries"]
    hashes = [bytes.fromhex(value) for value in one["hashes"]]
    verify_inclusion(leaf_hash(said), one["index"], signed.size, hashes, signed.root)
    assert served.get(f"/studies/{study.id}")["status"] == "reported"


def test_missing_bytes_are_listed(served: Service) -> None:
    """A statement that comes before its bytes is refused with what to upload; then it is taken."""
    protocol = served.world.protocol()
    batch = [key_statement(served.key), freeze(protocol, served.key)]
    refused = served.send(batch)
    assert refused.status_code == 409
    assert refused.json()["missing"] == [protocol.digest]
    served.upload(protocol.canonical_bytes())
    assert served.send(batch).status_code == 201


def test_a_repeated_submission_changes_nothing(served: Service) -> None:
    """Without any idempotency key the same envelopes are answered with the first entries, as 200."""
    study = served.register()
    size = served.get("/log")["size"]
    said = statement("attempt", study, served.key, number=1, action="open", status="started")
    first, again = served.send([said]), served.send([said])
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["entries"][0]["index"] == first.json()["entries"][0]["index"]
    assert again.json()["entries"][0]["duplicate"]
    assert served.get("/log")["size"] == size + 1


def test_an_idempotency_key_gives_the_same_answer(served: Service) -> None:
    """The same key and body: the first answer, byte for byte; another body under it: a problem."""
    study = served.register()
    said = statement("attempt", study, served.key, number=1, action="open", status="started")
    key = {"Idempotency-Key": "one-attempt"}
    first, again = served.send([said], **key), served.send([said], **key)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    other = statement("attempt", study, served.key, number=2, action="open", status="started")
    conflict = served.send([other], **key)
    assert conflict.status_code == 409
    assert "another request" in conflict.json()["detail"]
    assert served.send([other], **{"Idempotency-Key": "bad key"}).status_code == 400


def test_a_failure_is_not_remembered(served: Service) -> None:
    """After a refusal the same request under the same key is tried again."""
    protocol = served.world.protocol()
    batch = [key_statement(served.key), freeze(protocol, served.key)]
    key = {"Idempotency-Key": "register-once"}
    assert served.send(batch, **key).status_code == 409
    served.upload(protocol.canonical_bytes())
    assert served.send(batch, **key).status_code == 201


def test_concurrent_retries_register_once(served: Service) -> None:
    """Many clients that repeat one registration at the same time, signed anew each time, make one study."""
    served.register(served.world.protocol(title="The first study"))
    protocol = served.world.protocol()
    served.upload(protocol.canonical_bytes())
    answers: list[Any] = []

    def send(number: int) -> None:
        envelope = freeze(protocol, served.key, created=f"2026-03-01T10:00:{number:02d}Z")
        answers.append(served.send([envelope], **({"Idempotency-Key": "same-retry"} if number < 3 else {})))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [one for one in answers if one.status_code in (200, 201)]
    assert len({one.json()["entries"][0]["study"] for one in done}) == 1
    assert {one.status_code for one in answers} <= {200, 201, 409}
    assert len(served.get("/studies")["studies"]) == 2


def test_the_answer_is_forgotten_after_a_day(served: Service) -> None:
    """What is remembered for repetition is swept, and uploads with it."""
    study = served.register()
    said = statement("attempt", study, served.key, number=1, action="open", status="started")
    served.send([said], **{"Idempotency-Key": "one-attempt"})
    served.upload(b"never referred to")
    shelf = served.world.registry.store.shelf
    assert sweep(served.world.registry, later(2)) == 0
    assert sweep(served.world.registry, later(26)) == 2
    assert shelf.items("answer") == shelf.items("upload") == shelf.items("upload.bytes") == []


# uploads


def test_an_upload_needs_a_signed_request(served: Service) -> None:
    """No request, a forged one, one for other bytes, for another size: refused, and nothing is kept."""
    data = b"some bytes"
    url = f"{PREFIX}/blobs/{sha256_hex(data)}"
    assert served.client.put(url, content=data).status_code == 403
    good = b64decode(served.ticket(data))
    forged = json.loads(good)
    forged["signatures"][0]["sig"] = "A" * 86 + "=="
    bad: list[tuple[str, int]] = [
        (b64encode(json.dumps(forged, separators=(",", ":")).encode()).decode(), 403),
        ("!!!", 400),
        (served.ticket(b"other bytes"), 400),
        (served.ticket(data, size=5), 400),
        (served.ticket(data, origin="another.log"), 422),
        (served.ticket(data, expires=later(100)), 422),
        (b64encode(key_statement(served.key)).decode(), 422),
    ]
    for ticket, status in bad:
        response = served.client.put(url, content=data, headers={"Leadline-Upload": ticket})
        assert response.status_code == status, response.text
    wrong = served.client.put(url, content=b"same lengt", headers={"Leadline-Upload": served.ticket(data)})
    assert wrong.status_code == 400
    assert served.world.registry.store.shelf.items("upload") == []
    assert served.world.registry.store.shelf.items("upload.bytes") == []


def test_an_upload_without_length_is_bounded_by_its_request(served: Service) -> None:
    """A streamed body that is longer than the signed size is cut off."""
    data = b"x" * 100
    url = f"{PREFIX}/blobs/{sha256_hex(data)}"
    headers = {"Leadline-Upload": served.ticket(data)}
    assert served.client.put(url, content=iter([data]), headers=headers).status_code == 201
    response = served.client.put(url, content=iter([data, data]), headers=headers)
    assert response.status_code == 400
    assert "more bytes" in response.json()["detail"]


# permission


def test_only_listed_keys_write_where_keys_are_listed(tmp_path: Path) -> None:
    """A stranger's key is refused before its signature is looked at; a listed one and its successor may write."""
    served = service(tmp_path / "world", mode="listed")
    served.access._allowed[served.key.fingerprint] = frozenset({"read", "register"})
    stranger = SigningKey.generate("example.org/eve")
    assert served.send([key_statement(stranger)]).status_code == 403
    assert served.upload(b"data", stranger).status_code == 403
    study = served.register()
    said = statement("judgement", study, served.key, type="review", target=study, text="good")
    refused = served.send([said])
    assert refused.status_code == 403
    assert "'judge'" in refused.json()["detail"]
    assert refused.json()["type"].endswith("/not-allowed")


def test_a_successor_of_a_listed_key_may_write(tmp_path: Path) -> None:
    """Rotation needs no new listing: the old key's permission announces the new one and is inherited."""
    served = service(tmp_path / "world")
    store = served.world.registry.store
    from leadline.registry.access import access_to

    served = Service(
        served.world, access_to(store, mode="listed", allowed=[served.key.fingerprint], rates=GENEROUS)
    )
    study = served.register()
    new = SigningKey.generate("example.org/ada2")
    old = served.key.fingerprint
    begin = key_statement(new, replaces=old)
    fields = {
        "action": "rotate",
        "role": "author",
        "public": new.public.vkey,
        "replaces": old,
        "time": "2026-03-01T10:00:00Z",
    }
    confirm = make_signed("key", {**fields, "reason": "rotation"}, served.key)
    assert served.send([begin, confirm]).status_code == 201
    opened = statement("attempt", study, new, number=1, action="open", status="started")
    assert served.send([opened]).status_code == 201


def test_only_keys_of_the_study_open_its_attempts(tmp_path: Path) -> None:
    """A stranger whom the registry lets write cannot announce a run of somebody else's study."""
    served = service(tmp_path / "world")
    study, stranger = served.register(), SigningKey.generate("example.org/bob")
    assert served.send([key_statement(stranger)]).status_code == 201
    response = served.send([statement("attempt", study, stranger, number=1, action="open", status="started")])
    assert response.status_code in (403, 422)
    assert "may not act for" in response.text
    assert served.world.registry.study(study).attempts == ()


def test_invitations_are_used_once(tmp_path: Path) -> None:
    """A token lets one key in; another key, a wrong token and a revoked one are turned away alike."""
    served = service(tmp_path / "world", mode="invited")
    shelf = served.world.registry.store.shelf
    token = invite(shelf, note="for Ada")
    assert token not in str(shelf.items("invitation"))
    assert served.send([key_statement(served.key)]).status_code == 403
    header = {"Leadline-Invitation": token}
    assert served.send([key_statement(served.key)], **header).status_code == 201
    assert served.register()
    other = SigningKey.generate("example.org/bob")
    for bad in (token, "LLI-" + "x" * 32, "no token"):
        response = served.send([key_statement(other)], **{"Leadline-Invitation": bad})
        assert response.status_code == 404
    (one,) = invitations(shelf)
    assert (one.note, one.used_by) == ("for Ada", served.key.fingerprint)
    revoke_invitation(shelf, one.name)
    assert invitations(shelf) == []
    said = served.world.protocol(title="After the revocation")
    assert served.upload(said.canonical_bytes()).status_code == 403


def test_the_first_upload_may_bring_the_invitation(tmp_path: Path) -> None:
    """Bytes come before the statement that names them: an upload whose request is signed redeems it, no other does."""
    served = service(tmp_path / "world", mode="invited")
    shelf = served.world.registry.store.shelf
    token = invite(shelf)
    plan = served.world.protocol()
    data = plan.canonical_bytes()
    path = f"/api/v1/blobs/{sha256_hex(data)}"
    ticket = served.ticket(data)
    forged = b64encode(b64decode(ticket).replace(b'"sig":"', b'"sig":"AAAA', 1)).decode()
    for bad in (forged, served.ticket(data, origin="another.example")):
        headers = {"Leadline-Upload": bad, "Leadline-Invitation": token}
        assert served.client.put(path, content=data, headers=headers).status_code in (403, 422)
        assert [one.used_by for one in invitations(shelf)] == [None]
    assert served.client.put(path, content=data, headers={"Leadline-Upload": ticket}).status_code == 403
    headers = {"Leadline-Upload": ticket, "Leadline-Invitation": token}
    assert served.client.put(path, content=data, headers=headers).status_code == 201
    assert served.send([key_statement(served.key), freeze(plan, served.key)]).status_code == 201


def test_an_invitation_keeps_what_it_gave_and_nothing_else(served: Service) -> None:
    """What the settings gave a key when it accepted an invitation goes when the settings take it back."""
    shelf, keyid = served.world.registry.store.shelf, served.key.fingerprint
    before = Access(shelf, mode="invited", admins=[keyid])
    assert "admin" in before.redeem(invite(shelf, scopes=["judge"]), keyid)
    after = Access(shelf, mode="invited")
    assert after.scopes(keyid) == {"read", "judge"}
    after.redeem(invite(shelf, scopes=["report"]), keyid)
    assert after.scopes(keyid) == {"read", "judge", "report"}


# quotas


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_a_network_of_ipv6_is_one_client(one: str, other: str, same: bool) -> None:
    """However an address is written, its first 64 bits count: what follows anybody may choose."""
    found = [address_of({"client": (host, 1)}) for host in (one, other)]
    assert (found[0] == found[1]) is same


def test_quotas_come_before_signatures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the quota is used up, no further signature is verified, and the answer says when to come back."""
    served = service(
        tmp_path / "world", rates=Rates(statements_per_hour=1, statements_burst=2, requests_per_minute=0)
    )
    checked: list[object] = []
    original = keys.verify
    monkeypatch.setattr(keys, "verify", lambda *args: (checked.append(args), original(*args))[1])
    envelope = json.loads(key_statement(served.key))
    envelope["signatures"][0]["sig"] = "A" * 86 + "=="
    forged = json.dumps(envelope, separators=(",", ":")).encode()
    statuses = [served.send([forged]).status_code for _ in range(12)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    # Once at the door, and once to see whether the key has to pay for it.
    assert len(checked) == 2 * statuses.count(403)
    response = served.send([forged])
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert "send the same request again" in response.json()["remedy"]


def test_nobody_uses_up_what_belongs_to_another_key(tmp_path: Path) -> None:
    """What was charged to a key that did not sign is given back to it; the address stays charged."""
    rates = Rates(statements_per_hour=1, statements_burst=4, requests_per_minute=0, address_factor=100)
    served = service(tmp_path / "world", rates=rates)
    envelope = json.loads(key_statement(served.key))
    envelope["signatures"][0]["sig"] = "A" * 86 + "=="
    forged = json.dumps(envelope, separators=(",", ":")).encode()
    assert {served.send([forged]).status_code for _ in range(10)} == {403}
    assert served.send([key_statement(served.key)]).status_code == 201


def test_reads_and_bytes_have_quotas_too(tmp_path: Path) -> None:
    """An address that asks too often waits; so does a key that uploads too much."""
    served = service(
        tmp_path / "world", rates=Rates(requests_per_minute=60, requests_burst=5, bytes_per_day=100)
    )
    statuses = [served.client.get(f"{PREFIX}/log").status_code for _ in range(8)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses
    other = service(
        tmp_path / "other", rates=Rates(requests_per_minute=0, bytes_per_day=100, address_factor=1)
    )
    assert other.upload(b"x" * 80).status_code == 201
    assert other.upload(b"y" * 80).status_code == 429


def test_buckets_refill_and_forget() -> None:
    """Tokens come back with time, a large request owes, and memory is bounded."""
    now = [0.0]
    buckets = Buckets(rate=1.0, capacity=10.0, ticks=lambda: now[0], most=3)
    assert buckets.take("a", 10) == 0.0
    assert buckets.take("a", 1) == pytest.approx(1.0)
    now[0] = 1.0
    assert buckets.take("a", 1) == 0.0
    now[0] = 100.0
    assert buckets.take("a", 25) == 0.0
    assert buckets.take("a", 1) == pytest.approx(16.0)
    for name in "bcdefg":
        buckets.take(name, 1)
    assert len(buckets) == 3
    assert Buckets(0, 1, lambda: 0.0).take("a", 1e9) == 0.0


def test_an_address_bounds_many_keys(served: Service) -> None:
    """Fresh keys from one address share its bucket."""
    from leadline.errors import QuotaError

    access = Access(
        served.world.registry.store.shelf,
        rates=Rates(statements_per_hour=1, statements_burst=1, address_factor=3),
    )
    for number in range(3):
        access.charge_statements(Caller("192.0.2.1", f"key{number}"), 1)
    with pytest.raises(QuotaError, match="from this address"):
        access.charge_statements(Caller("192.0.2.1", "key9"), 1)
    access.charge_statements(Caller("192.0.2.2", "key9"), 1)


# hostile bodies

_DEEP = b'{"envelopes":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"envelopes":[]}', 400),
        (b'{"envelopes":["e30="],"more":1}', 400),
        (b'{"envelopes":["e30="],"envelopes":["e30="]}', 400),
        (b'{"envelopes":[NaN]}', 400),
        (b'{"envelopes":[1e999]}', 400),
        (b'{"envelopes":[123456789012345678901234567890]}', 400),
        (b'{"envelopes":["\xff\xfe"]}', 400),
        (b'{"envelopes":["\\ud800"]}', 400),
        (b'\xef\xbb\xbf{"envelopes":["e30="]}', 400),
        (b'{"envelopes":["not base64!"]}', 400),
        (b'{"envelopes":["e30="]}', 422),
        (_DEEP, 400),
        (b'{"envelopes":["' + b"A" * 90_000 + b'"]}', 400),
        (b'{"envelopes":[' + b",".join([b'"e30="'] * 65) + b"]}", 400),
    ],
)
def test_bodies_that_make_no_sense(served: Service, body: bytes, status: int) -> None:
    """Whatever the body is, the answer is a problem that says so."""
    response = served.client.post(f"{PREFIX}/statements", content=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in response.text


def test_bodies_are_bounded_and_not_inflated(served: Service) -> None:
    """Too long, declared or streamed, is 413; a compressed body is not taken."""
    long = b" " * (9 << 20)
    assert served.client.post(f"{PREFIX}/statements", content=long).status_code == 413
    streamed = iter([b" " * (1 << 20)] * 9)
    assert served.client.post(f"{PREFIX}/statements", content=streamed).status_code == 413
    packed = gzip.compress(b"[" * 1_000_000)
    response = served.client.post(f"{PREFIX}/check", content=packed, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415
    assert served.client.get(f"{PREFIX}/studies?q=" + "a" * 20_000).status_code == 414


def test_statements_of_other_kinds_of_payload(served: Service) -> None:
    """An upload request is no statement, and a statement no ticket."""
    ticket = b64decode(served.ticket(b"x"))
    assert served.send([ticket]).status_code == 422
    odd = dsse.sign(b'{"_type":"x"}', dsse.PAYLOAD_TYPE, served.key)
    assert served.send([odd]).status_code == 422


def test_a_fault_is_answered_without_its_inside(
    served: Service, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """What was not foreseen is answered with an id, which the journal has too; nothing else leaves the server."""
    monkeypatch.setattr(served.world.registry.store, "snapshot", lambda: 1 / 0)
    response = served.client.get(f"{PREFIX}/log")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.text
    fault = response.json()["detail"].split("fault ")[1].rstrip(")")
    assert fault in caplog.text
