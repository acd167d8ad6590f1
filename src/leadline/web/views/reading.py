"""What a critical reader says of a draft: findings with their place and remedy, similar studies, power."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Final

from leadline.errors import InputError, LeadlineError, ProtocolError, QuotaError
from leadline.logs.apart import MIB, ApartLimits
from leadline.protocol.document import DocumentError, parse, read_nodes
from leadline.protocol.model import Protocol
from leadline.protocol.nodes import MalformedError, Node
from leadline.registry.check.model import Finding, View, ordered
from leadline.registry.check.reader import RULES, examine
from leadline.registry.intake.apart import MOMENT, READING, SMALL
from leadline.registry.intake.places import FREE, UNSIGNED, Purse, apart, paid
from leadline.registry.questions import plan_of
from leadline.web.views.characteristics import characteristics_figure
from leadline.web.views.figures import Placed

#: Characters of a draft.
MOST: Final = 64_000
#: Simulated studies per truth, of a draft: enough to see, not enough to freeze.
REPLICATES: Final = 400
_LIMITS: Final = ApartLimits(memory=2048 * MIB, cpu_seconds=40, wall_seconds=45.0, output=8 * MIB, files=64)
_MOST_FINDINGS: Final = 100
_EXAMINED: Final = "leadline.web.views.reading:examined"
_TOO_MUCH: Final = (
    "The simulation was more than this server spends on a draft; run `leadline check` on your machine."
)
_NOT_LOOKED_FOR: Final = (
    "Registered studies like it were not looked for: that is too much right now; check again later."
)


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


def read_draft(text: str, *, today: date, simulate: bool, similar: Similar, purse: Purse = FREE) -> Reading:
    """Read a draft from anybody. A short one is read here, and nothing in it executed; the rest happens apart.

    `similar` finds registered studies that are like it; `purse` pays. Raises QuotaError where it cannot, or where
    too much is computed already; where only `similar` raises it, the reading says that they were not looked for.
    """
    if len(text) > MOST:
        return _unread(
            Remark("error", "the draft", None, f"it is longer than {MOST:,} characters", "shorten it")
        )
    asked = {"today": today.isoformat(), "replicates": REPLICATES if simulate else 0}
    data = text.encode("utf-8", "surrogatepass")
    payload = json.dumps(asked).encode() + b"\n" + data
    try:
        if simulate or len(data) > SMALL:
            answer = apart(_EXAMINED, payload, _LIMITS if simulate else READING, places=UNSIGNED, purse=purse)
        else:
            with paid(purse, MOMENT) as clock, clock.running():
                answer = examined(payload)
    except InputError:
        if not simulate:
            return _unread(
                Remark("error", "the draft", None, "reading it costs too much", "run `leadline check` on it")
            )
        read = read_draft(text, today=today, simulate=False, similar=similar, purse=purse)
        return replace(read, note=f"{_TOO_MUCH} {read.note}".strip())
    return _reading(json.loads(answer), similar)


def examined(payload: bytes) -> bytes:
    """What is said of the draft that follows the first line, as JSON.

    Its faults; or the plan, the remarks on it, and what was simulated.
    """
    head, _, text = payload.partition(b"\n")
    asked = json.loads(head)
    try:
        plan = parse(text, name="study.yaml")
    except DocumentError as error:
        return _faults(*(_fault(one) for one in error.faults[:_MOST_FINDINGS]))
    except RecursionError:
        return _faults(Remark("error", "the draft", None, "it is nested too deeply", "flatten it"))
    except LeadlineError as error:
        return _faults(Remark("error", error.where or "the draft", None, error.message, error.remedy() or ""))
    found, simulated = _found(plan, asked["replicates"], date.fromisoformat(asked["today"]))
    root = _places(text)
    said = {
        "plan": plan.canonical_bytes().decode(),
        "remarks": [asdict(_remark(one, root)) for one in found[:_MOST_FINDINGS]],
        "characteristics": simulated,
    }
    return json.dumps(said).encode()


def _found(plan: Protocol, replicates: int, today: date) -> tuple[list[Finding], dict[str, Any] | None]:
    """Findings of every rule, and the simulation where one is asked for: without it nothing is executed."""
    if not replicates:
        view = View(plan, today)
        return ordered(one for rule in RULES for one in rule(view)), None
    seen = examine(plan, replicates=replicates, today=today)
    return list(seen.findings), None if seen.characteristics is None else seen.characteristics.to_dict()


def _faults(*remarks: Remark) -> bytes:
    return json.dumps({"faults": [asdict(one) for one in remarks]}).encode()


def _reading(said: dict[str, Any], similar: Similar) -> Reading:
    if "faults" in said:
        return _unread(*(Remark(**one) for one in said["faults"]))
    plan = plan_of(said["plan"].encode())
    remarks = tuple(Remark(**one) for one in said["remarks"])
    figure = None
    if said["characteristics"] is not None:
        primary = next((one.id for one in plan.hypotheses if one.role == "primary"), plan.hypotheses[0].id)
        figure = characteristics_figure(said["characteristics"], primary)
    notes = ["The plan was rehearsed and simulated."] if figure else []
    try:
        near = tuple(similar(plan))
    except QuotaError:  # what was read has been paid for, and is told all the same
        near = ()
        notes.append(_NOT_LOOKED_FOR)
    return Reading(
        _heading(remarks),
        " ".join(notes),
        remarks,
        near,
        figure,
        f"The registered analysis on {REPLICATES} simulated studies for each truth.",
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


def _places(text: bytes) -> Node | None:
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
