"""The service as an ASGI application: its routes, and how what goes wrong is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from lenet5.errors import LeNet5Error
from lenet5.export.html import page_of
from lenet5.result import file_json
from lenet5.web import work
from lenet5.web.body import Body, Held
from lenet5.web.guard import SECURITY_HEADERS, Guard
from lenet5.web.metrics import Metrics, Observer
from lenet5.web.openapi import description
from lenet5.web.parameters import parameters
from lenet5.web.pool import OverdueError, Pool, QueueFullError, WorkerLostError
from lenet5.web.refused import RefusedError, error_response
from lenet5.web.review import review_routes
from lenet5.web.settings import Settings

__all__ = ["Service"]

_JSON: Final = "application/json"

Endpoint = Callable[[Request], Awaitable[Response]]
Work = Callable[[Request, Body], Awaitable[Response]]


class Service:
    """A service: ``app`` is its ASGI application, ``pool`` its workers, which start and end with the application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.pool = Pool(
            settings.weights,
            settings.workers,
            settings.queue,
            settings.seconds,
            lambda reason: self.metrics.losses.labels(reason).inc(),
        )
        self.metrics.watch(self.pool)
        self._held = Held()
        self._stopping, self._working = False, 0
        self.app = self._application()

    async def drained(self) -> None:
        """Refuse new work from now on, and wait until none is left."""
        self._stopping = True
        while self._working:
            await asyncio.sleep(0.05)

    def _application(self) -> Starlette:
        page, openapi = page_of(self.settings.weights, service=True), JSONResponse(description(self.settings))

        async def start(_: Request) -> Response:
            return HTMLResponse(page)

        async def described(_: Request) -> Response:
            return openapi

        async def measured(_: Request) -> Response:
            return Response(self.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

        routes = [
            Route("/", start),
            Route("/v1/read", self._endpoint(self._read), methods=["POST"]),
            Route("/v1/classify", self._endpoint(self._classify), methods=["POST"]),
            Route("/health/live", _live),
            Route("/health/ready", self._ready),
            Route("/metrics", measured),
            Route("/openapi.json", described),
        ]
        if self.settings.review is not None:
            routes += review_routes(self.settings.review, self.settings, self._held)
        app = Starlette(
            routes=routes,
            middleware=self._layers(frozenset(route.path for route in routes)),
            lifespan=self._lifespan,
            exception_handlers={RefusedError: self._refused, HTTPException: _unknown},
        )
        app.router.redirect_slashes = False
        return app

    def _layers(self, paths: frozenset[str]) -> list[Middleware]:
        """What every request passes, outermost first."""
        hosts, origins = self.settings.hosts, self.settings.origins
        cors = Middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["Content-Type"]
        )
        return [
            Middleware(Observer, self.metrics, paths, SECURITY_HEADERS),
            Middleware(Guard, hosts, origins, lambda reason: self.metrics.refusals.labels(reason).inc()),
            *([cors] if origins else []),
        ]

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.pool.start()
        yield
        await self.pool.close()

    def _endpoint(self, answer: Work) -> Endpoint:
        """An endpoint that reads a body, counted as work; it is refused while the service is stopping or busy."""

        async def endpoint(request: Request) -> Response:
            self._working += 1
            try:
                async with Body(request, self.settings, self._held) as body:
                    if self._stopping:
                        raise RefusedError(503, "the service is stopping", "stopping", {"Retry-After": "5"})
                    try:
                        self.pool.check_place()
                        return await answer(request, body)
                    except QueueFullError as error:
                        raise RefusedError(503, str(error), "queue", {"Retry-After": str(error.retry_after)}) from None
            finally:
                self._working -= 1

        return endpoint

    async def _read(self, request: Request, body: Body) -> Response:
        given = parameters(request.query_params)
        files = await body.files()
        results: list[bytes] = []
        async with self.pool.place():
            for file, content in files:
                answer = await self._run(request, work.read_file, content, file, given, self.settings.most_pages)
                if answer.error and (len(files) == 1 or answer.of_request):
                    raise RefusedError(answer.status, answer.error)
                failed = [json.dumps(file_json(file, LeNet5Error(answer.error))).encode()] if answer.error else []
                results += answer.results or failed
        self.metrics.results.inc(len(results))
        return Response(b'{"results": [' + b", ".join(results) + b"]}", media_type=_JSON)

    async def _classify(self, request: Request, body: Body) -> Response:
        if request.query_params:
            raise RefusedError(422, "there are no parameters here", "parameter")
        content = await body.json()
        async with self.pool.place():
            answer = await self._run(request, work.classify, content)
        if answer.error:
            raise RefusedError(answer.status, answer.error)
        return Response(answer.results[0], media_type=_JSON)

    async def _run(self, request: Request, task: work.Task, content: bytes, *arguments: object) -> work.Answer:
        """What a worker answers, or why none could."""
        try:
            return await self.pool.run(task, content, *arguments, unwanted=request.is_disconnected)
        except OverdueError as error:
            return work.Answer(status=504, error=str(error))
        except WorkerLostError as error:
            return work.Answer(status=500, error=str(error))

    async def _ready(self, _: Request) -> Response:
        if self._stopping or not self.pool.ready:
            reason = "stopping" if self._stopping else "loading"
            return error_response(503, f"the service is {reason}", {"Retry-After": "1"})
        return JSONResponse({"status": "ready"})

    async def _refused(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        if error.reason is not None:
            self.metrics.refusals.labels(error.reason).inc()
        return error_response(error.status, str(error), error.headers)


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "live"})


async def _unknown(request: Request, error: Exception) -> Response:
    """No such path, or no such method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        message = "there is no such path: /openapi.json describes what there is"
    elif error.status_code == 405:
        message = f"{request.method} is not for this path: use {(error.headers or {}).get('Allow', 'another method')}"
    else:
        message = error.detail
    return error_response(error.status_code, message, error.headers)
