"""The service on a socket: uvicorn, with a graceful stop, and limits on connections and the time of a head."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lenet5.errors import LeNet5Error
from lenet5.web.app import Service
from lenet5.web.settings import Settings

__all__ = ["Server", "listening"]

_MOST_HEAD: Final = 64_000  # bytes of a request's head: a query with 5,000 choices of ten characters
_BACKLOG: Final = 2048  # connections that the system holds before they are taken
_TAKEN: Final = 64  # connections that are taken at a time
_FILES: Final = 64 + 5 * _TAKEN  # beside connections and workers: what is refused is closed a few rounds later
_FILES_A_WORKER: Final = 8
_IDLE: Final = 75  # seconds for which a connection is kept between requests: more than any Retry-After

_log = logging.getLogger("lenet5.service")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one. Raises LeNet5Error.

    >>> with listening("127.0.0.1", 0) as free:
    ...     free.getsockname()[0]
    '127.0.0.1'
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LeNet5Error(f"cannot listen on {host}, port {port}: {reason}") from None


def connections(settings: Settings) -> int:
    """How many connections may be open: fewer than ``most_connections`` where the system allows few open files.

    >>> from lenet5.weights import load
    >>> connections(Settings(load("lenet5"), workers=1, most_connections=5))
    5
    """
    files = settings.most_connections
    with suppress(ImportError):  # Windows has no such limit
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files == resource.RLIM_INFINITY:
            return settings.most_connections
        files -= _FILES + _FILES_A_WORKER * settings.workers
    return max(1, min(settings.most_connections, files))


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT: then refuses new work, finishes what runs, and returns. A second one ends it."""

    def __init__(self, settings: Settings) -> None:
        self.service = Service(settings)
        self._stop: asyncio.Task[None] | None = None
        super().__init__(
            uvicorn.Config(
                self.service.app,
                http=_Protocol.within(
                    settings.grace, connections(settings), self.service.metrics.refusals.labels("connections").inc
                ),
                backlog=_TAKEN,
                ws="none",
                lifespan="on",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE,
                proxy_headers=False,
                h11_max_incomplete_event_size=_MOST_HEAD,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and let the system hold more connections than asyncio takes at a time, which is what it set."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)

    def serve_on(self, listener: socket.socket) -> None:
        """Serve on a listening socket until stopped. Raises KeyboardInterrupt after a second signal."""
        try:
            self.run(sockets=[listener])
        finally:
            self.service.pool.kill()
        if self.force_exit:
            raise KeyboardInterrupt

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at a signal. uvicorn's own raises it again at the end, and so exits with another status than 0."""
        if self._stop is not None:
            logging.getLogger("uvicorn.error").disabled = True  # it shows a traceback for what is cancelled
            self.service.pool.kill()
            self.force_exit = self.should_exit = True
            return
        _log.info("stopping: what runs is finished")
        self._stop = asyncio.get_running_loop().create_task(self._stopped())

    async def _stopped(self) -> None:
        await self.service.drained()
        self.should_exit = True


class _Protocol(H11Protocol):
    """Closes a connection whose head, or body after its answer, is not whole in ``grace`` seconds.

    Where ``most`` connections are open, a new one takes the place of one at rest between requests, or gets 503. What is
    no HTTP is answered with JSON. (uvicorn's limit_concurrency keeps the connections that it refuses: they take files.)
    """

    grace: float
    most: int
    on_refusal: Callable[[], None]
    _due: asyncio.TimerHandle | None = None

    @classmethod
    def within(cls, grace: float, most: int, on_refusal: Callable[[], None]) -> type[_Protocol]:
        return type("_Protocol", (cls,), {"grace": grace, "most": most, "on_refusal": staticmethod(on_refusal)})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.call_later(self.grace, transport.close)
        if len(self.connections) > self.most and not self._made_room():
            self.on_refusal()
            self._close_with(503, "too many connections are open: try again later", ("Retry-After", "1"))

    def _made_room(self) -> bool:
        """Close a connection at rest between requests; whether there was one."""
        protocols = (other for other in self.connections if isinstance(other, _Protocol))
        resting = (other for other in protocols if other.timeout_keep_alive_task and not other.transport.is_closing())
        if (protocol := next(resting, None)) is None:
            return False
        protocol.timeout_keep_alive_handler()
        return True

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._unset_due()
        elif self._due is None:
            self._due = self.loop.call_later(self.grace, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_due()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._unset_due()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer in the form of all errors; uvicorn's is plain text."""
        self._close_with(400, "this is no HTTP request, or its head is too long")

    def _close_with(self, status: int, message: str, *further: tuple[str, str]) -> None:
        """Answer without the application, if an answer may be sent, and close the connection."""
        body = json.dumps({"error": message}).encode()
        headers: Any = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *further,
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unset_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
