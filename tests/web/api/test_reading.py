"""Reading over the API: what is there, exact pages, conditional requests, and nothing about what is not public."""

import json
import threading
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from leadline.ledger.canon import sha256_hex
from leadline.ledger.certificate import verify_certificate
from leadline.ledger.tlog import leaf_hash, verify_consistency, verify_inclusion
from leadline.ledger.tlog.checkpoint import open_checkpoint
from web.api.world import PREFIX, Service, freeze, service, statement


@pytest.fixture
def served(tmp_path: Path) -> Service:
    """A served registry with nothing registered."""
    return service(tmp_path / "world")


def test_a_study_and_everything_about_it(served: Service) -> None:
    """Every part of a study can be had, and says what the registry says."""
    world = served.world
    study = world.honest_study()
    study.publish()
    detail = served.get(f"/studies/{study.id}")
    assert detail["title"] == study.row.title
    assert detail["status"] == "reported"
    assert detail["seed"] == study.seed
    assert detail["verdicts"]["H1"]["outcome"] == study.analyze().verdicts["H1"].outcome
    assert [one["number"] for one in detail["attempts"]] == [1]
    assert len(detail["attachments"]) == 3
    assert served.get(f"/studies/{study.id}/attempts") == detail["attempts"]
    protocol = served.client.get(f"{PREFIX}/studies/{study.id}/protocol")
    assert sha256_hex(protocol.content) == detail["protocol"]
    report = served.client.get(f"{PREFIX}/studies/{study.id}/report")
    assert sha256_hex(report.content) == detail["reports"][-1]["report"]
    assert served.get(f"/studies/{study.id}/judgements")["judgements"] == []
    assert served.get(f"/studies/{study.id}/siblings")["studies"] == []
    said = served.get(f"/studies/{study.id}/statements")["entries"]
    assert {"key", "freeze", "attempt", "attach", "report"} == {one["kind"] for one in said}


def test_a_studys_statements_in_pages_as_of_an_index(served: Service) -> None:
    """Pages of one state add up to the whole, whatever is registered meanwhile; a later state has more."""
    world = served.world
    study = world.honest_study()
    path = f"/studies/{study.id}/statements"
    whole = served.get(path)
    assert whole["next"] is None
    found: list[Any] = []
    page = served.get(f"{path}?limit=2")
    as_of = page["as_of"]
    while True:
        found += page["entries"]
        if page["next"] is None:
            break
        world.attempt(study, name=f"more {len(found)}")
        page = served.get(f"{path}?limit=2&start={page['next']}&as_of={as_of}")
    assert found == whole["entries"]
    later = served.get(f"{path}?limit=256")["entries"]
    assert later[: len(found)] == found
    assert len(later) > len(found)
    assert served.get(f"{path}?start={later[-1]['index'] + 1}")["entries"] == []


def test_the_certificate_verifies_offline(served: Service) -> None:
    """The certificate from the API and the log's key prove the freeze."""
    study = served.world.register()
    response = served.client.get(f"{PREFIX}/studies/{study.id}/certificate")
    found = verify_certificate(response.content, study.envelope, [served.get("/log")["vkey"]])
    assert found.index == study.index
    assert f'filename="{study.id}.tlog-proof"' in response.headers["content-disposition"]


def test_a_parameter_that_is_not_there_is_named(served: Service) -> None:
    """A misspelt filter is refused with the names there are, instead of widening the search in silence."""
    served.world.register()
    answer = served.client.get(f"{PREFIX}/studies?q=hint&statuss=reported")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert "'statuss'" in problem["detail"]
    assert problem["where"] == "query.statuss"
    assert "status" in problem["remedy"]
    assert "technique" in problem["remedy"]
    for path in ("/log?x=1", "/tables?q=", "/facets?cursor=a", "/log/proof/0?limit=3", "/keys?roles=author"):
        answer = served.client.get(PREFIX + path)
        assert answer.status_code == 400, path
    posted = served.client.post(f"{PREFIX}/match?limit=3", json={})
    assert (posted.status_code, posted.json()["where"]) == (400, "query.limit")
    assert served.client.get(f"{PREFIX}/log?%ED%A0%80=1").status_code == 400


def test_head_is_get_without_its_body(served: Service) -> None:
    """Wherever there is GET, HEAD has its status and headers; of a long file no byte is read for it."""
    study = served.world.honest_study()
    digest = study.row.protocol
    for path in (
        "/studies", "/studies/LL-0000000000000", f"/studies/{study.id}", f"/studies/{study.id}/protocol", "/log", "/openapi.json",
        "/log/checkpoint", f"/studies/{study.id}/certificate", f"/blobs/{digest}", "/studies?limit=1000", "/nowhere", "/tables/study",
    ):  # fmt: skip
        whole, head = (served.client.request(method, PREFIX + path) for method in ("GET", "HEAD"))
        assert head.status_code == whole.status_code, path
        assert head.content == b"", path
        varying = {"date", "x-request-id"}
        assert {name: value for name, value in head.headers.items() if name not in varying} == {
            name: value for name, value in whole.headers.items() if name not in varying
        }, path
    tag = served.client.head(f"{PREFIX}/log").headers["etag"]
    assert served.client.head(f"{PREFIX}/log", headers={"If-None-Match": tag}).status_code == 304
    part = served.client.head(f"{PREFIX}/blobs/{digest}", headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["content-length"], part.content) == (206, "10", b"")
    assert served.client.head(f"{PREFIX}/match").status_code == 405


def test_sealed_is_no_status_to_search_for(served: Service) -> None:
    """A sealed study shows nothing by which it could be found, so the choice is not offered."""
    for path in ("/studies", "/facets"):
        answer = served.client.get(f"{PREFIX}{path}?status=sealed")
        assert answer.status_code == 400
        assert "reported" in answer.json()["detail"]


def test_half_a_character_is_no_filter(served: Service) -> None:
    """Bytes that are no UTF-8 and escapes that are no character are answered, never a fault."""
    served.world.register()
    for name in ("q", "area", "author", "technique", "model", "task", "measure", "gap", "cursor"):
        answer = served.client.get(f"{PREFIX}/studies?{name}=%ED%A0%80")
        assert answer.status_code in (200, 400), name
    filters = [{"table": "facet", "link": "ix", "column": "mark", "value": "area:\\ud800"}]
    asked = {"index": "study_text", "words": [["a"]], "as_of": 1, "limit": 1, "filters": filters}
    body = json.dumps(asked).replace("\\\\", "\\")
    assert served.client.post(f"{PREFIX}/match", content=body).status_code == 400
    where = '{"mark": "\\ud800"}'
    assert served.client.get(f"{PREFIX}/tables/facet", params={"where": where}).status_code == 400
    among = '{"where": "mark", "among": ["\\ud800"]}'
    assert served.client.post(f"{PREFIX}/tables/facet/among", content=among).status_code == 400


def test_what_is_not_there(served: Service) -> None:
    """Unknown studies, reports before there is one, other paths and methods are problems that say what to do."""
    study = served.world.register()
    for path, status in (
        ("/studies/LL-0000000000000", 404),
        ("/studies/not-a-study-id", 400),
        (f"/studies/{study.id}/report", 404),
        ("/authors/" + "0" * 64, 404),
        ("/nothing", 404),
        ("/log/proof/999", 404),
        ("/log/consistency?old=999", 400),
        ("/schema/other", 400),
        ("/studies?limit=0", 400),
        ("/studies?as_of=9999", 400),
        ("/studies?cursor=x", 400),
        ("/log/entries?limit=257", 400),
        ("/blobs/" + "0" * 64, 404),
        ("/tables/none", 404),
    ):
        response = served.client.get(PREFIX + path)
        assert response.status_code == status, (path, response.text)
        assert response.headers["content-type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        assert problem["remedy"]
    assert served.client.delete(f"{PREFIX}/log").status_code == 405


def test_the_log_proves_itself(served: Service) -> None:
    """Entries, inclusion and consistency from the API hold against a signed checkpoint."""
    served.world.honest_study()
    log = served.get("/log")
    from leadline.ledger.keys import VerifyKey

    signed = open_checkpoint(log["checkpoint"].encode(), [VerifyKey.parse(log["vkey"])]).checkpoint
    assert (signed.size, signed.root.hex()) == (log["size"], log["root"])
    page = served.get("/log/entries?limit=2")
    entries = page["entries"]
    while page["next"] is not None:
        page = served.get(f"/log/entries?start={page['next']}&limit=2")
        entries += page["entries"]
    assert [one["index"] for one in entries] == list(range(signed.size))
    for one in entries:
        proof = served.get(f"/log/proof/{one['index']}")
        hashes = [bytes.fromhex(value) for value in proof["hashes"]]
        leaf = leaf_hash(b64decode(one["envelope"]))
        assert leaf.hex() == one["leaf_hash"]
        verify_inclusion(leaf, one["index"], signed.size, hashes, signed.root)
    said = served.get("/log/consistency?old=2")
    verify_consistency(
        2,
        signed.size,
        [bytes.fromhex(value) for value in said["hashes"]],
        bytes.fromhex(said["old_root"]),
        signed.root,
    )


def test_pages_are_exact_while_others_register(served: Service) -> None:
    """Whoever follows the cursors of one search sees each study of its moment once, whatever comes in meanwhile."""
    world = served.world
    for number in range(12):
        world.registry.register(world.protocol(title=f"Addition number {number}"), simulate=False)
    before = {row["id"] for row in served.get("/studies?limit=100")["studies"]}
    stop = threading.Event()
    errors: list[BaseException] = []

    def write() -> None:
        number = 100
        try:
            while not stop.is_set() and number < 140:
                world.registry.register(world.protocol(title=f"Addition number {number}"), simulate=False)
                number += 1
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    for question in ("q=addition&limit=5", "limit=5"):
        writer = threading.Thread(target=write)
        stop.clear()
        page = served.get(f"/studies?{question}")
        as_of, seen = page["as_of"], [row["id"] for row in page["studies"]]
        known = before if question == "limit=5" and as_of == 0 else None
        writer.start()
        while page["cursor"]:
            page = served.get(
                f"/studies?{question}", params={**_parameters(question), "cursor": page["cursor"]}
            )
            assert page["as_of"] == as_of
            seen += [row["id"] for row in page["studies"]]
        stop.set()
        writer.join()
        expected = {
            row["id"] for row in served.get(f"/studies?limit=100&order=newest&as_of={as_of}")["studies"]
        }
        assert known is None or seen == known
        assert len(seen) == len(set(seen))
        assert set(seen) == expected
    assert errors == []


def _parameters(question: str) -> dict[str, str]:
    return dict(part.split("=") for part in question.split("&"))


def test_search_as_of_an_earlier_state(served: Service) -> None:
    """A search as of a size finds what was there then."""
    first = served.world.register()
    size = served.get("/log")["size"]
    served.world.register(served.world.protocol(title="A second addition"))
    assert {row["id"] for row in served.get(f"/studies?as_of={size}")["studies"]} == {first.id}
    assert len(served.get("/studies?q=addition")["studies"]) == 2
    assert [row["id"] for row in served.get(f"/studies?q=addition&as_of={size}")["studies"]] == [first.id]


def test_facets_count_what_search_finds(served: Service) -> None:
    """Counts by facet add up to what the search shows."""
    served.world.honest_study().publish()
    served.world.register(served.world.protocol(title="Another"))
    counts = served.get("/facets")
    assert counts["total"] == 2
    assert {one["value"]: one["count"] for one in counts["facets"]["status"]} == {
        "registered": 1,
        "reported": 1,
    }
    assert served.get("/studies?status=reported")["studies"][0]["status"] == "reported"


def test_conditional_reads(served: Service) -> None:
    """An ETag holds until the record grows; the same question again costs nothing."""
    response = served.client.get(f"{PREFIX}/studies")
    tag = response.headers["etag"]
    again = served.client.get(f"{PREFIX}/studies", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert again.content == b""
    other = served.client.get(f"{PREFIX}/studies?limit=5", headers={"If-None-Match": tag})
    assert other.status_code == 200
    served.world.register()
    changed = served.client.get(f"{PREFIX}/studies", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_the_day_changes_what_is_overdue(served: Service) -> None:
    """A study becomes overdue by the calendar, and the answer's tag with it."""
    study = served.world.register()
    first = served.client.get(f"{PREFIX}/studies/{study.id}")
    assert first.json()["status"] == "registered"
    served.world.clock.now = served.world.clock.now.replace(year=2027)
    second = served.client.get(
        f"{PREFIX}/studies/{study.id}", headers={"If-None-Match": first.headers["etag"]}
    )
    assert second.json()["status"] == "overdue"


def test_blobs_that_statements_name(served: Service) -> None:
    """A blob comes whole or in ranges, with its digest as tag."""
    study = served.world.register()
    digest = study.row.protocol
    whole = served.client.get(f"{PREFIX}/blobs/{digest}")
    assert sha256_hex(whole.content) == digest
    assert "sandbox" in whole.headers["content-security-policy"]
    size = len(whole.content)
    for asked, begin, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=3-{size * 2}", 3, size),
    ):
        part = served.client.get(f"{PREFIX}/blobs/{digest}", headers={"Range": asked})
        assert part.status_code == 206
        assert part.content == whole.content[begin:end]
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    beyond = served.client.get(f"{PREFIX}/blobs/{digest}", headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == 416
    odd = served.client.get(f"{PREFIX}/blobs/{digest}", headers={"Range": "bytes=0-1,4-5"})
    assert odd.content == whole.content
    same = served.client.get(f"{PREFIX}/blobs/{digest}", headers={"If-None-Match": f'"{digest}"'})
    assert same.status_code == 304


def test_no_oracle_for_which_blobs_exist(served: Service) -> None:
    """Bytes that are stored, staged or nowhere are answered alike while no statement names them."""
    served.world.register()
    stored = served.world.registry.store.put_blob(b"stored by somebody")
    served.upload(b"staged by somebody")
    staged = sha256_hex(b"staged by somebody")
    answers = []
    for digest in (stored, staged, "f" * 64):
        response = served.client.get(f"{PREFIX}/blobs/{digest}")
        said = {**response.json(), "instance": ""}
        headers = {name: value for name, value in response.headers.items() if name != "date"}
        length = len(response.content)
        answers.append((response.status_code, said, {**headers, "content-length": ""}, length))
        assert (
            served.client.get(
                f"{PREFIX}/blobs/{digest}", headers={"If-None-Match": f'"{digest}"', "Range": "bytes=0-1"}
            ).status_code
            == 404
        )
    assert answers[0] == answers[1] == answers[2]
    first = served.upload(b"stored by somebody").json()
    second = served.upload(b"known to nobody at all").json()
    assert first.keys() == second.keys()


def test_a_blob_that_was_taken_down_leaves_its_reason(served: Service) -> None:
    """The digest and the reason stay; the bytes are gone."""
    study = served.world.register()
    served.world.registry.store.take_down(study.row.protocol, "personal data in the title")
    response = served.client.get(f"{PREFIX}/blobs/{study.row.protocol}")
    assert response.status_code == 404
    assert "personal data" in response.json()["detail"]
    assert served.client.get(f"{PREFIX}/studies/{study.id}/protocol").status_code == 404
    assert served.get(f"/studies/{study.id}")["title"]


def test_authors_and_keys(served: Service) -> None:
    """Keys are listed with what became of them; an author's page follows the lineage."""
    study = served.world.register()
    from leadline.ledger.keys import SigningKey

    old = served.world.key.fingerprint
    new = SigningKey.generate("example.org/ada2")
    served.world.registry.rotate_key(new)
    states = {one["fingerprint"]: one["state"] for one in served.get("/keys?role=author")["keys"]}
    assert states[old] == "rotated"
    assert states[new.fingerprint] == "active"
    listed, after = [], ""
    while after is not None:
        page = served.get(f"/keys?limit=2{after}")
        listed += [one["registered"] for one in page["keys"]]
        assert len(page["keys"]) <= 2
        after = None if page["next"] is None else f"&after={page['next']}"
    assert listed == [one["registered"] for one in served.get("/keys")["keys"]]
    author = served.get(f"/authors/{new.fingerprint}")
    assert [one["id"] for one in author["studies"]] == [study.id]
    assert author["counts"] == {"registered": 1}


def test_check_and_similar(served: Service) -> None:
    """A draft is read critically, and its neighbours are found; nothing of it is kept."""
    study = served.world.register()
    size = served.get("/log")["size"]
    body = served.world.protocol().canonical_bytes()
    said = served.client.post(f"{PREFIX}/check", content=body).json()
    assert said["digest"] == study.row.protocol
    assert any(one["code"] == "R102" for one in said["findings"])
    other = served.world.protocol(title="Does a hint help?")
    near = served.client.post(f"{PREFIX}/similar", content=other.canonical_bytes()).json()
    assert near["similar"][0]["study"]["id"] == study.id
    for path in ("/check", "/similar"):
        for bad, status in ((b"", 400), (b"{}", 422), (b"[" * 5_000, 422), (b"\xff\xfe", 422)):
            response = served.client.post(PREFIX + path, content=bad)
            assert response.status_code == status, (path, bad[:10], response.text)
    assert served.get("/log")["size"] == size


def test_schemas_are_served(served: Service) -> None:
    """The schemas of protocol and report, as they are published."""
    assert served.get("/schema/protocol")["type"] == "object"
    assert served.get("/schema/report")["title"] == "Leadline report"


def test_tables_answer_what_is_cheap(served: Service) -> None:
    """Rows by key or index, in portions; a question that reads the whole table is refused."""
    study = served.world.honest_study()
    names = {one["name"] for one in served.get("/tables")["tables"]}
    assert {"study", "attempt", "attachment", "signing_key"} <= names
    page = served.get("/tables/attachment", params={"where": f'{{"study": "{study.id}"}}', "limit": "2"})
    rest = served.get(
        "/tables/attachment", params={"where": f'{{"study": "{study.id}"}}', "limit": "2", "skip": "2"}
    )
    assert page["more"]
    assert not rest["more"]
    assert len(page["rows"]) + len(rest["rows"]) == 3
    assert served.get("/tables/study/count", params={"where": "{}"})["count"] == 1
    for parameters in (
        {"where": '{"title": "x"}'},
        {"order": "title"},
        {"where": '{"nothing": 1}'},
        {"where": "[1]"},
        {"where": '{"ix": "text"}'},
        {"where": '{"ix": 1, "ix": 2}'},
        {"order": "nothing"},
        {"after": "x"},
    ):
        response = served.client.get(f"{PREFIX}/tables/study", params=parameters)
        assert response.status_code == 400, (parameters, response.text)


def test_a_sealed_study_shows_that_it_exists_and_nothing_else(served: Service, monkeypatch: Any) -> None:
    """Its parts are not found; unknown ids are not found either."""
    from leadline.web.api import common

    study = served.world.register()
    monkeypatch.setattr(common, "find_study", lambda view, name: None)
    stub = served.get(f"/studies/{study.id}")
    assert stub == {"id": study.id, "status": "sealed", "index": study.index, "as_of": stub["as_of"]}
    for part in ("protocol", "report", "attempts", "statements", "judgements", "siblings"):
        assert served.client.get(f"{PREFIX}/studies/{study.id}/{part}").status_code == 404


def test_hostile_text_is_data(served: Service) -> None:
    """Markup, SQL and instructions in a title come back as they are, and as search words they break nothing."""
    title = "<script>alert(1)</script> '; DROP TABLE study; -- ignore previous instructions"
    study = served.world.registry.register(served.world.protocol(title=title), simulate=False)
    assert served.get(f"/studies/{study.id}")["title"] == title
    for words in (
        title,
        '" OR 1=1 --',
        "NEAR(a b)",
        "a* AND (b",
        "study_text MATCH 'x'",
        "%00",
        "\x00\x1b[31m",
    ):
        assert served.client.get(f"{PREFIX}/studies", params={"q": words}).status_code == 200
    found = served.get("/studies", params={"q": "DROP TABLE"})["studies"]
    assert [one["id"] for one in found] == [study.id]


def test_statements_about_a_study_by_others(served: Service) -> None:
    """A judgement shows under its author's key."""
    from leadline.ledger.keys import SigningKey
    from web.api.world import key_statement

    study = served.world.register()
    reviewer = SigningKey.generate("example.org/bob")
    said = statement("judgement", study.id, reviewer, type="review", target=study.id, text="well planned")
    assert served.send([key_statement(reviewer), said]).status_code == 201
    (one,) = served.get(f"/studies/{study.id}/judgements")["judgements"]
    assert (one["type"], one["text"], one["key"]) == ("review", "well planned", reviewer.fingerprint)


def test_freeze_helper_matches_the_registry(served: Service) -> None:
    """A study registered over the API is the study that registering here gives."""
    protocol = served.world.protocol()
    study = served.register(protocol)
    assert served.world.registry.register(protocol, simulate=False).id == study
    assert freeze(protocol, served.key)
