"""Samplers: which training patterns the network sees, in which order, as images and labels."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import pixels
from lenet5.learning.distort import affine, distort, transform
from lenet5.learning.mixture import Mixture, RoundRobin
from lenet5.learning.recipe import Recipe
from lenet5.learning.sets import ImageSet, joined
from lenet5.paper import SIDE

__all__ = ["MixedSampler", "Sampler"]

Floats = NDArray[np.float32]
Shown = tuple[Floats, NDArray[np.uint8]]

_PREPARED: Final = 1024  # images distorted at a time


class Sampler:
    """The patterns of a recipe over the images ``which`` (N,) of a set, pass by pass.

    Pattern p is version p // N of image indices[p % N], and version 0 is the image itself. All random numbers
    are drawn from ``generator``, when they are needed. ``threads`` limits the distortion's.

    >>> from lenet5.learning.recipe import FAST
    >>> data = ImageSet("blank", np.zeros((100, 28, 28), np.uint8), np.zeros(100, np.uint8))
    >>> sampler = Sampler(data, np.arange(100), FAST, np.random.default_rng(0))
    >>> sum(len(labels) for _, labels in sampler.one_pass()), sampler.batches_a_pass
    (100, 1)
    """

    def __init__(
        self,
        data: ImageSet,
        indices: NDArray[np.intp],
        recipe: Recipe,
        generator: np.random.Generator,
        threads: int | None = None,
    ) -> None:
        self._data, self._indices, self._recipe, self._generator = data, indices, recipe, generator
        self._threads = threads
        distorted = recipe.versions * len(indices)
        self._maps = affine(recipe.distortion, distorted, generator) if distorted else None
        self._waiting = np.empty(0, np.intp)

    @property
    def batches_a_pass(self) -> int:
        return -(-len(self._indices) // self._recipe.batch)

    def one_pass(self) -> Iterator[Shown]:
        """One pass, batch by batch: as many patterns as there are images, in random order, with their labels.

        Images are in the network's input range.
        """
        order = self.order()
        for first in range(0, self.batches_a_pass, _at_once(self._recipe.batch)):
            yield from self.batches(order, first)

    def order(self) -> NDArray[np.intp]:
        """The patterns of the next pass: as many as there are images, in random order."""
        return self._next(len(self._indices))

    def batches(self, order: NDArray[np.intp], first: int) -> list[Shown]:
        """The batches of a pass in this order that are prepared together, from number ``first`` on."""
        return _batches(order, self.batches_a_pass, first, self._recipe.batch, self.shown)

    def state(self) -> dict[str, NDArray[Any]]:
        """The patterns that wait for their turn."""
        return {"waiting": self._waiting}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        self._waiting = state["waiting"]

    def sample(self, n: int) -> Shown:
        """``n`` patterns at random, or all if there are fewer, as they are shown."""
        patterns = (self._recipe.versions + 1) * len(self._indices)
        return self.shown(self._generator.choice(patterns, min(n, patterns), replace=False))

    def _next(self, n: int) -> NDArray[np.intp]:
        """The next n patterns; a new random order begins when all have had their turn."""
        if len(self._waiting) == 0:
            self._waiting = self._generator.permutation((self._recipe.versions + 1) * len(self._indices))
        patterns, self._waiting = self._waiting[:n], self._waiting[n:]
        return patterns

    def shown(self, patterns: NDArray[np.intp]) -> Shown:
        """The images of these patterns, distorted and in the network's input range, and their labels."""
        version, image = np.divmod(patterns, len(self._indices))
        index = self._indices[image]
        network, images, labels = self._recipe.network, self._data.images[index], self._data.labels[index]
        if self._maps is None:
            return distort(images, self._recipe.distortion, self._generator, network, self._threads), labels
        distorted = images.astype(np.float32)
        changed = np.flatnonzero(version)
        maps = self._maps[(version[changed] - 1) * len(self._indices) + image[changed]]
        distorted[changed] = transform(images[changed], maps, self._threads)
        return pixels.network_input(network, distorted), labels


class MixedSampler:
    """Training images and ``synthesized`` ones by kind, in the proportions of the mixture.

    >>> from lenet5.learning.distort import NONE
    >>> from lenet5.learning.recipe import FAST
    >>> ones = ImageSet("ones", np.zeros((10, 28, 28), np.uint8), np.ones(10, np.uint8))
    >>> junk = ImageSet("junk", np.zeros((4, 28, 28), np.uint8), np.full(4, 255, np.uint8))
    >>> mixture = Mixture((("junk", 0.2),), NONE)
    >>> sampler = MixedSampler(ones, {"junk": junk}, mixture, FAST, np.random.default_rng(0))
    >>> _, labels = sampler.batches(sampler.order(), 0)[0]
    >>> sorted(labels.tolist())
    [1, 1, 1, 1, 1, 1, 1, 1, 255, 255]
    """

    def __init__(
        self,
        training: ImageSet,
        synthesized: Mapping[str, ImageSet],
        mixture: Mixture,
        recipe: Recipe,
        generator: np.random.Generator,
        threads: int | None = None,
    ) -> None:
        self._recipe, self._mixture, self._generator, self._threads = recipe, mixture, generator, threads
        self._training_count, self._all = len(training.images), joined(training.name, training, *synthesized.values())
        self._turns = RoundRobin(self._training_count, synthesized, mixture, generator)

    @property
    def batches_a_pass(self) -> int:
        return -(-self._training_count // self._recipe.batch)

    def order(self) -> NDArray[np.intp]:
        """The patterns of the next pass: as many as there are training images, in random order."""
        return self._turns.one_pass()

    def batches(self, order: NDArray[np.intp], first: int) -> list[Shown]:
        """The batches of a pass in this order that are prepared together, from number ``first`` on."""
        return _batches(order, self.batches_a_pass, first, self._recipe.batch, self.shown)

    def state(self) -> dict[str, NDArray[Any]]:
        """The images in use, and those that wait for their turn."""
        return self._turns.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what :meth:`state` gave."""
        self._turns.restore(state)

    def sample(self, n: int) -> Shown:
        """``n`` images at random, or all if there are fewer, as they are shown."""
        count = len(self._all.images)
        return self.shown(self._generator.choice(count, min(n, count), replace=False))

    def shown(self, patterns: NDArray[np.intp]) -> Shown:
        """The images of these patterns and their labels; synthesized images have a distortion of their own."""
        images = np.empty((len(patterns), SIDE, SIDE), np.float32)
        of_training = patterns < self._training_count
        for selected, distortion in ((of_training, self._recipe.distortion), (~of_training, self._mixture.distortion)):
            originals = self._all.images[patterns[selected]]
            images[selected] = distort(originals, distortion, self._generator, threads=self._threads)
        return pixels.network_input(self._recipe.network, images), self._all.labels[patterns]

    def reconsider(self, passes: int, penalties: Callable[[Floats], Floats]) -> None:
        """Drop the rubbish that looks like a character, after the passes that the mixture names.

        ``penalties`` maps images (N, H, W) to the current network's penalties.
        """
        if passes not in [round(part * self._recipe.passes) for part in self._mixture.doubted]:
            return
        rubbish = self._turns.rubbish
        images = pixels.network_input(self._recipe.network, self._all.images[rubbish])
        self._turns.drop(rubbish[penalties(images).min(axis=1) < self._recipe.criterion.j])


def _at_once(batch: int) -> int:
    """The number of batches that are prepared together: about a thousand images at a time are faster."""
    return max(1, _PREPARED // batch)


def _batches(
    order: NDArray[np.intp], batches: int, first: int, batch: int, shown: Callable[[NDArray[np.intp]], Shown]
) -> list[Shown]:
    """Batches from number ``first`` on of a pass that is divided evenly into ``batches`` batches."""
    stop = min(first + _at_once(batch), batches)
    size, larger = divmod(len(order), batches)  # the first ones have one pattern more
    bounds = [k * size + min(k, larger) for k in range(first, stop + 1)]
    images, labels = shown(order[bounds[0] : bounds[-1]])
    cuts = [slice(low - bounds[0], high - bounds[0]) for low, high in itertools.pairwise(bounds)]
    return [(images[cut], labels[cut]) for cut in cuts]
