"""What sealed studies do must not move anything public: compared byte for byte, before and after."""

import asyncio
import base64
import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import mcp
import pytest

from attacks.sealed_eyes import Answered, Asker, questions, without_names
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing.slots import SLOT_SIZE
from leadline.ledger.statements import make_signed
from leadline.mcp.desk import ReadingDesk
from leadline.mcp.server import create_server
from leadline.registry.bulk import export_tables
from leadline.registry.lifecycle import withholding
from leadline.registry.sealing import SealedWork, spaces
from leadline.registry.sealing.holding import hold, sign_hold
from leadline.store.projections.seals import batches, seal_body
from registry.sealing.lab import SealedLab
from registry.served import grow

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mcp")
PRIVATE = {spaces.KEYS, spaces.OUTBOX, spaces.QUEUE, spaces.OWN, spaces.HELD, withholding.SPACE}


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedLab:
    """A registry with an open study, and an author who can seal."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    made = SealedLab(tmp_path)
    made.world.register()
    grow(made.registry, 300)  # so that the places of entries are numbers that nothing else on a page is
    return made


def sealed_pair(lab: SealedLab) -> list[SealedWork]:
    """Two sealed studies of one week and tier that have nothing else in common, a week later."""
    works = [
        lab.seal(tier="hazard"),
        lab.seal(
            tier="hazard",
            protocol=lab.world.protocol(
                title="Quite another topic", area=["control/monitoring"], notes="n" * 9000
            ),
        ),
    ]
    lab.next_week()
    return works


def busy(lab: SealedLab, work: SealedWork) -> None:
    """Everything a sealed study can do before its next batch."""
    lab.run(work)
    work.amend(lab.world.protocol(title="Amended"), reason="r" * 500, seen="looked")
    hold(lab.registry, work.id, sign_hold(work.secrets.content, work.id))


def everywhere(lab: SealedLab, works: list[SealedWork]) -> list[str]:
    """Every address of pages and API that needs no parameter, or one that is public."""
    asker = Asker(lab.registry)
    openapi = json.loads(asker.get(["/api/v1/openapi.json"])[0].body)
    pages = [
        "/",
        "/search",
        "/areas",
        "/area/control/monitoring",
        "/critiques",
        "/about",
        "/log",
        "/feed.atom",
    ]
    pages += ["/sitemap.xml", "/search?q=topic", "/search?status=sealed", "/checkpoint", "/ready"]
    keys = [lab.world.key.fingerprint, lab.registry.home.ensure("installation").fingerprint]
    pages += [path.format(key) for key in keys for path in ("/author/{}", "/author/{}/feed.atom", "/key/{}")]
    calls = [f"/api/v1{path}" for path, how in openapi["paths"].items() if "get" in how and "{" not in path]
    tables = json.loads(asker.get(["/api/v1/tables"])[0].body)
    names = [one["name"] for one in next(value for value in tables.values() if isinstance(value, list))]
    calls += [f"/api/v1/tables/{name}" for name in names]
    about = [path for work in works for path in questions(openapi, work.id, work.row.ix)]
    return [*pages, *calls, *about]


def state(lab: SealedLab, works: list[SealedWork], folder: Path) -> dict[str, Any]:
    """Everything public: the log, answers, a dump, and what the tools for agents say."""
    lab.world.clock.now = lab.world.clock.now.replace(hour=12, minute=0, second=0)
    paths = everywhere(lab, works)
    found: dict[str, Any] = dict(zip(paths, Asker(lab.registry).get(paths), strict=True))
    found["entries"] = [sha256(one).hexdigest() for one in lab.registry.store.entries()]
    found["blobs"] = sorted(str(one) for one in lab.registry.store.blobs())
    found["dump"] = export_tables(lab.registry, folder).files
    found["tools"] = [tool_words(lab, work) for work in works]
    return found


def tool_words(lab: SealedLab, work: SealedWork) -> str:
    """What the tools for agents answer about a sealed study."""

    async def talk() -> str:
        async with mcp.Client(create_server(ReadingDesk(lab.registry))) as client:
            got = await client.call_tool("get_study", {"study": work.id})
            found = await client.call_tool("search_studies", {"text": work.id})
            return f"{got.content} {found.content}"

    return asyncio.run(talk()).replace(work.id, "ID")


def test_nothing_public_changes_when_a_sealed_study_works(lab: SealedLab, tmp_path: Path) -> None:
    """Runs, amendments, attached logs and holding back move no entry, blob, count, feed, table, dump or answer."""
    works = sealed_pair(lab)
    before = state(lab, works, tmp_path / "before")
    day = lab.today()
    busy(lab, works[0])
    assert lab.today() == day
    after = state(lab, works, tmp_path / "after")
    assert {name for name in before if before[name] != after.get(name)} == set()
    assert before.keys() == after.keys()


def test_one_that_worked_and_one_that_did_not_are_answered_alike(lab: SealedLab) -> None:
    """A busy study and a silent one of the same week: the same answers, to the letter, but for their names."""
    works = sealed_pair(lab)
    busy(lab, works[0])
    lab.next_week()
    works[0].sync()
    answers = Asker(lab.registry).ask([(work.id, work.row.ix) for work in works])
    plain = [
        [without_names(one, work.id, work.row.ix) for one in row]
        for work, row in zip(works, answers, strict=True)
    ]
    assert plain[0] == plain[1]
    assert tool_words(lab, works[0]) == tool_words(lab, works[1])


def test_what_strangers_send_is_refused_alike(lab: SealedLab) -> None:
    """Slots, statements and requests by somebody else: the refusal does not depend on what the study did."""
    works = sealed_pair(lab)
    busy(lab, works[0])
    stranger = SigningKey.generate("mallory.example")
    with lab.as_author(stranger) as registry:
        registry.register_key("Mallory")
    refusals = []
    for work in works:
        said = {
            "study": work.id,
            "number": 1,
            "action": "open",
            "status": "started",
            "created": lab.registry.time(),
        }
        envelope = base64.b64encode(make_signed("attempt", said, stranger)).decode()
        asker = Asker(lab.registry)
        posts: list[tuple[str, Any]] = [("/api/v1/statements", {"envelopes": [envelope]})]
        openapi = json.loads(asker.get(["/api/v1/openapi.json"])[0].body)
        for path, how in openapi["paths"].items():
            if "{study}" in path and "post" in how:
                example = how["post"]["requestBody"]["content"]["application/json"]["example"]
                soon = int((lab.world.clock.now + timedelta(hours=1)).timestamp())
                slot = base64.b64encode(bytes(SLOT_SIZE)).decode()
                given = {"slot": slot, "expires": soon, "body": base64.b64encode(b"{}").decode()}
                body = {name: given.get(name, value) for name, value in example.items()}
                posts.append((f"/api/v1{path.format(study=work.id)}", body))
        refusals.append([without_names(one, work.id, work.row.ix) for one in asker.post(posts)])
    assert [one.status for one in refusals[0]] == [403] * len(refusals[0]), (
        "read, and not signed by the right key"
    )
    assert len(refusals[0]) > 3
    assert refusals[0] == refusals[1]


def test_no_surface_looks_at_what_is_private(
    lab: SealedLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer reads outbox, queue, holdings or withholdings: what is not read costs no time either."""
    works = sealed_pair(lab)
    busy(lab, works[0])
    shelf = type(lab.registry.store.shelf)
    touched: set[str] = set()
    for name in ("get", "items"):
        plain = getattr(shelf, name)

        def noting(self: Any, space: str, *rest: Any, _plain: Any = plain, **more: Any) -> Any:
            touched.add(space)
            return _plain(self, space, *rest, **more)

        monkeypatch.setattr(shelf, name, noting)
    state(lab, works, tmp_path / "dump")
    assert touched, "cosignatures are read from the shelf"
    assert touched.isdisjoint(PRIVATE)


def test_no_surface_opens_a_sealed_body(lab: SealedLab, tmp_path: Path) -> None:
    """With bodies and batches gone from the disk, every answer is as it was: nothing had looked into them."""
    works = sealed_pair(lab)
    busy(lab, works[0])
    lab.next_week()
    before = state(lab, works, tmp_path / "before")
    bodies = {seal_body(lab.registry.store, work.id) or "" for work in works}
    gone = bodies | {row.body for row in batches(lab.registry.store)}  # a small batch is in the database
    files = [path for path in (lab.folder / "world").rglob("*") if path.parent.name + path.name in gone]
    assert len(files) >= len(bodies)
    for path in files:
        path.unlink()
    after = state(lab, works, tmp_path / "after")
    assert {name for name in before if before[name] != after[name]} == set()


def test_lengths_of_answers_say_nothing(lab: SealedLab) -> None:
    """An answer is about a study, not about how much of it there is: measured, not only compared."""
    works = sealed_pair(lab)
    rows: list[list[Answered]] = Asker(lab.registry).ask([(work.id, work.row.ix) for work in works])
    assert [(one.status, len(one.body)) for one in rows[0]] == [
        (one.status, len(one.body)) for one in rows[1]
    ]
