"""`leadline logs`, and mappings on the command line."""

import json
from pathlib import Path

import yaml

from cli.shell import leadline
from leadline.logs import read_logs
from logs.formats.written import MAPPING, lm_rows, write_run


def table(path: Path, right: int) -> Path:
    """A table of forty samples, `right` of them solved."""
    path.write_text("id,v\n" + "".join(f"i{n},{int(n < right)}\n" for n in range(40)))
    return path


def mapping(path: Path) -> Path:
    """The mapping of those tables."""
    path.write_text(yaml.safe_dump(MAPPING))
    return path


def test_formats_are_named_and_aggregates_stand_beside_the_samples(tmp_path: Path) -> None:
    """Formats are named and aggregates stand beside the samples."""
    folder = write_run(tmp_path, {"t": lm_rows("t", 6, right=[1])})
    (tmp_path / "notes.txt").write_text("hello")
    said = leadline("logs", folder, "--json").json
    (log,) = said["logs"]
    assert (log["format"], log["task"], log["model"], log["samples"]) == ("lm-eval", "t", "lab/small", 6)
    assert [one["consistent"] for one in said["aggregates"]] == [True, True]
    assert {skip["kind"] for skip in said["skipped"]} == {"companion", "not a log"}
    shown = leadline("logs", folder).out
    for words in ("lm-eval · t · lab/small · 6 samples", "agrees", "notes.txt"):
        assert words in shown


def test_records_are_written_and_read_again(tmp_path: Path) -> None:
    """Records are written and read again."""
    folder = write_run(tmp_path / "run", {"t": lm_rows("t", 6, right=[1])})
    out = tmp_path / "out"
    leadline("logs", folder, "--every-eval-ever", out, status=3)
    said = leadline("logs", folder, "--every-eval-ever", out, "--organisation", "Lab", "--json").json
    assert len(said["written"]) == 2
    assert read_logs(out).accounting.kept == 6


def test_tables_are_compared_with_a_mapping_and_bound_by_it(tmp_path: Path) -> None:
    """Tables are compared with a mapping and bound by it."""
    a, b, plan = table(tmp_path / "a.csv", 30), table(tmp_path / "b.csv", 10), mapping(tmp_path / "m.yaml")
    leadline("compare", a, b, status=3)
    found = leadline("compare", a, b, "--mapping", plan, "--json").json
    assert found["estimate"]["value"] == 0.5
    leadline("logs", a, "--bind", status=3)
    leadline("logs", a, b, "--mapping", plan, "--bind")
    bound = json.loads((tmp_path / "a.csv.mapping.json").read_text())
    assert bound["table_sha256"] == read_logs(a, mapping=MAPPING).headers[0].sha256
    assert leadline("logs", a, tmp_path / "a.csv.mapping.json", "--json").json["logs"][0]["format"] == "table"
