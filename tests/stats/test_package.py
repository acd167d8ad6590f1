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


def test_instruction_sets_agree_to_the_printed_digits() -> None:
    """Intervals of every default kind agree to ten significant digits with SIMD features switched off."""
    program = (
        "import numpy as np\n"
        "from leadline.stats import mean, paired, proportion, unpaired\n"
        "r = np.random.default_rng(0); k = np.repeat(np.arange(12), 9)\n"
        "x, y = r.random(108), r.random(108)\n"
        "fits = [mean.mean(x, k), mean.mean(x, k, method='bootstrap'), paired.difference(x, y, k), paired.ratio(x, y, k)]\n"
        "for p in (.02, .1, .5):\n"
        "    a, b = (x < p).astype(float), (y < p).astype(float)\n"
        "    fits += [proportion.proportion(a, k), paired.difference(a, b, k), unpaired.difference(a, b, k, k + 12)]\n"
        "    fits += [proportion.proportion(a), paired.difference(a, b), unpaired.difference(a, b)]\n"
        "print([f'{v:.10g}' for f in fits for v in (f.value, f.low, f.high)])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            env={"NPY_DISABLE_CPU_FEATURES": disabled, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disabled in ("", "AVX2 AVX512F AVX512_SKX AVX512_ICL AVX512_SPR X86_V3 X86_V4")
    }
    assert len(printed) == 1
