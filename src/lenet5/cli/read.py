"""``lenet5 read``: pictures in, digits out."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet5.answer import PICTURE_SUFFIXES
from lenet5.errors import PictureError, UnavailableError

if TYPE_CHECKING:
    from lenet5.answer import Reading

__all__ = ["command"]


@click.command("read", short_help="Read the digits in pictures.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE|FOLDER|-...")
@click.option("--layout", type=click.Choice(["auto", "digit", "line", "page"]), default="auto", show_default=True)
@click.option("--min-confidence", type=click.FloatRange(0, 1), metavar="P", help="Answer ? below this probability.")
@click.option("--json", "form", flag_value="json", help="One JSON object a line and file.")
@click.option("--csv", "form", flag_value="csv", help="One row a file: file, text, confidence.")
@click.option("--annotate", metavar="FILE.png", help="Not built yet.")
@click.option("--debug", metavar="FOLDER", help="Not built yet.")
@click.option(
    "--weights", default="lenet5", show_default=True, help="lenet5, concise, lenet5-mnist, or a .safetensors file."
)
@click.option("--threads", type=click.IntRange(min=1), help="At most this many threads.")
def command(
    pictures: tuple[str, ...],
    layout: str,
    min_confidence: float | None,
    form: str | None,
    annotate: str | None,
    debug: str | None,
    weights: str,
    threads: int | None,
) -> None:
    """Read the digits in pictures, folders of pictures, or a picture on standard input (-).

    One file prints its text; several print FILE: text. A digit that is not sure is ?. A file that
    cannot be read gives one line on stderr and exit status 1 at the end; the others are read.
    """
    from lenet5.reading.reader import Reader

    if annotate or debug:
        raise UnavailableError("--annotate and --debug are not built yet: --json has the box of each digit")
    reader = Reader(weights, threads=threads)
    failed = False
    files = list(_files(pictures))
    if form == "csv":
        click.echo(_csv_row("file", "text", "confidence"))
    for name in _with_progress(files):
        try:
            reading = reader.read(_source(name), layout, min_confidence)
        except PictureError as error:
            failed = True
            if form == "json":
                click.echo(json.dumps({"file": name, "error": str(error)}))
            click.echo(f"lenet5: {error}", err=True)
            continue
        for note in reading.notes:
            click.echo(f"lenet5: {name}: {note}", err=True)
        click.echo(_printed(name, reading, form, alone=len(files) == 1))
    if failed:
        sys.exit(1)


def _files(arguments: tuple[str, ...]) -> Iterator[str]:
    """The arguments, folders replaced by the pictures in them; a folder without any stays."""
    for argument in arguments:
        path = Path(argument)
        if argument == "-" or not os.path.isdir(argument):  # noqa: PTH112 (it survives names that are too long)
            yield argument
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
        yield from map(str, inside or [path])


def _source(name: str) -> bytes | str:
    """What a reader takes for this name; PictureError for a folder, which holds no pictures if it comes here."""
    if name == "-":
        from lenet5.reading.picture import MOST_BYTES

        return sys.stdin.buffer.read(MOST_BYTES + 1)  # the reader refuses what is longer
    if os.path.isdir(name):  # noqa: PTH112
        raise PictureError(f"no pictures in the folder {name}")
    return name


def _with_progress(files: list[str]) -> Iterator[str]:
    """The files one by one, with a bar when they are many and stderr is a terminal."""
    if len(files) < 20 or not sys.stderr.isatty():
        yield from files
        return
    from lenet5.cli.progress import bar

    with bar() as progress:
        yield from progress.track(files, description="reading")


def _printed(name: str, reading: Reading, form: str | None, alone: bool) -> str:
    """One reading in the form that was asked for."""
    if form == "json":
        return json.dumps({"file": name, **reading.to_json()})
    if form == "csv":
        return _csv_row(name, reading.text.replace("\n", " "), f"{reading.confidence:.4f}")
    return reading.text if alone else f"{name}: {reading.text}".replace("\n", " ")


def _csv_row(*cells: Any) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(cells)
    return row.getvalue()
