"""Two logs, no ceremony."""

from pathlib import Path

import pytest

import leadline
from leadline.errors import InputError, NotFoundError
from leadline.protocol.model import Protocol
from logs.factory import sample, write_eval


def log(path: Path, scores: str, *, stem: str = "item{}x", **fields: object) -> Path:
    """A log whose sample i has score letter i."""
    samples = [sample(stem.format(i), score, input=f"q{i}", target="t") for i, score in enumerate(scores)]
    return write_eval(path, samples=samples, **fields)  # type: ignore[arg-type]


def test_a_clear_difference_is_supported(tmp_path: Path) -> None:
    """Thirty right against ten right on the same forty items is a difference."""
    a = log(tmp_path / "a.eval", "C" * 30 + "I" * 10, model="mockllm/a")
    b = log(tmp_path / "b.eval", "C" * 10 + "I" * 30, model="mockllm/b")
    found = leadline.compare(a, b, smallest=0.05)
    assert found.outcome == "supported"
    assert found.estimate is not None and found.estimate.value == pytest.approx(0.5)
    assert (found.both, found.only_a, found.only_b, found.neither) == (10, 20, 0, 10)
    assert found.same_items is True
    assert "model: mockllm/a | mockllm/b" in found.differences


def test_the_same_log_against_itself_is_never_certainty(tmp_path: Path) -> None:
    """No difference at all on forty items gives an interval with a width, and null only if d is above it."""
    a = log(tmp_path / "a.eval", "CI" * 20)
    b = log(tmp_path / "b.eval", "CI" * 20, model="mockllm/b")
    found = leadline.compare(a, b, smallest=0.2)
    assert found.estimate is not None and found.estimate.wide is not None
    assert found.estimate.wide[0] < 0 < found.estimate.wide[1]
    assert found.outcome == "null"
    assert leadline.compare(a, b, smallest=0.01).outcome == "inconclusive"
    assert leadline.compare(a, b).outcome == "inconclusive"


def test_whoever_is_left_out_is_named_with_side_and_reason(tmp_path: Path) -> None:
    """Errors, unscored samples and samples without a partner are listed."""
    a = write_eval(
        tmp_path / "a.eval", samples=[sample("1x", "C"), sample("2x", None, error="e"), sample("3x", "C")]
    )
    b = write_eval(
        tmp_path / "b.eval", samples=[sample("1x", "I"), sample("2x", "C"), sample("4x", float("nan"))]
    )
    found = leadline.compare(a, b)
    reasons = {(one.reason, one.count) for one in found.left_out}
    assert ("A: error", 1) in reasons
    assert ("B: unscored", 1) in reasons
    assert any(reason.startswith("A: no partner") for reason, _ in reasons)
    assert found.pairs == 1


def test_ids_with_a_common_stem_are_clustered_and_it_says_so(tmp_path: Path) -> None:
    """`p3.1` and `p3.2` are parts of one problem unless the caller says otherwise."""
    ids = [f"p{i // 4}.{i % 4}" for i in range(40)]
    paths = []
    for name, right in (("a", 30), ("b", 12)):
        samples = [sample(i, "C" if n < right else "I", input=i) for n, i in enumerate(ids)]
        paths.append(write_eval(tmp_path / f"{name}.eval", samples=samples))
    found = leadline.compare(*paths)
    assert found.clusters == 10
    assert any("stem" in note for note in found.notes)
    assert leadline.compare(*paths, cluster=None).clusters is None


def test_different_questions_under_the_same_ids_are_noticed(tmp_path: Path) -> None:
    """Equal ids with other content are not the same items."""
    a = write_eval(
        tmp_path / "a.eval", samples=[sample(f"{i}x", "C", input=f"question {i}") for i in range(9)]
    )
    b = write_eval(tmp_path / "b.eval", samples=[sample(f"{i}x", "I", input=f"other {i}") for i in range(9)])
    assert leadline.compare(a, b).same_items is False


def test_the_draft_of_the_next_run_is_a_protocol(tmp_path: Path) -> None:
    """`protocol()` gives YAML that loads, binds items by content and names both logs as pilots."""
    a = log(tmp_path / "a.eval", "CI" * 20, model="mockllm/a")
    b = log(tmp_path / "b.eval", "II" * 20, model="mockllm/b")
    found = leadline.compare(a, b, smallest=0.1)
    draft = Protocol.parse(found.protocol())
    assert draft.tasks[0].dataset.sha256 is not None
    assert set(draft.foreknowledge.pilots) == {*found.a.logs, *found.b.logs}
    assert draft.hypotheses[0].smallest == 0.1


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    """No such file, no shared score and a senseless smallest effect each have a remedy."""
    a = log(tmp_path / "a.eval", "CI")
    other = write_eval(tmp_path / "o.eval", samples=[sample("item0x", {"judge": 1.0})])
    with pytest.raises(NotFoundError) as missing:
        leadline.compare(a, tmp_path / "none.eval")
    with pytest.raises(InputError) as unshared:
        leadline.compare(a, other)
    with pytest.raises(InputError) as senseless:
        leadline.compare(a, a, smallest=0)
    assert all(error.value.remedy() for error in (missing, unshared, senseless))


def test_starsim_contrast_to_all_printed_digits(shared_data: Path) -> None:
    """Two real logs, 23 sub-steps in 6 problems: .52173913, CR1 interval [.30033, .74315]."""
    folder = shared_data / "logs" / "inspect" / "starsimhub+scipy2026_starsim_ai"
    a, b = next(folder.glob("*ZLCP7*")), next(folder.glob("*o3aSq*"))
    found = leadline.compare(a, b, method="cr1")
    assert found.estimate is not None and found.estimate.wide is not None
    assert found.estimate.value == pytest.approx(0.52173913, abs=5e-9)
    assert found.estimate.se == pytest.approx(0.08613071, abs=5e-9)
    assert found.estimate.wide == pytest.approx((0.30033, 0.74315), abs=5e-6)
    assert (found.clusters, found.only_a, found.only_b) == (6, 12, 0)
    assert leadline.compare(a, b, smallest=0.05).outcome == "supported"
    second = leadline.compare(next(folder.glob("*24AbB*")), next(folder.glob("*GqBbP*")), smallest=0.05)
    assert second.outcome == "inconclusive"
