"""`check`: run every rule over a plan, after rehearsing and simulating it."""

from collections.abc import Callable
from datetime import date

from leadline.errors import ProtocolError
from leadline.protocol.model import Protocol
from leadline.registry.check import claims, conduct, design, identity, power, registered
from leadline.registry.check.model import Examination, Finding, Rule, Studies, View, finding, ordered

Progress = Callable[[int, int], None]

#: Every rule; a new group of rules is one line here.
RULES: tuple[Rule, ...] = (
    *identity.RULES,
    *claims.RULES,
    *design.RULES,
    *conduct.RULES,
    *power.RULES,
    *registered.RULES,
)


def check(
    protocol: Protocol,
    registry: Studies | None = None,
    *,
    replicates: int | None = None,
    today: date | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Read a plan as a critical referee would; errors first. Errors block registration, the rest does not.

    Executes the plan once on simulated data, then simulates its operating characteristics with
    ``replicates`` studies per truth (None: as registered; 0: not at all). ``today`` (UTC) is needed to
    judge dates, ``registry`` to find what is registered already. Deterministic; raises nothing about the plan.
    """
    return list(examine(protocol, registry, replicates=replicates, today=today, progress=progress).findings)


def examine(
    protocol: Protocol,
    registry: Studies | None = None,
    *,
    replicates: int | None = None,
    today: date | None = None,
    progress: Progress | None = None,
) -> Examination:
    """As `check`, with the simulated operating characteristics beside the findings."""
    from leadline.verdict.simulation import execute, operating_characteristics

    faults: list[Finding] = []
    simulated = None
    try:
        execute(protocol)
        if replicates != 0:
            simulated = operating_characteristics(protocol, replicates=replicates, progress=progress)
    except ProtocolError as error:
        where = error.where or "the protocol"
        faults.append(finding("S001", where, error.message, error.remedy() or "correct it"))
    view = View(protocol, today, registry, simulated)
    found = [remark for rule in RULES for remark in rule(view)]
    return Examination(tuple(ordered([*faults, *found])), simulated)
