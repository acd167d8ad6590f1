"""Sums that do not depend on the order of their terms.

Each array is split against a power of two so large that all additions of the leading parts are exact
(Rump, Ogita and Oishi 2008, "Accurate floating-point summation I", SIAM J. Sci. Comput. 31, 189-224,
ExtractVector); three such parts carry more than twice the precision of a double. An exact addition
gives the same bits in any order, on any number of threads and with any instruction set.
"""

import math

import numpy as np

from leadline.stats.checks import Codes, Floats

_PARTS = 3
#: Up to here one correctly rounded sum (Shewchuk's, `math.fsum`) is quicker than splitting into parts.
_FEW = 1024


def total(x: Floats) -> float:
    """The sum of ``x``: the same bits for every order of ``x``."""
    if x.size == 0:
        return 0.0
    if x.size <= _FEW:
        return math.fsum(x.tolist())
    parts = [float(np.sum(part)) for part in _parts(x)]
    return math.fsum(parts)


def group_totals(x: Floats, codes: Codes, groups: int) -> Floats:
    """The sum of ``x`` within each of ``groups`` codes (shape (groups,)), whatever the order of the rows."""
    pieces = [np.bincount(codes, weights=part, minlength=groups) for part in _parts(x)]
    out = pieces[-1]
    for piece in reversed(pieces[:-1]):
        out = piece + out
    return np.asarray(out, dtype=np.float64)


def _parts(x: Floats) -> list[Floats]:
    """``x`` as at most three arrays whose sums are exact; one suffices for integers of moderate size."""
    largest = max(abs(float(x.min())), abs(float(x.max())))
    if largest == 0.0:
        return [x]
    if largest * x.size < 2.0**53 and bool(np.all(x == np.rint(x))):
        return [x]
    headroom = math.ceil(math.log2(x.size + 2)) + 1
    parts = []
    rest = x
    for _ in range(_PARTS):
        bound = math.frexp(largest)[1] + headroom
        if bound < -900:
            # The rest is below 1e-250: too close to the end of the double range to split, and to matter.
            parts.append(rest)
            break
        sigma = math.ldexp(1.0, bound)
        lead = (rest + sigma) - sigma
        parts.append(lead)
        rest = rest - lead
        largest = max(abs(float(rest.min())), abs(float(rest.max())))
        if largest == 0.0:
            break
    return parts
