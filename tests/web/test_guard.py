"""Host, Origin, CORS and the headers of every answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from lenet5.web.app import Service
from tests.web.conftest import SETTINGS, Running, line_of


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.168.1.7",
        "digits.example",
        "digits.example:443",
    ],
)
def test_localhost_addresses_and_allowed_names_are_served(host: str, service: Running) -> None:
    assert service.client.get("/health/live", headers={"Host": host}).json() == {"status": "live"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "digits.example.evil", "127.1", "0x7f.1"],
)
@pytest.mark.parametrize("path", ["/", "/v1/read", "/health/live", "/metrics"])
def test_another_name_is_refused_so_that_rebinding_reaches_nothing(host: str, path: str, service: Running) -> None:
    method = "POST" if path == "/v1/read" else "GET"
    message = line_of(service.client.request(method, path, headers={"Host": host}), 421)
    assert "--allow-host" in message


@pytest.mark.parametrize("host", ["", "a b", "localhost:80:80", "[localhost]", "user@localhost", "localhost/", "é"])
def test_a_malformed_host_is_refused(host: str, service: Running) -> None:
    received = service.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert received.split()[1] in (b"400", b"421")
    assert b'{"error": "' in received


def test_two_hosts_or_none_are_refused(service: Running) -> None:
    for head in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n"):
        received = service.send(head)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b'{"error": "' in received


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "https://school.example.evil"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT"])
def test_pages_of_other_sites_may_not_post(method: str, headers: dict[str, str], service: Running) -> None:
    answer = service.client.request(method, "/v1/read", content=b"x", headers=headers)
    assert "--cors" in line_of(answer, 403)
    assert "access-control-allow-origin" not in answer.headers


def test_the_services_own_page_may_post(
    service: Running, write: Callable[..., Image.Image], encoded: Callable[..., bytes]
) -> None:
    origin = str(service.client.base_url).rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", "Content-Type": "image/png"}
    answer = service.client.post("/v1/read", content=encoded(write("27")), headers=headers)
    assert answer.json()["results"][0]["text"] == "27"


def test_pages_of_an_allowed_origin_may_post_after_a_preflight(
    service: Running, write: Callable[..., Image.Image], encoded: Callable[..., bytes]
) -> None:
    origin = {"Origin": "https://school.example"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = service.client.options("/v1/read", headers=origin | asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://school.example"
    answer = (
        service.read(encoded(write("27"))),
        service.client.post(
            "/v1/read", content=encoded(write("27")), headers=origin | {"Sec-Fetch-Site": "cross-site"}
        ),
    )
    assert answer[1].json() == answer[0].json()
    assert answer[1].headers["access-control-allow-origin"] == "https://school.example"


def test_without_cors_no_answer_allows_another_origin() -> None:
    app = Service(replace(SETTINGS, origins=())).app
    assert not [layer for layer in app.user_middleware if "CORS" in str(layer.cls)]


@pytest.mark.parametrize("path", ["/", "/health/live", "/metrics", "/openapi.json", "/nothing"])
def test_every_answer_has_the_security_headers(path: str, service: Running) -> None:
    headers = service.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_the_page_at_the_root_is_html(service: Running) -> None:
    answer = service.client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    assert service.client.head("/").status_code == 200
