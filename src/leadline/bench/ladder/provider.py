"""The ladder as a model provider of Inspect: ``ladder/reef-1``, ``ladder/delta-6``, ``ladder/reef-3-locked`` ...

Imported by Inspect only, through `leadline.bench.inspect_registry`: this module needs the ``inspect`` extra.
"""

import os
import time
from dataclasses import dataclass, field
from typing import Any

import anyio
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    StopReason,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from leadline.bench.ladder.architecture import CONTEXT
from leadline.bench.ladder.manifest import read_manifest
from leadline.bench.ladder.model import MAX_TOKENS, LadderModel
from leadline.bench.ladder.vocabulary import END
from leadline.bench.ladder.weights import weights_folder
from leadline.errors import InputError, StateError

#: Key under which a message's metadata may carry the number of the draw (the epoch): draws differ, seeds do not.
DRAW = "draw"


@dataclass
class _Request:
    """One prompt waiting to be answered, and the event that says it has been."""

    prompt: str
    settings: tuple[int, float, int, int]
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: str | None = None
    problem: Exception | None = None


class LadderAPI(ModelAPI):  # type: ignore[misc]  # inspect_ai is optional and unseen by the type checker
    """One model of the ladder behind Inspect's interface.

    An answer depends on the weights, the prompt, ``max_tokens``, ``temperature`` (0 unless given), ``seed`` (0 unless
    given) and the draw named by the last message's metadata, and on nothing else: not on what runs beside it.
    Requests that are waiting at the same time are computed together.

    The model argument ``weights_dir`` (``-M weights_dir=...``) or the environment variable
    ``LEADLINE_LADDER_WEIGHTS`` names another folder of weights.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - the signature Inspect prescribes
        weights_dir: str | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        if unknown:
            raise InputError(
                f"the ladder takes no model argument {', '.join(sorted(unknown))}",
                where=f"ladder/{model_name}",
                remedy="the only model argument is weights_dir",
            )
        folder = weights_folder(weights_dir, os.environ)
        self._weights = read_manifest(folder).card(model_name).sha256
        self._model = LadderModel.load(model_name, folder)
        self._waiting: list[_Request] = []

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's name
        tools: list[ToolInfo],  # noqa: ARG002 - the ladder has no tools
        tool_choice: ToolChoice,  # noqa: ARG002
        config: GenerateConfig,
    ) -> ModelOutput:
        """Answer a conversation: system and user texts as they are, assistant texts followed by ``;``."""
        began = time.perf_counter()
        prompt = conversation_text(input)
        most = config.max_tokens if config.max_tokens is not None else MAX_TOKENS
        if len(prompt) >= CONTEXT:
            return self._output(prompt, "", "model_length", began)
        settings = (most, config.temperature or 0.0, config.seed or 0, _draw(input))
        answer = await self._answer(_Request(prompt, settings))
        cut = len(answer) >= min(most, CONTEXT - len(prompt))
        return self._output(prompt, answer, "max_tokens" if cut else "stop", began)

    def max_connections(self) -> int:
        """How many requests may wait together; they are computed as one batch."""
        return 64

    def connection_key(self) -> str:
        """Requests of different models share nothing."""
        return f"ladder/{self.model_name}"

    async def _answer(self, request: _Request) -> str:
        self._waiting.append(request)
        if len(self._waiting) == 1:
            # The first to wait computes for all who join before it runs again, even when it is cancelled itself.
            try:
                await anyio.sleep(0)
            finally:
                waiting, self._waiting = self._waiting, []
                _compute(self._model, waiting)
        else:
            await request.done.wait()
        if request.problem is not None:
            raise request.problem
        if request.answer is None:
            raise StateError(
                "the batch failed", where=f"ladder/{self.model_name}", remedy="run the sample again"
            )
        return request.answer

    def _output(self, prompt: str, answer: str, stop: StopReason, began: float) -> ModelOutput:
        written = len(answer) + (stop == "stop")
        return ModelOutput(
            model=self.model_name,
            choices=[
                ChatCompletionChoice(
                    message=ChatMessageAssistant(content=answer, model=self.model_name, source="generate"),
                    stop_reason=stop,
                )
            ],
            usage=ModelUsage(
                input_tokens=len(prompt), output_tokens=written, total_tokens=len(prompt) + written
            ),
            time=time.perf_counter() - began,
            metadata={"weights_sha256": self._weights},
        )


def conversation_text(messages: list[ChatMessage]) -> str:
    """The one line of text a ladder model reads: each assistant message ends an item, as in training."""
    return "".join(
        message.text + (END if isinstance(message, ChatMessageAssistant) else "") for message in messages
    )


def _draw(messages: list[ChatMessage]) -> int:
    last = messages[-1].metadata if messages else None
    draw = (last or {}).get(DRAW, 0)
    return draw if isinstance(draw, int) and draw >= 0 else 0


def _compute(model: LadderModel, waiting: list[_Request]) -> None:
    """Answer all requests, those of equal settings together; a problem stays with the requests that have it."""
    alike: dict[tuple[int, float, int, int], list[_Request]] = {}
    for request in waiting:
        alike.setdefault(request.settings, []).append(request)
    try:
        for settings, requests in alike.items():
            try:
                answers = model.generate([request.prompt for request in requests], *settings)
            except InputError:
                for request in requests:
                    _compute_alone(model, request)
            else:
                for request, answer in zip(requests, answers, strict=True):
                    request.answer = answer
    finally:
        for request in waiting:
            request.done.set()


def _compute_alone(model: LadderModel, request: _Request) -> None:
    try:
        request.answer = model.generate([request.prompt], *request.settings)[0]
    except InputError as problem:
        request.problem = problem
