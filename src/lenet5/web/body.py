"""Bodies, taken in chunk by chunk within their limits: nothing is decoded before all of it is here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from starlette.requests import ClientDisconnect, Request

from lenet5.web.form import Form
from lenet5.web.refused import RefusedError
from lenet5.web.settings import Settings

__all__ = ["Body", "Held"]

_FORM: Final = "multipart/form-data"
_PICTURES: Final = ("image/", "application/pdf", "application/octet-stream")
_DRAINED: Final = 2.0  # seconds for which the rest of a refused body is thrown away before the answer


@dataclass
class Held:
    """The bytes of all bodies that are in memory.

    >>> held = Held()
    >>> held.size += 1_000_000  # a body has come
    >>> held.size
    1000000
    """

    size: int = 0


class Body:
    """The body of one request, an asynchronous context: its bytes count as ``held`` until the end of it.

    If it ends in a RefusedError, the rest of the body is thrown away for a moment, so that a client that is still
    sending can read the answer.
    """

    def __init__(self, request: Request, settings: Settings, held: Held) -> None:
        self._request, self._settings, self._held = request, settings, held
        self._stream = request.stream()
        self._size = 0

    async def __aenter__(self) -> Body:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.size -= self._size
        if isinstance(error, RefusedError) and "expect" not in self._request.headers:
            with suppress(asyncio.TimeoutError, ClientDisconnect):
                await asyncio.wait_for(self._discard(), _DRAINED)

    async def files(self) -> list[tuple[str, bytes]]:
        """The files of a form with their names, or all of the body as "-", like standard input. Raises RefusedError."""
        kind = self._kind()
        if kind == _FORM:
            form = Form(self._request.headers["content-type"], self._settings.most_files)
            try:
                async for chunk in self._chunks(self._settings.most_bytes):
                    form.write(chunk)
                return form.files()
            finally:
                form.clear()
        if not kind.startswith(_PICTURES):
            raise RefusedError(
                415,
                f"a body of type {kind[:60]!r} is not read: send a picture as image/png, image/jpeg or "
                f"application/pdf, or files as {_FORM}",
                "type",
            )
        return [("-", b"".join([chunk async for chunk in self._chunks(self._settings.most_bytes)]))]

    async def json(self) -> bytes:
        """The text of a body of JSON. Raises RefusedError."""
        if self._kind() != "application/json":
            raise RefusedError(415, f"a body of type {self._kind()[:60]!r} is not read: send application/json", "type")
        return b"".join([chunk async for chunk in self._chunks(self._settings.most_json_bytes)])

    def _kind(self) -> str:
        """The type of the body without its parameters. Raises RefusedError for one that would have to be unpacked."""
        encoding = self._request.headers.get("content-encoding", "identity")
        if encoding.strip().lower() != "identity":
            message = f"a body in Content-Encoding {encoding[:60]!r} is not read: send it as it is"
            raise RefusedError(415, message, "type")
        kind = self._request.headers.get("content-type", "application/octet-stream")
        return kind.partition(";")[0].strip().lower()

    async def _chunks(self, most: int) -> AsyncGenerator[bytes, None]:
        """The body as it comes, within its limits of size and time."""
        limits, began = self._settings, time.monotonic()
        length = self._request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            raise self._too_large(most)
        while True:
            allowed = limits.grace + self._size / limits.slowest - (time.monotonic() - began)
            try:
                chunk = await asyncio.wait_for(anext(self._stream), allowed)
            except StopAsyncIteration:
                return
            except asyncio.TimeoutError:
                raise RefusedError(408, "the body came too slowly", "slow", {"Connection": "close"}) from None
            self._size += len(chunk)
            self._held.size += len(chunk)
            if self._size > most:
                raise self._too_large(most)
            if self._held.size > limits.most_held_bytes:
                raise RefusedError(
                    503, "the service holds too many bodies: try again later", "memory", {"Retry-After": "5"}
                )
            yield chunk

    def _too_large(self, most: int) -> RefusedError:
        return RefusedError(413, f"the body is larger than {most / 1_000_000:g} MB", "size")

    async def _discard(self) -> None:
        async for _ in self._stream:
            pass
