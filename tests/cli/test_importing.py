"""`leadline import`: from logs that lie in a folder to a published record, with three typed fields."""

import io
from pathlib import Path

import pytest

from cli.shell import leadline
from leadline.protocol import Protocol
from leadline.store import open_store
from leadline.store.projections.imports import imports
from logs.factory import sample, write_eval

CLAIM = ("--expect", "A > B", "--smallest", "0.3", "--author", "Ada")
#: Of a key's form, and nobody's.
SECRET = "sk-" + "a1B2c3D4e5F6g7H8" * 3


class Terminal(io.StringIO):
    """Standard input on which somebody types."""

    def isatty(self) -> bool:
        """Somebody is there."""
        return True


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `logs` with two arms that score alike, in the working directory."""
    monkeypatch.chdir(tmp_path)
    logs = tmp_path / "logs"
    logs.mkdir()
    for style in ("hint", "plain"):
        rows = [sample(f"i{i}x", "CI"[i % 2], input=f"q{i}") for i in range(200)]
        write_eval(logs / f"{style}.eval", task="add", task_args={"style": style}, samples=rows)
    return logs


def test_a_null_result_becomes_a_record_with_three_typed_fields(
    folder: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked once each on a terminal; nothing is recorded before the second command."""
    monkeypatch.setattr("sys.stdin", Terminal("A > B\n0.3\nAda\n"))
    drafted = leadline("import", "logs")
    assert "style-hint scores higher than style-plain" in drafted.out
    assert "leadline key new" in drafted.out
    assert "leadline import retrospective.yaml logs" in drafted.out
    assert not (home / "registry.db").exists()
    protocol = Protocol.load(tmp_path / "retrospective.yaml")
    assert (protocol.authors[0].name, protocol.hypotheses[0].smallest) == ("Ada", 0.3)

    leadline("key", "new")
    told = leadline("import", "retrospective.yaml", "logs", "--json").json
    assert told["verdicts"]["H1"] == {"outcome": "null", "standing": "retrospective", "reason": None}
    with open_store(str(home / "registry.db"), read_only=True) as store:
        (row,) = imports(store)
        assert row.source == "2 evaluation logs (inspect-eval), run 2026-01-05"
        assert store.has_blob(told["report"])
    assert leadline("fsck", "--json").json["sound"] is True


def test_the_numbers_are_not_shown_before_the_claim(folder: Path) -> None:
    """What was expected is asked of somebody who sees arms, logs and samples."""
    asked = leadline("import", folder, status=3)
    assert "style-hint" in asked.out and "200" in asked.out
    assert "0.5" not in asked.out
    assert all(option in asked.err for option in ("--expect", "--smallest", "--author"))


def test_a_wrong_answer_is_asked_again_and_the_others_are_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is wrong with it."""
    monkeypatch.setattr("sys.stdin", Terminal("A > nobody\n0.3\nAda\nstyle-plain > style-hint\n"))
    done = leadline("import", folder)
    assert "neither an arm nor a number" in done.err
    assert "style-plain scores higher than style-hint" in done.out


def test_a_wrong_option_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given is not asked for; nothing is written."""
    monkeypatch.setattr("sys.stdin", Terminal("0.3\nAda\n"))
    refused = leadline("import", folder, "--expect", "A > nobody", status=3)
    assert "neither an arm nor a number" in refused.err
    assert not Path("retrospective.yaml").exists()


def test_json_says_what_is_missing(folder: Path) -> None:
    """And what was found; nothing is written until nothing is missing."""
    told = leadline("import", folder, "--author", "Ada", "--json").json
    assert (told["file"], told["missing"]) == (None, ["expected", "smallest"])
    assert [(arm["name"], arm["letter"], arm["samples"]) for arm in told["arms"]] == [
        ("style-hint", "A", 200),
        ("style-plain", "B", 200),
    ]
    assert told["arms"][0]["settings"] == {"task_args.style": "hint"}
    assert not Path("retrospective.yaml").exists()
    whole = leadline("import", folder, *CLAIM, "--draft", "d.yaml", "--json").json
    assert (whole["file"], whole["missing"]) == ("d.yaml", [])
    assert Protocol.load("d.yaml").hypotheses[0].estimand.arms == ("style-hint", "style-plain")


def test_a_draft_is_never_written_over_a_file(folder: Path) -> None:
    """The refusal comes first, and names the option."""
    Path("retrospective.yaml").write_text("mine")
    assert "--draft" in leadline("import", folder, *CLAIM, status=3).err
    assert Path("retrospective.yaml").read_text() == "mine"


def test_secrets_stop_every_kind_of_import(folder: Path, home: Path) -> None:
    """Before a draft repeats them and before anything is kept; allowed by their code, they are published knowingly."""
    leadline("key", "new")
    leadline("import", folder, *CLAIM)
    write_eval(folder / "more.eval", task="add", task_args={"style": SECRET}, samples=[sample("i1x", "C")])
    result = folder.parent / "old.csv"
    result.write_text(f"model,key\na,{SECRET}\n")
    for arguments in (
        (folder, *CLAIM, "--draft", "other.yaml"),
        ("retrospective.yaml", folder),
        (result, "--title", "Old", "--source", "a paper"),
    ):
        refused = leadline("import", *arguments, status=3)
        assert "secret.api-key" in refused.err
        assert SECRET not in refused.out + refused.err
    assert not Path("other.yaml").exists()
    assert not (home / "registry.db").exists()
    leadline("import", result, "--title", "Old", "--source", "a paper", "--allow-finding", "secret.api-key")


def test_tables_are_imported_with_their_mapping(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draft and record; the mapping is kept with the table, bound to it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(
        "leadline_table: 1\ntask: t\ncolumns: {sample_id: id, model: m}\nscores: [ok]\n"
    )
    for model in ("one", "two"):
        rows = "".join(f"i{i}x,{model},{i % 2}\n" for i in range(200))
        (tmp_path / f"{model}.csv").write_text(f"id,m,ok\n{rows}")
    leadline("key", "new")
    drafted = leadline("import", "one.csv", "two.csv", "--mapping", "m.yaml", *CLAIM)
    assert "leadline import retrospective.yaml one.csv two.csv --mapping m.yaml" in drafted.out
    told = leadline(
        "import", "retrospective.yaml", "one.csv", "two.csv", "--mapping", "m.yaml", "--json"
    ).json
    assert told["verdicts"]["H1"]["outcome"] == "null"
    with open_store(str(home / "registry.db"), read_only=True) as store:
        kept = [store.blob(blob.sha256) for blob in store.blobs()]
    assert sum(b"leadline_table" in content for content in kept) == 2


def test_what_is_neither_logs_nor_a_protocol_is_told_what_to_be(tmp_path: Path) -> None:
    """A missing path, a table without a mapping, and a result without a source."""
    assert "no such file" in leadline("import", tmp_path / "absent", status=3).err
    table = tmp_path / "t.csv"
    table.write_text("id,ok\n1,1\n")
    assert "--mapping" in leadline("import", table, status=2).err
    assert "--source" in leadline("import", table, "--title", "T", status=2).err
