"""The two recipes of the ladder in PyTorch, for training only; `leadline.bench.ladder.model` is the NumPy twin.

Parameters carry the names they have in the shipped ``.npz`` files.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadline.bench.ladder.architecture import EPSILON, ROTARY_BASE, Architecture


def rms(x: Tensor) -> Tensor:
    """Root-mean-square normalisation over the last axis, without a gain."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)


def rotate(x: Tensor) -> Tensor:
    """Rotary positions for ``(batch, heads, time, dim)``: pairs are (i, i + dim / 2)."""
    half = x.shape[-1] // 2
    rates = ROTARY_BASE ** (-torch.arange(half) / half)
    angle = torch.arange(x.shape[-2])[:, None] * rates[None, :]
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], dim=-1)


class LadderNet(nn.Module):
    """A decoder of either recipe with tied embeddings."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.weights = nn.ParameterDict(
            {
                name.replace(".", "/"): nn.Parameter(_initial(name, shape, architecture))
                for name, shape in architecture.shapes().items()
            }
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ``(batch, time, vocabulary)`` of token numbers ``(batch, time)``."""
        w = self.weights
        mixer = self._attention if self.architecture.family == "reef" else self._retention
        x = functional.embedding(tokens, w["embed"])
        for layer in range(self.architecture.layers):
            x = x + mixer(rms(x) * w[f"{layer}/norm1"], layer)
            x = x + self._feed_forward(rms(x) * w[f"{layer}/norm2"], layer)
        return (rms(x) * w["norm"]) @ w["embed"].T

    def _heads(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        return x.view(batch, time, self.architecture.heads, -1).transpose(1, 2)

    def _queries_keys_values(self, x: Tensor, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        w = self.weights
        raw = x @ w[f"{layer}/qkv"]
        before = functional.pad(raw, (0, 0, 1, 0))[:, :-1]
        q, k, v = (raw * w[f"{layer}/now"] + before * w[f"{layer}/before"]).chunk(3, dim=-1)
        return self._heads(q), self._heads(k), self._heads(v)

    def _attention(self, x: Tensor, layer: int) -> Tensor:
        q, k, v = self._queries_keys_values(x, layer)
        q, k = rotate(q), rotate(k)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.transpose(1, 2).reshape(x.shape) @ self.weights[f"{layer}/out"]

    def _retention(self, x: Tensor, layer: int) -> Tensor:
        w = self.weights
        q, k, v = self._queries_keys_values(x, layer)
        keep = (
            functional.logsigmoid(x @ w[f"{layer}/keep"] + w[f"{layer}/keep_bias"]).transpose(1, 2).cumsum(-1)
        )
        time = x.shape[1]
        causal = torch.ones(time, time, dtype=torch.bool).tril()
        decay = (keep[..., :, None] - keep[..., None, :]).masked_fill(~causal, -torch.inf).exp()
        mixed = ((q @ k.transpose(-1, -2)) * decay / math.sqrt(q.shape[-1])) @ v
        mixed = rms(mixed).transpose(1, 2).reshape(x.shape)
        return (mixed * functional.silu(x @ w[f"{layer}/gate"])) @ w[f"{layer}/out"]

    def _feed_forward(self, x: Tensor, layer: int) -> Tensor:
        w = self.weights
        up = x @ w[f"{layer}/up"]
        if self.architecture.family == "reef":
            return functional.gelu(up, approximate="tanh") @ w[f"{layer}/down"]
        value, gate = up.chunk(2, dim=-1)
        return (value * functional.silu(gate)) @ w[f"{layer}/down"]


def _initial(name: str, shape: tuple[int, ...], architecture: Architecture) -> Tensor:
    part = name.rsplit(".", 1)[-1]
    if part in {"norm", "norm1", "norm2", "now"}:
        return torch.ones(shape)
    if part == "before":
        return 0.5 * torch.randn(shape)
    if part == "keep_bias":
        return torch.linspace(1.0, 5.0, shape[0])
    if part == "embed":
        return torch.randn(shape) / math.sqrt(shape[1])
    scale = 1 / math.sqrt(shape[0])
    if part in {"out", "down"}:
        scale /= math.sqrt(2 * architecture.layers)
    return torch.randn(shape) * scale
