"""Hostile requests: each is refused in one line or answered, in bounded time and memory, and the service goes on."""

from __future__ import annotations

import gzip
import io
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from lenet5.web.server import connections
from tests.web.conftest import SETTINGS, Running, line_of


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG of one bit a pixel whose head says how large it is."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def pdf(pages: int, side: float) -> bytes:
    """A PDF that says it has so many pages, all of them the same."""
    kids = b" ".join([b"3 0 R"] * pages)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %f %f]>>" % (side, side),
    )
    return (
        b"%PDF-1.4\n"
        + b"".join(b"%d 0 obj%sendobj\n" % pair for pair in enumerate(objects, 1))
        + (b"trailer<</Root 1 0 R>>")
    )


NOISE = np.random.default_rng(7)
PLAIN = saved(Image.new("L", (60, 60), 255), "PNG")

BODIES: dict[str, bytes] = {
    "bomb of 900 megapixels": png(30_000, 30_000, chunk(b"IDAT", zlib.compress(bytes(1_000_000)))),
    "bomb of 4 gigapixels": png(65_535, 65_535, chunk(b"IDAT", zlib.compress(bytes(100)))),
    "sides of 2 billion": png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", b"")),
    "a strip of 99 million": png(99_000_000, 1, chunk(b"IDAT", zlib.compress(bytes(100)))),
    "no pixels": png(0, 0, chunk(b"IDAT", b"")),
    "text bomb": png(9, 9, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000)))),
    "colour profile bomb": png(9, 9, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(50_000_000)))),
    "chunk longer than the file": png(9, 9) + struct.pack(">I", 2**31 - 1) + b"IDAT",
    "10,000 text chunks": png(9, 9, *[chunk(b"tEXt", b"a\0b")] * 10_000),
    "cut PNG": PLAIN[:-20],
    "GIF of 65,535²": b"GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02L\x01\x00;",
    "BMP of 30,000²": b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "negative BMP": b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, -9, -9, 1, 24, 0, 0, 0, 0, 0, 0),
    "PGM of 10^12": b"P5 1000000 1000000 255 ",
    "PBM of words": b"P1 9 nine " + b"x" * 1000,
    "PPM of endless digits": b"P6 " + b"9" * 100_000,
    "TIFF whose directory is itself": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "TIFF of 60,000 entries": b"II*\0\x08\0\0\0\x60\xea" + bytes(12) * 60_000,
    "TIFF of 300 pages": saved(
        Image.new("1", (9, 9), 1), "TIFF", save_all=True, append_images=[Image.new("1", (9, 9), 1)] * 299
    ),
    "cut TIFF": saved(Image.new("L", (99, 99), 255), "TIFF")[:200],
    "cut JPEG": saved(Image.new("L", (99, 99), 255), "JPEG")[:200],
    "JPEG of 65,500²": saved(Image.new("L", (16, 16)), "JPEG").replace(
        b"\x00\x10\x00\x10\x01\x01\x11", b"\xff\xdc\xff\xdc\x01\x01\x11"
    ),
    "WebP that is cut": saved(Image.new("L", (99, 99)), "WEBP")[:60],
    "AVIF of brands": b"\x00\x00\x00\x20ftypavif" + b"mif1" * 5,
    "HEIC of brands": b"\x00\x00\x00\x20ftypheic" + b"mif1" * 5,
    "PDF of 100,000 pages": pdf(100_000, 100),
    "PDF of a page of a kilometre": pdf(1, 3e6),
    "PDF of a page of nothing": pdf(1, 0),
    "PDF whose pages are themselves": (
        b"%PDF-1.4\n1 0 obj<</Pages 1 0 R/Kids[1 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>"
    ),
    "PDF that is a word": b"%PDF-1.4",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch /tmp/lenet5-was-here) (w) file\n",
    "SVG that names a file": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "HTML": b"<html><script>alert(1)</script></html>",
    "ZIP": b"PK\x03\x04" + bytes(1000),
    "gzip bomb": b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + zlib.compress(bytes(10_000_000))[2:-4],
    "pickle": b"cposix\nsystem\n(S'touch /tmp/lenet5-was-here'\ntR.",
    "a URL": b"http://127.0.0.1/picture.png",
    "a path": b"/etc/passwd",
    "zeros": bytes(2_000_000),
    "noise": NOISE.bytes(500_000),
    "line breaks": b"\r\n" * 500_000,
    "nothing": b"",
}


@pytest.mark.parametrize("as_form", [False, True])
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_in_one_line(name: str, as_form: bool, service: Running) -> None:
    if as_form:
        answer = service.client.post("/v1/read", files={"f": ("../../x\n.png", BODIES[name], "image/png")})
    else:
        answer = service.read(BODIES[name])
    if answer.status_code == 200:
        assert len(answer.json()["results"]) == 1
    else:
        line_of(answer, answer.status_code)
        assert answer.status_code in (413, 415)
    assert service.client.get("/health/ready").status_code == 200
    assert not Path("/tmp/lenet5-was-here").exists()


def test_hostile_bodies_are_refused_without_a_worker_lost(service: Running) -> None:
    assert service.metric("lenet5_worker_restarts_total") == 0
    assert service.read(PLAIN).json()["results"][0]["text"] == ""


def test_every_hostile_file_gives_an_answer_or_a_line(service: Running, real_data: Path) -> None:
    paths = sorted((real_data / "hostile").iterdir())

    def sent(path: Path) -> httpx.Response:
        part = {"region": "0,0,0.5,0.5"} if path.name.startswith("slow-") else {}  # the whole takes seconds
        return service.read(path.read_bytes(), **part)

    with ThreadPoolExecutor(4) as clients:
        answers = clients.map(sent, paths)
        for path, answer in zip(paths, answers, strict=True):
            if answer.status_code == 200:
                assert {tuple(result)[:2] for result in answer.json()["results"]} == {("file", "page")}, path
            else:
                line_of(answer, answer.status_code)
                assert answer.status_code in (413, 415, 504), path  # the time limit, on a machine that is very busy
    assert len(paths) >= 20
    assert service.read(PLAIN).status_code == 200


def parts(count: int) -> Iterator[bytes]:
    for k in range(count):
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="%d"\r\n\r\nab\r\n' % k
    yield b"--x--\r\n"


def test_ten_thousand_parts_are_refused_before_the_last_has_come(service: Running) -> None:
    came = 0

    def counted() -> Iterator[bytes]:
        nonlocal came
        for part in parts(10_000):
            came += 1
            yield part

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = service.client.post("/v1/read", content=counted(), headers=kind)
    assert "more than 20 parts" in line_of(answer, 413)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(service: Running) -> None:
    head = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nExpect: 100-continue\r\n"
    received = service.send(head + b"Content-Length: 999999999999\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 3 MB" in received
    assert b"100 Continue" not in received


@pytest.mark.parametrize("as_form", [False, True])
def test_a_body_that_becomes_too_large_is_refused_and_its_sender_reads_why(as_form: bool, service: Running) -> None:
    kind = "multipart/form-data; boundary=x" if as_form else "image/png"

    def endless() -> Iterator[bytes]:
        if as_form:
            yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        for _ in range(100):
            yield bytes(100_000)

    answer = service.client.post("/v1/read", content=endless(), headers={"Content-Type": kind, "Connection": "close"})
    assert "larger than 3 MB" in line_of(answer, 413)


def test_bodies_that_are_too_many_together_are_refused(service: Running) -> None:
    body = service.server.service._held
    body.size += 7_000_000
    try:
        answer = service.read(bytes(2_000_000))
    finally:
        body.size -= 7_000_000
    assert "too many bodies" in line_of(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert body.size == 0


@pytest.mark.parametrize("drip", [b"a", b""])
def test_a_slow_sender_is_refused_in_one_line(drip: bytes, impatient: Running) -> None:
    head = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n"
    received = dripped(impatient, head, drip)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b'{"error": "the body came too slowly"}' in received


def test_a_slow_head_is_closed(impatient: Running) -> None:
    assert dripped(impatient, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"a") == b""


def test_a_connection_at_rest_between_requests_is_kept(impatient: Running) -> None:
    with connected(impatient) as connection:
        for _ in range(2):
            live(connection)
            time.sleep(0.8)  # more than the time for a head


def test_a_slow_second_head_and_a_body_after_its_answer_are_closed_too(impatient: Running) -> None:
    first = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n"
    assert dripped(impatient, first, b"X").count(b"HTTP/1.1") == 1
    unread = b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    assert dripped(impatient, unread, b"X").startswith(b"HTTP/1.1 404 ")


def connected(service: Running) -> socket.socket:
    """A connection that has said nothing yet."""
    return socket.create_connection(("127.0.0.1", service.port), 10)


def live(connection: socket.socket) -> None:
    """Ask whether the service is live, and take all of its answer."""
    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while not received.endswith(b'{"status":"live"}'):
        chunk = connection.recv(65536)
        assert chunk
        received += chunk
    assert received.startswith(b"HTTP/1.1 200 ")


def whole(connection: socket.socket) -> bytes:
    """All that comes until the service closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_more_connections_than_may_be_open_are_refused_in_one_line(crowded: Running) -> None:
    refused = crowded.metric('lenet5_refusals_total{reason="connections"}')
    crowded.client.close()
    with ExitStack() as opened:
        for _ in range(4):
            opened.enter_context(connected(crowded))  # says nothing
        crowded.until(lambda: len(crowded.server.server_state.connections) == 4)
        for _ in range(3):
            received = whole(opened.enter_context(connected(crowded)))
            assert received.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in received.lower()
            assert received.endswith(b'{"error": "too many connections are open: try again later"}')
    crowded.until(lambda: not crowded.server.server_state.connections)
    with httpx.Client(base_url=f"http://127.0.0.1:{crowded.port}") as client:
        text = client.get("/metrics").text
    assert f'lenet5_refusals_total{{reason="connections"}} {refused + 3}' in text


def test_a_new_connection_takes_the_place_of_one_that_rests(crowded: Running) -> None:
    crowded.client.close()
    crowded.until(lambda: not crowded.server.server_state.connections)
    with ExitStack() as opened:
        resting = [opened.enter_context(connected(crowded)) for _ in range(4)]
        for connection in resting:
            live(connection)
        for _ in range(16):
            resting.append(opened.enter_context(connected(crowded)))
            live(resting[-1])
        crowded.until(lambda: len(crowded.server.server_state.connections) == 4)
        closed = 0
        for connection in resting:
            connection.settimeout(0.05)
            with suppress(TimeoutError):
                assert connection.recv(1) == b""
                closed += 1
        assert closed == 16


def test_connections_leave_files_for_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for allowed, most in ((resource.RLIM_INFINITY, 1000), (100_000, 1000), (1024, 624), (10, 1)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, allowed=allowed: (allowed, allowed))
        assert connections(replace(SETTINGS, workers=2, most_connections=1000)) == most


@pytest.mark.parametrize("path", ["/v1/read", "/v1/classify"])
def test_a_body_that_would_have_to_be_unpacked_is_refused(path: str, service: Running) -> None:
    kind = "application/json" if path == "/v1/classify" else "image/png"
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    answer = service.client.post(path, content=gzip.compress(bytes(10_000_000)), headers=headers)
    assert "Content-Encoding 'gzip' is not read" in line_of(answer, 415)


def dripped(service: Running, head: bytes, drip: bytes) -> bytes:
    """What comes back to a sender of some bytes a second, until the service closes."""
    began, received = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall(head)
        connection.settimeout(0.1)
        while time.monotonic() - began < 60:
            try:
                if drip:
                    connection.sendall(drip)
                piece = connection.recv(65536)
                if not piece:
                    return received
                received += piece
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                return received
    raise AssertionError("the service does not close the connection")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50) + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"a" * 70_000,
        b"GET /" + b"a" * 70_000,
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: \xb2\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
    ],
)
def test_what_is_no_http_gets_one_line_and_is_closed(request_bytes: bytes, service: Running) -> None:
    received = service.send(request_bytes)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b'{"error": "') == 1
    assert service.client.get("/health/live").status_code == 200


@pytest.mark.parametrize("target", [b"*", b"http://evil.example/", b"//evil.example/", b"/%", b"/%ff%00"])
def test_an_odd_target_gets_one_line(target: bytes, service: Running) -> None:
    received = service.send(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target)
    assert received.startswith(b"HTTP/1.1 404 ")
    assert received.count(b'{"error": "') == 1


def test_a_client_that_leaves_before_the_end_of_its_body_costs_nothing(service: Running) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
            head = (
                b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n"
            )
            connection.sendall(head + b"abc")
    service.until(lambda: service.server.service._held.size == 0)
    service.until(lambda: service.server.service._working == 0)
    assert service.read(PLAIN).status_code == 200


def test_a_name_that_is_hostile_comes_back_as_one_string(
    service: Running, write: Callable[..., Image.Image], encoded: Callable[..., bytes]
) -> None:
    name = "../../<script>é\u202e.png"
    answer = service.client.post("/v1/read", files={"f": (name, encoded(write("27")))})
    assert answer.json()["results"][0]["file"] == name
