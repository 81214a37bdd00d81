"""Which sheets have which text in a field, as it was read or as people decided: an index of a review folder.

It follows the folder: each question reads the lines of the journal and the decisions that are new since the last one.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from lenet5.errors import OutputError
from lenet5.forms.corrected import JOURNAL, Key, Row, fields_of, no_sheets, row_after
from lenet5.forms.decisions import SUFFIX, decision_of
from lenet5.forms.review import item_name, sheet_of

__all__ = ["Texts"]

Place = tuple[str, str, str]
"""A form, a field, and a text or a sheet."""


class Texts:
    """The texts of the fields of a review folder; it may be used by several threads.

    >>> import tempfile
    >>> row = '{"file": "a.png", "page": 1, "form": "exam", "code": "7", "code_confidence": 1, "sheet": "0a-p0001"}\\n'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / JOURNAL).write_text(row)
    ...     [row["file"] for row in Texts(Path(folder)).others_with("exam", "code", "7", item="another sheet's")]
    ['a.png']
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._rows = _Rows()
        self._decided: dict[tuple[str, str], _Decided] = {}

    def others_with(self, form: str, field: str, text: str, item: str) -> list[Row]:
        """The rows of other sheets than an item's, of a form, whose ``field`` has a text, with what people decided.

        They come in the order in which the sheets were first read. Raises OutputError.
        """
        with self._lock:
            self._rows = self._rows.followed(self._folder)
            decided = self._decided.setdefault((form, field), _Decided(self._folder, item_name("", form, field)))
            decided.follow()
            rows = self._rows
            as_read = rows.with_text.get((form, field, text), ())
            keys = {key for key in as_read if decided.text(rows.rows[key]["sheet"], text) == text}
            for sheet in decided.sheets.get(text, ()):
                keys.update(rows.of_sheet.get((form, field, sheet), ()))
            keys.difference_update(rows.of_sheet.get((form, field, sheet_of(item)), ()))
            return [rows.rows[key] for key in sorted(keys, key=rows.numbers.__getitem__)]


class _Rows:
    """The rows of a journal, and which of them have a text and are of a sheet."""

    def __init__(self, inode: int = 0) -> None:
        self.rows: dict[Key, Row] = {}
        self.numbers: dict[Key, int] = {}
        self.with_text: defaultdict[Place, set[Key]] = defaultdict(set)
        self.of_sheet: defaultdict[Place, set[Key]] = defaultdict(set)
        self._inode, self._end, self._line = inode, 0, b""

    def followed(self, folder: Path) -> _Rows:
        """These rows with those that were appended since, or all rows of what is another file. Raises OutputError."""
        try:
            with open(folder / JOURNAL, "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                rows = self if self._is_in(file, inode) else _Rows(inode)
                rows._append(file)
                return rows
        except FileNotFoundError:
            raise no_sheets(folder) from None
        except OSError as error:
            raise OutputError(f"cannot read {folder / JOURNAL}: {error.strerror}") from None

    def _is_in(self, file: BinaryIO, inode: int) -> bool:
        """Whether a file is the one that was read, with the last line still where it was."""
        file.seek(self._end - len(self._line))
        return inode == self._inode and file.read(len(self._line)) == self._line

    def _append(self, file: BinaryIO) -> None:
        file.seek(self._end)
        for line in file:
            if not line.endswith(b"\n"):
                return  # it is being written
            self._end, self._line = self._end + len(line), line
            self._take(line.decode(errors="replace"))

    def _take(self, line: str) -> None:
        """Add the row of a line, which may take the place of another one."""
        after = row_after(line, self.rows)
        if after is None:
            return
        key, row = after
        for keys in self._places(self.rows.get(key, {})):
            keys.discard(key)
        for keys in self._places(row):
            keys.add(key)
        self.rows[key] = row
        self.numbers.setdefault(key, len(self.numbers))

    def _places(self, row: Row) -> Iterator[set[Key]]:
        """Where a row is to be found."""
        form, sheet = row.get("form"), row.get("sheet")
        if isinstance(form, str) and isinstance(sheet, str):
            for field in fields_of(row):
                yield self.of_sheet[form, field, sheet]
                if isinstance(row.get(field), str):
                    yield self.with_text[form, field, row[field]]


class _Decided:
    """What people decided on a field of a form, by sheet; ``item`` is how the names of its items end."""

    def __init__(self, folder: Path, item: str) -> None:
        self._folder, self._item = folder, item
        self._decisions: dict[str, tuple[tuple[int, int], str]] = {}
        self.sheets: defaultdict[str, set[str]] = defaultdict(set)
        """By the text that was decided."""

    def text(self, sheet: str, otherwise: str) -> str:
        """What was decided on a sheet's field, or else another text."""
        return self._decisions[sheet][1] if sheet in self._decisions else otherwise

    def follow(self) -> None:
        """Read the decisions that are new or changed. Raises OutputError."""
        states = dict(self._states())
        for sheet in self._decisions.keys() - states.keys():
            self._forget(sheet)
        for sheet, state in states.items():
            if sheet in self._decisions and self._decisions[sheet][0] == state:
                continue
            self._forget(sheet)
            decision = decision_of(self._folder, f"{sheet}{self._item}")
            if decision is not None:
                self._decisions[sheet] = state, decision.text
                self.sheets[decision.text].add(sheet)

    def _forget(self, sheet: str) -> None:
        if sheet in self._decisions:
            self.sheets[self._decisions.pop(sheet)[1]].discard(sheet)

    def _states(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Each sheet on whose field somebody decided, and what changes with the decision's file."""
        suffix = f"{self._item}{SUFFIX}"
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(suffix):
                        with suppress(FileNotFoundError):
                            status = entry.stat()
                            yield entry.name.removesuffix(suffix), (status.st_mtime_ns, status.st_ino)
        except OSError as error:
            raise OutputError(f"cannot read {self._folder}: {error.strerror}") from None
