"""A stack of files → a row for each sheet, by one process or several, in the order of the files.

Whatever happens to a sheet becomes its row: one that cannot be read has its reason in ``error``.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lenet5.errors import one_line
from lenet5.forms.form import Form
from lenet5.forms.review import ReviewFolder, item_name, sheet_name
from lenet5.forms.sheet import FormReader, Sheet
from lenet5.reading.picture import Picture, open_pages
from lenet5.tables import Column

__all__ = ["Duplicates", "Unit", "columns_of", "count_units", "note_duplicate", "read_stack", "units_of"]

Rows = list[dict[str, Any]]
Done = Callable[[str, int], bool]
"""Whether the row of a file and page stands already."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Unit:
    """What one process reads at once: a ``file``, or a ``page`` of its PDF with the PDF that holds just this page.

    ``digest`` is the SHA-256 of the file's content, "" where it cannot be read.
    """

    file: str
    page: int = 1
    content: bytes | None = None
    digest: str = ""


def columns_of(forms: Sequence[Form]) -> list[Column]:
    """The columns of a table of sheets: file, page, form, each field's text and confidence, review, error."""
    names = list(dict.fromkeys(field.name for form in forms for field in form.fields))
    own = [column for name in names for column in (Column(name), Column(f"{name}_confidence", float))]
    return [Column("file"), Column("page", int), Column("form"), *own, Column("review", list), Column("error")]


def units_of(files: Iterable[str]) -> Iterator[Unit]:
    """The units of files: the pages of a PDF one by one, other files whole."""
    for file in files:
        digest = _digest(file)
        pages = 0
        for pages, content in enumerate(_pdf_pages(file), 1):  # noqa: B007
            yield Unit(file, pages, content, digest)
        if pages == 0:
            yield Unit(file, digest=digest)


def count_units(files: Iterable[str]) -> int:
    """How many units there are."""
    return sum(max(1, _page_count(file)) for file in files)


def read_stack(
    reader: FormReader, units: Iterable[Unit], jobs: int = 1, review: ReviewFolder | None = None,
    done: Done = lambda file, page: False,
) -> Iterator[Rows]:  # fmt: skip
    """The rows of each unit, in order, as they come; those of sheets that are ``done`` are left out.

    ``review`` gets the doubtful fields. A process that is killed costs what it was reading a row with the reason.
    """
    waiting = (unit for unit in units if unit.content is None or not done(unit.file, unit.page))
    if jobs < 2:
        for unit in waiting:
            yield [row for row in _rows_of(reader, unit, review) if not done(row["file"], row["page"])]
        return
    for rows in _shared(reader, waiting, jobs, review):
        yield [row for row in rows if not done(row["file"], row["page"])]


def _shared(reader: FormReader, units: Iterator[Unit], jobs: int, review: ReviewFolder | None) -> Iterator[Rows]:
    """The rows of units by so many processes, in order; no more units are taken than keep them busy."""

    def new_pool(size: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(size, multiprocessing.get_context("spawn"), _start, (reader, review))

    pool, waiting = new_pool(jobs), deque[tuple[Unit, Future[Rows]]]()
    try:
        more = True
        while more or waiting:
            while more and len(waiting) <= 2 * jobs:
                unit = next(units, None)
                more = unit is not None
                if unit is not None:
                    waiting.append((unit, pool.submit(_read_there, unit)))
            if not waiting:
                break
            unit, future = waiting[0]
            try:
                rows = future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                outstanding = [unit for unit, _ in waiting]
                waiting.clear()
                for unit in outstanding:  # one of them killed its process: each has one of its own
                    yield _read_alone(unit, new_pool)
                pool = new_pool(jobs)
                continue
            except Exception as error:
                rows = [_failed(unit.file, unit.page, one_line(error, unit.file))]
            waiting.popleft()
            yield rows
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read_alone(unit: Unit, new_pool: Callable[[int], ProcessPoolExecutor]) -> Rows:
    """The rows of a unit from a process that reads nothing else."""
    with new_pool(1) as pool:
        try:
            return pool.submit(_read_there, unit).result()
        except BrokenProcessPool:
            return [_failed(unit.file, unit.page, "the process that read it was killed: is there too little memory?")]
        except Exception as error:
            return [_failed(unit.file, unit.page, one_line(error, unit.file))]


_own: dict[str, tuple[FormReader, ReviewFolder | None]] = {}
"""What a process that reads for another reads with."""


def _start(reader: FormReader, review: ReviewFolder | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops the process that gives out the work
    _own["reader"] = reader, review


def _read_there(unit: Unit) -> Rows:
    reader, review = _own["reader"]
    return _rows_of(reader, unit, review)


def _rows_of(reader: FormReader, unit: Unit, review: ReviewFolder | None) -> Rows:
    """A row for each sheet of a unit; where the file fails, its last row says why."""
    rows: Rows = []
    page = unit.page
    try:
        for picture in open_pages(unit.file if unit.content is None else unit.content):
            page = picture.page if unit.content is None else unit.page
            rows.append(_row(reader, unit, page, picture, review))
            page += 1
    except Exception as error:
        rows.append(_failed(unit.file, page, one_line(error, unit.file)))
    return rows


def _row(reader: FormReader, unit: Unit, page: int, picture: Picture, review: ReviewFolder | None) -> dict[str, Any]:
    """The row of one sheet."""
    try:
        sheet = reader.read(picture)
    except Exception as error:
        return _failed(unit.file, page, one_line(error, unit.file))
    row: dict[str, Any] = {"file": unit.file, "page": page, "form": sheet.form.name}
    for field, reading in zip(sheet.form.fields, sheet.fields, strict=True):
        row |= {field.name: reading.text, f"{field.name}_confidence": round(reading.confidence, 4)}
    row |= {"review": sheet.review, "error": None, "sheet": sheet_name(unit.digest, page)}
    row["reasons"] = {
        field.name: list(reading.reasons)
        for field, reading in zip(sheet.form.fields, sheet.fields, strict=True)
        if reading.reasons
    }
    if review is not None:
        _keep(review, row, sheet)
    return row


def _keep(review: ReviewFolder, row: dict[str, Any], sheet: Sheet) -> None:
    where = {"file": row["file"], "page": row["page"]}
    review.keep(row["sheet"], where, sheet.form, sheet.fields, sheet.straight)


def _failed(file: str, page: int, reason: str) -> dict[str, Any]:
    return {"file": file, "page": page, "form": None, "review": [], "error": reason}


class Duplicates:
    """Texts of ``unique`` fields that two sheets have: both are for a person to look at."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._unique = {form.name: [field.name for field in form.fields if field.unique] for form in forms}
        self._first: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = {}

    def __bool__(self) -> bool:
        return any(self._unique.values())

    def see(self, number: int, row: dict[str, Any]) -> list[tuple[int, dict[str, Any], str, str]]:
        """Take row ``number``, add to its ``review`` what an earlier one has, and give what changes:
        (number, row, field, reason) of either row."""
        changes = []
        for name in self._unique.get(row.get("form") or "", []):
            text = row.get(name)
            if not text:
                continue
            key = (row["form"], name, str(text))
            if key not in self._first:
                self._first[key] = number, {k: row.get(k) for k in ("file", "page", "form", "review", "reasons", "sheet")}
                continue
            earlier_number, earlier = self._first[key]
            for at, own, other in ((earlier_number, earlier, row), (number, row, earlier)):
                reason = f"also on page {other['page']} of {other['file']}"
                if name not in own["review"]:
                    own["review"] = [*own["review"], name]
                own["reasons"] = own.get("reasons") or {}
                own["reasons"].setdefault(name, []).append(reason)
                changes.append((at, own, name, reason))
        return changes


def note_duplicate(review: ReviewFolder, row: dict[str, Any], field: str, reason: str) -> None:
    """Have the review folder show a field of a row."""
    if row.get("sheet"):
        review.duplicate(item_name(row["sheet"], row["form"], field), reason)


def _digest(file: str) -> str:
    """The SHA-256 of a file's content; "" where it cannot be read, which reading it will say."""
    digest = hashlib.sha256()
    if not Path(file).is_file():
        return ""
    try:
        with open(file, "rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def _pdf_pages(file: str) -> Iterator[bytes]:
    """Each page of a PDF as a PDF of its own; none of what is no PDF or cannot be opened."""
    import pypdfium2

    document = _pdf(file)
    if document is None:
        return
    try:
        for k in range(len(document)):
            page = pypdfium2.PdfDocument.new()
            page.import_pages(document, [k])
            written = io.BytesIO()
            page.save(written)
            page.close()
            yield written.getvalue()
    finally:
        document.close()


def _page_count(file: str) -> int:
    """The pages of a PDF; 0 of what is none."""
    document = _pdf(file)
    if document is None:
        return 0
    pages = len(document)
    document.close()
    return pages


def _pdf(file: str) -> Any:
    """The opened PDF, to be closed; None for what is none or cannot be opened, which reading it will say."""
    import pypdfium2

    if not Path(file).is_file():  # reading a pipe would not end
        return None
    try:
        with open(file, "rb") as content:
            if b"%PDF-" not in content.read(1024):
                return None
        return pypdfium2.PdfDocument(file)
    except (OSError, pypdfium2.PdfiumError):
        return None
