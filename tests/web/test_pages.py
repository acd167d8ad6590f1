"""The pages over a registry with every fate in it."""

import re
from collections import deque
from dataclasses import replace
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from leadline.errors import StateError
from leadline.registry.judging import judge
from leadline.registry.study import Study
from leadline.store.projections.status import status_of
from leadline.web.app import create_app
from leadline.web.settings import Settings
from web.markup import Markup
from web.site import ITEMS, PLOTS, TODAY, Lab

Record = tuple[Lab, dict[str, Study]]
FIXED = (
    "/",
    "/search",
    "/search?q=monitor",
    "/areas",
    "/area/control",
    "/critiques",
    "/about",
    "/draft",
    "/log",
    "/log/3",
)


def titled(end: str) -> str:
    """The title of the first study that came to this end."""
    return next(plot.title for plot in PLOTS if plot.end == end)


@pytest.mark.parametrize("path", FIXED)
def test_fixed_pages_are_well_formed(pages: TestClient, path: str) -> None:
    """Tags close, ids are unique, fields have labels, headings descend one by one."""
    answer = pages.get(path)
    assert answer.status_code == 200
    assert Markup.of(answer.text).problems == []


@pytest.mark.parametrize(
    ("end", "word"),
    [
        ("supported", "Supported"),
        ("null", "Null"),
        ("refuted", "Refuted"),
        ("inconclusive", "Inconclusive"),
        ("exploratory", "Exploratory"),
        ("overdue", "Overdue"),
        ("running", "Running"),
        ("registered", "Registered"),
        ("withdrawn", "Withdrawn"),
        ("closed", "Closed undisclosed"),
    ],
)
def test_study_page_says_its_state_and_claim(pages: TestClient, record: Record, end: str, word: str) -> None:
    """Every state has a well-formed page whose first heading is the claim and whose second is the word."""
    study = record[1][titled(end)]
    answer = pages.get(f"/study/{study.id}")
    assert answer.status_code == 200
    assert Markup.of(answer.text).problems == []
    claim = next(plot.claim for plot in PLOTS if plot.end == end)
    assert f"<h1><bdi>{claim}</bdi></h1>".replace("'", "&#39;") in answer.text
    head = re.search(r'<h2 id="verdict-word".*?</h2>', answer.text, re.DOTALL)
    assert head is not None and word in head[0]


def test_reported_page_shows_the_whole_account(pages: TestClient, record: Record) -> None:
    """Picture, conformance, denominators, controls, forecasts, runs, protocol, proof and citation are there."""
    found = Markup.of(pages.get(f"/study/{record[1][titled('supported')].id}").text)
    wanted = {
        "verdict",
        "promised",
        "denominators",
        "checks",
        "forecasts",
        "runs",
        "record",
        "protocol",
        "proof",
        "cite",
    }
    assert wanted <= set(found.ids)
    assert "Single-operator timestamp" in found.text


def test_exploratory_outcome_is_not_headlined(pages: TestClient, record: Record) -> None:
    """A broken promise heads the page with the standing, and lists cards say the same."""
    study = record[1][titled("exploratory")]
    head = re.search(r'<h2 id="verdict-word".*?</h2>', pages.get(f"/study/{study.id}").text, re.DOTALL)
    assert head is not None and "Supported" not in head[0]
    listed = pages.get("/search?standing=exploratory").text
    assert study.id in listed and "Exploratory: supported" in listed


def test_closed_and_withdrawn_pages_say_why(pages: TestClient, record: Record) -> None:
    """The reason of a withdrawal and the end of grace are on the page."""
    withdrawn = pages.get(f"/study/{record[1][titled('withdrawn')].id}").text
    assert "the vector was computed from the test items" in withdrawn
    assert "grace ended" in pages.get(f"/study/{record[1][titled('closed')].id}").text


def test_front_page_counts_what_is_there(pages: TestClient, record: Record) -> None:
    """The small picture says how many studies, how many nulls, what is overdue."""
    text = Markup.of(pages.get("/").text).text
    assert f"{len(record[1])} studies registered" in text
    assert "nulls among" in text or "null among" in text
    assert "What is overdue" in text and "What is in progress" in text


def test_newest_verdicts_are_drawn_where_they_may_be_headlined(pages: TestClient, record: Record) -> None:
    """Each card with a headlined outcome has its estimate as a picture with its numbers in words; no other has."""
    page = pages.get("/").text.split('id="known"')[1].split("</section>")[0]
    cards = page.split('<li class="card')[1:]
    assert any("Exploratory" in card for card in cards) and len(cards) == 6
    for card in cards:
        assert ('class="strip"' in card) == ("Exploratory" not in card)
        assert ("smallest effect of interest 0.15" in card) == ("Exploratory" not in card)


def test_what_is_listed_as_overdue_is_overdue(pages: TestClient, record: Record) -> None:
    """The list of overdue studies holds them all and no other."""
    listed = set(re.findall(r"/study/(LL-[0-9a-z]{13})", pages.get("/search?status=overdue").text))
    today = TODAY.date()
    assert listed == {one.id for one in record[1].values() if status_of(one.row, today) == "overdue"}
    owed = pages.get("/").text.split('id="owed"')[1].split("</section>")[0]
    assert set(re.findall(r"/study/(LL-[0-9a-z]{13})", owed)) <= listed


def test_search_narrows_and_lets_go(pages: TestClient, record: Record) -> None:
    """A facet link narrows the list, and the filter in force links back."""
    page = pages.get("/search?q=monitor&verdict=supported").text
    assert record[1][titled("supported")].id in page
    assert 'href="/search?q=monitor"' in page
    assert record[1][titled("null")].id not in page


def test_search_for_an_id_goes_to_the_study(pages: TestClient, record: Record) -> None:
    """An id typed in any case is taken to its page."""
    study = record[1][titled("null")]
    answer = pages.get(f"/search?q={study.id.lower()}", follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/study/{study.id}"


def test_search_without_a_hit_helps(pages: TestClient) -> None:
    """Nothing found is said, with what to try."""
    page = pages.get("/search?q=zzzzzz")
    assert page.status_code == 200
    assert "No study answers this" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/search?verdict=nonsense",
        "/search?since=yesterday",
        "/search?cursor=AAAA",
        "/log?before=-1",
        "/log/x",
        "/study/x",
    ],
)
def test_senseless_requests_are_explained(pages: TestClient, path: str) -> None:
    """What cannot be is a page that says so, not an error of the server's."""
    answer = pages.get(path)
    assert answer.status_code in (400, 404)
    assert Markup.of(answer.text).problems == []


@pytest.mark.parametrize(
    "path", ["/nope", "/study/LL-0000000000000", "/key/abc", "/author/abc", "/area/nowhere", "/log/999999"]
)
def test_what_is_not_there_is_a_page(pages: TestClient, path: str) -> None:
    """A missing page is 404 and well formed."""
    answer = pages.get(path)
    assert answer.status_code == 404
    assert Markup.of(answer.text).problems == []


def test_every_internal_link_resolves(pages: TestClient) -> None:
    """A crawl from the front page meets no error and no link to another host."""
    queue, seen = deque(["/"]), {"/"}
    anchors: list[tuple[str, str]] = []
    ids: dict[str, set[str]] = {}
    while queue and len(seen) < 900:
        path = queue.popleft()
        answer = pages.get(path, follow_redirects=False)
        assert answer.status_code in (200, 302, 308), f"{path}: {answer.status_code}"
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        found = Markup.of(answer.text)
        ids[path] = set(found.ids)
        for link in (*found.links, *found.loads):
            target, anchor = urldefrag(urljoin(f"http://127.0.0.1:8300{path}", link))
            parts = urlsplit(target)
            assert parts.netloc == "127.0.0.1:8300", f"{path} links to {link}"
            place = parts.path + (f"?{parts.query}" if parts.query else "")
            if anchor:
                anchors.append((place, anchor))
            follow = not place.startswith(("/search?", "/log", "/draft/", "/api/")) or place.count("=") < 2
            if place not in seen and follow:
                seen.add(place)
                queue.append(place)
    assert len(seen) > 150
    assert [one for one in anchors if one[0] in ids and one[1] not in ids[one[0]]] == []


def test_pages_forbid_everything_from_elsewhere(pages: TestClient, record: Record) -> None:
    """The policy allows own files only, and pages load nothing else."""
    for path in (*FIXED, f"/study/{record[1][titled('supported')].id}"):
        answer = pages.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert all(
            load.startswith("/") and not load.startswith("//") for load in Markup.of(answer.text).loads
        )


def test_author_page_counts_without_scoring(pages: TestClient, record: Record) -> None:
    """Studies stand under their states; no number ranks the author."""
    key = record[0].keys["Ada Example"].fingerprint
    found = Markup.of(pages.get(f"/author/{key}").text)
    assert found.problems == []
    assert {"g-reported", "g-withdrawn"} <= set(found.ids)


def test_areas_do_not_tell_one_from_none(pages: TestClient) -> None:
    """Small counts are coarse, so that a gap says nothing of what is sealed."""
    page = Markup.of(pages.get("/areas").text).text
    assert "<3" in page
    assert not re.search(r"(Debate and its relatives|Conflict) [012]\b", page)


def test_another_name_of_the_server_is_refused(pages: TestClient) -> None:
    """A name with a dot that nobody listed is not answered; numbers and bare names are."""
    assert pages.get("/", headers={"host": "evil.example.org"}).status_code == 421
    assert pages.get("/", headers={"host": "localhost:8300"}).status_code == 200
    assert pages.get("/", headers={"host": "[::1]:8300"}).status_code == 200


def test_siblings_go_by_their_titles(pages: TestClient, record: Record) -> None:
    """Studies of one family may share a claim; their titles tell them apart."""
    page = pages.get(f"/study/{record[1][titled('supported')].id}").text
    listed = page.split('id="siblings"')[1].split("</section>")[0]
    assert "Paraphrasing and hidden reasoning" in listed
    assert "Paraphrasing the chain of thought lowers" not in listed


def test_what_authors_say_of_their_own_study_stands_apart(tmp_path: Path) -> None:
    """A judgement signed by a key of the study is no outside view: it has a heading of its own."""
    mine, theirs = PLOTS[8], PLOTS[7]
    lab = Lab(tmp_path, items=ITEMS)
    study = lab.build((mine, theirs))[mine.title]
    lab.clock.now = TODAY
    lab.registry.key = lab.keys[mine.author]
    judge(lab.registry, study.id, type="review", part={"replicates": 0.9, "useful": 0.9})
    lab.registry.key = lab.keys[theirs.author]
    judge(lab.registry, study.id, type="critique", part={"question": "Was the scratchpad read?"})
    app = create_app(lab.registry, Settings(store="site"), clock=lambda: TODAY)
    with TestClient(app, base_url="http://127.0.0.1:8300") as client:
        page = client.get(f"/study/{study.id}").text
    others = page.split('id="judgements"')[1].split("</section>")[0]
    own = page.split('id="own"')[1].split("</section>")[0]
    assert "Was the scratchpad read?" in others and "Would replicate" not in others
    assert "Would replicate" in own and "Was the scratchpad read?" not in own


def test_many_authors_and_many_runs_fold(tmp_path: Path) -> None:
    """The claim and the verdict stay in sight; every name and every run is still on the page."""
    names = [f"Author Number {n}" for n in range(12)]
    plot = replace(PLOTS[8], more={"authors": [{"name": name, "kind": "human"} for name in names]})
    lab = Lab(tmp_path, items=ITEMS)
    study = lab.build((plot,))[plot.title]
    for _ in range(9):
        with pytest.raises(StateError), study.attempt():
            pass
    app = create_app(lab.registry, Settings(store="site"), clock=lambda: TODAY)
    with TestClient(app, base_url="http://127.0.0.1:8300") as client:
        page = client.get(f"/study/{study.id}").text
    head, rest = (
        Markup.of(part).text for part in page.split('<header class="head">')[1].split("</header>", 1)
    )
    assert "and 4 more" in head and names[7] in head and names[11] not in head
    assert "All 12 authors" in rest and names[11] in rest
    assert "9 runs announced: 9 open." in rest and "Run 9" in rest
