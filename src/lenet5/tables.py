"""Tables of results on disk: CSV, JSON lines and Parquet, written as they come, and gone on with after a stop.

One run at a time writes a table. What a stopped run cut short is dropped when the next one goes on; Parquet, which
cannot be read before its end is written, is kept as JSON lines beside its place until then.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import filelock

from lenet5.errors import OutputError, UnavailableError
from lenet5.files import require_writable

__all__ = ["FORMATS", "Column", "Lock", "Row", "Table", "csv_line", "json_line", "names_in"]

Row = Mapping[str, Any]
"""Values by name: text, numbers, None, or a list of texts; JSON lines may hold more than the columns."""

FORMATS: Final = (".jsonl", ".csv", ".parquet")

_GROUP: Final = 10_000  # rows of a Parquet row group


@dataclass(frozen=True)
class Column:
    """A column: its ``name`` and the ``type`` of its values, ``str``, ``int``, ``float`` or ``list`` (of texts).

    >>> Column("page", int)
    Column(name='page', type=<class 'int'>)
    """

    name: str
    type: type = str


class Lock:
    """The right of one run to write a place; raises OutputError where another run has it. It ends with the process.

    ``called`` is what the user calls the place, by default ``path``.

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

    def __init__(self, path: Path, called: str | os.PathLike[str] | None = None) -> None:
        called = path if called is None else called
        self._file = path.parent / f".{path.name[:200]}.lock"
        self._lock = filelock.FileLock(self._file, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except filelock.Timeout:
            raise OutputError(f"another run is writing {called}: wait for it, or name another place") from None
        except NotImplementedError:
            raise OutputError(f"cannot write {called}: its file system has no locks") from None
        except OSError as error:
            raise OutputError(f"cannot write {called}: {error.strerror}") from None

    def release(self) -> None:
        """Let others write."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
        self._lock.release()


class Table:
    """Rows appended to a file of FORMATS, by its suffix; a context manager.

    With ``resume`` the rows that stand there are kept. What an exception ends before its first row leaves no file that
    was not there before. ``columns`` are what CSV and Parquet hold, in this order. Raises
    OutputError for a suffix that is none of FORMATS, a file that exists where nothing is resumed or has other columns,
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
            _pyarrow()
        require_writable(self.path)
        self._journal = self.path.with_name(f".{self.path.name}.jsonl") if self._suffix == ".parquet" else self.path
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
            self._file.close()  # nothing is buffered: what was appended is on disk
            if self._is_new and not self._rows:
                self._journal.unlink(missing_ok=True)
            self._lock.release()

    def __len__(self) -> int:
        """How many rows there are."""
        return self._rows

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as they stand on disk; all values of CSV are texts."""
        yield from _rows_of(self._journal, self._journal_suffix)

    def append(self, row: Row) -> int:
        """Write a row to disk at once, and give its number, from 0.

        Raises OutputError where the disk is full; the rows before it stand there whole.
        """
        rest = self._line(row).encode()
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
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
                self._written(self._journal, lambda to: self._copied(to))
            if self._suffix == ".parquet":
                self._written(self.path, lambda to: _to_parquet(self._journal, to, self._columns))
                self._journal.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None
        finally:
            self._lock.release()

    @property
    def _journal_suffix(self) -> str:
        return ".csv" if self._suffix == ".csv" else ".jsonl"

    def _opened(self, resume: bool) -> io.FileIO:
        """The file to append to, with the rows that stand there or none."""
        self._is_new = not (self.path.exists() or self._journal.exists())
        if not (resume or self._is_new):
            raise OutputError(f"{self.path} exists: --resume goes on with it; to begin anew, remove it")
        names = [column.name for column in self._columns]
        try:
            if self._suffix == ".parquet" and resume and self.path.exists() and not self._journal.exists():
                self._written(self._journal, lambda to: _from_parquet(self.path, to))
            if resume and self._journal.exists():
                whole = _whole_rows(self._journal, self._journal_suffix)
                header = _header_of(self._journal) if self._journal_suffix == ".csv" and whole else names
                if header != names:
                    raise OutputError(f"{self.path} has other columns: {', '.join(header)}")
                if not whole and self._journal.stat().st_size and not _is_cut_off(self._journal, names):
                    raise ValueError(self._journal)
                os.truncate(self._journal, whole)
            with ExitStack() as opened:
                file = opened.enter_context(open(self._journal, "ab" if resume else "wb", buffering=0))
                if self._is_new:
                    opened.callback(self._journal.unlink, missing_ok=True)
                if self._journal_suffix == ".csv" and file.tell() == 0:
                    file.write(csv_line(names).encode() + b"\n")
                self._size = file.tell()
                self._rows = sum(1 for _ in _rows_of(self._journal, self._journal_suffix))
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

    def _copied(self, to: Path) -> None:
        """All rows as they should be, written to another file."""
        with open(to, "w", encoding="utf-8", newline="") as file:
            if self._journal_suffix == ".csv":
                file.write(csv_line([column.name for column in self._columns]) + "\n")
            for number, row in enumerate(_rows_of(self._journal, self._journal_suffix)):
                file.write(self._line({**row, **self._changes.get(number, {})}))

    def _written(self, path: Path, write: Callable[[Path], None]) -> None:
        """Have a file written beside its place, and rename it."""
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            write(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def json_line(row: Row) -> str:
    """A row as one line of JSON.

    >>> json_line({"text": "41", "review": ["amount"]})
    '{"text": "41", "review": ["amount"]}'
    """
    return json.dumps(dict(row), ensure_ascii=False)


def csv_line(cells: Sequence[Any]) -> str:
    """Cells as one row of CSV; lists are joined by spaces.

    >>> csv_line(["a,b", None, 0.5, ["student", "date"]])
    '"a,b",,0.5,student date'
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(
        [" ".join(map(str, cell)) if isinstance(cell, list | tuple) else cell for cell in cells]
    )
    return row.getvalue()[:-1]


def names_in(path: Path) -> list[str]:
    """The names of a table's columns, of JSON lines those of its first row; none of what is no table of FORMATS.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "rows.csv").write_text("file,text")
    ...     names_in(Path(folder) / "rows.csv")
    ['file', 'text']
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return list(_pyarrow()[1].read_schema(path).names)
        return _header_of(path) if suffix == ".csv" else list(next(_rows_of(path, suffix), {}))
    except (OSError, ValueError, TypeError, csv.Error):
        return []


def _rows_of(path: Path, suffix: str) -> Iterator[dict[str, Any]]:
    with open(path, encoding="utf-8", newline="") as file:
        if suffix == ".csv":
            yield from csv.DictReader(file)
        else:
            yield from map(json.loads, file)


def _header_of(path: Path) -> list[str]:
    with open(path, encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _whole_rows(path: Path, suffix: str) -> int:
    """Where the last whole row of a file ends: what follows is what a stopped run left of a row.

    That is behind the last line break outside of quotes. Raises ValueError for a whole line that is no row.
    """
    whole = quotes = at = 0
    with open(path, "rb") as file:
        for line in file:  # a file is larger than memory at most when it holds a single row
            at += len(line)
            quotes += line.count(b'"') if suffix == ".csv" else 0
            if line.endswith(b"\n") and quotes % 2 == 0:
                if suffix != ".csv" and not _is_json(line):
                    raise ValueError(line)
                whole = at
    return whole


def _is_cut_off(path: Path, names: Sequence[str]) -> bool:
    """Whether a file without a whole row may be the beginning of one of ours: of a header, or of a JSON object."""
    with open(path, "rb") as file:
        start = file.read(1000)
    return csv_line(names).encode().startswith(start) or start.startswith(b"{")


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _pyarrow() -> Any:
    """The modules pyarrow and pyarrow.parquet."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UnavailableError("Parquet needs pyarrow: pip install 'lenet5[parquet]'") from None
    return pyarrow, parquet


def _to_parquet(journal: Path, to: Path, columns: Sequence[Column]) -> None:
    """JSON lines as a Parquet file, a row group at a time."""
    pyarrow, parquet = _pyarrow()
    types = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        list: pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(column.name, types[column.type]) for column in columns])
    with parquet.ParquetWriter(to, schema) as writer:
        rows: list[dict[str, Any]] = []
        for row in _rows_of(journal, ".jsonl"):
            rows.append({column.name: row.get(column.name) for column in columns})
            if len(rows) == _GROUP:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
                rows = []
        writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def _from_parquet(path: Path, to: Path) -> None:
    """A finished Parquet file as JSON lines, to go on with."""
    _, parquet = _pyarrow()
    try:
        with open(to, "w", encoding="utf-8", newline="") as file, parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_GROUP):
                file.writelines(json_line(row) + "\n" for row in batch.to_pylist())
    except Exception as error:  # pyarrow's errors are ValueErrors and OSErrors of its own
        raise OutputError(f"{path} is no Parquet file: {' '.join(str(error).split())}") from None
