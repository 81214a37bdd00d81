"""``lenet5 read``: pictures in, digits out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet5.cli.drawings import Drawings
from lenet5.cli.read_output import Printed, Written
from lenet5.cli.sources import files_in
from lenet5.errors import DataError

if TYPE_CHECKING:
    from lenet5.reading.picture import Picture
    from lenet5.reading.reader import Reader
    from lenet5.result import Reading
    from lenet5.scale.listing import Unit
    from lenet5.scale.pages import Seen

__all__ = ["command"]

_MANY = 20  # files, from which a bar shows how far it is


@click.command("read", short_help="Read the digits in pictures.")
@click.argument("pictures", nargs=-1, metavar="PICTURE|FOLDER|-...")
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
@click.option("--output", metavar="FILE", help="Write a .jsonl, .csv or .parquet table, a row a page, as it goes.")
@click.option(
    "--ray", is_flag=False, flag_value="", metavar="[ADDRESS]", help="Read --list on a Ray cluster into a folder."
)
@click.option("--resume", is_flag=True, help="Go on with --output: skip the pages that stand there.")
@click.option("--list", "listing", metavar="FILE", help="Read the files named here: a path a line, or Parquet.")
@click.option("--shard", metavar="I/N", help="Of all files read every N-th, from the I-th.")
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="So many processes.  [default: all cores for many files]"
)
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
    output: str | None,
    ray: str | None,
    resume: bool,
    listing: str | None,
    shard: str | None,
    jobs: int | None,
    annotate: str | None,
    debug: str | None,
    weights: str,
    threads: int | None,
) -> None:
    """Read the digits in pictures, folders of pictures, or a picture on standard input (-).

    One file prints its text; several print FILE: text, and a TIFF or PDF of several pages FILE
    page N: text. A rejected digit is ?. A file that cannot be read gives one line on stderr and
    exit status 1 at the end; the others are read.

    With --output the pages are rows of a table instead: file, page, text, confidence, error. JSON lines
    hold the objects of --json. A run that was stopped is gone on with by --resume.

    With --ray the files of --list, paths or URIs that every machine of the cluster can read, become Parquet
    parts in the folder --output, a path or a URI. Without ADDRESS the cluster is the one of RAY_ADDRESS or of this
    machine, or one that is started.

    With several pictures each file of --annotate has the picture's name in its own: out.png becomes
    out-PICTURE.png. --debug makes a folder for each in FOLDER.
    """
    from lenet5.processes import limit_threads
    from lenet5.reading.constraint import compile_constraint
    from lenet5.reading.reader import Reader
    from lenet5.scale.jobs import jobs_for, peeked, read_units
    from lenet5.scale.listing import units_of

    if ray is not None:
        _check_ray(pictures, output, listing, form or annotate or debug or transcript or threads)
    _check_usage(pictures, form, output, resume, listing, jobs, threads, annotate or debug)
    if min_confidence is not None and not 0 <= min_confidence <= 1:  # NaN passes click's range
        raise click.BadParameter("give a probability in 0..1", param_hint="--min-confidence")
    named = _Files(pictures, listing, _shard(shard))
    drawings = Drawings(annotate, debug, list(named)) if (annotate, debug) != (None, None) else None
    if threads is not None:
        limit_threads(threads)
    reader = Reader(weights, threads=threads)
    texts = None if choices is None else _choices(choices)
    options: dict[str, Any] = {
        "layout": layout,
        "min_confidence": min_confidence,
        "pattern": pattern,
        "choices": texts,
        "check": check,
        "region": None if region is None else _fractions(region),
        "rotate": rotate,
    }
    compile_constraint(reader.line_model.classes, pattern, texts, check)  # invalid ones fail before any file is read
    if ray is not None:
        from lenet5.cli.read_ray import read_on_cluster

        files, total = named.as_listed(), sum(1 for _ in named.as_listed())
        sys.exit(read_on_cluster(reader.weights, options, files, total, ray or None, str(output), resume, jobs))
    first, files = peeked(iter(named), 2)
    seen = None if drawings is None else _drawing(drawings, reader)
    with Printed(form, transcript, len(first) == 1) if output is None else Written(output, resume, transcript) as rows:
        units = _with_progress(units_of(files, rows.standing()), named, printed=output is None)
        jobs, units = (1, units) if drawings else (jobs, units) if jobs else jobs_for(units, threads)
        for result in read_units(reader, units, options, jobs, seen):
            rows.add(result)
    if rows.failed:
        sys.exit(1)


def _check_usage(
    pictures: tuple[str, ...], form: str | None, output: str | None, resume: bool, listing: str | None,
    jobs: int | None, threads: int | None, drawing: str | None,
) -> None:  # fmt: skip
    """Raise UsageError for options that do not go together."""
    if not pictures and listing is None:
        raise click.UsageError("name pictures or folders, or a list of them with --list")
    if "-" in pictures and listing == "-":
        raise click.UsageError("standard input is either a picture or a list")
    if resume and output is None:
        raise click.UsageError("--resume goes on with a table: name it with --output")
    if output is not None and form is not None:
        raise click.UsageError(f"--{form} is for standard output: the name of --output says its form")
    if drawing is not None and (output is not None or (jobs or 1) > 1):
        raise click.UsageError("--annotate and --debug draw in one process: leave out --output and --jobs")
    if (jobs or 1) > 1 and (threads or 1) > 1:
        raise click.UsageError("each process of --jobs has one thread: leave out --threads")


def _check_ray(pictures: tuple[str, ...], output: str | None, listing: str | None, excluded: object) -> None:
    """Raise UsageError for options that do not go with --ray."""
    if pictures or listing is None or output is None:
        raise click.UsageError("--ray reads the files of --list into the folder --output, and no other files")
    if listing == "-":
        raise click.UsageError("--ray reads the list more than once: write it to a file")
    if excluded:
        raise click.UsageError("--ray writes Parquet: leave out what prints, draws or sets threads")


def _shard(shard: str | None) -> tuple[int, int]:
    """The number of the shard and of all shards: (2, 8) from "2/8"."""
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", shard or "1/1")
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter("give which of how many, as 2/8", param_hint="--shard")
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class _Files:
    """The files that the arguments and a list name, of one shard."""

    arguments: tuple[str, ...]
    listing: str | None
    shard: tuple[int, int]

    def __iter__(self) -> Iterator[str]:
        from lenet5.scale.listing import listed, sharded

        in_list = () if self.listing is None else listed(self.listing)
        return sharded(files_in(chain(self.arguments, in_list)), self.shard)

    def as_listed(self) -> Iterator[str]:
        """The files of the list as they stand there, folders too, without looking at any."""
        from lenet5.scale.listing import listed, sharded

        assert self.listing is not None
        return sharded(listed(self.listing), self.shard)

    def pages(self) -> int | None:
        """How many pages there are, those of PDFs counted; None where the list is on standard input."""
        from lenet5.forms.stack import count_units

        if self.listing == "-":
            return None
        return sum(count_units([file]) if file.lower().endswith(".pdf") else 1 for file in self)


def _drawing(drawings: Drawings, reader: Reader) -> Seen:
    """Draws each reading as far as asked for, and gives the error of whatever kind if that fails."""

    def draw(file: str, picture: Picture, reading: Reading) -> Exception | None:
        try:
            drawings.keep(file, picture, reading, reader)
        except Exception as error:
            return error
        return None

    return draw


def _with_progress(units: Iterator[Unit], named: _Files, printed: bool) -> Iterator[Unit]:
    """The units one by one, with a progress bar if there are many and stderr is a terminal.

    Where results are ``printed`` on a terminal, they show the progress themselves.
    """
    from lenet5.scale.jobs import peeked

    first, units = peeked(units, _MANY)
    if len(first) < _MANY or not sys.stderr.isatty() or (printed and sys.stdout.isatty()):
        yield from units
        return
    from lenet5.cli.progress import bar

    with bar("{task.completed:,}/{task.total:,} pages") as progress:
        yield from progress.track(units, total=named.pages(), description="reading")


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
