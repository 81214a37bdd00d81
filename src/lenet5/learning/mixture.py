"""What a training shows beside the training images: images made from them, digits and rubbish, and whole strings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning.data import ImageSet
from lenet5.learning.distort import Distortion
from lenet5.learning.objective import Objective

__all__ = ["Lessons", "Maker", "Mixture", "Strings", "Turns", "Tutor"]

Floats = NDArray[np.float32]

Maker = Callable[[ImageSet, np.random.Generator], ImageSet]
"""Training images → images made from them, labelled 0–9 or NOT_A_DIGIT; random numbers from the generator."""


@dataclass(frozen=True)
class Mixture:
    """What joins the images of a training: made from them once, before the first pass.

    ``digits`` and ``rubbish`` are the shares of made digits and made rubbish in each pass;
    ``distortion`` is drawn anew for each presentation of a made image. A part of a digit may look
    like another digit: rubbish that the network, taught otherwise, still takes for a digit after
    the fractions ``doubted`` of all passes is not shown any more.
    """

    digits: float
    rubbish: float
    distortion: Distortion
    doubted: tuple[float, ...] = (0.7,)


@dataclass(frozen=True)
class Strings:
    """Whole strings of the training images that are read in a training, so many ``at_once`` at each step.

    There are ``count`` of them, of up to ``longest`` digits; they are written once, before the first pass. The mean
    loss of a string counts ``weight`` times as much as the mean loss of an image. ``distortion`` is drawn anew for each
    presentation of a candidate.
    """

    count: int
    longest: int
    at_once: int
    weight: float
    distortion: Distortion


class Lessons(Protocol):
    """Strings that take turns."""

    def __call__(self, objective: Objective, parameters: Floats) -> tuple[float, Floats]:
        """The mean loss of the next ones, and its gradient (P,)."""


class Tutor(Protocol):
    """Who makes lessons of training images."""

    def __call__(self, data: ImageSet, strings: Strings, j: float, generator: np.random.Generator) -> Lessons:
        """Lessons with a set's digits; j is the penalty of rubbish. DataError where it has none."""


class Turns:
    """Three kinds of patterns by number: ``own`` training images, then the made ones with these labels (M,).

    Each pass takes as many patterns as there are own images, in the mixture's shares; of each kind
    they take turns. Where nothing of a kind was made, own images take its place.
    """

    def __init__(self, own: int, made: NDArray[np.uint8], mixture: Mixture, generator: np.random.Generator) -> None:
        is_rubbish = made == paper.NOT_A_DIGIT
        digits = round(mixture.digits * own) if not is_rubbish.all() else 0
        rubbish = round(mixture.rubbish * own) if is_rubbish.any() else 0
        self._counts = (own - digits - rubbish, digits, rubbish)
        self._kinds = [np.arange(own), own + np.flatnonzero(~is_rubbish), own + np.flatnonzero(is_rubbish)]
        self._waiting = [np.empty(0, np.intp)] * 3
        self._generator = generator

    @property
    def rubbish(self) -> NDArray[np.intp]:
        """The numbers of the rubbish that still has its turns."""
        return self._kinds[2]

    def drop(self, doubtful: NDArray[np.bool_]) -> None:
        """Give up the rubbish marked in ``doubtful``, one for each of ``rubbish``, unless that is all of it."""
        if not doubtful.all():
            self._kinds[2], self._waiting[2] = self._kinds[2][~doubtful], np.empty(0, np.intp)

    def one_pass(self) -> NDArray[np.intp]:
        """The patterns of the next pass in random order."""
        taken = [self._next(kind, n) for kind, n in enumerate(self._counts)]
        return self._generator.permutation(np.concatenate(taken))

    def _next(self, kind: int, n: int) -> NDArray[np.intp]:
        """The next n patterns of a kind; once all had their turn, they are put into another random order."""
        waiting = self._waiting[kind]
        while len(waiting) < n:
            waiting = np.concatenate([waiting, self._generator.permutation(self._kinds[kind])])
        taken, self._waiting[kind] = waiting[:n], waiting[n:]
        return taken
