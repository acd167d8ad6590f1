"""Reports of every outcome and standing, made by hand for the tests of pages and terminals."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from leadline.protocol.model import Protocol
from leadline.verdict.comparison import Comparison, Side
from leadline.verdict.model import (
    Attempt,
    Check,
    ConceptualResult,
    ControlResult,
    Denominator,
    EffectEstimate,
    ForecastScore,
    LeftOut,
    Registration,
    RobustnessResult,
    Verdict,
)
from leadline.verdict.report import LogUsed, Recomputed, Report

HOSTILE = '<script>alert("x")</script>&\u202e\x1b[31m'


def protocol(**changes: Any) -> Protocol:
    """A control study with five hypotheses, one per claim kind."""
    pair = {"type": "paired_difference", "measure": "caught", "arms": ["scratchpad", "plain"]}
    usefulness = {"type": "paired_difference", "measure": "useful", "arms": ["scratchpad", "plain"]}
    document: dict[str, Any] = {
        "title": "Does a private scratchpad help a weak monitor catch a stronger model's backdoors?",
        "authors": [
            {"name": "Ada Example"},
            {"name": "probe-agent", "kind": "llm", "model": "example/agent-1"},
        ],
        "models": [
            {"name": "small", "id": "example/small-7b", "role": "monitor"},
            {"name": "big", "id": "example/big-70b", "role": "subject"},
        ],
        "tasks": [{"name": "backdoors", "task": "control/backdoors", "dataset": {"n": 400}}],
        "arms": [
            {"name": "scratchpad", "technique": "private scratchpad", "model": "small", "task": "backdoors"},
            {"name": "plain", "technique": "no scratchpad", "model": "small", "task": "backdoors"},
        ],
        "measures": [
            {"name": "caught", "score": "caught", "cluster": "metadata.repository"},
            {"name": "useful", "score": "useful", "unit": "points"},
        ],
        "hypotheses": [
            {
                "id": "catches-more",
                "claim": "A monitor with a private scratchpad catches at least five points more backdoors than the same monitor without one.",
                "kind": "at_least",
                "estimand": pair,
                "smallest": 0.05,
                "expected": 0.12,
            },
            {
                "id": "same-alarms",
                "claim": "The scratchpad leaves the rate of false alarms where it was.",
                "kind": "equivalent",
                "estimand": {**pair, "where": "metadata.clean = true"},
                "smallest": 0.06,
                "role": "secondary",
                "family": "secondary",
            },
            {
                "id": "no-less-useful",
                "claim": "Code that passes the monitor is no less useful.",
                "kind": "no_worse",
                "estimand": usefulness,
                "smallest": 2.0,
                "role": "secondary",
                "family": "secondary",
            },
            {
                "id": "long-files",
                "claim": "The advantage is there on long files too.",
                "kind": "greater",
                "estimand": {**pair, "where": "metadata.lines > 300"},
                "smallest": 0.08,
                "margin": 0.02,
                "role": "secondary",
                "family": "secondary",
            },
            {
                "id": "order-effects",
                "claim": "Presenting the diff before the file changes the catch rate.",
                "kind": "differs",
                "estimand": pair,
                "smallest": 0.1,
                "role": "exploratory",
                "family": "exploratory",
            },
        ],
        "families": [
            {"name": "primary"},
            {"name": "secondary"},
            {"name": "exploratory", "correction": "none"},
        ],
        "takeaways": [],
        "controls": [
            {
                "name": "planted",
                "kind": "positive",
                "estimand": {"type": "proportion", "measure": "caught", "arms": ["scratchpad"]},
                "low": 0.9,
            },
        ],
        "robustness": [
            {"name": "unclustered", "change": {"cluster": "item"}, "why": "repositories as if independent"},
            {
                "name": "refusals-count",
                "change": {"data_rules": {"refusal": {"value": 0.0}}},
                "why": "a refusal is a miss",
            },
        ],
        "sample_size": {"items": 400},
    }
    return Protocol.model_validate(document | changes)


def estimate(value: float, half: float, *, alpha: float = 0.05, **changes: Any) -> EffectEstimate:
    """A clustered estimate with intervals of ``half`` (wide) and 0.84 ``half`` (narrow)."""
    wide, narrow = (value - half, value + half), (value - 0.84 * half, value + 0.84 * half)
    plain = EffectEstimate(
        value, *wide, value, half / 2, wide, narrow, alpha, 37.25, 396, 41, "cr2", "identity", "", None, ()
    )
    return replace(plain, **changes)


def verdicts(standing: Any = "confirmatory") -> dict[str, Verdict]:
    """One verdict per hypothesis of `protocol`, every outcome among them."""
    small = estimate(0.021, 0.018)
    return {
        "catches-more": Verdict(
            "catches-more",
            "supported",
            None,
            standing,
            estimate(0.127, 0.052),
            None,
            0.073,
            (),
            "scratchpad raises caught compared with plain",
        ),
        "same-alarms": Verdict(
            "same-alarms", "supported", None, standing, estimate(-0.004, 0.041), None, 0.058
        ),
        "no-less-useful": Verdict(
            "no-less-useful",
            "refuted",
            None,
            standing,
            estimate(-4.1, 1.62, unit="points", clusters=None),
            None,
            2.3,
        ),
        "long-files": Verdict("long-files", "null", None, standing, small, None, 0.026, ("negligible",)),
        "order-effects": Verdict(
            "order-effects", "inconclusive", "undecided", standing, estimate(0.043, 0.11), 940, 0.158
        ),
    }


def report(**changes: Any) -> Report:
    """A complete confirmatory report, in which ``changes`` replace fields."""
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    plan: Protocol = changes.pop("protocol", None) or protocol()
    sha = [f"{i:02x}" * 32 for i in (17, 34, 51)]
    whole = Report(
        protocol=plan,
        registration=Registration("LL-7H2K-Q9", plan.digest, 412, bytes(range(32)), moment),
        engine="leadline 0.1.0",
        standing="confirmatory",
        verdicts=verdicts(),
        conformance=tuple(
            Check(name, "pass", promised, found, arm, f"{arm}.eval" if arm else None)
            for name, promised, found, arm in (
                ("protocol.frozen", plan.digest, plan.digest, None),
                (
                    "run.after_freeze",
                    "begun after the freeze",
                    "attempt 1, log index 415 after freeze 412",
                    "plain",
                ),
                (
                    "run.after_freeze",
                    "begun after the freeze",
                    "attempt 1, log index 415 after freeze 412",
                    "scratchpad",
                ),
                ("model.id", "example/small-7b", "example/small-7b", "plain"),
                ("model.id", "example/small-7b", "example/small-7b", "scratchpad"),
                ("generate.temperature", "0", "0", "plain"),
                ("generate.temperature", "0", "0", "scratchpad"),
                ("dataset.n", "400", "400", "plain"),
                ("dataset.n", "400", "400", "scratchpad"),
            )
        ),
        denominators=(
            Denominator(
                "scratchpad",
                "caught",
                400,
                400,
                396,
                396,
                (
                    LeftOut("error", 3, ("repo-11/f2#1", "repo-17/f9#1", "repo-30/f1#1")),
                    LeftOut("refusal", 1, ("repo-4/f4#1",)),
                ),
            ),
            Denominator(
                "plain",
                "caught",
                400,
                398,
                398,
                398,
                (),
                LeftOut("missing", 2, ("repo-8/f1#1", "repo-8/f2#1")),
            ),
        ),
        controls=(
            ControlResult(
                "planted", "positive", "passed", estimate(0.982, 0.014), "interval within [0.9, inf]"
            ),
        ),
        robustness=(
            RobustnessResult("unclustered", "catches-more", "supported", None, estimate(0.127, 0.041)),
            RobustnessResult(
                "refusals-count", "catches-more", "inconclusive", "undecided", estimate(0.101, 0.066)
            ),
        ),
        forecasts=(
            ForecastScore("Ada Example", "catches-more", 0.7, 0.3566749, 0.14, True),
            ForecastScore("probe-agent", "catches-more", 0.35, 1.0498221, 0.585, False),
        ),
        conceptual=(
            ConceptualResult(
                "oversight",
                "Weak monitors are limited by working memory more than by knowledge.",
                "contradicted",
                (("catches-more", "supported", "supported"), ("long-files", "supported", "null")),
            ),
        ),
        logs=(
            LogUsed(
                "plain.eval",
                sha[0],
                "EvA1",
                "control/backdoors",
                "example/small-7b",
                "plain",
                1,
                "2026-03-03T10:00:00+00:00",
                398,
            ),
            LogUsed(
                "scratchpad.eval",
                sha[1],
                "EvA2",
                "control/backdoors",
                "example/small-7b",
                "scratchpad",
                1,
                "2026-03-03T11:00:00+00:00",
                400,
            ),
        ),
        attempts=(
            Attempt(1, "ab" * 32, 415, datetime(2026, 3, 3, 9, tzinfo=UTC), "closed", (sha[0], sha[1])),
        ),
        recomputed=(Recomputed("plain.eval", "caught", "mean", 0.613, 0.613065, 398, True),),
        left_open=("backdoors: which samples", "backdoors: solver and prompts"),
        reading={"tier": "sample", "logs": 2, "fallbacks": []},
    )
    return replace(whole, **changes)


def exploratory() -> Report:
    """The same study with a promise broken and things unknown."""
    base = report()
    broken = (
        Check("generate.temperature", "deviation", "0", "0.7", "scratchpad", "scratchpad.eval"),
        Check(
            "dataset.content",
            "deviation",
            "5b" * 32,
            "c4" * 32,
            "plain",
            "plain.eval",
            "3 items were replaced",
        ),
        Check(
            "attempts.accounted",
            "unknown",
            "every run opened beforehand",
            "no attempt opened",
            note="runs that nobody reported are not excluded",
        ),
    )
    kept = tuple(
        check for check in base.conformance if check.id not in {"generate.temperature", "dataset.content"}
    )
    return replace(
        base, standing="exploratory", verdicts=verdicts("exploratory"), conformance=(*broken, *kept)
    )


def bare() -> Report:
    """Never registered, no control, nothing to estimate."""
    plan = protocol(controls=[], robustness=[])
    only = plan.model_copy(update={"hypotheses": plan.hypotheses[:1]})
    empty = Verdict("catches-more", "inconclusive", "no_data", "retrospective", None)
    return Report(
        only,
        None,
        "leadline 0.1.0",
        "retrospective",
        {"catches-more": empty},
        (),
        (),
        (),
        (),
        (),
        (),
        (),
        (),
        (),
    )


def hostile() -> Report:
    """Markup, control and reordering characters wherever a stranger can write."""
    # The schema refuses control characters, so a protocol can carry only the rest; logs carry all of it.
    printable = HOSTILE.split("\x1b")[0]
    plan = protocol(title=f"Title {printable}", authors=[{"name": f"Author {printable}"}])
    claim = plan.hypotheses[0].model_copy(update={"claim": f"Claim {HOSTILE}"})
    plan = plan.model_copy(update={"hypotheses": (claim, *plan.hypotheses[1:])})
    base = report()
    return replace(
        base,
        protocol=plan,
        conformance=(Check(HOSTILE, "deviation", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        denominators=(Denominator(HOSTILE, HOSTILE, 3, 3, 2, 2, (LeftOut(HOSTILE, 1, (HOSTILE,)),)),),
        logs=(LogUsed(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, HOSTILE, 3, HOSTILE),),
        left_open=(HOSTILE,),
        reading={HOSTILE: HOSTILE},
    )


def every() -> dict[str, Report]:
    """All sample reports by name."""
    return {"confirmatory": report(), "exploratory": exploratory(), "bare": bare(), "hostile": hostile()}


def comparison(**changes: Any) -> Comparison:
    """Two logs of the same task that differ."""
    whole = Comparison(
        a=Side("scratchpad.eval", "example/small-7b", "control/backdoors", 0.74, 398, ("11" * 32,)),
        b=Side("plain.eval", "example/small-7b", "control/backdoors", 0.613, 400, ("22" * 32,)),
        score="caught",
        estimate=estimate(0.127, 0.052),
        outcome="supported",
        reason=None,
        smallest=0.05,
        detectable=0.073,
        pairs=396,
        clusters=41,
        cluster_by="regexp_extract(sample_id, '^(.*)/[^/]+$', 1)",
        only_a=74,
        only_b=24,
        both=219,
        neither=79,
        left_out=(
            LeftOut("A: error", 2, ("repo-11/f2#1", "repo-17/f9#1")),
            LeftOut("B: no partner in the other log", 2, ("repo-11/f2",)),
        ),
        notes=("not registered beforehand: a description of two logs, not a confirmation",),
        same_items=True,
        differences=("task_args.scratchpad: true | false", "generate_config.max_tokens: 4096 | 2048"),
    )
    return replace(whole, **changes)


def comparisons() -> dict[str, Comparison]:
    """Comparisons of every outcome, with and without counts of agreement."""
    graded: dict[str, Any] = {"both": None, "only_a": None, "only_b": None, "neither": None}
    return {
        "supported": comparison(),
        "null": comparison(outcome="null", estimate=estimate(0.012, 0.031), notes=()),
        "graded": comparison(
            outcome="inconclusive", reason="undecided", estimate=estimate(0.03, 0.09), smallest=None, **graded
        ),
        "empty": comparison(
            outcome="inconclusive",
            reason="no_data",
            estimate=None,
            detectable=None,
            pairs=0,
            clusters=None,
            both=0,
            only_a=0,
            only_b=0,
            neither=0,
        ),
        "hostile": comparison(
            a=Side(HOSTILE, HOSTILE, HOSTILE, None, 0, (HOSTILE,)),
            differences=(HOSTILE,),
            notes=(HOSTILE,),
            score=HOSTILE,
            left_out=(LeftOut(HOSTILE, 1, (HOSTILE,)),),
            same_items=None,
        ),
    }
