"""Studies with protocols that name techniques, models and gaps, for tests of facets and filters."""

import json
from typing import Any

from leadline.store import Appended, Store
from store.factory import TIME, Lab, digest


def protocol(title: str, **blocks: Any) -> bytes:
    """A protocol's bytes: what is given replaces or adds top-level blocks."""
    base: dict[str, Any] = {
        "title": title,
        "models": [{"name": "m", "id": "acme/orca-1b"}],
        "tasks": [{"name": "t", "task": "suite/adding", "dataset": {"sha256": "a" * 64}}],
        "arms": [
            {"name": "a", "technique": "linear probe", "model": "m", "task": "t"},
            {"name": "b", "technique": "none", "model": "m", "task": "t"},
        ],
        "measures": [{"name": "accuracy", "score": "match"}],
        "hypotheses": [{"id": "h1", "kind": "greater", "claim": "It is so"}],
        "gap": {"scale": {"distance": "far"}, "task": {"distance": "near"}},
    }
    return json.dumps({**base, **blocks}).encode()


def techniques(*names: str) -> list[dict[str, str]]:
    """One arm for each technique."""
    return [{"name": f"arm{i}", "technique": name, "model": "m", "task": "t"} for i, name in enumerate(names)]


def add_study(
    lab: Lab, store: Store, title: str, *, freeze: dict[str, Any] | None = None, **blocks: Any
) -> Appended:
    """Freeze a study with a protocol of its own."""
    body = protocol(title, **blocks)
    (receipt,) = lab.add(store, lab.freeze(title, body, **(freeze or {})), blobs=(body,))
    return receipt


def add_report(lab: Lab, store: Store, study: str, body: bytes, **verdicts: tuple[str, str]) -> None:
    """Publish a report with these (outcome, standing) by hypothesis; `body` is the protocol's bytes."""
    report = json.dumps({"of": study, "at": store.size()}).encode()
    store.put_blob(report)
    said = {
        "study": study,
        "report": digest(report),
        "protocol": digest(body),
        "logs": [],
        "engine": "0.1.0",
        "verdicts": {
            name: {"outcome": outcome, "reason": "computed", "standing": standing}
            for name, (outcome, standing) in verdicts.items()
        },
        "created": TIME,
    }
    lab.add(store, lab.statement("report", said, lab.service))
