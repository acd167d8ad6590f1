"""The two recipes and six sizes of the ladder: shapes of every weight, parameter counts, compute.

*reef* is a pre-norm transformer decoder: rotary positions, softmax attention, GELU feed-forward.
*delta* has no softmax and no positions: gated retention (linear attention whose heads forget at a rate that depends
on the input), a gate on its output, and a gated feed-forward. In both, queries, keys and values are mixed, channel
by channel, with those of the previous token: without it a model this small takes too long to learn to look up.
"""

from dataclasses import dataclass

from leadline.bench.ladder import vocabulary
from leadline.errors import InputError

FAMILIES = ("reef", "delta")
#: Width, layers and heads of sizes 1 to 6.
SIZES: tuple[tuple[int, int, int], ...] = (
    (12, 2, 2),
    (20, 2, 2),
    (32, 2, 4),
    (48, 3, 4),
    (72, 3, 4),
    (96, 4, 4),
)
ROTARY_BASE = 100.0
EPSILON = 1e-5
#: Longest prompt and answer together, in tokens.
CONTEXT = 128


@dataclass(frozen=True)
class Architecture:
    """What fixes the shapes of a model: its family, width, number of layers and number of heads."""

    family: str
    width: int
    layers: int
    heads: int

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(
                f"no recipe {self.family!r}",
                where="ladder manifest",
                remedy=f"choose one of {', '.join(FAMILIES)}",
            )
        if min(self.width, self.layers, self.heads) < 1 or self.width % (2 * self.heads):
            raise InputError(
                f"width {self.width}, layers {self.layers} and heads {self.heads} do not fit together",
                where="ladder manifest",
                remedy="give positive numbers, and a width that is a multiple of twice the heads",
            )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight array, in the order in which they are stored."""
        shapes: dict[str, tuple[int, ...]] = {"embed": (vocabulary.SIZE, self.width), "norm": (self.width,)}
        layer = self._reef_layer() if self.family == "reef" else self._delta_layer()
        for number in range(self.layers):
            shapes |= {f"{number}.{name}": shape for name, shape in layer.items()}
        return shapes

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""
        total = 0
        for shape in self.shapes().values():
            size = 1
            for extent in shape:
                size *= extent
            total += size
        return total

    def training_flops(self, tokens: int) -> float:
        """Floating-point operations of a training run: six per parameter and token (Kaplan et al. 2020, section 2.1)."""
        return 6.0 * self.parameters * tokens

    def _reef_layer(self) -> dict[str, tuple[int, ...]]:
        d = self.width
        return {
            "norm1": (d,),
            "qkv": (d, 3 * d),
            "now": (3 * d,),
            "before": (3 * d,),
            "out": (d, d),
            "norm2": (d,),
            "up": (d, 4 * d),
            "down": (4 * d, d),
        }

    def _delta_layer(self) -> dict[str, tuple[int, ...]]:
        d = self.width
        return {
            "norm1": (d,),
            "qkv": (d, 3 * d),
            "now": (3 * d,),
            "before": (3 * d,),
            "keep": (d, self.heads),
            "keep_bias": (self.heads,),
            "gate": (d, d),
            "out": (d, d),
            "norm2": (d,),
            "up": (d, 4 * d),
            "down": (2 * d, d),
        }


def ladder_architecture(family: str, size: int) -> Architecture:
    """The architecture of rung `size` (1 to 6) of a family."""
    if not 1 <= size <= len(SIZES):
        raise InputError(f"no size {size}", where="ladder", remedy=f"choose 1 to {len(SIZES)}")
    return Architecture(family, *SIZES[size - 1])
