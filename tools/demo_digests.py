"""Fill the digests into the demonstration's protocols: weights from the manifest, datasets from their items.

    python -m tools.demo_digests

A protocol binds the models it was written for and the items it will ask by content. Where a protocol says
``"@weights NAME"`` or ``"@dataset SKILL LEVEL N SEED"``, or holds a digest in the place of one, the digest of
what is in the repository now is written. Run it after the ladder was trained again.
"""

import re
import tempfile
from pathlib import Path

from leadline.bench.ladder import read_manifest, run_task
from leadline.bench.ladder.weights import weights_folder
from leadline.logs import read_logs
from leadline.protocol.model import Protocol

FOLDER = Path(__file__).parents[1] / "src/leadline/bench/demo/protocols"
PLACE = re.compile(r'"(?:@(?:weights|dataset) [^"]+|[0-9a-f]{64})"')


def dataset_digest(skill: str, level: int, n: int, seed: int) -> str:
    """Content digest of a task's items, from a log that the smallest model writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = run_task("reef-1", {"skill": skill, "level": level, "n": n, "seed": seed}, folder)
        digest = read_logs(path, tier="sample").headers[0].dataset_sha256
    assert digest is not None
    return digest


def filled(text: str) -> str:
    """The protocol's text with every digest current."""
    manifest = read_manifest(weights_folder(None, {}))
    plain = PLACE.sub(f'"{"0" * 64}"', text)
    protocol = Protocol.parse(plain)
    digests = []
    for task in protocol.tasks:
        a = task.args
        digests.append(dataset_digest(str(a["skill"]), int(a["level"]), int(a["n"]), int(a["seed"])))
    for arm in protocol.arms:
        model = protocol.model(arm.model).id or ""
        digests.append(manifest.card(model.removeprefix("ladder/")).sha256)
    found = iter(digests)
    result = PLACE.sub(lambda _: f'"{next(found)}"', text)
    assert next(found, None) is None, "a digest has no place"
    return result


def main() -> None:
    """Rewrite the protocols in place."""
    for path in sorted(FOLDER.glob("*.yaml")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(path.name, Protocol.load(path).digest)


if __name__ == "__main__":
    main()
