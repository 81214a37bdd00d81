"""Where the rows of sheets go: a table or standard output, and the journal of a review folder."""

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
    """Where rows go: a table or standard output, and the journal of the review folder."""

    def __init__(
        self, forms: list[Form], columns: list[Column], table: Table | None, journal: Table | None, resume: bool,
        folder: ReviewFolder | None, json: bool,
    ) -> None:  # fmt: skip
        from lenet5.forms.stack import Duplicates

        self._columns, self._table, self._journal, self._json = columns, table, journal, json
        self._folder = folder
        self._duplicates = Duplicates(forms)
        self._held: list[dict[str, Any]] = []
        self.doubtful: set[int] = set()
        self._standing: set[tuple[str, int]] = set()
        for number, row in enumerate(self._before(resume)):
            row["page"], review = int(row["page"]), row.get("review") or []
            row["review"] = review.split() if isinstance(review, str) else list(review)
            self._standing.add((row["file"], row["page"]))
            self._copy(row)
            self._note(number, row)
        self._first = len(self._standing)
        self.doubtful.clear()
        if table is None and not json:
            self._print([column.name for column in columns])

    def _before(self, resume: bool) -> Iterable[dict[str, Any]]:
        """The rows that stand there already: of the table, or else of the journal that is gone on with."""
        from lenet5.forms.corrected import read_rows

        rows = [] if self._folder is None else read_rows(self._folder.folder)
        self._in_journal = {(row["file"], int(row["page"])) for row in rows}
        if self._table is not None:
            return self._table.rows()
        return rows if resume else ()

    def _copy(self, row: dict[str, Any]) -> None:
        """Write a row that stands in the table into the journal, too, if it was read without the review folder."""
        if self._journal is not None and (row["file"], row["page"]) not in self._in_journal:
            numbers = {key: float(value) for key, value in row.items() if key.endswith("_confidence") and value}
            self._journal.append({**row, **numbers})

    @property
    def printed(self) -> bool:
        """Whether rows go to standard output."""
        return self._table is None

    def done(self, file: str, page: int) -> bool:
        """Whether the row of a file and page stood there before."""
        return (file, page) in self._standing

    def add(self, row: dict[str, Any]) -> None:
        """Write a row, or hold it back where a later sheet may yet be its duplicate."""
        number = self._first + len(self._held) if self._table is None else len(self._table)
        changed = self._note(number, row)
        self.doubtful |= {number} if row["review"] else set()
        if self._journal is not None:
            self._journal.append(row)
        if self._table is not None:
            self._table.append(row)
        elif self._duplicates:
            for earlier, values in changed:
                if earlier >= self._first:
                    self._held[earlier - self._first] |= values
            self._held.append(row)
        else:
            self._show(row)

    def finish(self) -> None:
        """Print what was held back."""
        for row in self._held:
            self._show(row)

    def _note(self, number: int, row: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
        """Compare a row with the earlier ones; gives what changes in those."""
        from lenet5.forms.corrected import amendment
        from lenet5.forms.stack import note_duplicate

        changes = []
        for at, own, field, reason in self._duplicates.see(number, row):
            if self._folder is not None:
                note_duplicate(self._folder, own, field, reason)
            self.doubtful.add(at)
            if at != number:
                values = {"review": own["review"], "reasons": own["reasons"]}
                changes.append((at, values))
                if self._journal is not None:
                    self._journal.append(amendment(own, values))
                if self._table is not None:
                    self._table.amend(at, values)
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
