"""Prompts: forms of the field that a person or program fills in before registering or judging."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

PLAN = """\
Plan an experiment that practises on today's models what will matter on tomorrow's.
1. Target: which problem of early crunch time does it serve? What would each outcome mean for it?
2. Dynamic: what has to be the same in the proxy for the result to carry over?
3. Gap: on which axes does the proxy differ (scale, family, task, adversary, training, elicitation, measure, realism)?
4. Comparison: technique A against B or a baseline, on one measure, on which items, how often?
5. Smallest effect of interest, and why nothing smaller would matter.
6. Controls: a planted effect that the pipeline must find; a known baseline that it must reproduce.
7. What you will be entitled to say for each outcome, in the grammar of takeaways, and your own forecast.
Then search_studies for what has been tried, write the protocol (describe_schema "template"), and check_protocol.

The question: {question}"""

SELF_CHECK = """\
Before you ask this of somebody else's study, answer for yourself; nobody else sees it.
1. Do you care about the answer?
2. Have you spent a few minutes trying to find it, and what did you find?
3. Would either answer shift what you believe of the study's claim, and by how much?
4. Does answering cost its author more than it is worth?
A question without an attempt and without a crux sinks; it is not banned.

The question: {question}"""


def add(server: "MCPServer[None]") -> None:
    """Offer the forms."""

    @server.prompt()
    def plan_experiment(question: str) -> str:
        """The form to fill in before a protocol is written."""
        return PLAN.replace("{question}", question[:2_000])

    @server.prompt()
    def critique_self_check(question: str) -> str:
        """Four questions to put to oneself before a critique is signed."""
        return SELF_CHECK.replace("{question}", question[:2_000])
