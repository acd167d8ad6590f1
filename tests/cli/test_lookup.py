"""`leadline search` with filters and counts, and `leadline similar` with reasons."""

from pathlib import Path
from typing import get_args

import pytest

from cli.shell import Lab, leadline, write_protocol
from leadline.cli import options


def ids(*arguments: str) -> list[str]:
    """Ids of what a search finds."""
    return [one["id"] for one in leadline("search", *arguments, "--json").json["studies"]]


def test_filters_narrow_a_search(lab: Lab) -> None:
    """Each option finds the study by what it is, and nothing by what it is not."""
    for found in (
        ["--status", "running"], ["--technique", "Hint Prompt"], ["--model", "mockllm/tiny"],
        ["--task", "addition"], ["--measure", "match"], ["--since", "2020-01-01"],
        ["--author", "Ada", "hint", "--status", "running"],
    ):  # fmt: skip
        assert ids(*found) == [lab.study], found
    for absent in (
        ["--status", "overdue"], ["--technique", "debate"], ["--model", "tiny"], ["--verdict", "null"],
        ["--standing", "confirmatory"], ["--until", "2020-01-01"], ["--gap", "scale:far"],
        ["--area", "control"], ["--signed-by", "0" * 64],
    ):  # fmt: skip
        assert ids(*absent) == [], absent
        assert "No study answers this." in leadline("search", *absent).out


def test_counts_come_with_the_studies(lab: Lab) -> None:
    """`--facets` counts what is found by every facet, as text and as JSON."""
    form = leadline("search", "hint", "--facets", "--json").json["facets"]
    assert (form["total"], form["capped"]) == (1, False)
    assert form["counts"]["status"] == [{"value": "running", "count": 1}]
    assert {"value": "hint prompt", "count": 1} in form["counts"]["technique"]
    assert form["counts"]["verdict"] == []
    shown = leadline("search", "hint", "--facets").out
    assert "1 study" in shown and "hint prompt 1" in shown and "running 1" in shown
    assert "facets" not in leadline("search", "hint", "--json").json


def test_a_capped_ranking_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where only the newest matches were ranked or counted, the page says so."""
    from leadline.store import facets
    from leadline.store.sqlite import text

    leadline("register", write_protocol(tmp_path / "second.yaml", title="Another hint"), "--no-simulate")
    assert "Ranked among" not in leadline("search", "hint").out
    monkeypatch.setattr(text, "RANK_CAP", 1)
    monkeypatch.setattr(facets, "COUNT_CAP", 1)
    shown = leadline("search", "hint", "--facets").out
    assert "Ranked among the newest 5,000 matches." in shown
    assert "1+ studies" in shown and "Counted among the newest 5,000." in shown


def test_similar_says_what_agrees(lab: Lab, tmp_path: Path) -> None:
    """A twin under another title is named with a score and with what it shares."""
    twin = write_protocol(tmp_path / "twin.yaml", title="Fruit salad")
    (near,) = leadline("similar", twin, "--json").json["studies"]
    assert near["id"] == lab.study and near["score"] > 0.6 and near["status"] == "running"
    assert "same dataset" in near["why"] and "task: addition" in near["why"]
    shown = leadline("similar", twin, "--limit", "1").out
    assert f"{near['score']:.2f}" in shown and "same dataset" in shown


def test_a_date_is_a_date(lab: Lab) -> None:
    """Another text than a date is refused, with the form that is meant."""
    refused = leadline("search", "--since", "yesterday", status=None)
    assert refused.status != 0 and "2026-01-31" in refused.err and "--since" in refused.err


def test_the_choices_are_the_stores() -> None:
    """The light copies of statuses, outcomes and standings say what the store says."""
    from leadline.ledger import fields
    from leadline.store.query import SearchStatus

    assert get_args(options.StudyStatus) == get_args(SearchStatus)
    assert get_args(options.Outcome) == get_args(fields.Outcome)
    assert get_args(options.Standing) == get_args(fields.Standing)
