"""How verdicts are said: one place for every sentence that pages and terminals share.

A null is a finding: it reads "smaller than d", never "no effect".
"""

import re

from leadline.draw.estimate import amount
from leadline.draw.mark import MARK_WORDS
from leadline.draw.scale import decimals_for, decimals_of, format_number
from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.protocol.model import Protocol
from leadline.verdict.model import EffectEstimate, Standing, Verdict
from leadline.verdict.report import Report

OUTCOMES: dict[Outcome, str] = {
    "supported": "Supported",
    "refuted": "Refuted",
    "null": "Null",
    "inconclusive": "Inconclusive",
}

STANDINGS: dict[Standing, str] = {
    "confirmatory": "Registered before it was run, and every promise was kept.",
    "qualified": "Registered before it was run; some promises could not be checked.",
    "exploratory": "Registered, but a promise was not kept: read the outcome as a lead, not as a test.",
    "retrospective": "Not registered before it was run: read the outcome as a lead, not as a test.",
}

#: Standings whose outcome may head the page.
HEADLINED: frozenset[Standing] = frozenset({"confirmatory", "qualified"})

REASONS = {
    "undecided": "the interval reaches across the line that would have decided",
    "degenerate": "the data hardly vary, so no trustworthy interval exists",
    "no_data": "no result is left to analyse",
    "n_short": "fewer items than promised",
    "too_few_clusters": "too few clusters for a trustworthy interval",
    "missing_above_cap": "more results are missing than the protocol allows",
    "not_analysable": "the logs hold what the registered analysis cannot be applied to",
    "items_disagree": "the arms disagree on which items are in scope, or on their clusters",
    "hash_mismatch": "the dataset is not the one that was promised",
    "inconsistent_log": "a log contradicts itself",
    "positive_control_failed": "the pipeline did not find the planted effect, so it cannot vouch for a small one",
    "too_many_variants": "runs differ in what the protocol left open in more ways than are weighed",
    "variants_disagree": "runs that differ in what the protocol left open disagree",
}

NOTES = {
    "negligible": "The interval excludes zero: there is an effect, and it is negligible.",
    "weighed_with_siblings": "The same authors registered siblings of this study; all of them share one error level.",
    "no_assay_sensitivity": "No positive control was registered: nothing shows that the pipeline could have found an effect.",
    "negative_control_failed": "A negative control failed: the pipeline finds effects where there should be none.",
    "assay_sensitivity_unresolved": "The positive control did not settle whether the pipeline could have found an effect.",
}

#: Marks an estimate carries.
WARNINGS = {
    "few_clusters": "Few clusters: the interval is corrected for that, and still rests on few independent units.",
}

KINDS = {
    "greater": "greater; smallest effect of interest",
    "at_least": "at least the smallest effect of interest,",
    "differs": "different in either direction; smallest effect of interest",
    "no_worse": "no worse by more than",
    "equivalent": "equivalent within",
}


def registered_as(hypothesis: Hypothesis, unit: str) -> str:
    """The kind of claim with its numbers."""
    words = f"{KINDS[hypothesis.kind]} {effect_size(hypothesis, hypothesis.smallest, unit)}"
    if hypothesis.kind == "greater" and hypothesis.margin:
        words = (
            f"greater than {effect_size(hypothesis, hypothesis.margin, unit)}; smallest effect of interest "
            + (effect_size(hypothesis, hypothesis.smallest, unit))
        )
    return words


def reason_words(code: str | None) -> str:
    """A reason code in words; codes this version does not know are shown as they are, readable."""
    if not code:
        return ""
    head, _, detail = code.partition(":")
    words = REASONS.get(head.strip(), head.strip().replace("_", " "))
    return f"{words}: {detail.strip()}" if detail.strip() else words


def note_words(code: str) -> str:
    """A mark beside a verdict or an estimate, as a sentence; what is not a code is a sentence already."""
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code):
        return code
    return NOTES.get(code) or WARNINGS.get(code) or code.replace("_", " ")


def notes_of(verdict: Verdict) -> tuple[str, ...]:
    """Codes of everything to bear in mind: the verdict's own marks, then its estimate's warnings."""
    warnings = () if verdict.estimate is None else verdict.estimate.warnings
    return tuple(dict.fromkeys((*sorted(verdict.notes), *warnings)))


def effect_size(hypothesis: Hypothesis, x: float, unit: str = "") -> str:
    """A registered effect (d or m, as written in the protocol) with its unit; a ratio's is a factor."""
    if hypothesis.estimand.type == "ratio":
        return f"a factor of {x:g}"
    return with_unit(amount(x), unit)


def with_unit(number: str, unit: str) -> str:
    """A number and its unit; percent and degree signs keep a thin space, words a space."""
    return f"{number}\N{NO-BREAK SPACE}{unit}" if unit else number


def finding(verdict: Verdict, hypothesis: Hypothesis, unit: str = "") -> str:
    """What the outcome says of the effect, in one sentence."""
    d = effect_size(hypothesis, hypothesis.smallest, unit)
    if verdict.outcome == "null":
        return f"The effect is smaller than {d} in either direction."
    if verdict.outcome == "inconclusive":
        return f"These data do not decide: {reason_words(verdict.reason) or 'no reason was recorded'}."
    positive = verdict.estimate is None or verdict.estimate.effect >= 0
    return _decided(verdict.outcome == "supported", hypothesis, d, positive, unit)


def _decided(supported: bool, hypothesis: Hypothesis, d: str, positive: bool, unit: str) -> str:
    match hypothesis.kind:
        case "greater" if hypothesis.margin and hypothesis.margin > (hypothesis.estimand.type == "ratio"):
            m = effect_size(hypothesis, hypothesis.margin, unit)
            return f"The effect is {'greater' if supported else 'less'} than {m}."
        case "greater":
            return (
                "The effect is as predicted in direction."
                if supported
                else "The effect runs against the prediction."
            )
        case "at_least":
            return f"The effect is {'at least' if supported else 'less than'} {d}."
        case "differs":
            return f"There is a difference: {_higher(hypothesis, positive)}."
        case "no_worse":
            return f"{'Not worse' if supported else 'Worse'} by more than {d}."
        case "equivalent":
            return f"The effect is {'smaller than' if supported else 'at least'} {d}{' in either direction' if supported else ' in size'}."


def _higher(hypothesis: Hypothesis, positive: bool) -> str:
    """Which side came out higher, for a claim that predicts none."""
    above = positive == (hypothesis.prediction == "increase")
    arms = hypothesis.estimand.arms
    if len(arms) == 1:
        return f"{arms[0]} is {'above' if above else 'below'} the reference"
    return f"{arms[0] if above else arms[1]} is higher"


#: What an author says had been seen before the freeze.
FOREKNOWLEDGE = {
    "metadata": "Before the freeze the author had seen the data's metadata.",
    "structure": "Before the freeze the author knew the structure of the data.",
    "pilot_outcomes": "Before the freeze the author had seen the outcomes of pilot runs.",
    "outcomes": "Before the freeze the author had seen the outcomes themselves.",
}


def foreknowledge(protocol: Protocol) -> str:
    """What had been seen before the freeze, in a sentence or two; empty when nothing had."""
    known = protocol.foreknowledge
    if known.level not in FOREKNOWLEDGE:
        return ""
    pilots = f" Pilot logs named: {len(known.pilots)}." if known.pilots else ""
    note = f" {known.note.strip().rstrip('.')}." if known.note.strip() else ""
    return f"{FOREKNOWLEDGE[known.level]}{pilots}{note}"


#: How an interval was made; methods not listed are shown by their own name.
METHODS = {
    "cr2": "cluster-robust CR2, t on Satterthwaite degrees of freedom",
    "cr1": "cluster-robust CR1, t on clusters less one",
    "iid": "Student's t on independent items",
    "tango": "Tango's score interval for pairs",
    "score_clustered": "score interval with cluster-robust variance",
    "dirichlet_multinomial+score": "likelihood of clustered outcomes, joined with a cluster-robust score interval",
    "beta_binomial+score": "likelihood of clustered outcomes, joined with a cluster-robust score interval",
    "clopper_pearson": "exact (Clopper-Pearson)",
    "miettinen_nurminen": "Miettinen-Nurminen score interval",
}


def method_words(method: str) -> str:
    """How an interval was made."""
    return METHODS.get(method, method.replace("_", " "))


def short_digest(found: str) -> str:
    """A SHA-256 in hex cut to its first sixteen digits (the JSON holds all); anything else as it is."""
    return f"{found[:16]}…" if re.fullmatch(r"[0-9a-f]{64}", found) else found


def percent(alpha: float) -> str:
    """Coverage of an interval at ``1 - alpha``, in percent."""
    return f"{100 * (1 - alpha):.4g} %"


def value_words(estimate: EffectEstimate) -> str:
    """The estimate on the estimand's scale with its interval, as text: with as many digits as beside the picture."""
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return with_unit(amount(estimate.value), estimate.unit)
    decimals = decimals_of(low, high) if low < high else decimals_for(estimate.value, 3)
    value, first, last = (format_number(x, decimals) for x in (estimate.value, low, high))
    return f"{with_unit(value, estimate.unit)} [{first}, {last}]"


def sample_words(estimate: EffectEstimate) -> str:
    """How much data the estimate rests on."""
    if estimate.clusters is None:
        return f"{estimate.n} items"
    return f"{estimate.n} items in {estimate.clusters} clusters"


def mark_words(outcome: Outcome) -> str:
    """The outcome's shape in words."""
    return MARK_WORDS[outcome]


def direction_words(hypothesis: Hypothesis, better: str) -> tuple[str, str]:
    """What lies left and right of zero on the axis of the signed effect.

    ``better`` is the measure's direction: higher, lower or neither.
    """
    up = hypothesis.prediction == "increase"
    arms = hypothesis.estimand.arms
    if len(arms) == 1:
        below, above = "below the reference", "above the reference"
        return (below, above) if up else (above, below)
    a, b = arms
    if better == "neither":
        return (f"{b} higher", f"{a} higher") if up else (f"{a} higher", f"{b} higher")
    first_wins = up == (better == "higher")
    return (f"favours {b}", f"favours {a}") if first_wins else (f"favours {a}", f"favours {b}")


def axis_words(hypothesis: Hypothesis, unit: str) -> str:
    """Title of the axis of the signed effect."""
    estimand = hypothesis.estimand
    measured = f"{estimand.measure} ({unit})" if unit else estimand.measure
    first, *rest = estimand.arms if hypothesis.prediction == "increase" else tuple(reversed(estimand.arms))
    if estimand.type == "ratio":
        return f"{measured}: {first} over {rest[0]}"
    if rest:
        return f"difference in {measured}: {first} minus {rest[0]}"
    what = {"mean": "mean", "proportion": "share", "threshold": f"share at least {estimand.cut or 0:g}"}[
        estimand.type
    ]
    against = f"{hypothesis.reference or 0:g}"
    order = f"{what} minus {against}" if hypothesis.prediction == "increase" else f"{against} minus {what}"
    return f"{measured}: {order}"


def recompute_commands(report: Report, registry: str = "") -> tuple[str, ...]:
    """The commands that compute this report again, one after the other, by way of an export of the study.

    `registry` is the option that names the registry, as it is typed; without it the reader's own is asked.
    """
    if report.registration is not None:
        study = report.registration.study
        return f"leadline export {study} {registry}".rstrip(), f"leadline verify ./{study}"
    return ("leadline report --protocol PROTOCOL.yaml LOGS... --json",)


def headline(report: Report) -> tuple[Hypothesis, ...]:
    """The hypotheses that head a page: the primary ones, else all, in registered order."""
    known = [h for h in report.protocol.hypotheses if h.id in report.verdicts]
    return tuple(h for h in known if h.role == "primary") or tuple(known)
