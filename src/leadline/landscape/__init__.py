"""The field's words: areas of research, techniques, and the axes on which a proxy differs from its target."""

from leadline.landscape.areas import VERSION, Area, Leaf
from leadline.landscape.axes import Axis
from leadline.landscape.lookup import area, areas, axes, is_area, leaves, mentioned, suggest, technique
from leadline.landscape.techniques import Technique

__all__ = [
    "VERSION",
    "Area",
    "Axis",
    "Leaf",
    "Technique",
    "area",
    "areas",
    "axes",
    "is_area",
    "leaves",
    "mentioned",
    "suggest",
    "technique",
]
