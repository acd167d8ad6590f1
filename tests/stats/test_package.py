"""What the package loads, and its public contract."""

import subprocess
import sys

import leadline.stats


def test_importing_the_package_loads_no_numerics() -> None:
    """`import leadline.stats` loads neither numpy nor scipy; `paired` never loads scipy.stats or numba."""
    program = (
        "import sys, leadline.stats\n"
        "assert not {'numpy', 'scipy'} & set(sys.modules)\n"
        "import leadline.stats.paired, leadline.stats.intervals, leadline.stats.bootstrap\n"
        "assert not {'scipy.stats', 'numba', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


def test_public_names_resolve() -> None:
    """Every name of `__all__` is there, and others raise AttributeError."""
    for name in leadline.stats.__all__:
        assert getattr(leadline.stats, name) is not None
        assert name in dir(leadline.stats)
    assert not hasattr(leadline.stats, "nothing_of_this_name")
    assert leadline.stats.intervals.wilson(8, 10)[0] < 0.5
