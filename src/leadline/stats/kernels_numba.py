"""The bootstrap's inner loop for numba; import it only through `leadline.stats.kernels`.

Philox4x64-10 (Salmon et al. 2011) written out, because a stream of NumPy's generator would have to be stored
before it could be read here. `tests/stats/test_bootstrap.py` holds it to NumPy's bits.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


@intrinsic  # type: ignore[untyped-decorator]
def _high_word(_context: Any, _a: Any, _b: Any) -> Any:
    """The upper 64 bits of a 64 by 64 bit product."""

    def emit(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        left, right = (builder.zext(value, wide) for value in arguments)
        return builder.trunc(builder.lshr(builder.mul(left, right), ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), emit


def _run(table: Any, out: Any, key0: Any, key1: Any, first: int, last: int) -> None:
    clusters, columns = table.shape
    blocks = (clusters + 7) // 8
    bound = np.uint64(clusters)
    rows = np.empty(blocks * 8, dtype=np.uint32)
    for i in range(first, last):
        for block in range(blocks):
            # NumPy's Philox steps its counter before it generates.
            c0, c1, c2, c3 = np.uint64(i * blocks + block + 1), np.uint64(0), np.uint64(0), np.uint64(0)
            q0, q1 = key0, key1
            for _ in range(10):
                h0, l0 = _high_word(_M0, c0), _M0 * c0
                h1, l1 = _high_word(_M1, c2), _M1 * c2
                c0, c1, c2, c3 = h1 ^ c1 ^ q0, l1, h0 ^ c3 ^ q1, l0
                q0 += _W0
                q1 += _W1
            at = block * 8
            rows[at] = ((c0 & _LOW) * bound) >> _SHIFT
            rows[at + 1] = ((c0 >> _SHIFT) * bound) >> _SHIFT
            rows[at + 2] = ((c1 & _LOW) * bound) >> _SHIFT
            rows[at + 3] = ((c1 >> _SHIFT) * bound) >> _SHIFT
            rows[at + 4] = ((c2 & _LOW) * bound) >> _SHIFT
            rows[at + 5] = ((c2 >> _SHIFT) * bound) >> _SHIFT
            rows[at + 6] = ((c3 & _LOW) * bound) >> _SHIFT
            rows[at + 7] = ((c3 >> _SHIFT) * bound) >> _SHIFT
        if columns == 2:
            total0, total1 = np.int64(0), np.int64(0)
            for draw in range(clusters):
                row = rows[draw]
                total0 += table[row, 0]
                total1 += table[row, 1]
            out[i, 0], out[i, 1] = total0, total1
        else:
            for j in range(columns):
                out[i, j] = 0
            for draw in range(clusters):
                row = rows[draw]
                for j in range(columns):
                    out[i, j] += table[row, j]


def _compile() -> Callable[..., None]:
    try:
        return numba.njit(nogil=True, cache=True)(_run)  # type: ignore[no-any-return]
    except RuntimeError:
        # Nowhere to write the compiled code: compile in every process instead.
        return numba.njit(nogil=True)(_run)  # type: ignore[no-any-return]


run = _compile()
