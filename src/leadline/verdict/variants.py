"""Runs of one arm that differ in what the protocol left open.

Identical reruns are one variant and are pooled. Runs that differ in an open setting are several
variants: every outcome must then survive correction over all of them, or somebody could run until
one pleases.
"""

import json
from collections.abc import Sequence
from typing import Final

from leadline.logs.headers import LogHeader
from leadline.protocol.model import Protocol
from leadline.verdict.conformance.settings import CONDUCT, LIMITS

#: Combinations of variants (one of each arm) that are weighed. Each is an analysis of its own at a level divided by
#: their number, so beyond these the outcome is inconclusive, which bounds what hostile logs can cost.
MOST_COMBINATIONS: Final = 64


def variants_of_arm(protocol: Protocol, headers: Sequence[LogHeader]) -> list[tuple[str, ...]]:
    """Logs (sha256) of each variant; with `reruns: first`, only the earliest log of each."""
    groups: dict[str, list[LogHeader]] = {}
    for header in headers:
        groups.setdefault(signature(header), []).append(header)
    first = protocol.attempts.reruns == "first"
    result = []
    for _, members in sorted(groups.items()):
        ordered = sorted(members, key=lambda header: (str(header.created), header.sha256))
        result.append(tuple(header.sha256 for header in (ordered[:1] if first else ordered)))
    return result


def signature(header: LogHeader) -> str:
    """Canonical text of every setting that can change an answer."""
    open_settings = {
        "model": [header.model, header.model_base_url, header.model_args, header.model_roles],
        "task": [header.task, header.task_version, header.task_args],
        "generate": header.generate_config,
        "plan": header.steps,
        "scorers": header.scorers,
        "sandbox": header.sandbox,
        "config": {key: (header.config or {}).get(key) for key in ("epochs", *LIMITS, *CONDUCT)},
        "items": header.dataset_sha256 or sorted(map(str, header.dataset.sample_ids or ())),
    }
    return json.dumps(open_settings, sort_keys=True, default=str)
