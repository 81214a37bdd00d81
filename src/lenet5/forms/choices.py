"""The texts that a field may have: a list in a form file, the lines of a file, or a column of a table."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from lenet5.errors import LeNet5Error

__all__ = ["ChoicesError", "choices_of"]


class ChoicesError(LeNet5Error):
    """A list cannot be used.

    >>> choices_of([], Path())
    Traceback (most recent call last):
        ...
    lenet5.forms.choices.ChoicesError: a list holds texts in quotes: ["12", "13"]
    """


def choices_of(choices: object, folder: Path) -> tuple[str, ...]:
    """The texts of ``choices`` in a form file: a list of texts, "FILE:COLUMN" of a table, or "FILE", a text a line.

    Files are relative to ``folder``. Empty cells and duplicates are dropped. Raises ChoicesError.

    >>> choices_of(["12", "13", "12"], Path())
    ('12', '13')
    """
    if isinstance(choices, list):
        if not choices or not all(isinstance(choice, str) for choice in choices):
            raise ChoicesError('a list holds texts in quotes: ["12", "13"]')
        return tuple(dict.fromkeys(choices))
    if not isinstance(choices, str) or not choices:
        raise ChoicesError('write a list of texts, or a column of a file as "class.csv:id"')
    file, column = folder / choices, None
    if not file.is_file() and ":" in choices:
        name, column = choices.rsplit(":", 1)
        file = folder / name
    text = _text_of(file)
    texts = _lines(text) if column is None else _column(text, column, file)
    if not texts:
        raise ChoicesError(f"{file} holds nothing in column {column!r}" if column else f"{file} is empty")
    return tuple(dict.fromkeys(texts))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ChoicesError(f"no such file: {file}") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ChoicesError(f"cannot read {file}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _column(text: str, column: str, file: Path) -> list[str]:
    """The cells of a column of a table, whose header has the names; the delimiter is a comma, semicolon or tab."""
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ChoicesError(f"{file} is no table: {error}") from None
    names = [name.strip() for name in rows[0]] if rows else []
    if column not in names:
        raise ChoicesError(f"{file} has no column {column!r}; its first row is: {', '.join(names) or 'empty'}")
    index = names.index(column)
    return [row[index].strip() for row in rows[1:] if len(row) > index and row[index].strip()]
