"""`leadline check` as a reader sees it: what matters first, notes on demand."""

from pathlib import Path

from cli.shell import leadline, write_protocol


def test_what_matters_most_comes_first(tmp_path: Path) -> None:
    """Before any finding: how many of each severity, and the gravest kinds by name, a kind once."""
    protocol = write_protocol(
        tmp_path / "s.yaml", timeline={}, authors=[{"name": "FILL IN"}], notes="FILL IN"
    )
    out = leadline("check", protocol, "--replicates", "0", status=1).out
    assert "2 errors, " in out and "I113 draft not finished (2 places)" in out
    assert out.index("I113 draft not finished") < out.index("Errors: these block registration")


def test_notes_are_counted_until_they_are_asked_for(tmp_path: Path) -> None:
    """Notes are folded under graver findings; --all prints them, and JSON always holds them."""
    protocol = write_protocol(tmp_path / "s.yaml", timeline={})
    folded = leadline("check", protocol, "--replicates", "0").out
    full = leadline("check", protocol, "--replicates", "0", "--all").out
    found = leadline("check", protocol, "--replicates", "0", "--json").json["findings"]
    notes = [entry for entry in found if entry["severity"] == "note"]
    assert len(notes) > 1
    assert f"And {len(notes)} notes" in folded and f"leadline check {protocol} --all" in folded
    for entry in notes:
        assert f"{entry['code']} {entry['where']}" in full
        assert f"{entry['code']} {entry['where']}" not in folded
