"""Pictures as SVG, drawn from plain values: no verdict, protocol or log is known here.

Every function returns a `Picture`: ``.inline()`` for a page that holds the shared stylesheet,
``.standalone()`` for a file. Notebooks show it as it is.
"""

from leadline.draw.characteristics import TruthRow, characteristics
from leadline.draw.curve import Reference, curve
from leadline.draw.denominator import DenominatorRow, denominator_bars
from leadline.draw.estimate import EstimateAxis, EstimateRow, estimate_plot
from leadline.draw.mark import mark, mark_svg
from leadline.draw.paired import Agreement, agreement, dumbbell
from leadline.draw.strip import estimate_strip
from leadline.draw.svg import Picture

__all__ = [
    "Agreement",
    "DenominatorRow",
    "EstimateAxis",
    "EstimateRow",
    "Picture",
    "Reference",
    "TruthRow",
    "agreement",
    "characteristics",
    "curve",
    "denominator_bars",
    "dumbbell",
    "estimate_plot",
    "estimate_strip",
    "mark",
    "mark_svg",
]
