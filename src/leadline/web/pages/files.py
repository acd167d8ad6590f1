"""What can be downloaded of a study: the certificate, exact bytes, the protocol, the report, citations, the badge."""

from typing import Final

from leadline.errors import NotFoundError
from leadline.ledger.ids import read_study_id
from leadline.protocol import dump
from leadline.registry.stub import Standing, standing_of
from leadline.store.projections.seals import seal as find_seal
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import ReadView
from leadline.verdict.reading import MAX_BYTES
from leadline.web.answer import JSON, SVG, TEXT, Answer
from leadline.web.context import Site
from leadline.web.pages.study import badge_words, citation, found_study
from leadline.web.render import Asked
from leadline.web.views.badge import badge_svg
from leadline.web.views.proof import certificate

_YAML: Final = "application/yaml; charset=utf-8"
_BADGE_LIFETIME: Final = 300
#: What the badge of a sealed study says: the public state of every seal, and nothing of what it holds.
_STANDING: Final[dict[Standing, str]] = {
    "sealed": "sealed",
    "overdue": "sealed, embargo over",
    "revealed": "opened",
    "closed-undisclosed": "closed undisclosed",
}


def certificate_file(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The registration certificate of an open or sealed study."""
    name, index = _promised(view, asked)
    return Answer(certificate(site, view, index), TEXT, filename=f"{name}.tlog-proof")


def statement_file(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """The signed freeze (or seal), byte for byte."""
    name, index = _promised(view, asked)
    return Answer(view.entry(index), JSON, filename=f"{name}.dsse.json")


def protocol_json(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The frozen protocol, byte for byte."""
    found = found_study(site, view, asked)
    return Answer(_blob(view, found.row.protocol), JSON, filename=f"{found.row.id}.protocol.json")


def protocol_yaml(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The frozen protocol as YAML that reads back as the same promise."""
    found = found_study(site, view, asked)
    if found.protocol is None:
        raise NotFoundError(found.protocol_missing.rstrip("."), remedy="Its digest is on the study's page.")
    return Answer(dump(found.protocol).encode(), _YAML, filename=f"{found.row.id}.yaml")


def report_json(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The newest report, byte for byte."""
    found = found_study(site, view, asked)
    if not found.reports:
        raise NotFoundError("this study has no report", remedy="Its page says what state it is in.")
    return Answer(_blob(view, found.reports[-1].report), JSON, filename=f"{found.row.id}.report.json")


def bibtex(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The study as a BibTeX entry."""
    found = found_study(site, view, asked)
    return Answer(citation(found).bibtex.encode(), TEXT, filename=f"{found.row.id}.bib")


def csl_json(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The study as a CSL-JSON item."""
    found = found_study(site, view, asked)
    return Answer(citation(found).csl.encode(), JSON, filename=f"{found.row.id}.csl.json")


def badge(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The badge of a study, for other pages to show; a sealed study's says so."""
    name = read_study_id(asked.names["study"])
    seal = find_seal(view, name)
    if find_study(view, name) is None and seal is not None:
        words = _STANDING[standing_of(seal, site.today())]
        return Answer(badge_svg(words, None).encode(), SVG, lifetime=_BADGE_LIFETIME, shared=True)
    found = found_study(site, view, asked)
    leading = found.leading
    shown = leading.outcome if leading is not None and found.status == "reported" else None
    svg = badge_svg(badge_words(found), shown)
    return Answer(svg.encode(), SVG, lifetime=_BADGE_LIFETIME, shared=True)


def _promised(view: ReadView, asked: Asked) -> tuple[str, int]:
    """Id and log index of the promise: the freeze, or the seal of what is or was sealed."""
    name = read_study_id(asked.names["study"])
    sealed = find_seal(view, name)
    if sealed is not None:
        return name, sealed.ix
    row = find_study(view, name)
    if row is None:
        raise NotFoundError(f"there is no study {name}", remedy="Search for it by its words.")
    return name, row.ix


def _blob(view: ReadView, digest: str) -> bytes:
    try:
        return view.blob(digest, limit=MAX_BYTES)
    except NotFoundError:
        reason = view.taken_down(digest)
        said = f"these bytes were taken down: {reason}" if reason else "these bytes are not kept here"
        raise NotFoundError(said, remedy="The digest stays on the study's page.") from None
