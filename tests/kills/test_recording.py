"""kill -9 while recording, again and again in one file: nothing acknowledged is lost, doubled or changed."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.logs import read_logs

_RECORD = """
import sys
from pathlib import Path
from logs.recording.recorded import opened
one = opened(Path(sys.argv[1]))
number = one.results
print("begun", number, flush=True)
while True:
    one.record(number, "s", number, input="q" * (number % 3000))
    number += 1
    print(number, flush=True)
"""
KILLS = 6


@pytest.mark.slow
def test_a_killed_recorder_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """Each round goes on where the last was killed; in the end every acknowledged result is there with its value."""
    path, choice, acknowledged = tmp_path / "r.jsonl", random.Random(5), 0
    tests = Path(__file__).parents[1]
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", _RECORD, str(path)], cwd=tests, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        begun = child.stdout.readline().split()
        assert begun[0] == "begun" and int(begun[1]) >= acknowledged
        for _ in range(choice.randrange(1, 400)):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split("\n")[:-1])])
        child.wait()
        child.stdout.close()
        table = read_logs(path, strict=True)
        values = {
            row["sample_id"]: row["value"]
            for row in table.to_arrow().select(["sample_id", "value"]).to_pylist()
        }
        assert acknowledged <= len(values) <= acknowledged + 1
        assert all(values[str(number)] == number for number in range(acknowledged))
        assert table.headers[0].status == "started"
