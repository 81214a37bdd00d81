"""Tables of results on disk: rows are written as they come, and a stopped run is resumed.

One run at a time writes a table. A row that a stopped run left incomplete is dropped when the next run resumes.
Parquet, which cannot be read before its end is written, is kept as JSON lines beside its place until then.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import filelock

from lenet5.errors import OutputError
from lenet5.files import beside, hidden, require_writable
from lenet5.row_files import (
    FORMATS,
    Column,
    Row,
    csv_line,
    from_parquet,
    header_of,
    is_cut_off,
    json_line,
    pyarrow_modules,
    rows_of,
    to_parquet,
    whole_rows,
)

__all__ = ["Lock", "Table"]

_WAIT: Final = 0.2  # seconds: as a run that ends removes its lock's file, another may just have opened it


class Lock:
    """The right of one run to write a place; it ends with the process. Raises OutputError where another run has it.

    Messages name the place ``label``, by default ``path``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = Lock(Path(folder) / "rows.csv")
    ...     try:
    ...         Lock(Path(folder) / "rows.csv")
    ...     except OutputError as error:
    ...         print(str(error).partition(":")[0].replace(folder, "FOLDER"))
    ...     lock.release()
    another run is writing FOLDER/rows.csv
    """

    def __init__(self, path: Path, label: str | os.PathLike[str] | None = None) -> None:
        label = path if label is None else label
        self._file = hidden(path, ".lock")
        self._lock = filelock.FileLock(self._file, timeout=_WAIT, poll_interval=_WAIT / 4, thread_local=False)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise OutputError(f"another run is writing {label}: wait for it, or name another place") from None
        except OSError as error:
            raise OutputError(f"cannot write {label}: {error.strerror or error}") from None

    def release(self) -> None:
        """Let others write."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
        self._lock.release()


class Table:
    """Rows appended to a file of FORMATS, by its suffix; a context manager.

    ``columns`` are those of CSV and Parquet, in this order. With ``resume`` the rows in the file are kept. An exception
    before the first row removes a new file.

    Raises OutputError for a suffix that is not in FORMATS, a file that exists without ``resume`` or has other columns,
    and a place that cannot be written or that another run writes; UnavailableError for Parquet without pyarrow.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Table(f"{folder}/rows.csv", [Column("file"), Column("text")]) as table:
    ...         _ = table.append({"file": "a.png", "text": "41973"})
    ...     Path(f"{folder}/rows.csv").read_text().split()
    ['file,text', 'a.png,41973']
    """

    def __init__(self, path: str | os.PathLike[str], columns: Sequence[Column], resume: bool = False) -> None:
        self.path = Path(path)
        self._columns = tuple(columns)
        self._suffix = self.path.suffix.lower()
        if self._suffix not in FORMATS:
            raise OutputError(f"cannot write {path}: a table ends in {', '.join(FORMATS)}")
        if self._suffix == ".parquet":
            pyarrow_modules()
        require_writable(self.path)
        self._journal = hidden(self.path, ".jsonl") if self._suffix == ".parquet" else self.path
        self._changes: dict[int, Row] = {}
        self._rows = self._size = 0
        self._lock = Lock(self.path)
        try:
            self._file = self._opened(resume)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Table:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self._file.close()  # unbuffered: all rows are on disk
            if self._is_new and not self._rows:
                self._journal.unlink(missing_ok=True)
            self._lock.release()

    def __len__(self) -> int:
        """How many rows there are."""
        return self._rows

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows on disk; all values of CSV are texts."""
        yield from rows_of(self._journal, self._journal_suffix)

    def append(self, row: Row) -> int:
        """Write a row to disk at once and return its number, from 0.

        Raises OutputError where the disk is full; the rows before it remain.
        """
        line = self._line(row).encode()
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._size)
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None
        self._size = self._file.tell()
        self._rows += 1
        return self._rows - 1

    def amend(self, number: int, values: Row) -> None:
        """Change values of a row when the table is finished."""
        self._changes[number] = {**self._changes.get(number, {}), **values}

    def finish(self) -> None:
        """Write the amended rows, and Parquet, beside their place and rename them. Raises OutputError."""
        try:
            self._file.close()
            if self._changes:
                with beside(self._journal.resolve()) as place:
                    self._write_amended(place)
            if self._suffix == ".parquet":
                with beside(self.path.resolve()) as place:
                    to_parquet(self._journal, place, self._columns)
                self._journal.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None
        finally:
            self._lock.release()

    @property
    def _journal_suffix(self) -> str:
        return ".csv" if self._suffix == ".csv" else ".jsonl"

    def _opened(self, resume: bool) -> io.FileIO:
        """The file to append to, with its rows if they are resumed."""
        self._is_new = not (self.path.exists() or self._journal.exists())
        if not (resume or self._is_new):
            raise OutputError(f"{self.path} exists: --resume goes on with it; to begin anew, remove it")
        names = [column.name for column in self._columns]
        try:
            if self._suffix == ".parquet" and resume and self.path.exists() and not self._journal.exists():
                with beside(self._journal) as place:
                    from_parquet(self.path, place)
            if resume and self._journal.exists():
                end = whole_rows(self._journal, self._journal_suffix)
                header = header_of(self._journal) if self._journal_suffix == ".csv" and end else names
                if header != names:
                    raise OutputError(f"{self.path} has other columns: {', '.join(header)}")
                if not end and self._journal.stat().st_size and not is_cut_off(self._journal, names):
                    raise ValueError(self._journal)
                os.truncate(self._journal, end)
            with ExitStack() as opened:
                file = opened.enter_context(open(self._journal, "ab" if resume else "wb", buffering=0))
                if self._is_new:
                    opened.callback(self._journal.unlink, missing_ok=True)
                if self._journal_suffix == ".csv" and file.tell() == 0:
                    file.write(csv_line(names).encode() + b"\n")
                self._size = file.tell()
                self._rows = sum(1 for _ in rows_of(self._journal, self._journal_suffix))
                opened.pop_all()
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None
        except (ValueError, csv.Error):
            raise OutputError(f"{self.path} is no table that this program wrote: name another file") from None
        return file

    def _line(self, row: Row) -> str:
        if self._journal_suffix == ".jsonl":
            return json_line(row) + "\n"
        return csv_line([row.get(column.name) for column in self._columns]) + "\n"

    def _write_amended(self, to: Path) -> None:
        """Write all rows, amended, to another file."""
        with open(to, "w", encoding="utf-8", newline="") as file:
            if self._journal_suffix == ".csv":
                file.write(csv_line([column.name for column in self._columns]) + "\n")
            for number, row in enumerate(rows_of(self._journal, self._journal_suffix)):
                file.write(self._line({**row, **self._changes.get(number, {})}))
