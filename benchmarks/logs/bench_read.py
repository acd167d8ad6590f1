"""Reading speed as ratios measured in one run: to the decompression floor, and to Inspect's `samples_df`.

    python benchmarks/logs/bench_read.py [--logs 40] [--samples 50] [--agentic] [--no-inspect]

The corpus is written by this script (3 scorers, 2 epochs, messages and events of realistic bulk) into a
temporary folder. The floor inflates the members that a tier needs and hashes the files, and does nothing
else. Each figure is processor time, the best of three runs, warm cache, one process. Peak memory is that of a fresh process
per tier, with and without the reading.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from leadline.logs import read_logs  # noqa: E402
from leadline.logs.container import Archive  # noqa: E402
from leadline.logs.source import opened  # noqa: E402
from logs.factory import CREATED, sample, write_eval  # noqa: E402

PHRASES = [
    f"{subject} {verb} {thing}{end}"
    for subject in ("The model", "A second reader", "The grader", "My first guess")
    for verb in ("adds", "compares", "rejects", "explains", "counts")
    for thing in (
        "the two numbers",
        "every case in turn",
        "the answer that was given",
        "what the question leaves open",
    )
    for end in (".", ", and then checks the result.", " because the last step was not needed.")
]


def corpus(folder: Path, logs: int, items: int, bulk: int) -> None:
    """`logs` files of `items` samples in 2 epochs; `bulk` is about the number of raw bytes per sample."""
    rng = random.Random(20261121)
    for number in range(logs):
        rows = [_row(rng, item, epoch, bulk) for epoch in (1, 2) for item in range(items // 2)]
        write_eval(folder / f"{number:04}.eval", task="qa", model=f"mockllm/{number % 5}", samples=rows)


def _text(rng: random.Random, size: int) -> str:
    return " ".join(rng.choices(PHRASES, k=max(1, size // 50)))


def _identifier(rng: random.Random) -> str:
    return f"{rng.getrandbits(110):x}"


def _row(rng: random.Random, item: int, epoch: int, bulk: int) -> dict[str, object]:
    turns = [_turn(rng) for _ in range(max(1, bulk // 9000))]
    scores = {
        "match": {
            "value": rng.choice("CI"),
            "answer": _text(rng, 40),
            "explanation": _text(rng, 300),
            "history": [],
        },
        "judge": {"value": round(rng.random(), 3), "explanation": _text(rng, 900), "history": []},
        "refused": {"value": rng.random() < 0.1, "history": [], "metadata": {"grade": _text(rng, 60)}},
    }
    return sample(item, scores, epoch=epoch, input=_text(rng, 800), target=_text(rng, 50),
                  messages=[message for messages, _ in turns for message in messages],
                  events=[event for _, event in turns],
                  metadata={"difficulty": rng.randrange(5), "source": _text(rng, 50)})  # fmt: skip


def _turn(rng: random.Random) -> tuple[list[dict[str, object]], dict[str, object]]:
    """A question and its answer, and the model event that records them again, request and response included."""
    asked = {"id": _identifier(rng), "role": "user", "content": _text(rng, 1100), "source": "input"}
    given = {"id": _identifier(rng), "role": "assistant", "content": _text(rng, 1100), "source": "generate"}
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


def best(work: Callable[[], object], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def inflate_all(folder: Path, wanted: Callable[[str], bool]) -> int:
    """Inflate the wanted members of every log; raw bytes."""
    raw = 0
    for path in sorted(folder.iterdir()):
        with opened(path) as source:
            archive = Archive(source)
            for member in archive.members.values():
                if wanted(member.name):
                    raw += len(archive.read(member))
    return raw


def hash_all(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as handle:
            hashlib.file_digest(handle, "sha256")


def peak_rss(folder: Path, tier: str) -> tuple[float, float]:
    """Peak memory (MiB) of a process that imports the reader, and of one that reads with it."""
    code = (
        "import sys, re, pyarrow, msgspec, zstandard\n"
        "import pyarrow.compute\n"
        "from leadline.logs import read_logs\n"
        "if sys.argv[2] != '-':\n    table = read_logs(sys.argv[1], tier=sys.argv[2])\n"
        "    print(pyarrow.total_allocated_bytes() / 2**20, end=' ')\n"
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder, given.logs, given.samples, 790_000 if given.agentic else 47_000)
        measure(folder, given.logs * (given.samples // 2) * 2, inspect=not given.no_inspect)


def measure(folder: Path, samples: int, *, inspect: bool) -> None:
    def is_sample(member: str) -> bool:
        return member.startswith("samples/")

    def is_brief(member: str) -> bool:
        return member in ("summaries.json", "header.json")

    disk = sum(path.stat().st_size for path in folder.iterdir())
    raw = {"summary": inflate_all(folder, is_brief), "sample": inflate_all(folder, is_sample)}
    print(f"{samples:,} samples, {disk / 1e6:.0f} MB on disk, {raw['sample'] / 1e6:.0f} MB raw, "
          f"summaries {raw['summary'] / 1e6:.1f} MB raw")  # fmt: skip
    hashing = best(lambda: hash_all(folder))
    for tier, wanted in (("summary", is_brief), ("sample", is_sample)):
        floor = best(lambda wanted=wanted: inflate_all(folder, wanted))
        spent = best(lambda tier=tier: read_logs(folder, tier=tier))
        beyond, output = peak_rss(folder, tier)
        print(f"{tier:8} floor {floor:.3f} s, hashing {hashing:.3f} s, table {spent:.3f} s: "
              f"{spent / (floor + hashing):.2f} x (floor + hash), {samples / spent:,.0f} samples/s, "
              f"peak memory over imports and {output:.0f} MiB of output: {beyond:.0f} MiB")  # fmt: skip
        if inspect:
            print(f"{'':8} samples_df {(theirs := inspect_time(folder, tier)):.2f} s: {theirs / spent:.0f} x")


def inspect_time(folder: Path, tier: str) -> float:
    from inspect_ai.analysis import SampleScores, SampleSummary, samples_df

    columns = SampleSummary if tier == "summary" else SampleSummary + SampleScores
    return best(lambda: samples_df(str(folder), columns=columns, quiet=True), runs=1)


if __name__ == "__main__":
    main()
