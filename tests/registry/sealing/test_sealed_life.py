"""The life of a sealed study: promised, run, reported under seal, revealed, and then as good as any other."""

import json
from datetime import date, timedelta

import pytest

from leadline.errors import InputError, NotFoundError, SignatureError, StateError
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing.slots import SLOT_SIZE
from leadline.registry.recheck import verify_study
from leadline.registry.registry import Registry
from leadline.registry.sealing import SealedWork, flush
from leadline.registry.sealing.outbox import deposit, silent_slots
from leadline.store.projections import seals
from registry.sealing.lab import SealedLab


def test_a_revealed_report_is_confirmatory(lab: SealedLab) -> None:
    """Seal, announce, run, report under seal, reveal: the public report is the sealed one, byte for byte."""
    work = lab.seal()
    lab.run(work)
    lab.next_week()
    sealed_report = work.report().to_json()
    lab.next_week()
    done = work.reveal()
    assert done.left_out == ()
    study = lab.registry.study(work.id)
    (published,) = study.reports
    assert lab.registry.store.blob(published.report) == sealed_report
    verdict = json.loads(sealed_report)["verdicts"]["H1"]
    assert (verdict["outcome"], verdict["standing"]) == ("supported", "confirmatory")
    assert study.analyze_as_of_report(published) == sealed_report
    assert all(step.ok for step in verify_study(lab.registry, study.id))
    assert list(lab.registry.fsck()) == []


def test_what_was_said_under_seal_keeps_bytes_tokens_and_place_in_time(lab: SealedLab) -> None:
    """Attempt tokens are leaf hashes of the same bytes; the attempt counts from the batch that committed to it."""
    work = lab.seal()
    with work.attempt() as run:
        run.attach(lab.world.lab_run(work, run))  # type: ignore[arg-type]
    batch = lab.next_week().batch
    work.reveal()
    study = lab.registry.study(work.id)
    (attempt,) = study.attempts
    assert batch is not None
    assert (attempt.token, attempt.opened_index) == (run.token, batch.index)
    assert study.index == work.secrets.index < batch.index < study.row.ix
    assert study.registration == work.registration
    assert study.seed == work.seed


def test_a_study_goes_on_in_the_open_after_its_reveal(lab: SealedLab) -> None:
    """Runs and reports after the reveal are ordinary ones."""
    work = lab.seal()
    work.reveal()
    study = lab.registry.study(work.id)
    lab.world.attempt(study)
    assert study.publish().verdicts["H1"].standing == "confirmatory"
    with pytest.raises(StateError, match="nothing more is said under seal"):
        work.open_attempt()


def test_a_sealed_study_is_there_and_shows_nothing(lab: SealedLab) -> None:
    """Its id is known, its content is not: one sentence for any content; search finds nothing."""
    work = lab.seal()
    with pytest.raises(StateError, match="is sealed until"):
        lab.registry.study(work.id)
    with pytest.raises(NotFoundError):
        lab.registry.study("LL-0123456789abc")
    stub = lab.registry.sealed(work.id)
    assert (stub.row.tier, stub.row.state, stub.slots, stub.fields) == ("ordinary", "sealed", 0, {})
    assert lab.registry.search("hint").studies == ()
    assert list(lab.registry.studies()) == []
    with pytest.raises(NotFoundError, match="no sealed study"):
        lab.registry.sealed("LL-0123456789abc")


def test_a_revealed_study_is_found(lab: SealedLab) -> None:
    """Search, state and id are those of any study; the log shows when it was promised and when opened."""
    work = lab.seal()
    done = work.reveal()
    (row,) = lab.registry.search("hint").studies
    assert (row.id, row.ix, row.promised) == (work.id, done.receipt.index, work.secrets.index)
    assert lab.registry.sealed(work.id).standing(lab.today()) == "revealed"


def test_every_live_study_has_one_slot_a_week(lab: SealedLab) -> None:
    """Silent or not, exactly one each; a revealed study has none any more; a second flush does nothing."""
    talking, silent, gone = (lab.seal(protocol=lab.world.protocol(title=f"Study {n}")) for n in range(3))
    gone.reveal()
    talking.open_attempt()
    made = lab.next_week()
    assert made.slots == 2
    again = flush(lab.registry)
    assert (again.batch, again.slots, again.seals) == (None, 0, ())
    (batch,) = seals.batches(lab.registry.store)
    assert len(lab.registry.store.blob(batch.body)) == 27 + 4 + 2 * (16 + SLOT_SIZE)
    assert [len(seals.slots(lab.registry.store, one.id)) for one in (talking, silent, gone)] == [1, 1, 0]
    assert set(silent_slots(lab.registry, silent.id)) == {batch.ix}
    assert silent_slots(lab.registry, talking.id) == {}


def test_what_does_not_fit_waits_for_the_next_week(lab: SealedLab) -> None:
    """A long statement is cut over several slots, and is committed to with its last byte."""
    work = lab.seal()
    work.open_attempt("n" * 3900)
    for _ in range(3):
        work.abandon_attempt(len(work.attempts), "r" * 3900)
        work.open_attempt("n" * 3900)
    weeks = 0
    while work.sync():
        lab.next_week()
        weeks += 1
    assert weeks > 3
    assert [said for _, said in work.secrets.commitments()] == work.secrets.statements
    work.reveal()
    batches = [one.batch for one in seals.spoken(lab.registry.store, work.id)]
    assert batches == sorted(batches)
    assert len(set(batches)) > 2
    assert len(lab.registry.study(work.id).attempts) == 4


def test_a_report_waits_until_its_attempts_are_committed(lab: SealedLab) -> None:
    """Otherwise nobody could tell after which entry a run was announced."""
    work = lab.seal()
    lab.run(work)
    with pytest.raises(StateError, match="no batch has committed to attempt 1"):
        work.report()


def test_statements_that_no_batch_took_enter_at_the_reveal(lab: SealedLab) -> None:
    """They count from their own entry, not from before."""
    work = lab.seal()
    lab.run(work)
    done = work.reveal()
    assert len(done.entered) == 3
    study = lab.registry.study(work.id)
    assert study.attempts[0].opened_index > study.row.ix


def test_a_missing_log_leaves_its_statement_out_until_it_is_found(lab: SealedLab) -> None:
    """The reveal happens all the same; what was left out is named, and enters when the file is back."""
    work = lab.seal()
    paths = lab.run(work)
    lab.next_week()
    work.report()
    lab.next_week()
    hidden = paths[0].rename(paths[0].with_suffix(".away"))
    done = work.reveal()
    assert {why.split(" (")[0] for _, why in done.left_out} >= {paths[0].name}
    assert lab.registry.study(work.id).reports == []
    hidden.rename(paths[0])
    assert work.enter() == {}
    assert len(lab.registry.study(work.id).reports) == 1


def test_a_changed_log_is_not_taken(lab: SealedLab) -> None:
    """The digest is under seal; another file is another file."""
    work = lab.seal()
    paths = lab.run(work)
    paths[0].write_bytes(paths[1].read_bytes())
    with pytest.raises(StateError, match="changed since"):
        work.analyze()
    assert any("changed since" in why for _, why in work.reveal().left_out)


def test_amendments_under_seal_keep_their_history(lab: SealedLab) -> None:
    """An amendment enters with what its author had seen, at the reveal."""
    work = lab.seal()
    work.amend(lab.world.protocol(notes="one more thing"), reason="forgot", seen="nothing_run")
    with pytest.raises(StateError, match="promises exactly the same"):
        work.amend(lab.world.protocol(), reason="none", seen="looked")
    lab.next_week()
    work.reveal()
    study = lab.registry.study(work.id)
    assert len(study.registration.amended) == 1
    assert study.registration == work.registration


def test_rules_hold_under_seal(lab: SealedLab) -> None:
    """What the ledger would refuse at the reveal is refused at once, and is not kept."""
    work = lab.seal()
    with pytest.raises(Exception, match="is not open"):
        work.abandon_attempt(1, "none")
    run = work.open_attempt()
    with pytest.raises(StateError, match="no log"):
        work.close_attempt(run.number, ())
    with pytest.raises(InputError, match="no arm"):
        run.stamp("nothing")
    assert len(work.secrets.statements) == 1


def test_the_hazard_tier_shows_no_author(lab: SealedLab) -> None:
    """The log learns of the installation only; author and content come with the reveal, and count under nobody."""
    work = lab.seal(tier="hazard")
    store = lab.registry.store
    everything = b"".join(store.entries())
    assert lab.world.key.fingerprint.encode() not in everything
    assert lab.world.key.public.vkey.encode() not in everything
    installation = lab.registry.home.ensure("installation")
    assert work.row.keyid == installation.fingerprint
    lab.reported(work).reveal()
    study = lab.registry.study(work.id)
    assert study.row.keyid == lab.world.key.fingerprint
    assert study.publish().verdicts["H1"].standing == "confirmatory"
    today = lab.today()
    assert seals.installation_counts(store, today) == seals.SealCounts(1, 1, 0, 0)
    assert seals.seal_counts(store, lab.world.key.fingerprint, today) == seals.SealCounts(0, 0, 0, 0)


def test_counts_say_what_became_of_seals(lab: SealedLab) -> None:
    """Sealed, revealed, overdue, undisclosed: per author and all keys the author ever had."""
    first, second, third = (lab.seal(protocol=lab.world.protocol(title=f"Study {n}")) for n in range(3))
    first.reveal()
    lab.registry.rotate_key(SigningKey.generate("example.org/ada2"))
    lab.seal(protocol=lab.world.protocol(title="Study 4"))
    store, embargo = lab.registry.store, date.fromisoformat(second.row.embargo)
    old, new = lab.world.key.fingerprint, lab.registry.author().fingerprint

    def count(day: date) -> tuple[int, ...]:
        found = seals.seal_counts(store, new, day)
        assert seals.seal_counts(store, old, day) == found
        return found.sealed, found.revealed, found.overdue, found.undisclosed

    assert count(embargo) == (4, 1, 0, 0)
    assert count(embargo + timedelta(days=1)) == (4, 1, 3, 0)
    service = lab.registry.home.service
    assert service is not None
    closing = {"studies": sorted([second.id, third.id]), "period": "2026-12", "created": lab.registry.time()}
    lab.registry.append(lambda view: [("close", closing, service)])
    assert count(embargo + timedelta(days=1)) == (4, 1, 1, 2)
    assert lab.registry.sealed(second.id).standing(embargo) == "closed-undisclosed"
    late = SealedWork(lab.registry, second.secrets, lab.world.key)
    late.reveal()
    assert count(embargo + timedelta(days=1)) == (4, 2, 1, 1)
    assert lab.registry.study(second.id).row.closed is not None


def test_single_fields_open_before_the_rest(lab: SealedLab) -> None:
    """Title and verdict can be shown while models, prompts and data stay shut."""
    work = lab.reported(lab.seal())
    work.reveal_fields(["title", "verdict"])
    stub = lab.registry.sealed(work.id)
    assert stub.fields["title"] == work.protocol.title
    assert stub.fields["verdict"]["value"] == {"H1": {"outcome": "supported", "standing": "confirmatory"}}
    assert stub.row.state == "sealed"
    with pytest.raises(InputError, match="no field of a sealed study"):
        work.reveal_fields(["prompt"])
    assert work.reveal().left_out == ()


def test_there_is_no_verdict_before_one_is_committed(lab: SealedLab) -> None:
    """Opening the verdict of a study that has reported nothing says so, to its author only."""
    work = lab.seal()
    with pytest.raises(NotFoundError, match="no batch has committed to a verdict"):
        work.reveal_fields(["verdict"])


def test_projections_are_made_again_from_the_log(lab: SealedLab) -> None:
    """Rebuilding gives the same seals, slots, fields and studies."""
    work = lab.reported(lab.seal())
    lab.seal(protocol=lab.world.protocol(title="Another"))
    work.reveal_fields(["title"])
    work.reveal()
    before = [lab.registry.store.select(table) for table in seals.Seals.tables]
    lab.registry.rebuild()
    assert [lab.registry.store.select(table) for table in seals.Seals.tables] == before
    assert list(lab.registry.fsck()) == []


def test_the_author_s_file_survives_a_restart(lab: SealedLab) -> None:
    """Everything needed is on disk before the log knows of it; another session goes on where this one stopped."""
    work = lab.seal()
    lab.run(work)
    lab.next_week()
    again = SealedWork.open(lab.registry, work.id.upper(), lab.place)
    assert again.report().verdicts["H1"].outcome == "supported"
    lab.next_week()
    assert again.reveal().left_out == ()
    with pytest.raises(NotFoundError, match="no file of a sealed study"):
        SealedWork.open(lab.registry, "LL-0123456789abc", lab.place)


def test_deposits_need_the_study_s_own_key(lab: SealedLab) -> None:
    """A slot signed otherwise, used before, or for an id without a seal is refused; the same again is harmless."""
    work = lab.seal()
    work.open_attempt()
    stored = lab.registry.store.shelf.get("seal-outbox", work.id)
    assert stored is not None
    slot = stored[16:]
    with pytest.raises(SignatureError, match="not signed by the key"):
        deposit(lab.registry, work.id, slot, sequence=9, after=-1, signature=bytes(64))
    with pytest.raises(NotFoundError, match="no live sealed study"):
        deposit(lab.registry, "LL-0123456789abc", slot, sequence=1, after=-1, signature=bytes(64))
    from leadline.registry.sealing.outbox import sign_deposit
    from leadline.registry.sealing.sealing import deposit_key

    key = deposit_key(work.secrets.content)
    replayed = sign_deposit(key, work.id, 1, -1, slot)
    deposit(lab.registry, work.id, slot, sequence=1, after=-1, signature=replayed)  # the answer was lost
    assert lab.registry.store.shelf.get("seal-outbox", work.id) == stored
    work.open_attempt()
    with pytest.raises(StateError, match="taken already"):
        deposit(lab.registry, work.id, slot, sequence=1, after=-1, signature=replayed)


def test_a_slot_made_before_the_last_batch_is_not_used_twice(lab: SealedLab) -> None:
    """A deposit that comes late repeats what the batch holds already; the next one is silent instead."""
    work = lab.seal()
    work.open_attempt()
    stored = lab.registry.store.shelf.get("seal-outbox", work.id)
    lab.next_week()
    assert stored is not None
    lab.registry.store.shelf.put(
        "seal-outbox", work.id, stored
    )  # as after a crash between commit and clearing
    lab.next_week()
    work.sync()
    assert len(silent_slots(lab.registry, work.id)) == 1
    work.reveal()
    assert len(lab.registry.study(work.id).attempts) == 1


def test_another_author_s_registry_needs_no_secret_to_go_on(lab: SealedLab) -> None:
    """Flushing needs the installation's key and nobody's secrets."""
    work = lab.seal()
    work.open_attempt()
    lab.world.clock.now += timedelta(days=7)
    with lab.as_author(None) as server:
        assert isinstance(server, Registry)
        assert flush(server).slots == 1
    assert work.sync() == 0
