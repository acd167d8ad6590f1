"""Judgements of studies: logged, ordered, scored when the verdict comes, taken back by their signer."""

import math
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, NotFoundError, SignatureError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.registry.intake import submit
from leadline.registry.judging import MOST_BODY, critiques, judge, revoke
from leadline.registry.registry import Registry
from leadline.registry.scoring import forecast_record, scored_forecasts, scored_reviews
from leadline.registry.study import Study
from leadline.store.projections.judgements import judgements, judgements_by, judgements_of, newest_judgements
from registry.world import World

SURE = {"H1": {"supported": 0.9, "null": 0.1}}
UNSURE = {"H1": {"supported": 0.25, "refuted": 0.25, "null": 0.25, "inconclusive": 0.25}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with an author."""
    return World(tmp_path)


@pytest.fixture
def study(world: World) -> Study:
    """A study that was run and not reported."""
    return world.honest_study()


@pytest.fixture
def bob(world: World, study: Study) -> Registry:
    """Somebody else, with a key of his own."""
    registry = Registry.open(
        world.folder / "registry.db", key=SigningKey.generate("example.org/bob"), clock=world.clock
    )
    registry.register_key("Bob")
    return registry


def critique(bob: Registry, study: Study, **part: Any) -> int:
    """A critique with this part; its log index."""
    return judge(bob, study.id, type="critique", part={"question": "why?", **part}).index


def test_a_forecast_is_scored_when_the_verdict_comes(world: World, study: Study, bob: Registry) -> None:
    """Log and Brier scores follow from the probability of the outcome; before the report there are none."""
    done = judge(bob, study.id, type="forecast", part=SURE, minutes=5)
    assert done.counts
    (before,) = scored_forecasts(world.registry.store, study.id)
    assert (before.outcome, before.score) == (None, None)
    study.publish()
    (after,) = scored_forecasts(world.registry.store, study.id)
    assert after.outcome == "supported"
    assert after.score is not None
    assert after.score.log_score == pytest.approx(-math.log(0.9))
    assert after.score.brier == pytest.approx(0.02)
    record = forecast_record(world.registry.store, after.judgement.lineage)
    assert (record.n, record.brier) == (1, pytest.approx(0.02))
    assert [(low, n) for low, n, _, _ in record.bins] == [(0.0, 1), (0.8, 1)]


def test_a_forecast_after_the_report_is_kept_and_not_scored(study: Study, bob: Registry) -> None:
    """Its writer is told so at once."""
    study.publish()
    assert not judge(bob, study.id, type="forecast", part=SURE).counts
    (late,) = scored_forecasts(bob.store, study.id)
    assert (late.score, late.why_not) == (None, "made after the first report")
    assert forecast_record(bob.store, late.judgement.lineage).n == 0


def test_the_last_forecast_before_the_report_counts(study: Study, bob: Registry) -> None:
    """Of several by one key the last one, and taking it back afterwards changes nothing."""
    judge(bob, study.id, type="forecast", part=UNSURE)
    last = judge(bob, study.id, type="forecast", part=SURE)
    study.publish()
    revoke(bob, last.index)
    first, second = scored_forecasts(bob.store, study.id)
    assert (first.score, first.why_not) == (None, "replaced by a later one")
    assert second.score is not None


def test_a_forecast_taken_back_in_time_does_not_count(study: Study, bob: Registry) -> None:
    """The one before it counts again."""
    judge(bob, study.id, type="forecast", part=UNSURE)
    revoke(bob, judge(bob, study.id, type="forecast", part=SURE).index)
    study.publish()
    first, second = scored_forecasts(bob.store, study.id)
    assert first.score is not None
    assert first.score.brier == pytest.approx(0.75)
    assert (second.score, second.why_not) == (None, "taken back")


def test_critiques_without_attempt_and_crux_sink(study: Study, bob: Registry) -> None:
    """Both come first, then either, then neither; newest first among equals; all are there."""
    crux = {"hypothesis": "H1", "answers": [{"answer": "yes", "moves": -0.5}]}
    neither = critique(bob, study)
    both = critique(bob, study, attempt="I looked.", **crux)
    tried = critique(bob, study, attempt="I looked.")
    pointed = critique(bob, study, **crux)
    bare = critique(bob, study)
    assert [row.ix for row in critiques(bob.store, study.id)] == [both, pointed, tried, bare, neither]


def test_reviews_are_scored_by_outcomes_that_others_state(world: World, study: Study, bob: Registry) -> None:
    """Not by the reviewer's own; the newest one counts; what has none stays open."""
    judge(bob, study.id, type="review", part={"replicates": 0.8, "useful": 0.3}, minutes=40)
    own = {"event": "replicates", "happened": False, "basis": "I say so"}
    judge(bob, study.id, type="outcome", part=own)
    assert [one.score for one in scored_reviews(bob.store, study.id)] == [None, None]
    seen = own | {"happened": True, "basis": "a rerun", "on": "2026-08-01"}
    judge(world.registry, study.id, type="outcome", part=seen)
    replicates, useful = scored_reviews(bob.store, study.id)
    assert replicates.score is not None
    assert replicates.score.brier == pytest.approx(0.08)
    assert useful.score is None


def test_trust_is_found_by_its_target_and_can_be_revoked(study: Study, bob: Registry) -> None:
    """Who, when, on what basis, for what; after revocation it is history."""
    part = {"subject": "model", "level": "untrusted", "basis": "unknown recipe", "purpose": "baseline"}
    done = judge(bob, study.id, type="trust", target="mockllm/tiny", part=part)
    (row,) = judgements_of(bob.store, "mockllm/tiny", "trust")
    assert row.trust is not None
    assert (row.trust.level, row.ix, row.created[:4]) == ("untrusted", done.index, "2026")
    gone = revoke(bob, done.index)
    assert judgements_of(bob.store, "mockllm/tiny", "trust") == []
    first, second = judgements_of(bob.store, "mockllm/tiny", "trust", revoked=True)
    assert (first.revoked, second.revokes) == (gone.index, done.leaf)


def test_only_ones_own_judgement_is_taken_back(world: World, study: Study, bob: Registry) -> None:
    """The study's author cannot take a critique back."""
    index = critique(bob, study)
    with pytest.raises(SignatureError, match="somebody else"):
        revoke(world.registry, index)
    with pytest.raises(NotFoundError, match="no judgement"):
        revoke(bob, 0)


def test_what_does_not_fit_the_study_is_refused(study: Study, bob: Registry) -> None:
    """An unknown hypothesis, or nothing said at all; and nothing is logged."""
    size = bob.store.size()
    with pytest.raises(InputError, match="no hypothesis 'H9'"):
        judge(bob, study.id, type="forecast", part={"H9": {"supported": 1.0}})
    with pytest.raises(InputError, match="no hypothesis 'H9'"):
        critique(bob, study, hypothesis="H9")
    with pytest.raises(InputError, match="says nothing"):
        judge(bob, study.id, type="review")
    with pytest.raises(NotFoundError):
        judge(bob, "LL-0000000000000", type="review", text="fine")
    assert bob.store.size() == size


def test_longer_texts_are_kept_by_digest(study: Study, bob: Registry) -> None:
    """The statement names the blob."""
    judge(bob, study.id, type="review", text="see below", body=b"long " * 5000)
    (row,) = study.judgements
    assert row.body is not None
    assert bob.store.blob(row.body) == b"long " * 5000


def test_listing_the_newest_goes_on_past_those_taken_back(study: Study, bob: Registry) -> None:
    """However many were revoked in between, a page is full when it can be."""
    kept = critique(bob, study)
    for _ in range(3):
        revoke(bob, critique(bob, study))
    assert [row.ix for row in newest_judgements(bob.store, "critique", limit=1)] == [kept]


def test_judgements_are_listed_by_study_by_signer_and_by_type(study: Study, bob: Registry) -> None:
    """And a rebuild gives the same rows."""
    judge(bob, study.id, type="review", text="fine")
    critique(bob, study)
    rows = judgements(bob.store, study.id)
    assert [row.type for row in rows] == ["review", "critique"]
    assert judgements_by(bob.store, rows[0].lineage) == rows
    assert [row.type for row in newest_judgements(bob.store, "critique")] == ["critique"]
    assert newest_judgements(bob.store, "critique", before=rows[1].ix) == []
    bob.rebuild()
    assert judgements(bob.store, study.id) == rows
    assert list(bob.fsck()) == []


def test_an_exported_study_with_judgements_verifies(world: World, study: Study, bob: Registry) -> None:
    """The folder holds what others said, and their keys."""
    from leadline.registry.bundle import verify_bundle
    from leadline.registry.exchange import export_study

    revoke(bob, critique(bob, study))
    study.publish()
    folder = world.folder / "export"
    export_study(world.registry, study.id, folder)
    assert all(step.ok for step in verify_bundle(folder, world.registry.home.log))


def test_what_says_nothing_or_is_no_text_is_refused_at_the_door_too(
    world: World, study: Study, bob: Registry
) -> None:
    """Statements made elsewhere pass the checks that `judge` makes: something said, known hypotheses, real text."""

    def send(**said: Any) -> None:
        fields = {"target": study.id, "study": study.id, "created": "2026-03-01T10:00:00Z"}
        envelope = make_signed("judgement", {**fields, **said}, bob.author())
        submit(world.registry, [envelope], [b"\xff\xfe", b"x" * (MOST_BODY + 1)])

    chances = {"supported": 0.5, "null": 0.5}
    with pytest.raises(InputError, match="no hypothesis 'H99'"):
        send(type="forecast", probabilities={"H99": chances})
    with pytest.raises(InputError, match="no hypothesis 'H99'"):
        send(type="critique", critique={"question": "why?", "hypothesis": "H99"})
    with pytest.raises(InputError, match="says nothing"):
        send(type="review")
    for body in (b"\xff\xfe", b"x" * (MOST_BODY + 1)):
        with pytest.raises(InputError):
            send(type="review", body=sha256_hex(body))
    send(type="forecast", probabilities={"H1": chances})
