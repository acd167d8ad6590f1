"""Reading speed as ratios measured in one run: to the decompression floor, and to Inspect's `samples_df`.

    python benchmarks/logs/bench_read.py [--logs 40] [--samples 100] [--agentic] [--no-inspect]

The corpus is written by this script (3 scorers, 2 epochs, messages and events of realistic bulk) into a
temporary folder; its compression is printed. The floor maps each file, hashes it, and inflates the members that a tier
needs, without a check and without a look at them; "checked" adds this package's length and CRC checks. Floor and
reading take turns; each figure is processor time, the best of several, warm cache, one process. Peak memory is that
of a fresh process per tier, with and without the reading, on the corpus and on one ten times larger.
"""

import argparse
import hashlib
import mmap
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import zstandard

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from leadline.logs import read_logs  # noqa: E402
from leadline.logs.container import Archive, Member  # noqa: E402
from leadline.logs.source import opened  # noqa: E402
from logs.factory import CREATED, sample, write_eval  # noqa: E402

_RNG = random.Random(5)
_WORDS = [
    "".join(_RNG.choices("etaoinshrdlucmfwypvbgk", range(22, 0, -1), k=_RNG.randint(2, 9)))
    for _ in range(4000)
]
_WEIGHTS = [1 / (rank + 3) for rank in range(len(_WORDS))]
#: Sentences that a corpus repeats; their number decides how well it compresses.
SENTENCES = {
    False: [" ".join(_RNG.choices(_WORDS, _WEIGHTS, k=10)) for _ in range(500)],
    True: [" ".join(_RNG.choices(_WORDS, _WEIGHTS, k=10)) for _ in range(1200)],
}


def corpus(folder: Path, logs: int, items: int, bulk: int) -> None:
    """`logs` files of `items` samples in 2 epochs; `bulk` is about the number of raw bytes per sample."""
    rng = random.Random(20261121)
    for number in range(logs):
        rows = [_row(rng, item, epoch, bulk) for epoch in (1, 2) for item in range(items // 2)]
        write_eval(folder / f"{number:04}.eval", task="qa", model=f"mockllm/{number % 5}", samples=rows)


def _text(rng: random.Random, size: int) -> str:
    return " ".join(rng.choices(SENTENCES[size > 2000], k=max(1, size // 56)))


def _identifier(rng: random.Random) -> str:
    return f"{rng.getrandbits(110):x}"


def _row(rng: random.Random, item: int, epoch: int, bulk: int) -> dict[str, object]:
    length = 1100 if bulk < 100_000 else 2200
    turns = [_turn(rng, length) for _ in range(max(1, bulk // (8 * length)))]
    scores = {
        "match": {
            "value": rng.choice("CI"),
            "answer": _text(rng, 40),
            "explanation": _text(rng, 1000),
            "history": [],
        },
        "judge": {"value": round(rng.random(), 3), "explanation": _text(rng, 900), "history": []},
        "refused": {
            "value": rng.random() < 0.1,
            "explanation": _text(rng, 900),
            "history": [],
            "metadata": {"grade": _text(rng, 60)},
        },
    }
    return sample(item, scores, epoch=epoch, input=_text(rng, 800), target=_text(rng, 50),
                  messages=[message for messages, _ in turns for message in messages],
                  events=[event for _, event in turns],
                  metadata={"difficulty": rng.randrange(5), "source": _text(rng, 50)})  # fmt: skip


def _turn(rng: random.Random, length: int) -> tuple[list[dict[str, object]], dict[str, object]]:
    """A question and its answer, and the model event that records them again, request and response included."""
    asked = {"id": _identifier(rng), "role": "user", "content": _text(rng, length), "source": "input"}
    given = {"id": _identifier(rng), "role": "assistant", "content": _text(rng, length), "source": "generate"}
    usage = {"input_tokens": rng.randrange(900), "output_tokens": rng.randrange(900), "total_tokens": 1200}
    output = {
        "model": "mockllm/model",
        "choices": [{"message": given, "stop_reason": "stop"}],
        "usage": usage,
    }
    call = {"request": {"model": "m", "messages": [asked]}, "response": {"choices": [given], "usage": usage}}
    event = {"event": "model", "uuid": _identifier(rng), "timestamp": CREATED, "working_start": 0.5, "span_id": "s",
             "model": "mockllm/model", "input": [asked], "tools": [], "tool_choice": "auto", "config": {},
             "output": output, "call": call}  # fmt: skip
    return [asked, given], event


def spent(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def best(*works: Callable[[], object], runs: int = 5) -> list[float]:
    """The least processor time of each; they take turns, so that a busy machine is busy for all of them."""
    return [min(times) for times in zip(*([spent(work) for work in works] for _ in range(runs)), strict=True)]


def places(folder: Path, wanted: Callable[[str], bool]) -> dict[Path, list[Member]]:
    """The wanted members of every log."""
    found = {}
    for path in sorted(folder.iterdir()):
        with opened(path) as source:
            found[path] = [m for m in Archive(source).members.values() if wanted(m.name)]
    return found


def floor(found: dict[Path, list[Member]]) -> None:
    """Map, hash, inflate; nothing is looked at."""
    inflate = zstandard.ZstdDecompressor().decompress
    for path, members in found.items():
        with (
            path.open("rb") as handle,
            mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as view,
        ):
            hashlib.sha256(view).digest()
            for member in members:
                at = member.offset + 30 + sum(struct.unpack_from("<2H", view, member.offset + 26))
                inflate(view[at : at + member.packed], max_output_size=member.size)


def checked(found: dict[Path, list[Member]]) -> None:
    """Hash and inflate as the reader does it, length and CRC-32 compared with the directory."""
    for path, members in found.items():
        with opened(path) as source:
            source.sha256()
            archive = Archive(source)
            for member in members:
                archive.read(member)


def hash_all(folder: Path) -> None:
    for path in folder.iterdir():
        with opened(path) as source:
            source.sha256()


def peak_rss(folder: Path, tier: str) -> tuple[float, float]:
    """Peak memory (MiB) of a process that imports the reader, and of one that reads with it."""
    code = (
        "import sys, re, pyarrow, msgspec, zstandard\n"
        "import pyarrow.compute\n"
        "from leadline.logs import read_logs\n"
        "if sys.argv[2] != '-':\n    table = read_logs(sys.argv[1], tier=sys.argv[2])\n"
        "    print(table.to_arrow().nbytes / 2**20, end=' ')\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)\n"
    )
    run = [sys.executable, "-c", code, str(folder)]
    idle = float(subprocess.check_output([*run, "-"]).split()[-1])
    output, peak = map(float, subprocess.check_output([*run, tier]).split())
    return peak - idle - output, output


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--logs", type=int, default=40)
    options.add_argument("--samples", type=int, default=100)
    options.add_argument("--agentic", action="store_true", help="790 KB per sample instead of 47")
    options.add_argument("--no-inspect", action="store_true")
    given = options.parse_args()
    bulk = 790_000 if given.agentic else 47_000
    with tempfile.TemporaryDirectory() as name:
        folder, tenth = Path(name, "all"), Path(name, "tenth")
        for place, logs in ((folder, given.logs), (tenth, max(1, given.logs // 10))):
            place.mkdir()
            corpus(place, logs, given.samples, bulk)
        measure(folder, inspect=not given.no_inspect)
        memory(folder, tenth)
        again(folder, Path(name))


def is_sample(member: str) -> bool:
    return member.startswith("samples/")


def is_brief(member: str) -> bool:
    return member in ("summaries.json", "header.json")


def measure(folder: Path, *, inspect: bool) -> None:
    disk = sum(path.stat().st_size for path in folder.iterdir())
    for tier, wanted in (("summary", is_brief), ("sample", is_sample)):
        found = places(folder, wanted)
        raw = sum(member.size for members in found.values() for member in members)
        packed = sum(member.packed for members in found.values() for member in members)
        samples = read_logs(folder, tier=tier).accounting.kept
        bare, sure, table = best(
            lambda found=found: floor(found),
            lambda found=found: checked(found),
            lambda tier=tier: read_logs(folder, tier=tier),
        )
        print(
            f"{tier:8} {samples:,} samples, {disk / 1e6:.0f} MB of files, {raw / 1e6:.1f} MB raw ({raw / packed:.1f} to 1)"
        )
        print(f"{'':8} floor {samples / bare:,.0f}/s, checked {samples / sure:,.0f}/s, table {samples / table:,.0f}/s: "
              f"{table / bare:.2f} x floor, {table / sure:.2f} x checked")  # fmt: skip
        if inspect:
            print(f"{'':8} samples_df {(theirs := inspect_time(folder, tier)):.2f} s: {theirs / table:.0f} x")


def memory(folder: Path, tenth: Path) -> None:
    for tier in ("summary", "sample"):
        (small, _), (large, output) = peak_rss(tenth, tier), peak_rss(folder, tier)
        print(f"{tier:8} peak memory over imports and output: {small:.0f} MiB, on ten times as many logs {large:.0f} MiB "
              f"({output:.0f} MiB of output)")  # fmt: skip


def again(folder: Path, home: Path) -> None:
    """A second reading from the cache beside the hashing of the files, and one by two processes beside one."""
    os.environ["LEADLINE_HOME"] = str(home)
    for tier in ("summary", "sample"):
        kept = lambda tier=tier: read_logs(folder, tier=tier, cache=home / "cache")  # noqa: E731
        first = spent(kept)
        plain, second, hashing = best(
            lambda tier=tier: read_logs(folder, tier=tier), kept, lambda: hash_all(folder)
        )
        print(f"{tier:8} cache: first {first:.2f} s, then {second:.3f} s beside {plain:.3f} s without it ({plain / second:.1f} x), "
              f"hashing alone {hashing:.3f} s")  # fmt: skip
    walls = {}
    for workers in (1, 2, 1, 2):
        start = time.perf_counter()
        read_logs(folder, tier="sample", workers=workers)
        walls[workers] = min(walls.get(workers, 1e9), time.perf_counter() - start)
    print(f"sample   one process {walls[1]:.2f} s, two helpers {walls[2]:.2f} s by the clock")


def inspect_time(folder: Path, tier: str) -> float:
    from inspect_ai.analysis import SampleScores, SampleSummary, samples_df

    columns = SampleSummary if tier == "summary" else SampleSummary + SampleScores
    return spent(lambda: samples_df(str(folder), columns=columns, quiet=True))


if __name__ == "__main__":
    main()
