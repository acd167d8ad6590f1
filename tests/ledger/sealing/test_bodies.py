"""Bodies and boxes: one length for any content, readable by those they are for."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import InputError, IntegrityError, StatementError
from leadline.ledger.sealing import age, container
from leadline.ledger.sealing.body import (
    BODY_SIZE,
    CAPACITY,
    Content,
    Trustees,
    open_body,
    open_share,
    seal_body,
)
from leadline.ledger.sealing.shares import Share, combine, split
from ledger.sealing.factory import content

ME = age.generate()
RELEASE = age.generate()
TRUSTEES = [age.generate() for _ in range(4)]


def sealed(**changes: Any) -> tuple[Content, bytes]:
    """A content for `ME` and `RELEASE`, and its body."""
    made = content(reader=age.recipient_of(ME), release=age.recipient_of(RELEASE), **changes)
    return made, seal_body(made, age.secret_of(RELEASE))


@settings(max_examples=25)
@given(
    title=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Co", "Cn", "Zl", "Zp"]), min_size=1, max_size=300),
    authors=st.integers(1, 40),
    arms=st.integers(0, 300),
    notes=st.text(st.characters(exclude_categories=["Cs"]), max_size=2000),
    trustees=st.integers(0, 4),
)  # fmt: skip
def test_a_body_has_one_length(title: str, authors: int, arms: int, notes: str, trustees: int) -> None:
    """Titles, authors, arms, scripts of the world, number of trustees: nothing changes the length, and it opens."""
    document = {"notes": notes, "arms": [{"name": f"arm {n}", "technique": title} for n in range(arms)]}
    named = Trustees(tuple(age.recipient_of(one) for one in TRUSTEES[:trustees]), 1)
    made, body = sealed(
        document=document, title=title, authors=("An author with a name",) * authors, trustees=named
    )
    assert len(body) == BODY_SIZE
    assert open_body(body, ME) == made


def test_a_body_is_for_its_author_and_the_release_identity() -> None:
    """Both read the same; a trustee alone reads no content, and strangers read nothing."""
    made, body = sealed(trustees=Trustees((age.recipient_of(TRUSTEES[0]),), 1), characteristics=b"{}")
    assert open_body(body, ME) == open_body(body, RELEASE) == made
    assert open_body(body, TRUSTEES[0]) is None is open_body(body, age.generate())
    assert open_share(body, ME) is None


def test_a_quorum_of_trustees_opens() -> None:
    """Any two of three shares give the release identity back; one does not, twice neither."""
    named = Trustees(tuple(age.recipient_of(one) for one in TRUSTEES[:3]), 2)
    made, body = sealed(trustees=named)
    shares = [share for one in TRUSTEES if (share := open_share(body, one)) is not None]
    assert sorted(share.number for share in shares) == [1, 2, 3]
    for pair in (shares[:2], shares[1:], [shares[2], shares[0]], shares):
        assert open_body(body, age.identity_of(combine(pair))) == made
    with pytest.raises(InputError, match="2 shares of different trustees"):
        combine([shares[0], shares[0]])


def test_shares_of_other_seals_do_not_mix() -> None:
    """Each share names its seal by the commitment."""
    one = split(bytes(32), 2, 3, b"a" * 32)
    other = split(bytes(32), 2, 3, b"b" * 32)
    with pytest.raises(InputError, match="not of one seal"):
        combine([one[0], other[1]])


def test_one_share_tells_nothing() -> None:
    """For a share of one secret there is a polynomial for every other secret: values look alike."""
    first = {split(bytes(32), 2, 2, bytes(32))[0].value for _ in range(8)}
    assert len(first) == 8


@pytest.mark.parametrize(
    "data", [b"", bytes(75), b"LLshare1" + bytes(67), b"LLshare1\x03\x02\x01" + bytes(64)]
)
def test_malformed_shares_are_refused(data: bytes) -> None:
    """A quorum above the number of trustees, number zero, another length."""
    with pytest.raises(StatementError, match="not a trustee's share"):
        Share.decode(data)


@pytest.mark.parametrize(("quorum", "count"), [(0, 1), (2, 1), (1, 17)])
def test_impossible_quorums_are_refused(quorum: int, count: int) -> None:
    """Neither more than there are, nor none, nor more trustees than a body has room for."""
    names = tuple(age.recipient_of(age.generate()) for _ in range(count))
    with pytest.raises(InputError, match="not a quorum"):
        Trustees(names, quorum)


def test_a_trustee_is_named_once() -> None:
    """Two shares for one person would be a quorum of one."""
    with pytest.raises(InputError, match="named twice"):
        Trustees((age.recipient_of(ME),) * 2, 2)


def test_content_beyond_the_cap_is_refused() -> None:
    """The error says what is at hand and what fits; nothing is truncated."""
    noise = bytes(range(256)).hex() + "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(200_000))
    with pytest.raises(InputError, match="all sealed things have one length"):
        sealed(document={"notes": noise})


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b""])
def test_other_lengths_are_no_bodies(change: object) -> None:
    """A registry refuses them, so that every body looks alike."""
    assert callable(change)
    with pytest.raises(StatementError, match="a sealed body has"):
        open_body(change(sealed()[1]), ME)


def test_an_altered_body_is_noticed() -> None:
    """Bytes of the ciphertext are authenticated; those of the filling are not, and mean nothing."""
    _, body = sealed()
    length = int.from_bytes(body[8:12], "big")
    with pytest.raises(IntegrityError):
        open_body(body[: length - 9] + b"123456789" + body[length:], ME)


@settings(max_examples=20)
@given(st.binary(max_size=200))
def test_boxes_of_any_content_are_alike(data: bytes) -> None:
    """One size, one number of recipients in the header, whatever is inside."""
    made = container.box(data, 200, [age.recipient_of(ME)])
    assert len(made) == container.box_size(200, 1)
    assert age.check_header(container.age_file(made, 200, 1)) == 1
    assert container.unbox(made, 200, 1, ME) == data


def test_the_age_file_in_a_box_is_an_ordinary_one() -> None:
    """As documented: cut 12 bytes off, take the length that stands there."""
    made = container.box(b"hello", 64, [age.recipient_of(ME)])
    file = made[12 : 12 + int.from_bytes(made[8:12], "big")]
    assert age.decrypt(file, ME) == b"\x00\x00\x00\x05hello" + bytes(59)


def test_a_box_for_more_readers_than_it_says_is_refused() -> None:
    """The number of recipients is part of the form."""
    two = container.box(b"", 64, [age.recipient_of(ME), age.recipient_of(RELEASE)])
    padded = two[: container.box_size(64, 1)]
    with pytest.raises(StatementError, match="not a sealed box"):
        container.age_file(padded, 64, 1)


def test_the_capacity_is_documented() -> None:
    """The cap is a promise to users: changing it changes every body's length."""
    assert CAPACITY == 256 * 1024
    assert BODY_SIZE == 276_812
