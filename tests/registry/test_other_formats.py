"""Studies whose runs are no Inspect evals: what a log is read with is attached with it, and is read again so."""

from dataclasses import replace
from pathlib import Path

import pytest

from leadline.errors import InputError
from leadline.logs.binding import bound_mappings
from leadline.registry import questions
from leadline.registry.intake import work
from logs.formats.written import MAPPING, STAMP, instances, lm_rows, write_record, write_run
from registry.world import World

LATER = 4_000_000_000.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path / "world")


def test_results_go_with_their_samples(world: World, tmp_path: Path) -> None:
    """Results go with their samples."""
    study = world.register()
    folder = write_run(tmp_path / "run", {"t": lm_rows("t", 6, right=[1])}, date=LATER)
    with study.attempt() as run:
        run.attach([folder])
    assert {row.name: (row.format, row.samples) for row in study.attachments} == {
        f"samples_t_{STAMP}.jsonl": ("lm-eval", 6),
        f"results_{STAMP}.json": ("lm-eval-results", None),
    }
    (header,) = study.samples().headers
    assert (header.model, header.task, len(header.companions)) == ("lab/small", "t", 1)
    checks = {check.id: check.answer for check in study.analyze().conformance}
    assert checks["attempts.accounted"] == "pass"


def test_a_table_goes_with_its_mapping_and_names_no_time(world: World, tmp_path: Path) -> None:
    """A table goes with its mapping and names no time."""
    study = world.register()
    table = tmp_path / "a.csv"
    table.write_text("id,v\n1,1\n2,0\n")
    with pytest.raises(InputError, match=r"evaluation log|mapping"):
        study.attach(table)
    study.attach(table, mapping=MAPPING)
    assert {row.format for row in study.attachments} == {"table", "table-mapping"}
    read = study.samples()
    assert (read.headers[0].begun, read.accounting.kept) == (None, 2)
    checks = [check for check in study.analyze().conformance if check.id == "run.after_freeze"]
    assert [(check.answer, check.found) for check in checks] == [("unknown", "the log names no time")]


def test_a_server_reads_what_was_handed_over_as_its_author_did(tmp_path: Path) -> None:
    """A server reads what was handed over as its author did."""
    write_run(tmp_path / "a", {"t": lm_rows("t", 3)})
    write_record(tmp_path / "b", instances())
    (tmp_path / "c.csv").write_text("id,v\n1,1\n")
    for name, text in bound_mappings(tmp_path / "c.csv", MAPPING).items():
        (tmp_path / Path(name).name).write_text(text)
    here = questions.handed_of(questions.handed(questions.paths_question([tmp_path])))
    apart = work.summaries(tmp_path)
    assert {log.format for log in apart} == {
        "lm-eval", "lm-eval-results", "every-eval-ever", "every-eval-ever-aggregate", "table", "table-mapping",
    }  # fmt: skip
    assert [replace(log, path="") for log in apart] == [replace(log, path="") for log in here]


def test_a_mapping_needs_a_table(world: World, tmp_path: Path) -> None:
    """A mapping needs a table."""
    study = world.register()
    with pytest.raises(InputError, match="no table here"):
        study.attach(write_run(tmp_path / "run", {"t": lm_rows("t", 3)}, date=LATER), mapping=MAPPING)
    assert study.attachments == []


def test_aggregates_are_no_data_of_a_study(world: World, tmp_path: Path) -> None:
    """Aggregates are no data of a study."""
    study = world.register()
    folder = write_run(tmp_path / "run", {"t": lm_rows("t", 3)}, date=LATER)
    (folder / f"samples_t_{STAMP}.jsonl").unlink()
    with study.attempt() as run:
        run.attach([folder])
    report = study.analyze()
    assert report.logs == ()
    assert {check.answer for check in report.conformance if check.id == "attempts.accounted"} == {"deviation"}
    assert "t: results without samples, which are background" in str(report.reading["skipped"])
