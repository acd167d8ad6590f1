"""One self-contained page per report or comparison: no script, nothing fetched, strict content policy."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from leadline.draw.svg import visible
from leadline.draw.theme import MONO, SANS, SERIF, SHAPES_CSS, properties_css
from leadline.verdict import promises, view, words
from leadline.verdict.ordering import in_order
from leadline.verdict.pictures import Figure, denominator_figure, estimate_figures, power_figure
from leadline.verdict.report import Report

if TYPE_CHECKING:
    from leadline.verdict.comparison import Comparison


_NAMES = (
    "base.html",
    "parts.html",
    "report.html",
    "report_figures.html",
    "report_account.html",
    "comparison.html",
)


def report_page(report: Report, certificate: str | None = None, registry: str = "") -> str:
    """The report as one HTML page, readable on paper, phone and desk, in light and dark.

    ``certificate`` is the text of the registration certificate, shown for whoever wants to verify it;
    ``registry`` the option that names a registry which readers of the page can reach (``--store URL``).
    """
    return _render(
        "report.html",
        **report_context(report),
        title=report.protocol.title,
        command=" && ".join(words.recompute_commands(report, registry)),
        certificate=certificate,
    )


def report_context(report: Report) -> dict[str, Any]:
    """What the templates ``report_figures.html`` and ``report_account.html`` place, on this page or another."""
    heads = words.headline(report)
    protocol = report.protocol
    others = [h for h in protocol.hypotheses if h.id in report.verdicts and h not in heads]
    lines = {answer: promises.lines(report.checks(answer)) for answer in view.ANSWERS}
    return {
        "engine": report.engine,
        "report": report,
        "protocol": protocol,
        "standing": report.standing,
        "standing_words": words.STANDINGS[report.standing],
        "headlined": report.standing in words.HEADLINED,
        "verdicts": [view.verdict_view(report, h) for h in heads],
        "others": [view.verdict_view(report, h, leads=False) for h in others],
        "figures": [_placed(figure) for figure in estimate_figures(report)],
        "levels": _levels(report),
        "counts": {answer: len(report.checks(answer)) for answer in ("deviation", "unknown", "pass")},
        "subjects": view.subject_rows(in_order(report.conformance)),
        "deviations": view.check_rows(lines["deviation"]),
        "unknowns": view.check_rows(lines["unknown"]),
        "passes": view.check_rows(lines["pass"]),
        "hidden": {answer: view.hidden(found) for answer, found in lines.items()},
        "cut": {answer: len(found) > view.SHOWN for answer, found in lines.items()},
        "shown": view.SHOWN,
        "in_the_open": view.IN_THE_OPEN,
        "everybody_stayed": view.stayed_words(report.denominators),
        "denominator_figure": _placed(denominator_figure(report)),
        "power_figure": _placed(power_figure(report)),
        "foreknowledge": words.foreknowledge(protocol),
        "view": view,
    }


def comparison_page(comparison: "Comparison") -> str:
    """A comparison of two logs as one HTML page."""
    from leadline.verdict.comparison_view import comparison_view, mean_words

    shown = comparison_view(comparison)
    return _render(
        "comparison.html",
        title=shown.heading.title,
        engine=_engine(),
        shown=shown,
        placed=_placed,
        mean=mean_words,
    )


def notebook_frame(page: str, height: int = 900) -> str:
    """A page inside a sandboxed frame, so that its styles stay out of a notebook's."""
    template = '<iframe sandbox srcdoc="{}" width="100%" height="{}" style="border:0"></iframe>'
    return str(Markup(template).format(page, height))  # noqa: S704 (format escapes its arguments)


def _render(name: str, **context: Any) -> str:
    style, policy = _style()
    return _environment().get_template(name).render(style=style, policy=policy, **context)


@cache
def _environment() -> Environment:
    return environment(templates())


def templates() -> dict[str, str]:
    """The templates of reports and comparisons, by name."""
    folder = resources.files("leadline.verdict") / "pages"
    return {name: (folder / name).read_text(encoding="utf-8") for name in _NAMES}


def environment(sources: dict[str, str]) -> Environment:
    """Templates that escape whatever they place, show hidden characters, and refuse names they do not know."""
    return Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


def _finalize(value: Any) -> Any:
    """Plain text loses control and reordering characters; what the drawing layer made passes as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _style() -> tuple[Markup, str]:
    """The stylesheet and the policy that allows this stylesheet, by digest, and nothing else."""
    css = stylesheet()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Markup(css), policy  # noqa: S704 (our own stylesheet)


def stylesheet() -> str:
    """The look of a page: theme, faces, the shapes of pictures, and the page's own rules."""
    fonts = f":root{{--ll-sans:{SANS};--ll-serif:{SERIF};--ll-mono:{MONO}}}\n"
    page = (resources.files("leadline.verdict") / "pages" / "page.css").read_text(encoding="utf-8")
    return properties_css() + fonts + SHAPES_CSS + page


def _placed(figure: Figure | None) -> dict[str, Markup] | None:
    """A figure as markup for the template; the drawing layer has escaped every text in it."""
    if figure is None:
        return None
    return {"wide": Markup(figure.wide.inline()), "compact": Markup(figure.compact.inline())}  # noqa: S704


def _levels(report: Report) -> str:
    """Coverage of the drawn lines, where all estimates agree on it."""
    alphas = {v.estimate.alpha for v in report.verdicts.values() if v.estimate is not None}
    if len(alphas) != 1:
        return "thin line: interval at the corrected level; thick line: the narrower one used to show a null"
    alpha = alphas.pop()
    return f"thin line: {words.percent(alpha)} interval; thick line: {words.percent(2 * alpha)} interval"


def _engine() -> str:
    from leadline import __version__

    return f"leadline {__version__}"
