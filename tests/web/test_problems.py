"""Errors as answers: what time cures says when to come again, and a full disk is nobody's request's fault."""

import errno

import pytest

from leadline.errors import MissingExtraError, NotFoundError, QuotaError, StoreError
from leadline.web.problems import problem_of, retry_after, status_of_error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE])
def test_a_machine_without_room_is_unavailable(number: int) -> None:
    """Whatever part of a request met the full disk: 503, when to come again, and no path of the server's."""
    error = OSError(number, "no room", "/var/tmp/leadline-intake-x/log.eval")
    problem = problem_of(error, "/api/v1/statements")
    assert (status_of_error(error), problem["status"], problem["title"]) == (
        503,
        503,
        "The server has no room",
    )
    assert problem["remedy"]
    assert "/var" not in str(problem)
    assert retry_after(error) == 5


def test_other_faults_of_the_system_stay_faults() -> None:
    """A missing file of the server's own is a bug, and is said to be one."""
    error = FileNotFoundError(errno.ENOENT, "no such file", "/var/tmp/x")
    assert status_of_error(error) == 500
    assert problem_of(error, fault="abc")["title"] == "A fault in Leadline"
    assert retry_after(error) is None


def test_only_what_time_cures_says_when_to_come_again() -> None:
    """A store that refuses and a quota do; a missing library and a wrong address do not."""
    assert retry_after(StoreError("x")) == 5
    assert retry_after(QuotaError("x", retry_after=0.2)) == 1
    assert retry_after(QuotaError("x", retry_after=90)) == 90
    assert retry_after(MissingExtraError("x")) is None
    assert retry_after(NotFoundError("x")) is None
