"""A stack of files → a row for each sheet, by one process or several, in the order of the files.

Whatever happens to a sheet becomes its row: one that cannot be read has its reason in ``error``.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from lenet5.errors import one_line, utf8
from lenet5.forms.form import Form
from lenet5.forms.review import ReviewFolder, item_name, sheet_name
from lenet5.forms.sheet import FormReader, Sheet
from lenet5.processes import Killed, shared
from lenet5.reading.opening import open_pages
from lenet5.reading.picture import Picture
from lenet5.row_files import Column

__all__ = ["Duplicates", "Unit", "columns_of", "count_units", "note_duplicate", "read_stack", "units_of"]

Rows = list[dict[str, Any]]
Done = Callable[[str, int], bool]
"""Whether the row of a file, as ``utf8`` writes its name, and page stands already."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Unit:
    """What one process reads at once: a ``file``, or a ``page`` of its PDF with the PDF that holds just this page.

    ``digest`` is the SHA-256 of the file's content, "" where it cannot be read.

    >>> Unit("scans.pdf", page=2, content=b"%PDF-1.7 ...", digest="ab12").page
    2
    """

    file: str
    page: int = 1
    content: bytes | None = None
    digest: str = ""


def columns_of(forms: Sequence[Form]) -> list[Column]:
    """The columns of a table of sheets: file, page, form, each field's text and confidence, review, error.

    >>> import numpy as np
    >>> from lenet5.forms.form import Field
    >>> form = Form("exam", np.full((9, 9), 255, np.uint8), (Field("code", (0, 0, 1, 1)),))
    >>> [column.name for column in columns_of([form])]
    ['file', 'page', 'form', 'code', 'code_confidence', 'review', 'error']
    """
    names = list(dict.fromkeys(field.name for form in forms for field in form.fields))
    of_fields = [column for name in names for column in (Column(name), Column(f"{name}_confidence", float))]
    return [Column("file"), Column("page", int), Column("form"), *of_fields, Column("review", list), Column("error")]


def units_of(files: Iterable[str]) -> Iterator[Unit]:
    """The units of files: the pages of a PDF one by one, other files whole.

    >>> [(unit.file, unit.page) for unit in units_of(["a.png", "b.png"])]
    [('a.png', 1), ('b.png', 1)]
    """
    for file in files:
        digest = _digest(file)
        page = 0
        for page, content in enumerate(_pdf_pages(file), 1):
            yield Unit(file, page, content, digest)
        if page == 0:
            yield Unit(file, digest=digest)


def count_units(files: Iterable[str]) -> int:
    """How many units there are.

    >>> count_units(["a.png", "b.png"])
    2
    """
    return sum(max(1, _page_count(file)) for file in files)


def read_stack(
    reader: FormReader, units: Iterable[Unit], jobs: int = 1, review: ReviewFolder | None = None,
    done: Done = lambda file, page: False,
) -> Iterator[Rows]:  # fmt: skip
    """The rows of each unit, in order, as they come; without those of sheets that are ``done``.

    Doubtful fields are written to ``review``. Where a process is killed, its sheet has a row with the reason.

    >>> import numpy as np
    >>> from lenet5.forms.form import Field
    >>> form = Form("exam", np.full((90, 90), 255, np.uint8), (Field("code", (0, 0, 1, 1)),))
    >>> ((row,),) = read_stack(FormReader([form]), [Unit("no such file.png")])
    >>> row["error"]
    'no such file: no such file.png'
    """
    waiting = (unit for unit in units if unit.content is None or not done(utf8(unit.file), unit.page))
    if jobs < 2:
        for unit in waiting:
            yield [row for row in _rows_of(reader, unit, review) if not done(row["file"], row["page"])]
        return
    for unit, result in shared(_Maker(reader, review), waiting, jobs):
        rows = [_failed(unit.file, unit.page, result.reason)] if isinstance(result, Killed) else result
        yield [row for row in rows if not done(row["file"], row["page"])]


@dataclass(frozen=True)
class _Maker:
    """Makes what reads units in another process."""

    reader: FormReader
    review: ReviewFolder | None

    def __call__(self) -> Callable[[Unit], Rows]:
        return partial(_rows_of, self.reader, review=self.review)


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
    row: dict[str, Any] = {"file": utf8(unit.file), "page": page, "form": sheet.form.name}
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
    source = {"file": row["file"], "page": row["page"]}
    review.keep(row["sheet"], source, sheet.form, sheet.fields, sheet.straight)


def _failed(file: str, page: int, reason: str) -> dict[str, Any]:
    return {"file": utf8(file), "page": page, "form": None, "review": [], "error": utf8(reason)}


class Duplicates:
    """Finds texts of ``unique`` fields that two sheets have: a person should look at both.

    >>> import numpy as np
    >>> from lenet5.forms.form import Field
    >>> unique = Field("code", (0, 0, 1, 1), unique=True)
    >>> duplicates = Duplicates([Form("exam", np.full((9, 9), 255, np.uint8), (unique,))])
    >>> rows = [{"file": file, "page": 1, "form": "exam", "code": "7", "review": []} for file in ("a.png", "b.png")]
    >>> [(number, reason) for k in (0, 1) for number, _, _, reason in duplicates.see(k, rows[k])]
    [(0, 'also on page 1 of b.png'), (1, 'also on page 1 of a.png')]
    """

    def __init__(self, forms: Sequence[Form]) -> None:
        self._unique = {form.name: [field.name for field in form.fields if field.unique] for form in forms}
        self._order = {form.name: [field.name for field in form.fields] for form in forms}
        self._first: dict[tuple[str, str, str], tuple[int, dict[str, Any]]] = {}

    def __bool__(self) -> bool:
        return any(self._unique.values())

    def see(self, number: int, row: dict[str, Any]) -> list[tuple[int, dict[str, Any], str, str]]:
        """Add row ``number``; where an earlier row has one of its texts, both get a reason and the field in ``review``.

        Returns (number, row, field, reason) of each change."""
        changes = []
        for name in self._unique.get(row.get("form") or "", []):
            text = row.get(name)
            if not text:
                continue
            key = (row["form"], name, str(text))
            if key not in self._first:
                self._first[key] = (
                    number,
                    {k: row.get(k) for k in ("file", "page", "form", "review", "reasons", "sheet")},
                )
                continue
            earlier_number, earlier = self._first[key]
            for changed, duplicate, other in ((earlier_number, earlier, row), (number, row, earlier)):
                reason = f"also on page {other['page']} of {other['file']}"
                if name not in duplicate["review"]:
                    duplicate["review"] = sorted([*duplicate["review"], name], key=self._order[row["form"]].index)
                duplicate["reasons"] = duplicate.get("reasons") or {}
                duplicate["reasons"].setdefault(name, []).append(reason)
                changes.append((changed, duplicate, name, reason))
        return changes


def note_duplicate(review: ReviewFolder, row: dict[str, Any], field: str, reason: str) -> None:
    """Add a field of a row to the review folder.

    >>> import tempfile
    >>> row = {"form": "exam", "sheet": ""}  # the sheet was not kept
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     note_duplicate(ReviewFolder(folder), row, "code", "also on page 1 of b.png")
    ...     list(Path(folder).iterdir())
    []
    """
    if row.get("sheet"):
        review.duplicate(item_name(row["sheet"], row["form"], field), reason)


def _digest(file: str) -> str:
    """The SHA-256 of a file's content; "" where it cannot be read."""
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
    """Each page of a PDF as a PDF; nothing for another file, or one that cannot be opened."""
    import pypdfium2

    document = _pdf(file)
    if document is None:
        return
    try:
        for k in range(len(document)):
            page = pypdfium2.PdfDocument.new()
            page.import_pages(document, [k])
            content = io.BytesIO()
            page.save(content)
            page.close()
            yield content.getvalue()
    finally:
        document.close()


def _page_count(file: str) -> int:
    """The number of pages of a PDF; 0 for another file."""
    document = _pdf(file)
    if document is None:
        return 0
    pages = len(document)
    document.close()
    return pages


def _pdf(file: str) -> Any:
    """The PDF, opened; None for another file, one that cannot be opened, or one that must be read as a whole."""
    import pypdfium2

    if not Path(file).is_file():  # reading a pipe would not end
        return None
    try:
        with open(file, "rb") as content:
            if b"%PDF-" not in content.read(1024):
                return None
        document = pypdfium2.PdfDocument(file)
    except (OSError, pypdfium2.PdfiumError):
        return None
    if document.get_formtype() == pypdfium2.raw.FORMTYPE_NONE:
        return document
    document.close()  # a single page would lose the text of form fields
    return None
