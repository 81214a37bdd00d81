"""Where the results of ``lenet5 read`` go: standard output, or a table."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from lenet5.errors import printable
from lenet5.row_files import csv_line
from lenet5.tables import Table

if TYPE_CHECKING:
    from lenet5.scale.listing import Standing
    from lenet5.scale.pages import PageResult

__all__ = ["Printed", "Written"]


class Printed:
    """Results on standard output, one after the other; a context manager.

    ``form`` is "json", "csv" or None for text, ``alone`` whether a single file is read, whose name is left out.

    >>> from lenet5.scale.pages import PageResult
    >>> with Printed("csv", transcript=False, alone=False) as results:
    ...     results.add(PageResult("a.png", {"lines": [[{"label": "7"}]]}, text="7", confidence=0.98))
    file,text,confidence
    a.png,7,0.9800
    """

    def __init__(self, form: str | None, transcript: bool, alone: bool) -> None:
        self._form, self._transcript, self._alone = form, transcript, alone
        self.failed = 0  # pages that were not read
        if form == "csv":
            click.echo(csv_line(["file", "text", "confidence"]))

    def __enter__(self) -> Printed:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def standing(self) -> None:
        """Nothing stands there yet."""

    def add(self, result: PageResult) -> None:
        """Print a result; remarks and errors go to stderr."""
        if result.error is not None:
            self.failed += 1
            if self._form == "json":
                click.echo(json.dumps(result.content))
            click.echo(f"lenet5: {printable(result.error)}", err=True)
            return
        for note in result.notes if result.has_digits else (*result.notes, "no digits found"):
            click.echo(f"lenet5: {printable(result.called)}: {note}", err=True)
        click.echo(self._line(result))

    def _line(self, result: PageResult) -> str:
        if self._form == "json":
            return json.dumps(result.content)
        text = (result.transcript if self._transcript else result.text) or ""
        if self._form is None and self._alone:
            return text
        text = text.replace("\n", " ")
        if self._form == "csv":
            return csv_line([printable(result.called), text, f"{result.confidence:.4f}"])
        return f"{printable(result.called)}: {text}"


class Written:
    """Results as rows of a table, which ``resume`` goes on with; a context manager. Raises what Table raises.

    >>> import contextlib, io, tempfile
    >>> from lenet5.scale.pages import PageResult
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
    ...     with Written(f"{folder}/rows.csv", resume=False, transcript=False) as results:
    ...         results.add(PageResult("a.png", {}, text="7", confidence=0.98))
    ...     Path(f"{folder}/rows.csv").read_text().split()
    ['file,page,text,confidence,error', 'a.png,1,7,0.98,']
    """

    def __init__(self, output: str, resume: bool, transcript: bool) -> None:
        from lenet5.scale.pages import columns_of

        self._suffix, self._transcript = Path(output).suffix.lower(), transcript
        self._table = Table(output, columns_of(self._suffix), resume)
        self._before = len(self._table)
        self.failed = sum(bool(row.get("error")) for row in self._table.rows())  # pages that were not read

    def __enter__(self) -> Written:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._table.__exit__(kind, error, trace)
        new = len(self._table) - self._before
        if kind is None:
            stood = f" ({self._before:,} stood there)" if self._before else ""
            click.echo(f"{new:,} pages written to {self._table.path}{stood}; {self.failed:,} of all not read", err=True)
        elif len(self._table):
            click.echo(
                f"lenet5: {len(self._table):,} pages stand in {self._table.path}: --resume goes on with them", err=True
            )

    def standing(self) -> Standing:
        """What stands in the table."""
        from lenet5.scale.listing import Standing

        return Standing(self._table.rows())

    def add(self, result: PageResult) -> None:
        """Write a result; errors go to stderr, too. Raises OutputError."""
        self._table.append(result.row(self._suffix, self._transcript))
        if result.error is not None:
            self.failed += 1
            click.echo(f"lenet5: {printable(result.error)}", err=True)
        for note in result.notes:
            click.echo(f"lenet5: {printable(result.called)}: {note}", err=True)
