"""Search latency by kind of query, with the ranking cap and without it, over synthetic studies.

Run: ``python benchmarks/store/search.py [studies]``; 100,000 studies take a minute or two to make.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from append import append, drafts

from leadline.store import Query, Store, open_store, search_studies
from leadline.store.sqlite import text
from store.factory import Lab

QUERIES = {
    "rare word": "word31337",
    "middling word": "word300",
    "common word": "word1",
    "two words": "word2 word30",
    "three words": "word1 word2 word3",
    "phrase": '"word1 word2"',
}


def latency(store: Store, query: Query, repeats: int) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        search_studies(store, query)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), sorted(times)[int(0.95 * len(times))]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("studies", nargs="?", type=int, default=20_000)
    count = options.parse_args().studies
    lab = Lab()
    with tempfile.TemporaryDirectory() as name, open_store(Path(name) / "registry.db") as store:
        lab.start(store)
        for start in range(0, count, 5000):
            append(store, lab, drafts(lab, f"part {start}", min(5000, count - start)), 500)
        print(f"{'':16}{'capped p50':>12}{'p95':>8}{'uncapped p50':>15}   ms, {count:,} studies")
        for label, words in QUERIES.items():
            capped = latency(store, Query(words), 20)
            cap, text.RANK_CAP = text.RANK_CAP, 10**9
            whole = latency(store, Query(words), 5)
            text.RANK_CAP = cap
            print(f"{label:16}{capped[0]:12.2f}{capped[1]:8.2f}{whole[0]:15.2f}")


if __name__ == "__main__":
    main()
