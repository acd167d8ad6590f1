"""A model of the ladder in NumPy: logits, and answers decoded greedily or sampled with a seed."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from leadline.bench.ladder import vocabulary
from leadline.bench.ladder.architecture import CONTEXT, Architecture
from leadline.bench.ladder.hooks import EMBED, OF_LAYER, Hook, hook_names, passed, require_places
from leadline.bench.ladder.manifest import SHIPPED, Card, read_manifest
from leadline.bench.ladder.mixing import Array, Memory, attention, gelu, retention, rms, silu
from leadline.bench.ladder.weights import read_weights
from leadline.errors import InputError

Tokens = npt.NDArray[np.int64]

#: Longest answer when no other limit is given, in tokens; the longest right answer has 13 with its end.
MAX_TOKENS = 16
_BATCH = 256
_NO_HOOKS: Final[Mapping[str, Hook]] = MappingProxyType({})


class LadderModel:
    """One model of the ladder: an architecture and its weights as float32 arrays.

    `generate` computes rows of one length together; the provider asks for one row at a time, so that what a model
    answers never depends on what is asked beside it.
    """

    def __init__(self, name: str, architecture: Architecture, weights: dict[str, Array]) -> None:
        self.name = name
        self.architecture = architecture
        self._weights = weights

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> "LadderModel":
        """Load a model by name (``reef-1`` to ``reef-6``, ``delta-1`` to ``delta-6``, ``reef-1-locked`` ...).

        Raises
        ------
        NotFoundError, InputError, IntegrityError: no such model, or weights that cannot be used.
        """
        card = read_manifest(folder).card(name)
        return cls(name, card.architecture, read_weights(card, folder or SHIPPED))

    def logits(self, tokens: Tokens) -> Array:
        """Logits ``(B, T, vocabulary)`` after each of the tokens ``(B, T)``; of ``(T,)``, ``(T, vocabulary)``."""
        return self.run_with_hooks(tokens, {})

    def run_with_hooks(self, tokens: Tokens, hooks: Mapping[str, Hook]) -> Array:
        """Logits as `logits`, with activations read or changed on the way by the hooks at these places.

        A hook gets the activation ``(B, T, width)`` and the place's name; see `leadline.bench.ladder.hooks`.

        Raises
        ------
        InputError: no such place, or a hook gave back another shape.
        """
        require_places(self.architecture, hooks)
        rows = np.atleast_2d(tokens)
        found = self._forward(rows, self._memories(len(rows), rows.shape[1]), hooks)
        return found if tokens.ndim == 2 else found[0]

    def run_with_cache(
        self, tokens: Tokens, names: Collection[str] | None = None
    ) -> tuple[Array, dict[str, Array]]:
        """Logits, and a copy of the activations ``(B, T, width)`` at these places (default: all) by name.

        Raises
        ------
        InputError: no such place.
        """
        cache: dict[str, Array] = {}

        def keep(x: Array, name: str) -> None:
            cache[name] = x.copy()

        wanted = hook_names(self.architecture) if names is None else names
        return self.run_with_hooks(tokens, dict.fromkeys(wanted, keep)), cache

    def generate(
        self,
        prompts: Sequence[str],
        max_tokens: int = MAX_TOKENS,
        temperature: float = 0.0,
        seed: int = 0,
        draw: int = 0,
    ) -> list[str]:
        """The model's answers, without their end mark.

        Temperature 0 takes the most likely token. Above it, tokens are sampled from a stream of random numbers that
        belongs to the seed, the prompt and `draw`, and to nothing else.

        Raises
        ------
        InputError: a prompt is empty, too long or has unknown characters; `max_tokens` below 1; a temperature that
            is negative or not finite; a negative seed or draw.
        """
        _require_settings(max_tokens, temperature, seed, draw)
        answers: dict[int, str] = {}
        by_length: dict[int, list[int]] = {}
        for place, prompt in enumerate(prompts):
            by_length.setdefault(len(prompt), []).append(place)
        for length, places in by_length.items():
            room = require_room(length, max_tokens)
            for at in range(0, len(places), _BATCH):
                chunk = places[at : at + _BATCH]
                texts = self._decode([prompts[place] for place in chunk], room, temperature, seed, draw)
                answers.update(zip(chunk, texts, strict=True))
        return [answers[place] for place in range(len(prompts))]

    def golden_difference(self, card: Card) -> float:
        """The largest difference between this model's logits and the golden ones of its card, in nats."""
        differences = [
            float(np.abs(self.logits(vocabulary.encode(prompt))[-1] - np.array(expected)).max())
            for prompt, expected in card.golden.items()
        ]
        return max(differences, default=0.0)

    def _memories(self, rows: int, room: int) -> list[Memory]:
        return [Memory.empty(self.architecture, rows, room) for _ in range(self.architecture.layers)]

    def _forward(
        self, tokens: Tokens, memories: list[Memory], hooks: Mapping[str, Hook] = _NO_HOOKS
    ) -> Array:
        w, heads = self._weights, self.architecture.heads
        mix = attention if self.architecture.family == "reef" else retention
        x = passed(hooks, EMBED, w["embed"][tokens])
        for layer, memory in enumerate(memories):
            pre, attn_out, mid, mlp_out, post = (f"blocks.{layer}.{name}" for name in OF_LAYER)
            x = passed(hooks, pre, x)
            x = x + passed(hooks, attn_out, mix(rms(x) * w[f"{layer}.norm1"], w, layer, heads, memory))
            x = passed(hooks, mid, x)
            x = x + passed(hooks, mlp_out, self._feed_forward(rms(x) * w[f"{layer}.norm2"], layer))
            x = passed(hooks, post, x)
        return np.asarray((rms(x) * w["norm"]) @ w["embed"].T, dtype=np.float32)

    def _feed_forward(self, x: Array, layer: int) -> Array:
        up = x @ self._weights[f"{layer}.up"]
        if self.architecture.family == "delta":
            half = up.shape[-1] // 2
            inner = up[..., :half] * silu(up[..., half:])
        else:
            inner = gelu(up)
        return np.asarray(inner @ self._weights[f"{layer}.down"], dtype=np.float32)

    def _decode(self, prompts: list[str], room: int, temperature: float, seed: int, draw: int) -> list[str]:
        tokens = np.stack([vocabulary.encode(prompt) for prompt in prompts])
        streams = [_stream(prompt, seed, draw) for prompt in prompts] if temperature > 0 else []
        memories = self._memories(len(prompts), tokens.shape[1] + room)
        answers = np.full((len(prompts), room), vocabulary.END_TOKEN)
        ended = np.zeros(len(prompts), dtype=bool)
        for step in range(room):
            logits = self._forward(tokens, memories)[:, -1]
            logits[:, vocabulary.PAD_TOKEN] = -np.inf
            chosen = _sampled(logits, temperature, streams) if temperature > 0 else logits.argmax(axis=1)
            ended |= chosen == vocabulary.END_TOKEN
            if ended.all():
                break
            answers[~ended, step] = chosen[~ended]
            tokens = chosen[:, None]
        return [vocabulary.decode(row).partition(vocabulary.END)[0] for row in answers]


def require_room(prompt: int, max_tokens: int) -> int:
    """How many tokens an answer to a prompt of `prompt` tokens may have.

    Raises
    ------
    InputError: the prompt is empty, or leaves no room in the context.
    """
    if not 1 <= prompt < CONTEXT:
        raise InputError(
            f"the prompt has {prompt} characters",
            where="ladder prompt",
            remedy=f"give 1 to {CONTEXT - 1} characters: fewer or shorter examples",
        )
    return min(max_tokens, CONTEXT - prompt)


def _require_settings(max_tokens: int, temperature: float, seed: int, draw: int) -> None:
    if max_tokens < 1 or not 0 <= temperature < float("inf") or min(seed, draw) < 0:
        raise InputError(
            f"max_tokens {max_tokens}, temperature {temperature}, seed {seed}, draw {draw}",
            where="ladder generation",
            remedy="give at least one token, a finite temperature of 0 or more, and a seed and draw of 0 or more",
        )


def _stream(prompt: str, seed: int, draw: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\n{draw}\n{prompt}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def _sampled(logits: Array, temperature: float, streams: list[np.random.Generator]) -> Tokens:
    """One token per row by inverting the cumulative distribution at one uniform number per row."""
    scaled = logits.astype(np.float64) / temperature
    cumulative = np.cumsum(np.exp(scaled - scaled.max(axis=1, keepdims=True)), axis=1)
    uniform = np.array([stream.random() for stream in streams])[:, None] * cumulative[:, -1:]
    return np.asarray(np.minimum((cumulative <= uniform).sum(axis=1), logits.shape[1] - 1), dtype=np.int64)
