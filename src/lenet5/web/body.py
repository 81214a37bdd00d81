"""Bodies, taken in chunk by chunk within their limits: nothing is decoded before all of it is here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from lenet5.web.refused import RefusedError
from lenet5.web.settings import Settings

__all__ = ["Body", "Held"]

_FORM: Final = "multipart/form-data"
_PICTURES: Final = ("image/", "application/pdf", "application/octet-stream")
_DRAINED: Final = 2.0  # seconds for which the rest of a refused body is thrown away before the answer


@dataclass
class Held:
    """The bytes of all bodies that are in memory."""

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
            return await self._form()
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
        kind = self._request.headers.get("content-type", "application/octet-stream")
        return kind.partition(";")[0].strip().lower()

    async def _form(self) -> list[tuple[str, bytes]]:
        limits = self._settings
        chunks = self._chunks(limits.most_bytes)
        parser = _Parser(self._request.headers, chunks, max_files=limits.most_files, max_fields=limits.most_files)
        parser.spool_max_size = limits.most_bytes  # nothing is written to the disk
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise RefusedError(400, f"the {_FORM} body is damaged: {error.message}", "form") from None
        files = []
        for field, part in form.multi_items():
            if not isinstance(part, UploadFile):
                raise RefusedError(
                    422, f"part {field[:60]!r} is no file: parameters stand in the URL, as ?layout=line", "form"
                )
            files.append((part.filename or field, await part.read()))
            await part.close()
        if not files:
            raise RefusedError(422, "the form holds no file", "form")
        return files

    async def _chunks(self, most: int) -> AsyncGenerator[bytes, None]:
        """The body as it comes, within its limits of size and time."""
        limits, began = self._settings, time.monotonic()
        length = self._request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > most:
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


class _Parser(MultiPartParser):
    """Refuses a form with too many parts as soon as they are too many."""

    parts = 0

    def on_part_begin(self) -> None:
        super().on_part_begin()
        self.parts += 1
        if self.parts > self.max_files:
            raise RefusedError(
                413, f"the form has more than {self.max_files} parts: send it as several requests", "parts"
            )
