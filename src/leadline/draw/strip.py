"""An estimate as a line of a list: band, line of no effect, interval and mark; its numbers are words beside it."""

from leadline.draw.estimate import EstimateAxis, EstimateRow, describe, domain_of, drawn
from leadline.draw.scale import Linear
from leadline.draw.svg import Picture, line, rect

_WIDTH, _HEIGHT = 200.0, 30.0


def estimate_strip(row: EstimateRow, axis: EstimateAxis) -> Picture:
    """One estimate without axis or labels, 200 by 30 units. Raises StatisticsError for numbers that are not finite."""
    scale = Linear(*domain_of((row,)), 2, _WIDTH - 2)
    body = [line(scale.left, _HEIGHT - 1, scale.right, _HEIGHT - 1, "ll-axis")]
    if row.smallest is not None:
        first, last = scale(-row.smallest), scale(row.smallest)
        body.append(rect(first, 0, last - first, _HEIGHT - 1, "ll-band"))
    body.append(line(scale(0.0), 0, scale(0.0), _HEIGHT - 1, "ll-zero"))
    body.append(drawn(row, scale, _HEIGHT / 2, radius=5.5))
    return Picture(_WIDTH, _HEIGHT, row.label, describe((row,), axis), tuple(body))
