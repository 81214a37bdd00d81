"""Which sheets have which text in a field, as it was read or as people decided: an index of a review folder.

It follows the folder: at each question only the lines that were appended to the journal and the decisions that changed
since the last one are read.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import BinaryIO, Final

from lenet5.errors import OutputError
from lenet5.forms.corrected import JOURNAL, Row, no_sheets, take
from lenet5.forms.decisions import SUFFIX, decision_of
from lenet5.forms.review import item_name, sheet_of

__all__ = ["Texts"]

Key = tuple[str, int]
"""The file and page of a row."""

_CONFIDENCE: Final = "_confidence"


class Texts:
    """The texts of all fields of a review folder; it may be used by several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._rows = _Rows()
        self._decided: dict[tuple[str, str], _Decided] = {}

    def others_with(self, form: str, field: str, text: str, item: str) -> list[Row]:
        """The rows of other sheets than that of ``item``, of a form, whose ``field`` has a text, with what people decided.

        They come in the order in which the sheets were first read. Raises OutputError.
        """
        with self._lock:
            self._rows.follow(self._folder)
            decided = self._decided.setdefault((form, field), _Decided(item_name("", form, field) + SUFFIX))
            decided.follow(self._folder)
            rows = self._rows
            keys = {
                key
                for key in rows.with_text[form, field, text]
                if decided.texts.get(item_name(rows.rows[key]["sheet"], form, field), text) == text
            }
            sheets = [sheet_of(name) for name, decision in decided.texts.items() if decision == text]
            keys |= {key for sheet in sheets for key in rows.of_sheet[sheet, form, field]}
            own = rows.of_sheet[sheet_of(item), form, field]
            return [rows.rows[key] for key in sorted(keys.difference(own), key=rows.numbers.__getitem__)]


class _Rows:
    """The rows of the journal, and where each text and each sheet is among them."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.numbers: dict[Key, int] = {}
        self.with_text: defaultdict[tuple[str, str, str], dict[Key, None]] = defaultdict(dict)
        self.of_sheet: defaultdict[tuple[str, str, str], dict[Key, None]] = defaultdict(dict)
        self._file = self._end = 0
        self._line = b""

    def follow(self, folder: Path) -> None:
        """Take the lines that are new; all of them where the file is another one. Raises OutputError."""
        try:
            with open(folder / JOURNAL, "rb") as file:
                number = os.fstat(file.fileno()).st_ino
                if number != self._file or not self._goes_on(file):
                    self.__init__()  # type: ignore[misc]
                    self._file = number
                file.seek(self._end)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # it is being written
                    self._take(line.decode(errors="replace"))
                    self._end, self._line = self._end + len(line), line
        except FileNotFoundError:
            raise no_sheets(folder) from None
        except OSError as error:
            raise OutputError(f"cannot read {folder / JOURNAL}: {error.strerror}") from None

    def _goes_on(self, file: BinaryIO) -> bool:
        """Whether the last line that was taken is still where it was."""
        file.seek(self._end - len(self._line))
        return file.read(len(self._line)) == self._line

    def _take(self, line: str) -> None:
        key = take({}, line)
