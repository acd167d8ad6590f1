"""Numbers about a running server, in the text format of Prometheus.

Everything here is either about the machine or already public in the log. Nothing counts what a study did before
it was published: no statement kinds, no outboxes, no withholdings, and reads and writes of the API share a
bucket, because a counter that moves when a sealed study does is a second, unsigned record of it.
"""

from typing import TYPE_CHECKING, Any, Final

from leadline.errors import MissingExtraError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: First segment of a path -> the area its requests are counted under; everything else is a page.
AREAS: Final[dict[str, str]] = {
    "api": "api",
    "mcp": "mcp",
    "tile": "log",
    "checkpoint": "log",
    "witness": "witness",
    "bulk": "bulk",
    "static": "static",
    "health": "operation",
    "ready": "operation",
    "metrics": "operation",
}
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def area(path: str) -> str:
    """The area a request belongs to: one of a dozen words, whatever the path."""
    return AREAS.get(path.lstrip("/").partition("/")[0], "pages")


class Metrics:
    """The counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError as error:
            raise MissingExtraError(
                "metrics need a library that is not installed", remedy="pip install 'leadline[web]'"
            ) from error
        self.registry: CollectorRegistry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        prometheus.PlatformCollector(registry=self.registry)
        self._render = prometheus.generate_latest
        self.content_type: str = prometheus.CONTENT_TYPE_LATEST
        self._requests = prometheus.Counter(
            "leadline_requests", "Requests answered", ("area", "status"), registry=self.registry
        )
        self._seconds = prometheus.Histogram(
            "leadline_request_seconds", "Time to answer", ("area",), buckets=_SECONDS, registry=self.registry
        )
        self._running = prometheus.Gauge(
            "leadline_requests_running", "Requests being answered", registry=self.registry
        )
        self._entries = prometheus.Gauge(
            "leadline_log_entries", "Entries in the log, as its checkpoint says", registry=self.registry
        )
        self._ready = prometheus.Gauge(
            "leadline_ready", "1 when the server can do its work", registry=self.registry
        )
        self._tasks = prometheus.Counter(
            "leadline_tasks", "Periodic tasks that ended", ("task", "outcome"), registry=self.registry
        )

    def begun(self) -> None:
        """A request came in."""
        self._running.inc()

    def ended(self, path: str, status: int, seconds: float) -> None:
        """A request was answered; only its area and the class of its status are kept."""
        where = area(path)
        self._running.dec()
        self._requests.labels(where, f"{status // 100}xx").inc()
        self._seconds.labels(where).observe(seconds)

    def task(self, name: str, outcome: str) -> None:
        """A periodic task ended, as ``done`` or ``failed``."""
        self._tasks.labels(name, outcome).inc()

    def state(self, *, entries: int | None, ready: bool) -> None:
        """What the server found when it looked after itself."""
        if entries is not None:
            self._entries.set(entries)
        self._ready.set(1 if ready else 0)

    def render(self) -> bytes:
        """Everything, in the exposition format."""
        rendered: Any = self._render(self.registry)
        return bytes(rendered)
