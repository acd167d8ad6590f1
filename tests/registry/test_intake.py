"""Statements that were signed elsewhere: everything the registry refuses by itself is refused at the door too."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from leadline.errors import InputError, LogError, SignatureError, StateError, StatementError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.protocol.model import Protocol
from leadline.registry.exchange import export_study
from leadline.registry.intake import (
    MissingBlobsError,
    Staging,
    read_ticket,
    sign_ticket,
    submission,
    submit,
    sweep,
)
from leadline.registry.intake.examine import Examined
from leadline.registry.publication import statement_of
from leadline.registry.registry import Registry
from leadline.registry.study import Study
from leadline.store import Appended, ReadView
from leadline.store.projections.authority import key as find_key
from registry.world import World

TIME = "2026-03-01T10:00:00Z"
NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author the log does not know yet."""
    return World(tmp_path / "world", items=12)


def key_statement(key: SigningKey) -> bytes:
    """A key's registration of itself."""
    said = {
        "action": "register",
        "role": "author",
        "public": key.public.vkey,
        "holder": {"name": "Ada", "kind": "human"},
        "time": TIME,
    }
    return make_signed("key", said, key)


def freeze(plan: Protocol, key: SigningKey, **changes: Any) -> bytes:
    """The freeze of a protocol, as an honest client makes it unless told otherwise."""
    said: dict[str, Any] = {
        "title": plan.title,
        "protocol": plan.digest,
        "authors": [author.name for author in plan.authors],
        "due": "2026-06-01",
        "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in plan.hypotheses],
        "created": TIME,
    }
    return make_signed("freeze", {**said, **changes}, key)


def registered(world: World) -> str:
    """A study that came in through the door; its id."""
    protocol = world.protocol()
    envelopes = [key_statement(world.key), freeze(protocol, world.key)]
    receipt = submit(world.registry, envelopes, [protocol.canonical_bytes()])[-1]
    return study_id(receipt.leaf_hash)


def say(world: World, kind: str, study: str, key: SigningKey | None = None, **said: Any) -> list[Appended]:
    """Submit one statement about a study."""
    fields = {"study": study, "created": TIME, **said}
    return submit(world.registry, [make_signed(kind, fields, key or world.key)])


def attach_statement(paths: list[Path], study: str, key: SigningKey, **changes: Any) -> bytes:
    """An attach statement that describes its logs as the reader does."""
    from leadline.registry.handover import handed_over

    logs = [{**log.said(), **changes} for log in handed_over(paths)]
    return make_signed("attach", {"study": study, "attempt": 1, "logs": logs, "created": TIME}, key)


def ran(world: World, study: Study) -> list[Path]:
    """Announce an attempt through the door, and run it honestly."""
    from leadline.registry.run import Run

    receipt = say(world, "attempt", study.id, number=1, action="open", status="started")[0]
    return world.lab_run(study, Run(study, 1, receipt.leaf_hash.hex()))


# plans


def test_a_study_registers_through_the_door(world: World) -> None:
    """Key and freeze enter in one submission, and the study is the one that registering here would give."""
    study = world.registry.study(registered(world))
    assert study.protocol.digest == world.protocol().digest
    assert study.row.keyid == world.key.fingerprint


def test_the_same_plan_twice_is_one_study(world: World) -> None:
    """A freeze signed again at another time by the same key is answered with the first entry; so are its bytes."""
    study = registered(world)
    size = world.registry.store.size()
    again = freeze(world.protocol(), world.key, created="2026-03-02T10:00:00Z")
    for envelope in (again, world.registry.study(study).envelope):
        (receipt,) = submit(world.registry, [envelope])
        assert receipt.duplicate
        assert study_id(receipt.leaf_hash) == study
    assert world.registry.store.size() == size


def test_two_freezes_of_one_plan_in_one_submission_are_one_study(world: World) -> None:
    """Also within a batch a key freezes a plan once."""
    protocol = world.protocol()
    twice = [freeze(protocol, world.key), freeze(protocol, world.key, created="2026-03-02T10:00:00Z")]
    receipts = submit(world.registry, [key_statement(world.key), *twice], [protocol.canonical_bytes()])
    assert receipts[1].index == receipts[2].index


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "Another title"}, "title"),
        ({"authors": ["Eve"]}, "authors"),
        ({"due": "2027-01-01"}, "due"),
        ({"due": None}, "due"),
        ({"area": ["sandbagging"]}, "area"),
        ({"hypotheses": []}, "hypotheses"),
    ],
)
def test_a_freeze_must_repeat_its_protocol(world: World, changes: dict[str, Any], field: str) -> None:
    """A freeze whose fields differ from the protocol's is refused, naming the field; nothing is appended."""
    protocol = world.protocol()
    size = world.registry.store.size()
    said = {key: value for key, value in changes.items() if value is not None}
    envelope = freeze(protocol, world.key, **said)
    if changes == {"due": None}:
        fields = {
            "title": protocol.title,
            "protocol": protocol.digest,
            "authors": ["Ada"],
            "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in protocol.hypotheses],
            "created": TIME,
        }
        envelope = make_signed("freeze", fields, world.key)
    with pytest.raises(StatementError, match=f"says {field}"):
        submit(world.registry, [key_statement(world.key), envelope], [protocol.canonical_bytes()])
    assert world.registry.store.size() == size


def test_a_freeze_without_its_protocol_lists_what_to_upload(world: World) -> None:
    """Missing bytes are named by digest."""
    protocol = world.protocol()
    with pytest.raises(MissingBlobsError) as caught:
        submit(world.registry, [key_statement(world.key), freeze(protocol, world.key)])
    assert caught.value.digests == (protocol.digest,)


def test_bytes_that_only_the_store_holds_are_missing_all_the_same(world: World) -> None:
    """What somebody else stored cannot be referred to: that would tell that it is there, and publish it."""
    protocol = world.protocol()
    world.registry.store.put_blob(protocol.canonical_bytes())
    with pytest.raises(MissingBlobsError):
        submit(world.registry, [key_statement(world.key), freeze(protocol, world.key)])
    other = SigningKey.generate("example.org/eve")
    stage(world.registry, other, protocol.canonical_bytes())
    with pytest.raises(MissingBlobsError):
        submit(world.registry, [key_statement(world.key), freeze(protocol, world.key)])


def test_a_plan_that_does_not_execute_is_refused(world: World) -> None:
    """As at home: a plan whose analysis cannot run is not registered."""
    plan = world.protocol()
    body = json.loads(plan.canonical_bytes())
    body["sample_size"]["design"] = "anytime"
    protocol = Protocol.model_validate(body)
    with pytest.raises(InputError, match="cannot be executed"):
        submit(
            world.registry,
            [key_statement(world.key), freeze(protocol, world.key)],
            [protocol.canonical_bytes()],
        )


def test_a_spelling_of_a_protocol_that_is_not_canonical_is_refused(world: World) -> None:
    """One promise has one digest: other bytes of the same document are refused."""
    protocol = world.protocol()
    spelt = json.dumps(json.loads(protocol.canonical_bytes()), indent=1).encode()
    envelope = freeze(protocol, world.key, protocol=sha256_hex(spelt))
    with pytest.raises(StatementError, match="canonical bytes"):
        submit(world.registry, [key_statement(world.key), envelope], [spelt])


def test_strangers_cannot_make_the_server_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature that fails, or a key without rights, is refused before anything is examined."""
    from leadline.registry.intake import submission

    study = registered(world)
    worked: list[object] = []
    monkeypatch.setattr(submission, "examine", lambda *args: worked.append(args))
    eve = SigningKey.generate("example.org/eve")
    with pytest.raises(SignatureError):
        say(world, "withdraw", study, key=eve, reason="mine")
    real = make_signed("withdraw", {"study": study, "reason": "a", "created": TIME}, world.key)
    forged = json.loads(real)
    forged["signatures"][0]["sig"] = "A" * 86 + "=="
    with pytest.raises(SignatureError, match="does not belong"):
        submit(world.registry, [json.dumps(forged, separators=(",", ":")).encode()])
    assert worked == []


# runs


def test_the_whole_life_through_the_door(world: World) -> None:
    """Attempt, attach, close and report come in signed; the report is the one computed here."""
    study = world.registry.study(registered(world))
    paths = ran(world, study)
    envelope = attach_statement(paths, study.id, world.key)
    submit(world.registry, [envelope], [path.read_bytes() for path in paths])
    digests = sorted(sha256_hex(path.read_bytes()) for path in paths)
    say(world, "attempt", study.id, number=1, action="close", status="completed", logs=digests)
    said = report_fields(study)
    receipt = say(world, "report", study.id, **said)[0]
    assert study.reports[-1].ix == receipt.index
    assert study.analyze().verdicts["H1"].outcome == said["verdicts"]["H1"]["outcome"]
    (again,) = say(world, "report", study.id, **{**said, "created": "2026-03-09T00:00:00Z"})
    assert again.index == receipt.index


def report_fields(study: Study) -> dict[str, Any]:
    """What an honest report statement says."""
    body = study.analyze().to_json()
    return {"protocol": study.row.protocol, **statement_of(body, sha256_hex(body))}


@pytest.mark.parametrize("lie", ["outcome", "digest", "logs", "engine", "protocol"])
def test_nobody_types_a_verdict(world: World, lie: str) -> None:
    """A report that is not what the analysis gives is refused, whichever part of it was typed."""
    study = world.registry.study(registered(world))
    paths = ran(world, study)
    envelope = attach_statement(paths, study.id, world.key)
    submit(world.registry, [envelope], [path.read_bytes() for path in paths])
    said = report_fields(study)
    if lie == "outcome":
        said["verdicts"]["H1"]["outcome"] = "refuted"
    elif lie == "digest":
        said["report"] = "0" * 64
    elif lie == "logs":
        said["logs"] = said["logs"][:-1]
    elif lie == "engine":
        said["engine"] = "leadline 99"
    else:
        said["protocol"] = "0" * 64
    with pytest.raises(StatementError, match="computed"):
        say(world, "report", study.id, **said)
    assert study.reports == []


def test_a_log_is_described_as_it_is(world: World) -> None:
    """Size, format, evaluation and number of samples in the statement must be the file's."""
    study = world.registry.study(registered(world))
    paths = ran(world, study)
    blobs = [path.read_bytes() for path in paths]
    for changes in ({"size": 1}, {"samples": 3}, {"eval_id": "other"}, {"format": "json"}):
        with pytest.raises(StatementError, match="says"):
            submit(world.registry, [attach_statement(paths, study.id, world.key, **changes)], blobs)


def test_what_is_no_log_is_not_attached(world: World) -> None:
    """A file that no reader knows is refused."""
    study = registered(world)
    say(world, "attempt", study, number=1, action="open", status="started")
    data = b"not a log"
    log = {"sha256": sha256_hex(data), "name": "../../x.eval", "size": len(data), "format": "eval"}
    fields = {"study": study, "logs": [log], "created": TIME}
    with pytest.raises(InputError):
        submit(world.registry, [make_signed("attach", fields, world.key)], [data])


def test_a_scan_stops_a_log_before_it_is_public(world: World) -> None:
    """What the scan finds refuses the attachment, and nothing of the file is kept."""
    study = world.registry.study(registered(world))
    paths = ran(world, study)
    envelope = attach_statement(paths, study.id, world.key)
    with pytest.raises(LogError, match="an API key"):
        submit(
            world.registry,
            [envelope],
            [path.read_bytes() for path in paths],
            scan=lambda path: ["an API key in line 3"],
        )
    assert not world.registry.store.has_blob(sha256_hex(paths[0].read_bytes()))


def test_a_withdrawn_study_takes_nothing_more(world: World) -> None:
    """No attempt, log or report after the tombstone; an open attempt may still end."""
    study = registered(world)
    say(world, "attempt", study, number=1, action="open", status="started")
    say(world, "withdraw", study, reason="flawed")
    with pytest.raises(StateError, match="withdrawn"):
        say(world, "attempt", study, number=2, action="open", status="started")
    say(world, "attempt", study, number=1, action="abandon", status="cancelled", note="withdrawn")


def test_attempts_come_in_order_and_close_with_their_logs(world: World) -> None:
    """Numbers without gaps, one close each, and no completed close without a log."""
    study = registered(world)
    with pytest.raises(StatementError, match="next attempt is number 1"):
        say(world, "attempt", study, number=2, action="open", status="started")
    say(world, "attempt", study, number=1, action="open", status="started")
    with pytest.raises(StateError, match="has no log"):
        say(world, "attempt", study, number=1, action="close", status="completed")
    say(world, "attempt", study, number=1, action="close", status="failed")
    with pytest.raises(StatementError, match="not open"):
        say(world, "attempt", study, number=1, action="abandon", status="cancelled", note="again")


def test_an_amendment_names_what_changed(world: World) -> None:
    """The places of change are computed again; an unchanged plan is no amendment."""
    study = registered(world)
    new = world.protocol(notes="we add a note")
    fields = {"study": study, "reason": "clarity", "seen": "nothing_run", "created": TIME}
    lie = make_signed("amend", {**fields, "protocol": new.digest, "changed": ["/title"]}, world.key)
    with pytest.raises(StatementError, match="says changed"):
        submit(world.registry, [lie], [new.canonical_bytes()])
    same = make_signed(
        "amend", {**fields, "protocol": world.protocol().digest, "changed": ["/title"]}, world.key
    )
    with pytest.raises(StateError, match="exactly the same"):
        submit(world.registry, [same], [world.protocol().canonical_bytes()])
    true = make_signed("amend", {**fields, "protocol": new.digest, "changed": ["/notes"]}, world.key)
    submit(world.registry, [true], [new.canonical_bytes()])


def test_all_or_nothing(world: World) -> None:
    """One bad statement in a submission, and none of it is in the log."""
    study = registered(world)
    size = world.registry.store.size()
    good = make_signed(
        "attempt",
        {"study": study, "number": 1, "action": "open", "status": "started", "created": TIME},
        world.key,
    )
    bad = make_signed(
        "attempt",
        {"study": study, "number": 3, "action": "open", "status": "started", "created": TIME},
        world.key,
    )
    with pytest.raises(StatementError, match="next attempt is number 2") as caught:
        submit(world.registry, [good, bad])
    assert caught.value.where is not None
    assert caught.value.where.startswith("statement 2 of 2")
    assert world.registry.store.size() == size
    for count in (0, 65):
        with pytest.raises(InputError, match="statements in one submission"):
            submit(world.registry, [good] * count)


# uploads


def stage(registry: Registry, key: SigningKey, data: bytes, now: datetime = NOW) -> str:
    """Upload bytes under a key; their digest."""
    upload = Staging(registry.store.shelf).begin(key.fingerprint, sha256_hex(data), len(data), now)
    upload.write(data)
    upload.finish()
    return sha256_hex(data)


def test_an_upload_waits_for_its_statement_and_is_settled_by_it(world: World) -> None:
    """The bytes are in the store once the statement is in the log, and wait no longer."""
    protocol = world.protocol()
    digest = stage(world.registry, world.key, protocol.canonical_bytes())
    assert not world.registry.store.has_blob(digest)
    submit(world.registry, [key_statement(world.key), freeze(protocol, world.key)])
    assert world.registry.store.has_blob(digest)
    assert not Staging(world.registry.store.shelf).has(world.key.fingerprint, digest)
    assert world.registry.store.shelf.items("upload.bytes") == []


def test_a_long_upload_comes_back_as_it_was(world: World) -> None:
    """Pieces are put together again, and writing in odd portions changes nothing."""
    data = bytes(range(256)) * 10_000
    upload = Staging(world.registry.store.shelf).begin(
        world.key.fingerprint, sha256_hex(data), len(data), NOW
    )
    for start in range(0, len(data), 777_777):
        upload.write(data[start : start + 777_777])
    upload.finish()
    with Staging(world.registry.store.shelf).open(world.key.fingerprint, sha256_hex(data)) as source:
        assert source.read() == data


def test_of_the_same_upload_twice_at_once_one_copy_is_kept(world: World) -> None:
    """Two uploads that end in the same moment leave one copy; none is left that nobody would ever sweep away."""
    shelf = world.registry.store.shelf
    data = b"same bytes" * 100
    staging = Staging(shelf)
    uploads = [staging.begin(world.key.fingerprint, sha256_hex(data), len(data), NOW) for _ in range(2)]
    for upload in uploads:
        upload.write(data)

    class Interleaved:
        """A shelf on which the second upload ends just after the first has looked."""

        def __getattr__(self, name: str) -> Any:
            return getattr(shelf, name)

        def get(self, space: str, key: str) -> bytes | None:
            found = shelf.get(space, key)
            if len(uploads) > 1:
                uploads.pop().finish()
            return found

    uploads[0]._shelf = Interleaved()  # type: ignore[assignment]
    uploads[0].finish()
    assert len(shelf.items("upload.bytes")) == 1
    assert staging.sweep(NOW + timedelta(days=2)) == 1
    assert shelf.items("upload.bytes") == []


def test_an_upload_is_what_was_announced(world: World) -> None:
    """More bytes, fewer bytes or other bytes than announced are refused, and nothing of them stays."""
    staging = Staging(world.registry.store.shelf)
    for data in (b"abcd", b"ab", b"abd"):
        upload = staging.begin(world.key.fingerprint, sha256_hex(b"abc"), 3, NOW)
        try:
            with pytest.raises(InputError):
                upload.write(data)
                upload.finish()
        finally:
            upload.abandon()
    assert not staging.has(world.key.fingerprint, sha256_hex(b"abc"))
    assert world.registry.store.shelf.items("upload.bytes") == []
    assert world.registry.store.shelf.items("upload.open") == []


def test_what_nobody_refers_to_is_swept_away(world: World) -> None:
    """A day later uploads are gone, complete or not; younger ones stay."""
    digest = stage(world.registry, world.key, b"old")
    younger = stage(world.registry, world.key, b"young", NOW + timedelta(hours=2))
    Staging(world.registry.store.shelf).begin(world.key.fingerprint, "0" * 64, 5, NOW).write(b"x")
    assert sweep(world.registry, NOW + timedelta(hours=25)) == 2
    staging = Staging(world.registry.store.shelf)
    assert not staging.has(world.key.fingerprint, digest)
    assert staging.has(world.key.fingerprint, younger)
    assert len(world.registry.store.shelf.items("upload.bytes")) == 1


def test_a_ticket_is_signed_for_one_log_and_a_short_time(world: World) -> None:
    """Other origin, other type, past or far expiry, and a revoked key are refused."""
    origin = world.registry.home.origin
    soon = NOW + timedelta(hours=1)

    def read(envelope: bytes) -> object:
        return read_ticket(
            envelope, origin=origin, now=NOW, find_key=lambda keyid: find_key(world.registry.store, keyid)
        )

    good = sign_ticket("0" * 64, 5, origin=origin, expires=soon, key=world.key)
    assert read(good)
    with pytest.raises(StatementError, match="for the log"):
        read(sign_ticket("0" * 64, 5, origin="other", expires=soon, key=world.key))
    for expires in (NOW, NOW + timedelta(hours=25)):
        with pytest.raises(StatementError, match="out of date"):
            read(sign_ticket("0" * 64, 5, origin=origin, expires=expires, key=world.key))
    with pytest.raises(StatementError, match="no upload request"):
        read(key_statement(world.key))
    with pytest.raises(StatementError):
        read(good[:-2])
    world.registry.register_key("Ada")
    world.registry.revoke_key("lost")
    with pytest.raises(SignatureError, match="active"):
        read(good)


# what strangers choose


@pytest.mark.parametrize("name", ["..", "x/..", "a\\..", "n" * 290 + ".eval", "é" * 250 + ".eval", "/"])
def test_a_log_may_be_called_anything(world: World, name: str) -> None:
    """A name that leads elsewhere, or is too long for a disk, stops neither the analysis nor the tending of all."""
    study = world.registry.study(registered(world))
    paths = ran(world, study)
    submit(
        world.registry,
        [attach_statement(paths, study.id, world.key, name=name)],
        [path.read_bytes() for path in paths],
    )
    assert len(study.analyze().logs) == len(paths)
    (event,) = world.registry.tend(date(2026, 6, 2))
    assert (event.kind, event.studies) == ("published", (study.id,))
    assert len(export_study(world.registry, study.id, world.folder / "export")) > len(paths)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "leadline/report", "protocol": {"digest": 5}, "logs": []},
        {"kind": "leadline/report", "protocol": {"digest": ["a"]}, "logs": []},
        {"kind": "leadline/report", "protocol": {"digest": "a" * 64}, "logs": [{"sha256": {}, "name": "x"}]},
        {"kind": "leadline/report", "protocol": {"digest": "../../etc"}, "logs": []},
        {"kind": "leadline/report", "protocol": "a" * 64, "logs": 7},
        [],
    ],
)
def test_an_imported_report_of_any_shape_is_refused_in_words(world: World, document: Any) -> None:
    """A report is a stranger's JSON: fields of other types are no fault of the server's."""
    body = json.dumps(document).encode()
    fields = {"content": "report", "digest": sha256_hex(body), "title": "t", "source": "s", "created": TIME}
    envelopes = [key_statement(world.key), make_signed("import", fields, world.key)]
    with pytest.raises(InputError, match="no report of Leadline"):
        submit(world.registry, envelopes, [body])


def test_nobody_announces_a_key_as_the_installations(world: World) -> None:
    """Keys held by a service seal hazards in the installation's name, so the door takes none but its own."""
    stranger = SigningKey.generate("example.org/house")
    said = {
        "action": "register",
        "role": "author",
        "public": stranger.public.vkey,
        "holder": {"name": world.registry.home.origin, "kind": "service"},
        "time": TIME,
    }
    with pytest.raises(StateError, match="this installation's own"):
        submit(world.registry, [make_signed("key", said, stranger)])


@pytest.mark.parametrize(
    ("kind", "said", "remedy"),
    [
        ("report", "changed while its report was being computed", "report again"),
        ("reveal", "changed while its reveal was being checked", "the slot that a batch has added"),
    ],
)
def test_what_was_refused_for_a_record_that_moved_says_what_it_was(
    monkeypatch: pytest.MonkeyPatch, kind: str, said: str, remedy: str
) -> None:
    """A reveal is not told to report again: each kind that is examined against the record has words of its own."""
    now = {"facts": "before"}
    monkeypatch.setattr(submission, "facts_of", lambda view, study: now["facts"])
    statement: Any = SimpleNamespace(kind=kind, study="LL-0000000000000")
    examined, view = Examined([], facts="before"), cast("ReadView", None)
    submission._require_unchanged(view, statement, examined)
    now["facts"] = "after"
    with pytest.raises(StateError, match=said) as refused:
        submission._require_unchanged(view, statement, examined)
    assert remedy in refused.value.remedy()
