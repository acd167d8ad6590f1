"""What a critical reader says of a draft: findings with their place and remedy, similar studies, power."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from leadline.errors import InputError, LeadlineError, ProtocolError
from leadline.logs.apart import MIB, ApartLimits, run_apart
from leadline.protocol.document import DocumentError, parse, read_nodes
from leadline.protocol.model import Protocol
from leadline.protocol.nodes import MalformedError, Node
from leadline.registry.check.model import Finding, View, ordered
from leadline.registry.check.reader import RULES, examine
from leadline.web.views.characteristics import characteristics_figure
from leadline.web.views.figures import Placed

#: Characters of a draft.
MOST: Final = 64_000
#: Simulated studies per truth, of a draft: enough to see, not enough to freeze.
REPLICATES: Final = 400
_LIMITS: Final = ApartLimits(memory=2048 * MIB, cpu_seconds=40, wall_seconds=45.0, output=8 * MIB, files=64)
_MOST_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark: how grave, where (a field path, and a line where it is known), what, and what to do."""

    severity: str
    where: str
    line: int | None
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Near:
    """A registered study that is like the draft."""

    id: str
    title: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that is said of a draft."""

    heading: str
    note: str = ""
    findings: tuple[Remark, ...] = ()
    similar: tuple[Near, ...] = ()
    figure: Placed | None = None
    caption: str = ""

    @property
    def blocks(self) -> bool:
        """Whether something forbids registration."""
        return any(one.severity == "error" for one in self.findings)


Similar = Callable[[Protocol], Sequence[Near]]


def read_draft(text: str, *, today: date, simulate: bool, similar: Similar) -> Reading:
    """Read a draft from anybody. Nothing in it is executed here: with `simulate`, in a process of its own.

    `similar` finds registered studies that are like it.
    """
    if len(text) > MOST:
        return _unread(
            Remark("error", "the draft", None, f"it is longer than {MOST:,} characters", "shorten it")
        )
    try:
        plan = parse(text, name="study.yaml")
    except DocumentError as error:
        return _unread(*(_fault(one) for one in error.faults[:_MOST_FINDINGS]))
    except RecursionError:
        return _unread(Remark("error", "the draft", None, "it is nested too deeply", "flatten it"))
    except LeadlineError as error:
        return _unread(Remark("error", error.where or "the draft", None, error.message, error.remedy() or ""))
    found, figure, note = _simulated(plan, today) if simulate else (_ruled(plan, today), None, "")
    root = _places(text)
    remarks = tuple(_remark(one, root) for one in found[:_MOST_FINDINGS])
    reading = Reading(_heading(remarks), note, remarks, tuple(similar(plan)), figure)
    return replace(
        reading, caption=f"The registered analysis on {REPLICATES} simulated studies for each truth."
    )


def _unread(*remarks: Remark) -> Reading:
    many = len(remarks)
    return Reading(
        "This is not a protocol yet", f"{many} {'place needs' if many == 1 else 'places need'} work.", remarks
    )


def _heading(remarks: Sequence[Remark]) -> str:
    errors = sum(one.severity == "error" for one in remarks)
    if errors:
        return f"{errors} {'error forbids' if errors == 1 else 'errors forbid'} registration"
    return "Nothing forbids registration" if remarks else "Nothing to remark"


def _fault(fault: Any) -> Remark:
    where = ".".join(str(part) for part in fault.path) or "the draft"
    return Remark("error", where, fault.place.line, fault.message, fault.remedy or "")


def _ruled(plan: Protocol, today: date) -> list[Finding]:
    """Every rule that needs no simulation."""
    view = View(plan, today)
    return ordered(one for rule in RULES for one in rule(view))


def _simulated(plan: Protocol, today: date) -> tuple[list[Finding], Placed | None, str]:
    payload = json.dumps({"today": today.isoformat(), "replicates": REPLICATES}).encode()
    try:
        answer = run_apart(
            "leadline.web.views.reading:examined", payload + b"\n" + plan.canonical_bytes(), limits=_LIMITS
        )
    except InputError:
        note = "The simulation was more than this server spends on a draft; run `leadline check` on your machine."
        return _ruled(plan, today), None, note
    found = json.loads(answer)
    findings = [Finding(**one) for one in found["findings"]]
    primary = next((one.id for one in plan.hypotheses if one.role == "primary"), plan.hypotheses[0].id)
    figure = None
    if found["characteristics"] is not None:
        figure = characteristics_figure(found["characteristics"], primary)
    return findings, figure, "The plan was rehearsed and simulated." if figure else ""


def examined(payload: bytes) -> bytes:
    """Runs in a process of its own: rehearse, simulate, and read the plan that follows the first line."""
    head, _, body = payload.partition(b"\n")
    asked = json.loads(head)
    plan = Protocol.parse(body, name="study.json")
    found = examine(plan, replicates=asked["replicates"], today=date.fromisoformat(asked["today"]))
    simulated = None if found.characteristics is None else found.characteristics.to_dict()
    return json.dumps(
        {"findings": [one.to_dict() for one in found.findings], "characteristics": simulated}
    ).encode()


def _places(text: str) -> Node | None:
    try:
        return read_nodes(text, name="study.yaml")
    except (MalformedError, ProtocolError):
        return None


def _remark(found: Finding, root: Node | None) -> Remark:
    return Remark(found.severity, found.where, _line(found.where, root), found.message, found.remedy)


def _line(where: str, root: Node | None) -> int | None:
    """The line of a field path such as ``hypotheses.H1.smallest`` or ``tasks[0].generate``; None where it cannot be told."""
    if root is None:
        return None
    node, line = root, None
    for part in where.replace("[", ".").replace("]", "").split("."):
        step = _step(node, part)
        if step is None:
            break
        node = step
        line = node.place.line
    return line


def _step(node: Node, part: str) -> Node | None:
    if isinstance(node.value, dict):
        found = node.value.get(part)
        return None if found is None else found[1]
    if isinstance(node.value, list):
        if part.isdecimal() and int(part) < len(node.value):
            return node.value[int(part)]  # type: ignore[no-any-return]
        for item in node.value:
            if isinstance(item, Node) and isinstance(item.value, dict):
                names = (item.value.get("id"), item.value.get("name"))
                if any(name is not None and name[1].value == part for name in names):
                    return item
    return None
