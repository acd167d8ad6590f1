"""Tables: what a column means is said in a mapping, nothing is guessed, and a file is one evaluation."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.errors import LogError
from leadline.logs import Limits, TableMapping, read_logs

WIDE: dict[str, Any] = {
    "leadline_table": 1,
    "task": "t",
    "model": "m",
    "columns": {"sample_id": "id", "epoch": "run", "metadata": ["group"]},
    "scores": ["acc", "f1"],
}
LONG: dict[str, Any] = {
    "leadline_table": 1,
    "task": "t",
    "columns": {
        "sample_id": "id",
        "score": "metric",
        "value": "v",
        "model": "model",
        "arm": "arm",
        "error": "why",
    },
}
CSV = 'id,run,acc,f1,group\n007,1,1,0.5,x\n007,2,0,,x\n"8,b",1,C,NaN,y\n,1,1,1,z\n'


def values(table: Any) -> list[tuple[Any, ...]]:
    """Rows as (id, epoch, score, value, why there is none)."""
    names = ("sample_id", "epoch", "score", "value", "unscored_reason")
    return sorted(zip(*(table.to_arrow()[name].to_pylist() for name in names), strict=True), key=str)


def test_ids_stay_text_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    """Ids stay text and every row is accounted for."""
    (tmp_path / "a.csv").write_text("\ufeff" + CSV, encoding="utf-8")
    table = read_logs(tmp_path, mapping=WIDE, columns=["metadata.group", "input"])
    assert values(table) == [
        ("007", 1, "acc", 1.0, None),
        ("007", 1, "f1", 0.5, None),
        ("007", 2, "acc", 0.0, None),
        ("007", 2, "f1", None, "empty cell"),
        ("8,b", 1, "acc", 1.0, None),
        ("8,b", 1, "f1", None, "nan"),
    ]
    assert (table.accounting.read, table.accounting.kept) == (4, 3)
    assert table.accounting.left_out == {"a row without a sample id": 1}
    assert table.to_arrow()["metadata.group"].to_pylist() == ["x", "x", "y", "y", "x", "x"]


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "latin-1"), ("\t", "utf-8"), ("|", "windows-1252"), (",", "utf-16")]
)
def test_delimiters_and_encodings_are_declared(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """Delimiters and encodings are declared."""
    text = f"id{delimiter}v\né{delimiter}1\n"
    (tmp_path / "a.txt").write_bytes(text.encode({"windows-1252": "cp1252"}.get(encoding, encoding)))
    mapping = LONG | {
        "columns": {"sample_id": "id", "value": "v"},
        "score": "ok",
        "delimiter": delimiter,
        "encoding": encoding,
    }
    assert values(read_logs(tmp_path, mapping=mapping)) == [("é", 1, "ok", 1.0, None)]


def test_parquet_and_lines_keep_their_own_types(tmp_path: Path) -> None:
    """Parquet and lines keep their own types."""
    columns = {"id": [1, 1, 2], "metric": ["x", "y", "x"], "v": [1.0, None, float("nan")], "model": ["m"] * 3, "arm": ["A"] * 3, "why": ["", "", "boom"]}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    rows = [{name: column[at] for name, column in columns.items()} for at in range(2)]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    table = read_logs(tmp_path / "a.parquet", mapping=LONG)
    expected = [("1", 1, "x", 1.0, None), ("1", 1, "y", None, "empty cell"), ("2", 1, "x", None, "nan")]
    assert values(table) == expected
    assert (table.headers[0].model, table.headers[0].metadata) == ("m", {"leadline_arm": "A"})
    assert table.to_arrow()["error"].to_pylist() == [None, None, "boom"]
    assert values(read_logs(tmp_path / "b.jsonl", mapping=LONG)) == expected[:2]


def test_a_table_says_no_time_and_no_dataset(tmp_path: Path) -> None:
    """A table says no time and no dataset."""
    (tmp_path / "a.csv").write_text(CSV)
    (header,) = read_logs(tmp_path, mapping=WIDE).headers
    assert (header.begun, header.dataset_sha256, header.dataset_problem) == (
        None,
        None,
        "the table has no inputs",
    )


def test_a_bound_mapping_reads_its_table_and_no_other(tmp_path: Path) -> None:
    """A bound mapping reads its table and no other."""
    (tmp_path / "a.csv").write_text(CSV)
    given = read_logs(tmp_path / "a.csv", mapping=WIDE)
    (companion,) = given.headers[0].companions
    assert companion.text is not None
    assert companion.sha256 == TableMapping.of(WIDE).bound_digest(given.headers[0].sha256)
    (tmp_path / "0" / "x").mkdir(parents=True)
    (tmp_path / "0" / "x" / "anything").write_text(companion.text)
    found = read_logs(tmp_path)
    assert values(found) == values(given)
    assert found.headers[0].eval_id == given.headers[0].eval_id
    (tmp_path / "a.csv").write_text(CSV + "9,1,1,1,x\n")
    with pytest.raises(LogError):
        read_logs(tmp_path)


def test_without_a_mapping_a_table_is_named_and_not_read(tmp_path: Path) -> None:
    """Without a mapping a table is named and not read."""
    (tmp_path / "a.csv").write_text(CSV)
    pq.write_table(pa.table({"id": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.bin").write_bytes(b"\0\1")
    with pytest.raises(LogError, match="a table needs a mapping"):
        read_logs(tmp_path)


def test_a_file_is_one_evaluation(tmp_path: Path) -> None:
    """A file is one evaluation."""
    (tmp_path / "a.csv").write_text("id,metric,v,model,arm,why\n1,x,1,m,A,\n1,x,1,n,A,\n")
    with pytest.raises(LogError, match="several evaluations: model is 'm' and, in row 2, 'n'"):
        read_logs(tmp_path, mapping=LONG)


WRONG_TABLES = {
    "again": "id,run,acc,f1,group\n1,1,1,1,x\n1,1,1,1,x\n",
    "something else": "id,run,acc,f1,group\n1,1,1,1,x\n1,1,1,1,y\n",
    "no whole number": "id,run,acc,f1,group\n1,one,1,1,x\n",
    "no column 'group'": "id,run,acc,f1\n1,1,1,1\n",
    "two columns 'acc'": "id,run,acc,f1,group,acc\n1,1,1,1,x,0\n",
    "cannot be read": "id,run,acc,f1,group\n1,1,1\n",
    "is empty": "",
}


@pytest.mark.parametrize("words", WRONG_TABLES)
def test_tables_that_contradict_themselves_are_refused(tmp_path: Path, words: str) -> None:
    """Tables that contradict themselves are refused."""
    (tmp_path / "a.csv").write_text(WRONG_TABLES[words])
    with pytest.raises(LogError, match=words) as caught:
        read_logs(tmp_path, mapping=WIDE)
    assert caught.value.remedy()


def test_floating_point_ids_are_refused(tmp_path: Path) -> None:
    """Floating point ids are refused."""
    pq.write_table(pa.table({"id": [1.5], "v": [1]}), tmp_path / "a.parquet")
    with pytest.raises(LogError, match="neither a text nor a whole number"):
        read_logs(tmp_path, mapping=LONG | {"columns": {"sample_id": "id", "value": "v"}, "score": "ok"})


WRONG_MAPPINGS: list[dict[str, Any]] = [
    {},
    WIDE | {"leadline_table": 2},
    WIDE | {"code": "1"},
    WIDE | {"columns": {"epoch": "run"}},
    WIDE | {"score": "x"},
    WIDE | {"scores": ["a", "a"]},
    WIDE | {"delimiter": "x"},
    {**LONG, "model": "again"},
    {key: value for key, value in LONG.items() if key != "task"},
    LONG | {"columns": {"sample_id": "id", "value": "v"}},
    LONG | {"columns": {"sample_id": "id"}},
    WIDE | {"table_sha256": "x"},
]


@pytest.mark.parametrize("case", range(len(WRONG_MAPPINGS)))
def test_mappings_are_strict(case: int) -> None:
    """Mappings are strict."""
    with pytest.raises(LogError) as caught:
        TableMapping.of(WRONG_MAPPINGS[case])
    assert caught.value.remedy()


def test_a_mapping_is_a_small_document_without_aliases(tmp_path: Path) -> None:
    """A mapping is a small document without aliases."""
    path = tmp_path / "m.yaml"
    path.write_text("leadline_table: 1\ntask: t\nscore: ok\ncolumns: {sample_id: id, value: v}\n")
    assert TableMapping.of(path).named == ("id", "v")
    for text in (
        "a: &x [1]\nb: *x\n",
        "a: [" * 500,
        "!!python/object/apply:os.system [ls]",
        "x" * 300_000,
        "{",
    ):
        path.write_text(text)
        with pytest.raises(LogError):
            TableMapping.of(path)
    with pytest.raises(LogError, match="cannot be read"):
        TableMapping.of(tmp_path / "none.yaml")


def test_sizes_are_bounded(tmp_path: Path) -> None:
    """Sizes are bounded."""
    (tmp_path / "a.csv").write_text(CSV)
    with pytest.raises(LogError, match="more than 2 rows"):
        read_logs(tmp_path, mapping=WIDE, limits=Limits(rows=2))
    text = pa.array(["y" * 1000] * 40_000).dictionary_encode()
    pq.write_table(pa.table({"id": range(40_000), "v": text}), tmp_path / "b.parquet")
    mapping = LONG | {"columns": {"sample_id": "id", "value": "v"}, "score": "ok"}
    for limits in (Limits(rows=39_999), Limits(total=1000), Limits(document=1000)):
        with pytest.raises(LogError, match="refused"):
            read_logs(tmp_path / "b.parquet", mapping=mapping, limits=limits)
