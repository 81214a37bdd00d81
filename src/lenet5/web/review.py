"""The review of doubtful fields on a page: ``/review`` and what that page asks for.

    GET  /review                       the page
    GET  /review/state                 how far the review is, by kind of field
    GET  /review/next?after=&who=      the next undecided field; /review/before?item=&who= the one before it
    GET  /review/items/ITEM            a field, with what was decided; .../crop its picture, .../sheet that of its sheet
    POST /review/items/ITEM            {"text", "revision", "despite"}: 200, 409 somebody else decided, 422 rules broken
    GET  /review/table.csv             the table of all sheets with what was decided

These paths are the page's own and may change. The folder is read anew at each request; nothing is kept but decisions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from lenet5.errors import LeNet5Error
from lenet5.forms.corrected import corrected
from lenet5.forms.decisions import ConflictError, Decision, MissingItemError, decide, decision_of
from lenet5.forms.queue import Item, Queue, State
from lenet5.forms.review import sheet_of
from lenet5.forms.rules import broken
from lenet5.forms.texts import Texts
from lenet5.parsing import parsed_json
from lenet5.web.body import Body, Held
from lenet5.web.refused import RefusedError, error_response
from lenet5.web.review_page import review_page
from lenet5.web.settings import Settings

__all__ = ["review_routes"]

_MOST_BODY: Final = 10_000
_LONGEST: Final = 200  # characters of a text, or of the name of a tab
_PICTURES: Final = {"crop": ("{item}.png", "image/png"), "sheet": ("sheets/{sheet}.jpg", "image/jpeg")}

Json = dict[str, Any]


def review_routes(folder: Path, settings: Settings, held: Held) -> list[Route]:
    """The routes of the review of a folder. Raises OutputError where it is missing.

    >>> import tempfile
    >>> from lenet5.weights import load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [route.path for route in review_routes(Path(folder), Settings(load("lenet5"), workers=1), Held())][:2]
    ['/review', '/review/state']
    """
    review = _Review(folder, replace(settings, most_json_bytes=_MOST_BODY), held)
    return [
        Route("/review", review.page),
        Route("/review/state", _answering(review.state)),
        Route("/review/next", _answering(review.next)),
        Route("/review/before", _answering(review.before)),
        Route("/review/items/{item}", _answering(review.shown), methods=["GET"]),
        Route("/review/items/{item}", review.decide, methods=["POST"]),
        Route("/review/items/{item}/{picture}", _answering(review.picture)),
        Route("/review/table.csv", _answering(review.table)),
    ]


def _answering(work: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that works with files in a thread and answers expected failures in one line."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, work, request)

    return endpoint


def _answered(work: Callable[..., Response], *arguments: object) -> Response:
    try:
        return work(*arguments)
    except MissingItemError as error:
        return error_response(404, str(error))
    except LeNet5Error as error:
        return error_response(500, str(error))


class _Review:
    """The endpoints on one folder."""

    def __init__(self, folder: Path, settings: Settings, held: Held) -> None:
        self._folder, self._settings, self._held = folder, settings, held
        self._queue, self._texts = Queue(folder), Texts(folder)
        self._page = review_page()

    async def page(self, _: Request) -> Response:
        return HTMLResponse(self._page)

    def state(self, _: Request) -> Response:
        return JSONResponse(_state(self._queue.state()))

    def next(self, request: Request) -> Response:
        """The next undecided field, or null, and the state."""
        return self._response(self._queue.next(_parameter(request, "after"), _parameter(request, "who")))

    def before(self, request: Request) -> Response:
        """The field before another, or null, and the state."""
        item = self._queue.before(_parameter(request, "item"))
        if item is not None:
            self._queue.hold(item.name, _parameter(request, "who"))
        return self._response(item)

    def shown(self, request: Request) -> Response:
        item = self._queue.item(request.path_params["item"])
        self._queue.hold(item.name, _parameter(request, "who"))
        return self._response(item)

    def picture(self, request: Request) -> Response:
        """The picture of a field, or of its sheet."""
        item = self._queue.item(request.path_params["item"])
        if request.path_params["picture"] not in _PICTURES:
            raise MissingItemError("a field has a crop and a sheet")
        name, kind = _PICTURES[request.path_params["picture"]]
        try:
            content = (self._folder / name.format(item=item.name, sheet=sheet_of(item.name))).read_bytes()
        except OSError:
            raise MissingItemError("this picture is not in the folder") from None
        return Response(content, media_type=kind)

    def table(self, _: Request) -> Response:
        lines = "".join(f"{line}\r\n" for line in corrected(self._folder).csv())
        headers = {"Content-Disposition": 'attachment; filename="corrected.csv"'}
        return Response("\ufeff" + lines, media_type="text/csv; charset=utf-8", headers=headers)  # Excel needs the mark

    async def decide(self, request: Request) -> Response:
        async with Body(request, self._settings, self._held) as body:
            text, revision, despite = _decision_in(await body.json())
        return await run_in_threadpool(_answered, self._decide, request.path_params["item"], text, revision, despite)

    def _decide(self, name: str, text: str, revision: int, despite: bool) -> Response:
        """Store a decision, unless it breaks a rule and ``despite`` is false."""
        item = self._queue.item(name)
        rules = [] if despite else self._broken(item, text)
        if rules:
            return JSONResponse({"error": "the text is not as the form has it", "broken": rules}, 422)
        try:
            decision = decide(self._folder, name, text, revision)
        except ConflictError as error:
            return JSONResponse({"error": str(error), "decision": _decision(error.current)}, 409)
        return JSONResponse({"decision": _decision(decision), "state": _state(self._queue.state())})

    def _broken(self, item: Item, text: str) -> list[Json]:
        """The rules of its field that a text breaks, each with the values that the page shows."""
        field = self._queue.field(item)
        if field is None:
            return []
        rules: list[Json] = [{"rule": rule, "pattern": field.pattern, "cells": field.cells, "check": field.check}
                             for rule in broken(field, text)]  # fmt: skip
        if field.unique and text:
            others = self._texts.others_with(*item.kind, text, item.name)
            rules += [{"rule": "unique", "file": row["file"], "page": row["page"]} for row in others[:1]]
        return rules

    def _response(self, item: Item | None) -> Response:
        """A field, or null, and the state."""
        content: Json = {"item": None, "state": _state(self._queue.state())}
        if item is not None:
            keys = ("form", "field", "file", "page", "text", "confidence", "alternatives", "reasons", "box")
            decision = decision_of(self._folder, item.name)
            content["item"] = {"name": item.name, **{key: item.content[key] for key in keys}}
            content["item"]["decision"] = None if decision is None else _decision(decision)
        return JSONResponse(content)


def _decision(decision: Decision) -> Json:
    return {"text": decision.text, "revision": decision.revision, "accepted": decision.accepted}


def _state(state: State) -> Json:
    return {
        "items": state.items,
        "decided": state.decided,
        "unreadable": state.unreadable,
        "kinds": [asdict(kind) for kind in state.kinds],
    }


def _parameter(request: Request, key: str) -> str:
    return request.query_params.get(key, "")[:_LONGEST]


def _decision_in(body: bytes) -> tuple[str, int, bool]:
    """The text, revision and "despite" of a decision. Raises RefusedError."""
    try:
        content = parsed_json(body)
        text, revision, despite = content["text"], content["revision"], content.get("despite", False)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError(422, 'send {"text": "4711", "revision": 0}', "parameter") from None
    if not (isinstance(text, str) and type(revision) is int and revision >= 0 and isinstance(despite, bool)):
        raise RefusedError(422, "text is a string, revision a number from 0, despite true or false", "parameter")
    text = " ".join(text.split())
    if len(text) > _LONGEST or not text.isprintable():
        raise RefusedError(422, f"a text has at most {_LONGEST} printable characters", "parameter")
    return text, revision, despite
