"""What importing the ledger costs and offers."""

import subprocess
import sys

import pytest

import leadline.ledger as ledger

HEAVY = ("pydantic", "cryptography", "numpy", "rfc8785", "multiprocessing", "concurrent")


def loaded(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import leadline.ledger", "from leadline.ledger import tlog; tlog.root([])"]
)
def test_importing_is_light(statement: str) -> None:
    """The package and its tree functions load the standard library only."""
    assert not loaded(statement) & set(HEAVY)


def test_every_public_name_exists() -> None:
    """Names in `__all__` load, and others are an AttributeError."""
    for name in ledger.__all__:
        assert getattr(ledger, name) is not None
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = ledger.nothing_here
