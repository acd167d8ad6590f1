"""Every code a critical reading can give, with its severity and the reason behind it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: ``title`` names it, ``why`` says what goes wrong if it is ignored."""

    severity: Severity
    title: str
    why: str


GROUPS = {
    "C": "Conduct and controls",
    "D": "Design: tasks, models, arms, measures",
    "G": "Gap, takeaways, forecasts",
    "H": "Hypotheses",
    "I": "Identity and dates",
    "R": "The registry",
    "S": "Execution and simulation",
}

CATALOGUE: dict[str, Code] = {
    # -- identity and dates
    "I101": Code(
        "warning", "no due date", "Without a date on which a result is owed, silence is never late."
    ),
    "I102": Code("error", "due date in the past", "The study would be overdue when it is registered."),
    "I103": Code(
        "warning",
        "start date in the past",
        "A run that may already have begun cannot be shown to follow the plan.",
    ),
    "I104": Code(
        "warning",
        "no area",
        "Readers of an area would not find the study; its overdue and null shares would miss it.",
    ),
    "I105": Code("warning", "unknown area", "A label outside the vocabulary is found by nobody."),
    "I106": Code(
        "warning", "automated author without a model", "Who wrote the plan is part of what it is worth."
    ),
    "I107": Code(
        "note",
        "target not stated",
        "Without the problem it serves, nobody can say how far the result carries.",
    ),
    "I108": Code(
        "error",
        "outcomes known, yet called confirmatory",
        "A plan written after its outcomes were seen confirms nothing.",
    ),
    "I109": Code("warning", "pilot without digests", "Pilot data that are not bound can be chosen later."),
    "I110": Code("warning", "model not fixed", "Until an amendment fixes the model, its logs cannot pass."),
    "I111": Code(
        "warning", "replication of nothing", "A replication counts only beside the study it replicates."
    ),
    "I112": Code(
        "note",
        "meaning of outcomes not stated",
        "What an outcome would mean is worth most when it is written before it is known.",
    ),
    "I113": Code("error", "draft not finished", "What only a person knows was left to be filled in."),
    "I114": Code(
        "error",
        "a pilot run again",
        "The same items under deterministic decoding give the outcome that was seen, which confirms nothing.",
    ),
    # -- gap, takeaways, forecasts
    "G101": Code(
        "warning",
        "unknown gap",
        "What is unknown about the distance to the target limits what may be concluded.",
    ),
    "G102": Code(
        "warning",
        "takeaway beyond the gap",
        "Results carry over by axis; a claim stronger than its axes allow is wrong about half the time.",
    ),
    "G103": Code(
        "warning", "no takeaway", "What the author will be entitled to say is open until after the outcome."
    ),
    "G104": Code(
        "note",
        "no forecast",
        "Without a belief before the run, surprise cannot be measured, nor judgement learned.",
    ),
    "G105": Code(
        "warning",
        "a statement from an inconclusive outcome",
        "An outcome that decides nothing entitles to nothing.",
    ),
    # -- hypotheses
    "H101": Code(
        "warning",
        "smallest effect without a reason",
        "The smallest effect of interest decides what is null; unexplained, it looks chosen.",
    ),
    "H102": Code(
        "warning",
        "no expected effect",
        "A claim of at least d has power alpha/2 at d itself; its power is stated at a larger, expected effect.",
    ),
    "H103": Code(
        "warning",
        "several hypotheses, no correction",
        "With k uncorrected claims the chance of a false one grows almost k-fold.",
    ),
    "H104": Code(
        "warning",
        "exclusion by outcome",
        "A rule that drops samples by their score or answer can make any result.",
    ),
    # -- conduct and controls
    "C101": Code(
        "warning",
        "no positive control",
        "A null without proof that the pipeline can find an effect is worth almost nothing.",
    ),
    "C102": Code(
        "note",
        "no baseline to reproduce",
        "A known number that comes out again shows that the set-up is the usual one.",
    ),
    "C103": Code(
        "note",
        "no negative control",
        "Nothing would show that the pipeline finds effects where there are none.",
    ),
    "C104": Code(
        "warning", "large cap on missing results", "Results that are missing are rarely missing at random."
    ),
    "C105": Code(
        "error", "too few clusters", "No interval can be given, so every outcome would be inconclusive."
    ),
    "C106": Code(
        "warning",
        "few clusters",
        "Below ten clusters intervals are wide and their coverage rests on the method.",
    ),
    "C107": Code(
        "warning",
        "grouped samples, no cluster",
        "Samples of one group resemble each other; treated as independent they look like more data than they are.",
    ),
    "C108": Code(
        "warning",
        "clusters planned, none registered",
        "The analysis would treat the items of a cluster as independent.",
    ),
    "C109": Code(
        "error", "fewer samples than items", "The analysis would end for want of items, whatever they show."
    ),
    "C110": Code(
        "warning",
        "no correlation within clusters assumed",
        "The power is computed as if clusters did not matter.",
    ),
    "C111": Code("note", "assumptions without a source", "Power is no better than the numbers it rests on."),
    "C112": Code(
        "note",
        "no robustness specification",
        "Readers cannot see whether another reasonable analysis would agree.",
    ),
    "C113": Code(
        "note",
        "refusals not recognised",
        "A refusal that is scored as a failure changes what the measure means.",
    ),
    "C114": Code(
        "warning",
        "less openness asked for than registering gives",
        "Registered in the open, the plan, its attempts and every attached log are public; only a seal keeps them shut.",
    ),
    "C115": Code(
        "warning",
        "a delay without a usable date",
        "A delayed study is published by itself on the date of its release; without one it closes as undisclosed.",
    ),
    # -- design
    "D101": Code("warning", "dataset not bound by content", "Items can change under an unchanged name."),
    "D102": Code(
        "warning",
        "samples not bound",
        "Which samples were to be run cannot be checked, so hand-picking cannot be excluded.",
    ),
    "D103": Code("warning", "temperature not stated", "The provider's default decides, and may change."),
    "D104": Code(
        "note",
        "decoding partly open",
        "What is not stated must be left at the harness's default, which may change.",
    ),
    "D105": Code(
        "warning", "solver not bound", "Prompts and scaffold are among the strongest degrees of freedom."
    ),
    "D106": Code("warning", "scorer not bound", "A scorer run with other parameters is another measure."),
    "D107": Code("warning", "measure reads a score no task produces", "The analysis would find no value."),
    "D108": Code("warning", "judge not declared", "A model that grades is part of the instrument."),
    "D109": Code(
        "warning", "judge without a prompt digest", "The wording of a judge's prompt changes its grades."
    ),
    "D110": Code("note", "judge not validated", "How often the judge agrees with people is not stated."),
    "D111": Code("note", "task version not stated", "Tasks are corrected over time, and their results move."),
    "D112": Code(
        "warning",
        "arm nobody asks about",
        "An arm that no hypothesis or control uses invites a choice afterwards.",
    ),
    "D113": Code(
        "note",
        "measure nobody asks about",
        "A measure that no hypothesis or control uses invites a choice afterwards.",
    ),
    "D114": Code("warning", "paired arms on different datasets", "Pairs need the same samples in both arms."),
    "D115": Code(
        "note",
        "unpaired analysis of the same samples",
        "Pairing the items would give a narrower interval for the same runs.",
    ),
    "D116": Code(
        "warning",
        "epochs averaged in a share",
        "A share needs items of 0 or 1; the mean of several epochs lies between.",
    ),
    "D117": Code(
        "warning",
        "one solver for different arguments",
        "Where a solver follows the task's arguments, arms that differ in them cannot all match one promise.",
    ),
    "D118": Code(
        "warning",
        "derived order of unknown ids",
        "Which order the freeze gives to the items cannot be computed, so no log can be shown to have it.",
    ),
    # -- execution and simulation
    "S001": Code(
        "error",
        "the plan does not execute",
        "A plan whose registered analysis does not run can decide nothing.",
    ),
    "S002": Code(
        "error", "no study could decide", "Every simulated study, whatever the truth, ended inconclusive."
    ),
    "S100": Code(
        "note", "power", "The chance of support where the claim is true, computed by executing the analysis."
    ),
    "S101": Code(
        "warning",
        "power below target",
        "A study that would probably miss a true effect moves nobody when it does.",
    ),
    "S102": Code(
        "warning", "false support", "The chance of support where the claim is false exceeds the level."
    ),
    "S103": Code(
        "warning", "false null", "The chance of a null where the effect is of interest exceeds the level."
    ),
    "S104": Code(
        "note",
        "a smaller effect reads null",
        "A true effect of half the smallest effect of interest often reads null, as it should; say so.",
    ),
    "S105": Code(
        "note",
        "a truth that cannot exist",
        "Under the assumptions this truth would need a share outside 0 to 1.",
    ),
    "S106": Code(
        "warning",
        "intervals often refused",
        "Data this sparse leave the analysis without an interval, and the outcome inconclusive.",
    ),
    "S107": Code(
        "note",
        "assumption adjusted",
        "The assumed means do not allow the assumed correlation; the nearest possible one was used.",
    ),
    # -- registry
    "R101": Code(
        "warning",
        "already registered",
        "A study of the same dataset, technique and measure exists; cite it, or say what is new.",
    ),
    "R102": Code("note", "registered word for word", "This very protocol is already frozen."),
}


def page() -> str:
    """The catalogue as a page of documentation (Markdown)."""
    lines = [
        "# What `leadline check` can find",
        "",
        "A critical reading of a plan gives findings. Each has a code, a severity, a place in the document, a",
        "message and a remedy. An **error** blocks registration; a **warning** is what a referee would object to;",
        "a **note** is worth knowing. Made from `leadline.registry.check.catalogue`.",
    ]
    for letter, heading in sorted(GROUPS.items()):
        lines += [
            "",
            f"## {heading}",
            "",
            "| code | severity | finding | why it matters |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {code} | {entry.severity} | {entry.title} | {entry.why} |"
            for code, entry in sorted(CATALOGUE.items())
            if code.startswith(letter)
        ]
    return "\n".join(lines) + "\n"
