"""Every error Leadline raises on purpose, as one tree.

::

    Explained                      carries diagnosis() and remedy()
    ├── LeadlineError              something is wrong with the input, the state or the machine
    │   ├── InputError             what came from outside does not make sense
    │   │   ├── ProtocolError      a protocol file or document
    │   │   ├── ExpressionError    a filter or derived measure
    │   │   ├── LogError           an evaluation log
    │   │   ├── StatementError     a statement, before it is signed or accepted
    │   │   └── StatisticsError    numbers for which no answer exists
    │   ├── StateError             a sensible request at the wrong moment
    │   │   └── QuotaError         too much, too soon; the same request is welcome later
    │   ├── NotFoundError          no such study, blob, key or file
    │   ├── MissingExtraError      an optional dependency is not installed
    │   └── StoreError             the disk or database refused
    └── SecurityError              evidence does not hold; never swallowed by a general handler
        ├── SignatureError         a signature, or the key it needs, is not acceptable
        ├── ProofError             an inclusion or consistency proof fails
        ├── IntegrityError         stored bytes are not the bytes that were recorded
        └── KeyFileError           a private key is readable by others, or malformed

`SecurityError` is deliberately not a `LeadlineError`: ``except LeadlineError`` cannot hide it.

This module imports nothing, so that the command line can import it for free.
"""


class Explained(Exception):  # noqa: N818 -- the trunk of the tree; every branch ends in Error
    """An error that says what is wrong, where, and what to do about it.

    Parameters
    ----------
    message: what is wrong, one sentence, no trailing full stop needed.
    where: the place (file, line and column, statement index, field path), if there is one.
    remedy: what the reader can do now.
    """

    #: Process exit status of the command line for this branch of the tree.
    exit_code: int = 1

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self._remedy = remedy

    def diagnosis(self) -> str:
        """What is wrong, preceded by the place where a place is known."""
        return f"{self.where}: {self.message}" if self.where else self.message

    def remedy(self) -> str | None:
        """What to do about it, or None when there is nothing the reader can do."""
        return self._remedy

    def __str__(self) -> str:
        remedy = self.remedy()
        return f"{self.diagnosis()}\n  what to do: {remedy}" if remedy else self.diagnosis()


class LeadlineError(Explained):
    """Something is wrong with the input, the state or the machine; nothing was acknowledged."""

    exit_code = 3


class InputError(LeadlineError):
    """What came from outside does not make sense."""


class ProtocolError(InputError):
    """A protocol file or document is malformed or contradicts itself."""


class ExpressionError(InputError):
    """A filter or derived measure cannot be parsed, or names what does not exist."""


class LogError(InputError):
    """An evaluation log cannot be read as a whole."""


class StatementError(InputError):
    """A statement is not of the closed set, or its fields are not what its kind demands."""


class StatisticsError(InputError):
    """The numbers given have no answer to this question."""


class StateError(LeadlineError):
    """A sensible request at a moment when it is not allowed."""


class QuotaError(StateError):
    """Too much was asked for in too short a time; nothing was done, and the same request is welcome later.

    `retry_after`: seconds until it would be granted.
    """

    def __init__(
        self, message: str, *, retry_after: float, where: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.retry_after = retry_after


class NotAllowedError(LeadlineError):
    """A key that has not been given the right to do this here; nothing is wrong with what it signed."""


class NotFoundError(LeadlineError):
    """No such study, blob, key or file."""


class MissingExtraError(LeadlineError):
    """An optional dependency is needed and is not installed."""


class StoreError(LeadlineError):
    """The disk or the database refused; nothing was acknowledged."""

    exit_code = 4


class SecurityError(Explained):
    """Evidence does not hold. Not a `LeadlineError`, so that no general handler swallows it."""

    exit_code = 5


class SignatureError(SecurityError):
    """A signature, or the key it needs, is not acceptable."""


class ProofError(SecurityError):
    """An inclusion or consistency proof fails."""


class IntegrityError(SecurityError):
    """Stored bytes are not the bytes that were recorded."""


class KeyFileError(SecurityError):
    """A private key file is readable by others, or malformed."""
