"""MCP search at 10,000 registered studies: a scripted client in the same process, beside the bare search.

Run: ``python benchmarks/mcp/search.py [studies]``. The studies are signed and logged like any other; their protocols
are short documents from a Zipf vocabulary. The floor is `search_studies` itself, called without MCP in the same run:
the rest is facet counts, provenance, validation and JSON-RPC.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import mcp
import numpy as np

from leadline.ledger.keys import SigningKey
from leadline.mcp.desk import ReadingDesk
from leadline.mcp.server import create_server
from leadline.registry.registry import Registry, Said
from leadline.store import ReadView
from leadline.store.query import Query
from leadline.store.search import search_studies

VOCABULARY, WORDS, GROUP, CALLS = 20_000, 60, 500, 200
AREAS = ("control/monitoring", "evaluation/elicitation", "interpretability/probing", "oversight/debate")


def fill(registry: Registry, key: SigningKey, count: int) -> None:
    """Register studies in groups of 500."""
    rng, draw = np.random.default_rng(1), Random(1)
    shares = 1 / np.arange(1, VOCABULARY + 1)
    registry.register_key("Ada")
    for start in range(0, count, GROUP):
        said: list[Said] = []
        for number in range(start, min(start + GROUP, count)):
            words = [f"word{rank}" for rank in rng.choice(VOCABULARY, WORDS, p=shares / shares.sum())]
            document = {
                "title": " ".join(words[:6]),
                "notes": " ".join(words),
                "gap": {"scale": {"distance": draw.choice(["near", "far"])}},
                "number": number,
            }
            digest = registry.store.put_blob(json.dumps(document).encode())
            fields = {
                "title": document["title"],
                "protocol": digest,
                "authors": [f"author {draw.randrange(200)}"],
                "area": [draw.choice(AREAS)],
                "hypotheses": [{"id": "H1", "kind": "greater", "claim": " ".join(words[6:16])}],
                "created": registry.time(),
            }
            said.append(("freeze", fields, key))
        registry.append(lambda view, said=said: said)  # type: ignore[misc]  # noqa: ARG005


def percentile(times: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    return 1e3 * statistics.median(times), 1e3 * statistics.quantiles(times, n=20)[-1]


async def through_mcp(registry: Registry, texts: Sequence[str]) -> list[float]:
    """Seconds per search_studies call, counts included."""
    times = []
    async with mcp.Client(create_server(ReadingDesk(registry))) as client:
        for text in texts:
            begun = time.perf_counter()
            answer = await client.call_tool("search_studies", {"text": text})
            times.append(time.perf_counter() - begun)
            assert not answer.is_error
    return times


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="?", type=int, default=10_000)
    count = parser.parse_args().studies
    draw = Random(2)
    texts = [
        " ".join(f"word{int(VOCABULARY ** draw.random())}" for _ in range(draw.randint(1, 3)))
        for _ in range(CALLS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        key = SigningKey.generate("example.org/ada")
        with Registry.open(Path(folder) / "registry.db", key=key) as registry:
            fill(registry, key, count)
            bare = []
            view: ReadView = registry.store
            for text in texts:
                begun = time.perf_counter()
                search_studies(view, Query(text=text, limit=5))
                bare.append(time.perf_counter() - begun)
            asked = asyncio.run(through_mcp(registry, texts))
    (floor, floor95), (median, p95) = percentile(bare), percentile(asked)
    print(f"{count:,} studies, {CALLS} queries of one to three words")
    print(f"bare search      p50 {floor:6.1f} ms   p95 {floor95:6.1f} ms")
    print(
        f"search over MCP  p50 {median:6.1f} ms   p95 {p95:6.1f} ms   {median / floor:.1f} x the bare search"
    )
    print("goal: p95 below 150 ms at 10,000 studies")


if __name__ == "__main__":
    main()
