"""Names that strangers chose, as names in a folder of ours."""

import pytest

from leadline.registry.filenames import file_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("run.eval", "run.eval"),
        ("logs/2026/run.eval", "run.eval"),
        ("..\\..\\run.eval", "run.eval"),
        ("..", "log"),
        ("a/..", "log"),
        ("/", "log"),
        ("", "log"),
        ("a\0b.eval", "ab.eval"),
        ("\ud800.eval", "?.eval"),
    ],
)
def test_only_the_last_part_counts(name: str, safe: str) -> None:
    """No part of a name leads out of the folder it is put into, and an ordinary name stays as it is."""
    assert file_name(name) == safe


@pytest.mark.parametrize("letter", ["n", "é", "😀"])
def test_a_long_name_keeps_its_ending(letter: str) -> None:
    """At most 200 bytes, cut at a whole character: readers tell logs by their endings."""
    found = file_name(letter * 400 + ".eval")
    assert found.endswith(f"{letter}.eval")
    assert 190 < len(found.encode()) <= 200
