"""What a training shows beside the training images: images by kind, and whole lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning.data import ImageSet
from lenet5.learning.distort import Distortion
from lenet5.learning.objective import Objective

__all__ = ["Lines", "Material", "Mixture", "RoundRobin", "SequenceLoss", "Synthesizer"]

Floats = NDArray[np.float32]

IMAGES = "images"
"""The kind of the training images themselves."""


@dataclass(frozen=True)
class Lines:
    """Whole lines that are read in a training through their segmentation graphs.

    ``per_image`` lines of up to ``longest`` digits are written for each training image, once, before the first pass,
    and ``at_once`` of them are read at each step. The mean loss of a line counts ``weight`` times as much as the mean
    loss of an image.
    """

    per_image: float
    longest: int
    at_once: int
    weight: float


@dataclass(frozen=True)
class Mixture:
    """What joins the images of a training: made once, before the first pass.

    ``shares`` are those of each kind of made images in a pass, the training images have the rest; ``distortion`` is
    drawn anew for each presentation of a made image or of a line's candidate. A part of a digit may look like another
    digit: rubbish that the network still takes for a character after the fractions ``doubted`` of all passes is not
    shown any more.
    """

    shares: tuple[tuple[str, float], ...]
    distortion: Distortion
    doubted: tuple[float, ...] = (0.7,)
    lines: Lines | None = None


class SequenceLoss(Protocol):
    """Lines that take turns."""

    def __call__(self, objective: Objective, parameters: Floats) -> tuple[float, Floats]:
        """The mean loss of the next ones, and its gradient (P,)."""


@dataclass(frozen=True)
class Material:
    """What a synthesizer made for one training.

    ``images`` by kind; ``held_out`` images that calibrate the network; ``lines`` the loss of whole lines, if the
    mixture reads some; ``sources`` describe what else it was made from; ``finish`` fits what else reading needs to a
    network's penalties and gives it as metadata.
    """

    images: Mapping[str, ImageSet]
    held_out: ImageSet | None = None
    lines: SequenceLoss | None = None
    sources: tuple[str, ...] = ()
    finish: Callable[[Callable[[NDArray[np.uint8]], Floats], float, float], Mapping[str, str]] = field(
        default=lambda penalties, j, temperature: {}
    )


class Synthesizer(Protocol):
    """Makes what a mixture shows beside the training images."""

    def __call__(
        self, own: ImageSet, held_out: ImageSet | None, mixture: Mixture, j: float, generator: np.random.Generator
    ) -> Material:
        """Material from the training images and those held out; ``j`` is the penalty of rubbish."""


class RoundRobin:
    """Patterns by number: ``own`` training images, then the made ones, kind after kind; each kind takes turns.

    Each pass takes as many patterns as there are own images, in the mixture's shares. Own images take the place of a
    kind of which nothing was made.
    """

    def __init__(
        self, own: int, made: Mapping[str, ImageSet], mixture: Mixture, generator: np.random.Generator
    ) -> None:
        self._generator = generator
        self._kinds, self._counts = [np.arange(own)], [own]
        start = own
        shares = dict(mixture.shares)
        labels = [np.zeros(own, np.uint8)]
        for kind, images in made.items():
            self._kinds.append(np.arange(start, start + len(images.images)))
            self._counts.append(round(shares.get(kind, 0.0) * own))
            self._counts[0] -= self._counts[-1]
            start += len(images.images)
            labels.append(images.labels)
        self._is_rubbish = np.concatenate(labels) == paper.NOT_A_DIGIT
        self._is_rubbish[:own] = False
        self._waiting = [np.empty(0, np.intp) for _ in self._kinds]

    @property
    def rubbish(self) -> NDArray[np.intp]:
        """The numbers of the made rubbish that still has its turns."""
        every = np.concatenate(self._kinds)
        return np.asarray(every[self._is_rubbish[every]])

    def drop(self, doubtful: NDArray[np.intp]) -> None:
        """Give up the patterns with these numbers, unless that is all of a kind."""
        for k, kind in enumerate(self._kinds):
            kept = kind[~np.isin(kind, doubtful)]
            if len(kept):
                self._kinds[k], self._waiting[k] = kept, np.empty(0, np.intp)

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
        return np.asarray(taken)
