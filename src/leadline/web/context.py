"""What every handler gets: the registry, how the server is set up, and the time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from leadline.registry.registry import Clock, Registry

if TYPE_CHECKING:
    from leadline.web.settings import Settings


@dataclass(frozen=True)
class Site:
    """One registry being served.

    `access` is the policy that says who may write (`leadline.registry.access`); pages never write, and the
    ones that only read can be served without one (None).
    """

    registry: Registry
    settings: "Settings"
    clock: Clock
    access: Any = None

    @property
    def address(self) -> str:
        """The address the public uses, without a slash at its end."""
        return self.settings.address

    @property
    def name(self) -> str:
        """What this registry calls itself."""
        return self.settings.name

    def now(self) -> datetime:
        """The time in UTC."""
        return self.clock().astimezone(UTC)

    def today(self) -> date:
        """The day in UTC: what is due or overdue depends on it."""
        return self.now().date()
