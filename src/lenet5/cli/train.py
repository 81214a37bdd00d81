"""``lenet5 train``: data in, weights out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lenet5 import __version__
from lenet5.errors import DataError

if TYPE_CHECKING:
    from lenet5.learning.data import ImageSet
    from lenet5.learning.recipe import Recipe
    from lenet5.learning.train import Training
    from lenet5.learning.unipen import Writing
    from lenet5.weights import Weights

__all__ = ["command"]

_SERVES: Final = "pages will be read with the page score of the bundled lenet5"
_RECIPES: Final = ("modern", "reading", "paper", "concise", "fast")


@click.command("train", short_help="Train a network and write its weights.")
@click.option(
    "--data",
    "sets",
    multiple=True,
    help="mnist, digits, unipen, a folder or an .npz file; repeatable.  [default: mnist; recipe reading: and unipen]",
)
@click.option("--recipe", type=click.Choice(_RECIPES), default="modern", show_default=True)
@click.option("--passes", type=click.IntRange(min=1), help="Passes over the training images; by default the recipe's.")
@click.option("--images", type=click.IntRange(min=1), help="Train on N of the images, drawn with the seed.")
@click.option(
    "--held-out",
    type=click.IntRange(min=0),
    help="Hold out N images to validate and calibrate; by default as many as the recipe says.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--distortions/--no-distortions", default=None, help="Distort the images; by default as the recipe says.")
@click.option("--start", metavar="WEIGHTS", help="Start from these weights: a bundled name or a file.")
@click.option("--teacher", "teachers", metavar="WEIGHTS", multiple=True, help="Distil from these weights; repeatable.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="At most this many threads.")
@click.option("--output", type=click.Path(dir_okay=False), default="lenet5.safetensors", show_default=True)
def command(
    sets: tuple[str, ...],
    recipe: str,
    passes: int | None,
    images: int | None,
    held_out: int | None,
    seed: int,
    distortions: bool | None,
    start: str | None,
    teachers: tuple[str, ...],
    device: str,
    threads: int | None,
    output: str,
) -> None:
    """Train a network and write its weights.

    Ctrl-C ends the run early and still writes the best weights so far.
    """
    import numpy as np

    from lenet5.files import require_writable
    from lenet5.global_training.material import Synthesis
    from lenet5.learning.data import described, drawn, joined
    from lenet5.learning.objective import DistillationObjective, Objective, objective
    from lenet5.learning.recipe import command_of, taught
    from lenet5.learning.train import Training
    from lenet5.weights import load as load_weights

    training_recipe = _chosen(recipe, passes, distortions, held_out)
    require_writable(output)
    before = load_weights(start) if start else None
    training_recipe = taught(training_recipe) if teachers else training_recipe
    to_minimise: Objective = objective(
        training_recipe.network, training_recipe.criterion, device, threads, training_recipe.classes
    )
    if teachers:
        known = [load_weights(name) for name in teachers]
        to_minimise = DistillationObjective(
            to_minimise, training_recipe.network, training_recipe.criterion, known, threads, training_recipe.classes
        )
    sets = sets or (("mnist", "unipen") if training_recipe.mixture else ("mnist",))
    writings = _writings([name for name in sets if _is_unipen(name)]) if training_recipe.mixture else ()
    images_of = [name for name in sets if not (training_recipe.mixture and _is_unipen(name))]
    if not images_of:
        raise click.UsageError(f"recipe {recipe} needs images beside UNIPEN: --data mnist --data unipen")
    parts = [_images(name) for name in images_of]
    loaded = parts[0]
    if len(parts) > 1:
        names = tuple(described(part, len(part.images)) for part in parts)
        loaded = replace(joined(" and ".join(part.name for part in parts), *parts), parts=names)
    if images:
        loaded = drawn(loaded, images, np.random.default_rng(seed))
    synthesis = Synthesis(writings, training_recipe.classes, _say)
    training = Training(loaded, training_recipe, to_minimise, seed, synthesis, threads, before)
    stopped = run(training)
    command = command_of(
        recipe,
        seed,
        sets,
        distortions,
        images,
        held_out,
        training_recipe.passes,
        device,
        teachers,
        start if before else None,
    )
    origin = {"start": before.metadata.get("command", "")} if before else {}
    trained = training.weights()
    trained = replace(
        trained, metadata={**trained.metadata, **origin, "lenet5_version": __version__, "command": command}
    )
    trained.save(output)
    if training_recipe.mixture:
        if stopped or training.held_out is None:
            _say(f"no page score was fitted, which needs a whole run with held-out images; {_SERVES}")
        else:
            _with_page_score(trained, training.held_out, writings, seed, threads).save(output)
    if training.best_pass == 0:
        click.echo(f"{output}: stopped before the first pass was over; these weights can hardly read")
        return
    error = trained.metadata["validation_error_percent"]
    kept = f"the weights of pass {training.best_pass}" + (f", validation error {float(error):.2f}%" if error else "")
    click.echo(f"{output}: {kept}{' (stopped early)' if stopped else ''}")


def _with_page_score(
    trained: Weights, held_out: ImageSet, writings: tuple[Writing, ...], seed: int, threads: int | None
) -> Weights:
    """The weights with their page score, fitted with a progress bar; without one if Ctrl-C stops that."""
    from lenet5.cli.progress import bar
    from lenet5.global_training.material import by_writer
    from lenet5.global_training.page_score import PAGES, PageMaker, with_page_score
    from lenet5.synthesis.pages import KINDS

    _say("fitting the page score to drawn pages, which takes minutes; the weights are written already")
    with bar() as progress:
        task = progress.add_task("reading drawn pages", total=PAGES * len(KINDS))
        make = PageMaker(held_out, by_writer(writings)[1], seed)
        try:
            return with_page_score(trained, make, seed, threads, partial(progress.advance, task))
        except KeyboardInterrupt:
            _say(f"no page score was fitted; {_SERVES}")
            return trained


def _is_unipen(name: str) -> bool:
    from lenet5.learning.unipen import is_unipen

    return name == "unipen" or is_unipen(Path(name))


def _writings(names: list[str]) -> tuple[Writing, ...]:
    """The writings of UNIPEN, a line on stderr for each file that cannot be used."""
    from lenet5.cli.progress import Download, bar
    from lenet5.learning.unipen import load_unipen, segment_files

    writings: tuple[Writing, ...] = ()
    for name in names:
        with bar() as progress:
            task = progress.add_task("reading UNIPEN", total=len(segment_files()))
            path = None if name == "unipen" else Path(name)
            writings += load_unipen(path, progress=Download(), report=_say, advance=partial(progress.advance, task))
    return writings


def _say(line: str) -> None:
    """A line for the user, beside the results."""
    click.echo(f"lenet5: {line}", err=True)


def _images(data: str) -> ImageSet:
    """A data set as images; pictures of single digits are found and normalised by the reader."""
    from lenet5.cli.progress import Download, bar
    from lenet5.evaluation.evaluate import as_images
    from lenet5.learning.data import ImageSet, load
    from lenet5.reading.reader import Reader

    loaded = load(data, "train", progress=Download())
    if isinstance(loaded, ImageSet):
        return loaded
    if loaded.texts:
        raise DataError(f"{data} holds texts; training needs pictures of single digits")
    pictures = len(loaded.pictures)
    with bar() as progress:
        task = progress.add_task("normalising", total=pictures)
        images = as_images(loaded, Reader(), lambda done: progress.advance(task, done))
    if len(images.images) < pictures:
        click.echo(f"lenet5: left out {pictures - len(images.images)} unreadable or blank pictures", err=True)
    return images


def _chosen(name: str, passes: int | None, distortions: bool | None, held_out: int | None) -> Recipe:
    """The recipe with the user's options."""
    from lenet5.learning.distort import NONE
    from lenet5.learning.recipe import DISTORTED, RECIPES

    recipe = RECIPES[name]
    if distortions:
        recipe = DISTORTED.get(name, recipe)
    return replace(
        recipe,
        passes=passes or recipe.passes,
        validation=recipe.validation if held_out is None else held_out,
        distortion=NONE if distortions is False else recipe.distortion,
    )


def run(training: Training) -> bool:
    """Train with a progress bar; returns whether Ctrl-C stopped it before its end."""
    from lenet5.cli.progress import bar

    with bar("{task.fields[state]}") as progress:
        task = progress.add_task("training", total=training.steps, state="")
        silent = not progress.console.is_terminal
        try:
            for now in training:
                if now.step * 1000 // now.steps == (now.step - 1) * 1000 // now.steps:
                    continue  # an update of the bar for every single pattern would take as long as training on it
                state = f"pass {now.number}/{now.passes}, loss {now.loss:.3f}"
                if now.validation_error_percent is not None:
                    state += f", validation {now.validation_error_percent:.2f}%"
                progress.update(task, completed=now.step, state=state)
                if silent and now.step * 20 // now.steps > (now.step - 1) * 20 // now.steps:
                    click.echo(state, err=True)  # a bar cannot move in a file: twenty lines instead
        except KeyboardInterrupt:
            return True
    return False
