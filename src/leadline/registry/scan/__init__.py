"""What a log should not carry into a public record: secrets and personal data, found before it is attached.

A guard against accidents, not against somebody who hides things: an attached log is published and copied, and
taking it down later does not call the copies back. Every search is anchored at a fixed text, so that time grows
with the size of the log and not with what is in it.
"""

from leadline.registry.scan.reading import Finding, Scan, require_clean, scan_logs
from leadline.registry.scan.shapes import CODES

__all__ = ["CODES", "Finding", "Scan", "require_clean", "scan_logs"]
