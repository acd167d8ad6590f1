"""Real evaluations of the ladder under `leadline run`: kept promises, broken ones, killed and interrupted runs."""

import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

from bench.launch.lab import ITEMS, SLOW, Bench, child_of, end
from cli.shell import leadline
from leadline.logs import read_logs

INSPECT = SLOW[0]
TASK = ("leadline/ladder_skill", "--model", "ladder/reef-1", "-T", "skill=sorting", "-T", "level=1", "-T", f"n={ITEMS}",
        "-T", "seed=21", "-T", "shots=2", "--temperature")  # fmt: skip


def test_every_arm_runs_as_promised(bench: Bench) -> None:
    """Without a command each arm is run, in the derived order with the derived seed; nothing is left unknown."""
    said = leadline("run", bench.study, "--json").json
    assert (said["attempt"], said["status"], said["code"], len(said["logs"])) == (1, "completed", 0, 2)
    assert [(one["arm"], one["status"], one["differences"]) for one in said["tasks"]] == [
        ("examples", "success", []),
        ("plain", "success", []),
    ]
    standing, answers = bench.report()
    assert standing == "confirmatory"
    for arm in ("examples", "plain"):
        for promise in ("dataset.order", "generate.seed", "run.after_freeze", "dataset.samples"):
            assert answers[promise, arm] == {"pass"}, promise
    assert answers["metadata.told", "plain"] == {"pass"}
    assert not list((bench.folder / "home" / "runs").iterdir())


def test_what_differs_is_shown_and_in_strict_mode_refused(bench: Bench) -> None:
    """Normal mode runs and says what differs; strict mode scores nothing, and the launcher's status tells."""
    command = ("--", INSPECT, "eval", *TASK, "0.5", "--metadata", "mine=1")
    shown = leadline("run", bench.study, *command)
    assert "generate.temperature" in shown.out and "1 differ" in shown.out
    assert bench.attempts()[0]["status"] == "completed"

    refused = leadline("run", bench.study, "--strict", "--json", *command, status=1).json
    assert (refused["status"], refused["tasks"][0]["refused"], refused["tasks"][0]["samples"]) == (
        "failed",
        True,
        0,
    )
    header = read_logs(refused["tasks"][0]["location"], tier="header").headers[0]
    assert header.status == "error" and "generate.temperature: promised 0, found 0.5" in (header.error or "")
    assert header.metadata["mine"] == 1
    assert bench.attempts()[1]["note"] == "1 task was refused for differing from the protocol"


def test_killed_and_interrupted_runs_stay_open_until_somebody_says_what_became_of_them(bench: Bench) -> None:
    """SIGKILL of the launcher, then a rerun that is interrupted: two attempts are open, and the second run tells."""
    killed = bench.start(*SLOW)
    evaluation = child_of(killed.pid)
    end(killed.pid)
    killed.wait(timeout=60)
    assert [
        one["state"] for one in leadline("attempts", "reconcile", "--dry-run", "--json").json["runs"]
    ] == ["running"]
    end(evaluation)
    _until_gone(evaluation)

    interrupted = bench.start(*SLOW)
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait(timeout=60) == 130
    assert "attempt 1" in bench.told() and "left open, with 1 log" in bench.told()
    assert [(one["number"], one["state"]) for one in bench.attempts()] == [(1, "open"), (2, "open")]

    leadline("attempts", "abandon", bench.study, "1", "--reason", "the machine was needed")
    runs = leadline("attempts", "reconcile", bench.study, "--json").json["runs"]
    assert [(one["attempt"], one["state"], one["status"], one["logs"]) for one in runs] == [
        (1, "over", None, 1),
        (2, "settled", "cancelled", 1),
    ]
    assert leadline("attempts", "reconcile").out.strip() == "No run was left behind."
    checks = leadline("report", bench.study, "--json").json["conformance"]
    accounted = [check["found"] for check in checks if check["id"] == "attempts.accounted"]
    assert accounted == ["abandoned", "closed with 1 logs"]


def test_a_run_without_a_registry_is_announced_later_and_never_passes_as_announced(bench: Bench) -> None:
    """Offline, with `inspect eval-set`: reconciled, the run is marked; that it began later is unknown, not passed."""
    words = (INSPECT, "eval-set", *TASK, "0", "--log-dir", "set", "--log-dir-allow-dirty")
    said = leadline("run", bench.study, "--offline", "--protocol", "study.yaml", "--json", "--", *words).json
    assert (said["attempt"], said["status"], said["code"]) == (None, "open", 0)
    assert said["tasks"][0]["differences"] == []
    assert bench.attempts() == []
    [one] = leadline("attempts", "reconcile", "--json").json["runs"]
    assert (one["state"], one["attempt"], one["status"]) == ("settled", 1, "completed")
    assert "run offline" in bench.attempts()[0]["note"]
    _, answers = bench.report()
    assert answers["run.after_freeze", "examples"] == {"unknown"}
    assert answers["generate.seed", "examples"] == answers["dataset.order", "examples"] == {"pass"}


def _until_gone(process: int) -> None:
    """Wait until a killed process is gone, or waits for a parent that is not there to take note."""
    for _ in range(200):
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    raise AssertionError(f"{process} lives")
