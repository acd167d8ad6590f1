"""Judgements and sealed studies: nothing is said of what nobody can read, and nobody forecasts what somebody knows."""

from typing import Any

import pytest

from leadline.errors import StateError
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.registry.intake import submit
from leadline.registry.judging import judge
from leadline.registry.registry import Registry
from leadline.registry.scoring import outcome_known_since, scored_forecasts
from registry.sealing.lab import SealedLab

SURE = {"H1": {"supported": 0.9, "null": 0.1}}


def forecast(registry: Registry, study: str) -> bytes:
    """A forecast of the study, signed and not sent."""
    said: dict[str, Any] = {"type": "forecast", "study": study, "target": study, "probabilities": SURE}
    return make_signed("judgement", {**said, "created": "2026-03-01T10:00:00Z"}, registry.author())


def test_a_sealed_study_is_not_judged_in_the_open(lab: SealedLab) -> None:
    """What `judge` refuses is refused at the door too, in the same words for every sealed study."""
    work = lab.seal()
    with pytest.raises(StateError, match="is sealed until"):
        judge(lab.registry, work.id, type="review", text="I know what it is about")
    with pytest.raises(StateError, match="is sealed until"):
        submit(lab.registry, [forecast(lab.registry, work.id)])


def test_a_forecast_after_the_sealed_report_does_not_count(lab: SealedLab) -> None:
    """The reveal shows the report before the report's own entry; a forecast made in between knew it."""
    work = lab.reported(lab.seal())
    files = dict(work.secrets.files)
    work.secrets.files.clear()
    assert work.reveal().left_out  # without its files nothing but the reveal enters, which shows the report
    with lab.as_author(SigningKey.generate("example.org/late")) as late:
        late.register_key("Late")
        assert judge(late, work.id, type="forecast", part=SURE).counts
    work.secrets.files.update(files)
    assert work.enter() == {}
    study = lab.registry.study(work.id)
    (published,) = study.reports
    (scored,) = scored_forecasts(lab.registry.store, study.id)
    assert scored.judgement.ix < published.ix
    assert (scored.score, scored.why_not) == (None, "made after the first report")
    known = outcome_known_since(lab.registry.store, study.id)
    assert known is not None
    assert study.index < known < study.row.ix
