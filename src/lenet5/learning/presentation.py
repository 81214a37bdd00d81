"""What a network is shown in training: which patterns, in which order, and each one's images and labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import pixels
from lenet5.learning.data import ImageSet
from lenet5.learning.distort import affine, distort, transform
from lenet5.learning.recipe import Recipe

__all__ = ["Presentation"]

Floats = NDArray[np.float32]

_PREPARED: Final = 1024  # images distorted at a time


class Presentation:
    """The patterns of a recipe over the images ``which`` (N,) of a set, pass by pass.

    Pattern p is version p // N of image which[p % N], and version 0 is the image itself. All random numbers
    are drawn from ``generator``, when they are needed.
    """

    def __init__(self, data: ImageSet, which: NDArray[np.intp], recipe: Recipe, generator: np.random.Generator) -> None:
        self._data, self._which, self._recipe, self._generator = data, which, recipe, generator
        distorted = recipe.versions * len(which)
        self._maps = affine(recipe.distortion, distorted, generator) if distorted else None
        self._waiting = np.empty(0, np.intp)

    @property
    def batches_a_pass(self) -> int:
        return -(-len(self._which) // self._recipe.batch)

    def one_pass(self) -> Iterator[tuple[Floats, NDArray[np.uint8]]]:
        """As many patterns as there are images, in random order: images in the network's input range, and labels.

        They come batch by batch; prepared a thousand at a time, which costs less than one by one.
        """
        batches = np.array_split(self._next(len(self._which)), self.batches_a_pass)
        at_once = max(1, _PREPARED // self._recipe.batch)
        for start in range(0, len(batches), at_once):
            group = batches[start : start + at_once]
            images, labels = self.shown(np.concatenate(group))
            stop = 0
            for batch in group:
                first, stop = stop, stop + len(batch)
                yield images[first:stop], labels[first:stop]

    def sample(self, n: int) -> tuple[Floats, NDArray[np.uint8]]:
        """``n`` patterns at random, or all if there are fewer, as they are shown."""
        patterns = (self._recipe.versions + 1) * len(self._which)
        return self.shown(self._generator.choice(patterns, min(n, patterns), replace=False))

    def _next(self, n: int) -> NDArray[np.intp]:
        """The next n patterns; once all had their turn, they are put into another random order."""
        if len(self._waiting) == 0:
            self._waiting = self._generator.permutation((self._recipe.versions + 1) * len(self._which))
        taken, self._waiting = self._waiting[:n], self._waiting[n:]
        return taken

    def shown(self, patterns: NDArray[np.intp]) -> tuple[Floats, NDArray[np.uint8]]:
        """These patterns as the network sees them: distorted, in its input range; and their labels."""
        version, image = np.divmod(patterns, len(self._which))
        index = self._which[image]
        network, images, labels = self._recipe.network, self._data.images[index], self._data.labels[index]
        if self._maps is None:
            return distort(images, self._recipe.distortion, self._generator, network), labels
        distorted = images.astype(np.float32)
        moved = np.flatnonzero(version)
        maps = self._maps[(version[moved] - 1) * len(self._which) + image[moved]]
        distorted[moved] = transform(images[moved], maps)
        return pixels.network_input(network, distorted), labels
