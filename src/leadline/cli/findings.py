"""`leadline check` as text: what a referee would say, and what the plan finds under each truth."""

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Final

from leadline.cli.opening import repeated
from leadline.cli.output import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.protocol import Protocol
    from leadline.registry.check import Examination, Finding
    from leadline.registry.check.catalogue import Severity
    from leadline.verdict.simulation.model import Characteristics, HypothesisCharacteristics, TruthResult

HEADINGS: "Final[dict[Severity, str]]" = {
    "error": "Errors: these block registration",
    "warning": "Warnings: what a referee would object to",
    "note": "Notes: worth knowing",
}
#: Names of the simulated truths, most telling first where one truth has several.
TRUTHS: Final = {
    "zero": "no difference",
    "smallest": "smallest effect d",
    "expected": "expected effect",
    "half": "half of d",
    "three_halves": "one and a half d",
    "opposite": "-d, the other way",
    "boundary": "claim's boundary",
}
_BAR = 16
#: Kinds of findings named at the top.
_FIRST = 3
#: Groups of findings, gravest first: a plan that cannot decide, one that exists, no control, an open design.
_GROUPS = "SRCDHGI"


def print_examination(
    plan: "Protocol", examined: "Examination", name: str, *, notes: bool = True, store: str | None = None
) -> None:
    """Print what matters most, findings by severity, then the operating characteristics.

    Without `notes` they are counted only, where there is anything graver to read first. `store` is the registry that
    the command line named.
    """
    page, typed = Page(), shlex.quote(name)
    page.line(plan.title, "bold")
    page.line(f"{name} · sha256 {plan.digest[:16]}…", "dim")
    _summary(page, examined.findings)
    graver = any(found.severity != "note" for found in examined.findings)
    for severity, heading in HEADINGS.items():
        some = [found for found in examined.findings if found.severity == severity]
        if some and severity == "note" and graver and not notes:
            page.head(f"And {_count(len(some), 'note')}")
            page.verbatim(repeated(f"leadline check {typed} --all", store=store))
        elif some:
            page.head(heading)
            for found in some:
                _finding(page, found)
    if not examined.findings:
        page.head("No finding: a referee would have nothing to say.")
    if examined.characteristics is not None:
        _characteristics(page, examined.characteristics)
    page.head("It can be registered." if examined.registrable else "It cannot be registered yet.")
    if examined.registrable:
        page.verbatim(repeated(f"leadline register {typed}", store=store))


def _summary(page: Page, findings: "Sequence[Finding]") -> None:
    """How many findings of each severity, and the gravest kinds by name."""
    from leadline.registry.check import CATALOGUE

    numbers = Counter(found.severity for found in findings)
    if not numbers:
        return
    page.line(", ".join(_count(numbers[severity], severity) for severity in HEADINGS if numbers[severity]))
    some = [found for found in findings if found.severity != "note"]
    # Errors stay first: the sort is stable, and so is the order of a Counter.
    some.sort(key=lambda found: (not found.blocks, _GROUPS.find(found.code[0])))
    grave = Counter(found.code for found in some)
    for code, times in list(grave.items())[:_FIRST]:
        places = f" ({times} places)" if times > 1 else ""
        page.line(f"{code} {CATALOGUE[code].title}{places}", indent=2)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _finding(page: Page, found: "Finding") -> None:
    page.line(f"{found.code}  {found.where}", "dim", indent=2)
    page.line(found.message, indent=8)
    page.line(f"-> {found.remedy}", indent=8)


def _characteristics(page: Page, simulated: "Characteristics") -> None:
    page.head(f"What this plan would find ({simulated.replicates:,} simulated studies per truth)")
    marks = _marks(page.unicode)
    page.line("  ".join(f"{glyph} {outcome}" for outcome, glyph in marks.items()), "dim", indent=2)
    for entry in simulated.hypotheses:
        page.gap()
        page.line(f"{entry.hypothesis}  {_power(simulated, entry)}", indent=2)
        rows = [_row(truth, marks) for truth in entry.truths]
        page.table(
            ("if the truth is", "", "supp.", "refut.", "null", "incon.", ""), rows, right=(1, 2, 3, 4, 5)
        )


def _power(simulated: "Characteristics", entry: "HypothesisCharacteristics") -> str:
    power = simulated.power(entry.hypothesis)
    claim = entry.kind.replace("_", " ")
    if power is None:
        return f"{claim}: no power can be stated"
    error = f" ± {100 * power.standard_error:.1f}" if power.standard_error else ""
    return f"{claim}: power {100 * power.value:.1f}{error} % (truth: {_truth_name((power.at,))})"


def _row(truth: "TruthResult", marks: dict[str, str]) -> tuple[str, ...]:
    name, effect = _truth_name(truth.labels), f"{truth.effect:+.3g}" if truth.effect else "0"
    if truth.impossible is not None:
        return name, effect, "", "", "", "", f"cannot exist: {truth.impossible}"
    shares = {outcome: truth.share(outcome) for outcome in ("supported", "refuted", "null", "inconclusive")}
    return name, effect, *(f"{100 * share:.0f} %" for share in shares.values()), _bar(shares, marks)


def _truth_name(labels: tuple[str, ...]) -> str:
    known = [
        name
        for label, name in TRUTHS.items()
        if any(one == label or one.startswith(f"{label}_") for one in labels)
    ]
    return known[0] if known else labels[0].replace("_", " ")


def _marks(unicode: bool) -> dict[str, str]:
    return dict(
        zip(("supported", "refuted", "null", "inconclusive"), "█▓░·" if unicode else "#X=.", strict=True)
    )


def _bar(shares: dict[str, float], marks: dict[str, str]) -> str:
    """The shares as one bar; rounding goes by cumulated share, so that the bar is always full."""
    bar, done, total = "", 0, 0.0
    for outcome, share in shares.items():
        total += share
        upto = round(_BAR * min(total, 1.0))
        bar += marks[outcome] * (upto - done)
        done = upto
    return bar


__all__ = ["print_examination"]
