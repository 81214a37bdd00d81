"""What a network is shown in training: which patterns, in which order, and each one's images and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import pixels
from lenet5.learning.data import ImageSet, joined
from lenet5.learning.distort import affine, distort, transform
from lenet5.learning.mixture import Mixture, RoundRobin
from lenet5.learning.recipe import Recipe
from lenet5.paper import SIDE

__all__ = ["MixedPresentation", "Presentation"]

Floats = NDArray[np.float32]
Shown = tuple[Floats, NDArray[np.uint8]]

_PREPARED: Final = 1024  # images distorted at a time


class Presentation:
    """The patterns of a recipe over the images ``which`` (N,) of a set, pass by pass.

    Pattern p is version p // N of image which[p % N], and version 0 is the image itself. All random numbers
    are drawn from ``generator``, when they are needed. ``threads`` limits the distortion's.
    """

    def __init__(
        self,
        data: ImageSet,
        which: NDArray[np.intp],
        recipe: Recipe,
        generator: np.random.Generator,
        threads: int | None = None,
    ) -> None:
        self._data, self._which, self._recipe, self._generator = data, which, recipe, generator
        self._threads = threads
        distorted = recipe.versions * len(which)
        self._maps = affine(recipe.distortion, distorted, generator) if distorted else None
        self._waiting = np.empty(0, np.intp)

    @property
    def batches_a_pass(self) -> int:
        return -(-len(self._which) // self._recipe.batch)

    def one_pass(self) -> Iterator[Shown]:
        """As many patterns as there are images, in random order: images in the network's input range, and labels.

        They come batch by batch.
        """
        yield from _batched(self._next(len(self._which)), self.batches_a_pass, self._recipe.batch, self.shown)

    def sample(self, n: int) -> Shown:
        """``n`` patterns at random, or all if there are fewer, as they are shown."""
        patterns = (self._recipe.versions + 1) * len(self._which)
        return self.shown(self._generator.choice(patterns, min(n, patterns), replace=False))

    def _next(self, n: int) -> NDArray[np.intp]:
        """The next n patterns; once all had their turn, they are put into another random order."""
        if len(self._waiting) == 0:
            self._waiting = self._generator.permutation((self._recipe.versions + 1) * len(self._which))
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken

    def shown(self, patterns: NDArray[np.intp]) -> Shown:
        """These patterns as the network sees them: distorted, in its input range; and their labels."""
        version, image = np.divmod(patterns, len(self._which))
        index = self._which[image]
        network, images, labels = self._recipe.network, self._data.images[index], self._data.labels[index]
        if self._maps is None:
            return distort(images, self._recipe.distortion, self._generator, network, self._threads), labels
        distorted = images.astype(np.float32)
        moved = np.flatnonzero(version)
        maps = self._maps[(version[moved] - 1) * len(self._which) + image[moved]]
        distorted[moved] = transform(images[moved], maps, self._threads)
        return pixels.network_input(network, distorted), labels


class MixedPresentation:
    """The training images ``own`` and the ``made`` ones by kind, in the mixture's shares."""

    def __init__(
        self,
        own: ImageSet,
        made: Mapping[str, ImageSet],
        mixture: Mixture,
        recipe: Recipe,
        generator: np.random.Generator,
        threads: int | None = None,
    ) -> None:
        self._recipe, self._mixture, self._generator, self._threads = recipe, mixture, generator, threads
        self._own, self._all = len(own.images), joined(own.name, own, *made.values())
        self._turns = RoundRobin(self._own, made, mixture, generator)

    @property
    def batches_a_pass(self) -> int:
        return -(-self._own // self._recipe.batch)

    def one_pass(self) -> Iterator[Shown]:
        """As many images as there are own ones, in random order, in the network's input range; and labels."""
        yield from _batched(self._turns.one_pass(), self.batches_a_pass, self._recipe.batch, self.shown)

    def sample(self, n: int) -> Shown:
        """``n`` images at random, or all if there are fewer, as they are shown."""
        count = len(self._all.images)
        return self.shown(self._generator.choice(count, min(n, count), replace=False))

    def shown(self, patterns: NDArray[np.intp]) -> Shown:
        """These patterns as the network sees them: distorted, each kind by its own, and their labels."""
        images = np.empty((len(patterns), SIDE, SIDE), np.float32)
        own = patterns < self._own
        for chosen, distortion in ((own, self._recipe.distortion), (~own, self._mixture.distortion)):
            shown = self._all.images[patterns[chosen]]
            images[chosen] = distort(shown, distortion, self._generator, threads=self._threads)
        return pixels.network_input(self._recipe.network, images), self._all.labels[patterns]

    def reconsider(self, passes: int, penalties: Callable[[Floats], Floats]) -> None:
        """After so many passes, where the mixture asks for it, drop the rubbish that looks like a character.

        ``penalties`` gives those of each image (N, H, W) by the network as it stands.
        """
        if passes not in [round(part * self._recipe.passes) for part in self._mixture.doubted]:
            return
        rubbish = self._turns.rubbish
        images = pixels.network_input(self._recipe.network, self._all.images[rubbish])
        self._turns.drop(rubbish[penalties(images).min(axis=1) < self._recipe.criterion.j])


def _batched(
    order: NDArray[np.intp], batches: int, batch: int, shown: Callable[[NDArray[np.intp]], Shown]
) -> Iterator[Shown]:
    """Patterns in this order in so many batches; prepared a thousand at a time, which costs less than one by one."""
    parts = np.array_split(order, batches)
    at_once = max(1, _PREPARED // batch)
    for start in range(0, len(parts), at_once):
        group = parts[start : start + at_once]
        images, labels = shown(np.concatenate(group))
        stop = 0
        for part in group:
            first, stop = stop, stop + len(part)
            yield images[first:stop], labels[first:stop]
