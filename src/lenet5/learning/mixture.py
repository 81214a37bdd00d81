"""What is trained on besides the training images: synthesized images by kind, and whole lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning.distort import Distortion
from lenet5.learning.objective import Objective
from lenet5.learning.sets import ImageSet

__all__ = ["Lines", "Material", "Mixture", "RoundRobin", "SequenceLoss", "Synthesizer"]

Floats = NDArray[np.float32]

IMAGES = "images"
"""The kind of the training images themselves."""


@dataclass(frozen=True)
class Lines:
    """Whole lines, trained on through their segmentation graphs.

    ``per_image`` lines of up to ``longest`` digits are written for each training image, once, before the first pass,
    and ``at_once`` of them are read at each step. The mean loss of a line counts ``weight`` times as much as the mean
    loss of an image.

    >>> lines = Lines(per_image=0.1, longest=6, at_once=8, weight=0.5)
    >>> round(lines.per_image * 60_000)  # lines for MNIST
    6000
    """

    per_image: float
    longest: int
    at_once: int
    weight: float


@dataclass(frozen=True)
class Mixture:
    """What is mixed with the training images: synthesized once, before the first pass.

    ``shares`` are the proportions of each kind of synthesized images in a pass; the training images make up the rest.
    ``distortion`` is drawn anew each time that a synthesized image or a line's candidate is used. A part of a digit
    may look like another digit: rubbish that the network still takes for a character after the fractions ``doubted``
    of all passes is dropped.

    >>> from lenet5.learning.distort import NONE
    >>> mixture = Mixture((("junk", 0.2), ("separators", 0.1)), NONE)
    >>> round(1 - sum(share for _, share in mixture.shares), 2)  # the training images' share of a pass
    0.7
    """

    shares: tuple[tuple[str, float], ...]
    distortion: Distortion
    doubted: tuple[float, ...] = (0.7,)
    lines: Lines | None = None


class SequenceLoss(Protocol):
    """The loss of whole lines, a few of them at each call."""

    def __call__(self, objective: Objective, parameters: Floats) -> tuple[float, Floats]:
        """The mean loss of the next lines, and its gradient (P,)."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Which lines come next, as arrays by name that later calls do not change."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""


@dataclass(frozen=True)
class Material:
    """What a synthesizer provides for one training.

    ``images`` by kind; ``held_out`` images, which calibrate the network; ``lines``, the loss of whole lines, if the
    mixture has lines; ``sources``, the further data sets that were used; ``finish``, which fits the line reader's other
    parameters to a network's penalties and returns them as metadata.

    >>> material = Material({"junk": ImageSet("junk", np.zeros((3, 28, 28), np.uint8), np.full(3, 255, np.uint8))})
    >>> sorted(material.images), material.finish(lambda images: images, 20.0, 1.0)
    (['junk'], {})
    """

    images: Mapping[str, ImageSet]
    held_out: ImageSet | None = None
    lines: SequenceLoss | None = None
    sources: tuple[str, ...] = ()
    finish: Callable[[Callable[[NDArray[np.uint8]], Floats], float, float], Mapping[str, str]] = field(
        default=lambda penalties, j, temperature: {}
    )


class Synthesizer(Protocol):
    """Makes a mixture's synthesized images and lines."""

    def __call__(
        self,
        training: ImageSet,
        held_out: ImageSet | None,
        mixture: Mixture,
        j: float,
        generator: np.random.Generator,
        /,
    ) -> Material:
        """Material from the training images and those held out; ``j`` is the penalty of rubbish."""


class RoundRobin:
    """Numbers of patterns, pass by pass: ``count`` training images come first, then the synthesized ones by kind.

    A pass has ``count`` patterns, in the proportions of the mixture. Each kind is used round robin, in random order.
    Training images take the place of a kind that has no images.

    >>> from lenet5.learning.distort import NONE
    >>> junk = ImageSet("junk", np.zeros((4, 28, 28), np.uint8), np.full(4, 255, np.uint8))
    >>> turns = RoundRobin(10, {"junk": junk}, Mixture((("junk", 0.2),), NONE), np.random.default_rng(0))
    >>> passes = [turns.one_pass() for _ in range(2)]
    >>> [sorted(order[order >= 10].tolist()) for order in passes]  # each once in two passes
    [[10, 12], [11, 13]]
    """

    def __init__(
        self, count: int, synthesized: Mapping[str, ImageSet], mixture: Mixture, generator: np.random.Generator
    ) -> None:
        self._generator = generator
        self._kinds, self._counts = [np.arange(count)], [count]
        start = count
        shares = dict(mixture.shares)
        labels = [np.zeros(count, np.uint8)]
        for kind, images in synthesized.items():
            self._kinds.append(np.arange(start, start + len(images.images)))
            self._counts.append(round(shares.get(kind, 0.0) * count))
            self._counts[0] -= self._counts[-1]
            start += len(images.images)
            labels.append(images.labels)
        self._is_rubbish = np.concatenate(labels) == paper.NOT_A_DIGIT
        self._is_rubbish[:count] = False
        self._waiting = [np.empty(0, np.intp) for _ in self._kinds]

    @property
    def rubbish(self) -> NDArray[np.intp]:
        """The numbers of the synthesized rubbish that is still in use."""
        patterns = np.concatenate(self._kinds)
        return np.asarray(patterns[self._is_rubbish[patterns]])

    def drop(self, doubtful: NDArray[np.intp]) -> None:
        """Stop using the patterns with these numbers, unless no others of their kind are left."""
        for k, kind in enumerate(self._kinds):
            remaining = kind[~np.isin(kind, doubtful)]
            if len(remaining):
                self._kinds[k], self._waiting[k] = remaining, np.empty(0, np.intp)

    def state(self) -> dict[str, NDArray[Any]]:
        """The patterns of each kind that are in use, and those that wait for their turn."""
        kinds = {f"kind {k}": kind for k, kind in enumerate(self._kinds)}
        return kinds | {f"waiting {k}": waiting for k, waiting in enumerate(self._waiting)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        for k in range(len(self._kinds)):
            self._kinds[k], self._waiting[k] = state[f"kind {k}"], state[f"waiting {k}"]

    def one_pass(self) -> NDArray[np.intp]:
        """The patterns of the next pass in random order."""
        patterns = [self._next(kind, n) for kind, n in enumerate(self._counts)]
        return self._generator.permutation(np.concatenate(patterns))

    def _next(self, kind: int, n: int) -> NDArray[np.intp]:
        """The next n patterns of a kind; a new random order begins when all have had their turn."""
        waiting = self._waiting[kind]
        while len(waiting) < n:
            waiting = np.concatenate([waiting, self._generator.permutation(self._kinds[kind])])
        self._waiting[kind] = waiting[n:]
        return np.asarray(waiting[:n])
