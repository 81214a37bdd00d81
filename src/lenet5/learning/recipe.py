"""Recipes: how a network is trained, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lenet5 import paper
from lenet5.criterion import CROSS_ENTROPY, Criterion, maximum_a_posteriori
from lenet5.learning.distort import Distortion

__all__ = ["CONCISE", "FAST", "MODERN", "RECIPES", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """One way to train one network with Adam on a one-cycle schedule.

    ``passes`` over the training images in batches of ``batch``; ``rate`` the peak of the schedule;
    ``weight_decay`` what each step takes off the weights, times the rate; ``averaging`` the decay, for each step, of
    the running mean of the weights that is validated and kept; ``validation`` how many of the
    training images are held out.
    """

    name: str
    network: paper.Network
    criterion: Criterion
    passes: int
    batch: int
    rate: float
    weight_decay: float
    averaging: float
    distortion: Distortion
    validation: int


MODERN: Final = Recipe(
    name="modern",
    network=paper.LENET5,
    criterion=maximum_a_posteriori(j=20),
    passes=200,
    batch=64,
    rate=0.004,
    weight_decay=0.05,
    averaging=0.998,
    distortion=Distortion(
        translation=1.2, rotation=10, scaling=0.12, squeezing=0.25, shear=0.22, elastic=0.6, stroke=0.5
    ),
    validation=5_000,
)

CONCISE: Final = Recipe(
    name="concise",
    network=paper.CONCISE,
    criterion=CROSS_ENTROPY,
    passes=40,
    batch=64,
    rate=0.006,
    weight_decay=0.0,
    averaging=0.998,
    distortion=Distortion(
        translation=1.5, rotation=10, scaling=0.1, squeezing=0.1, shear=0.15, elastic=0.4, stroke=0.3
    ),
    validation=5_000,
)

FAST: Final = Recipe(
    name="fast",
    network=paper.LENET5,
    criterion=maximum_a_posteriori(j=8),
    passes=5,
    batch=128,
    rate=0.016,
    weight_decay=0.1,
    averaging=0.99,
    distortion=Distortion(translation=0.7),
    validation=0,
)

RECIPES: Final = {recipe.name: recipe for recipe in (MODERN, CONCISE, FAST)}
