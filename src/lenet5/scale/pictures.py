"""Batches of pictures → rows, for Ray Data and Spark."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import weights as weights_of
from lenet5.errors import ArrayError, PictureError
from lenet5.processes import Killed, Processes
from lenet5.reading.constraint import compile_constraint
from lenet5.reading.reader import Reader
from lenet5.scale.pages import PageResult, read_pages
from lenet5.scale.storage import Storage, is_uri

__all__ = ["Batch", "ReadPictures"]

Batch = dict[str, NDArray[Any]]


class ReadPictures:
    """Reads batches of pictures; picklable, for Ray Data's ``map_batches`` and Spark's ``mapInPandas``.

    A batch has a column ``path`` (paths and URIs) or ``bytes`` (the content of files; ``path`` then only names them).
    The result has a row for each page: ``page``, ``text``, ``confidence`` in 0..1, ``json`` (the object of ``lenet5
    read --json``) and ``error``, and the other columns of the batch, repeated for each page of a picture. If a picture
    cannot be read, ``error`` says why, ``text`` is empty and ``confidence`` NaN. The arguments are those of ``Reader``
    and ``Reader.read``; raises WeightsError, ArrayError and PatternError.

    A separate process of one thread reads the pictures. Where a picture kills it, the picture's row has an error, a new
    process is started, and the cluster's worker lives on.

    >>> read = ReadPictures(layout="digit")
    >>> rows = read({"path": np.array(["missing.png"]), "sheet": np.array([7])})
    >>> rows["sheet"], rows["error"][0]
    (array([7]), 'no such file: missing.png')
    >>> read.close()
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | weights_of.Weights = "lenet5",
        layout: str = "auto",
        min_confidence: float | None = None,
        *,
        region: Sequence[float] | None = None,
        pattern: str | None = None,
        choices: Sequence[str] | None = None,
        check: str | Callable[[str], bool] | None = None,
        rotate: str | None = None,
    ) -> None:
        options: dict[str, Any] = {"layout": layout, "min_confidence": min_confidence, "region": region}
        options |= {"pattern": pattern, "choices": choices, "check": check, "rotate": rotate}
        reader = Reader(weights, threads=1)
        compile_constraint(reader.line_model.classes, pattern, choices, check)
        next(reader.read_many([np.full((4, 4), 255, np.uint8)], **options))  # raises for arguments that do not exist
        self.weights, self.options = reader.weights, options
        self._process: Processes[_Picture, list[PageResult]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_process": None}

    def __call__(self, batch: Mapping[str, NDArray[Any]]) -> Batch:
        """The rows of a batch, in its order. Raises ArrayError for one without a column ``path`` or ``bytes``."""
        if "path" not in batch and "bytes" not in batch:
            raise ArrayError(f"a batch has a column path or bytes, not just {', '.join(batch) or 'none'}")
        if self._process is None:
            self._process = Processes(_Maker(self.weights, self.options), 1)
        sources, results = [], []
        for number, (picture, outcome) in enumerate(self._process.results(_pictures(batch))):
            pages = [picture.killed(outcome)] if isinstance(outcome, Killed) else outcome
            sources += [number] * len(pages)
            results += pages
        columns = {name: np.asarray(column)[sources] for name, column in batch.items() if name != "bytes"}
        return {**columns, **_columns(results)}

    def close(self) -> None:
        """End the process; the next batch starts another."""
        if self._process is not None:
            self._process.close()
            self._process = None


@dataclass(frozen=True)
class _Picture:
    """A picture by its name, a path or URI, or with its content."""

    name: str
    content: bytes | None = None

    def killed(self, by: Killed) -> PageResult:
        return PageResult.failed(self.name, f"cannot read {self.name}: {by.reason}")


def _pictures(batch: Mapping[str, NDArray[Any]]) -> list[_Picture]:
    contents, names = batch.get("bytes"), batch.get("path")
    if contents is None:
        return [_Picture(str(name)) for name in names] if names is not None else []
    labels = ["the picture"] * len(contents) if names is None else map(str, names)
    return [
        _Picture(name, b"" if content is None else bytes(content))
        for name, content in zip(labels, contents, strict=True)
    ]


@dataclass(frozen=True)
class _Maker:
    """Makes the function that reads pictures in another process."""

    weights: weights_of.Weights
    options: Mapping[str, Any]

    def __call__(self) -> Callable[[_Picture], list[PageResult]]:
        return partial(_results, Reader(self.weights, threads=1), self.options, [])


def _results(
    reader: Reader, options: Mapping[str, Any], storages: list[Storage], picture: _Picture
) -> list[PageResult]:
    """The pages of a picture; ``storages`` is empty until there is a URI, as only URIs need pyarrow."""
    source: str | bytes = picture.name if picture.content is None else picture.content
    try:
        if picture.content is None and is_uri(picture.name):
            if not storages:
                storages.append(Storage())
            source = storages[0].content(picture.name)
    except Exception as error:
        return [PageResult.failed(picture.name, error)]
    return list(read_pages(reader, picture.name, source, options)) or [_empty(picture.name)]


def _empty(name: str) -> PageResult:
    """The result of a file without pages, so that each picture has a row."""
    return PageResult.failed(name, PictureError(f"not a picture: {name} has no pages"))


def _columns(results: Sequence[PageResult]) -> Batch:
    """The columns of results; texts are never None, so that a column has one type in each batch."""
    return {
        "page": np.array([result.page for result in results], np.int64),
        "text": np.array([result.text or "" for result in results], object),
        "confidence": np.array(
            [math.nan if result.confidence is None else result.confidence for result in results], np.float64
        ),
        "json": np.array([json.dumps(result.content) for result in results], object),
        "error": np.array([result.error or "" for result in results], object),
    }
