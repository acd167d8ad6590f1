"""`leadline check` as text: what a referee would say, and what the plan finds under each truth."""

from typing import TYPE_CHECKING, Final

from leadline.cli.output import Page

if TYPE_CHECKING:
    from leadline.protocol import Protocol
    from leadline.registry.check import Examination, Finding
    from leadline.verdict.simulation.model import Characteristics, HypothesisCharacteristics, TruthResult

HEADINGS: Final = {
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


def print_examination(plan: "Protocol", examined: "Examination", name: str) -> None:
    """Print findings by severity, then the operating characteristics."""
    page = Page()
    page.line(plan.title, "bold")
    page.line(f"{name} · sha256 {plan.digest[:16]}…", "dim")
    for severity, heading in HEADINGS.items():
        some = [found for found in examined.findings if found.severity == severity]
        if some:
            page.head(heading)
            for found in some:
                _finding(page, found)
    if not examined.findings:
        page.head("No finding: a referee would have nothing to say.")
    if examined.characteristics is not None:
        _characteristics(page, examined.characteristics)
    page.head("It can be registered." if examined.registrable else "It cannot be registered yet.")
    if examined.registrable:
        page.verbatim(f"leadline register {name}")


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
