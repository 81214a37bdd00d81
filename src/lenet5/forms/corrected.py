"""The rows of a review folder, as they were read, and the table of them with what people decided.

``rows.jsonl`` has a line for each sheet, appended as it is read. A later line of the same file and page takes its
place, and a line with ``amend`` changes some of its values: nothing is ever changed in the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lenet5.errors import OutputError
from lenet5.files import beside
from lenet5.forms.decisions import SUFFIX, Decision, decision_of
from lenet5.forms.review import item_name
from lenet5.parsing import parsed_json
from lenet5.row_files import Column, csv_line, names_in
from lenet5.tables import Table

__all__ = [
    "JOURNAL", "Corrected", "Key", "Row", "amendment", "corrected", "fields_of", "no_sheets", "read_rows", "row_after",
    "write_corrected",
]  # fmt: skip

JOURNAL: Final = "rows.jsonl"

_CONFIDENCE: Final = "_confidence"
_ALWAYS: Final = {"file", "page", "form", "review", "decided", "error"}  # columns of every corrected table

Row = dict[str, Any]

Key = tuple[str, int]
"""The file and page of a row."""


@dataclass(frozen=True)
class Corrected:
    """A table of sheets with what people decided: its columns, and its rows.

    >>> table = Corrected((Column("file"), Column("student")), ({"file": "a.png", "student": "217483905"},))
    >>> list(table.csv())
    ['file,student', 'a.png,217483905']
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def csv(self) -> Iterator[str]:
        """The lines of the table as CSV, the first one with the names of the columns."""
        names = [column.name for column in self.columns]
        yield csv_line(names)
        for row in self.rows:
            yield csv_line([row.get(name) for name in names])


def amendment(row: Mapping[str, Any], values: Mapping[str, Any]) -> Row:
    """The line of the journal that changes ``values`` of a row.

    >>> amendment({"file": "a.png", "page": 1, "student": "21"}, {"review": ["student"]})
    {'file': 'a.png', 'page': 1, 'amend': {'review': ['student']}}
    """
    return {"file": row["file"], "page": row["page"], "amend": dict(values)}


def read_rows(folder: Path) -> list[Row]:
    """The rows of a review folder in the order in which their sheets were first read; a line cut short is left out.

    Raises OutputError where there are none.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / JOURNAL).write_text('{"file": "a.png", "page": 1, "code": "7"}\\n{"file": "b.p')
    ...     read_rows(Path(folder))
    [{'file': 'a.png', 'page': 1, 'code': '7'}]
    """
    path = folder / JOURNAL
    rows: dict[Key, Row] = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if (change := row_after(line, rows)) is not None:
                    rows[change[0]] = change[1]
    except FileNotFoundError:
        raise no_sheets(folder) from None
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror}") from None
    return list(rows.values())


def corrected(folder: Path) -> Corrected:
    """The table of a review folder with people's decisions.

    For each field it has the text, the text that was read, and its confidence; ``review`` names the fields without a
    decision yet, ``decided`` those with one. Raises OutputError.

    >>> import tempfile
    >>> line = '{"file": "a.png", "page": 1, "code": "7", "code_confidence": 0.8, "review": ["code"]}\\n'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / JOURNAL).write_text(line)
    ...     table = corrected(Path(folder))
    >>> table.rows[0]["code"], table.rows[0]["review"], table.rows[0]["decided"]
    ('7', ['code'], [])
    """
    rows, decided = read_rows(folder), {path.name for path in folder.glob(f"*{SUFFIX}")}
    names = list(dict.fromkeys(name for row in rows for name in fields_of(row)))
    columns = [Column("file"), Column("page", int), Column("form")]
    for name in names:
        columns += [Column(name), Column(f"{name}_read"), Column(f"{name}{_CONFIDENCE}", float)]
    columns += [Column("review", list), Column("decided", list), Column("error")]
    return Corrected(tuple(columns), tuple(_corrected(folder, row, decided) for row in rows))


def write_corrected(table: Corrected, path: str | os.PathLike[str]) -> None:
    """Write a table as .csv, .jsonl or .parquet; an earlier table is replaced.

    Raises OutputError, also where another kind of file exists there, and UnavailableError.

    >>> import tempfile
    >>> table = Corrected((Column("file"), Column("code")), ({"file": "a.png", "code": "7"},))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_corrected(table, Path(folder) / "table.csv")
    ...     (Path(folder) / "table.csv").read_text().split()
    ['file,code', 'a.png,7']
    """
    target = Path(path)
    if os.path.lexists(target) and not set(names_in(target)) >= _ALWAYS:
        raise OutputError(f"{path} exists: remove it, or name another file")
    place = target
    try:
        with beside(target, target.suffix) as place, Table(place, table.columns) as output:
            for row in table.rows:
                output.append(row)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    except OutputError as error:
        raise OutputError(str(error).replace(str(place), str(path))) from None


def no_sheets(folder: Path) -> OutputError:
    """The error for a folder without a journal.

    >>> str(no_sheets(Path("review"))).partition(":")[0]
    'review holds no sheets'
    """
    return OutputError(
        f"{folder} holds no sheets: lenet5 form read FORM.toml SCANS... --review {folder} reads them into it"
    )


def row_after(line: str, rows: Mapping[Key, Row]) -> tuple[Key, Row] | None:
    """The row that a line of the journal writes or changes, with its key, after the rows of earlier lines; None of a
    line that is no row.

    >>> row_after('{"file": "a.png", "page": 1, "amend": {"code": "8"}}', {("a.png", 1): {"code": "7"}})
    (('a.png', 1), {'code': '8'})
    """
    try:
        row = parsed_json(line)
        key = (str(row["file"]), int(row["page"]))
        if "amend" in row:
            return (key, {**rows[key], **row["amend"]}) if key in rows else None
    except (ValueError, KeyError, TypeError):
        return None
    return key, row


def fields_of(row: Mapping[str, Any]) -> Sequence[str]:
    """The names of a row's fields: what has a confidence.

    >>> fields_of({"file": "a.png", "code": "7", "code_confidence": 0.8})
    ['code']
    """
    return [key.removesuffix(_CONFIDENCE) for key in row if key.endswith(_CONFIDENCE)]


def _corrected(folder: Path, row: Row, decided: set[str]) -> Row:
    names, corrected = [], {key: row.get(key) for key in ("file", "page", "form", "error")}
    for name in fields_of(row):
        item = item_name(row.get("sheet") or "", row.get("form") or "", name)
        decision = decision_of(folder, item) if f"{item}{SUFFIX}" in decided else None
        names += [name] if decision is not None else []
        corrected[name] = _text(row.get(name), decision)
        corrected[f"{name}_read"] = row.get(name)
        corrected[f"{name}{_CONFIDENCE}"] = row.get(f"{name}{_CONFIDENCE}")
    corrected["review"] = [name for name in row.get("review") or [] if name not in names]
    corrected["decided"] = names
    return corrected


def _text(read: str | None, decision: Decision | None) -> str | None:
    return read if decision is None else decision.text
