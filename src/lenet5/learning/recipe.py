"""Recipes: how a network is trained, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lenet5 import paper
from lenet5.codes import DIGITS, SEPARATORS
from lenet5.criterion import CROSS_ENTROPY, Criterion, maximum_a_posteriori
from lenet5.learning.distort import NONE, Distortion
from lenet5.learning.method import Method, OneCycleAdam, OneCycleMuon, StochasticDiagonal
from lenet5.learning.mixture import Lines, Mixture

__all__ = [
    "CONCISE",
    "DISTORTED",
    "FAST",
    "MODERN",
    "PAPER",
    "PAPER_DISTORTED",
    "READING",
    "RECIPES",
    "Recipe",
    "command_of",
    "taught",
]


@dataclass(frozen=True)
class Recipe:
    """One way to train one network.

    ``passes`` over the training images in batches of ``batch``, the weights moved by ``method``; ``validation``
    how many of the training images are held out. ``distortion`` is drawn anew each time that an image is used, or,
    with ``versions``, once for each of that many distorted versions of an image: these and the image itself are then
    the patterns, and a pass takes as many of them as there are images, until all have been used. A ``mixture`` adds
    synthesized images and lines; training then needs a synthesizer. ``classes`` are the characters that the network
    distinguishes. ``bits`` is how many a weight has in the network that is trained (:mod:`lenet5.quantise`), None for
    float.

    >>> PAPER.passes, PAPER.batch, PAPER.criterion.j, PAPER.validation
    (20, 1, 5, 0)
    >>> replace(FAST, passes=1).passes  # a recipe of your own
    1
    """

    name: str
    network: paper.Network
    criterion: Criterion
    passes: int
    batch: int
    method: Method
    distortion: Distortion
    validation: int
    versions: int = 0
    mixture: Mixture | None = None
    classes: str = DIGITS
    bits: int | None = None


MODERN: Final = Recipe(
    name="modern",
    network=paper.LENET5,
    criterion=CROSS_ENTROPY,
    passes=200,
    batch=128,
    method=OneCycleMuon(rate=0.008, weight_decay=0.05, averaging=0.998),
    distortion=Distortion(
        translation=1.2, rotation=10, scaling=0.12, squeezing=0.16, shear=0.18, elastic=0.6, stroke=0.35
    ),
    validation=5_000,
)
"""For the fewest errors on MNIST alone: with j = ∞ nothing is refused, and other hands are read less well."""

READING: Final = Recipe(
    name="reading",
    network=paper.LENET5,
    criterion=maximum_a_posteriori(j=72),
    passes=220,
    batch=128,
    method=OneCycleMuon(rate=0.008, weight_decay=0.05, averaging=0.998),
    distortion=Distortion(
        translation=1.2, rotation=10, scaling=0.12, squeezing=0.25, shear=0.22, elastic=0.6, stroke=0.5
    ),
    validation=5_000,
    mixture=Mixture(
        shares=(
            ("hard digits", 0.1),
            ("hands", 0.3),
            ("separators", 0.02),
            ("characters of lines", 0.08),
            ("parts of lines", 0.05),
            ("junk", 0.04),
            ("letters", 0.05),
        ),
        distortion=Distortion(
            translation=1, rotation=5, scaling=0.08, squeezing=0.1, shear=0.1, elastic=0.4, stroke=0.3
        ),
        lines=Lines(per_image=16 / 55, longest=6, at_once=6, weight=0.08),
    ),
    classes=DIGITS + SEPARATORS,
)
"""For the writers, pens and sensors that MNIST lacks, for lines with separators, and for rejecting what is no digit:
the bundled weights that read pictures.

Where F6 is 0 every penalty is 84: with j slightly below, an image that excites no unit of F6 is rubbish.
"""

PAPER: Final = Recipe(
    name="paper",
    network=paper.LENET5,
    criterion=maximum_a_posteriori(j=5),
    passes=20,
    batch=1,
    method=StochasticDiagonal(
        rates=(5e-4,) * 2 + (2e-4,) * 3 + (1e-4,) * 3 + (5e-5,) * 4 + (1e-5,), damping=1, patterns=500
    ),
    distortion=NONE,
    validation=0,
)
"""The paper's training (section III-B); what it leaves open and what was chosen stands in docs/accuracy.md."""

PAPER_DISTORTED: Final = replace(
    PAPER, distortion=Distortion(translation=1.5, scaling=0.15, squeezing=0.15, shear=0.2), versions=9
)
"""The same from 600,000 patterns, 540,000 of them distorted (section III-C)."""

CONCISE: Final = Recipe(
    name="concise",
    network=paper.CONCISE,
    criterion=CROSS_ENTROPY,
    passes=30,
    batch=128,
    method=OneCycleMuon(rate=0.008, averaging=0.998),
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
    method=OneCycleAdam(rate=0.016, weight_decay=0.1, averaging=0.99),
    distortion=Distortion(translation=0.7),
    validation=0,
)

RECIPES: Final = {recipe.name: recipe for recipe in (MODERN, READING, PAPER, CONCISE, FAST)}

DISTORTED: Final = {"paper": PAPER_DISTORTED}
"""The recipes that ``--distortions`` stands for, by the name of the recipe without."""


def command_of(
    recipe: str,
    seed: int,
    data: Sequence[str] = (),
    distortions: bool | None = None,
    images: int | None = None,
    held_out: int | None = None,
    passes: int | None = None,
    device: str = "cpu",
    teachers: Sequence[str] = (),
    start: str | None = None,
    quantise: int | None = None,
) -> str:
    """The command that trains with these options; an option that is None, empty or "cpu" is left to the program.

    >>> command_of("paper", seed=2, distortions=True, images=700)
    'lenet5 train --recipe paper --distortions --images 700 --seed 2'
    """
    command = "lenet5 train" + "".join(f" --data {name}" for name in data) + f" --recipe {recipe}"
    command += "" if distortions is None else " --distortions" if distortions else " --no-distortions"
    numbers = {"images": images, "held-out": held_out, "passes": passes, "quantise": quantise}
    for option, value in numbers.items():
        command += "" if value is None else f" --{option} {value}"
    command += "" if device == "cpu" else f" --device {device}"
    command += "".join(f" --teacher {name}" for name in teachers)
    return command + (f" --start {start}" if start else "") + f" --seed {seed}"


_SOFTLY: Final = 4.0


def taught(recipe: Recipe) -> Recipe:
    """The recipe for distillation: the criterion has a temperature of 4, so that the teachers' second choices count.

    >>> taught(MODERN).criterion.temperature
    4.0
    """
    return replace(recipe, criterion=replace(recipe.criterion, temperature=_SOFTLY))
