"""Which files are read: a list of them in a file, a shard, and what a table already holds."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final, Literal

import numpy as np

from lenet5.errors import DataError, OutputError, UnavailableError, utf8
from lenet5.forms.stack import count_units
from lenet5.reading.limits import MOST_BYTES

__all__ = ["NAMES", "Standing", "Unit", "count", "listed", "sharded", "units_of"]

NAMES: Final = ("path", "uri", "file")
"""Columns of a Parquet list that may hold the paths; without them its only column of text does."""

_BATCH: Final = 10_000
_DIGEST_BYTES: Final = 16
_SIDES: Final[tuple[Literal["left"], Literal["right"]]] = ("left", "right")


@dataclass(frozen=True)
class Unit:
    """What one process reads at once: a ``file``, whole or one ``page`` of it, without its first ``after`` pages.

    ``content`` is that of standard input.

    >>> Unit("scan.pdf", page=3), Unit("photo.jpg", after=1).after
    (Unit(file='scan.pdf', page=3, after=0, content=None), 1)
    """

    file: str
    page: int | None = None
    after: int = 0
    content: bytes | None = None


def listed(path: str) -> Iterator[str]:
    """The paths in a list, which is a text with one a line, Parquet, or standard input ("-"), as they come.

    Empty lines are left out. Raises DataError for a list that cannot be read, UnavailableError for Parquet without
    pyarrow.

    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "list.txt").write_text("a.png\\n\\nb.png\\n")
    ...     list(listed(f"{folder}/list.txt"))
    ['a.png', 'b.png']
    """
    if path.lower().endswith(".parquet"):
        yield from _column(path)
        return
    try:
        with _text(path) as file:
            for line in file:
                if name := line.rstrip("\r\n"):
                    yield name
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def count(path: str) -> int | None:
    """How many paths are in a list; None of standard input, which is read once.

    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "list.txt").write_text("a.png\\n\\nb.png\\n")
    ...     count(f"{folder}/list.txt")
    2
    """
    if path == "-":
        return None
    if path.lower().endswith(".parquet"):
        with _parquet(path) as (file, _):
            return int(file.metadata.num_rows)
    return sum(1 for _ in listed(path))


def sharded(files: Iterable[str], shard: tuple[int, int]) -> Iterator[str]:
    """Shard ``(i, n)`` of files, i from 1: every n-th, so that all n shards together hold each file once.

    >>> list(sharded("abcde", (2, 2)))
    ['b', 'd']
    """
    number, shards = shard
    return islice(files, number - 1, None, shards)


def units_of(files: Iterable[str], standing: Standing | None = None) -> Iterator[Unit]:
    """What is to be read of files: the pages of a PDF one by one, other files whole, "-" from standard input.

    What is ``standing`` is left out, but for the last file, which may have further pages.

    >>> standing = Standing([{"file": "a.png", "page": 1, "error": "cut short"}])
    >>> [unit.file for unit in units_of(["a.png", "b.png"], standing)]
    ['b.png']
    """
    standing = standing or Standing()
    for file in files:
        if standing.whole(file):
            continue
        if file == "-":
            yield Unit(file, content=sys.stdin.buffer.read(MOST_BYTES + 1))  # the reader refuses what is longer
            continue
        after, ended = standing.last(file)
        pages = count_units([file])
        if pages > 1:
            yield from (Unit(file, page) for page in range(after + 1, pages + 1))
        elif not ended:
            yield Unit(file, after=after)


class Standing:
    """What stands in a table that a run goes on with.

    Rows are written in the order of the files, so that only the last file may lack pages. A file that is named more
    often than it stands there is read again. Of each name there is a digest and a mark: 17 bytes, however long it is.

    >>> rows = [{"file": "a.png", "page": 1}, {"file": "b.tiff", "page": 1}, {"file": "b.tiff", "page": 2}]
    >>> standing = Standing(rows)
    >>> standing.whole("a.png"), standing.whole("b.tiff"), standing.last("b.tiff")  # b.tiff may have further pages
    (True, False, (2, False))
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._last: tuple[str, int, bool] | None = None
        digests = bytearray()
        file, page, error = "", 0, None
        for row in rows:
            try:
                file, page, error = str(row["file"]), int(row["page"]), row.get("error")
            except (KeyError, ValueError, TypeError):
                raise OutputError("rows of --output were not written by this program: name another file") from None
            if page == 1:
                digests += _digest(file)
        if page:
            self._last = file, page, bool(error)
            if digests.endswith(_digest(file)):
                del digests[-_DIGEST_BYTES:]
        self._digests = np.frombuffer(digests, f"S{_DIGEST_BYTES}")
        self._digests.sort()
        self._named = np.zeros(len(self._digests), bool)

    def whole(self, file: str) -> bool:
        """Whether a file stands there whole; to be asked once each time that the file is named."""
        if len(self._digests) == 0:
            return False
        digest = np.bytes_(_digest(file))
        first, end = (int(np.searchsorted(self._digests, digest, side)) for side in _SIDES)
        left = np.flatnonzero(~self._named[first:end])
        if len(left) == 0:
            return False
        self._named[first + left[0]] = True
        return True

    def last(self, file: str) -> tuple[int, bool]:
        """How many pages of a file stand there if it is the last one, and whether an error ends them."""
        if self._last is None or self._last[0] != utf8(file):
            return 0, False
        _, page, ended = self._last
        self._last = None
        return page, ended


def _digest(file: str) -> bytes:
    """A digest of a file's name; of 10⁸ names any two have the same one with a probability of 10⁻²³."""
    return hashlib.blake2b(utf8(file).encode(), digest_size=_DIGEST_BYTES).digest()


@contextmanager
def _text(path: str) -> Iterator[IO[str]]:
    """A list of lines, opened."""
    if path == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape")
        return
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        yield file


@contextmanager
def _parquet(path: str) -> Iterator[tuple[Any, str]]:
    """A Parquet file, opened, and its column of paths."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UnavailableError("Parquet needs pyarrow: pip install 'lenet5[parquet]'") from None
    try:
        file = parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"cannot read {path}: {' '.join(str(error).split())}") from None
    with file:
        kinds = (pyarrow.string(), pyarrow.large_string())
        texts = [field.name for field in file.schema_arrow if field.type in kinds]
        column = next((name for name in NAMES if name in texts), texts[0] if len(texts) == 1 else None)
        if column is None:
            raise DataError(f"{path} has no column of paths: name it {NAMES[0]}")
        yield file, column


def _column(path: str) -> Iterator[str]:
    with _parquet(path) as (file, column):
        for batch in file.iter_batches(_BATCH, columns=[column]):
            for name in batch.column(0).to_pylist():
                if name:
                    yield name
