"""Operating characteristics: moments of the simulated data, goldens, determinism, and plans that cannot run."""

import json
import math
from typing import Any

import numpy as np
import pytest

from leadline.errors import NotFoundError, ProtocolError
from leadline.protocol import Protocol, templates
from leadline.stats.power import probability_of_verdict
from leadline.verdict.simulation import execute, operating_characteristics
from leadline.verdict.simulation.cases import Cases
from leadline.verdict.simulation.copula import both_below, latent_correlation
from leadline.verdict.simulation.generate import Generator
from leadline.verdict.simulation.truths import boundaries, effects, truth
from verdict.plans import family, plan


def drawn(protocol: Protocol, effect: float, replicates: int) -> tuple[Generator, tuple[np.ndarray, ...]]:
    """Simulated item values of the only hypothesis under one effect, every chunk joined."""
    generator = Generator.of(protocol, protocol.hypotheses[0])
    true = truth(protocol, protocol.hypotheses[0], effect)
    latent = generator.latent(true)
    chunks = [
        generator.values(true, latent, generator.normals(b"moments", chunk, 100))
        for chunk in range(replicates // 100)
    ]
    return generator, tuple(np.concatenate(parts) for parts in zip(*chunks, strict=True))


def intraclass(values: np.ndarray, codes: np.ndarray, mean: float) -> float:
    """Correlation of two different items of one cluster, about a known mean, pooled over replicates."""
    centred = values - mean
    sums = np.stack([np.bincount(codes, row) for row in centred])
    squares = np.stack([np.bincount(codes, row**2) for row in centred])
    sizes = np.bincount(codes)
    return float(
        (sums**2 - squares).sum() / (len(values) * (sizes * (sizes - 1)).sum()) / (centred**2).mean()
    )


class TestCopula:
    """0/1 variables with a wanted correlation."""

    @pytest.mark.parametrize("r", [-0.95, -0.3, 0.0, 0.5, 0.9, 0.999])
    def test_two_even_coins_agree_with_sheppard(self, r: float) -> None:
        """With means one half, both are 1 with probability 1/4 + asin(r)/(2 pi) (Sheppard 1899)."""
        assert both_below(0.5, 0.5, r) == pytest.approx(0.25 + math.asin(r) / (2 * math.pi), abs=1e-12)

    def test_uncorrelated_variables_multiply(self) -> None:
        """With no correlation the probability is the product of the means."""
        assert both_below(0.1, 0.7, 0.0) == pytest.approx(0.07, abs=1e-15)

    @pytest.mark.parametrize(
        ("p", "q", "phi"), [(0.5, 0.5, 0.4), (0.1, 0.3, 0.2), (0.9, 0.85, -0.05), (0.02, 0.02, 0.2)]
    )
    def test_the_latent_correlation_gives_the_one_asked(self, p: float, q: float, phi: float) -> None:
        """The 0/1 variables have the correlation asked for, not the latent ones."""
        r, reached = latent_correlation(p, q, phi)
        spread = math.sqrt(p * (1 - p) * q * (1 - q))
        assert reached == phi
        assert (both_below(p, q, r) - p * q) / spread == pytest.approx(phi, abs=1e-9)

    def test_a_correlation_the_means_forbid_is_moved_to_its_bound(self) -> None:
        """Means of .9 and .1 allow a correlation of at most 1/9."""
        assert latent_correlation(0.9, 0.1, 0.5)[1] == pytest.approx(1 / 9)

    def test_a_constant_has_no_correlation(self) -> None:
        """A share of 0 or 1 leaves nothing to correlate."""
        assert latent_correlation(1.0, 0.5, 0.5) == (0.0, 0.0)


class TestMoments:
    """The simulated items have the moments the plan assumes."""

    @pytest.mark.parametrize("binary", [True, False])
    def test_paired_clustered_items(self, binary: bool) -> None:
        """Means, intra-cluster and between-arm correlation are the assumed ones."""
        assume = {"icc": 0.2, "correlation": 0.4, "baseline": 0.4, "binary": binary, "sd": 0.8}
        protocol = plan(
            measure={"cluster": "metadata.topic"}, size={"items": 120, "clusters": 30}, assume=assume
        )
        generator, (a, b) = drawn(protocol, 0.2, 2_000)
        codes = generator.layout.codes
        assert codes is not None
        assert a.mean() == pytest.approx(0.6, abs=0.01)
        assert b.mean() == pytest.approx(0.4, abs=0.01)
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] == pytest.approx(0.4, abs=0.01)
        assert intraclass(a, codes, 0.6) == pytest.approx(0.2, abs=0.015)
        assert intraclass(b, codes, 0.4) == pytest.approx(0.2, abs=0.015)
        if not binary:
            assert a.std() == pytest.approx(0.8, abs=0.01)

    def test_averaged_epochs_share_what_the_arms_share(self) -> None:
        """Two epochs of an item correlate like its two arms, so averaging K narrows items by the known factor."""
        task = [{"name": "quiz", "task": "quiz", "epochs": 4}]
        _, (a, b) = drawn(plan(tasks=task, assume={"correlation": 0.4}), 0.0, 1_000)
        expected = 0.25 * (1 + 3 * 0.4) / 4
        assert a.var() == pytest.approx(expected, rel=0.02)
        assert np.cov(a.ravel(), b.ravel())[0, 1] == pytest.approx(0.25 * 0.4, rel=0.03)

    def test_independent_arms_are_independent(self) -> None:
        """An unpaired difference draws other items for the second arm, under other names."""
        generator, (a, b) = drawn(plan(estimand="difference"), 0.1, 1_000)
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.01
        assert not set(generator.layout.ids[0]) & set(generator.layout.ids[1])

    def test_a_threshold_counts_items_that_reach_the_cut(self) -> None:
        """The simulated values reach the cut as often as the truth says."""
        _, (values,) = drawn(plan(estimand="threshold"), 0.2, 1_000)
        assert (values >= 0.7).mean() == pytest.approx(0.7, abs=0.01)


class TestTruths:
    """The grid of assumed truths."""

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("greater", {"boundary": 0.02}),
            ("at_least", {"boundary": 0.1}),
            ("no_worse", {"boundary": -0.1}),
            ("differs", {"boundary": 0.0}),
            ("equivalent", {"boundary": 0.1, "boundary_low": -0.1}),
        ],
    )
    def test_boundaries(self, kind: Any, expected: dict[str, float]) -> None:
        """Each claim kind is tried where support just turns false."""
        assert boundaries(kind, 0.1, 0.02) == expected

    def test_a_ratio_lives_on_the_log_scale(self) -> None:
        """The smallest factor 1.2 is a log effect, and a truth multiplies the baseline."""
        protocol = plan(estimand="ratio", hypothesis={"expected": 1.3})
        grid = effects(protocol.hypotheses[0])
        assert grid["smallest"] == pytest.approx(math.log(1.2))
        assert truth(protocol, protocol.hypotheses[0], grid["expected"]).means == pytest.approx((0.65, 0.5))

    def test_a_predicted_decrease_turns_the_sign(self) -> None:
        """A positive effect of a predicted decrease lowers the first arm."""
        protocol = plan(hypothesis={"prediction": "decrease"})
        assert truth(protocol, protocol.hypotheses[0], 0.1).means == pytest.approx((0.4, 0.5))

    def test_an_impossible_truth_is_listed(self) -> None:
        """A share above 1 cannot exist: the row says so and has no counts."""
        found = operating_characteristics(plan(assume={"baseline": 0.95}), replicates=20).of("h")
        row = found.truth("smallest")
        assert row.impossible is not None and "1.05" in row.impossible
        with pytest.raises(NotFoundError, match="lies outside"):
            row.share("supported")
        assert found.truth("zero").impossible is None


class TestCharacteristics:
    """Verdict-by-truth tables."""

    @pytest.mark.parametrize("ratio", [2.8, 4.0])
    def test_normal_theory(self, ratio: float) -> None:
        """Graded independent items give the normal-theory probabilities of the decision table."""
        sd, items = 1.0, 400
        se = sd * math.sqrt(2 * (1 - 0.4) / items)
        d = ratio * se
        protocol = plan(
            hypothesis={"smallest": d},
            size={"items": items},
            assume={"binary": False, "sd": sd, "correlation": 0.4},
        )
        found = operating_characteristics(protocol, replicates=2_000).of("h")
        for label in ("zero", "half", "smallest"):
            row = found.truth(label)
            expected = probability_of_verdict("greater", row.effect, se, d)
            for outcome in ("supported", "refuted", "null", "inconclusive"):
                p = getattr(expected, outcome)
                error = math.sqrt(max(p * (1 - p), 1e-4) / 2_000)
                assert row.share(outcome) == pytest.approx(p, abs=3 * error + 0.004), (label, outcome)  # type: ignore[arg-type]

    def test_the_same_plan_gives_the_same_bytes(self) -> None:
        """The table is a property of the plan; another seed gives another one, within noise."""
        protocol = plan()
        first = operating_characteristics(protocol, replicates=300)
        assert first.to_json() == operating_characteristics(protocol, replicates=300).to_json()
        other = operating_characteristics(protocol, replicates=300, seed=b"other")
        assert other.to_json() != first.to_json()
        assert first.power("h") is not None

    def test_a_longer_run_begins_like_a_shorter_one(self) -> None:
        """Replicates come from one keyed stream: the first 250 of 500 are the 250 of a run of 250."""
        protocol = plan(size={"items": 50})
        short, long = (
            operating_characteristics(protocol, replicates=n).of("h").truth("zero") for n in (250, 500)
        )
        assert all(short.counts[outcome] <= long.counts[outcome] for outcome in short.counts)

    def test_sharing_an_analysis_changes_no_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Studies with equal sufficient counts share one analysis; without sharing the table is the same."""
        plans = [
            plan(size={"items": 60}),
            plan(estimand="ratio", size={"items": 60}),
            plan(estimand="difference", size={"items": 60}),
        ]
        shared = [operating_characteristics(p, replicates=60).to_json() for p in plans]
        monkeypatch.setattr(Cases, "_key", lambda self, arms: None)
        assert shared == [operating_characteristics(p, replicates=60).to_json() for p in plans]

    def test_counts_and_json(self) -> None:
        """Counts add up to the replicates, and the JSON carries shares with their Monte Carlo errors."""
        found = operating_characteristics(plan("equivalent"), replicates=100)
        body = json.loads(found.to_json())
        for row, entry in zip(found.of("h").truths, body["hypotheses"][0]["truths"], strict=True):
            assert sum(row.counts.values()) == 100
            assert entry["shares"]["supported"] == row.share("supported")
            assert entry["standard_errors"]["supported"] == pytest.approx(row.standard_error("supported"))
        assert body["hypotheses"][0]["power"]["at"] == "zero"

    @pytest.mark.parametrize(
        ("kind", "at"),
        [("greater", "smallest"), ("differs", "smallest"), ("no_worse", "zero"), ("equivalent", "zero")],
    )
    def test_where_power_is_stated(self, kind: str, at: str) -> None:
        """Each kind's power is stated where its claim is about to be true."""
        power = operating_characteristics(plan(kind), replicates=20).power("h")
        assert power is not None and power.at == at

    def test_at_least_needs_an_expected_effect(self) -> None:
        """Power of at_least is stated at the expected effect, and not at all without one."""
        assert operating_characteristics(plan("at_least"), replicates=20).power("h") is None
        power = operating_characteristics(
            plan("at_least", hypothesis={"expected": 0.3}), replicates=50
        ).power("h")
        assert power is not None and power.effect == 0.3 and power.value > 0.8

    def test_correction_costs_power(self) -> None:
        """Three corrected hypotheses are each supported less often than one alone, never at a wider level."""
        alone = operating_characteristics(family(1), replicates=300).of("h0").truth("half")
        three = operating_characteristics(family(3), replicates=300).of("h0").truth("half")
        free = operating_characteristics(family(3, "none"), replicates=300).of("h0").truth("half")
        assert three.share("supported") < alone.share("supported")
        assert (
            free.counts
            == operating_characteristics(family(3, "none"), replicates=300).of("h0").truth("half").counts
        )
        assert free.share("supported") == pytest.approx(alone.share("supported"), abs=0.12)

    def test_clusters_the_analysis_ignores_show(self) -> None:
        """Clusters in the assumptions and none in the measure: the table reveals the false support."""
        size = {"items": 200, "clusters": 10}
        found = operating_characteristics(plan(size=size, assume={"icc": 0.4}), replicates=300).of("h")
        assert found.truth("zero").share("supported") > 0.06

    def test_too_few_clusters_refuse_everything(self) -> None:
        """A plan below the registered floor ends inconclusive whatever the truth, with the report's own code."""
        protocol = plan(measure={"cluster": "metadata.topic"}, size={"items": 40, "clusters": 4})
        row = operating_characteristics(protocol, replicates=20).of("h").truth("smallest")
        assert row.reasons == {"too_few_clusters": 20} and row.refused == 1.0

    def test_progress(self) -> None:
        """Progress counts simulated studies up to the announced total."""
        seen: list[tuple[int, int]] = []
        operating_characteristics(
            plan(size={"items": 20}), replicates=30, progress=lambda done, total: seen.append((done, total))
        )
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert seen[-1][0] == seen[-1][1] == 5 * 30

    def test_a_plan_too_large_to_simulate(self) -> None:
        """A simulation that would take hours is refused at once, with the number that can be afforded."""
        with pytest.raises(ProtocolError, match="afforded") as caught:
            operating_characteristics(plan(size={"items": 1_900_000}))
        assert "210" in str(caught.value.remedy())

    def test_no_replicates(self) -> None:
        """A table of no studies is refused."""
        with pytest.raises(ProtocolError, match="at least one"):
            operating_characteristics(plan(), replicates=0)

    def test_an_absurd_ratio_is_impossible(self) -> None:
        """A smallest factor near the end of the number range gives an impossible truth, not an overflow."""
        protocol = plan(estimand="ratio", hypothesis={"smallest": 1e300}, size={"items": 20})
        assert (
            operating_characteristics(protocol, replicates=3).of("h").truth("three_halves").impossible
            is not None
        )

    def test_unknown_names(self) -> None:
        """Asking for a hypothesis or truth that was not simulated lists those that were."""
        found = operating_characteristics(plan(size={"items": 20}), replicates=5)
        with pytest.raises(NotFoundError, match="h"):
            found.of("nope")
        with pytest.raises(NotFoundError, match="smallest"):
            found.of("h").truth("nope")


class TestExecute:
    """A plan that does not execute cannot be registered."""

    @pytest.mark.parametrize("name", templates.names())
    def test_every_template_executes(self, name: str) -> None:
        """Unedited templates run from end to end, with a verdict for every hypothesis."""
        protocol = Protocol.parse(templates.text(name), name=name)
        assert set(execute(protocol).verdicts) == {h.id for h in protocol.hypotheses}

    @pytest.mark.parametrize(
        ("changes", "where", "message"),
        [
            ({"size": {"design": "anytime"}}, "sample_size.design", "anytime"),
            ({"assume": {"baseline": None}}, "sample_size.assumptions.baseline", "baseline"),
            ({"assume": {"binary": False}}, "sample_size.assumptions.sd", "sd"),
            ({"measure": {"cluster": "metadata.topic"}}, "sample_size.clusters", "clustered"),
            (
                {"measure": {"cluster": "metadata.topic"}, "size": {"clusters": 300}},
                "sample_size.clusters",
                "300",
            ),
            (
                {"estimand": "ratio", "assume": {"baseline": 0.0}},
                "sample_size.assumptions.baseline",
                "above 0",
            ),
            ({"assume": {"baseline": 3.0}}, "hypotheses[0]", "no truth"),
            ({"size": {"items": 3_000_000}}, "sample_size.items", "too many"),
            (
                {"hypothesis": {"method": "tango"}, "assume": {"binary": False, "sd": 1.0}},
                "hypotheses[0].method",
                "tango",
            ),
            (
                {
                    "assume": {"binary": False, "sd": 1.0},
                    "robustness": [{"name": "r", "change": {"method": "tango"}}],
                },
                "robustness[0].change.method",
                "tango",
            ),
            (
                {"estimand": "proportion", "tasks": [{"name": "quiz", "task": "quiz", "epochs": 3}]},
                "hypotheses[0].method",
                "0 or 1",
            ),
            (
                {
                    "data_rules": {
                        "exclusions": [
                            {"id": "x", "when": "metadata.level > 3", "reason": "hard"},
                            {"id": "y", "when": "lower(metadata.level) = 'a'", "reason": "easy"},
                        ]
                    }
                },
                "data_rules.exclusions[1].when",
                "metadata.level",
            ),
        ],
    )
    def test_what_fails_is_named(self, changes: dict[str, Any], where: str, message: str) -> None:
        """The error names the part of the plan that fails and says what to do."""
        with pytest.raises(ProtocolError) as caught:
            execute(plan(**changes))
        assert caught.value.where == where
        assert message in caught.value.message
        assert caught.value.remedy()

    def test_arms_no_log_can_tell_apart(self) -> None:
        """Two arms with the same model, task and arguments cannot be matched to logs."""
        arms = [
            {"name": name, "technique": name, "model": "subject", "task": "quiz"}
            for name in ("treated", "plain")
        ]
        with pytest.raises(ProtocolError, match="fits another arm") as caught:
            execute(plan(arms=arms))
        assert caught.value.where == "arms[0]"

    def test_metadata_of_any_type(self) -> None:
        """Numbers, texts and truths in sample metadata are told apart by how the plan uses them."""
        protocol = plan(
            measure={"cluster": "metadata.topic"},
            size={"clusters": 20},
            hypothesis={},
            data_rules={
                "exclusions": [
                    {"id": "x", "when": "metadata.level >= 3 and metadata.pilot", "reason": "pilot"}
                ]
            },
        )
        report = execute(protocol)
        assert any(left.reason == "excluded: x" for side in report.denominators for left in side.left_out)

    def test_a_model_still_to_be_named(self) -> None:
        """A model given by a rule does not keep the plan from being rehearsed."""
        protocol = plan(models=[{"name": "subject", "rule": "next eligible release"}])
        assert execute(protocol).verdicts["h"].outcome in (
            "supported",
            "refuted",
            "null",
            "inconclusive",
        )

    def test_controls_and_robustness_run(self) -> None:
        """Controls and alternative specifications are executed too, each with a result in the report."""
        protocol = plan(
            controls=[
                {
                    "name": "c",
                    "kind": "positive",
                    "low": 0.0,
                    "estimand": {"type": "mean", "measure": "accuracy", "arms": ["treated"]},
                }
            ],
            robustness=[{"name": "iid", "change": {"method": "iid"}}],
        )
        report = execute(protocol)
        assert [control.name for control in report.controls] == ["c"]
        assert [entry.specification for entry in report.robustness] == ["iid"]
