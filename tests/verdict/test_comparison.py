"""Two logs, no ceremony."""

from pathlib import Path

import pytest

import leadline
from leadline.errors import ExpressionError, InputError, NotFoundError
from leadline.protocol.consistency import METHODS
from leadline.protocol.model import Protocol
from leadline.verdict.comparison_view import comparison_facts, explanations, heading
from leadline.verdict.draft import FILL_IN, fields_to_fill
from logs.factory import sample, write_eval


def log(path: Path, scores: str, *, stem: str = "item{}x", **fields: object) -> Path:
    """A log whose sample i has score letter i."""
    path.parent.mkdir(exist_ok=True)
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


def test_a_folder_of_identical_reruns_is_pooled_and_it_says_so(tmp_path: Path) -> None:
    """Three runs of one setup are one side; a sample counts once, with its mean."""
    for n, scores in enumerate(("CCII", "CICI", "CICI")):
        log(
            tmp_path / "a" / f"run{n}.eval",
            scores,
            generate_config={"temperature": 1, "max_connections": n + 1},
        )
    b = log(tmp_path / "b.eval", "IIII", model="mockllm/b")
    found = leadline.compare(tmp_path / "a", b)
    assert found.a.n == found.pairs == 4
    assert found.a.mean == pytest.approx((1 + 1 / 3 + 2 / 3 + 0) / 4)
    assert any(note.startswith("A: 3 runs of one setup are pooled") for note in found.notes)
    assert not any(note.startswith("B:") for note in found.notes)


@pytest.mark.parametrize(
    ("setting", "one", "two", "named"),
    [
        ("task", "demo", "other", "task other"),
        ("model", "mockllm/a", "mockllm/b", "model mockllm/b"),
        ("task_args", {"shots": 2}, {"shots": 0}, "task_args.shots 0"),
        ("generate_config", {"temperature": 0}, {}, "generate_config.temperature unset"),
        ("config", {"message_limit": 5}, {"message_limit": 50}, "config.message_limit 50"),
        (
            "header_fields",
            {"plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}}},
            {"plan": {"name": "plan", "steps": [{"solver": "chain", "params": {}}], "config": {}}},
            'solver ["chain"]',
        ),
    ],
)
def test_a_side_of_several_setups_is_refused(
    tmp_path: Path, setting: str, one: object, two: object, named: str
) -> None:
    """The groups are listed by what tells them apart, with their files, and one file is named as a way out."""
    log(tmp_path / "b" / "first.eval", "CI", **{setting: one})
    log(tmp_path / "b" / "again.eval", "IC", **{setting: one})
    log(tmp_path / "b" / "other.eval", "CC", **{setting: two})
    a = log(tmp_path / "a.eval", "CI", task="third")
    with pytest.raises(InputError, match="B holds 2 different setups") as refused:
        leadline.compare(a, tmp_path / "b")
    message = refused.value.message
    assert named in message
    assert "again.eval, first.eval" in message and "other.eval" in message
    assert "again.eval" in (refused.value.remedy() or "")


def test_files_that_were_not_read_are_in_the_notes(tmp_path: Path) -> None:
    """A broken log, a copy and a file that is no log are named with the reason; a long list is counted."""
    folder = tmp_path / "a"
    whole = log(folder / "whole.eval", "CICI")
    (folder / "copy.eval").write_bytes(whole.read_bytes())
    for n in range(9):
        (folder / f"broken{n}.eval").write_bytes(whole.read_bytes()[: 200 + n])
    notes = leadline.compare(folder, log(tmp_path / "b.eval", "IIII", model="mockllm/b")).notes
    skipped = [note for note in notes if " was skipped: " in note]
    assert len(skipped) == 8
    assert skipped[0].startswith("A: broken0.eval was skipped: ")
    assert "A: 2 more files were skipped" in notes


def test_the_file_set_aside_for_a_fuller_one_is_named(tmp_path: Path) -> None:
    """Of two files of one evaluation the fuller is compared, and what the other lacks is missed by nobody."""
    log(tmp_path / "a" / "early.eval", "CI", eval_id="same", status="started", finished=False)
    log(tmp_path / "a" / "late.eval", "CICI", eval_id="same")
    found = leadline.compare(tmp_path / "a", log(tmp_path / "b.eval", "IIII", model="mockllm/b"))
    assert found.pairs == 4
    assert "A: early.eval was set aside: a more complete file of that evaluation is there" in found.notes


def test_one_evaluation_on_both_sides_is_refused(tmp_path: Path) -> None:
    """By content and by the evaluation's id: a log against itself says nothing."""
    a = log(tmp_path / "a.eval", "CICI", eval_id="one")
    copy = tmp_path / "copy.eval"
    copy.write_bytes(a.read_bytes())
    edited = log(tmp_path / "edited.eval", "CCCC", eval_id="one")
    for other in (a, copy, edited):
        with pytest.raises(InputError, match="the same evaluation on both sides") as refused:
            leadline.compare(a, other)
        assert refused.value.remedy()


@pytest.mark.parametrize(("smallest", "meant"), [(1, ".01"), (5, ".05"), (100, ".05"), (2.5, ".025")])
def test_percentages_are_not_taken_for_shares(tmp_path: Path, smallest: float, meant: str) -> None:
    """With scores of 0 and 1 no difference is above 1, so a larger d is a slip of the unit."""
    a, b = log(tmp_path / "a.eval", "CICI"), log(tmp_path / "b.eval", "IIII")
    with pytest.raises(InputError, match="0 or 1") as refused:
        leadline.compare(a, b, smallest=smallest)
    assert refused.value.remedy() == f"did you mean {meant}?"
    assert leadline.compare(a, b, smallest=0.99).smallest == 0.99


def test_a_smallest_difference_as_wide_as_the_values_is_refused(tmp_path: Path) -> None:
    """Graded scores between 2 and 7 differ by 5 at most; below that d is the caller's affair."""

    def graded(name: str, values: list[float]) -> Path:
        return write_eval(
            tmp_path / name, samples=[sample(f"{i}x", v, input=f"q{i}") for i, v in enumerate(values)]
        )

    a, b = graded("a.eval", [2, 3, 6.5, 4]), graded("b.eval", [2, 7, 5, 4])
    with pytest.raises(InputError, match="whole range of the values here, 2 to 7"):
        leadline.compare(a, b, smallest=5)
    assert leadline.compare(a, b, smallest=4.9).smallest == 4.9
    equal = [graded("c.eval", [3.0] * 4), graded("d.eval", [3.0] * 4)]
    assert leadline.compare(*equal, smallest=5).outcome != "supported"


@pytest.mark.parametrize("method", ["wilson", "beta_binomial", "percentile", "nonsense"])
def test_a_method_for_another_question_is_an_error(tmp_path: Path, method: str) -> None:
    """It is never an outcome, and the methods there are get named."""
    a, b = log(tmp_path / "a.eval", "CICI"), log(tmp_path / "b.eval", "IIII")
    with pytest.raises(InputError, match=method) as refused:
        leadline.compare(a, b, method=method)  # type: ignore[arg-type]
    assert "cr2" in (refused.value.remedy() or "")


@pytest.mark.parametrize("method", METHODS["paired_difference"])
def test_every_method_for_paired_differences_answers(tmp_path: Path, method: str) -> None:
    """Each gives an interval around the difference."""
    a, b = log(tmp_path / "a.eval", "CCCI" * 8), log(tmp_path / "b.eval", "CIIC" * 8)
    found = leadline.compare(a, b, method=method)  # type: ignore[arg-type]
    assert found.estimate is not None and found.estimate.wide is not None
    assert found.estimate.wide[0] < 0.25 < found.estimate.wide[1]


def test_a_method_for_shares_refuses_graded_scores(tmp_path: Path) -> None:
    """Tango's interval is for 0 and 1; asking it of grades is an error, too little data is an outcome."""
    paths = [
        write_eval(tmp_path / f"{name}.eval", samples=[sample(f"{i}x", i + add) for i in range(8)])
        for name, add in (("a", 0.5), ("b", 0.25))
    ]
    with pytest.raises(InputError, match="tango"):
        leadline.compare(*paths, method="tango")
    nobody = log(tmp_path / "c.eval", "CC", stem="other{}x")
    apart = leadline.compare(log(tmp_path / "d.eval", "CI"), nobody)
    assert apart.outcome == "inconclusive" and apart.reason and "share no item" in apart.reason


def test_grouping_by_id_is_corrected_to_the_column(tmp_path: Path) -> None:
    """`id` is not a column: sample_id is, the others are listed, and outcomes cannot name clusters."""
    a, b = log(tmp_path / "a.eval", "CICI"), log(tmp_path / "b.eval", "IIII")
    with pytest.raises(ExpressionError, match="'id'") as refused:
        leadline.compare(a, b, cluster="id")
    remedy = refused.value.remedy() or ""
    assert remedy.startswith("did you mean sample_id?")
    assert all(name in remedy for name in ("target", "input", "metadata.id"))
    with pytest.raises(ExpressionError, match="'value'"):
        leadline.compare(a, b, cluster="value")
    assert leadline.compare(a, b, cluster="sample_id").clusters == 4
    assert leadline.compare(a, b, cluster="none").clusters is None


def test_the_note_on_grouping_serves_command_line_and_python(tmp_path: Path) -> None:
    """How to treat samples as independent is said for both."""
    a, b = (
        log(tmp_path / f"{name}.eval", scores * 5, stem="p{}.1")
        for name, scores in (("a", "CICI"), ("b", "IIII"))
    )
    grouped = [
        write_eval(
            tmp_path / f"g-{path.name}",
            samples=[sample(f"p{i // 4}.{i % 4}", "C", input=f"q{i}") for i in range(20)],
        )
        for path in (a, b)
    ]
    (note,) = [note for note in leadline.compare(*grouped).notes if "stem" in note]
    assert "--cluster none" in note and "cluster=None" in note
    assert not any("stem" in note for note in leadline.compare(a, b).notes)


@pytest.mark.parametrize(
    ("one", "two", "heads", "subject"),
    [
        ({"model": "x/a"}, {"model": "x/b"}, ("x/a", "x/b"), "demo"),
        ({"task_args": {"shots": 2}}, {"task_args": {"shots": 0}}, ("task_args.shots: 2 | 0",), "mockllm/model on demo"),
        ({"task": "sums"}, {"task": "words"}, ("task: sums | words",), "mockllm/model"),
        ({}, {"generate_config": {"max_connections": 2}}, ("two runs of one setup",), "mockllm/model on demo"),
    ],
)  # fmt: skip
def test_the_heading_says_what_differs(
    tmp_path: Path, one: dict[str, object], two: dict[str, object], heads: tuple[str, ...], subject: str
) -> None:
    """Models where they differ, else the setting that differs; file names come below."""
    found = leadline.compare(log(tmp_path / "a.eval", "CI", **one), log(tmp_path / "b.eval", "CI", **two))
    shown = heading(found)
    assert (shown.heads, shown.subject) == (heads, subject)
    page = found.to_html()
    assert "a.eval" not in page.partition("<h1>")[2].partition("</h1>")[0]
    assert "<code>a.eval</code>" in page


def test_more_differences_are_counted_beside_the_heading(tmp_path: Path) -> None:
    """The task's arguments lead, and the rest is counted."""
    one = log(tmp_path / "a.eval", "CI", task_args={"shots": 2}, generate_config={"temperature": 1})
    two = log(tmp_path / "b.eval", "CI", task_args={"shots": 0}, config={"message_limit": 3})
    found = leadline.compare(one, two)
    assert (heading(found).heads[0], heading(found).more) == ("task_args.shots: 2 | 0", 2)
    assert "config.message_limit: null | 3" in found.differences
    assert "2 more settings differ" in found.to_html()


def test_d_and_what_could_be_found_are_said_in_words(tmp_path: Path) -> None:
    """Both numbers come with the power and with a sentence each."""
    a, b = log(tmp_path / "a.eval", "CICI" * 5), log(tmp_path / "b.eval", "IICC" * 5)
    found = leadline.compare(a, b, smallest=0.05)
    labels = [label for label, _ in comparison_facts(found)]
    assert "smallest difference findable (80 % power)" in labels
    assert "smallest difference of interest (d)" in labels
    meaning, findable = explanations(found)
    assert meaning == "d = 0.05 (5 samples in 100): a smaller difference counts as too small to matter."
    assert "80 of 100 comparisons" in findable
    assert len(explanations(leadline.compare(a, b))) == 1


def test_a_null_whose_printed_interval_reaches_past_d_says_why(tmp_path: Path) -> None:
    """Two one-sided tests use the narrower interval; a reader sees it where the wide one would mislead."""
    a, b = log(tmp_path / "a.eval", "CI" * 25 + "I" * 150), log(tmp_path / "b.eval", "IC" * 25 + "I" * 150)
    exact = leadline.compare(a, b, smallest=0.05).estimate
    assert exact is not None
    assert exact.wide is not None
    assert exact.narrow is not None
    between = (max(map(abs, exact.wide)) + max(map(abs, exact.narrow))) / 2
    found = leadline.compare(a, b, smallest=between)
    assert found.outcome == "null"
    (said,) = (one for one in explanations(found) if "two one-sided tests" in one)
    assert "of the 90 % interval" in said
    assert "of the 95 % one" in said
    beyond = leadline.compare(a, b, smallest=max(map(abs, exact.wide)) * 1.1)
    assert beyond.outcome == "null"
    assert not any("one-sided" in one for one in explanations(beyond))


@pytest.mark.parametrize(
    ("one", "two", "arms", "title"),
    [
        ({"model": "x/a"}, {"model": "x/b"}, ["a", "b"], "x/a against x/b on demo"),
        ({"model": "x/m"}, {"model": "y/m"}, ["x-m", "y-m"], "x/m against y/m on demo"),
        (
            {"task_args": {"shots": 2}}, {"task_args": {"shots": 0}},
            ["shots-2", "shots-0"], "task_args.shots 2 against 0, mockllm/model on demo",
        ),
        (
            {"task_args": {"hint": True}}, {},
            ["hint-true", "hint-unset"], "task_args.hint true against unset, mockllm/model on demo",
        ),
        (
            {"task_args": {"prompt": "long " * 20}}, {"task_args": {"prompt": "other " * 20}},
            ["prompt-a", "prompt-b"], None,
        ),
        ({}, {}, ["a", "b"], "mockllm/model against itself on demo"),
    ],
)  # fmt: skip
def test_the_draft_names_arms_after_what_differs(
    tmp_path: Path, one: dict[str, object], two: dict[str, object], arms: list[str], title: str | None
) -> None:
    """Arms and title say what is compared, also when both models are the same."""
    found = leadline.compare(log(tmp_path / "a.eval", "CI", **one), log(tmp_path / "b.eval", "CI", **two))
    draft = Protocol.parse(found.protocol())
    assert [arm.name for arm in draft.arms] == arms
    assert list(draft.hypotheses[0].estimand.arms) == arms
    assert title is None or draft.title == title


def test_the_draft_counts_what_is_left_to_fill_in(tmp_path: Path) -> None:
    """The preface counts and names exactly the fields that say FILL IN, without stray braces."""
    a, b = log(tmp_path / "a.eval", "CI"), log(tmp_path / "b.eval", "CI", model="mockllm/b")
    text = leadline.compare(a, b).protocol()
    places = fields_to_fill(Protocol.parse(text))
    above = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    below = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert len(places) == below.count(FILL_IN) == 5
    assert f'5 fields are marked "{FILL_IN}"' in above
    assert ", ".join(places) in above
    assert "{" not in above and "leadline check FILE" in above


@pytest.mark.parametrize(
    ("one", "two", "task", "arms", "said"),
    [
        ({"temperature": 0.7, "seed": 3}, {"temperature": 0.7}, "from_freeze", (None, None), "changed already"),
        ({"temperature": 0, "seed": 3}, {"temperature": 0, "seed": 3}, 3, (None, None), "At temperature 0"),
        ({"temperature": 0.7}, {"temperature": 0}, None, ("from_freeze", None), "At temperature 0"),
        ({}, {}, None, (None, None), "do not all state a temperature"),
    ],
)  # fmt: skip
def test_the_draft_asks_for_new_information(
    tmp_path: Path,
    one: dict[str, object],
    two: dict[str, object],
    task: object,
    arms: tuple[object, object],
    said: str,
) -> None:
    """What was sampled gets a seed from the freeze; the preface says that items or seed must be new."""
    paths = [
        log(tmp_path / f"{name}.eval", "CI", model=f"mockllm/{name}", generate_config=config)
        for name, config in (("a", one), ("b", two))
    ]
    text = leadline.compare(*paths).protocol()
    draft = Protocol.parse(text)
    assert draft.tasks[0].generate.get("seed") == task
    assert tuple(arm.generate.get("seed") for arm in draft.arms) == arms
    above = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    assert "change the items or the seed before registering" in above
    assert said in above
    assert draft.foreknowledge.level == "pilot_outcomes"


def test_two_plans_become_two_tasks_in_the_draft(tmp_path: Path) -> None:
    """Arms that ran different solvers each keep their own, and every log read is a pilot."""
    plans = [
        {"plan": {"name": "plan", "steps": [{"solver": name, "params": {}}], "config": {}}}
        for name in ("generate", "chain")
    ]
    for n in range(2):
        log(tmp_path / "a" / f"{n}.eval", "CI" * (n + 1), header_fields=plans[0])
    found = leadline.compare(tmp_path / "a", log(tmp_path / "b.eval", "CI", header_fields=plans[1]))
    draft = Protocol.parse(found.protocol())
    solvers = [draft.task(arm.task).solver for arm in draft.arms]
    assert [[step.solver for step in steps or ()] for steps in solvers] == [["generate"], ["chain"]]
    assert [arm.name for arm in draft.arms] == ["solver-a", "solver-b"]
    assert len(draft.foreknowledge.pilots) == 3


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


def test_so_few_samples_that_nothing_could_be_found_is_said(tmp_path: Path) -> None:
    """One shared sample can find no difference that 0/1 scores can have; no impossible number is printed."""
    from leadline.verdict.comparison_view import comparison_facts, explanations

    found = leadline.compare(log(tmp_path / "a.eval", "C"), log(tmp_path / "b.eval", "I", model="mockllm/b"))
    assert "none" in dict(comparison_facts(found)).values()
    assert any("no difference reliably" in sentence for sentence in explanations(found))


def test_a_comparison_and_a_report_print_shortly() -> None:
    """Printed, they say what came out in a few lines; as a value, in one."""
    from verdict import sample_reports

    for one in (*sample_reports.comparisons().values(), *sample_reports.every().values()):
        assert len(repr(one)) < 400
        assert "\n" not in repr(one)
        assert len(str(one).splitlines()) < 20
    assert sample_reports.comparison().outcome in str(sample_reports.comparison())
