"""The output of sheets' rows: a table or standard output, and the journal of a review folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lenet5.forms.form import Form
    from lenet5.forms.review import ReviewFolder
    from lenet5.row_files import Column
    from lenet5.tables import Table

__all__ = ["Rows"]


class Rows:
    """Writes rows to a table or to standard output, and to the journal of the review folder."""

    def __init__(
        self, forms: list[Form], columns: list[Column], table: Table | None, journal: Table | None, resume: bool,
        folder: ReviewFolder | None, json: bool,
    ) -> None:  # fmt: skip
        from lenet5.forms.stack import Duplicates

        self._columns, self._table, self._journal, self._json = columns, table, journal, json
        self._folder = folder
        self._duplicates = Duplicates(forms)
        self._pending: list[dict[str, Any]] = []
        self.doubtful: set[int] = set()
        self._earlier: set[tuple[str, int]] = set()
        for number, row in enumerate(self._resumed(resume)):
            row["page"], review = int(row["page"]), row.get("review") or []
            row["review"] = review.split() if isinstance(review, str) else list(review)
            self._earlier.add((row["file"], row["page"]))
            self._copy(row)
            self._note(number, row)
        self._first = len(self._earlier)
        self.doubtful.clear()
        if table is None and not json:
            self._print([column.name for column in columns])

    def _resumed(self, resume: bool) -> Iterable[dict[str, Any]]:
        """The rows of an earlier run: those of the table or, without one, of the journal that is resumed."""
        from lenet5.forms.corrected import read_rows

        rows = [] if self._folder is None else read_rows(self._folder.folder)
        self._in_journal = {(row["file"], int(row["page"])) for row in rows}
        if self._table is not None:
            return self._table.rows()
        return rows if resume else ()

    def _copy(self, row: dict[str, Any]) -> None:
        """Add a row of the table to the journal, if it was read without the review folder."""
        if self._journal is not None and (row["file"], row["page"]) not in self._in_journal:
            numbers = {key: float(value) for key, value in row.items() if key.endswith("_confidence") and value}
            self._journal.append({**row, **numbers})

    @property
    def is_printed(self) -> bool:
        """Whether rows go to standard output."""
        return self._table is None

    def has(self, file: str, page: int) -> bool:
        """Whether an earlier run wrote the row of this file and page."""
        return (file, page) in self._earlier

    def add(self, row: dict[str, Any]) -> None:
        """Write a row; standard output waits where a later sheet may be its duplicate."""
        number = self._first + len(self._pending) if self._table is None else len(self._table)
        changes = self._note(number, row)
        self.doubtful |= {number} if row["review"] else set()
        if self._journal is not None:
            self._journal.append(row)
        if self._table is not None:
            self._table.append(row)
        elif self._duplicates:
            for earlier, values in changes:
                if earlier >= self._first:
                    self._pending[earlier - self._first] |= values
            self._pending.append(row)
        else:
            self._show(row)

    def finish(self) -> None:
        """Print the rows that waited."""
        for row in self._pending:
            self._show(row)

    def _note(self, number: int, row: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
        """Compare a row with the earlier ones; returns the changes of those."""
        from lenet5.forms.corrected import amendment
        from lenet5.forms.stack import note_duplicate

        changes = []
        for index, duplicate, field, reason in self._duplicates.see(number, row):
            if self._folder is not None:
                note_duplicate(self._folder, duplicate, field, reason)
            self.doubtful.add(index)
            if index != number:
                values = {"review": duplicate["review"], "reasons": duplicate["reasons"]}
                changes.append((index, values))
                if self._journal is not None:
                    self._journal.append(amendment(duplicate, values))
                if self._table is not None:
                    self._table.amend(index, values)
        return changes

    def _show(self, row: dict[str, Any]) -> None:
        from lenet5.row_files import json_line

        if self._json:
            click.echo(json_line(row))
        else:
            self._print([row.get(column.name) for column in self._columns])

    @staticmethod
    def _print(cells: list[Any]) -> None:
        from lenet5.row_files import csv_line

        click.echo(csv_line(cells))
