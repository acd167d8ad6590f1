"""Checks are shown in the order in which people count; what is stored keeps its own."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadline.verdict import promises
from leadline.verdict.model import Check
from leadline.verdict.ordering import in_order, natural
from leadline.verdict.page import report_context
from leadline.verdict.reading import read_report
from verdict import sample_reports
from verdict.test_terminal import printed


def items(*numbers: int, answer: Any = "deviation") -> tuple[Check, ...]:
    """One check for each numbered model, in an arm and a log of that number."""
    return tuple(Check("model.id", answer, f"lab/m{n}", "another", f"arm {n}", f"{n}.eval") for n in numbers)


def test_numbers_in_names_are_ordered_by_their_value() -> None:
    """Ids, arms, logs and promised values, each within the one before."""
    ids = [Check(f"task.args.x{n}", "pass", "1", "1") for n in (10, 9, 2, 1)]
    assert [one.id for one in in_order(ids)] == [f"task.args.x{n}" for n in (1, 2, 9, 10)]
    assert in_order(items(10, 9, 2, 1)) == items(1, 2, 9, 10)
    logs = [Check("log.status", "pass", "success", "success", "a", f"run-{n}.eval") for n in (10, 2)]
    assert in_order(logs) == (logs[1], logs[0])
    runs = [Check("attempts.accounted", "pass", f"attempt {n} closed", "so") for n in (11, 1, 10, 2)]
    assert [one.promised.split()[1] for one in in_order([*ids, *runs])[:4]] == ["1", "2", "10", "11"]


def test_a_number_without_end_is_still_ordered() -> None:
    """Thousands of digits are compared as they are, leading zeros aside."""
    endless = "9" * 5_000
    assert natural("x2") < natural("x010") < natural(f"x{endless}") < natural(f"x1{endless}")
    assert natural("x٣") == ((0, "x٣"),)


@given(st.lists(st.integers(0, 10**30)), st.text("ab-. ", max_size=5))
def test_any_numbers_behind_one_name_sort_as_numbers(numbers: list[int], name: str) -> None:
    """Whatever stands before them."""
    texts = [f"{name}{number}" for number in numbers]
    assert sorted(texts, key=natural) == [f"{name}{number}" for number in sorted(numbers)]


def test_a_report_shows_them_in_order_and_is_stored_as_text() -> None:
    """The terminal and the page count 2, 10; the JSON, whose digest is published, says 10, 2."""
    made = sample_reports.report(standing="exploratory", conformance=items(10, 2))
    stored = json.loads(made.to_json())
    assert [one["arm"] for one in stored["conformance"]] == ["arm 10", "arm 2"]
    read = read_report(made.to_json(), made.protocol)
    for report in (made, read):
        assert report.checks("deviation") == items(2, 10)
        text = printed(report, 200)
        assert text.index("promised lab/m2,") < text.index("promised lab/m10,")
        shown = report_context(report)
        (models,) = (row for row in shown["subjects"] if row[0] == "Models")
        assert models[1] == "lab/m2, lab/m10"
        assert [row[2] for row in shown["deviations"]] == ["lab/m2", "lab/m10"]
        assert [one.arms for one in promises.lines(report.checks("deviation"))] == [("arm 2",), ("arm 10",)]
    assert read.to_json() == made.to_json()
