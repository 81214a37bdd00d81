"""The accuracy record: trains every run that results/accuracy.json lacks, and measures it on MNIST's test set.

    python -m benchmarks.accuracy                             the runs that are missing
    python -m benchmarks.accuracy --recipe modern --again     these recipes' runs again, whatever is there
    python -m benchmarks.accuracy --only distortions          those whose command has this in it
    python -m benchmarks.accuracy --ray                       each run as a task of a Ray cluster (docs/scale.md)

Each run is what its ``command`` does; ``--keep`` keeps the weights, which taught runs need of their teachers.
``seconds`` is processor time of the training with one thread, which another program's load changes little. Several
of these programs at once may share the work, each with its own part.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import record
from benchmarks.accuracy.on_ray import carried_out_on_ray
from lenet5 import paper, pixels, weights
from lenet5.evaluation.evaluate import evaluate
from lenet5.export.c import source
from lenet5.export.c_compiled import compiled, compiler
from lenet5.files import write_beside
from lenet5.learning.data import load
from lenet5.learning.distort import NONE
from lenet5.learning.objective import DistillationObjective, Objective, objective
from lenet5.learning.recipe import DISTORTED, RECIPES, Recipe, command_of, taught
from lenet5.learning.sets import ImageSet, drawn
from lenet5.learning.train import Training
from lenet5.posterior import RUBBISH, probabilities
from lenet5.quantise import BITS
from lenet5.reading.reader import Reader

RESULTS = record.RESULTS / "accuracy.json"
ACCEPTED = 0.5  # the error in percent that rejection has to reach, as in the paper's Fig. 10

Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One training: the options of ``lenet5 train``.

    ``images`` None for all, ``distortions`` for the paper's, ``held_out`` and ``passes`` None for the recipe's own;
    ``teachers`` are runs whose weights teach, ``start`` is one whose weights are the first; ``quantise`` bits a weight.
    """

    recipe: str
    seed: int
    distortions: bool = False
    images: int | None = None
    held_out: int | None = None
    passes: int | None = None
    teachers: tuple[Run, ...] = ()
    quantise: int | None = None
    start: Run | None = None

    @property
    def command(self) -> str:
        return command_of(
            self.recipe,
            self.seed,
            distortions=self.distortions or None,
            images=self.images,
            held_out=self.held_out,
            passes=self.passes,
            teachers=[teacher.weights for teacher in self.teachers],
            start=self.start.weights if self.start else None,
            quantise=self.quantise,
        )

    @property
    def needs(self) -> tuple[Run, ...]:
        """The runs whose weights it is trained with."""
        return tuple(dict.fromkeys((*self.teachers, *([self.start] if self.start else []))))

    @property
    def weights(self) -> str:
        """The name of the file that keeps a run's weights."""
        taught = "taught-" if self.teachers else ""
        taught += f"{self.quantise}-bit-" if self.quantise else ""
        given = "".join(f"-{value}" for value in (self.images, self.held_out, self.passes) if value is not None)
        return f"{taught}{self.recipe}{'-distorted' * self.distortions}{given}-{self.seed}.safetensors"

    def chosen(self) -> Recipe:
        recipe = DISTORTED[self.recipe] if self.distortions else RECIPES[self.recipe]
        recipe = taught(recipe) if self.teachers else recipe
        held_out = recipe.validation if self.held_out is None else self.held_out
        return replace(recipe, passes=self.passes or recipe.passes, validation=held_out, bits=self.quantise)

    def describes(self, row: Row) -> bool:
        """Whether a row of the record is this run."""
        return bool(row["command"] == self.command)


TEACHERS = tuple(Run("modern", seed, held_out=0) for seed in range(5))
IN_FEW_BITS = tuple(
    Run("modern", run.seed, held_out=0, passes=40, teachers=TEACHERS, quantise=bits, start=run)
    for bits in BITS
    for run in TEACHERS
)

RUNS = (
    *(Run("paper", seed) for seed in range(5)),
    *(Run("paper", seed, distortions=True) for seed in range(5)),
    *(Run("paper", seed, images=30_000) for seed in range(5)),
    *(Run("paper", seed, images=15_000) for seed in range(5)),
    *(Run("fast", seed) for seed in range(10)),
    *(Run("concise", seed) for seed in range(5)),
    *(Run("modern", seed) for seed in range(5)),
    *TEACHERS,
    *(Run("modern", seed, held_out=0, passes=80, teachers=TEACHERS) for seed in range(5)),
    *IN_FEW_BITS,
)


def carried_out(run: Run, data: ImageSet, test: ImageSet, keep: Path | None = None) -> Row:
    """A run's row: trained on ``data``, measured on ``test``; its weights are written into folder ``keep``."""
    if run.quantise and compiler() is None:
        raise SystemExit(f"{run.command}: its weights are measured in C, which needs a C compiler")
    recipe = run.chosen()
    if run.images:
        data = drawn(data, run.images, np.random.default_rng(run.seed))
    to_minimise: Objective = objective(recipe.network, recipe.criterion, threads=1)
    start = _kept([run.start], run, data, test, keep)[0] if run.start else None
    if run.teachers:
        known = _kept(run.teachers, run, data, test, keep)
        to_minimise = DistillationObjective(to_minimise, recipe.network, recipe.criterion, known, threads=1)
    training = Training(data, recipe, to_minimise, run.seed, start=start)
    followed = run.recipe == "paper" and not run.distortions and not run.images  # the paper's Fig. 5
    seen, unseen = (Errors(recipe.network, to_minimise, images) for images in (data, test))
    curve: list[list[float]] = []
    seconds, began = 0.0, time.process_time()
    for now in training:
        if followed and now.step * now.passes == now.number * now.steps:
            seconds += time.process_time() - began
            curve.append([seen(training.current), unseen(training.current)])
            began = time.process_time()
    trained = training.weights()
    if keep:
        trained.save(keep / run.weights)
    seconds += time.process_time() - began
    reader = Reader(trained, threads=1)
    report = evaluate(test, reader)
    validation = trained.metadata["validation_error_percent"]
    row = {
        "command": run.command,
        "network": recipe.network.name,
        "recipe": run.recipe,
        "seed": run.seed,
        "passes": recipe.passes,
        "distortions": recipe.distortion != NONE,
        "training_images": run.images or len(data.images) - recipe.validation,
        "teachers": len(run.teachers),
        "test_error_percent": report.error_percent,
        "validation_error_percent": float(validation) if validation else None,
        "seconds": round(seconds, 1),
        "refused": report.refused,
        "training_error_percent": seen(trained.parameters),
        "rejected_percent": rejected_percent(trained, to_minimise, test),
        record.KEY: record.record(),
    }
    row |= {"quantise": run.quantise, "in_c_error_percent": in_c(trained, test)} if run.quantise else {}
    return row | ({"curve": curve} if curve else {}) | {"misread": misread(trained, to_minimise, test)}


def _kept(
    runs: Sequence[Run], needed_by: Run, data: ImageSet, test: ImageSet, folder: Path | None
) -> list[weights.Weights]:
    """The weights of runs from the folder where they are kept; what is not there yet is trained."""
    if folder is None:
        raise SystemExit(f"{needed_by.command}: give --keep FOLDER, where the weights that it needs are or will be")
    for run in runs:
        if not (folder / run.weights).exists():
            carried_out(run, data, test, folder)
    return [weights.load(folder / run.weights) for run in runs]


def in_c(trained: weights.Weights, test: ImageSet) -> float:
    """The test error in percent of weights exported as C in 8-bit integers, a rejected digit an error."""
    with compiled(source(trained, int8=True)) as library:
        return round(100 * float((library.read(test.images).labels != test.labels).mean()), 4)


class Errors:
    """The error in percent of parameters on a set: what the smallest penalty says, nothing refused."""

    def __init__(self, network: paper.Network, to_minimise: Objective, data: ImageSet) -> None:
        self._images, self._labels = pixels.network_input(network, data.images), data.labels
        self._objective = to_minimise

    def __call__(self, parameters: NDArray[np.float32]) -> float:
        answers = self._objective.penalties(parameters, self._images).argmin(axis=1)
        return round(100 * float((answers != self._labels).mean()), 4)


def misread(trained: weights.Weights, to_minimise: Objective, test: ImageSet) -> list[list[int]]:
    """Each test image whose smallest penalty is another digit's: its index and the answer."""
    penalty = to_minimise.penalties(trained.parameters, pixels.network_input(trained.network, test.images))
    answers = penalty.argmin(axis=1)
    return [[int(i), int(answers[i])] for i in np.flatnonzero(answers != test.labels)]


def rejected_percent(trained: weights.Weights, to_minimise: Objective, test: ImageSet) -> float:
    """How many of the images must be rejected, the least sure first, for ACCEPTED percent error on the rest."""
    penalty = to_minimise.penalties(trained.parameters, pixels.network_input(trained.network, test.images))
    confidence = probabilities(penalty, trained.j, trained.temperature)[:, :RUBBISH].max(axis=1)
    surest_first = np.argsort(-confidence, kind="stable")
    wrong = (penalty.argmin(axis=1) != test.labels)[surest_first]
    enough = np.flatnonzero(100 * np.cumsum(wrong) <= ACCEPTED * np.arange(1, len(wrong) + 1))
    return round(100 * (1 - float(enough[-1] + 1) / len(wrong)), 4) if len(enough) else 100.0


def rows() -> list[Row]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def add(run: Run, row: Row) -> None:
    """Put a row into the record, in the order of RUNS, in the place of an older one of the same run."""
    folder = os.open(RESULTS.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # two programs may share the work
        renewed = [old for old in rows() if not run.describes(old)] + [row]
        renewed.sort(key=lambda row: next((k for k, run in enumerate(RUNS) if run.describes(row)), len(RUNS)))
        text = "[\n" + ",\n".join(map(json.dumps, renewed)) + "\n]\n"
        write_beside(RESULTS, text.encode())
    finally:
        os.close(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--recipe", action="append", choices=[*RECIPES], help="these recipes only")
    parser.add_argument("--again", action="store_true", help="also the runs that the record has")
    parser.add_argument("--only", default="", metavar="TEXT", help="the runs whose command has this in it")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write each run's weights there")
    parser.add_argument("--ray", nargs="?", const="", metavar="ADDRESS", help="by a Ray cluster, a core for each run")
    given = parser.parse_args()
    wanted = [run for run in RUNS if run.recipe in (given.recipe or RECIPES) and given.only in run.command]
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    data, test = load("mnist", "train"), load("mnist", "test")
    assert isinstance(data, ImageSet)
    assert isinstance(test, ImageSet)
    wanted = [run for run in wanted if given.again or not any(run.describes(row) for row in rows())]
    if given.ray is None:
        done: Iterator[tuple[Run, Row]] = ((run, carried_out(run, data, test, given.keep)) for run in wanted)
    else:
        done = carried_out_on_ray(wanted, carried_out, data, test, given.keep, given.ray or None)
    for run, row in done:
        add(run, row)
        print({key: row[key] for key in row if key not in ("curve", "misread")}, flush=True)


if __name__ == "__main__":
    main()
