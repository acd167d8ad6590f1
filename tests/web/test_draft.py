"""Drafting in the browser, with and without the script; hostile drafts cost little."""

from contextlib import AbstractContextManager

import pytest
from starlette.testclient import TestClient

from leadline.errors import QuotaError
from leadline.protocol import Protocol, templates
from leadline.registry.intake import apart
from leadline.registry.intake.places import UNSIGNED, AddressPurse
from leadline.web.views import reading as reader
from leadline.web.views.reading import MOST, read_draft
from web.markup import Markup
from web.site import TODAY


def text_of(page: str) -> str:
    """What stands in the draft's field."""
    import html

    return html.unescape(page.split('wrap="off">')[1].split("</textarea>")[0]).removeprefix("\n")


@pytest.mark.parametrize("name", templates.names())
def test_every_template_can_be_begun_from(pages: TestClient, name: str) -> None:
    """The guided form fills a template in, and what it gives is a protocol."""
    page = pages.get("/draft", params={"template": name, "title": 'Mine: "quoted" <b>', "author": "Ada"})
    assert page.status_code == 200
    assert Markup.of(page.text).problems == []
    plan = Protocol.parse(text_of(page.text))
    assert plan.title == 'Mine: "quoted" <b>'


def test_without_script_the_form_answers_with_the_whole_page(pages: TestClient) -> None:
    """Checking gives the page again, the text kept, with findings; a fault names its line."""
    text = templates.text("compare").replace("title:", "titel:", 1)
    page = pages.post("/draft", data={"text": text, "action": "check"})
    assert page.status_code == 200
    assert Markup.of(page.text).problems == []
    assert text_of(page.text).replace("\r\n", "\n") == text
    assert "titel" in page.text and "This is not a protocol yet" in page.text
    assert "line " in page.text


def test_download_gives_the_text_back_and_keeps_nothing(pages: TestClient) -> None:
    """The file is what was written, with line ends of a file."""
    answer = pages.post("/draft", data={"text": "a: 1\r\nb: 2\r\n", "action": "download"})
    assert answer.content == b"a: 1\nb: 2\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="study.yaml"'
    assert answer.headers["cache-control"] == "no-store"


def test_the_script_gets_the_findings_alone(pages: TestClient) -> None:
    """A fragment: findings of a sound plan, and studies that are like it."""
    answer = pages.post("/draft/check", data={"text": templates.text("compare")})
    assert answer.status_code == 200
    assert "Nothing forbids registration" in answer.text
    assert "<html" not in answer.text


def test_a_draft_like_a_registered_study_is_told_so(pages: TestClient, record: tuple) -> None:  # type: ignore[type-arg]
    """The near-duplicate is named with its state and what agrees."""
    from leadline.protocol import dump

    study = next(iter(record[1].values()))
    plan = study.protocol.model_copy(update={"notes": "a second thought"})
    answer = pages.post("/draft/check", data={"text": dump(plan)})
    assert "Has it been tried?" in answer.text
    assert study.id in answer.text


def test_simulation_runs_apart_and_draws_what_the_plan_could_find(pages: TestClient) -> None:
    """On demand the plan is rehearsed and simulated, and the picture shows it."""
    answer = pages.post("/draft/check", data={"text": templates.text("compare"), "action": "simulate"})
    assert "The plan was rehearsed and simulated" in answer.text
    assert "the smallest effect of interest" in answer.text


def test_a_plan_that_costs_too_much_to_simulate_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the bounds are met, the rules that need no simulation are still read."""
    from leadline.errors import InputError

    def refuse(*_: object, **__: object) -> bytes:
        raise InputError("took too long")

    monkeypatch.setattr(reader, "apart", refuse)
    found = read_draft(templates.text("compare"), today=TODAY.date(), simulate=True, similar=lambda _: [])
    assert "more than this server spends" in found.note
    assert found.findings


def test_only_short_drafts_are_read_in_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer one says the same, with its lines, from a process of its own; where that one fails, that is a finding."""
    from leadline.errors import InputError

    here: list[int] = []
    read = reader.examined
    monkeypatch.setattr(reader, "examined", lambda payload: here.append(len(payload)) or read(payload))
    text = templates.text("compare")
    long = text + "# " + "x" * 20_000 + "\nunknown: 1\n"
    ask = {"today": TODAY.date(), "simulate": False, "similar": lambda _: []}
    assert read_draft(text, **ask).heading == "Nothing forbids registration"
    found = read_draft(long, **ask)
    assert len(here) == 1
    assert found.heading == "This is not a protocol yet"
    assert [one.line for one in found.findings] == [long.count("\n")]

    def refuse(*_: object, **__: object) -> bytes:
        raise InputError("took too long")

    monkeypatch.setattr(reader, "apart", refuse)
    assert "costs too much" in read_draft(long, **ask).findings[0].message


def test_a_search_that_cannot_be_paid_for_keeps_the_findings() -> None:
    """What was read is told, and that nobody looked for studies near it: silence would say that there are none."""

    def refuse(_: Protocol) -> list[reader.Near]:
        raise QuotaError("nothing left", retry_after=1, remedy="come again")

    found = read_draft(templates.text("compare"), today=TODAY.date(), simulate=False, similar=refuse)
    assert found.heading == "Nothing forbids registration"
    assert found.similar == ()
    assert "were not looked for" in found.note


def test_an_address_has_only_so_much_read(record: tuple) -> None:  # type: ignore[type-arg]
    """Whoever has used up the seconds of an address is told when to come back."""
    from leadline.web.app import create_app
    from leadline.web.settings import Quotas, Settings

    registry = record[0].registry
    settings = Settings(store="unused", quotas=Quotas(computing_per_hour=1, computing_burst=1))
    with TestClient(create_app(registry, settings), base_url="http://127.0.0.1:8300") as client:
        data = {"text": templates.text("compare"), "action": "simulate"}
        assert client.post("/draft/check", data=data).status_code == 200
        refused = client.post("/draft/check", data=data)
    assert refused.status_code == 429
    assert "the same request again" in refused.text


HOSTILE = {
    "nothing": "",
    "not text": "\x00\x01",
    "deep lists": "[" * 5_000,
    "deep tables": "{a: " * 5_000,
    "aliases": "a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]",
    "tags": "!!python/object/apply:os.system ['id']",
    "many keys": "\n".join(f"k{i}: {i}" for i in range(5_000)),
    "many hypotheses": "leadline: 1\nhypotheses:\n" + "  - {}\n" * 5_000,
    "huge number": "leadline: " + "9" * 10_000,
    "markup": "title: '<script>alert(1)</script>'",
    "not unicode": "title: '\udcff'",
    "json": '{"leadline": 1, "leadline": 2}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_drafts_are_read_as_drafts(pages: TestClient, name: str) -> None:
    """Whatever it is, the answer is a list of findings."""
    body = HOSTILE[name].encode("utf-8", "surrogatepass")
    from urllib.parse import quote_from_bytes

    answer = pages.post(
        "/draft/check",
        content=b"text=" + quote_from_bytes(body).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200
    assert "not a protocol yet" in answer.text
    assert "<script>" not in answer.text


def test_too_much_is_refused_before_it_is_read(pages: TestClient) -> None:
    """Over the cap of characters, over the cap of bytes, and with thousands of fields."""
    assert "longer than" in pages.post("/draft/check", data={"text": "a" * (MOST + 1)}).text
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert pages.post("/draft", content=b"text=" + b"a" * (13 * MOST), headers=form).status_code == 400
    assert pages.post("/draft", content=b"&".join([b"a=1"] * 5_000), headers=form).status_code == 400
    assert pages.post("/draft", content=b"\xff\xfe", headers=form).status_code == 400
    assert (
        pages.post("/draft", content=b"{}", headers={"content-type": "application/json"}).status_code == 400
    )


def test_looking_for_what_is_near_is_paid_for_and_takes_its_turn(
    pages: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is searched for a sound draft at the expense of its address; one that cannot be read costs no search."""
    turns: list[tuple[float, object, object]] = []
    turn = apart.turn

    def counted(seconds: float, *, places: object, purse: object) -> AbstractContextManager[None]:
        turns.append((seconds, places, purse))
        return turn(seconds, places=places, purse=purse)  # type: ignore[arg-type]

    monkeypatch.setattr(apart, "turn", counted)
    pages.post("/draft/check", data={"text": "title: ["})
    assert turns == []
    pages.post("/draft/check", data={"text": templates.text("compare")})
    [(seconds, places, purse)] = turns
    assert (seconds, places) == (apart.COMPARING, UNSIGNED)
    assert isinstance(purse, AddressPurse)
