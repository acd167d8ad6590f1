"""SampleTable: conversions, joining, and how it shows itself."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from leadline.logs import SampleTable, concat, read_logs
from logs.factory import sample, write_eval


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    """Two logs, one of them with an unscored sample."""
    write_eval(tmp_path / "a.eval", model="m/1", samples=[sample(1, input="q" * 40), sample(2, None)])
    write_eval(tmp_path / "b.eval", model="m/1", samples=[sample(1, "I", input="q" * 40)])
    return read_logs(tmp_path)


def test_arrow(table: SampleTable) -> None:
    """Repeated strings are stored once, and can be had as plain strings."""
    arrow = table.to_arrow()
    assert pa.types.is_dictionary(arrow.schema.field("model").type)
    assert arrow["model"].chunk(0).dictionary.to_pylist() == ["m/1"]
    plain = table.to_arrow(decoded=True)
    assert {str(plain.schema.field(n).type) for n in ("model", "input", "score")} == {"string"}
    assert plain.to_pylist() == arrow.to_pylist()
    assert arrow.schema.field("value").metadata[b"description"]


def test_pandas(table: SampleTable) -> None:
    """pandas gets categoricals for names, text for text, aware times, and NaN only for missing numbers."""
    frame = table.to_pandas()
    assert frame["model"].tolist() == ["m/1"] * 3
    assert str(frame["model"].dtype) == "category"
    assert frame["input"].tolist() == ["q" * 40, "question", "q" * 40]
    assert str(frame["started_at"].dt.tz) == "UTC"
    assert frame["value"].isna().tolist() == [False, True, False]


def test_polars(table: SampleTable) -> None:
    """polars reads the same rows, by conversion and by the Arrow stream."""
    frame = table.to_polars()
    assert frame["value"].to_list() == [1.0, None, 0.0]
    assert frame["model"].to_list() == ["m/1"] * 3
    assert pl.DataFrame(table)["sample_id"].to_list() == ["1", "2", "1"]
    assert pa.table(table).num_rows == 3


def test_missing_frames_extra(table: SampleTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pandas or polars the error says which extra to install."""
    from leadline.errors import MissingExtraError

    for name, convert in (("pandas", table.to_pandas), ("polars", table.to_polars)):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match="frames"):
            convert()


def test_headers_as_a_table(table: SampleTable) -> None:
    """A row per log, times as times, nested fields as JSON text."""
    rows = table.headers_arrow().to_pylist()
    assert [row["log"] for row in rows] == ["a.eval", "b.eval"]
    assert rows[0]["dataset"].startswith('{"location":null')
    assert rows[0]["created"].isoformat() == "2026-01-05T09:00:00+00:00"


def test_concat_counts_a_log_once(tmp_path: Path) -> None:
    """Joining tables keeps arms apart and a log that both hold from the first only."""
    a = write_eval(tmp_path / "a.eval", samples=[sample(1), sample(2)])
    b = write_eval(tmp_path / "b.eval", samples=[sample(1, "I")])
    joined = read_logs(a, arm="x").concat(read_logs([a, b], arm="y"))
    assert joined.to_arrow().select(["arm", "log", "value"]).to_pylist() == [
        {"arm": "x", "log": "a.eval", "value": 1.0}, {"arm": "x", "log": "a.eval", "value": 1.0},
        {"arm": "y", "log": "b.eval", "value": 0.0},
    ]  # fmt: skip
    assert [h.log for h in joined.headers] == ["a.eval", "b.eval"]
    assert joined.accounting.left_out == {"copy of a.eval": 2}
    assert joined.accounting.kept == len(joined)


def test_concat_counts_an_evaluation_once(tmp_path: Path) -> None:
    """Another file of an evaluation that an earlier table holds adds no rows."""
    a = write_eval(tmp_path / "a.eval", samples=[sample(1)], eval_id="e")
    b = write_eval(tmp_path / "b.eval", samples=[sample(1, "I")], eval_id="e")
    joined = concat([read_logs(a), read_logs(b)])
    assert joined.to_arrow()["value"].to_pylist() == [1.0]
    assert joined.accounting.left_out == {"same evaluation as a.eval, which is kept": 1}


def test_concat_of_different_columns_and_of_nothing(tmp_path: Path) -> None:
    """Columns that one table lacks are null there; no tables make an empty one."""
    a = write_eval(tmp_path / "a.eval", samples=[sample(1, metadata={"k": 3})])
    b = write_eval(tmp_path / "b.eval", samples=[sample(1)])
    joined = concat([read_logs(a, columns=["metadata.k"]), read_logs(b)])
    assert joined.to_arrow()["metadata.k"].to_pylist() == [3, None]
    assert len(concat([])) == 0


def test_repr_says_what_was_read(table: SampleTable) -> None:
    """The table shows its size and its account, as text and as escaped HTML."""
    assert "3 rows" in repr(table)
    assert "3 kept" in repr(table)
    assert "<table>" in table._repr_html_()


def test_html_is_escaped(tmp_path: Path) -> None:
    """What a log says cannot become markup in a notebook."""
    path = write_eval(tmp_path / "<img>.eval", samples=[sample("<script>", error="<b>")])
    shown = read_logs(path)._repr_html_()
    assert "<script>" not in shown
    assert "<img>" not in shown


def test_importing_the_package_is_light() -> None:
    """`import leadline.logs` loads neither Arrow nor numpy nor msgspec nor Inspect."""
    heavy = "{'pyarrow', 'numpy', 'msgspec', 'inspect_ai', 'pandas'}"
    code = f"import sys, leadline.logs; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_reading_loads_neither_pandas_nor_inspect(tmp_path: Path) -> None:
    """A whole read at every tier, with metadata columns, leaves pandas and Inspect where they are."""
    path = write_eval(
        tmp_path / "a.eval", samples=[sample(1, metadata={"k": 1}), sample(2, None, metadata={"k": 0.5})]
    )
    write_eval(tmp_path / "b.eval", samples=[sample(1)], eval_id="same")
    write_eval(tmp_path / "c.eval", samples=[sample(1), sample(2)], eval_id="same")
    code = (
        "import sys\nfrom leadline.logs import concat, read_logs, recomputed\n"
        "tables = [read_logs(sys.argv[1], tier=t, arm='a') for t in ('header', 'summary', 'sample')]\n"
        "tables.append(read_logs(sys.argv[1], columns=['metadata.k', 'metadata.none']))\n"
        "recomputed(concat(tables)), [t.headers_arrow() for t in tables]\n"
        "print(sorted({'pandas', 'inspect_ai', 'polars'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code, str(path.parent)], text=True).strip() == "[]"
