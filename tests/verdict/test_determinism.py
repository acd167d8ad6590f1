"""The same inputs give byte-identical report JSON: threads, processor features and file order do not matter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry.world import World

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from registry.world import document
from leadline.logs import read_logs
from leadline.protocol.model import Protocol
from leadline.verdict.analysis import analyze
protocol = Protocol.model_validate(document(sys.argv[2]))
report = analyze(protocol, read_logs([Path(p) for p in sys.argv[3:]], tier="sample"))
sys.stdout.buffer.write(report.to_json())
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    """A dataset digest and the logs of one honest run."""
    world = World(tmp_path_factory.mktemp("determinism"))
    study = world.register()
    return world.dataset_sha256(), world.attempt(study)


def report_bytes(digest: str, logs: list[Path], **environment: str) -> bytes:
    """The report's JSON, computed in a fresh process."""
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parents[1]), digest, *map(str, logs)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=True)
    return done.stdout


def test_report_bytes_do_not_depend_on_the_machine(inputs: tuple[str, list[Path]]) -> None:
    """One and two threads, without AVX2 and FMA, and with the files shuffled: the same bytes."""
    digest, logs = inputs
    first = report_bytes(digest, logs, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
    assert len(first) > 1000
    assert (
        report_bytes(digest, logs, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", NUMBA_NUM_THREADS="2")
        == first
    )
    assert report_bytes(digest, logs, NPY_DISABLE_CPU_FEATURES=disabled_features()) == first
    assert report_bytes(digest, logs[::-1]) == first


def disabled_features() -> str:
    """Every optional processor feature numpy would use here, to be switched off."""
    import numpy as np

    dispatched = np._core._multiarray_umath.__cpu_dispatch__  # type: ignore[attr-defined]
    present = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    return " ".join(name for name in dispatched if present.get(name))
