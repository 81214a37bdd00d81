"""``lenet5 read``: pictures in, digits out."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet5.cli.drawings import Drawings
from lenet5.cli.sources import files_in
from lenet5.errors import DataError, PictureError, one_line, printable
from lenet5.result import file_json

if TYPE_CHECKING:
    from lenet5.reading.picture import Picture
    from lenet5.reading.reader import Reader
    from lenet5.result import Reading

__all__ = ["command"]


@click.command("read", short_help="Read the digits in pictures.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE|FOLDER|-...")
@click.option("--layout", type=click.Choice(["auto", "digit", "line", "page"]), default="auto", show_default=True)
@click.option("--min-confidence", type=click.FloatRange(0, 1), metavar="P", help="Answer ? below this probability.")
@click.option("--pattern", metavar="P", help=r"What the text looks like, as a regular expression: \d\d/\d\d.")
@click.option(
    "--choices", metavar="FILE", type=click.Path(dir_okay=False), help="The text is one of the lines of this file."
)
@click.option("--check", metavar="C", help="The text has a check digit: luhn, ean13, isbn10, isbn13, mod11, verhoeff.")
@click.option("--region", metavar="L,T,R,B", help="Read only this part: four fractions of the picture.")
@click.option("--rotate", type=click.Choice(["auto"]), help="Try four orientations and take the likeliest.")
@click.option("--json", "form", flag_value="json", help="One JSON object a page, each on a line.")
@click.option("--csv", "form", flag_value="csv", help="One row a page: file, text, confidence.")
@click.option("--transcript", is_flag=True, help="Print separators and gaps as they stand: 13/01/2023 3.75.")
@click.option("--annotate", metavar="FILE.png", help="Draw boxes, answers and confidences on the picture.")
@click.option("--debug", metavar="FOLDER", help="Write what the network saw of every digit.")
@click.option("--weights", default="lenet5", show_default=True, help="A bundled name or a .safetensors file.")
@click.option("--threads", type=click.IntRange(min=1), help="At most this many threads.")
def command(
    pictures: tuple[str, ...],
    layout: str,
    min_confidence: float | None,
    pattern: str | None,
    choices: str | None,
    check: str | None,
    region: str | None,
    rotate: str | None,
    form: str | None,
    transcript: bool,
    annotate: str | None,
    debug: str | None,
    weights: str,
    threads: int | None,
) -> None:
    """Read the digits in pictures, folders of pictures, or a picture on standard input (-).

    One file prints its text; several print FILE: text, and a TIFF or PDF of several pages FILE
    page N: text. A rejected digit is ?. A file that cannot be read gives one line on stderr and
    exit status 1 at the end; the others are read.

    With several pictures each file of --annotate has the picture's name in its own: out.png becomes
    out-PICTURE.png. --debug makes a folder for each in FOLDER.
    """
    from lenet5.reading.constraint import compile_constraint
    from lenet5.reading.reader import Reader

    if min_confidence is not None and not 0 <= min_confidence <= 1:  # NaN passes click's range
        raise click.BadParameter("give a probability in 0..1", param_hint="--min-confidence")
    files = list(files_in(pictures))
    drawings = Drawings(annotate, debug, files)
    reader = Reader(weights, threads=threads)
    allowed = None if choices is None else _choices(choices)
    how: dict[str, Any] = {
        "layout": layout,
        "min_confidence": min_confidence,
        "pattern": pattern,
        "choices": allowed,
        "check": check,
        "region": None if region is None else _fractions(region),
        "rotate": rotate,
    }
    compile_constraint(reader.line_model.classes, pattern, allowed, check)  # wrong ones fail before any file
    failed = False
    if form == "csv":
        click.echo(_csv_row("file", "text", "confidence"))
    for name in _with_progress(files):
        for page in _pages(name, reader, how):
            error: Exception | None
            if isinstance(page, Exception):
                error = page
            else:
                picture, reading = page
                for note in reading.notes if reading.digits else (*reading.notes, "no digits found"):
                    click.echo(f"lenet5: {_called(name, picture)}: {note}", err=True)
                click.echo(_printed(name, picture, reading, form, transcript, alone=len(files) == 1))
                error = _drawing_error(drawings, name, picture, reading, reader)
            if error is not None:
                failed, reason = True, one_line(error, name)
                if form == "json":
                    click.echo(json.dumps(file_json(name, error)))
                click.echo(f"lenet5: {reason}", err=True)
    if failed:
        sys.exit(1)


def _pages(name: str, reader: Reader, how: dict[str, Any]) -> Iterator[tuple[Picture, Reading] | Exception]:
    """The pages of a file with their readings; last, where the file fails, its error of whatever kind.

    So that one file does not stop the rest, this and ``_drawing_error`` are the only places that catch every kind.
    """
    from lenet5.reading.picture import open_pages

    try:
        for picture in open_pages(_source(name)):
            yield picture, replace(reader.read(picture, **how), page=picture.page)
    except Exception as error:
        yield error


def _choices(path: str) -> list[str]:
    """The lines of a file that are not empty."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from None
    return [line.strip() for line in lines if line.strip()]


def _fractions(region: str) -> tuple[float, float, float, float]:
    """Four numbers from "0.1,0.2,0.5,0.3"."""
    try:
        left, top, right, bottom = map(float, region.split(","))
    except ValueError:
        raise click.BadParameter("give four fractions, as 0.1,0.2,0.5,0.3", param_hint="--region") from None
    return left, top, right, bottom


def _drawing_error(
    drawings: Drawings, name: str, picture: Picture, reading: Reading, reader: Reader
) -> Exception | None:
    """Draw a reading as far as asked for: the error of whatever kind if that fails."""
    try:
        drawings.keep(name, picture, reading, reader)
    except Exception as error:
        return error
    return None


def _source(name: str) -> bytes | str:
    """What a reader takes for this name; PictureError for a folder, which holds no pictures if it comes here."""
    if name == "-":
        from lenet5.reading.picture import MOST_BYTES

        return sys.stdin.buffer.read(MOST_BYTES + 1)  # the reader refuses what is longer
    if os.path.isdir(name):  # noqa: PTH112
        raise PictureError(f"no pictures in the folder {name}")
    return name


def _with_progress(files: list[str]) -> Iterator[str]:
    """The files one by one, with a progress bar if there are many and only stderr is a terminal.

    On a terminal the results themselves show the progress.
    """
    if len(files) < 20 or not sys.stderr.isatty() or sys.stdout.isatty():
        yield from files
        return
    from lenet5.cli.progress import bar

    with bar() as progress:
        yield from progress.track(files, description="reading")


def _called(name: str, picture: Picture) -> str:
    """What a page is called beside others."""
    name = printable(name)
    return name if picture.pages == 1 else f"{name} page {picture.page}"


def _printed(name: str, picture: Picture, reading: Reading, form: str | None, transcript: bool, alone: bool) -> str:
    """One reading in the form that was asked for."""
    if form == "json":
        return json.dumps(file_json(name, reading))
    text = reading.transcript if transcript else reading.text
    if form is None and alone:
        return text
    text = text.replace("\n", " ")
    if form == "csv":
        return _csv_row(_called(name, picture), text, f"{reading.confidence:.4f}")
    return f"{_called(name, picture)}: {text}"


def _csv_row(*cells: Any) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(cells)
    return row.getvalue()
