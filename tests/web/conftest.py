"""A service on a socket of this process, its workers in processes of their own."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from PIL import Image

from lenet5 import weights
from lenet5.web.server import Server, listening
from lenet5.web.settings import Settings

SETTINGS = Settings(
    weights.load("lenet5"),
    workers=2,
    queue=8,
    seconds=60,
    most_bytes=3_000_000,
    most_json_bytes=300_000,
    most_files=20,
    most_pages=4,
    most_held_bytes=8_000_000,
    grace=30.0,
    slowest=1_000_000,
    hosts=("digits.example",),
    origins=("https://school.example",),
)
"""Small limits, so that tests reach them quickly."""


@dataclass
class Running:
    """A service that runs: its server, and a client of it."""

    server: Server
    client: httpx.Client
    port: int

    def read(self, content: bytes, kind: str = "image/png", **query: Any) -> httpx.Response:
        """The answer to a picture as a raw body."""
        return self.client.post("/v1/read", content=content, headers={"Content-Type": kind}, params=query)

    def send(self, request: bytes, timeout: float = 10.0) -> bytes:
        """All that comes back for bytes as they are, until the service closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(request)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received

    def metric(self, name: str) -> float:
        """The sum of a metric's samples whose name, labels included, begins so."""
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it does not come to hold"
            time.sleep(0.02)


def line_of(answer: httpx.Response, status: int) -> str:
    """The line of an error, checked to be the only thing in its answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert list(content) == ["error"]
    line = content["error"]
    assert isinstance(line, str)
    assert line
    assert "\n" not in line
    assert "Traceback" not in line
    return line


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """A service until the end of the block; its workers have loaded."""
    server = Server(settings)
    with listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.serve_on, args=(listener,))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                service = Running(server, client, port)
                service.until(lambda: server.started and client.get("/health/ready").status_code == 200)
                yield service
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def service() -> Iterator[Running]:
    """One service for all tests that leave it as it was."""
    with running(SETTINGS) as started:
        yield started


@pytest.fixture(scope="session")
def fragile() -> Iterator[Running]:
    """A service of one worker and a short queue, for tests that make the worker die or hang."""
    with running(replace(SETTINGS, workers=1, queue=2)) as started:
        yield started


@pytest.fixture(scope="session")
def impatient() -> Iterator[Running]:
    """A service that gives senders half a second."""
    with running(replace(SETTINGS, workers=1, grace=0.5)) as started:
        yield started


@pytest.fixture(scope="session")
def crowded() -> Iterator[Running]:
    """A service that holds four connections, one of them the client's."""
    with running(replace(SETTINGS, workers=1, most_connections=4)) as started:
        yield started


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """The content of a picture's file: ``encoded(image)``, further pages after it."""

    def content(image: Image.Image, *pages: Image.Image, kind: str = "PNG") -> bytes:
        file = io.BytesIO()
        image.save(file, kind, **({"save_all": True, "append_images": pages} if pages else {}))
        return file.getvalue()

    return content
