"""``lenet5 demo``: pictures read, then a network trained, with nothing but the package."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray

from lenet5.errors import UnavailableError

__all__ = ["command"]

_PASSES: Final = 60


@click.command("demo", short_help="Read bundled pictures, then train; no download.")
def command() -> None:
    """Read the bundled pictures, then train LeNet-5 on the embedded digits."""
    from lenet5.cli.train import run
    from lenet5.evaluation.evaluate import evaluate
    from lenet5.learning.data import ImageSet, load
    from lenet5.learning.objective import objective
    from lenet5.learning.recipe import MODERN
    from lenet5.learning.train import Training
    from lenet5.reading.reader import Reader

    click.echo("Reading the bundled pictures with the bundled weights (60,000 parameters):\n")
    reader = Reader()
    with resources.as_file(resources.files("lenet5") / "bundled" / "pictures") as folder:
        for picture, truth in pictures(folder):
            reading = reader.read(picture)
            text, remark = reading.text.replace("\n", " / "), "" if reading.text == truth else "   misread"
            click.echo(f"  {picture.name:<28} {text}   {reading.confidence:.1%} sure{remark}")

    click.echo("\nWhat the network saw of the last digit:\n")
    click.echo(as_blocks(reading.digits[-1].image))

    data = load("digits", "train")
    assert isinstance(data, ImageSet)
    recipe = replace(MODERN, passes=_PASSES)
    try:
        to_minimise = objective(recipe.network, recipe.criterion)
    except UnavailableError as missing:
        click.echo(f"\nNot trained: {missing}")
        return
    click.echo(f"\nTraining LeNet-5 from random weights on {len(data.images):,} embedded digits:\n")
    training = Training(data, recipe, to_minimise)
    run(training)
    report = evaluate(load("digits", "test"), Reader(training.weights()))
    program = "lenet5" if shutil.which("lenet5") else os.path.relpath(sys.argv[0])
    click.echo(
        f"\n{report.images - report.errors} of {report.images} unseen digits right. Try next:\n\n"
        f"  {program} read YOUR_PICTURE.png      digits, lines or a page, any photo, scan or drawing\n"
        f"  {program} describe                   the network beside the paper's table\n"
        f"  {program} train --passes 20          the same training on MNIST\n"
        f"  {program} evaluate --report report   errors on MNIST's test set, with the misread pictures"
    )


def pictures(folder: Path) -> list[tuple[Path, str]]:
    """The pictures of a folder with labels.csv, each with its text, lines parted by a line break.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "labels.csv").write_text("file,text\\na.png,41/973\\n")
    ...     [(path.name, text) for path, text in pictures(Path(folder))]
    [('a.png', '41\\n973')]
    """
    with open(folder / "labels.csv", newline="") as file:
        return [(folder / row["file"], row["text"].replace("/", "\n")) for row in csv.DictReader(file)]


def as_blocks(image: NDArray[np.uint8]) -> str:
    """A (28, 28) image as 14 lines of text, each character two pixels high.

    >>> import numpy as np
    >>> image = np.zeros((28, 28), np.uint8)
    >>> image[4:24, 12:16] = 255
    >>> len(as_blocks(image).splitlines()), as_blocks(image).splitlines()[6].strip()
    (14, '████')
    """
    shades = " ░▒▓█"
    pairs = image.reshape(14, 2, 28).mean(axis=1)
    return "\n".join("  " + "".join(shades[int(level / 52)] for level in row) for row in pairs)
