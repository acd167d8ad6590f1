"""Recall and speed of `similar`: a hundred paraphrased duplicates hidden among 10,000 studies.

Run: ``python benchmarks/store/search_similar.py [studies]``. The paraphrases share no word of the title, and most of
their rewordings are unknown to the matcher (`tests/registry/paraphrases.py`). Speed stands beside a search by one word.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from math import sqrt
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from leadline.registry.similar import nearest
from leadline.store import Draft, Query, Store, open_store, search_studies
from registry.paraphrases import Idea, draft, idea, original, paraphrase
from store.factory import Lab

ASKED = 100


def fill(store: Store, count: int) -> dict[Idea, int]:
    """Append that many studies; their log indexes."""
    lab, draw = Lab(), Random(5)
    lab.start(store)
    ideas = list(dict.fromkeys(idea(draw) for _ in range(count)))
    indexes: dict[Idea, int] = {}
    for start in range(0, len(ideas), 1000):
        drafts = []
        for about in ideas[start : start + 1000]:
            document = original(about)
            body = json.dumps(document).encode()
            claims = [{name: one[name] for name in ("id", "kind", "claim")} for one in document["hypotheses"]]
            envelope = lab.freeze(document["title"], body, area=document["area"], hypotheses=claims)
            drafts.append(Draft(envelope, (body,)))
        receipts = store.append(lambda _, drafts=drafts: drafts, sign=lab.sign)
        indexes |= {
            about: one.index for about, one in zip(ideas[start : start + 1000], receipts, strict=True)
        }
    return indexes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("studies", nargs="?", type=int, default=10_000)
    count = options.parse_args().studies
    with tempfile.TemporaryDirectory() as name, open_store(Path(name) / "registry.db") as store:
        indexes = fill(store, count)
        asked = Random(9).sample(list(indexes), ASKED)
        drafts = [draft(paraphrase(about)) for about in asked]
        kept = [draft(paraphrase(about, terms=True)) for about in asked]
        floor = []
        for plan in drafts:
            start = time.perf_counter()
            search_studies(store, Query(plan.title.split()[-1]))
            floor.append(1000 * (time.perf_counter() - start))
        print(
            f"{len(indexes):,} studies, {ASKED} paraphrases; a search by one word {statistics.median(floor):.2f} ms"
        )
        for label, plans, switches in (
            ("structure and words", drafts, {}),
            ("structure alone", drafts, {"words": False}),
            ("words alone", drafts, {"structure": False}),
            ("words alone, terms kept", kept, {"structure": False}),
        ):
            hits, times = 0, []
            for about, plan in zip(asked, plans, strict=True):
                start = time.perf_counter()
                near = nearest(store, plan, 5, **switches)
                times.append(1000 * (time.perf_counter() - start))
                hits += indexes[about] in {one.row.ix for one in near}
            share = hits / ASKED
            error = sqrt(share * (1 - share) / ASKED)
            print(
                f"{label:26}recall in the top five {share:.2f} (standard error {error:.3f})"
                f"   p50 {statistics.median(times):6.1f} ms   p95 {sorted(times)[94]:6.1f} ms"
            )


if __name__ == "__main__":
    main()
