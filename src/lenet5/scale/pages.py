"""The result of each page of a file: texts and numbers, which are cheap to send between processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lenet5.errors import one_line, utf8
from lenet5.reading.opening import Source, open_pages
from lenet5.reading.picture import Picture
from lenet5.reading.reader import Reader
from lenet5.result import Reading, file_json
from lenet5.row_files import Column

__all__ = ["PageResult", "Seen", "columns_of", "read_pages"]

Seen = Callable[[str, Picture, Reading], Exception | None]
"""Called with the file, and each page and its reading; an error that it returns becomes a result."""


@dataclass(frozen=True)
class PageResult:
    """What was read on ``page`` of the ``pages`` of a ``file``, or the ``error`` that ended reading the file there.

    ``file`` is its name as ``utf8`` writes it, ``content`` the object of ``lenet5 read --json``, ``text`` the digits;
    ``transcript`` has separators and gaps, too, ``confidence`` is in 0..1, and ``notes`` are for the user.

    >>> PageResult.failed("broken.png", ValueError("cut short")).error
    'broken.png cannot be read: ValueError: cut short (this is a defect, please report it)'
    """

    file: str
    content: Mapping[str, Any]
    page: int = 1
    pages: int = 1
    text: str | None = None
    transcript: str | None = None
    confidence: float | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None

    @classmethod
    def of(cls, file: str, reading: Reading, pages: int) -> PageResult:
        """The result of a page that was read."""
        content, confidence = file_json(utf8(file), reading), round(reading.confidence, 4)
        return cls(
            utf8(file), content, reading.page, pages, reading.text, reading.transcript, confidence, reading.notes
        )

    @classmethod
    def failed(cls, file: str, error: Exception | str, page: int = 1) -> PageResult:
        """The result of a page, or of a whole file, that was not read."""
        reason = utf8(one_line(error, file) if isinstance(error, Exception) else error)
        return cls(utf8(file), {"file": utf8(file), "error": reason}, page, error=reason)

    @property
    def has_digits(self) -> bool:
        """Whether any digit was read; refused ones count."""
        return any("label" in mark for line in self.content.get("lines", ()) for mark in line)

    @property
    def called(self) -> str:
        """The name of the page, for messages."""
        return self.file if self.pages == 1 else f"{self.file} page {self.page}"

    def row(self, suffix: str, transcript: bool = False) -> dict[str, Any]:
        """The row of a table whose file has this suffix (see ``columns_of``).

        JSON lines hold the objects of ``lenet5 read --json``, in Parquet they are text in column ``json``.
        """
        page = {"file": self.file, "page": self.page}
        if suffix == ".jsonl":
            return {**page, "error": self.error} if self.error else {**page, **self.content, **page}
        text = self.transcript if transcript else self.text
        if suffix == ".csv" and text is not None:
            text = text.replace("\n", " ")
        values = {"text": text, "confidence": self.confidence, "error": self.error}
        return {**page, **values, "json": json.dumps(self.content)}


def columns_of(suffix: str) -> tuple[Column, ...]:
    """The columns of a table of pages: file, page, text, confidence, error, and in Parquet json.

    >>> [column.name for column in columns_of(".parquet")]
    ['file', 'page', 'text', 'confidence', 'error', 'json']
    """
    columns = (Column("file"), Column("page", int), Column("text"), Column("confidence", float), Column("error"))
    return (*columns, Column("json")) if suffix == ".parquet" else columns


def read_pages(
    reader: Reader,
    file: str,
    source: Source,
    options: Mapping[str, Any],
    page: int | None = None,
    after: int = 0,
    seen: Seen | None = None,
) -> Iterator[PageResult]:
    """The pages of a file, or the one named, ``after`` so many; last, where the file fails, its error.

    ``file`` names it in results, ``options`` are keywords of ``Reader.read``. So that one file does not stop the
    rest, every kind of exception becomes a result.

    >>> import numpy as np
    >>> bar = np.full((60, 60), 255, np.uint8)
    >>> bar[10:50, 27:33] = 0
    >>> [result.text for result in read_pages(Reader(threads=1), "bar.png", bar, {"layout": "digit"})]
    ['1']
    """
    at = page or 1
    try:
        for picture in open_pages(source, page):
            at = picture.page
            if at > after:
                yield PageResult.of(file, replace(reading := reader.read(picture, **options), page=at), picture.pages)
                error = None if seen is None else seen(file, picture, reading)
                if error is not None:
                    yield PageResult.failed(file, error, at)
            at += 1
    except Exception as error:
        if at > after:
            yield PageResult.failed(file, error, at)
