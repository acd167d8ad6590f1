"""Running the command line inside the test process, and a study to run it on."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from leadline.cli.main import main
from logs.factory import write_eval
from registry.world import GENERATE, World, document, samples_of


@dataclass(frozen=True)
class Result:
    """What a command did: its status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error a `--json` command printed."""
        return dict(json.loads(self.err)["error"])


def leadline(*arguments: str | Path, status: int | None = 0) -> Result:
    """Run a command; its status must be `status` unless that is None."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    result = Result(code, out.getvalue(), err.getvalue())
    assert status is None or code == status, f"status {code}\n{result.out}\n{result.err}"
    return result


def write_protocol(path: Path, **changes: Any) -> Path:
    """A registrable protocol as a YAML file; keywords replace top-level blocks."""
    digest = World(path.parent / "for-the-digest").dataset_sha256()
    due = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    plan = document(digest, **{"timeline": {"due": due}, **changes})
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    return path


def write_logs(folder: Path, opened: dict[str, Any]) -> Path:
    """The logs an honest lab writes after `attempts open --json` printed `opened`."""
    folder.mkdir(parents=True)
    begun = datetime.now(UTC) + timedelta(seconds=2)
    for one in opened["arms"]:
        write_eval(
            folder / f"{one['arm']}.eval",
            task="addition",
            model="mockllm/tiny",
            samples=samples_of(one["arm"]),
            created=begun.isoformat(),
            generate_config=GENERATE,
            task_args={"style": one["arm"]},
            metadata=one["metadata"],
            config={"message_limit": 10},
        )
    return folder


@dataclass(frozen=True)
class Lab:
    """A folder with a protocol, a key, a registered study, and the logs of its first attempt, attached."""

    folder: Path
    study: str

    @property
    def protocol(self) -> Path:
        """The registered protocol."""
        return self.folder / "study.yaml"

    @property
    def logs(self) -> Path:
        """The folder of attached logs."""
        return self.folder / "logs"

    @property
    def certificate(self) -> Path:
        """What `leadline register` wrote beside the protocol."""
        return self.folder / f"{self.study}.tlog-proof"


def set_up(folder: Path) -> Lab:
    """Go through the loop up to a closed attempt, by commands alone."""
    protocol = write_protocol(folder / "study.yaml")
    leadline("key", "new")
    study = leadline("register", protocol, "--no-simulate", "--json").json["id"]
    opened = leadline("attempts", "open", study, "--json").json
    logs = write_logs(folder / "logs", opened)
    leadline("attach", study, logs, "--attempt", "1")
    leadline("attempts", "close", study, "1")
    return Lab(folder, study)
