"""The week's round: seals enter together, the hazard tier padded with decoys that nobody can tell from the others."""

import re
from collections import Counter
from datetime import date, timedelta

import pytest

from leadline.errors import NotFoundError, SignatureError
from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Seal
from leadline.ledger.sealing.body import BODY_SIZE, open_body
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.lifecycle import tend
from leadline.registry.own_keys import rotate_own
from leadline.registry.registry import Registry
from leadline.registry.sealing import SealedWork, flush
from leadline.registry.sealing.holding import hold
from leadline.registry.sealing.outbox import answer_own, deposit, waiting_slots
from leadline.store.projections import seals
from registry.sealing.lab import SealedLab


def round_of_week(lab: SealedLab, bucket: int = 4) -> int:
    """A week passes, and the round is made; how many seals entered."""
    lab.world.clock.now += timedelta(days=7)
    return len(flush(lab.registry, bucket=bucket).seals)


def waiting(lab: SealedLab, number: int, tier: str = "hazard") -> SealedWork:
    """A seal that waits for next week."""
    return lab.seal(protocol=lab.world.protocol(title=f"Study {number}"), tier=tier, wait=True)


def per_week(lab: SealedLab) -> Counter[str]:
    """The hazard seals in the log, by the week they are dated to."""
    return Counter(row.period for row in seals.seals(lab.registry.store, tier="hazard"))


def test_nothing_is_padded_before_the_tier_is_used(lab: SealedLab) -> None:
    """A registry that never seals a hazard makes no decoys; ordinary seals are never padded."""
    assert round_of_week(lab) == 0
    waiting(lab, 1, "ordinary")
    assert round_of_week(lab) == 1
    assert per_week(lab) == {}


def test_every_week_has_a_multiple_of_the_bucket(lab: SealedLab) -> None:
    """One real seal, none, and five: four, four and eight in the log; a second round in a week does nothing."""
    waiting(lab, 1)
    assert round_of_week(lab) == 4
    assert flush(lab.registry, bucket=4).seals == ()
    assert round_of_week(lab) == 4
    for number in range(2, 7):
        waiting(lab, number)
    assert round_of_week(lab) == 8
    assert sorted(per_week(lab).values()) == [4, 4, 8]


def test_weeks_in_which_the_server_slept_are_padded_afterwards(lab: SealedLab) -> None:
    """Otherwise a week without a round would say that nobody sealed in it."""
    waiting(lab, 1)
    round_of_week(lab)
    lab.world.clock.now += timedelta(days=14)
    waiting(lab, 2)
    assert round_of_week(lab) == 12
    assert set(per_week(lab).values()) == {4}
    assert len(per_week(lab)) == 4


def test_decoys_have_the_form_of_every_seal(lab: SealedLab) -> None:
    """Lengths, fields, dates, signer, slots and answers are those of a real one; no identity opens it."""
    work = waiting(lab, 1)
    round_of_week(lab)
    round_of_week(lab)
    store = lab.registry.store
    rows = seals.seals(store, tier="hazard")
    shapes, public = set(), []
    for row in rows:
        envelope = store.entry(row.ix)
        said = parse(decode(envelope).payload).predicate
        assert isinstance(said, Seal)
        assert len(store.blob(said.body)) == BODY_SIZE
        assert (open_body(store.blob(said.body), lab.identity) is not None) == (row.id == work.id)
        shape = re.sub(rb"[0-9a-f]{64}|\d{4}-\d\d-\d\d", b"", decode(envelope).payload)
        shapes.add((len(envelope), shape, row.keyid, row.state))
        public.append((row.period, row.embargo, len(seals.slots(store, row.id))))
    assert len(rows) == 8
    assert len(shapes) == 1
    assert set(Counter(public).values()) == {4}


def test_no_answer_tells_a_decoy(lab: SealedLab) -> None:
    """A wrong signature over a slot, a question or a hold is refused in the same words."""
    work = waiting(lab, 1)
    round_of_week(lab)
    decoy = next(row.id for row in seals.seals(lab.registry.store) if row.id != work.id)
    soon = lab.registry.clock() + timedelta(hours=1)
    answers = set()
    for study in (work.id, decoy):
        for ask in (
            lambda one: deposit(lab.registry, one, bytes(9000), sequence=1, after=-1, signature=bytes(64)),
            lambda one: answer_own(lab.registry, one, soon, bytes(64)),
            lambda one: hold(lab.registry, one, bytes(64)),
            lab.registry.withhold,
        ):
            with pytest.raises(SignatureError) as caught:
                ask(study)
            answers.add(str(caught.value).replace(study, "ID"))
    assert len(answers) == 2, "one for the study's own key, one for an author's"


def test_decoys_close_with_the_others(lab: SealedLab) -> None:
    """Past embargo and grace one batch closes real and decoy alike; counts include both."""
    work = waiting(lab, 1)
    round_of_week(lab)
    embargo = date.fromisoformat(work.row.embargo)
    assert seals.installation_counts(lab.registry.store, embargo).sealed == 4
    (event,) = tend(lab.registry, embargo + timedelta(days=150))
    assert len(event.studies) == 4
    assert work.id in event.studies
    assert seals.installation_counts(lab.registry.store, embargo).undisclosed == 4


def test_an_interrupted_round_is_finished_with_the_same_seals(
    lab: SealedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was agreed upon enters, decoys included; nothing twice, and no more of them."""
    from leadline.registry.sealing import waiting as module

    for number in range(3):
        waiting(lab, number)
    entering = module._enter
    left = 2

    def failing(registry: Registry, envelope: bytes, introduction: bytes | None) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return entering(registry, envelope, introduction)

    monkeypatch.setattr(module, "_enter", failing)
    with pytest.raises(KeyboardInterrupt):
        round_of_week(lab)
    monkeypatch.undo()
    assert len(flush(lab.registry, bucket=4).seals) == 2
    assert per_week(lab) == {"2026-02-23": 4}


def test_a_second_process_lets_in_the_same_seals(lab: SealedLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that plan a round at once one wins, and the other's decoys are thrown away."""
    from leadline.registry.sealing import waiting as module

    waiting(lab, 1)
    making = module.make_decoy
    raced = False

    def racing(registry: Registry, begin: date) -> bytes:
        nonlocal raced
        if not raced:
            raced = True
            flush(registry, bucket=4)
        return making(registry, begin)

    monkeypatch.setattr(module, "make_decoy", racing)
    round_of_week(lab)
    assert per_week(lab) == {"2026-02-23": 4}
    assert lab.registry.store.shelf.items("seal-queue") == []


def test_a_seal_whose_key_was_revoked_does_not_stop_the_others(lab: SealedLab) -> None:
    """It is dropped; the rest of the week enters."""
    lab.registry.register_key("Ada")
    lost = waiting(lab, 1, "ordinary")
    lab.registry.revoke_key("lost")
    lab.registry.key = SigningKey.generate("example.org/bo")
    kept = waiting(lab, 2, "ordinary")
    assert round_of_week(lab) == 1
    assert kept.row.state == "sealed"
    with pytest.raises(NotFoundError, match="not in the log yet"):
        _ = lost.row
    assert lab.registry.store.shelf.items("seal-queue") == []


def test_hazard_seals_enter_before_the_installations_key_is_replaced(lab: SealedLab) -> None:
    """Signed by the old key they would be refused afterwards; they come padded, and the next week goes on."""
    work = waiting(lab, 1)
    rotate_own(lab.registry, "installation", "rotation")
    assert work.row.state == "sealed"
    assert set(per_week(lab).values()) == {4}
    later = waiting(lab, 2)
    round_of_week(lab)
    assert seals.seal(lab.registry.store, later.id) is None, "this week's plan is made already"
    round_of_week(lab)
    assert later.row.state == "sealed"
    assert {count % 4 for count in per_week(lab).values()} == {0}


def test_work_begins_while_the_seal_waits(lab: SealedLab) -> None:
    """An attempt announced before the seal entered is committed to by the first batch behind it."""
    work = waiting(lab, 1, "ordinary")
    lab.run(work)
    assert work.id in waiting_slots(lab.registry)
    lab.next_week()
    assert work.sync() == 0
    assert work.registration.index == work.row.ix
    assert work.report().verdicts["H1"].standing == "confirmatory"
    lab.next_week()
    assert work.reveal().left_out == ()
    assert study_id(leaf_hash(lab.registry.store.entry(work.secrets.index))) == work.id
