"""``lenet5 learn``: a review folder in, weights out that know its hands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lenet5 import __version__
from lenet5.errors import DataError, LeNet5Error

if TYPE_CHECKING:
    from lenet5.forms.learn import Learning, Learnt
    from lenet5.learning.sets import ImageSet
    from lenet5.learning.unipen import Writing

__all__ = ["command"]

_REPLAYED = "learning replays MNIST and UNIPEN, so that nothing is forgotten: set LENET5_DATA to a folder with both"


@click.command("learn", short_help="Learn from corrections: weights that know these hands.")
@click.argument("folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path))
@click.option("--start", default="lenet5", show_default=True, metavar="WEIGHTS", help="Start from these weights.")
@click.option("--output", type=click.Path(dir_okay=False), default="learnt.safetensors", show_default=True)
@click.option("--force", is_flag=True, help="Write the weights even if they are not better.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="At most this many threads.")
def command(folder: Path, start: str, output: str, force: bool, seed: int, threads: int | None) -> None:
    """Learn from what people decided about the fields of FOLDER, which form read --review wrote.

    A fifth of the sheets is held out. MNIST's and UNIPEN's images are replayed, so that nothing else is forgotten. The
    weights are written only if they read the held-out sheets better; without that the exit status is 1.
    """
    from lenet5 import weights as weights_of
    from lenet5.files import require_writable
    from lenet5.forms.corrections import load_corrections
    from lenet5.forms.learn import Learning, Replay
    from lenet5.forms.rules import load_rules

    require_writable(output)
    parent = weights_of.load(start)
    corrections = load_corrections(folder, parent.classes)
    replay = Replay.of(*_data(), seed, _say)
    learning = Learning(parent, corrections, load_rules(folder), replay, seed, threads)
    sheets = len({field.sheet for field in corrections.held_out})
    click.echo(
        f"{corrections.fields} fields, {corrections.left_out} left out: {len(learning.characters.images)} characters "
        f"to learn from, {len(learning.held_out.images)} digits of {sheets} sheets held out"
    )
    _run(learning)
    _say("reading what was held out")
    learnt = learning.learnt(_command_of(folder, start, seed), __version__)
    _report(learnt)
    if not (learnt.better or force):
        raise LeNet5Error(f"not better on the sheets that are held out: {output} is not written; --force writes it")
    learnt.weights.save(output)
    click.echo(f"{output}: lenet5 form read --weights {output} reads with it")


def _data() -> tuple[ImageSet, tuple[Writing, ...]]:
    """MNIST's training images and UNIPEN's writings. Raises DataError in one line that says how to get both."""
    from functools import partial

    from lenet5.cli.progress import Download, bar
    from lenet5.learning.data import ImageSet, load
    from lenet5.learning.unipen import load_unipen, segment_files

    try:
        mnist = load("mnist", "train", progress=Download())
        with bar() as progress:
            task = progress.add_task("reading UNIPEN", total=len(segment_files()))
            writings = load_unipen(progress=Download(), advance=partial(progress.advance, task))
    except DataError as error:
        raise DataError(f"{_REPLAYED} ({error})") from None
    assert isinstance(mnist, ImageSet)
    return mnist, writings


def _run(learning: Learning) -> None:
    """Train with a progress bar, or with twenty lines where stderr is no terminal."""
    from lenet5.cli.progress import bar

    with bar("{task.fields[state]}") as progress:
        task = progress.add_task("learning", total=learning.steps, state="")
        silent = not progress.console.is_terminal
        for step in learning:
            state = f"stage {step.number} of {step.stages}, loss {step.loss:.3f}"
            progress.update(task, completed=step.done, state=state)
            if silent and step.done * 20 // step.steps > (step.done - 1) * 20 // step.steps:
                click.echo(f"{100 * step.done // step.steps}%: {state}", err=True)


def _report(learnt: Learnt) -> None:
    """Print the errors on held-out images and fields, before and after."""
    before, after = learnt.before, learnt.after
    rows = (
        ("digits of corrected sheets", before.digits, after.digits),
        ("fields of corrected sheets", before.fields, after.fields),
        ("MNIST", before.mnist, after.mnist),
        ("digits of UNIPEN's writers", before.unipen, after.unipen),
    )
    click.echo(f"{'held out, wrong':28}{'n':>7}{'before':>16}{'after':>16}")
    for name, (errors_before, count), (errors_after, _) in rows:
        cells = [f"{k} ({100 * k / max(count, 1):.2f}%)" for k in (errors_before, errors_after)]
        click.echo(f"{name:28}{count:>7,}{cells[0]:>16}{cells[1]:>16}")


def _command_of(folder: Path, start: str, seed: int) -> str:
    return f"lenet5 learn {folder} --start {start} --seed {seed}"


def _say(line: str) -> None:
    click.echo(f"lenet5: {line}", err=True)
