"""The critical reader: every code has a plan that earns it, a good plan earns no warning, and the page is current."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import leadline
from leadline.protocol import Protocol, templates
from leadline.registry.check import CATALOGUE, Finding, check, examine
from leadline.registry.check.catalogue import GROUPS, page
from leadline.registry.check.conduct import grouping
from verdict.plans import document

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 6, 1)
DIGEST = "ab" * 32
AXES = ("scale", "family", "task", "adversary", "training", "elicitation", "measure", "realism")
CONTROL = {"type": "mean", "measure": "accuracy", "arms": ["treated"]}


def good() -> dict[str, Any]:
    """A plan nothing but the power note and the half-effect note can be said of."""
    made = document(size={"items": 400, "power": 0.8}, assume={"source": "a pilot"})
    made["hypotheses"][0]["why_smallest"] = "Below this nobody would change anything."
    made["area"] = ["control/monitoring"]
    made["target"] = {
        "problem": "p",
        "meaning": dict.fromkeys(("supported", "refuted", "null", "inconclusive"), "m"),
    }
    made["gap"] = {axis: {"distance": "same"} for axis in AXES}
    made["tasks"][0] |= {
        "version": 1,
        "dataset": {"sha256": DIGEST, "samples": [f"{number:04d}" for number in range(400)]},
        "generate": {"temperature": 0, "max_tokens": 100, "top_p": 1, "seed": 1},
        "solver": [{"solver": "generate", "params": {}}],
        "scorers": [{"name": "match", "params": {}}],
    }
    made["controls"] = [
        {"name": kind, "kind": kind, "low": 0.0, "high": 1.0, "estimand": CONTROL}
        for kind in ("positive", "negative", "baseline")
    ]
    made["takeaways"] = [{"hypothesis": "h", "supported": "treated raises accuracy compared with plain"}]
    made["forecasts"] = [
        {
            "by": "me",
            "hypothesis": "h",
            "probabilities": {"supported": 0.7, "refuted": 0.1, "null": 0.1, "inconclusive": 0.1},
        }
    ]
    made["robustness"] = [{"name": "iid", "change": {"method": "iid"}}]
    made["timeline"] = {"due": "2027-01-01"}
    return made


def changed(path: str, value: Any, *more: Any) -> Protocol:
    """The good plan with entries replaced (dotted path, numbers index lists; None value removes)."""
    made = good()
    for where, entry in [(path, value), *zip(more[::2], more[1::2], strict=True)]:
        *way, last = [int(part) if part.isdigit() else part for part in where.split(".")]
        place: Any = made
        for part in way:
            place = place[part]
        if entry is None:
            del place[last]
        else:
            place[last] = entry
    return Protocol.model_validate(made)


@dataclass
class Known:
    """A study of the fake registry."""

    id: str
    protocol: Protocol
    likeness: float = 0.3


@dataclass
class Fake:
    """A registry that holds what it is given."""

    held: list[Known]

    def neighbours(self, protocol: Protocol) -> Iterator[tuple[Known, float]]:
        """All of them, as if none were very like the plan."""
        return ((known, known.likeness) for known in self.held)


CLUSTERED = ("measures.0.cluster", "metadata.topic", "sample_size.assumptions.icc", 0.1)

#: A plan for every code but those of the registry; each must earn its code.
EARN: dict[str, tuple[Any, ...]] = {
    "I101": ("timeline", {}),
    "I102": ("timeline.due", "2026-05-31"),
    "I103": ("timeline.not_before", "2026-05-01"),
    "I104": ("area", []),
    "I105": ("area", ["control/monitring"]),
    "I106": ("authors.0.kind", "llm"),
    "I107": ("target", None),
    "I113": ("authors.0.name", "FILL IN"),
    "I108": ("foreknowledge", {"level": "outcomes"}),
    "I109": ("foreknowledge", {"level": "pilot_outcomes"}),
    "I114": ("foreknowledge", {"level": "pilot_outcomes", "pilots": [DIGEST]}),
    "I110": ("models.0", {"name": "subject", "rule": "next eligible release"}),
    "I111": ("status", "replication"),
    "I112": ("target.meaning", {"supported": "m"}),
    "G101": ("gap.scale", {"distance": "unknown"}),
    "G102": ("gap.task", {"distance": "far"}),
    "G103": ("takeaways", []),
    "G104": ("forecasts", []),
    "G105": ("takeaways.0.inconclusive", "treated can change accuracy"),
    "H101": ("hypotheses.0.why_smallest", " "),
    "H102": ("hypotheses.0.kind", "at_least"),
    "H104": ("data_rules", {"exclusions": [{"id": "x", "when": "value < 0.5", "reason": "low"}]}),
    "C101": ("controls.0.kind", "negative"),
    "C102": ("controls.2.kind", "negative"),
    "C103": ("controls.1.kind", "baseline"),
    "C104": ("data_rules", {"missing_cap": 0.5}),
    "C105": (*CLUSTERED, "sample_size.clusters", 4),
    "C106": (*CLUSTERED, "sample_size.clusters", 8),
    "C107": ("tasks.0.dataset.samples", [f"topic{n % 40}-{n}" for n in range(400)]),
    "C108": ("sample_size.clusters", 40),
    "C109": ("tasks.0.dataset.samples", ["1", "2", "3"]),
    "C110": ("measures.0.cluster", "metadata.topic", "sample_size.clusters", 40),
    "C111": ("sample_size.assumptions.source", ""),
    "C112": ("robustness", []),
    "C113": ("data_rules", {"refusal": "exclude"}),
    "C114": ("hazard", {"level": "restricted"}),
    "C115": ("hazard", {"level": "delayed", "release": "when it is safe"}),
    "D101": ("tasks.0.dataset.sha256", None),
    "D102": ("tasks.0.dataset", {"n": 400}),
    "D118": ("tasks.0.dataset", {"n": 400, "order": "from_freeze"}),
    "D103": ("tasks.0.generate.temperature", None),
    "D104": ("tasks.0.generate.top_p", None),
    "D105": ("tasks.0.solver", None),
    "D106": ("tasks.0.scorers.0.params", None),
    "D107": ("measures.0.score", "other"),
    "D108": ("measures.0.score", "model_graded_qa"),
    "D109": ("tasks.0.judge", {"model": "subject"}),
    "D110": ("tasks.0.judge", {"model": "subject", "prompt_sha256": DIGEST}),
    "D111": ("tasks.0.version", None),
    "D115": ("hypotheses.0.estimand.type", "difference"),
    "D117": ("tasks.0.solver.0.params", {"template": "Think."}),
    "S001": ("sample_size.design", "group_sequential"),
    "S002": (*CLUSTERED, "sample_size.clusters", 4),
    "S100": ("title", "Nothing changed"),
    "S101": ("sample_size.items", 60),
    "S102": ("sample_size.clusters", 6, "sample_size.assumptions.icc", 0.5),
    "S103": ("sample_size.clusters", 6, "sample_size.assumptions.icc", 0.5, "sample_size.items", 800),
    "S104": ("title", "Nothing changed"),
    "S105": ("sample_size.assumptions.baseline", 0.95),
    "S106": (
        "hypotheses.0.estimand.type",
        "ratio",
        "hypotheses.0.smallest",
        1.5,
        "sample_size.assumptions.baseline",
        0.06,
    ),
    "S107": ("sample_size.assumptions", {"baseline": 0.05, "correlation": 0.9, "source": "a pilot"}),
}


def more_than_one_claim() -> Protocol:
    """Two uncorrected primary hypotheses."""
    made = good()
    made["hypotheses"].append({**made["hypotheses"][0], "id": "h2"})
    made["families"] = [{"name": "primary", "correction": "none"}]
    return Protocol.model_validate(made)


def loose_ends() -> Protocol:
    """An arm and a measure nobody asks about."""
    made = good()
    made["arms"].append({**made["arms"][0], "name": "spare", "task_args": {"hint": 3}})
    made["measures"].append({"name": "length", "score": "match"})
    return Protocol.model_validate(made)


def two_datasets() -> Protocol:
    """Paired arms whose tasks have different items."""
    made = good()
    other = {**made["tasks"][0], "name": "other", "task": "other"}
    other["dataset"] = {**other["dataset"], "sha256": "cd" * 32}
    made["tasks"].append(other)
    made["arms"][1]["task"] = "other"
    return Protocol.model_validate(made)


def averaged_share() -> Protocol:
    """A share of items whose epochs are averaged."""
    made = good()
    made["tasks"][0]["epochs"] = 3
    made["robustness"] = []
    made["hypotheses"][0] |= {
        "reference": 0.5,
        "estimand": {"type": "proportion", "measure": "accuracy", "arms": ["treated"]},
    }
    return Protocol.model_validate(made)


OTHERS = {
    "H103": more_than_one_claim,
    "D112": loose_ends,
    "D113": loose_ends,
    "D114": two_datasets,
    "D116": averaged_share,
}


def codes(found: list[Finding]) -> set[str]:
    """The codes among findings."""
    return {entry.code for entry in found}


def read(protocol: Protocol, code: str = "") -> list[Finding]:
    """Findings; simulated only when the code needs it."""
    return check(protocol, today=TODAY, replicates=200 if code.startswith("S") else 0)


def test_a_good_plan_earns_no_objection() -> None:
    """A complete plan is met with notes about its power only."""
    found = check(Protocol.model_validate(good()), today=TODAY, replicates=300)
    assert codes(found) == {"S100", "S104"}


@pytest.mark.parametrize("code", sorted(EARN))
def test_each_fault_is_found(code: str) -> None:
    """One change to the good plan earns the code, with the catalogue's severity, a place and a remedy."""
    found = [entry for entry in read(changed(*EARN[code]), code) if entry.code == code]
    assert found, f"{code} was not found"
    assert all(entry.severity == CATALOGUE[code].severity for entry in found)
    assert all(entry.where and entry.message and entry.remedy for entry in found)


@pytest.mark.parametrize("code", sorted(OTHERS))
def test_each_fault_of_several_blocks_is_found(code: str) -> None:
    """Faults that take more than one change are found too."""
    assert code in codes(read(OTHERS[code]()))


@pytest.mark.parametrize(
    "change",
    [
        ("foreknowledge.pilot_items", "other"),
        ("tasks.0.generate.temperature", 0.7),
        ("arms.0.generate", {"temperature": 1}),
        ("tasks.0.generate.temperature", None),
        ("tasks.0.dataset.sha256", None),
        ("status", "exploratory"),
        ("foreknowledge.level", "structure"),
    ],
)
def test_a_pilot_does_not_block_what_can_still_be_learnt(change: tuple[str, Any]) -> None:
    """Other items, decoding with chance, unbound items or another status leave something to find out."""
    pilots = ("foreknowledge", {"level": "pilot_outcomes", "pilots": [DIGEST]})
    assert "I114" not in codes(read(changed(*pilots, *change)))


def test_a_solver_for_arms_that_run_alike_is_no_objection() -> None:
    """Bound parameters are doubted only where the arms of a task give it different arguments."""
    alike = changed(
        "tasks.0.solver.0.params", {"template": "Think."}, "arms.0.task_args", {}, "arms.1.task_args", {}
    )
    assert "D117" not in codes(read(alike))


def test_a_solver_step_without_parameters_is_named() -> None:
    """A step whose parameters are left open is a solver not bound, at that step."""
    found = read(changed("tasks.0.solver.0", {"solver": "generate"}))
    assert [entry.where for entry in found if entry.code == "D105"] == ["tasks[0].solver[0].params"]


@pytest.mark.parametrize(
    ("title", "remedy"),
    [
        ("Do worked examples help?", "see `leadline new --areas`"),
        ("Does a monitor catch it?", "perhaps control/monitoring; `leadline new --areas` lists all"),
    ],
)
def test_an_area_is_suggested_only_when_it_is_named(title: str, remedy: str) -> None:
    """A word in common with some area is no suggestion; the area's own name is."""
    (found,) = [entry for entry in read(changed("area", [], "title", title)) if entry.code == "I104"]
    assert found.remedy == remedy


@pytest.mark.parametrize(
    ("release", "doubted"), [("2026-09-30", False), ("2030-01-01", True), (None, True), ("later", True)]
)
def test_a_delay_needs_a_day_before_the_closing(release: str | None, doubted: bool) -> None:
    """A delayed report waits for a date, which comes before the study closes as undisclosed."""
    plan = changed("hazard", {"level": "delayed", "release": release}, "timeline.due", "2026-09-01")
    assert ("C115" in codes(read(plan))) == doubted


def test_every_code_can_be_earned() -> None:
    """No code of the catalogue is dead, and none is missing from it."""
    assert set(EARN) | set(OTHERS) | {"R101", "R102"} == set(CATALOGUE)
    assert {code[0] for code in CATALOGUE} == set(GROUPS)


def test_the_page_is_current() -> None:
    """docs/findings.md documents every code, in the catalogue's own words."""
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == page()


def test_neighbours_in_a_registry() -> None:
    """The same dataset, technique and measure names the study; another technique or measure does not."""
    plan = Protocol.model_validate(good())
    near = changed("title", "Another question")
    far = changed("title", "Unrelated", "arms.0.technique", "steering")
    registry = Fake([Known("LL-1", plan), Known("LL-2", near), Known("LL-3", far)])
    found = [
        entry for entry in check(plan, registry, today=TODAY, replicates=0) if entry.code.startswith("R")
    ]
    assert [(entry.code, "LL-1" in entry.message, "LL-2" in entry.message) for entry in found] == [
        ("R101", False, True),
        ("R102", True, False),
    ]


def test_a_near_technique_name_is_the_same_technique() -> None:
    """Techniques are compared by the vocabulary, so a spelling does not hide a neighbour."""
    registry = Fake([Known("LL-9", changed("arms.0.technique", "Few_Shot prompting", "title", "x"))])
    mine = changed("arms.0.technique", "few-shot prompting")
    assert "R101" in codes(check(mine, registry, replicates=0))


def test_a_study_that_asks_nearly_the_same_is_named() -> None:
    """A study very like the plan is named though nothing of it has the same name."""
    other = changed("arms.0.technique", "steering", "title", "Another name")
    registry = Fake([Known("LL-7", other, 0.7), Known("LL-8", other, 0.4)])
    named = [
        one.message
        for one in check(Protocol.model_validate(good()), registry, replicates=0)
        if one.code == "R101"
    ]
    assert len(named) == 1 and "LL-7" in named[0] and "nearly the same" in named[0]


def test_errors_come_first_and_block() -> None:
    """Findings are ordered by severity, and only errors keep a plan from being registered."""
    read_twice = examine(changed("sample_size.design", "anytime", "timeline", {}), replicates=0)
    ranks = [("error", "warning", "note").index(entry.severity) for entry in read_twice.findings]
    assert ranks == sorted(ranks) and not read_twice.registrable
    assert examine(changed("timeline", {}), replicates=0).registrable


def test_without_a_day_dates_are_not_judged() -> None:
    """Past dates are found only by a reader who knows what day it is."""
    assert "I102" not in codes(check(changed("timeline.due", "2020-01-01"), replicates=0))


def test_a_finding_reads_as_a_line_and_as_json() -> None:
    """`CODE severity where: message -> remedy`, and the same five fields as JSON."""
    (found,) = [entry for entry in read(changed("timeline", {})) if entry.code == "I101"]
    assert str(found) == f"I101 warning timeline.due: {found.message} -> {found.remedy}"
    assert json.loads(json.dumps(found.to_dict())) == {
        "code": "I101", "severity": "warning", "where": "timeline.due", "message": found.message, "remedy": found.remedy,
    }  # fmt: skip


def test_the_simulation_comes_with_the_findings() -> None:
    """`examine` returns the table that the power finding quotes; a plan that cannot run has none."""
    told = examine(Protocol.model_validate(good()), replicates=50)
    assert told.characteristics is not None
    power = told.characteristics.power("h")
    assert power is not None and any(
        f"{power.value:.3f}" in entry.message for entry in told.findings if entry.code in ("S100", "S101")
    )
    assert examine(changed("sample_size.design", "anytime")).characteristics is None


@pytest.mark.parametrize("name", templates.names())
def test_templates_can_be_registered(name: str) -> None:
    """No template, unedited, earns an error."""
    found = check(Protocol.parse(templates.text(name), name=name), replicates=0)
    assert not [str(entry) for entry in found if entry.blocks]


def test_it_is_the_public_door() -> None:
    """`leadline.check` and `leadline.Finding` are these."""
    assert leadline.check is check
    assert leadline.Finding is Finding


@pytest.mark.parametrize(
    ("ids", "groups"),
    [
        ([f"a-{n}" for n in range(5)] + [f"b-{n}" for n in range(5)], 2),
        ([f"{topic}/{n}" for topic in "xyz" for n in range(4)], 3),
        ([str(n) for n in range(50)], None),
        ([f"item-{n}" for n in range(50)], None),
        ([f"{n}-{n}" for n in range(50)], None),
        ([], None),
    ],
)
def test_grouped_ids(ids: list[str], groups: int | None) -> None:
    """Ids that share a stem look grouped; plain numbers and one common prefix do not."""
    found = grouping(ids)
    assert (None if found is None else found[0]) == groups
