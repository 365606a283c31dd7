"""What a server counts, in the words of Prometheus: requests, how long they took, and what the library holds."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from api.http.asking import Reader
from api.library import Library
from api.store import counts, jobs

__all__ = ["Metrics", "routes"]

routes = APIRouter(tags=["operations"])

_NOWHERE = "other"  # what no route answers: strangers choose these paths, and each label is kept for good
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What one server has counted since it started."""

    def __init__(self, library: Library) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Holdings(library))
        self._requests = Counter(
            "tonecast_requests", "Requests that were answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "tonecast_request_seconds",
            "How long requests took, to the last byte.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._received = Counter("tonecast_received_bytes", "Bytes of requests' bodies.", registry=self._registry)

    def answered(self, scope: Any, status: int, seconds: float, received_bytes: int) -> None:
        """Count a request; `status` is 0 where the other end went away before a reply."""
        route = getattr(scope.get("route"), "path", _NOWHERE)
        method = scope["method"] if route != _NOWHERE else _NOWHERE
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        self._received.inc(received_bytes)

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)


class _Holdings(Collector):
    """What a library holds when it is asked."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def describe(self) -> Iterator[Any]:
        """Ask nothing of the database when it is registered."""
        return iter(())

    def collect(self) -> Iterator[Any]:
        """Yield what there is now."""
        with self._library.database.reading() as connection:
            held = counts.holdings(connection)
            states = jobs.count_states(connection)
        yield GaugeMetricFamily("tonecast_profiles", "Profiles in the library.", held.profiles)
        yield GaugeMetricFamily("tonecast_versions", "Versions of profiles.", held.versions)
        yield GaugeMetricFamily("tonecast_kept_bytes", "Bytes of profile files.", held.bytes)
        by_state = GaugeMetricFamily("tonecast_jobs", "Jobs by how they stand.", labels=("state",))
        for state, count in states.items():
            by_state.add_metric((state,), count)
        yield by_state


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, caller: Reader) -> Response:  # noqa: ARG001 - only who may read gets here
    """Tell what the server has counted, for Prometheus to scrape with a token."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)
