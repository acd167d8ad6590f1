"""Cheating with seals: what an observer, an author, a stranger or a registry might try."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import Explained, InputError, SignatureError, StateError, StatementError
from leadline.ledger.canon import canonical, sha256_hex
from leadline.ledger.dsse import decode
from leadline.ledger.keys import SigningKey
from leadline.ledger.predicates import Reveal, Seal
from leadline.ledger.sealing.body import BODY_SIZE
from leadline.ledger.sealing.opening import whole_body
from leadline.ledger.sealing.slots import SLOT_SIZE, SlotOpening, batch_slots, silence
from leadline.ledger.statements import make_signed, parse
from leadline.registry.publication import statement_of
from leadline.registry.sealing import SealedWork, check_reveal, check_seal, flush
from leadline.registry.sealing.outbox import silent_slots
from leadline.registry.sealing.revealing import slot_openings
from leadline.registry.sealing.sealing import prepare
from leadline.registry.sealing.waiting import enqueue
from leadline.registry.sealing.writing import append_signed
from leadline.store import ReadView
from leadline.store.projections import seals
from registry.sealing.lab import SealedLab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedLab:
    """A fresh registry with an author who can seal."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    return SealedLab(tmp_path)


# -- the observer ---------------------------------------------------------------------------------


def test_public_bytes_have_one_length_for_any_content(lab: SealedLab) -> None:
    """Titles, authors, scripts, number of arms, due dates, simulations, trustees: statement and body are as long."""
    from leadline.ledger.sealing import age

    arms = lab.world.protocol().model_dump(mode="json")["arms"]
    many = [
        {**arms[1], "name": f"hint{n}", "technique": f"hint {n}", "task_args": {"style": f"hint{n}"}}
        for n in range(60)
    ]
    variants: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"title": "水" * 300, "notes": "ж" * 4000}, {}),
        ({"authors": [{"name": f"Author {n} of a large consortium"} for n in range(50)]}, {}),
        ({"arms": [*arms, *many]}, {}),
        ({"timeline": {"due": None}}, {"characteristics": b"{" + b" " * 90_000 + b"}"}),
        ({}, {"trustees": [age.recipient_of(age.generate()) for _ in range(16)], "quorum": 9}),
    ]
    store = lab.registry.store
    lengths = set()
    for changes, options in variants:
        work = lab.seal(protocol=lab.world.protocol(**changes), **options)
        said = parse(decode(store.entry(work.secrets.index)).payload).predicate
        assert isinstance(said, Seal)
        lengths.add((len(store.entry(work.secrets.index)), len(store.blob(said.body))))
    assert len(lengths) == 1
    assert next(iter(lengths))[1] == BODY_SIZE


def test_later_statements_change_no_public_length(lab: SealedLab) -> None:
    """A week of work, of amendments and of silence look the same in the batch."""
    works = [lab.seal(protocol=lab.world.protocol(title=f"Study {n}")) for n in range(3)]
    lab.run(works[0])
    works[1].amend(lab.world.protocol(title="Other", notes="n" * 3000), reason="r" * 2000, seen="looked")
    batch = lab.next_week()
    assert batch.batch is not None
    store = lab.registry.store
    (row,) = seals.batches(store)
    slots = batch_slots(store.blob(row.body))
    assert {len(slot) for _, slot in slots} == {SLOT_SIZE}
    assert len({len(re.sub(rb"[A-Za-z0-9+/]{43}", b"", slot[44:130])) for _, slot in slots}) == 1


def test_nothing_public_names_the_topic(lab: SealedLab) -> None:
    """No word of title, claim, arm, model, area or author is in any entry or stored byte of an ordinary seal."""
    lab.registry.register_key("Ada")
    work = lab.seal(protocol=lab.world.protocol(area=["control/monitoring"]))
    lab.reported(work)
    store = lab.registry.store
    public = [decode(entry).payload for entry in store.entries()]
    public += [store.blob(blob.sha256) for blob in store.blobs() if blob.kept != "taken_down"]
    for word in (b"accuracy", b"addition", b"mockllm", b"hint", b"monitoring", b"supported", b"item-0"):
        assert not any(word in one for one in public), word


def test_times_are_weeks_and_quarters(lab: SealedLab) -> None:
    """What is sealed on different days of a week carries the same dates."""
    works = []
    for day in range(3):
        lab.world.clock.now = lab.world.clock.now.replace(month=3, day=3 + day, hour=7 + day)
        works.append(lab.seal(protocol=lab.world.protocol(title=f"Study {day}")))
    assert {(one.row.period, one.row.embargo) for one in works} == {("2026-03-02", "2026-06-30")}


def test_a_server_enters_seals_in_an_order_that_says_nothing(lab: SealedLab) -> None:
    """Waiting seals come in together before the batch, by digest, in the week after the one they belong to."""
    registry = lab.registry
    envelopes = []
    for number in range(4):
        made = prepare(
            lab.world.protocol(title=f"Study {number}"),
            lab.world.key,
            lab.seal(protocol=lab.world.protocol(title=f"x{number}")).secrets.content.author,
            now=registry.time(),
            today=lab.today(),
        )
        registry.store.put_blob(made.body)
        envelopes.append(make_signed("seal", made.said, lab.world.key))
        enqueue(registry, envelopes[-1], made.content.introduction)
    before = registry.store.size()
    assert flush(registry).seals == ()
    before = registry.store.size()
    entered = lab.next_week().seals
    assert len(entered) == 4
    logged = list(registry.store.entries(before, before + 4))
    assert logged == sorted(envelopes, key=sha256_hex)
    assert flush(registry).seals == ()


def test_errors_about_sealed_ids_do_not_depend_on_content(lab: SealedLab) -> None:
    """Two seals of one week give the same words, but for the id."""
    first = lab.seal()
    second = lab.seal(protocol=lab.world.protocol(title="Quite another topic", area=["control/monitoring"]))
    lab.run(first)
    answers = set()
    for work in (first, second):
        for ask in (lab.registry.study, lambda one: lab.registry.withdraw(one, "r")):
            with pytest.raises(Explained) as caught:
                ask(work.id)
            answers.add(str(caught.value).replace(work.id, "ID"))
    assert len(answers) == 1


# -- the author -----------------------------------------------------------------------------------


def _append_reveal(lab: SealedLab, said: Reveal, *, key: SigningKey | None = None) -> int:
    """Force a reveal into the log past the registry's door, as a registry that cheats could."""
    envelope = make_signed("reveal", said, key or lab.world.key)
    return append_signed(lab.registry, lambda view, rights: [envelope])[-1].index


def _whole(lab: SealedLab, work: SealedWork, **changes: Any) -> Reveal:
    """An honest whole reveal, or one with a part changed."""
    from leadline.registry.sealing.revealing import _whole as honest

    silent = silent_slots(lab.registry, work.id)
    openings = slot_openings(lab.registry, work.id, work.secrets.committed, lab.identity, silent=silent)
    said, named = honest(lab.registry, work.id, work.secrets.content, changes.pop("openings", openings))
    for data in named:
        lab.registry.store.put_blob(data)
    return said.model_copy(update=changes)


def test_an_attempt_cannot_be_left_out_of_a_reveal(lab: SealedLab) -> None:
    """Each slot is opened: to pass a spoken one off as silent needs the installation's secret."""
    work = lab.seal()
    work.open_attempt("the run that went wrong")
    lab.next_week()
    work.sync()
    honest = work.secrets.committed
    (batch,) = honest
    for forged in (
        {},
        {batch: SlotOpening(bytes(32), bytes(32))},
        {batch: silence(bytes(32), work.id, "2026-03-02")},
    ):
        said = _whole(lab, work, openings=forged)
        with pytest.raises(StatementError, match="does not open what was sealed"):
            check_reveal(lab.registry.store, lab.registry.store, said)


def test_a_mismatching_reveal_makes_no_study_even_inside_the_log(lab: SealedLab) -> None:
    """Past the door it stands as a fault: no row, nothing in search; replay and fsck agree about it."""
    work = lab.seal()
    work.open_attempt()
    lab.next_week()
    index = _append_reveal(lab, _whole(lab, work, openings={}))
    store = lab.registry.store
    assert [place for place, _ in seals.faults(store)] == [index]
    assert work.row.state == "sealed"
    with pytest.raises(StateError, match="is sealed"):
        lab.registry.study(work.id)
    assert lab.registry.search("hint").studies == ()
    assert [(one.code, one.where) for one in lab.registry.fsck()] == [("seal-mismatch", f"entry {index}")]


def test_hindsight_does_not_open_the_seal(lab: SealedLab) -> None:
    """Another protocol under the old freeze, and a new freeze under the old commitment, are both refused."""
    work = lab.seal()
    better = lab.world.protocol(title="What we always expected")
    said = _whole(lab, work, protocol=lab.registry.store.put_blob(better.canonical_bytes()))
    with pytest.raises(StatementError, match="another protocol"):
        check_reveal(lab.registry.store, lab.registry.store, said)
    salts = work.secrets.content.salts
    other = make_signed("freeze", {**parse(decode(work.secrets.content.freeze).payload).predicate.model_dump(), "title": "T"}, lab.world.key)  # fmt: skip
    from leadline.ledger.fields import Opening

    forged = _whole(lab, work).model_copy(
        update={
            "freeze": Opening(salt=salts["freeze"].hex(), sha256=sha256_hex(other)),
            "body": lab.registry.store.put_blob(whole_body(other, {}, {})),
        }
    )
    with pytest.raises(SignatureError, match="not that of"):
        _append_reveal(lab, forged)


def test_sealing_under_one_name_and_revealing_under_another_is_noticed(lab: SealedLab) -> None:
    """An ordinary seal counts under its author; a front for somebody else's study opens nothing."""
    from leadline.ledger.sealing import age

    front = SigningKey.generate("front.example")
    made = prepare(
        lab.world.protocol(),
        lab.world.key,
        age.recipient_of(lab.identity),
        now=lab.registry.time(),
        today=lab.today(),
    )
    lab.registry.store.put_blob(made.body)
    lab.registry.register_key("Ada")
    with lab.as_author(front) as other:
        other.register_key("Front")
        receipt = other.append(lambda view: [("seal", dict(made.said), front)])[0]
    from leadline.ledger.ids import study_id
    from leadline.registry.sealing import reveal

    with pytest.raises(StatementError, match="not who sealed it"):
        reveal(lab.registry, study_id(receipt.leaf_hash), made.content)


def test_a_typed_verdict_does_not_enter_with_the_reveal(lab: SealedLab) -> None:
    """A report sealed by hand is computed again at the reveal, and left out when it is another."""
    work = lab.seal()
    lab.run(work)
    lab.next_week()
    body = work.analyze().to_json()
    honest = statement_of(body, sha256_hex(body))
    verdicts = {"H1": {**honest["verdicts"]["H1"], "outcome": "null"}}
    protocol = sha256_hex(work.secrets.content.protocol)
    work._say("report", {**honest, "protocol": protocol, "verdicts": verdicts})
    lab.next_week()
    done = work.reveal()
    assert [why for _, why in done.left_out] == ["it is not what the analysis gives when it is computed here"]
    assert lab.registry.study(work.id).reports == []


def test_a_seal_that_differs_in_form_is_refused_at_the_door(lab: SealedLab) -> None:
    """Fewer fields, another length of body, last week's date, or a batch of one's own."""
    from leadline.ledger.sealing import age

    made = prepare(
        lab.world.protocol(),
        lab.world.key,
        age.recipient_of(lab.identity),
        now=lab.registry.time(),
        today=lab.today(),
    )
    said = Seal.model_validate(dict(made.said))
    check_seal(said, made.body, lab.today())
    few = said.model_copy(update={"fields": {"title": "ab" * 32}})
    batch = Seal(action="batch", body="ab" * 32, root="ab" * 32, created=said.created)
    for refused, body, day in (
        (few, made.body, lab.today()),
        (said, made.body[:-1], lab.today()),
        (said, made.body, lab.today() + timedelta(days=7)),
        (batch, made.body, lab.today()),
    ):
        with pytest.raises(StatementError):
            check_seal(refused, body, day)


def test_content_beyond_the_cap_is_refused_before_anything_is_written(lab: SealedLab) -> None:
    """A clear error; no entry, no file."""
    import random

    noise = random.Random(7)
    huge = json.dumps([noise.getrandbits(64) for _ in range(40_000)]).encode()
    size = lab.registry.store.size()
    with pytest.raises(InputError, match="all sealed things have one length"):
        lab.seal(characteristics=huge)
    assert lab.registry.store.size() == size
    assert not lab.place.exists()


# -- strangers and registries ---------------------------------------------------------------------


def test_a_stranger_s_reveal_opens_nothing(lab: SealedLab) -> None:
    """Without the salts there is no opening; single fields are the sealer's to open."""
    work = lab.seal()
    stranger = SigningKey.generate("mallory.example")
    with lab.as_author(stranger) as registry:
        registry.register_key("Mallory")
    fields = canonical({"title": "Mallory's title"})
    said = Reveal(
        study=work.id,
        scope="fields",
        body=lab.registry.store.put_blob(fields),
        salts={"title": "ab" * 32},
        created=lab.registry.time(),
    )
    with pytest.raises(SignatureError, match="did not seal"):
        _append_reveal(lab, said, key=stranger)
    index = _append_reveal(lab, said)  # by the sealer, but past the door: shown nowhere
    assert lab.registry.sealed(work.id).fields == {}
    assert [place for place, _ in seals.faults(lab.registry.store)] == [index]


def test_a_batch_with_other_bytes_is_a_fault(lab: SealedLab) -> None:
    """A registry that logs a batch whose bytes are no batch, or not under the stated root, cannot hide it."""
    work = lab.seal()
    key = lab.registry.home.ensure("installation")
    time = "2026-03-02T00:00:00Z"
    good = lab.registry.store.put_blob(b"these are no slots")
    said = {"action": "batch", "body": good, "root": "ab" * 32, "created": time}
    envelope = make_signed("seal", said, key)

    def build(view: ReadView, rights: Any) -> list[bytes]:
        from leadline.registry.sealing.writing import announced

        return [*announced(lab.registry, view, key, time), envelope]

    index = append_signed(lab.registry, build)[-1].index
    assert [place for place, _ in seals.faults(lab.registry.store)] == [index]
    assert seals.slots(lab.registry.store, work.id) == []


def test_a_batch_or_reveal_that_is_far_too_long_is_a_fault(lab: SealedLab) -> None:
    """Nobody reads a gigabyte for it: the entry stands as a fault, when it comes and when the log is replayed."""
    work = lab.seal()
    key = lab.registry.home.ensure("installation")
    long = lab.registry.store.put_blob(bytes(1 << 20))
    said = {"action": "batch", "body": long, "root": "ab" * 32, "created": "2026-03-02T00:00:00Z"}
    envelope = make_signed("seal", said, key)
    index = append_signed(lab.registry, lambda view, rights: [envelope])[-1].index
    assert [place for place, _ in seals.faults(lab.registry.store)] == [index]
    lab.registry.rebuild()
    ((place, what),) = seals.faults(lab.registry.store)
    assert (place, "longer than" in what) == (index, True)
    assert [one.code for one in lab.registry.fsck()] == ["seal-mismatch"]
    assert work.row.state == "sealed"
