"""A policy is read strictly, and says of a checkpoint whether enough others have seen it, and by when."""

from itertools import combinations

import pytest

from leadline.errors import InputError, SignatureError
from leadline.ledger.certificate import SINGLE_OPERATOR, Certificate, verify_certificate
from leadline.ledger.cosignature import Ed25519Cosigner, MlDsaCosigner, with_lines
from leadline.ledger.policy import MAX_EACH, Policy
from leadline.ledger.tlog import leaf_hash
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from ledger.record import LOG, key

TIME = 1_770_000_000
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
COSIGNERS = {name: Ed25519Cosigner(key(f"{name.lower()}.example", "witness")) for name in NAMES}
CHECKPOINT = Checkpoint(LOG.name, 1, leaf_hash(b"entry"))
WITNESSES = "".join(f"witness {name} {one.cosigner.vkey}\n" for name, one in COSIGNERS.items())
LOG_LINE = f"log {LOG.public.vkey} https://test.example/log\n"
#: The example of the specification.
EXAMPLE = f"""{LOG_LINE}
{WITNESSES}
group X-witnesses 2 X1 X2 X3
  group\tY-witnesses any Y1 Y2 Y3
# both
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def note(*names: str) -> bytes:
    """The log's checkpoint, cosigned by these in order, a minute apart."""
    signed = sign_checkpoint(CHECKPOINT, LOG)
    for minutes, name in enumerate(names):
        signed = with_lines(signed, COSIGNERS[name].line(CHECKPOINT.body(), TIME + 60 * minutes))
    return signed


def test_the_example_of_the_specification_means_what_it_says() -> None:
    """Of all 64 sets of cosigners, exactly those with two X and one Y are enough."""
    policy = Policy.parse(EXAMPLE.encode())
    for count in range(7):
        for names in combinations(NAMES, count):
            enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
            assert policy.met_by([name.encode() for name in names]) == enough
            if enough:
                assert {name for name, _ in policy.accept(note(*names)).by} == set(names)
            else:
                with pytest.raises(SignatureError, match="quorum 'X-and-Y'"):
                    policy.accept(note(*names))


def test_the_time_is_when_the_quorum_was_reached() -> None:
    """Not the first cosignature, and not one beyond what was needed."""
    policy = Policy.parse(EXAMPLE.encode())
    assert policy.accept(note("Y1", "X1", "Y2", "X2", "X3")).time == TIME + 3 * 60
    assert policy.accept(note("X3", "X2", "Y1")).time == TIME + 2 * 60


def test_a_quorum_of_nobody_still_needs_the_log() -> None:
    """`quorum none` accepts the bare checkpoint of a listed log, and no other log's."""
    policy = Policy.parse(f"{LOG_LINE}quorum none\n".encode())
    accepted = policy.accept(note())
    assert (accepted.checkpoint, accepted.log, accepted.time) == (CHECKPOINT, LOG.public, None)
    other = key("other.example", "log")
    with pytest.raises(SignatureError, match="not in the policy"):
        policy.accept(sign_checkpoint(Checkpoint("other.example", 1, bytes(32)), other))


def test_a_listed_logs_key_does_not_vouch_for_another_origin() -> None:
    """The name of a log's key is its origin; a checkpoint of another origin under the same key is refused."""
    policy = Policy.parse(f"{LOG_LINE}quorum none\n".encode())
    with pytest.raises(SignatureError, match="not in the policy"):
        policy.accept(sign_checkpoint(Checkpoint("elsewhere.example", 1, bytes(32)), LOG))


def test_any_one_of_the_listed_logs_is_enough_also_one_that_signs_with_ml_dsa() -> None:
    """Two logs, two kinds of key; each is accepted under its own origin."""
    second = MlDsaCosigner("second.example", bytes(32))
    policy = Policy.parse(f"{LOG_LINE}log {second.cosigner.vkey}\nquorum none\n".encode())
    body = Checkpoint("second.example", 3, bytes(32)).body()
    accepted = policy.accept(body + b"\n" + second.line(body, TIME))
    assert (accepted.log, accepted.checkpoint.size) == (second.cosigner, 3)
    assert policy.accept(note()).log == LOG.public


def test_a_policy_without_logs_takes_the_key_from_elsewhere() -> None:
    """Where no log is listed the verifier brings the key; where one is, the policy's counts."""
    policy = Policy.parse(f"{WITNESSES}quorum X1\n".encode())
    assert policy.accept(note("X1"), [LOG.public]).time == TIME
    with pytest.raises(SignatureError, match="not in the policy"):
        policy.accept(note("X1"))
    listed = Policy.parse(f"log {key('other.example', 'log').public.vkey}\nquorum none\n".encode())
    with pytest.raises(SignatureError, match="not in the policy"):
        listed.accept(note(), [LOG.public])


def test_names_are_opaque_bytes() -> None:
    """A Kelvin sign is no K, and bytes that are no UTF-8 make a name."""
    vkey = COSIGNERS["X1"].cosigner.vkey.encode()
    policy = Policy.parse(b"witness \xe2\x84\xaa " + vkey + b"\nquorum \xe2\x84\xaa\n")
    assert policy.quorum == "\u212a".encode()
    with pytest.raises(InputError, match="not defined"):
        Policy.parse(b"witness \xe2\x84\xaa " + vkey + b"\nquorum K\n")
    assert Policy.parse(b"witness \xff\xfe " + vkey + b"\nquorum \xff\xfe\n").met_by([b"\xff\xfe"])


X1 = COSIGNERS["X1"].cosigner.vkey
X2 = COSIGNERS["X2"].cosigner.vkey
TWO = f"witness a {X1}\nwitness b {X2}\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "exactly one quorum line"),
        ("quorum none", "does not end in a newline"),
        ("quorum none\nquorum none\n", "exactly one quorum line"),
        ("quorum\n", "a quorum line is"),
        ("quorum none none\n", "a quorum line is"),
        ("quorum a\n", "not defined"),
        (f"quorum a\nwitness a {X1}\n", "not defined on a line above"),
        (f"witness a {X1}\r\nquorum a\n", "control character"),
        ("quorum none\n\x00", "newline"),
        ("quorum none\x0b\n", "control character"),
        ("quorum none\x7f\n", "control character"),
        (f"witness a {X1} u v\nquorum a\n", "a witness line is"),
        (f"witness a\u00a0 {X1}\nquorum a\n", "not defined"),
        ("witness a b\nquorum a\n", "cosigner's key"),
        (f"witness a {X1}\nwitness a {X2}\nquorum a\n", "defined twice"),
        (f"witness a {X1}\nwitness b {X1}\nquorum a\n", "same public key"),
        (f"witness all {X1}\nquorum none\n", "keyword"),
        (f"witness none {X1}\nquorum none\n", "keyword"),
        (f"{TWO}group any all a b\nquorum any\n", "keyword"),
        (f"{TWO}group g 3 a b\nquorum g\n", "threshold"),
        (f"{TWO}group g 0 a b\nquorum g\n", "threshold"),
        (f"{TWO}group g 02 a b\nquorum g\n", "threshold"),
        (f"{TWO}group g -1 a b\nquorum g\n", "threshold"),
        (f"{TWO}group g \u0661 a b\nquorum g\n", "threshold"),
        (f"{TWO}group g all\nquorum g\n", "a group line is"),
        (f"{TWO}group g all a a\nquorum g\n", "member of a group already"),
        (f"{TWO}group g all a b\ngroup h any a\nquorum g\n", "member of a group already"),
        (f"{TWO}group g all a g\nquorum g\n", "not defined"),
        (f"{TWO}group g all a none\nquorum g\n", "not defined"),
        (f"{TWO}group a all b\nquorum a\n", "defined twice"),
        (f"log {LOG.public.vkey}\nlog {LOG.public.vkey}\nquorum none\n", "same public key"),
        (f"log {X1}\nquorum none\n", "type 1"),
        ("log\nquorum none\n", "a log line is"),
        ("logs x\nquorum none\n", "begins no line"),
        ("QUORUM none\n", "begins no line"),
    ],
)
def test_refusals(text: str, why: str) -> None:
    """What the specification does not allow is refused, and the line is named."""
    with pytest.raises(InputError, match=why):
        Policy.parse(text.encode())


def test_the_line_is_named() -> None:
    """Counted from one, comments and empty lines included."""
    with pytest.raises(InputError) as caught:
        Policy.parse(b"# a policy\n\nquorum none\nbroken\n")
    assert caught.value.where == "policy, line 4"


def test_limits() -> None:
    """At least 32 of everything are read; a flood is refused."""
    many = {f"w{i}": Ed25519Cosigner(key(f"w{i}.example", "witness")).cosigner.vkey for i in range(32)}
    lines = [f"witness {name} {vkey}" for name, vkey in many.items()]
    lines += [f"group g{i} all w{i}" for i in range(32)]
    lines += [f"log {key(f'l{i}.example', 'log').public.vkey}" for i in range(32)]
    policy = Policy.parse("\n".join([*lines, "quorum g31", ""]).encode())
    assert (len(policy.witnesses), len(policy.groups), len(policy.logs)) == (32, 32, 32)
    assert policy.met_by([b"w31"])
    with pytest.raises(InputError, match=f"more than {MAX_EACH}"):
        chain = ["group g0 all a", *(f"group g{i} all g{i - 1}" for i in range(1, MAX_EACH + 1))]
        Policy.parse("\n".join([f"witness a {X1}", *chain, "quorum none", ""]).encode())
    with pytest.raises(InputError, match="bytes"):
        Policy.parse(b"#" * (1 << 20) + b"\nquorum none\n")


def test_a_certificate_shows_who_cosigned_or_says_that_one_operator_did_it_all() -> None:
    """With a policy: names and time, no warning. Without: the single operator, and what was left unchecked."""
    text = Certificate.make(0, [], note("X1", "X2", "Y1"), b"entry").format()
    verified = verify_certificate(text, None, [], policy=Policy.parse(EXAMPLE.encode()))
    assert verified.warnings == ()
    assert verified.standing() == (
        "cosigned by x1.example, x2.example, y1.example, by 2026-02-02 02:42:00 UTC"
    )
    blind = verify_certificate(text, None, [LOG.public])
    assert blind.warnings[0] == blind.standing() == SINGLE_OPERATOR
    assert "x1.example" in blind.warnings[1]
    some = verify_certificate(text, None, [LOG.public], cosigners=[COSIGNERS["Y1"].cosigner])
    assert (some.time, some.warnings) == (TIME + 120, ())
    bare = Certificate.make(0, [], note(), b"entry").format()
    with pytest.raises(SignatureError, match="quorum"):
        verify_certificate(bare, None, [], policy=Policy.parse(EXAMPLE.encode()))
    nobody = Policy.parse(f"{LOG_LINE}quorum none\n".encode())
    assert verify_certificate(bare, None, [], policy=nobody).warnings == (SINGLE_OPERATOR,)
