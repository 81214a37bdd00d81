"""``lenet5 evaluate``: a labelled data set in, errors out."""

from __future__ import annotations

import json
import sys

import click

__all__ = ["command"]


@click.command("evaluate", short_help="Measure weights on a labelled data set.")
@click.option(
    "--data",
    default="mnist",
    show_default=True,
    help="mnist, digits, unipen and unipen-numbers (held-out writers), or a path: a folder with IDX files; "
    "a folder with subfolders 0…9 of pictures; "
    "a folder with labels.csv; an .npz with images and labels.",
)
@click.option("--layout", type=click.Choice(["auto", "digit", "line", "page"]), default="digit", show_default=True)
@click.option("--not-digits", is_flag=True, help="Nothing in the set is a digit: everything should be rejected.")
@click.option("--weights", default="lenet5", show_default=True, help="A bundled name or a .safetensors file.")
@click.option("--threads", type=click.IntRange(min=1), help="At most this many threads.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--report", type=click.Path(file_okay=False), metavar="FOLDER", help="Write the report and its pictures.")
def command(
    data: str, layout: str, not_digits: bool, weights: str, threads: int | None, as_json: bool, report: str | None
) -> None:
    """Measure weights on a labelled data set: error with a 95% interval, confusions, misread pictures.

    A rejected digit counts as an error. Label 255 means "not a digit": any answer but a rejection is an error.
    """
    from lenet5.cli.progress import Download, bar
    from lenet5.evaluation.evaluate import evaluate
    from lenet5.evaluation.report import as_text, write_folder
    from lenet5.learning.data import ImageSet, load
    from lenet5.reading.reader import Reader

    reader = Reader(weights, threads=threads)
    loaded = load(data, "test", not_digits, progress=Download())
    total = len(loaded.images if isinstance(loaded, ImageSet) else loaded.pictures)
    with bar() as progress:
        task = progress.add_task("reading", total=total)
        measured = evaluate(loaded, reader, layout, lambda done: progress.advance(task, done))
    click.echo(json.dumps(measured.to_json()) if as_json else as_text(measured))
    if not isinstance(loaded, ImageSet) and loaded.texts and layout == "digit":
        click.echo("lenet5: layout digit reads one digit a picture; this set has texts", err=True)
    for reason in measured.unreadable:
        click.echo(f"lenet5: {reason}", err=True)
    if report:
        for path in write_folder(measured, report):
            click.echo(f"lenet5: wrote {path}", err=True)
    if measured.unreadable:
        sys.exit(1)
