"""Columns equal those of Inspect's own data frames."""

from pathlib import Path

import pandas as pd
import pytest
from inspect_ai.analysis import SampleScores, SampleSummary, samples_df

from leadline.logs import read_logs
from logs.factory import sample, write_eval

PAIRS = {"id": "sample_id", "epoch": "epoch", "target": "target", "total_time": "total_time", "limit": "limit",
         "score_m": "value_json", "score_m_answer": "answer", "score_m_explanation": "explanation"}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two logs with two epochs, an error, a limit and text."""
    for name in ("a", "b"):
        rows = [
            sample(i, {"m": {"value": "CI"[i % 2], "answer": f"{name}  {i}", "explanation": "x\n\ny"}}, epoch=e, target=["p", "q"],
                   error="boom" if i == 1 else None, limit="time" if i == 2 else None)
            for e in (1, 2) for i in range(4)
        ]  # fmt: skip
        write_eval(tmp_path / f"{name}.eval", samples=rows)
    return tmp_path


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_samples_df(folder: Path) -> None:
    """Every column that both have is equal, row by row, once both are in one order."""
    frame = samples_df(str(folder), columns=SampleSummary + SampleScores, quiet=True)
    frame["key"] = frame["log"].map(lambda p: Path(p).name) + frame["id"] + frame["epoch"].astype(str)
    mine = read_logs(folder).to_pandas()
    mine["key"] = mine["log"].astype(str) + mine["sample_id"] + mine["epoch"].astype(str)
    frame, mine = frame.set_index("key").sort_index(), mine.set_index("key").sort_index()
    assert list(frame.index) == list(mine.index)
    for theirs, name in PAIRS.items():
        other = [None if pd.isna(value) else value for value in frame[theirs].tolist()]
        own = [None if pd.isna(value) else value for value in mine[name].tolist()]
        assert [f'"{v}"' if theirs == "score_m" else v for v in other] == own, name
    assert [bool(e) for e in frame["error"]] == mine["error"].notna().tolist()
