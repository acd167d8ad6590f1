"""The JSON form: rounding, order, validity, and the published schema."""

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from leadline.errors import InputError
from leadline.verdict.plain import canonical, instant, plain
from leadline.verdict.schema import comparison_schema, published, report_schema
from leadline.verdict.serialise import (
    comparison_to_dict,
    comparison_to_json,
    report_to_dict,
    report_to_json,
    rounded,
)
from verdict import sample_reports

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("x", "kept"),
    [
        (1 / 3, 0.3333333333),
        (-0.0, 0.0),
        (123456789012.0, 123456789000.0),
        (2.5e-9, 2.5e-9),
        (3e-17, 0.0),
        (None, None),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_numbers_keep_ten_significant_digits(x: float | None, kept: float | None) -> None:
    """Ten digits, noise around zero is zero, no minus zero, and null for what is no number."""
    result = rounded(x)
    assert result == kept
    assert result is None or math.copysign(1, result) == math.copysign(1, kept or 0.0)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_is_idempotent_and_forgets_the_last_bits(x: float) -> None:
    """A number rounded twice is the number rounded once, and its neighbour nearly always agrees."""
    once = rounded(x)
    assert once is not None
    assert rounded(once) == once
    assert math.isclose(once, x, rel_tol=1e-9, abs_tol=1e-13)


def test_plain_values_cover_what_numpy_and_clocks_give() -> None:
    """Arrays' scalars, instants, bytes and sets have one plain form each."""
    east = datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=3)))
    given_values = {
        "f": np.float32(0.1),
        "i": np.int64(3),
        "b": np.bool_(True),
        "t": east,
        "raw": b"\x01\xff",
        "set": {"b", "a"},
        "big": 2**60,
        "lone": "\ud800",
        "nan": math.nan,
    }
    assert plain(given_values) == {
        "f": 0.1000000015,
        "i": 3,
        "b": True,
        "t": "2026-01-01T02:00:00Z",
        "raw": "01ff",
        "set": ["a", "b"],
        "big": str(2**60),
        "lone": "\ufffd\ufffd\ufffd",
        "nan": None,
    }
    assert instant(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"


def test_what_has_no_json_form_is_refused() -> None:
    """An object, or a list that contains itself, raises with a remedy."""
    endless: list[Any] = []
    endless.append(endless)
    for value in (object(), endless):
        with pytest.raises(InputError) as caught:
            plain(value)
        assert caught.value.remedy()


def test_canonical_json_sorts_keys_and_has_no_space() -> None:
    """RFC 8785: sorted keys, shortest numbers, UTF-8."""
    assert canonical({"b": 1.0, "a": ["é", 0.1, None]}) == '{"a":["é",0.1,null],"b":1}'.encode()


@pytest.mark.parametrize("name", sample_reports.every())
def test_reports_satisfy_the_published_schema(name: str) -> None:
    """Every outcome and standing, hostile text included, is a valid document and survives a round trip."""
    report = sample_reports.every()[name]
    document = report_to_dict(report)
    Draft202012Validator(report_schema()).validate(document)
    assert json.loads(report_to_json(report)) == document
    assert report.to_json() == report_to_json(report)


@pytest.mark.parametrize("name", sample_reports.comparisons())
def test_comparisons_satisfy_the_published_schema(name: str) -> None:
    """Comparisons too."""
    comparison = sample_reports.comparisons()[name]
    document = comparison_to_dict(comparison)
    Draft202012Validator(comparison_schema()).validate(document)
    assert json.loads(comparison_to_json(comparison)) == document


@pytest.mark.parametrize("name", ["report.schema.json", "comparison.schema.json"])
def test_the_published_schemas_are_current(name: str) -> None:
    """The files in docs are what the code says; `python -m leadline.verdict.schema docs` renews them."""
    assert (DOCS / name).read_text(encoding="utf-8") == published()[name]
    Draft202012Validator.check_schema(json.loads(published()[name]))


def test_the_schema_refuses_what_is_no_report() -> None:
    """An unknown key, an unknown outcome or a NaN in text does not pass for a report."""
    good = report_to_dict(sample_reports.report())
    validator = Draft202012Validator(report_schema())
    for path, value in (("standing", "certain"), ("extra", 1), ("format", 2), ("engine", None)):
        assert not validator.is_valid(good | {path: value})


@given(st.randoms(use_true_random=False))
def test_bytes_do_not_depend_on_the_order_of_the_parts(shuffler: random.Random) -> None:
    """Logs, checks and denominators read in another order give the same bytes."""
    report = sample_reports.exploratory()

    def shuffled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(shuffler.sample(items, len(items)))

    fields = (
        "conformance",
        "denominators",
        "controls",
        "robustness",
        "forecasts",
        "logs",
        "attempts",
        "left_open",
    )
    mixed = replace(report, **{name: shuffled(getattr(report, name)) for name in fields})
    mixed = replace(mixed, verdicts=dict(shuffled(tuple(report.verdicts.items()))))
    assert report_to_json(mixed) == report_to_json(report)


def test_bytes_do_not_depend_on_the_last_bits_of_a_sum() -> None:
    """Noise in the last bits, as another processor would leave it, does not reach the bytes."""
    report = sample_reports.report()
    verdict = report.verdicts["catches-more"]
    assert verdict.estimate is not None
    nudged = replace(verdict.estimate, effect=math.nextafter(verdict.estimate.effect, 1.0))
    noisy = replace(report, verdicts=report.verdicts | {"catches-more": replace(verdict, estimate=nudged)})
    assert noisy.verdicts != report.verdicts
    assert report_to_json(noisy) == report_to_json(report)


def test_a_number_that_is_not_finite_is_null_and_named() -> None:
    """A NaN never reaches a reader: the field is null and listed as undefined."""
    broken = sample_reports.estimate(0.1, 0.2, se=math.nan, wide=(-math.inf, 0.3))
    verdict = replace(sample_reports.report().verdicts["catches-more"], estimate=broken)
    report = sample_reports.report(verdicts={"catches-more": verdict})
    written = report_to_dict(report)["verdicts"]["catches-more"]["estimate"]
    assert written["se"] is None
    assert written["wide"] == [None, 0.3]
    assert written["undefined"] == ["se", "wide"]
    assert b"NaN" not in report_to_json(report)
    Draft202012Validator(report_schema()).validate(report_to_dict(report))


def test_a_verdict_can_be_read_without_the_protocol() -> None:
    """The registered claim, kind and smallest effect stand beside each outcome."""
    registered = report_to_dict(sample_reports.report())["verdicts"]["catches-more"]["registered"]
    assert registered["kind"] == "at_least"
    assert registered["smallest"] == 0.05
    assert registered["arms"] == ["scratchpad", "plain"]
