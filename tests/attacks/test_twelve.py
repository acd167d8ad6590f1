"""The suite of attacks: each changes the checks it must and no other, and the published table is what happens."""

from pathlib import Path

from attacks.twelve import SUITE, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"


def test_every_attack_is_answered_and_the_published_table_is_what_happens() -> None:
    """The honest study is clean, each attack changes its own checks and no other, and none ends as a clean pass."""
    rows = list(table())
    assert len(rows) == 1 + len(SUITE)
    assert [name for name, _, _, right in rows if not right] == []
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| ") and not line.startswith("| attack |")]
    assert shown == [f"| {name} | {checks} | {says} |" for name, checks, says, _ in rows]
