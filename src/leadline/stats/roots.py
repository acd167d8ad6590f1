"""Bracketed root finding with nothing but comparisons and halving: the same bits everywhere."""

from collections.abc import Callable


def bisect(crossed: Callable[[float], bool], inside: float, outside: float, steps: int = 200) -> float:
    """The boundary between ``inside`` (where ``crossed`` is False) and ``outside`` (where it is True).

    Halves until the two ends are neighbouring floats (at most ``steps`` times) and returns the last
    point on the outer side, so that an interval end errs outwards by at most one unit in the last place.
    """
    for _ in range(steps):
        middle = 0.5 * (inside + outside)
        if middle in (inside, outside):
            break
        if crossed(middle):
            outside = middle
        else:
            inside = middle
    return outside
