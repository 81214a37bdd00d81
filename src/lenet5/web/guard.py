"""Who may ask: the names that the service is called by, and the pages that may use it from a browser."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lenet5.web.refused import RefusedError, error_response

__all__ = ["SECURITY_HEADERS", "Guard"]

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_SAFE: Final = ("GET", "HEAD")

# The page is one file with its script and style inside; it asks this service alone.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "media-src blob: mediastream:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """Refuses requests by another name (DNS rebinding) and from other sites' pages (cross-site request forgery).

    A Host that is an IP address is allowed: a rebinding page has a name. Origin is checked for every method but GET and
    HEAD, whose answers a browser hides from other sites' pages. Programs send no Origin. ``on_refusal`` is told why.
    """

    def __init__(
        self, app: ASGIApp, hosts: tuple[str, ...], origins: tuple[str, ...], on_refusal: Callable[[str], None]
    ) -> None:
        self._app, self._on_refusal = app, on_refusal
        self._hosts = {"localhost", *(host.lower() for host in hosts)}
        self._origins = set(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._check(scope["method"], Headers(scope=scope))
            except RefusedError as refusal:
                self._on_refusal(str(refusal.reason))
                await error_response(refusal.status, str(refusal))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, method: str, headers: Headers) -> None:
        hosts = headers.getlist("host")
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            raise RefusedError(400, "the request needs one Host header", "host")
        name = match["name"].lower().rstrip(".")
        if not (name in self._hosts or "*" in self._hosts or _is_address(name)):
            raise RefusedError(
                421, f"{name[:100]} is not served here: start the service with --allow-host NAME", "host"
            )
        if method in _SAFE:
            return
        origin = headers.get("origin")
        if origin is None:
            foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
        else:
            foreign = origin not in self._origins and origin.partition("://")[2].lower() != hosts[0].lower()
        if foreign:
            raise RefusedError(
                403, "pages of other sites may not use this service: start it with --cors ORIGIN to allow one", "origin"
            )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
