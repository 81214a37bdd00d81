"""What the paper leaves open in its training, each choice tried on held-out training images.

python -m benchmarks.accuracy.choices            the choices that results/choices.json lacks; docs: make docs
python -m benchmarks.accuracy.choices --again    all of them

Each trains on IMAGES of MNIST's training images and is measured on HELD_OUT others. The test set is not read.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace

import numpy as np

from benchmarks import record
from benchmarks.accuracy.__main__ import Errors
from lenet5.criterion import CROSS_ENTROPY, MEAN_PENALTY, maximum_a_posteriori
from lenet5.files import write_beside
from lenet5.learning.data import ImageSet, load
from lenet5.learning.distort import Distortion
from lenet5.learning.method import StochasticDiagonal
from lenet5.learning.objective import objective
from lenet5.learning.recipe import PAPER, PAPER_DISTORTED, Recipe
from lenet5.learning.train import Training

RESULTS = record.RESULTS / "choices.json"
IMAGES, HELD_OUT, SPLIT_SEED, SEEDS = 20_000, 10_000, 1998, 3


@dataclass(frozen=True)
class Choice:
    """One way to fill a gap: ``what`` is left open, and the recipe with it filled so."""

    what: str
    name: str
    recipe: Recipe


def _rates(factor: float, damping: float) -> Recipe:
    """The recipe with the published η times ``factor``, and this μ."""
    method = PAPER.method
    assert isinstance(method, StochasticDiagonal)
    rates = tuple(factor * rate for rate in method.rates)
    return replace(PAPER, method=replace(method, rates=rates, damping=damping))


_NEITHER, _CRITERION, _SCALE, _AMOUNT = "no distortions", "criterion", "scale of the rates", "amount of distortion"


def _distorted(share: float) -> Recipe:
    """The recipe's distortions, each times ``share``."""
    amounts = {name: share * amount for name, amount in asdict(PAPER_DISTORTED.distortion).items()}
    return replace(PAPER_DISTORTED, distortion=Distortion(**amounts))


CHOICES = (
    Choice(_NEITHER, "the recipe: eq. 9, j = 5; μ = 1", PAPER),
    Choice(_CRITERION, "eq. 8", replace(PAPER, criterion=MEAN_PENALTY)),
    *(Choice(_CRITERION, f"eq. 9, j = {j}", replace(PAPER, criterion=maximum_a_posteriori(j))) for j in (1, 2, 10, 20)),
    Choice(_CRITERION, "eq. 9, j = ∞", replace(PAPER, criterion=CROSS_ENTROPY)),
    Choice(_SCALE, "μ = 0.02, η as published", _rates(1, 0.02)),
    Choice(_SCALE, "μ = 0.02, a tenth of η", _rates(0.1, 0.02)),
    Choice(_SCALE, "μ = 0.3, η as published", _rates(1, 0.3)),
    Choice(_SCALE, "μ = 1, twice η", _rates(2, 1)),
    Choice(_SCALE, "μ = 2, η as published", _rates(1, 2)),
    *(Choice(_AMOUNT, f"{share:g} times the recipe's", _distorted(share)) for share in (0.5, 1, 1.5)),
)


def carried_out(choice: Choice, seed: int, data: ImageSet, held_out: ImageSet) -> dict[str, object]:
    recipe = choice.recipe
    to_minimise = objective(recipe.network, recipe.criterion, threads=1)
    training = Training(data, recipe, to_minimise, seed)
    for _ in training:
        pass
    error = Errors(recipe.network, to_minimise, held_out)(training.current)
    row = {"what": choice.what, "choice": choice.name, "seed": seed, "validation_error_percent": error}
    return row | {record.KEY: record.record()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.choices", description=__doc__)
    parser.add_argument("--again", action="store_true", help="also the choices that the results have")
    again = parser.parse_args().again
    split = np.random.default_rng(SPLIT_SEED).permutation(60_000)[: HELD_OUT + IMAGES]
    mnist = load("mnist", "train")
    assert isinstance(mnist, ImageSet)
    held_out, data = (
        replace(mnist, images=mnist.images[which], labels=mnist.labels[which])
        for which in (split[:HELD_OUT], split[HELD_OUT:])
    )
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() and not again else []
    for seed in range(SEEDS):
        for choice in CHOICES:
            if not any((row["what"], row["choice"], row["seed"]) == (choice.what, choice.name, seed) for row in rows):
                rows.append(carried_out(choice, seed, data, held_out))
                print(rows[-1], flush=True)
                rows.sort(key=lambda row: [(c.what, c.name) for c in CHOICES].index((row["what"], row["choice"])))
                write_beside(RESULTS, ("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n").encode())


if __name__ == "__main__":
    main()
