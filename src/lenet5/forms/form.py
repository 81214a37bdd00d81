"""Form files: TOML with the places of a sheet's fields, and the texts that they may have.

Every mistake is a FormError that names the file and the line.
"""

from __future__ import annotations

import difflib
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import FormError, LeNet5Error, PatternError
from lenet5.forms.choices import ChoicesError, choices_of
from lenet5.forms.scans import grey_of
from lenet5.reading.constraint import Constraint, compile_constraint
from lenet5.reading.opening import open_pages

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

__all__ = ["MIN_CONFIDENCE", "Field", "Form", "load_form"]

MIN_CONFIDENCE: Final = 0.95
"""The default of a field's ``min_confidence``, below which a person should look at it."""

_FORM_KEYS: Final = ("reference", "name", "field")
_FIELD_KEYS: Final = (
    "name", "box", "pattern", "cells", "choices", "check", "required", "unique", "min_confidence",
)  # fmt: skip
_COLUMNS: Final = ("file", "page", "form", "review", "decided", "error")
_SUFFIXES: Final = ("_confidence", "_read")
"""The suffixes of a field's further columns."""
_MOST_CELLS: Final = 64
_LEAST_INK: Final = 1e-4  # of a reference's pixels: with less print it is blank
_PRINT: Final = 128  # of 255: print is darker


@dataclass(frozen=True)
class Field:
    """One field of a form.

    ``box`` is left, top, right, bottom in fractions of the sheet. ``pattern``, ``choices`` and ``check`` constrain its
    text as in ``Reader.read``; each of its ``cells`` holds one digit. A person should look at the field if its
    confidence is below ``min_confidence``, if it is ``required`` and empty, or if it is ``unique`` and two sheets have
    the same text.

    >>> field = Field("student", (0.3, 0.38, 0.66, 0.42), pattern=r"\\d{9}")
    >>> field.constraint().allows("217483905"), field.constraint().allows("2174")
    (True, False)
    """

    name: str
    box: tuple[float, float, float, float]
    pattern: str | None = None
    cells: int | None = None
    choices: tuple[str, ...] | None = None
    check: str | None = None
    required: bool = False
    unique: bool = False
    min_confidence: float = MIN_CONFIDENCE

    def constraint(self, classes: str = DIGITS + SEPARATORS) -> Constraint:
        """The constraint on the text, compiled for weights with ``classes``. Raises PatternError.

        Without pattern and choices the text consists of digits, one a cell where there are cells.
        """
        pattern = self.pattern
        if pattern is None and self.choices is None:
            pattern = r"\d+" if self.cells is None else rf"\d{{{self.cells}}}"
        constraint = compile_constraint(classes, pattern, self.choices, self.check)
        assert constraint is not None
        return constraint


@dataclass(frozen=True, eq=False)
class Form:
    """A form: its ``name``, the grey levels (H, W) uint8 of its ``blank`` sheet, and its fields.

    >>> blank = np.full((500, 400), 255, np.uint8)
    >>> exam = Form("exam", blank, (Field("student", (0.3, 0.38, 0.66, 0.42)),))
    >>> [field.name for field in exam.fields]
    ['student']
    """

    name: str
    blank: NDArray[np.uint8] = field_of(repr=False)
    fields: tuple[Field, ...]


def load_form(path: str | Path, classes: str = DIGITS + SEPARATORS) -> Form:
    """The form of a form file. Raises FormError, which names the line, for every mistake in it.

    Patterns, choices and checks are compiled for weights with ``classes``.

    >>> load_form("no such file.toml")
    Traceback (most recent call last):
        ...
    lenet5.errors.FormError: cannot read no such file.toml: No such file or directory
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise FormError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        position = f" line {line[1]}" if line else ""
        raise FormError(f"{path}{position}: no TOML: {re.sub(r' [(]at .*[)]$', '', str(error))}") from None
    except RecursionError:
        raise FormError(f"{path}: no TOML: brackets are nested too deep") from None
    source = _Source(path, text)
    _check_keys(document, _FORM_KEYS, source, None)
    name = document.get("name", path.stem)
    if not isinstance(name, str) or not name.strip():
        source.fail("name", "the form's name is a text in quotes")
    blank = _reference(document, source)
    tables = document.get("field", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        source.fail("field", "write [[field]] before the keys of each field")
    if not tables:
        raise FormError(f"{path}: there is no [[field]]: say what to read")
    fields: list[Field] = []
    for number, table in enumerate(tables):
        fields.append(_field(table, source, number, classes, [field.name for field in fields]))
    return Form(name.strip(), blank, tuple(fields))


class _Source:
    """The text of a form file, for errors with the number of the line."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines: dict[tuple[int | None, str], int] = {}
        table: int | None = None
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"\s*\[\[\s*[\"']?field[\"']?\s*\]\]", line):
                table = 0 if table is None else table + 1
                self._lines[table, ""] = number
            elif key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]", line):
                self._lines.setdefault((table, key[1]), number)

    def fail(self, key: str, reason: str, number: int | None = None) -> NoReturn:
        """Raise FormError for a key, of the field with this number."""
        line = self._lines.get((number, key)) or self._lines.get((number, "")) or self._lines.get((None, "field"))
        position = f"{self.path} line {line}" if line else str(self.path)
        raise FormError(f"{position}: {key + ': ' if key else ''}{reason}") from None


def _check_keys(table: Mapping[str, Any], keys: tuple[str, ...], source: _Source, number: int | None) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean {near[0]}?" if near else f"use {', '.join(keys)}"
            source.fail(key, f"there is no such key: {hint}", number)


def _reference(document: Mapping[str, Any], source: _Source) -> NDArray[np.uint8]:
    """The grey levels of the blank sheet: a picture, or the first page of a PDF."""
    reference = document.get("reference")
    if not isinstance(reference, str) or not reference:
        source.fail("reference", 'name the picture or PDF of the blank sheet, as reference = "blank.png"')
    file = source.path.parent / reference
    try:
        pages = open_pages(file)
        picture = next(pages)
        pages.close()
    except LeNet5Error as error:
        source.fail("reference", str(error))
    levels = grey_of(picture)
    if float((levels < _PRINT).mean()) < _LEAST_INK:
        source.fail("reference", f"{file} is blank: without print no scan can be laid onto it")
    return levels


def _field(table: Mapping[str, Any], source: _Source, number: int, classes: str, names: list[str]) -> Field:
    """The field of a [[field]] table, checked."""
    _check_keys(table, _FIELD_KEYS, source, number)
    for key in ("name", "box"):
        if key not in table:
            source.fail("", f"this field has no {key}", number)
    name = table["name"]
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w-]*", name):
        source.fail("name", f"a name has letters, digits, _ and -, not {name!r}", number)
    if name in names:
        source.fail("name", f"there are two fields {name!r}", number)
    columns_of_others = {other + suffix for other in names for suffix in _SUFFIXES}
    if name in _COLUMNS or name in columns_of_others or any(name + suffix in names for suffix in _SUFFIXES):
        source.fail("name", f"{name!r} is the name of another column of the table", number)
    cells = table.get("cells")
    if cells is not None and (not isinstance(cells, int) or isinstance(cells, bool) or not 1 <= cells <= _MOST_CELLS):
        source.fail("cells", f"the number of cells is a whole number from 1 to {_MOST_CELLS}, not {cells!r}", number)
    min_confidence = table.get("min_confidence", MIN_CONFIDENCE)
    if not isinstance(min_confidence, int | float) or isinstance(min_confidence, bool) or not 0 <= min_confidence <= 1:
        source.fail("min_confidence", f"a probability is in 0..1, not {min_confidence!r}", number)
    for key in ("required", "unique"):
        if not isinstance(table.get(key, False), bool):
            source.fail(key, f"write true or false, not {table[key]!r}", number)
    for key in ("pattern", "check"):
        if not isinstance(table.get(key, ""), str):
            source.fail(key, f"write it in quotes, not {table[key]!r}", number)
    choices = None
    if "choices" in table:
        try:
            choices = choices_of(table["choices"], source.path.parent)
        except ChoicesError as error:
            source.fail("choices", str(error), number)
    field = Field(
        name, _box(table["box"], source, number), table.get("pattern"), cells, choices, table.get("check"),
        table.get("required", False), table.get("unique", False), float(min_confidence),
    )  # fmt: skip
    _check_constraint(field, source, number, classes)
    return field


def _box(box: object, source: _Source, number: int) -> tuple[float, float, float, float]:
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(edge, int | float) for edge in box):
        source.fail("box", "give left, top, right, bottom as fractions of the sheet: [0.1, 0.2, 0.5, 0.25]", number)
    for edge in box:
        if not (math.isfinite(edge) and 0 <= edge <= 1):
            source.fail("box", f"{edge} is outside 0..1", number)
    left, top, right, bottom = (float(edge) for edge in box)
    if left >= right or top >= bottom:
        source.fail("box", "left is before right, and top above bottom", number)
    return left, top, right, bottom


def _check_constraint(field: Field, source: _Source, number: int, classes: str) -> None:
    """Compile the field's constraint, adding one key at a time, so that an error names the right one."""
    for key, partial in (
        ("pattern", Field(field.name, field.box, field.pattern)),
        ("choices", Field(field.name, field.box, field.pattern, choices=field.choices)),
        ("check", field),
    ):
        try:
            partial.constraint(classes)
        except PatternError as error:
            source.fail(key, str(error), number)
