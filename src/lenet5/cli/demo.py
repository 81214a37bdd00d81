"""``lenet5 demo``: pictures read, then a network trained, with nothing but the package."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import Final

import click

__all__ = ["command"]

_PASSES: Final = 60


@click.command("demo")
def command() -> None:
    """Read the bundled pictures, then train LeNet-5 on the embedded digits."""
    from lenet5.cli.train import run
    from lenet5.evaluate import evaluate
    from lenet5.learning.data import ImageSet, load
    from lenet5.learning.objective import TorchObjective
    from lenet5.learning.recipe import MODERN
    from lenet5.learning.train import Training
    from lenet5.reading.reader import Reader

    click.echo("Reading the bundled pictures with the bundled weights (60,000 parameters):\n")
    reader = Reader()
    folder = resources.files("lenet5") / "bundled" / "pictures"
    for picture in sorted(folder.iterdir(), key=lambda p: p.name):
        digit = reader.read(picture.read_bytes(), layout="digit").digits[0]
        click.echo(f"  {picture.name:<28} {digit.label}   sure to {digit.confidence:.1%}")

    click.echo("\nWhat the network saw of the last one:\n")
    click.echo(as_blocks(digit.image))

    data = load("digits", "train")
    assert isinstance(data, ImageSet)
    recipe = replace(MODERN, passes=_PASSES)
    click.echo(f"\nTraining LeNet-5 from random weights on {len(data.images):,} embedded digits:\n")
    training = Training(data, recipe, TorchObjective(recipe.network, recipe.criterion))
    run(training)
    report = evaluate(load("digits", "test"), Reader(training.weights()))
    click.echo(
        f"\n{report.images - report.errors} of {report.images} unseen digits right. Try next:\n\n"
        "  lenet5 read YOUR_PICTURE.png      one digit, any photo, scan or drawing\n"
        "  lenet5 describe                   the network beside the paper's table\n"
        "  lenet5 train                      the same training on MNIST\n"
        "  lenet5 evaluate --report report   errors on MNIST's test set, with the misread pictures"
    )


def as_blocks(image: object) -> str:
    """A 28×28 image as text, two rows of pixels to a line."""
    import numpy as np

    levels = np.asarray(image, np.float32)
    shades = " ░▒▓█"
    pairs = levels.reshape(14, 2, 28).mean(axis=1)
    return "\n".join("  " + "".join(shades[min(4, int(level / 51))] * 1 for level in row) for row in pairs)
