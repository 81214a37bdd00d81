"""What the service counts, as Prometheus reads it, and the access log."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lenet5.web.pool import Pool, UnwantedError
from lenet5.web.refused import error_response

__all__ = ["Metrics", "Observer"]

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LONGEST_PATH: Final = 200  # characters of a path in the log
_GONE: Final = 499  # the status in log and metrics where the client left before the answer

_access = logging.getLogger("lenet5.access")
_log = logging.getLogger("lenet5.service")


class Metrics:
    """The counters of one service.

    >>> metrics = Metrics()
    >>> metrics.results.inc(3)
    >>> [line for line in metrics.text().decode().splitlines() if line.startswith("lenet5_results_total")]
    ['lenet5_results_total 3.0']
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests answered.", "path", "status")
        self.refusals = self._counter("refusals", "Requests refused before they were read.", "reason")
        self.losses = self._counter("worker_restarts", "Worker processes replaced.", "reason")
        self.results = self._counter("results", "Pages and pictures read, with files that failed among others.")
        self.received = self._counter("received_bytes", "Bytes of bodies received.")
        self.seconds = Histogram(
            "lenet5_request_seconds",
            "Seconds from a request's head to its answer.",
            ["path"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.in_progress = self._gauge("requests_in_progress", "Requests that have no answer yet.")
        for reason in ("died", "timeout"):
            self.losses.labels(reason)

    def watch(self, pool: Pool) -> None:
        """Add the state of a pool."""
        self._gauge("queue_length", "Requests that wait for a worker.").set_function(lambda: pool.waiting)
        self._gauge("workers_busy", "Workers that are reading.").set_function(lambda: pool.busy)
        self._gauge("workers", "Worker processes.").set_function(lambda: len(pool.pids))

    def text(self) -> bytes:
        """The text exposition format, version 0.0.4."""
        return generate_latest(self._registry)

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(f"lenet5_{name}", description, labels, registry=self._registry)

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(f"lenet5_{name}", description, registry=self._registry)


class Observer:
    """The outermost layer: counts and logs each request, adds ``headers``, and turns a defect into a 500.

    The log has method, path without query, status, seconds and bytes; nothing of what was sent.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, paths: Collection[str], headers: list[tuple[bytes, bytes]]
    ) -> None:
        self._app, self._metrics, self._paths, self._headers = app, metrics, paths, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, received, sent, began = _GONE, 0, 0, time.perf_counter()

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *self._headers]}
            sent += len(message.get("body", b""))
            await send(message)

        with self._metrics.in_progress.track_inprogress():
            try:
                await self._app(scope, counting, sending)
            except (ClientDisconnect, UnwantedError):
                pass  # nobody is there to answer
            except Exception:
                _log.exception("a request failed: this is a defect, please report it")
                if status == _GONE:
                    await error_response(500, "the service failed: this is a defect")(scope, receive, sending)
        seconds = time.perf_counter() - began
        path = scope["path"] if scope["path"] in self._paths else "other"
        self._metrics.requests.labels(path, status).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        self._metrics.received.inc(received)
        raw_path = scope["raw_path"].decode("ascii", "replace")[:_LONGEST_PATH]  # percent-encoded: one word
        _access.info(
            "%s %s %d %.4f s, %d bytes in, %d bytes out", scope["method"], raw_path, status, seconds, received, sent
        )
