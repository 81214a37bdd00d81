"""What ``lenet5 train`` leaves: a whole file of weights, in a place that can be written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from lenet5.cli.progress import bar, say
from lenet5.errors import LeNet5Error, OutputError
from lenet5.files import other_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lenet5.cli.train_inputs import Inputs
    from lenet5.learning.checkpoint import Options
    from lenet5.learning.recipe import Recipe
    from lenet5.learning.sets import ImageSet
    from lenet5.learning.train import Training
    from lenet5.weights import Weights

__all__ = ["is_finished", "write_weights"]

_SERVES: Final = "pages will be read with the page score of the bundled lenet5"


def write_weights(
    training: Training,
    output: str,
    origin: Mapping[str, str],
    inputs: Inputs,
    seed: int,
    threads: int | None,
    stopped: bool,
) -> bool:
    """Write the best weights, then those with a page score if the recipe has one; returns whether the run is complete.

    Raises OutputError, which names another place, if they cannot be written to ``output``.
    """
    trained = training.weights()
    trained = replace(trained, metadata={**trained.metadata, **origin})
    place, scored = _save(trained, output), trained
    is_complete = not stopped
    if training.recipe.mixture:
        if stopped or training.held_out is None:
            say(f"no page score was fitted, which needs a whole run with held-out images; {_SERVES}")
        else:
            scored = _with_page_score(trained, training.held_out, inputs, seed, threads)
            place, is_complete = _save(scored, place), scored is not trained
    if place != output:
        raise OutputError(f"{output} could not be written; the weights are in {place}")
    if training.best_pass == 0:
        click.echo(f"{output}: stopped before the first pass was over; these weights can hardly read")
        return is_complete
    error = trained.metadata["validation_error_percent"]
    summary = f"the weights of pass {training.best_pass}" + (f", validation error {float(error):.2f}%" if error else "")
    click.echo(f"{output}: {summary}{' (stopped early)' if stopped else ''}")
    return is_complete


def _save(trained: Weights, output: str) -> str:
    """Write weights to a file or, if that fails, to another place, with a note; returns the place."""
    try:
        trained.save(output)
        return output
    except OutputError as error:
        for place in other_places(output):
            with suppress(OutputError):
                trained.save(place)
                say(f"{error}; the weights are in {place} instead")
                return str(place)
        raise


def _with_page_score(trained: Weights, held_out: ImageSet, inputs: Inputs, seed: int, threads: int | None) -> Weights:
    """The weights with their page score, fitted with a progress bar; as they are if Ctrl-C stops that."""
    from lenet5.global_training.material import by_writer
    from lenet5.global_training.page_examples import PageMaker
    from lenet5.global_training.page_score import PAGES, with_page_score
    from lenet5.synthesis.pages import KINDS

    say("fitting the page score to drawn pages, which takes minutes; the weights are written already")
    with bar() as progress:
        task = progress.add_task("reading drawn pages", total=PAGES * len(KINDS))
        make = PageMaker(held_out, by_writer(inputs.writings)[1], seed)
        try:
            return with_page_score(trained, make, seed, threads, partial(progress.advance, task))
        except KeyboardInterrupt:
            say(f"no page score was fitted; {_SERVES}")
            return trained


def is_finished(output: str, options: Options, recipe: Recipe) -> bool:
    """Whether the output holds the weights of a whole run with these options; what differs is said.

    >>> from lenet5.learning.recipe import PAPER
    >>> is_finished("no such file.safetensors", {}, PAPER)
    False
    """
    from lenet5.learning.checkpoint import differing
    from lenet5.weights import load

    try:
        metadata = load(output).metadata
    except LeNet5Error:
        return False
    other = differing(metadata.get("options", ""), options)
    if other is not None:
        say(f"{output} was made {other}, and will be replaced")
        return False
    scored = "score" in metadata or not recipe.mixture or not recipe.validation
    return metadata.get("passes") == str(recipe.passes) and scored
