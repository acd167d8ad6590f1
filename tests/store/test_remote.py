"""A registry on another machine: the same life of a study, signed here and kept there; nothing is taken on faith twice."""

import io
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from leadline.errors import (
    InputError,
    IntegrityError,
    NotFoundError,
    ProofError,
    QuotaError,
    SecurityError,
    SignatureError,
    StateError,
    StoreError,
)
from leadline.ledger.certificate import verify_certificate
from leadline.ledger.keys import SigningKey
from leadline.registry.access import Rates
from leadline.registry.registry import Registry
from leadline.registry.study import Study
from leadline.store.projections.authority import keys as list_keys
from leadline.store.projections.facets import FACET
from leadline.store.projections.studies import STUDY
from leadline.store.remote import view
from leadline.store.remote import wire as wiring
from leadline.store.remote.asking import leading
from leadline.store.remote.requests import Requests
from leadline.store.remote.store import RemoteStore
from leadline.store.remote.wire import Wire, check_address, error_of
from registry.world import World
from web.api.world import Service, service

ADDRESS = "https://registry.test"


@pytest.fixture
def served(tmp_path: Path) -> Service:
    """A served registry with nothing registered."""
    return service(tmp_path / "server")


@pytest.fixture
def far(served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """Opens the served registry as somebody elsewhere does: by its address, with a key of one's own."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wiring, "_new_client", lambda: served.client)

    def open_it(key: SigningKey | None = None, **more: Any) -> Registry:
        return Registry.open(ADDRESS, key or served.key, clock=served.world.clock, **more)

    return open_it


class Elsewhere(World):
    """A lab whose registry is far away."""

    def __init__(self, folder: Path, registry: Registry, key: SigningKey, clock: Any) -> None:
        self.folder, self.items, self.clock, self.key, self.registry = folder, 12, clock, key, registry
        folder.mkdir()


@pytest.fixture
def lab(far: Callable[..., Registry], served: Service, tmp_path: Path) -> Elsewhere:
    """A lab that works against the served registry."""
    # The server's clock stands in March 2026; uploads are announced by the clock of this machine's user.
    registry = far()
    assert isinstance(registry.store, RemoteStore)
    registry.store._now_at = lambda: served.world.clock.now
    return Elsewhere(tmp_path / "lab", registry, served.key, served.world.clock)


def test_the_whole_life_of_a_study_from_afar(lab: Elsewhere, served: Service) -> None:
    """Register, announce, attach, report, search, verify: the rows are those of the registry itself."""
    study = lab.register()
    assert lab.register().id == study.id
    lab.attempt(study)
    report = study.publish()
    assert study.publish().to_json() == report.to_json()
    here = served.world.registry.study(study.id)
    assert [row.report for row in here.reports] == [row.report for row in study.reports]
    assert here.attempts == study.attempts
    assert here.attachments == study.attachments
    assert here.row == study.row
    assert here.analyze().to_json() == report.to_json()
    found = lab.registry.search("hint").studies
    assert [row.id for row in found] == [study.id]
    checked = verify_certificate(study.certificate, study.envelope, [lab.registry.home.log])
    assert checked.index == study.index
    assert [key.fingerprint for key in list_keys(lab.registry.store)] == [
        key.fingerprint for key in list_keys(served.world.registry.store)
    ]
    assert list(lab.registry.store.entries()) == list(served.world.registry.store.entries())


def test_reads_agree_with_the_registry_itself(lab: Elsewhere, served: Service) -> None:
    """Every read of the protocol gives what the store on the spot gives."""
    study = lab.register()
    lab.attempt(study)
    near, far = served.world.registry.store, lab.registry.store
    size = near.size()
    assert far.size() == size
    assert far.root() == near.root()
    assert far.root(2) == near.root(2)
    assert far.root(0) == near.root(0)
    assert far.checkpoint() == near.checkpoint()
    assert far.checkpoint_covering(0) == near.checkpoint_covering(0)
    for index in range(size):
        assert far.entry(index) == near.entry(index)
        assert far.leaf_hash(index) == near.leaf_hash(index)
        assert far.index_of(near.leaf_hash(index)) == index
        assert far.inclusion_proof(index) == near.inclusion_proof(index)
    assert far.consistency_proof(2) == near.consistency_proof(2)
    assert far.entry_bundle(0, size) == near.entry_bundle(0, size)
    assert far.index_of(b"x" * 32) is None
    with pytest.raises(NotFoundError):
        far.entry(size)
    for table in (table for projection in near.projections() for table in projection.tables):
        assert far.select(table) == near.select(table), table.name
        assert far.count(table) == near.count(table)
        for name in sorted(leading(table)):
            values = [row[name] for row in near.select(table)]
            whole = [value for value in values if isinstance(value, int)]
            texts = [value for value in values if isinstance(value, str)]
            assert far.select_among(table, name, whole) == near.select_among(table, name, whole)
            assert far.select_among(table, name, texts) == near.select_among(table, name, texts)
    assert far.select(STUDY, order="title", descending=True) == near.select(
        STUDY, order="title", descending=True
    )
    digests = [info.sha256 for info in far.blobs()]
    assert digests == sorted(digests)
    for digest in digests:
        assert far.blob(digest) == near.blob(digest)
        assert far.has_blob(digest)
    assert not far.has_blob("0" * 64)
    with pytest.raises(StoreError, match="longer than"):
        far.blob(digests[0], limit=3)
    near.take_down(study.row.protocol, "a name in it")
    assert far.taken_down(study.row.protocol) == "a name in it"
    assert not far.has_blob(study.row.protocol)


def test_many_look_ups_from_afar_go_in_portions(
    lab: Elsewhere, served: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the portions, the rows and their order are those of one question."""
    for _ in range(4):
        lab.register()
    near, far = served.world.registry.store, lab.registry.store
    indexes = list(range(far.size()))[::-1]
    monkeypatch.setattr(view, "MAX_AMONG", 3)
    monkeypatch.setattr(view, "MAX_ROWS", 2)
    rows = near.select_among(FACET, "ix", indexes)
    assert len(rows) > 8
    assert far.select_among(FACET, "ix", indexes) == rows
    assert far.select_among(FACET, "ix", indexes, limit=5) == rows[:5]
    assert far.select_among(FACET, "mark", [str(rows[0]["mark"])] * 2) == near.select_among(
        FACET, "mark", [str(rows[0]["mark"])]
    )
    monkeypatch.setattr(view, "MAX_SKIP", 1)
    with pytest.raises(StoreError, match="over the network"):
        far.select_among(FACET, "ix", indexes)


def test_facets_and_neighbours_from_afar(lab: Elsewhere, served: Service) -> None:
    """What is computed from many tables is the same on both sides."""
    from leadline.store.facets import facets
    from leadline.store.query import Query

    lab.register()
    today = lab.clock.now.date()
    for question in (Query(), Query(text="hint accuracy"), Query(status="registered", order="newest")):
        near = facets(served.world.registry.store, question, today=today)
        assert facets(lab.registry.store, question, today=today) == near
    draft = lab.protocol(title="Does a clue help at sums?")
    assert lab.registry.similar(draft) == served.world.registry.similar(draft)


def test_outside_logs_are_imported_from_afar(lab: Elsewhere, served: Service) -> None:
    """A retrospective record is computed again by the registry, which keeps the logs it was computed from."""
    from leadline.errors import StatementError
    from leadline.ledger.canon import sha256_hex
    from leadline.registry.exchange import import_logs

    study = lab.register()
    paths = lab.lab_run(study, None, name="outside")
    made = import_logs(lab.registry, lab.protocol(title="Never promised"), paths, source="an old run")
    near = served.world.registry.store
    assert near.blob(made.digest) == made.report.to_json()
    assert all(near.has_blob(sha256_hex(path.read_bytes())) for path in paths)
    changed = made.report.to_json().replace(b"Never promised", b"Ever  promised")
    digest = lab.registry.store.put_blob(changed)
    said = {
        "content": "report",
        "digest": digest,
        "title": "x",
        "source": "y",
        "created": "2026-03-01T10:00:00Z",
    }
    with pytest.raises((StatementError, InputError, StateError)):
        lab.registry.append(lambda view: [("import", said, lab.key)])


def test_without_a_key_one_reads(far: Callable[..., Registry], lab: Elsewhere) -> None:
    """Reading needs no key; writing says what it needs."""
    study = lab.register()
    reader = far(read_only=True)
    reader.key = None
    assert reader.study(study.id).protocol.digest == study.protocol.digest
    with pytest.raises(StateError, match="author's key"):
        reader.store.put_blob(b"data")
    with pytest.raises(StateError, match="author's key"):
        reader.study(study.id).open_attempt()


def test_what_only_the_registrys_own_machine_can_do(lab: Elsewhere) -> None:
    """Repair, take-down and the shelf are not to be had over the network."""
    store = lab.registry.store
    acts: list[Callable[[], object]] = [
        store.rebuild,
        lambda: store.take_down("0" * 64, "x"),
        lambda: store.shelf.put("a", "b", b"c"),
        lambda: store.shelf.delete("a", "b"),
        lambda: store.shelf.swap("a", "b", None, b"c"),
        lambda: list(lab.registry.fsck()),
    ]
    for act in acts:
        with pytest.raises(StateError, match="over the network"):
            act()


def test_cosignatures_are_read_from_afar_and_nothing_else_of_the_shelf(
    lab: Elsewhere, served: Service
) -> None:
    """What is public beside the log can be read; other spaces look empty, whatever they hold."""
    near, far = served.world.registry.store.shelf, lab.registry.store.shelf
    for number in range(5):
        near.put("cosignatures", f"{number:020}", b"line %d" % number)
    near.put("withheld", "LL-0000000000000", b"secret")
    assert far.items("cosignatures") == near.items("cosignatures")
    assert far.items("cosignatures", after=f"{1:020}", limit=2) == near.items(
        "cosignatures", after=f"{1:020}", limit=2
    )
    assert far.get("cosignatures", f"{3:020}") == b"line 3"
    assert far.get("cosignatures", f"{9:020}") is None
    assert far.get("withheld", "LL-0000000000000") is None
    assert far.items("withheld") == []
    assert served.client.get("/api/v1/log/withheld").status_code == 404


def test_two_labs_write_at_once(
    far: Callable[..., Registry], lab: Elsewhere, served: Service, tmp_path: Path
) -> None:
    """Writers that overtake each other build again; every attempt gets a number of its own."""
    study = lab.register()
    numbers: list[int] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            mine = Study(lab.registry, study.row)
            numbers.extend(mine.open_attempt().number for _ in range(3))
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(numbers) == list(range(1, 10))


def test_another_log_key_is_refused(far: Callable[..., Registry], lab: Elsewhere, tmp_path: Path) -> None:
    """The key met first is remembered; a server that shows another one later is not believed."""
    lab.register()
    (path,) = (tmp_path / "home" / "known").glob("*.vkey")
    other = SigningKey.generate(lab.registry.home.origin, "log")
    path.write_text(other.public.vkey + "\n")
    with pytest.raises(SignatureError, match="another one before"):
        far()


def test_a_shorter_or_other_history_is_noticed(
    far: Callable[..., Registry], lab: Elsewhere, served: Service, tmp_path: Path
) -> None:
    """A server that forgot what it had signed is caught when it is met again."""
    from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint

    lab.register()
    home = served.world.registry.home
    assert home.signing is not None
    size = served.world.registry.store.size()
    lie = sign_checkpoint(Checkpoint(home.origin, size, b"\x01" * 32), home.signing)
    files = [
        path for path in (tmp_path / "home" / "known").iterdir() if path.suffix != ".vkey" and path.is_file()
    ]
    (remembered,) = files
    remembered.write_bytes(lie)
    with pytest.raises(SecurityError):
        far()


class Tampering(httpx2.BaseTransport):
    """A man in the middle: changes JSON answers of some path."""

    def __init__(self, client: Any, part: str, change: Callable[[dict[str, Any]], None]) -> None:
        self.client, self.part, self.change = client, part, change

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass on, and change the answer."""
        sent = request.read()
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = self.client.request(request.method, str(request.url), content=sent, headers=headers)
        body = answer.content
        if self.part in request.url.path and answer.status_code in (200, 201):
            said = json.loads(body)
            self.change(said)
            body = json.dumps(said).encode()
        kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return httpx2.Response(answer.status_code, headers=kept, content=body)


def _drop_proof(said: dict[str, Any]) -> None:
    said["entries"][-1]["hashes"] = ["0" * 64] * len(said["entries"][-1]["hashes"])


def _other_leaf(said: dict[str, Any]) -> None:
    said["entries"][-1]["leaf_hash"] = "0" * 64


def _other_entry(said: dict[str, Any]) -> None:
    said["entries"].pop()


def _unsigned(said: dict[str, Any]) -> None:
    said["checkpoint"] = said["checkpoint"][:-10] + "AAAAAAAA=\n"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_drop_proof, ProofError),
        (_other_leaf, ProofError),
        (_other_entry, IntegrityError),
        (_unsigned, SignatureError),
    ],
)
def test_every_receipt_is_verified(
    served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, error: type[Exception]
) -> None:
    """A receipt without a proof under a checkpoint of the log's key is refused."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    transport = Tampering(served.client, "/statements", change)
    monkeypatch.setattr(wiring, "_new_client", lambda: httpx2.Client(transport=transport))
    with Registry.open(ADDRESS, served.key, clock=served.world.clock) as registry, pytest.raises(error):
        registry.register_key("Ada")


def test_other_bytes_for_a_blob_are_refused(
    served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blob is checked against its digest, whoever serves it."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    study = served.world.register()
    transport = Tampering(served.client, "/blobs/", lambda said: said.update(title="Another"))
    monkeypatch.setattr(wiring, "_new_client", lambda: httpx2.Client(transport=transport))
    with Registry.open(ADDRESS) as registry, pytest.raises(IntegrityError, match="altered"):
        registry.store.blob(study.row.protocol)


def _answering(*answers: Any) -> Any:
    """A client whose server gives these answers, one after another; the last one for ever."""
    left = list(answers)

    def handle(request: httpx2.Request) -> httpx2.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx2.Response)
        return answer

    return httpx2.Client(transport=httpx2.MockTransport(handle))


def test_answers_are_bounded_and_redirects_not_followed() -> None:
    """Too long, encoded, elsewhere, or no JSON: each is an error of ours."""
    pauses: list[float] = []

    def wire(*answers: Any) -> Wire:
        return Wire(ADDRESS, _answering(*answers), sleep=pauses.append)

    with pytest.raises(IntegrityError, match="longer than"):
        wire(httpx2.Response(200, content=b"x" * 100)).text("/log/checkpoint", 10)
    with pytest.raises(InputError, match="no redirect"):
        wire(httpx2.Response(307, headers={"location": "https://elsewhere.test"})).get("/log")
    with pytest.raises(IntegrityError, match="encoding"):
        wire(httpx2.Response(200, headers={"content-encoding": "br"}, stream=httpx2.ByteStream(b"x"))).get(
            "/log"
        )
    with pytest.raises(InputError, match="not JSON"):
        wire(httpx2.Response(200, content=b"<html>")).get("/log")
    with pytest.raises(StoreError, match="without saying why"):
        wire(httpx2.Response(500, content=b"oops")).get("/log")
    with pytest.raises(StoreError, match="does not answer"):
        wire(httpx2.ConnectError("refused")).get("/log")
    assert pauses == [0.5, 2.0, 5.0]


def test_an_invitation_goes_with_what_an_author_signs_and_with_nothing_else() -> None:
    """Reading needs none, and what a sealed study's own key signs must not name its author; what cannot be one is not sent."""
    seen: dict[str, str | None] = {}

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen[request.method + request.url.path] = request.headers.get("leadline-invitation")
        return httpx2.Response(200, content=b"{}")

    client = httpx2.Client(transport=httpx2.MockTransport(handle))
    wire = Wire(ADDRESS, client, invitation=" LLI-abc_9-Z\n")
    wire.get("/log")
    wire.ask("/check", {})
    wire.submit("/statements", b"{}", introduced=True)
    Requests(wire).send_slot("LL-0", b"", 1, -1, b"")
    with pytest.raises(IntegrityError):  # an empty answer is none
        Requests(wire).send_seal(b"", b"", introduction=None, body=None)
    with pytest.raises(IntegrityError):
        Requests(wire).sign_seal(b"")
    wire.put("/blobs/00", io.BytesIO(b"x"), 1, {})
    given = {path.rpartition("/api/v1/")[2]: token for path, token in seen.items()}
    token = "LLI-abc_9-Z"
    assert given == {
        "log": None,
        "check": None,
        "statements": token,
        "blobs/00": token,
        "seals/signatures": token,
        "seals": None,
        "seals/LL-0/slots": None,
    }
    for bad in ("", "abc", "LLI-", "LLI-a\r\nHost: x", "LLI-" + "a" * 200):
        with pytest.raises(InputError, match="no invitation"):
            Wire(ADDRESS, client, invitation=bad)


def test_a_lost_answer_is_asked_for_again() -> None:
    """A request whose answer is lost, or that is still worked on, is sent again with the same idempotency key."""
    seen: list[str] = []
    answers: list[Any] = [
        httpx2.ReadError("lost"),
        httpx2.Response(409, headers={"leadline-in-progress": "1"}, content=b"{}"),
        httpx2.Response(503, content=b"{}"),
        httpx2.Response(201, content=b'{"done": 1}'),
    ]

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["idempotency-key"])
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx2.Response)
        return answer

    client = httpx2.Client(transport=httpx2.MockTransport(handle))
    assert Wire(ADDRESS, client, sleep=lambda seconds: None).submit("/statements", b"{}") == {"done": 1}
    assert len(seen) == 4
    assert len(set(seen)) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://registry.test",
        "ftp://registry.test",
        "https://",
        "https://user:secret@registry.test",
        "https://registry.test?x=1",
        "https://registry.test:0",
        "https://registry.test:99999",
        "http://localhost.evil.test",
    ],
)
def test_addresses_that_are_not_used(address: str) -> None:
    """Nothing goes over the network in the clear, and no password is printed."""
    with pytest.raises(InputError) as caught:
        check_address(address)
    assert "secret" not in str(caught.value)


def test_addresses_that_are_used() -> None:
    """https anywhere, http to this very machine."""
    for address in (
        "https://registry.test/",
        "http://127.0.0.1:8300",
        "http://localhost:1",
        "http://[::1]:80",
    ):
        assert check_address(address) == address.rstrip("/")


def test_problems_come_back_as_the_errors_they_were() -> None:
    """Each branch of the tree survives the way over the wire."""
    from leadline import errors
    from leadline.web.problems import encoded, problem_of

    for kind in (
        errors.ProtocolError,
        errors.StateError,
        errors.NotFoundError,
        errors.NotAllowedError,
        errors.StatementError,
        errors.SignatureError,
        errors.LogError,
    ):
        document = problem_of(kind("what", where="there", remedy="do"), "/x")
        back = error_of(document["status"], encoded(document), None, ADDRESS)
        assert type(back) is kind
        assert (back.message, back.where, back.remedy()) == ("what", "there", "do")
    slow = error_of(429, b'{"detail": "slow", "type": "https://leadline.dev/problems/quota"}', "17", ADDRESS)
    assert isinstance(slow, QuotaError)
    assert slow.retry_after == 17
    assert isinstance(error_of(418, b'{"detail": "tea"}', None, ADDRESS), StoreError)


def test_a_quota_ends_the_attempt_to_write(
    served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Being asked to wait is passed on, not worked around."""
    other = service(
        tmp_path / "busy", rates=Rates(requests_per_minute=0, statements_per_hour=1, statements_burst=1)
    )
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wiring, "_new_client", lambda: other.client)
    registry = Registry.open(ADDRESS, other.key, clock=other.world.clock)
    registry.register_key("Ada")
    with pytest.raises(QuotaError):
        registry.revoke_key("over")


@pytest.mark.enable_socket
def test_over_a_real_connection(served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same over uvicorn on the loopback address: register a study, read it back, keep a log."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from leadline.web.api.app import PREFIX, create_api

    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    app = Starlette(routes=[Mount(PREFIX, create_api(served.site))])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Registry.open(address, served.key, clock=served.world.clock) as registry:
            assert isinstance(registry.store, RemoteStore)
            registry.store._now_at = lambda: served.world.clock.now
            lab = Elsewhere(tmp_path / "lab", registry, served.key, served.world.clock)
            study = lab.register()
            lab.attempt(study)
            assert study.publish().verdicts.keys() == {"H1"}
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
    assert served.world.registry.study(study.id).row.state == "reported"


def test_the_command_line_works_from_afar(
    served: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Register, show, search, attempts and verify take an address where they take a path."""
    from datetime import UTC, datetime

    import yaml
    from starlette.testclient import TestClient

    from cli.shell import leadline
    from leadline.ledger import keyfile
    from registry.world import document

    served.world.clock.now = datetime.now(UTC)
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wiring, "_new_client", lambda: TestClient(served.client.app, base_url=ADDRESS))
    keyfile.save(served.key, tmp_path / "ada.key")
    plan = tmp_path / "study.yaml"
    plan.write_text(
        yaml.safe_dump(document(served.world.dataset_sha256(), 12, timeline={"due": "2999-01-01"}))
    )
    where = ("--store", ADDRESS, "--json")
    key = ("--key", str(tmp_path / "ada.key"))
    made = leadline("register", plan, *where, *key).json
    study = served.world.registry.study(made["id"])
    assert leadline("search", "hint", *where).json["studies"][0]["id"] == study.id
    assert leadline("show", study.id, *where).json["id"] == study.id
    opened = leadline("attempts", "open", study.id, *where, *key).json
    assert opened["number"] == 1
    leadline("verify", study.id, *where)
    assert [one.number for one in study.attempts] == [1]
