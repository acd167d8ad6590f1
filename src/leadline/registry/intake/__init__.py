"""Taking in statements that were signed elsewhere: every check the registry's own methods make, made again.

`submit` is the door, and `Gate` what a server puts before it: quotas and rights. What a statement refers to comes
before it, through `Staging`, where nobody but its uploader can see it, or with the call itself.
"""

from leadline.registry.intake.announcing import Announced, announce
from leadline.registry.intake.gate import Gate, Incoming
from leadline.registry.intake.staging import Staging, Upload, sweep
from leadline.registry.intake.submission import MAX_STATEMENTS, submit
from leadline.registry.intake.ticket import Ticket, read_ticket, sign_ticket
from leadline.registry.intake.wanted import MissingBlobsError

__all__ = [
    "MAX_STATEMENTS",
    "Announced",
    "Gate",
    "Incoming",
    "MissingBlobsError",
    "Staging",
    "Ticket",
    "Upload",
    "announce",
    "read_ticket",
    "sign_ticket",
    "submit",
    "sweep",
]
