"""``lenet5 train``: data in, weights out."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lenet5 import __version__
from lenet5.cli.progress import say
from lenet5.errors import OutputError
from lenet5.files import require_writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lenet5.cli.train_inputs import Inputs
    from lenet5.learning.checkpoint import Autosave, Options
    from lenet5.learning.objective import Objective
    from lenet5.learning.recipe import Recipe
    from lenet5.learning.sets import ImageSet
    from lenet5.learning.train import Training
    from lenet5.weights import Weights

__all__ = ["command", "run"]

_RECIPES: Final = ("modern", "reading", "paper", "concise", "fast")


@click.command("train", short_help="Train a network and write its weights.")
@click.option(
    "--data",
    "sets",
    multiple=True,
    help="mnist, digits, unipen, a folder or an .npz file; repeatable.  [default: mnist; recipe reading: and unipen]",
)
@click.option("--recipe", "name", type=click.Choice(_RECIPES), default="modern", show_default=True)
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
@click.option("--quantise", type=click.Choice(["8", "4"]), help="Train weights that are rounded to so many bits.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="At most this many threads.")
@click.option("--output", type=click.Path(dir_okay=False), default="lenet5.safetensors", show_default=True)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False),
    help="Where a stopped run is kept, written after each pass and each minute.  [default: OUTPUT.checkpoint]",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, if there is one; with the same options.")
def command(
    sets: tuple[str, ...],
    name: str,
    passes: int | None,
    images: int | None,
    held_out: int | None,
    seed: int,
    distortions: bool | None,
    start: str | None,
    teachers: tuple[str, ...],
    quantise: str | None,
    device: str,
    threads: int | None,
    output: str,
    checkpoint: str | None,
    resume: bool,
) -> None:
    """Train a network and write its weights.

    Ctrl-C, TERM and HUP end the run early and still write the best weights so far. With --resume the same command
    goes on from the last checkpoint, whatever stopped it; the weights are those of a run that was never stopped, to
    the last bit. Without --resume an existing checkpoint stops the command: remove it to begin anew.
    """
    from threadpoolctl import threadpool_limits

    from lenet5.cli.stopping import stop_like_ctrl_c
    from lenet5.cli.train_inputs import load_inputs
    from lenet5.cli.train_outputs import is_finished, write_weights
    from lenet5.global_training.material import Synthesis
    from lenet5.learning.checkpoint import Autosave, load, summary
    from lenet5.learning.recipe import command_of, taught
    from lenet5.learning.train import Training
    from lenet5.weights import load as load_weights

    bits = int(quantise) if quantise else None
    recipe = _recipe(name, passes, distortions, held_out, bits)
    recipe = taught(recipe) if teachers else recipe
    sets = sets or (("mnist", "unipen") if recipe.mixture else ("mnist",))
    arguments = (name, seed, sets, distortions, images, held_out, recipe.passes, device, teachers, start, bits)
    origin = {"lenet5_version": __version__, "command": command_of(*arguments)}
    checkpoint = checkpoint or f"{output}.checkpoint"
    if os.path.realpath(checkpoint) == os.path.realpath(output):
        raise click.BadParameter("give another file than --output", param_hint="--checkpoint")
    for path in (output, checkpoint):
        require_writable(path)
    # One thread of BLAS: its sums have one order then, and trainings side by side do not wait for each other.
    with stop_like_ctrl_c(), threadpool_limits(1, "blas"), _locked(checkpoint, resume):
        initial = load_weights(start) if start else None
        teachers_weights = [load_weights(teacher) for teacher in teachers]
        to_minimise = _objective(recipe, teachers_weights, device, threads)
        inputs = load_inputs(sets, recipe, images, seed)
        synthesis = Synthesis(inputs.writings, recipe.classes, say)
        options = _options(recipe, seed, sets, images, device, inputs, initial, teachers_weights, synthesis.sources)
        state = load(checkpoint, options) if resume else None
        if resume and state is None:
            if is_finished(output, options, recipe):
                click.echo(f"{output}: finished already, with the same options and data; remove it to train again")
                return
            say(f"there is no checkpoint {checkpoint} yet: training from the start")
        training = Training(inputs.images, recipe, to_minimise, seed, synthesis, threads, initial)
        if state is not None:
            training.resume(state)
            say(f"going on after step {state.step:,} of {training.steps:,}")
        origin |= {"options": summary(options)} | ({"start": initial.metadata.get("command", "")} if initial else {})
        stopped = run(training, Autosave(checkpoint, options, say))
        is_complete = write_weights(training, output, origin, inputs, seed, threads, stopped)
    if is_complete:
        Path(checkpoint).unlink(missing_ok=True)
    else:
        say("the same command with --resume goes on")


@contextmanager
def _locked(checkpoint: str, resume: bool) -> Iterator[None]:
    """Lock the checkpoint. Raises OutputError where another run writes it, or where it would be replaced."""
    from lenet5.tables import Lock

    lock = Lock(Path(checkpoint))
    try:
        if not resume and os.path.lexists(checkpoint):
            raise OutputError(f"{checkpoint} exists: --resume goes on with that training; to begin anew, remove it")
        yield
    finally:
        lock.release()


def _objective(recipe: Recipe, teachers: Sequence[Weights], device: str, threads: int | None) -> Objective:
    """The recipe's objective, of what the teachers say if there are any."""
    from lenet5.learning.objective import DistillationObjective, objective

    student = objective(recipe.network, recipe.criterion, device, threads, recipe.classes)
    if not teachers:
        return student
    return DistillationObjective(student, recipe.network, recipe.criterion, teachers, threads, recipe.classes)


def _options(
    recipe: Recipe,
    seed: int,
    sets: Sequence[str],
    images: int | None,
    device: str,
    inputs: Inputs,
    start: Weights | None,
    teachers: Sequence[Weights],
    sources: Sequence[str],
) -> Options:
    """What determines the bits of a run's weights, by the names that the user knows."""
    from lenet5.learning.sets import described

    images_of = inputs.images
    return {
        "--recipe": recipe.name,
        "--seed": str(seed),
        "--passes": str(recipe.passes),
        "--data": " ".join(sets),
        "--images": str(images or "all"),
        "--held-out": str(recipe.validation),
        "--distortions": f"{recipe.distortion}, {recipe.versions} versions",
        "--quantise": str(recipe.bits or "float"),
        "--device": device,
        "--start": _digest(start) if start else "none",
        "--teacher": " ".join(map(_digest, teachers)) or "none",
        "content of --data": "; ".join([described(images_of, len(images_of.images)), _labels(images_of), *sources]),
        "version of lenet5": f"{__version__}, {recipe}",
    }


def _labels(images: ImageSet) -> str:
    """A digest of the labels of images, and of their groups, which decide what is held out."""
    groups = b"" if images.groups is None else images.groups.tobytes()
    return f"labels {sha256(images.labels.tobytes() + groups).hexdigest()}"


def _digest(weights: Weights) -> str:
    return f"{weights.name} {sha256(weights.parameters.tobytes()).hexdigest()}"


def _recipe(name: str, passes: int | None, distortions: bool | None, held_out: int | None, bits: int | None) -> Recipe:
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
        bits=bits,
    )


def run(training: Training, autosave: Autosave | None = None) -> bool:
    """Train with a progress bar, keeping checkpoints; returns whether Ctrl-C stopped it before its end."""
    from lenet5.cli.progress import bar

    with bar("{task.fields[state]}") as progress:
        completed = training.checkpoint.step
        task = progress.add_task("training", total=training.steps, completed=completed, state="")
        silent = not progress.console.is_terminal
        try:
            for report in training:
                if autosave:
                    autosave(training.checkpoint)
                if report.step * 1000 // report.steps == (report.step - 1) * 1000 // report.steps:
                    continue  # an update of the bar for every single pattern would take as long as training on it
                state = f"pass {report.number}/{report.passes}, loss {report.loss:.3f}"
                if report.validation_error_percent is not None:
                    state += f", validation {report.validation_error_percent:.2f}%"
                progress.update(task, completed=report.step, state=state)
                if silent and report.step * 20 // report.steps > (report.step - 1) * 20 // report.steps:
                    click.echo(state, err=True)  # a bar cannot move in a file: twenty lines instead
        except KeyboardInterrupt:
            if autosave:
                autosave.write(training.checkpoint)
            return True
    return False
