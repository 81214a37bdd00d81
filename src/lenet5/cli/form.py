"""``lenet5 form``: a stack of filled sheets in, a table out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet5.cli.rows import Rows
from lenet5.cli.sources import files_in
from lenet5.errors import OutputError

if TYPE_CHECKING:
    from lenet5.forms.review import ReviewFolder
    from lenet5.forms.sheet import FormReader

__all__ = ["command"]

_MANY = 5  # sheets, from which a bar shows how far it is


@click.group("form", short_help="Read stacks of filled forms into a table.")
def command() -> None:
    """Read stacks of filled forms into a table: a row a sheet, and what is doubtful for a person to see."""


@command.command("new", short_help="Draft a form file from a blank sheet.")
@click.argument("blank", metavar="BLANK.pdf|png")
@click.option("--output", metavar="FILE.toml", help="Write the form file here.  [default: standard output]")
@click.option("--annotate", metavar="FILE.png", help="Draw the numbered fields on the blank sheet.")
def new(blank: str, output: str | None, annotate: str | None) -> None:
    """Draft a form file from a blank sheet: cells, combs, boxes and lines to write on, in reading order.

    The fields are named field1, field2 … Give them names, and delete those that are not to be read.
    """
    from lenet5.files import write_beside
    from lenet5.forms.draft import annotated, draft, form_file

    _require_absent(output)
    sheet = draft(blank)
    text = form_file(sheet, Path(blank), Path.cwd() if output is None else Path(output).parent)
    if annotate is not None:
        write_beside(annotate, annotated(sheet))
    if output is None:
        click.echo(text, nl=False)
    else:
        write_beside(output, text.encode())
        click.echo(
            f"{len(sheet.fields)} fields in {output}: give them names, and delete what is not to be read", err=True
        )


@command.command("read", short_help="Read filled sheets: a row a sheet.")
@click.argument("forms", metavar="FORM.toml... SCANS...", nargs=-1, required=True)
@click.option("--output", metavar="FILE", help="Write the table to a .csv, .jsonl or .parquet file, as it goes.")
@click.option("--resume", is_flag=True, help="Go on with --output or --review: skip the sheets that stand there.")
@click.option("--review", metavar="FOLDER", help="Keep what a person should look at.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object a sheet.  [default: CSV]")
@click.option("--csv", "csv", is_flag=True, help="Print one row a sheet, the default.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="So many processes."
)
@click.option("--weights", default="lenet5", show_default=True, help="A bundled name or a .safetensors file.")
def read(
    forms: tuple[str, ...], output: str | None, resume: bool, review: str | None, json: bool, csv: bool, jobs: int,
    weights: str,
) -> None:  # fmt: skip
    """Read filled sheets, which are pictures, PDFs and folders of them: a row a sheet.

    With several form files each sheet is read by the form that it lies on best. A row holds file, page, form, each
    field's text and confidence, and in review the names of the fields that a person should look at. A sheet that cannot
    be read has its reason in error; exit status 1 then.
    """
    from lenet5.forms.corrected import JOURNAL
    from lenet5.forms.form import load_form
    from lenet5.forms.review import ReviewFolder
    from lenet5.forms.rules import keep_rules
    from lenet5.forms.sheet import FormReader
    from lenet5.forms.stack import columns_of
    from lenet5.reading.reader import Reader
    from lenet5.tables import Table

    files, scans = _parted(forms)
    if resume and output is None and review is None:
        raise click.UsageError("--resume goes on with a table or a review folder: name it with --output or --review")
    if json and csv:
        raise click.UsageError("print either --json or --csv")
    reader = Reader(weights, threads=1 if jobs > 1 else None)
    loaded = [load_form(file, reader.line_model.classes) for file in files]
    names = [form.name for form in loaded]
    if len(set(names)) < len(names):
        raise OutputError(f"two forms have one name: write name = ... into {files[-1]}")
    columns = columns_of(loaded)
    with ExitStack() as stack:
        table = None if output is None else stack.enter_context(Table(output, columns, resume))
        folder = None if review is None else ReviewFolder(review)
        journal = None
        if folder is not None:
            stack.callback(folder.lock().release)
            if not resume:
                folder.clear()
            journal = stack.enter_context(Table(folder.folder / JOURNAL, columns, resume=True))
            for form in loaded:
                keep_rules(folder.folder, form)
        rows = Rows(loaded, columns, table, journal, resume, folder, json)
        failed = _read(FormReader(loaded, reader), scans, jobs, folder, rows)
        if folder is not None:
            folder.finish()
    if failed:
        sys.exit(1)


@command.command("table", short_help="The table of a review folder, with what people decided.")
@click.argument("folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option("--output", metavar="FILE", help="Write a .csv, .jsonl or .parquet file.  [default: standard output]")
@click.option("--json", "json", is_flag=True, help="Print one JSON object a sheet.  [default: CSV]")
def table(folder: Path, output: str | None, json: bool) -> None:
    """The table of a review folder: a row a sheet, with what people decided.

    FOLDER is what form read --review wrote. --output takes the place of an earlier table of a review folder, and of no
    other file. Each field NAME has its text,
    what was read in NAME_read, and the confidence of that. The column review names the fields that nobody has decided
    on yet, decided those that somebody has.
    """
    from lenet5.forms.corrected import corrected, write_corrected
    from lenet5.row_files import json_line

    whole = corrected(folder)
    if output is not None:
        write_corrected(whole, output)
    elif json:
        for row in whole.rows:
            click.echo(json_line(row))
    else:
        for line in whole.csv():
            click.echo(line)
    waiting = sum(len(row["review"]) for row in whole.rows)
    if waiting:
        click.echo(f"{waiting} fields wait for a person: lenet5 serve --review {folder}", err=True)


def _require_absent(output: str | None) -> None:
    """Raise OutputError for a file that exists: nothing is written over."""
    if output is not None and os.path.lexists(output):
        raise OutputError(f"{output} exists: remove it, or name another file")


def _parted(arguments: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Form files and scans: what ends in .toml, and the rest."""
    forms = [argument for argument in arguments if argument.lower().endswith(".toml")]
    scans = [argument for argument in arguments if not argument.lower().endswith(".toml")]
    if not forms:
        raise click.UsageError("name a form file, which ends in .toml: lenet5 form new BLANK drafts one")
    if not scans:
        raise click.UsageError("name the scans: pictures, PDFs or folders")
    return forms, list(files_in(tuple(scans)))


def _read(reader: FormReader, files: list[str], jobs: int, folder: ReviewFolder | None, rows: Rows) -> int:
    """Read all files into ``rows``; how many sheets failed."""
    from lenet5.forms.stack import read_stack, units_of

    failed = sheets = 0
    for batch in _with_progress(read_stack(reader, units_of(files), jobs, folder, rows.has), files, rows.is_printed):
        for row in batch:
            sheets += 1
            if row["error"]:
                failed += 1
                click.echo(f"lenet5: page {row['page']} of {row['file']}: {row['error']}", err=True)
            rows.add(row)
    rows.finish()
    click.echo(f"{sheets} sheets: {len(rows.doubtful)} to look at, {failed} not read", err=True)
    return failed


def _with_progress(
    batches: Iterator[list[dict[str, Any]]], files: list[str], printed: bool
) -> Iterator[list[dict[str, Any]]]:
    """The rows of each unit, with a bar on stderr where that is a terminal on which no rows are ``printed``."""
    if not sys.stderr.isatty() or (printed and sys.stdout.isatty()):
        yield from batches
        return
    from lenet5.cli.progress import bar
    from lenet5.forms.stack import count_units

    with bar("{task.completed}/{task.total} sheets") as progress:
        yield from progress.track(batches, total=count_units(files), description="reading")
