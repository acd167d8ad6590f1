"""`.eval` logs: rows, tiers, guards, and the account of every sample."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, LogError, NotFoundError
from leadline.logs import SampleTable, read_logs
from logs.factory import archive, sample, summary, write_eval


def rows(table: SampleTable, *names: str) -> list[tuple[Any, ...]]:
    """The named columns, row by row."""
    return [tuple(row[name] for name in names) for row in table.to_arrow().to_pylist()]


def parts(path: Path, rows_: list[dict[str, Any]], **given: Any) -> dict[str, Any]:
    """The members of a log that the factory wrote, decoded, for a test to rearrange."""
    from leadline.logs.container import Archive
    from leadline.logs.source import opened

    write_eval(path, samples=rows_, **given)
    with opened(path) as source:
        found = Archive(source)
        return {name: json.loads(found.read(name)) for name in found.members}


def test_one_row_per_sample_epoch_and_score(tmp_path: Path) -> None:
    """Long form: every score of every epoch has a row, a sample without scores keeps one with score null."""
    given = [sample(1, {"a": "C", "b": 0.25}), sample(1, {"a": "I", "b": True}, epoch=2), sample("x", None)]
    table = read_logs(write_eval(tmp_path / "a.eval", samples=given))
    assert rows(table, "sample_id", "epoch", "score", "value", "value_json", "unscored_reason") == [
        ("1", 1, "a", 1.0, '"C"', None),
        ("1", 1, "b", 0.25, "0.25", None),
        ("x", 1, None, None, None, "no score"),
        ("1", 2, "a", 0.0, '"I"', None),
        ("1", 2, "b", 1.0, "true", None),
    ]
    assert (table.accounting.read, table.accounting.kept, len(table)) == (3, 3, 5)


def test_sample_columns(tmp_path: Path) -> None:
    """Text, times, errors, limits and retries come from the sample itself."""
    full = sample(
        1, {"m": {"value": "I", "answer": "a  b", "explanation": "why\n\nso", "metadata": {"k": [1, 2]}, "reason": "refusal"}},
        input="q  q", target=["x", "y"], metadata={"d": 3, "t": "two  spaces"}, error="boom", limit="token",
        uuid="u1", error_retries=[{"message": "m", "traceback": "", "traceback_ansi": ""}],
        model_fallbacks=[{"model": "a", "fallback_model": "b", "count": 2}],
        invalidation={"timestamp": "2026-01-01T00:00:00+00:00", "author": "me"},
    )  # fmt: skip
    table = read_logs(write_eval(tmp_path / "a.eval", samples=[full], created="2026-01-05T09:00:00+02:00"))
    (row,) = table.to_arrow().to_pylist()
    assert row["started_at"].isoformat() == "2026-01-05T07:00:00+00:00"
    wanted = {
        "log": "a.eval", "task": "demo", "model": "mockllm/model", "uuid": "u1", "answer": "a  b", "explanation": "why\n\nso",
        "score_reason": "refusal", "unscored_reason": None, "error": "boom", "limit": "token", "invalidated": True,
        "total_time": 1.0, "working_time": 0.5, "model_fallback": "b", "retries": 1, "input": "q  q", "target": "x,y",
        "metadata": '{"d":3,"t":"two  spaces"}', "score_metadata": '{"k":[1,2]}', "score_edits": 0,
    }  # fmt: skip
    assert {key: row[key] for key in wanted} == wanted
    assert row["sha256"] == table.headers[0].sha256
    assert table.headers[0].model_fallbacks == ("a -> b",)


def test_message_inputs_are_shown_as_text(tmp_path: Path) -> None:
    """A list input is shown as roles and text, media left out."""
    messages = [
        {"id": "1", "role": "system", "content": "be brief"},
        {
            "id": "2",
            "role": "user",
            "content": [{"type": "text", "text": "look"}, {"type": "image", "image": "data:x"}],
        },
    ]
    table = read_logs(write_eval(tmp_path / "a.eval", samples=[sample(1, input=messages)]))
    assert rows(table, "input") == [("system:\nbe brief\n\nuser:\nlook",)]


def test_tiers_agree_on_what_both_answer(tmp_path: Path) -> None:
    """Summaries and samples give the same rows in the same order, in every shared column."""
    given = [
        sample(i, {"m": "CIPN"[i % 4], "n": i / 7}, epoch=e, error="e" if i == 3 else None)
        for e in (1, 2)
        for i in range(12)
    ]
    path = write_eval(tmp_path / "a.eval", samples=given)
    low, high = read_logs(path, tier="summary"), read_logs(path, tier="sample")
    shared = [name for name in low.column_names if name not in ("answer", "explanation", "score_reason")]
    assert low.to_arrow().select(shared).to_pylist() == high.to_arrow().select(shared).to_pylist()
    assert [a.tier for t in (low, high) for a in t.accounting.logs] == ["summary", "sample"]


def test_summaries_give_no_text(tmp_path: Path) -> None:
    """Text is null below whole samples, because summaries change it; asking for it reads samples."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1, {"m": {"value": "C", "answer": "x  y"}})])
    assert rows(read_logs(path, tier="summary"), "answer") == [(None,)]
    asked = read_logs(path, columns=["answer"])
    assert rows(asked, "answer") == [("x  y",)]
    assert asked.accounting.logs[0].tier == "sample"
    with pytest.raises(InputError, match="answer"):
        read_logs(path, tier="summary", columns=["answer"])


def test_auto_reads_summaries_when_they_answer(tmp_path: Path) -> None:
    """Without text among the wanted columns, auto reads summaries only."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)])
    assert read_logs(path, columns=["value", "error"]).accounting.logs[0].tier == "summary"
    assert read_logs(path).accounting.logs[0].tier == "sample"


def test_header_tier_reads_no_samples(tmp_path: Path) -> None:
    """The header tier gives headers, the usual columns without rows, and counts nothing as missing."""
    table = read_logs(write_eval(tmp_path / "a.eval", samples=[sample(1), sample(2)]), tier="header")
    assert len(table) == 0
    assert table.headers[0].samples_read == 2
    assert table.accounting.absent == 0
    assert "value" in table.column_names


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"header_fields": {"invalidated": True}}, "invalidated"),
        ({"status": "error"}, "'error'"),
        ({"finished": False}, "summaries.json"),
    ],
)
def test_guards_raise_the_tier(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    """Invalidation, an unsuccessful end, and a missing summaries.json make auto read the samples."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)], **changes)
    (account,) = read_logs(path, columns=["value"]).accounting.logs
    assert account.tier == "sample"
    assert any(why in reason for reason in account.escalated)
    (forced,) = read_logs(path, tier="summary").accounting.logs
    assert forced.tier == "summary"
    assert any(why in note for note in forced.notes)


def test_invalidation_is_unknown_from_summaries(tmp_path: Path) -> None:
    """Where the header speaks of invalidated samples, summaries leave the column null instead of false."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1, invalidation={"author": "me"}), sample(2)])
    assert rows(read_logs(path, tier="summary"), "invalidated") == [(None,), (None,)]
    assert rows(read_logs(path, columns=["invalidated"]), "invalidated") == [(True,), (False,)]


def test_metadata_columns(tmp_path: Path) -> None:
    """Projected metadata keys are columns of their own, typed by content, null where missing."""
    metadata = [
        {"n": 1, "f": 0.5, "b": True, "s": "x  y", "mixed": 1, "deep": {"a": [1]}, "dot.ted": 1},
        {"n": 2, "f": 1, "b": False, "s": None, "mixed": "z", "dot.ted": 2},
    ]
    path = write_eval(tmp_path / "a.eval", samples=[sample(i, metadata=m) for i, m in enumerate(metadata)])
    names = [f"metadata.{key}" for key in ("n", "f", "b", "s", "mixed", "deep.a", "dot.ted", "absent")]
    table = read_logs(path, columns=names)
    types = {name: str(table.to_arrow().schema.field(name).type) for name in names}
    assert list(types.values()) == [
        "int64",
        "double",
        "bool",
        "string",
        "string",
        "string",
        "int64",
        "string",
    ]
    assert rows(table, *names) == [
        (1, 0.5, True, "x  y", "1", "[1]", 1, None),
        (2, 1.0, False, None, "z", None, 2, None),
    ]


def test_numbers_in_metadata_come_from_summaries(tmp_path: Path) -> None:
    """Numeric and boolean metadata is answered by summaries; text, removed and missing keys are not."""
    rows_ = [sample(1, metadata={"n": 3, "s": "a", "big": list(range(900))})]
    path = write_eval(tmp_path / "a.eval", samples=rows_)
    tiers = {
        key: read_logs(path, columns=[f"metadata.{key}"]).accounting.logs[0].tier
        for key in ("n", "s", "big", "no")
    }
    assert tiers == {"n": "summary", "s": "sample", "big": "sample", "no": "sample"}
    assert rows(read_logs(path, columns=["metadata.big"]), "metadata.big") == [
        (json.dumps(list(range(900)), separators=(",", ":")),)
    ]


def test_metadata_types_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    """Numbers in one log and text in another make one text column."""
    write_eval(tmp_path / "a.eval", samples=[sample(1, metadata={"k": 1})])
    write_eval(tmp_path / "b.eval", samples=[sample(1, metadata={"k": "one"})])
    assert rows(read_logs(tmp_path, columns=["metadata.k"]), "metadata.k") == [("1",), ("one",)]
    write_eval(tmp_path / "b.eval", samples=[sample(1, metadata={"k": 2.0}), sample(2, metadata={"k": True})])
    assert rows(read_logs(tmp_path, columns=["metadata.k"]), "metadata.k") == [("1",), ("2.0",), ("true",)]


def test_nan_is_read_and_counted(tmp_path: Path) -> None:
    """A bare NaN in any field costs a second decoding, which is counted; as a value it is null with a reason."""
    given = [
        sample(1, {"m": {"value": math.nan, "reason": "grader_failed"}}),
        sample(2, {"m": {"value": math.nan, "metadata": {"unscored_reason": "no_response"}}}),
        sample(3, {"m": math.nan}, metadata={"k": math.inf}),
        sample(4, {"m": math.inf}),
        sample(5, "C"),
    ]
    path = write_eval(tmp_path / "a.eval", samples=given)
    for tier in ("summary", "sample"):
        table = read_logs(path, tier=tier)
        assert rows(table, "value", "value_json", "unscored_reason") == [
            (None, "NaN", "grader_failed"), (None, "NaN", "no_response"), (None, "NaN", "nan"),
            (None, "Infinity", "infinite value"), (1.0, '"C"', None),
        ][: len(table)]  # fmt: skip
        (account,) = table.accounting.logs
        assert [(f.decoder, "NaN" in f.reason) for f in account.fallbacks] == [("json", True)]
    assert rows(table, "metadata")[2] == ('{"k":Infinity}',)
    assert not table.accounting.mismatches


def test_lone_surrogates_do_not_stop_reading(tmp_path: Path) -> None:
    """Text that no UTF-8 can hold is kept with backslash escapes, and its item has no digest."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1, input="x"), sample(2)])
    members = parts(tmp_path / "b.eval", [sample(1), sample(2)])
    broken = json.dumps(members["samples/1_epoch_1.json"] | {"input": "\ud83d", "uuid": "\udc00"}).encode()
    archive(path, [(n, broken if n == "samples/1_epoch_1.json" else d) for n, d in members.items()])
    table = read_logs(path)
    assert rows(table, "input")[0] == ("\\ud83d",)
    assert rows(table, "uuid")[0] == ("\\udc00",)
    assert rows(table, "item_sha256")[0] == (None,)
    assert table.headers[0].dataset_sha256 is None
    assert "canonical" in (table.headers[0].dataset_problem or "")


def test_journal_only_log(tmp_path: Path) -> None:
    """A run that never finished is read from its journal: header, samples, claims from the dataset."""
    path = write_eval(
        tmp_path / "a.eval", samples=[sample(1), sample(2, "I")], finished=False, dataset={"samples": 5}
    )
    for tier in ("summary", "sample", "auto"):
        table = read_logs(path, tier=tier)
        assert table.headers[0].status == "started"
        assert rows(table, "value") == [(1.0,), (0.0,)]
        assert table.accounting.logs[0].absent == 3


def test_journal_summaries_are_read_in_numeric_order(tmp_path: Path) -> None:
    """Journal parts 2 and 10 are in that order, and the last summary of a sample wins."""
    members = parts(tmp_path / "a.eval", [sample(1, "I")], finished=False)
    early, late = summary(sample(1, "I")), summary(sample(1, "C"))
    listed = [
        ("_journal/start.json", members["_journal/start.json"]),
        ("_journal/summaries/10.json", [late]),
        ("_journal/summaries/2.json", [early]),
    ]
    table = read_logs(archive(tmp_path / "a.eval", listed), tier="summary")
    assert rows(table, "value") == [(1.0,)]
    assert table.accounting.left_out == {"replaced by a later run of the same sample": 1}


def test_requeued_samples_count_once(tmp_path: Path) -> None:
    """A sample that ran again is in the table once, as it ended; the earlier entry is counted as replaced."""
    members = parts(tmp_path / "a.eval", [sample(1, "C"), sample(2, "C")])
    first = [("samples/1_epoch_1.json", sample(1, "I", error="boom"))]
    path = archive(tmp_path / "a.eval", first + list(members.items()))
    for tier in ("summary", "sample"):
        table = read_logs(path, tier=tier)
        assert rows(table, "sample_id", "value", "error") == [("1", 1.0, None), ("2", 1.0, None)]
        (account,) = table.accounting.logs
        assert (account.read, account.kept, account.left_out[0].count) == (3, 2, 1)
        assert "replaced" in account.left_out[0].reason
        assert account.left_out[0].examples == ("1 (epoch 1)",)


def test_same_id_as_number_and_text_is_refused(tmp_path: Path) -> None:
    """1 and "1" have one file name: a log that holds both is refused, wherever they meet."""
    members = parts(tmp_path / "a.eval", [sample(1)])
    other = [("samples/1_epoch_1.json", sample("1"))]
    cases = {
        "members": other + list(members.items()),
        "summaries": [
            *((n, d) for n, d in members.items() if n != "summaries.json"),
            ("summaries.json", [summary(sample(1)), summary(sample("1"))]),
        ],
    }
    for name, listed in cases.items():
        with pytest.raises(LogError, match="cannot tell them apart") as caught:
            read_logs(archive(tmp_path / f"{name}.eval", listed))
        assert caught.value.remedy()
    header = write_eval(tmp_path / "h.eval", samples=[sample(1)], dataset={"sample_ids": [1, "1"]})
    with pytest.raises(LogError, match="cannot tell them apart"):
        read_logs(header)


def test_edited_summaries_are_found(tmp_path: Path) -> None:
    """Values that someone changed in summaries.json alone are reported sample by sample."""
    honest = [sample(1, {"m": "I", "n": 1}), sample(2, {"m": "C", "n": 2.0})]
    forged = [summary(sample(1, {"m": "C", "n": 1.0})), summary(sample(2, {"m": "C", "n": True}))]
    table = read_logs(write_eval(tmp_path / "a.eval", samples=honest, summaries=forged))
    found = [(m.sample, m.score, m.summary, m.value) for _, m in table.accounting.mismatches]
    assert found == [("1 (epoch 1)", "m", '"C"', '"I"'), ("2 (epoch 1)", "n", "true", "2.0")]
    assert rows(table, "value")[0] == (0.0,)


def test_summaries_and_samples_that_lack_each_other_are_counted(tmp_path: Path) -> None:
    """A sample known from one place alone is left out with its reason, not dropped."""
    path = write_eval(
        tmp_path / "a.eval",
        samples=[sample(1), sample(2)],
        summaries=[summary(sample(1)), summary(sample(3))],
    )
    assert read_logs(path, tier="sample").accounting.left_out == {"only a summary of it is in the log": 1}
    assert read_logs(path, tier="summary").accounting.left_out == {"not in the log's summaries": 1}


def test_copies_count_once(tmp_path: Path) -> None:
    """A byte copy adds no rows and is named."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)])
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "copy.eval").write_bytes(path.read_bytes())
    table = read_logs([tmp_path, path])
    assert len(table) == 1
    assert [(s.kind, s.reason) for s in table.accounting.skipped] == [("copy", f"copy of {path}")]


def test_two_files_of_one_evaluation_count_once(tmp_path: Path) -> None:
    """Of two different files of one evaluation the more complete one is kept, and the other is accounted for."""
    write_eval(tmp_path / "a.eval", samples=[sample(1), sample(2)], eval_id="e")
    write_eval(tmp_path / "b.eval", samples=[sample(1)], eval_id="e")
    write_eval(tmp_path / "c.eval", samples=[sample(1), sample(2), sample(3)], eval_id="e", status="error")
    table = read_logs(tmp_path)
    assert rows(table, "log", "sample_id") == [("a.eval", "1"), ("a.eval", "2")]
    assert [h.log for h in table.headers] == ["a.eval"]
    assert [(a.log, a.kept) for a in table.accounting.logs] == [("a.eval", 2), ("b.eval", 0), ("c.eval", 0)]
    assert table.accounting.left_out == {"same evaluation as a.eval, which is kept": 4}


def test_ids_may_hold_slashes_and_look_like_chunks(tmp_path: Path) -> None:
    """Ids are taken from the JSON: slashes and `_epoch_` in them lead nobody astray."""
    names = ["a/b", "x_epoch_2", "é", "10", "9"]
    table = read_logs(write_eval(tmp_path / "a.eval", samples=[sample(n) for n in names]))
    assert [r[0] for r in rows(table, "sample_id")] == ["9", "10", "a/b", "x_epoch_2", "é"]


def test_order_of_files_and_samples_is_fixed(tmp_path: Path) -> None:
    """However samples were written and paths are given, rows come in one order."""
    a = write_eval(tmp_path / "a.eval", samples=[sample(10), sample(2), sample(1)])
    b = write_eval(tmp_path / "b.eval", samples=[sample(1)])
    assert rows(read_logs([b, a]), "log", "sample_id") == rows(read_logs([a, b]), "log", "sample_id")
    assert [r[0] for r in rows(read_logs(a), "sample_id")] == ["1", "2", "10"]


def test_a_folder_of_other_things(tmp_path: Path) -> None:
    """Files that are no logs are counted and named, whatever they are called; hidden folders are not entered."""
    write_eval(tmp_path / "log.txt", samples=[sample(1)])
    (tmp_path / "listing.json").write_text('{"logs": []}')
    (tmp_path / "status.json").write_text('{"status": "ok", "evaluation": 1}')
    (tmp_path / "notes.md").write_text("# notes")
    archive(tmp_path / "office.docx", [("word/document.xml", b"<x/>")])
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x").write_text("x")
    table = read_logs(tmp_path)
    assert len(table) == 1
    assert [(Path(s.path).name, s.kind) for s in table.accounting.skipped] == [
        (".git", "folder"), ("cut.zip", "not a log"), ("listing.json", "not a log"), ("notes.md", "not a log"), ("office.docx", "not a log"), ("status.json", "not a log"),
    ]  # fmt: skip


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """An unreadable log is named in the accounting; strict raises; alone it raises."""
    write_eval(tmp_path / "a.eval", samples=[sample(1)])
    bad = tmp_path / "b.eval"
    bad.write_bytes(write_eval(tmp_path / "c.eval", samples=[sample(1), sample(2)]).read_bytes()[:-30])
    table = read_logs(tmp_path)
    assert [(s.path, s.kind) for s in table.accounting.skipped] == [(str(bad), "unreadable")]
    assert "end-of-central-directory" in table.accounting.skipped[0].reason
    for paths, strict in ((tmp_path, True), (bad, False)):
        with pytest.raises(LogError, match="end-of-central-directory"):
            read_logs(paths, strict=strict)


def test_rows_of_a_log_that_fails_midway_are_taken_back(tmp_path: Path) -> None:
    """A log whose second sample is damaged contributes nothing, not its first sample."""
    write_eval(tmp_path / "a.eval", samples=[sample(1)])
    members = parts(tmp_path / "b.eval", [sample(1), sample(2)])
    members["samples/2_epoch_1.json"] = b'{"id": 2, "epoch": 1, "input": "cut'
    archive(tmp_path / "b.eval", members.items())
    table = read_logs(tmp_path)
    assert {r[0] for r in rows(table, "log")} == {"a.eval"}
    assert "samples/2_epoch_1.json" in table.accounting.skipped[0].reason


def test_questions_without_an_answer(tmp_path: Path) -> None:
    """Unknown tiers, columns and paths, and folders without a log, say what to do."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)])
    (tmp_path / "empty").mkdir()
    cases: list[tuple[type[Exception], Any, dict[str, Any]]] = [
        (InputError, path, {"tier": "deep"}),
        (InputError, path, {"columns": ["valeu"]}),
        (InputError, path, {"columns": "value"}),
        (InputError, [], {}),
        (NotFoundError, tmp_path / "none.eval", {}),
        (LogError, tmp_path / "empty", {}),
    ]
    for kind, paths, options in cases:
        with pytest.raises(kind) as caught:
            read_logs(paths, **options)
        assert caught.value.remedy()  # type: ignore[attr-defined]


def test_arm_labels_every_row(tmp_path: Path) -> None:
    """The arm given is a column of its own."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1), sample(2)])
    assert rows(read_logs(path, arm="treated"), "arm") == [("treated",), ("treated",)]


def test_logs_without_samples_are_logs(tmp_path: Path) -> None:
    """A log of a run that ended before its first sample has a header and no rows."""
    table = read_logs(
        write_eval(tmp_path / "a.eval", status="error", dataset={"samples": 3, "sample_ids": [1, 2, 3]})
    )
    assert len(table) == 0
    assert table.headers[0].status == "error"


def test_many_samples_cross_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing batches in the middle of a log changes nothing."""
    path = write_eval(
        tmp_path / "a.eval", samples=[sample(i, {"m": "C", "n": i}, metadata={"k": i}) for i in range(25)]
    )
    whole = read_logs(path, columns=["answer", "metadata.k"]).to_arrow().to_pylist()
    monkeypatch.setattr("leadline.logs.columns.BATCH_SAMPLES", 4)
    assert read_logs(path, columns=["answer", "metadata.k"]).to_arrow().to_pylist() == whole


def test_members_that_are_no_samples_are_named(tmp_path: Path) -> None:
    """A member among the samples whose name says nothing is counted and named."""
    members = parts(tmp_path / "a.eval", [sample(1)])
    path = archive(tmp_path / "a.eval", [*members.items(), ("samples/stray.json", b"{}")])
    (account,) = read_logs(path).accounting.logs
    assert [(left.reason, left.examples) for left in account.left_out] == [
        ("not named like a sample", ("samples/stray.json",))
    ]
