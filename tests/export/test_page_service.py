"""On the service, pictures go to v1/read and the reading is drawn over them: here a stub in the service's place."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from lenet5 import Reader, weights
from lenet5.export.html import page
from tests.export.conftest import Opened
from tests.export.use import answer, drop, notice, png

pytestmark = pytest.mark.browser

Open = Callable[..., Opened]


@dataclass
class Stub:
    """A service that answers what ``read`` returns: (status, object), and keeps what it was asked."""

    url: str = ""
    read: Callable[[bytes], tuple[int, object]] = lambda body: (500, {})
    asked: list[tuple[str, str | None, bytes]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Stub]:
    html, stub = page(weights.load("lenet5"), service=True).encode(), Stub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.send(200, "text/html; charset=utf-8", html)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stub.asked.append((self.path, self.headers["Content-Type"], body))
            status, found = stub.read(body)
            self.send(status, "application/json", json.dumps(found).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}/"
    yield stub
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_reading_of_a_picture_is_drawn_over_it_and_each_digit_can_be_looked_at(
    open_page: Open, service: Stub, write: Callable[..., Image.Image]
) -> None:
    reader = Reader()

    def read(body: bytes) -> tuple[int, object]:
        return 200, {"results": [{"file": "request", "page": 1, **reader.read(body).to_json()}]}

    service.read = read
    opened = open_page("#lang=en", url=service.url)
    opened.page.select_option("#layout", "line")
    picture = png(write("2708", "345"))
    drop(opened, "numbers.png", picture, "image/png")
    opened.page.wait_for_selector(".read-box")
    assert service.asked == [("/v1/read?layout=line", "image/png", picture)]
    reading = reader.read(picture)
    assert opened.page.locator(".read-box").all_inner_texts() == [digit.label for digit in reading.digits]
    assert opened.text(".read-text").startswith(reading.text.replace("\n", " / "))
    assert opened.text("#spoken") == opened.text(".read-text")
    boxes = [box.bounding_box() for box in opened.page.locator(".read-box").all()]
    frame = opened.page.locator(".read-frame canvas").bounding_box()
    width = write("2708", "345").width
    for digit, box in zip(reading.digits, boxes, strict=True):
        assert box["x"] - frame["x"] == pytest.approx(digit.box.left * frame["width"] / width, abs=1.5)
    opened.page.locator(".read-box").nth(1).click()
    assert answer(opened) == "7"
    assert opened.page.locator(".read-box").count() == len(boxes)
    hosts = {url.split("/")[2] for url in opened.requests if url.startswith("http")}
    assert hosts == {service.url.split("/")[2]}


def test_every_page_of_a_file_that_the_browser_cannot_show_is_given_in_words(open_page: Open, service: Stub) -> None:
    pages = [
        {"file": "-", "page": 1, "text": "27\n8", "confidence": 0.9, "lines": []},
        {"file": "-", "page": 2, "text": "", "confidence": 0.8, "lines": []},
        {"file": "-", "error": "not a picture: page 3 of the picture is cut short"},
    ]
    service.read = lambda body: (200, {"results": pages})
    opened = open_page("#lang=en", url=service.url)
    drop(opened, "three.pdf", b"%PDF-1.4", "application/pdf")
    opened.page.wait_for_selector(".read-text")
    assert service.asked == [("/v1/read?layout=auto", "application/pdf", b"%PDF-1.4")]
    assert opened.page.locator(".read-text").all_inner_texts() == [
        "Page 1: 27 / 8 (90.0% sure that all of it is right)",
        "Page 2: No digits were found in three.pdf.",
        "Page 3: not a picture: page 3 of the picture is cut short",
    ]
    assert opened.text("#notice") == ""
    assert opened.text("#spoken").startswith("Page 1: 27 / 8 (90.0%")
    assert "application/pdf" in opened.page.get_attribute("#file", "accept")
    opened.page.click("#clear")
    opened.settle()
    assert opened.page.is_hidden("#reading")


@pytest.mark.parametrize(
    ("status", "found", "line"),
    [
        (415, {"error": "not a picture: a.png is cut short"}, "not a picture: a.png is cut short"),
        (503, {"error": "the queue is full"}, "the queue is full"),
        (200, {"results": [{"file": "a.png", "error": "a.png holds no pixel"}]}, "a.png holds no pixel"),
        (502, [], "502 Bad Gateway"),
    ],
)
def test_what_the_service_refuses_is_one_line(
    status: int, found: object, line: str, chromium: Any, service: Stub
) -> None:
    service.read = lambda body: (status, found)
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    opened = Opened(context.new_page())  # the browser notes the failed request as an error: not by open_page
    opened.page.goto(service.url + "#lang=en")
    opened.page.wait_for_selector("html[data-ready]")
    drop(opened, "a.png", png(Image.new("L", (40, 40), 255)), "image/png")
    opened.page.wait_for_selector("#notice:has-text('did not')")
    assert notice(opened) == f"The service did not read a.png: {line}"
    context.close()


def test_drawing_needs_no_service(open_page: Open, service: Stub) -> None:
    opened = open_page("#lang=en", url=service.url)
    opened.page.click('[data-example="7"]')
    assert answer(opened) == "7"
    assert service.asked == []
