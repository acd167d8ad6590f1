"""Every fault in a document is reported with its exact line and column, and with what to do."""

from pathlib import Path

import pytest

from leadline.errors import NotFoundError, ProtocolError
from leadline.protocol.document import DocumentError, load, parse
from protocol.examples import STUDY, changed

# (passage of the small study, what it is replaced by with « before the place to be named, message, remedy)
FAULTS = [
    ("smallest: 0.05", "«smalest: 0.05", "hypotheses[0].smalest: unknown key 'smalest'", "'smallest'?"),
    ("id: h1\n", "id: h1\n    «kind2: x\n", "hypotheses[0].kind2: unknown key", "'kind'?"),
    ("smallest: 0.05", "smallest: «true", "a number is expected, found true", "0.05"),
    ("smallest: 0.05", "smallest: «'0.05'", "a number is expected, found '0.05'", "quotation marks"),
    ("smallest: 0.05", "smallest: «-1", "must be above 0, found -1", "change it"),
    ("smallest: 0.05", "smallest: «.nan", "not a finite number", "leave the field out"),
    ("smallest: 0.05", "smallest: «1e999", "too large", "smaller"),
    ("smallest: 0.05", "smallest: 0.05\n    «smallest: 1", "already given at line 20", "keep one"),
    ("smallest: 0.05", "smallest: 0.05\n    margin: «0.1", "must be below the smallest effect", "at_least"),
    ("kind: greater", "kind: «grater", "found 'grater'", "did you mean 'greater'?"),
    ("kind: greater", "kind: «superior", "one of greater, at_least, differs", "use one of them"),
    ("[treated, base]", "[treated, «bas]", "no arm is named 'bas'", "did you mean 'base'?"),
    ("[treated, base]", "«[treated]", "about 2 arms, 1 given", "compared with"),
    ("[treated, base]", "«[treated, treated]", "compared with itself", "two arms"),
    ("measure: acc", "measure: «accuracy", "no measure is named 'accuracy'", "acc"),
    ("linear probe, model: small", "linear probe, model: «smal", "no model", "'small'?"),
    ("{name: small, id: mockllm/model}", "«{name: small}", "neither an id nor a rule", "exact `id`"),
    ("score: match}", "score: match}\n  - {name: «acc, score: b}", "also at measures[0]", "its own name"),
    ("name: base,", "name: «'the base',", "a name is expected", "letters, digits"),
    ("  - name: Ada", "  - «nme: Ada", "unknown key 'nme'", "'name'?"),
    ("  - name: Ada", "  «[]", "at least 1 needed, 0 given", "add to the list"),
    ("  - name: Ada", "  «name: Ada", "a list is expected, found a table", "a dash"),
    ("title: A first study", "title: «[A]", "a text is expected, found a list", "quotation marks"),
    ("title: A first study\n", "«", "`title` is missing", "add `title: ...`"),
    ("- id: h1\n    claim: it helps\n", "- «claim: it helps\n", "`id` is missing", "add `id: ...`"),
    ("title: A first study", "title: A\n«Title: B", "unknown key 'Title'", "'title'?"),
    ("{items: 100}", "{items: «100.5}", "a whole number is expected, found 100.5", "change it"),
    ("{items: 100}", "{items: «0}", "at least 1", "change it"),
    ("due: 2027-01-31", "due: «soon", "a date is expected, found 'soon'", "2026-01-31"),
    ("{due: 2027-01-31}", "{due: «2027-01-31, not_before: 2028-01-01}", "before the run may begin", "dates"),
    ("supported: try", "«suported: try", "unknown key 'suported'", "'supported'?"),
    ("try treated before base for acc", "«I feel good", "not in the grammar", "no update | "),
    ("try treated before base", "«try treated before bas", "names the arm 'bas'", "'base'?"),
    ("- hypothesis: h1", "- hypothesis: «h2", "no hypothesis is named 'h2'", "name one of: h1"),
    ("{message_limit: 10}", "{message_limit: «99999999999999999999}", "beyond 2^53 - 1", "as text"),
    ("name: acc, score", "name: acc, cluster: «'value', score", "known only after the run", "metadata"),
    ("name: acc, score", "name: acc, cluster: «'metdata', score", "no column is named 'metdata'", "'metadata'?"),
    ("name: acc, score", "name: acc, transform: «'value >', score", "cannot read the expression", "check"),
    ("name: acc, score", "name: acc, transform: «'value > 1', score", "yields a condition", "cast"),
]  # fmt: skip


def marked(text: str) -> tuple[str, str]:
    """A text without its mark «, and the line and column where the mark was."""
    before = text[: text.index("«")]
    return text.replace("«", ""), f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@pytest.mark.parametrize(("old", "new", "message", "remedy"), FAULTS)
def test_fault(old: str, new: str, message: str, remedy: str) -> None:
    """One planted fault is named at its own line and column, with a remedy."""
    text, place = marked(changed(old, new))
    with pytest.raises(DocumentError) as caught:
        parse(text, name="study.yaml")
    error = caught.value
    assert error.where == f"study.yaml:{place}"
    assert message in error.message
    assert remedy in (error.remedy() or "")
    assert len(error.faults) == 1, error


UNIONS = [
    ("{error: exlude}", 25, 21, "one of exclude, a table is expected, found 'exlude'"),
    ("{limit: {value: x}}", 25, 29, "data_rules.limit.value: a number is expected, found 'x'"),
    ("{limit: {valu: 0}}", 25, 22, "unknown key 'valu'"),
    ("{limit: drop}", 25, 21, "one of exclude, keep, a table is expected"),
    ("{exclusions: [{id: a, when: 'limt is null', reason: x}]}", 25, 41, "no column is named 'limt'"),
]


@pytest.mark.parametrize(("rules", "line", "column", "message"), UNIONS)
def test_fault_in_a_union(rules: str, line: int, column: int, message: str) -> None:
    """Where a value may take several shapes, one fault says which are possible, at the value."""
    with pytest.raises(DocumentError) as caught:
        parse(changed("timeline:", f"data_rules: {rules}\ntimeline:"), name="s.yaml")
    assert caught.value.where == f"s.yaml:{line}:{column}"
    assert message in caught.value.message
    assert len(caught.value.faults) == 1


def test_all_faults_are_collected_in_order() -> None:
    """Several faults come as one error that lists each with its place, first in the document first."""
    text = (
        STUDY.replace("kind: greater", "kind: up")
        .replace("items: 100", "items: many")
        .replace("name: Ada", "nam: A")
    )
    with pytest.raises(DocumentError) as caught:
        parse(text, name="s.yaml")
    assert [(fault.place.line, fault.place.column) for fault in caught.value.faults] == [
        (3, 5),
        (18, 11),
        (24, 22),
    ]
    assert "s.yaml:18:11: hypotheses[0].kind" in str(caught.value)
    assert "s.yaml:24:22: sample_size.items" in str(caught.value)


def test_at_most_twenty_faults_are_printed() -> None:
    """A document with many faults prints the first twenty and counts the rest."""
    authors = "".join(f"  - {{name: A, extra{i}: 1}}\n" for i in range(30))
    with pytest.raises(DocumentError) as caught:
        parse(changed("  - name: Ada\n", authors), name="s.yaml")
    assert len(caught.value.faults) == 30
    assert str(caught.value).count("unknown key") == 20
    assert "and 10 more" in str(caught.value)


def test_contradictions_are_all_reported() -> None:
    """Contradictions between blocks are collected like faults of the schema."""
    text = STUDY.replace("model: small, task: t}", "model: nobody, task: u}").replace(
        "items: 100", "items: 5"
    )
    with pytest.raises(DocumentError) as caught:
        parse(text, name="s.yaml")
    assert [fault.path for fault in caught.value.faults] == [
        ("arms", 0, "model"),
        ("arms", 0, "task"),
        ("arms", 1, "model"),
        ("arms", 1, "task"),
    ]


def test_json_faults_have_positions_too() -> None:
    """In JSON, line and column point at the offending value just the same."""
    text = '{\n  "title": "x",\n  "authors": [{"name": 3}]\n}'
    with pytest.raises(DocumentError) as caught:
        parse(text, name="study.json")
    first = caught.value.faults[-1]
    assert (first.place.line, first.place.column, first.path) == (3, 24, ("authors", 0, "name"))


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ('{"a": 1, "a": 2}', 1, 10, "already given at line 1"),
        ('{"a": 01}', 1, 8, "a comma or } is expected"),
        ('{"a": NaN}', 1, 7, "a value is expected"),
        ('{"a": "x\n"}', 1, 9, "text is broken"),
        ('{"a": [1, 2', 1, 12, "a comma or ] is expected"),
        ('{"a": 1} x', 1, 10, "after the end"),
        ('{"a" 1}', 1, 6, "a colon is expected"),
        ('{"a": 1e999}', 1, 7, "too large"),
        ('{"a":' * 40 + "1" + "}" * 40, 1, 33 * 5 + 1, "nests deeper"),
        ('{1: 2}', 1, 2, "double quotation marks"),
    ],
)  # fmt: skip
def test_broken_json(text: str, line: int, column: int, message: str) -> None:
    """Malformed JSON is reported where it breaks."""
    with pytest.raises(DocumentError) as caught:
        parse(text, name="p.json")
    assert caught.value.where == f"p.json:{line}:{column}"
    assert message in caught.value.message


def test_files(tmp_path: Path) -> None:
    """Protocols load from YAML and JSON files; a missing file is named."""
    yaml = tmp_path / "a.yaml"
    yaml.write_text("\ufeff" + STUDY, encoding="utf-8")
    as_json = tmp_path / "a.json"
    as_json.write_bytes(load(yaml).canonical_bytes())
    assert load(yaml) == load(str(as_json))
    with pytest.raises(NotFoundError, match=r"no file .*absent\.yaml"):
        load(tmp_path / "absent.yaml")
    with pytest.raises(NotFoundError, match="cannot read"):
        load(tmp_path)


def test_not_utf8(tmp_path: Path) -> None:
    """A file in another encoding is refused at the first byte that is not UTF-8."""
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"title: ok\nauthors: [{name: Andr\xe9}]\n")
    with pytest.raises(ProtocolError, match="not UTF-8") as caught:
        load(file)
    assert caught.value.where == f"{file}:2:22"
