"""The inner loop of the bootstrap, twice: NumPy, and compiled when numba is installed. Same bits from both.

Draw r of replicate i uses 32 bits of Philox4x64-10 word ``r // 2`` of the replicate's own counter range, and
picks cluster ``(bits * C) >> 32`` (bias below C / 2^32). Totals are integers below 2^53, so neither the order
of addition nor the BLAS can change them.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leadline.errors import MissingExtraError
from leadline.stats.rng import keyed

Integers = NDArray[np.int64]

_DRAWS_PER_BLOCK = 8
#: Draws held at once: one megabyte of indices stays in the second-level cache (1.5 to 3 times quicker than four).
_CHUNK = 1 << 17
_COMPILE_FROM = 10_000_000


def draw_sums(
    fixed: Integers, replicates: int, key: tuple[int, int], *, use_numba: bool | None = None
) -> Integers:
    """Column totals over C draws of rows of ``fixed`` (shape (C, k)) for each replicate; shape (replicates, k).

    ``use_numba=None`` compiles only when numba is installed and the work repays its import.
    """
    compiled = use_numba
    if compiled is None:
        compiled = len(fixed) * replicates >= _COMPILE_FROM and find_spec("numba") is not None
    return _compiled(fixed, replicates, key) if compiled else _numpy(fixed, replicates, key)


def draw_cells(columns: Integers, multiplicity: Integers, replicates: int, key: tuple[int, int]) -> Integers:
    """As `draw_sums` for clusters grouped into cells: draws the cell counts of each replicate at once.

    Counters start at 2^64 times the replicate's number plus one: apart from each other and from `draw_sums`.
    """
    clusters = int(multiplicity.sum())
    shares = multiplicity / clusters
    out = np.empty((replicates, columns.shape[1]), dtype=np.int64)
    for i in range(replicates):
        counts = np.random.Generator(keyed(key, (i + 1) << 64)).multinomial(clusters, shares)
        out[i] = counts @ columns
    return out


def _numpy(fixed: Integers, replicates: int, key: tuple[int, int]) -> Integers:
    clusters = len(fixed)
    blocks = -(-clusters // _DRAWS_PER_BLOCK)
    batch = max(1, _CHUNK // (blocks * _DRAWS_PER_BLOCK))
    columns = fixed.astype(np.float64)
    stream = keyed(key)
    out = np.empty((replicates, fixed.shape[1]), dtype=np.int64)
    for start in range(0, replicates, batch):
        size = min(batch, replicates - start)
        words = np.asarray(stream.random_raw(size * blocks * 4), dtype=np.uint64)
        halves = (
            words.view(np.uint32)
            if sys.byteorder == "little"
            else words.byteswap().view(np.uint32).byteswap()
        )
        draws = halves.reshape(size, blocks * _DRAWS_PER_BLOCK)[:, :clusters].astype(np.uint64)
        draws *= np.uint64(clusters)
        draws >>= np.uint64(32)
        index = draws.view(np.int64)
        index += np.arange(size, dtype=np.int64)[:, None] * clusters
        weights = np.bincount(index.ravel(), minlength=size * clusters).reshape(size, clusters)
        out[start : start + size] = np.rint(weights.astype(np.float64) @ columns)
    return out


def _compiled(fixed: Integers, replicates: int, key: tuple[int, int]) -> Integers:
    kernel = _kernel()
    out = np.zeros((replicates, fixed.shape[1]), dtype=np.int64)
    workers = max(1, min(os.cpu_count() or 1, 8))
    edges = np.linspace(0, replicates, workers + 1).astype(int)
    table = np.ascontiguousarray(fixed)
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(kernel, table, out, k0, k1, int(low), int(high)) for low, high in pairwise(edges)]
        for job in jobs:
            job.result()
    return out


@cache
def _kernel() -> Callable[..., None]:
    """The compiled loop; threads are ours, because numba's own pool may abort the process."""
    try:
        from leadline.stats.kernels_numba import run
    except ImportError as error:
        raise MissingExtraError(
            "the compiled bootstrap needs numba",
            where="use_numba",
            remedy="pip install 'leadline[fast]', or leave use_numba unset: the numbers are the same",
        ) from error
    return run
