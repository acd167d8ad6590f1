"""Reports read back from their JSON: the same report, or a refusal."""

import json
import math
from typing import Any

import pytest

from leadline.errors import InputError
from leadline.verdict.reading import MAX_BYTES, read_report
from verdict import sample_reports


@pytest.mark.parametrize("name", sample_reports.every())
def test_a_report_survives_the_way_through_json(name: str) -> None:
    """Read back and written again it is the same bytes."""
    report = sample_reports.every()[name]
    assert read_report(report.to_json(), report.protocol).to_json() == report.to_json()


def test_numbers_that_do_not_exist_come_back_as_absent() -> None:
    """An estimate without a value is none, an interval without an end is none."""
    report = sample_reports.report()
    first = report.verdicts["catches-more"]
    from dataclasses import replace

    endless = sample_reports.estimate(0.1, 0.05, wide=(-math.inf, 0.2))
    broken = replace(
        report,
        verdicts=report.verdicts
        | {
            "catches-more": replace(first, estimate=endless),
            "same-alarms": replace(
                report.verdicts["same-alarms"], estimate=sample_reports.estimate(math.nan, 0.1)
            ),
        },
    )
    found = read_report(broken.to_json(), report.protocol)
    assert found.verdicts["same-alarms"].estimate is None
    estimate = found.verdicts["catches-more"].estimate
    assert estimate is not None and estimate.wide is None


def changed(**changes: Any) -> bytes:
    """The sample report with some of its top-level values replaced."""
    return json.dumps(json.loads(sample_reports.report().to_json()) | changes).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind":"leadline/report","format":2}',
        changed(
            verdicts={"unheard-of": json.loads(sample_reports.report().to_json())["verdicts"]["long-files"]}
        ),
        changed(verdicts={}),
        changed(standing="splendid"),
        changed(attempts=[{"number": "one"}]),
        changed(
            registration={
                "study": "x",
                "digest": "x",
                "index": 1,
                "leaf_hash": "zz",
                "created": "no",
                "amended": [],
            }
        ),
        b" " * (MAX_BYTES + 1),
    ],
)
def test_another_form_is_refused(data: bytes) -> None:
    """Bytes that are no report of this form are InputError, whatever else they are."""
    with pytest.raises(InputError):
        read_report(data, sample_reports.protocol())


def test_a_report_of_another_protocol_is_refused() -> None:
    """The protocol beside it must be the one it judged by."""
    with pytest.raises(InputError, match="another protocol"):
        read_report(sample_reports.report().to_json(), sample_reports.protocol(title="Another"))
