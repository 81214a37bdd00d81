"""A worker process: it loads a reader and performs tasks until its pipe is closed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from lenet5 import paper
from lenet5.errors import ArrayError, PatternError, PictureError, TooLargeError, one_line
from lenet5.parsing import parsed_json
from lenet5.processes import limit_threads
from lenet5.reading.constraint import compile_constraint
from lenet5.reading.opening import open_pages
from lenet5.reading.reader import Reader
from lenet5.result import file_json
from lenet5.web.parameters import Parameters
from lenet5.weights import Weights

__all__ = ["Answer", "Task", "classify", "read_file", "serve"]

_PIXELS: Final = paper.SIDE * paper.SIDE
_LEVELS: Final = np.arange(256)
_STATUS: Final = ((TooLargeError, 413), (PictureError, 415), ((ArrayError, PatternError), 422))


@dataclass(frozen=True)
class Answer:
    """JSON texts of results, or an ``error`` with its HTTP ``status``.

    An error may be ``of_request``: it does not depend on the file.

    >>> Answer((b'{"text": "7"}',)).status, Answer(status=415, error="not a picture").error
    (200, 'not a picture')
    """

    results: tuple[bytes, ...] = ()
    status: int = 200
    error: str = ""
    of_request: bool = False


Task = Callable[..., Answer]
"""A function of this module; it takes the worker's reader and the content of a body or file, and never raises."""


def serve(connection: Connection, weights: Weights) -> None:
    """Load a reader, send None, then answer each (task, arguments) and content until the pipe is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and systemd signal the whole group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    limit_threads(1)
    reader = Reader(weights, threads=1)
    reader.read(np.full((paper.SIDE, paper.SIDE), 255, np.uint8))  # warm up: the first reading loads libraries
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders print warnings of hostile pictures
    connection.send(None)
    with suppress(EOFError, OSError):  # the service has ended
        while True:
            task, arguments = connection.recv()
            connection.send(task(reader, connection.recv_bytes(), *arguments))


def read_file(reader: Reader, content: bytes, file: str, parameters: Parameters, most_pages: int) -> Answer:
    """The objects of ``read --json``, one for each page; if a later page fails, the last one is its error.

    >>> answer = read_file(Reader(threads=1), b"no picture", "a.png", Parameters(), most_pages=10)
    >>> answer.status, answer.error.partition(":")[0]
    (415, 'not a picture')
    """
    results: list[bytes] = []
    try:
        compile_constraint(reader.line_model.classes, parameters.pattern, parameters.choices, parameters.check)
        for page in open_pages(content, parameters.page, most_pages):
            reading = replace(reader.read(page, **parameters.options), page=page.page)
            results.append(json.dumps(file_json(file, reading)).encode())
    except Exception as error:
        failed = _failed(error, "the picture")
        if not results:
            return failed
        results.append(json.dumps(file_json(file, error)).encode())
    return Answer(tuple(results))


def classify(reader: Reader, body: bytes) -> Answer:
    """Labels (−1 for refused) and confidences of ``{"images": [[784 numbers] …]}``, ink 255.

    >>> blank = [0] * 784
    >>> classify(Reader(threads=1), json.dumps({"images": [blank]}).encode()).results
    (b'{"labels": [-1], "confidences": [1.0]}',)
    """
    try:
        images = _images(body)
        labels, confidences = reader.classify(images)
    except Exception as error:
        return _failed(error, "the request")
    answer = {"labels": labels.tolist(), "confidences": [round(float(p), 4) for p in confidences]}
    return Answer((json.dumps(answer).encode(),))


def _images(body: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(N, 28, 28) uint8. Raises ArrayError, which names the invalid image."""
    form = f'send {{"images": [[{_PIXELS} numbers] …]}}'
    try:
        content = parsed_json(body)
    except ValueError as error:
        position = f": {error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise ArrayError(f"the body is not JSON{position}: {form}") from None
    if not isinstance(content, dict) or set(content) != {"images"} or not isinstance(content["images"], list):
        raise ArrayError(f"the body must be an object with one list, images: {form}")
    rows = content["images"]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != _PIXELS:
            size = f"{len(row)} numbers" if isinstance(row, list) else "no list"
            raise ArrayError(f"images: image {number} is {size}, not {_PIXELS} numbers (28 rows of 28)")
    try:
        levels = np.array(rows)
    except ValueError:  # a list among the numbers
        raise ArrayError(_wrong_pixel(rows)) from None
    has_booleans = b"true" in body or b"false" in body  # NumPy converts them to 1 and 0
    if rows and (has_booleans or levels.dtype.kind not in "iuf" or not np.isin(levels, _LEVELS).all()):
        raise ArrayError(_wrong_pixel(rows))
    return levels.reshape(-1, paper.SIDE, paper.SIDE).astype(np.uint8)


def _wrong_pixel(rows: list[list[Any]]) -> str:
    """The message for the first value that is no level of a pixel."""
    levels = set(range(256))
    number, pixel = next(
        (number, pixel)
        for number, row in enumerate(rows, 1)
        for pixel in row
        if isinstance(pixel, bool) or not isinstance(pixel, int | float) or pixel not in levels
    )
    return f"images: image {number} holds {json.dumps(pixel)[:40]}: pixels are whole numbers 0..255, ink 255"


def _failed(error: Exception, name: str) -> Answer:
    """An error as an answer; an unexpected one has status 500."""
    status = next((status for kinds, status in _STATUS if isinstance(error, kinds)), 500)
    return Answer(status=status, error=one_line(error, name), of_request=isinstance(error, PatternError))
