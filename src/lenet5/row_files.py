"""Files of rows: CSV, JSON lines and Parquet, their lines, headers, and what a stopped run has left of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lenet5.errors import OutputError, UnavailableError
from lenet5.parsing import parsed_json

__all__ = [
    "FORMATS",
    "Column",
    "Row",
    "csv_line",
    "from_parquet",
    "header_of",
    "is_cut_off",
    "json_line",
    "names_in",
    "pyarrow_modules",
    "rows_of",
    "to_parquet",
    "whole_rows",
]

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
    """The names of a table's columns, of JSON lines those of the first row; [] for a file that is no table.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "rows.csv").write_text("file,text")
    ...     names_in(Path(folder) / "rows.csv")
    ['file', 'text']
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return list(pyarrow_modules()[1].read_schema(path).names)
        return header_of(path) if suffix == ".csv" else list(next(rows_of(path, suffix), {}))
    except (OSError, ValueError, TypeError, csv.Error):
        return []


def rows_of(path: Path, suffix: str) -> Iterator[dict[str, Any]]:
    """The rows of a file of CSV or JSON lines.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "rows.csv").write_text("file,text\\na.png,41\\n")
    ...     list(rows_of(Path(folder) / "rows.csv", ".csv"))
    [{'file': 'a.png', 'text': '41'}]
    """
    with open(path, encoding="utf-8", newline="") as file:
        if suffix == ".csv":
            yield from csv.DictReader(file)
        else:
            yield from map(parsed_json, file)


def header_of(path: Path) -> list[str]:
    """The cells of a CSV file's first row; [] for an empty file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "rows.csv").write_text("file,text\\n")
    ...     header_of(Path(folder) / "rows.csv")
    ['file', 'text']
    """
    with open(path, encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def whole_rows(path: Path, suffix: str) -> int:
    """The offset of the end of the last whole row, in bytes: the last line break outside of quotes.

    A stopped run may leave part of a row after it. Raises ValueError for a whole line that is no row.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "rows.csv").write_bytes(b"file,text\\na.png,")
    ...     whole_rows(Path(folder) / "rows.csv", ".csv")
    10
    """
    end = quotes = position = 0
    with open(path, "rb") as file:
        for line in file:  # a line at a time: the file may be larger than memory
            position += len(line)
            quotes += line.count(b'"') if suffix == ".csv" else 0
            if line.endswith(b"\n") and quotes % 2 == 0:
                if suffix != ".csv" and not _is_json(line):
                    raise ValueError(line)
                end = position
    return end


def is_cut_off(path: Path, names: Sequence[str]) -> bool:
    """Whether a file without a whole row may be the start of a table: of its header, or of a JSON object.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "rows.csv").write_text("fi")
    ...     is_cut_off(Path(folder) / "rows.csv", ["file", "text"])
    True
    """
    with open(path, "rb") as file:
        start = file.read(1000)
    return csv_line(names).encode().startswith(start) or start.startswith(b"{")


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(parsed_json(line), dict)
    except ValueError:
        return False


def pyarrow_modules() -> Any:
    """The modules pyarrow and pyarrow.parquet. Raises UnavailableError where they are not installed.

    >>> [module.__name__ for module in pyarrow_modules()]
    ['pyarrow', 'pyarrow.parquet']
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UnavailableError("Parquet needs pyarrow: pip install 'lenet5[parquet]'") from None
    return pyarrow, parquet


def to_parquet(journal: Path, to: Path, columns: Sequence[Column]) -> None:
    """JSON lines as a Parquet file, a row group at a time.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines, table = Path(folder) / "rows.jsonl", Path(folder) / "rows.parquet"
    ...     _ = lines.write_text(json_line({"file": "a.png", "page": 1}) + "\\n")
    ...     to_parquet(lines, table, [Column("file"), Column("page", int)])
    ...     names_in(table)
    ['file', 'page']
    """
    pyarrow, parquet = pyarrow_modules()
    types = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        list: pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(column.name, types[column.type]) for column in columns])
    with parquet.ParquetWriter(to, schema) as writer:
        rows: list[dict[str, Any]] = []
        for row in rows_of(journal, ".jsonl"):
            rows.append({column.name: row.get(column.name) for column in columns})
            if len(rows) == _GROUP:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
                rows = []
        writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def from_parquet(path: Path, to: Path) -> None:
    """A finished Parquet file as JSON lines, to be resumed. Raises OutputError for a file that is none.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines, table = Path(folder) / "rows.jsonl", Path(folder) / "rows.parquet"
    ...     _ = lines.write_text(json_line({"file": "a.png"}) + "\\n")
    ...     to_parquet(lines, table, [Column("file")])
    ...     from_parquet(table, lines)
    ...     lines.read_text()
    '{"file": "a.png"}\\n'
    """
    _, parquet = pyarrow_modules()
    try:
        with open(to, "w", encoding="utf-8", newline="") as file, parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_GROUP):
                file.writelines(json_line(row) + "\n" for row in batch.to_pylist())
    except Exception as error:  # pyarrow's errors are ValueErrors and OSErrors of its own
        raise OutputError(f"{path} is no Parquet file: {' '.join(str(error).split())}") from None
