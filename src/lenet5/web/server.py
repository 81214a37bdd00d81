"""The service on a socket: uvicorn, with a graceful stop and a limit on the time of a request's head."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
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
_BACKLOG: Final = 2048
_IDLE: Final = 75  # seconds for which a connection is kept between requests: more than any Retry-After

_log = logging.getLogger("lenet5.service")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one. Raises LeNet5Error."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LeNet5Error(f"cannot listen on {host}, port {port}: {reason}") from None


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT: then refuses new work, finishes what runs, and returns. A second one ends it."""

    def __init__(self, settings: Settings) -> None:
        self.service = Service(settings)
        self._stop: asyncio.Task[None] | None = None
        super().__init__(
            uvicorn.Config(
                self.service.app,
                http=_Protocol.with_grace(settings.grace),
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

    What is no HTTP is answered with JSON.
    """

    grace: float
    _due: asyncio.TimerHandle | None = None

    @classmethod
    def with_grace(cls, grace: float) -> type[_Protocol]:
        return type("_Protocol", (cls,), {"grace": grace})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.call_later(self.grace, transport.close)

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
        body = json.dumps({"error": "this is no HTTP request, or its head is too long"}).encode()
        headers: Any = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _unset_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
