"""How a layer of each recipe looks back: the NumPy twins of softmax attention and gated retention.

Both take new tokens in any portions and remember what they need of the earlier ones in a `Memory`, so that an
answer is decoded token by token without computing the prompt again. Arrays are float32; B rows, t new tokens,
T tokens so far, H heads of width c, and width d = H c.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from leadline.bench.ladder.architecture import EPSILON, ROTARY_BASE, Architecture

Array = npt.NDArray[np.float32]


@dataclass
class Memory:
    """What one layer remembers of the `time` tokens it has seen: keys, values, and what retention needs."""

    keys: Array
    values: Array
    #: Running sum of the logarithms of the shares kept, ``(B, H, T)``.
    kept: Array
    #: Queries, keys and values of the last token before mixing, ``(B, 1, 3 d)``.
    last: Array
    time: int = field(default=0)

    @classmethod
    def empty(cls, architecture: Architecture, rows: int, room: int) -> "Memory":
        """A memory of nothing, with room for `room` tokens."""
        heads, width = architecture.heads, architecture.width
        shape = (rows, heads, room, width // heads)
        return cls(
            np.zeros(shape, np.float32),
            np.zeros(shape, np.float32),
            np.zeros((rows, heads, room), np.float32),
            np.zeros((rows, 1, 3 * width), np.float32),
        )


def rms(x: Array) -> Array:
    """Root-mean-square normalisation over the last axis, without a gain (Zhang and Sennrich 2019, eq. 4)."""
    mean = np.einsum("...i,...i->...", x, x)[..., None] / np.float32(x.shape[-1])
    return np.asarray(x / np.sqrt(mean + np.float32(EPSILON)), dtype=np.float32)


def attention(x: Array, weights: Mapping[str, Array], layer: int, heads: int, memory: Memory) -> Array:
    """Causal softmax attention with rotary positions (Su et al. 2021), ``(B, t, d)`` to ``(B, t, d)``."""
    start = memory.time
    q, k, v = _queries_keys_values(x, weights, layer, heads, memory)
    keys, values = _remember(memory, _rotate(k, start), v)
    scores = _rotate(q, start) @ keys.swapaxes(-1, -2) / np.float32(np.sqrt(q.shape[-1]))
    scores = np.where(_causal(start, x.shape[1]), scores, np.float32(-np.inf))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return _joined(shares @ values) @ weights[f"{layer}.out"]


def retention(x: Array, weights: Mapping[str, Array], layer: int, heads: int, memory: Memory) -> Array:
    """Gated retention, ``(B, t, d)`` to ``(B, t, d)``.

    Linear attention in which what a head wrote at token j reaches token i multiplied by the shares kept at
    j + 1 to i (Yang et al. 2023, gated linear attention, with one share per head).
    """
    start = memory.time
    q, k, v = _queries_keys_values(x, weights, layer, heads, memory)
    share = -np.logaddexp(np.float32(0), -(x @ weights[f"{layer}.keep"] + weights[f"{layer}.keep_bias"]))
    before = memory.kept[:, :, start - 1 : start] if start else np.float32(0)
    memory.kept[:, :, start : start + x.shape[1]] = before + np.cumsum(share.swapaxes(1, 2), axis=-1)
    keys, values = _remember(memory, k, v)
    now = memory.kept[:, :, start : memory.time, None]
    decay = np.where(
        _causal(start, x.shape[1]), now - memory.kept[:, :, None, : memory.time], np.float32(-np.inf)
    )
    scores = (q @ keys.swapaxes(-1, -2)) * np.exp(decay) / np.float32(np.sqrt(q.shape[-1]))
    mixed = _joined(rms(np.asarray(scores @ values, dtype=np.float32)))
    gated = mixed * silu(x @ weights[f"{layer}.gate"])
    return np.asarray(gated @ weights[f"{layer}.out"], dtype=np.float32)


def silu(x: Array) -> Array:
    """x times its logistic; the exponent is capped where float32 would overflow and the product is zero."""
    return np.asarray(x / (np.float32(1) + np.exp(np.minimum(-x, np.float32(80)))), dtype=np.float32)


def gelu(x: Array) -> Array:
    """The tanh form of the Gaussian error linear unit (Hendrycks and Gimpel 2016, section 2)."""
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.asarray(np.float32(0.5) * x * (np.float32(1) + np.tanh(inner)), dtype=np.float32)


def _queries_keys_values(
    x: Array, weights: Mapping[str, Array], layer: int, heads: int, memory: Memory
) -> tuple[Array, Array, Array]:
    raw = x @ weights[f"{layer}.qkv"]
    before = np.concatenate([memory.last, raw[:, :-1]], axis=1)
    memory.last = raw[:, -1:]
    mixed = raw * weights[f"{layer}.now"] + before * weights[f"{layer}.before"]
    rows, time, width = x.shape
    split = mixed.reshape(rows, time, 3, heads, width // heads).transpose(2, 0, 3, 1, 4)
    return split[0], split[1], split[2]


def _remember(memory: Memory, keys: Array, values: Array) -> tuple[Array, Array]:
    end = memory.time + keys.shape[2]
    memory.keys[:, :, memory.time : end] = keys
    memory.values[:, :, memory.time : end] = values
    memory.time = end
    return memory.keys[:, :, :end], memory.values[:, :, :end]


def _rotate(x: Array, start: int) -> Array:
    half = x.shape[-1] // 2
    rates = ROTARY_BASE ** (-np.arange(half) / half)
    angle = np.arange(start, start + x.shape[-2])[:, None] * rates
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _causal(start: int, new: int) -> npt.NDArray[np.bool_]:
    return np.arange(start + new) <= np.arange(start, start + new)[:, None]


def _joined(heads: Array) -> Array:
    rows, number, time, width = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(rows, time, number * width)
