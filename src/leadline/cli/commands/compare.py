"""`leadline compare`: the door."""

import shlex
from typing import Annotated, Literal, TypeAlias

import typer

from leadline.cli import options

#: Written out because the module that defines them is heavy; a test keeps the two equal.
PairedMethod: TypeAlias = Literal["auto", "cr2", "cr1", "iid", "bootstrap", "tango", "score"]


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A log, or a folder with reruns of one setup.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The log or folder it is compared with.")],
    smallest: Annotated[
        float | None,
        typer.Option(
            "--smallest",
            metavar="D",
            help="Smallest difference worth caring about, in the unit of the scores (.05 is five samples in a hundred); with it a precise zero can read null.",
        ),
    ] = None,
    score: Annotated[
        str | None, typer.Option("--score", metavar="NAME", help="Which score, when the logs have several.")
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(
            "--cluster",
            metavar="EXPR",
            help="Expression naming a sample's cluster; auto groups ids such as p3.1, p3.2; none treats samples as independent.",
        ),
    ] = "auto",
    level: Annotated[
        float, typer.Option("--level", metavar="ALPHA", help="0.05 gives a 95 % interval.")
    ] = 0.05,
    method: Annotated[
        PairedMethod,
        typer.Option(
            "--method", help="How the interval is computed; tango and score need scores that are 0 or 1."
        ),
    ] = "auto",
    mapping: options.Mapping = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Also write one self-contained page.")
    ] = None,
    save_protocol: Annotated[
        str | None,
        typer.Option(
            "--save-protocol", metavar="FILE", help="Also write the draft of a protocol for the next run."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Compare two logs sample by sample; no registry needed.

    The logs may be of any format that is read. Pairs the samples both logs have and says how large the difference is, what that settles, who left the
    denominator and why, and what this many samples could have found.

    JSON: a comparison, as in comparison.schema.json.
    """
    from leadline.cli.output import Page, busy, emit_bytes, note, write_new, write_text
    from leadline.verdict import compare as run

    with busy("reading the logs"):
        found = run(
            a,
            b,
            smallest,
            score=score,
            cluster=cluster,
            level=level,
            method=method,
            mapping=mapping,
        )
    if save_protocol:
        write_new(save_protocol, found.protocol())
    if html:
        write_text(html, found.to_html())
    if json:
        emit_bytes(found.to_json())
    else:
        from leadline.verdict.terminal import print_comparison

        print_comparison(found, Page().console)
    if save_protocol:
        note(
            f"\nThe draft for the next run is in {save_protocol}; then: leadline check {shlex.quote(save_protocol)}"
        )
    if html:
        note(f"The page is in {html}")
