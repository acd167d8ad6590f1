"""Spaces on the shelf that sealing uses: private to the installation, and never exported."""

from typing import Final

#: Public keys that sign slots, with the number of the last deposit, by study.
KEYS: Final = "seal-keys"
#: Slots that wait for the next batch, by study.
OUTBOX: Final = "seal-outbox"
#: Seals that wait for the next round, by digest.
QUEUE: Final = "seal-queue"
#: The installation's own: the secret of its silent slots, and which seals enter in the present round.
OWN: Final = "seal-own"
#: Studies whose author does not want them released at their embargo's end.
HELD: Final = "seal-held"
