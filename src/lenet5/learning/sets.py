"""Sets of labelled images and pictures: parts of them, several joined, and the images held out of a training.

There are two kinds. An :class:`ImageSet` holds arrays in MNIST's form, ready for the network; a :class:`PictureSet`
holds pictures, in which the reader first has to find the digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import DataError
from lenet5.paper import SIDE

__all__ = ["NO_DIGIT", "ImageSet", "PictureSet", "described", "drawn", "joined", "part_of", "split"]

NO_DIGIT: Final = "?"
"""The truth of a picture that is not a digit and should be rejected; the same text stands in answers."""

_SPLIT_SEED: Final = 1998  # the same images are held out whatever the seed of a run


@dataclass(frozen=True)
class ImageSet:
    """Images (N, 28, 28) uint8 in MNIST's form, ink 255, with labels (N,) uint8 in 0–9 or NOT_A_DIGIT.

    ``groups`` (N,) numbers the writers, where they are known: all images of a writer are held out, or none. ``parts``
    describes the sets that were joined.

    >>> data = ImageSet("mine", np.zeros((3, 28, 28), np.uint8), np.array([1, 2, 3], np.uint8))
    >>> len(data.images)
    3
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    licence: str = ""
    groups: NDArray[np.intp] | None = None
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.images.shape[1:] != (SIDE, SIDE):
            raise DataError(f"{self.name}: images are {self.images.shape}, not (N, {SIDE}, {SIDE})")
        if self.labels.shape != self.images.shape[:1]:
            raise DataError(f"{self.name}: {len(self.images):,} images but {self.labels.size:,} labels")
        if len(self.images) == 0:
            raise DataError(f"{self.name} holds no images")


@dataclass(frozen=True)
class PictureSet:
    """Pictures with their truth: a digit, NO_DIGIT, or, with ``texts``, lines of digits.

    ``transcripts`` are the texts with their separators, where these are known.

    >>> data = PictureSet("mine", ["a.png", "b.png"], truths=("7", "?"))
    >>> dict(zip(data.pictures, data.truths))
    {'a.png': '7', 'b.png': '?'}
    """

    name: str
    pictures: Sequence[Any]
    truths: tuple[str, ...]
    texts: bool = False
    transcripts: tuple[str, ...] = ()


def drawn(data: ImageSet, n: int, generator: np.random.Generator) -> ImageSet:
    """``n`` of a set's images at random. For one seed, a smaller sample is part of every larger one.

    Raises DataError where there are fewer.

    >>> data = ImageSet("mine", np.zeros((500, 28, 28), np.uint8), np.zeros(500, np.uint8))
    >>> drawn(data, 100, np.random.default_rng(0)).images.shape
    (100, 28, 28)
    """
    if n > len(data.images):
        raise DataError(f"{data.name} has {len(data.images):,} images, not {n:,}")
    sample = generator.permutation(len(data.images))[:n]
    return part_of(data, sample)


def part_of(data: ImageSet, indices: NDArray[np.intp]) -> ImageSet:
    """The images of a set with these indices.

    >>> data = ImageSet("mine", np.zeros((3, 28, 28), np.uint8), np.array([2, 3, 4], np.uint8))
    >>> part_of(data, np.array([0, 2])).labels.tolist()
    [2, 4]
    """
    groups = None if data.groups is None else data.groups[indices]
    return replace(data, images=data.images[indices], labels=data.labels[indices], groups=groups)


def described(data: ImageSet, trained: int) -> str:
    """The description of a set in the metadata of weights: how many images were ``trained`` on, licence and SHA-256.

    >>> data = ImageSet("mine", np.zeros((500, 28, 28), np.uint8), np.zeros(500, np.uint8))
    >>> described(data, trained=400)
    'mine, 400 of 500 images, sha256 ...'
    """
    count = f"{trained} of {len(data.images)} images"
    if data.parts:
        return f"{count} of {'; '.join(data.parts)}"
    licence = f" ({data.licence})" if data.licence else ""
    digest = hashlib.sha256(np.ascontiguousarray(data.images).data).hexdigest()
    return f"{data.name}{licence}, {count}, sha256 {digest}"


def joined(name: str, *sets: ImageSet) -> ImageSet:
    """All images of several sets, in their order; groups of different sets stay different.

    >>> data = ImageSet("mine", np.zeros((3, 28, 28), np.uint8), np.array([2, 3, 4], np.uint8))
    >>> joined("twice", data, data).labels.tolist()
    [2, 3, 4, 2, 3, 4]
    """
    groups, start = [], 0
    for s in sets:
        numbers = np.arange(len(s.images)) if s.groups is None else s.groups
        groups.append(numbers + start)
        start += int(numbers.max()) + 1
    grouped = any(s.groups is not None for s in sets)
    return ImageSet(
        name,
        np.concatenate([s.images for s in sets]),
        np.concatenate([s.labels for s in sets]),
        groups=np.concatenate(groups) if grouped else None,
    )


def split(data: ImageSet, held_out: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The images held out, ``held_out`` or a tenth of all if that is fewer, and those trained on: indices, each.

    Every run holds out the same. Where images have groups, whole groups are held out, until they are enough.

    >>> data = ImageSet("mine", np.zeros((500, 28, 28), np.uint8), np.zeros(500, np.uint8))
    >>> held_out, trained_on = split(data, 30)
    >>> len(held_out), len(trained_on)
    (30, 470)
    """
    n, generator = len(data.images), np.random.default_rng(_SPLIT_SEED)
    held_out = min(held_out, n // 10)
    if data.groups is None:
        order = generator.permutation(n)
        return order[:held_out], order[held_out:]
    groups, group = np.unique(data.groups, return_inverse=True)
    place = generator.permutation(len(groups))[group]  # of each image's group in a random order of the groups
    order = np.argsort(place, kind="stable")
    stop = held_out if held_out in (0, n) else int(np.searchsorted(place[order], place[order[held_out - 1]], "right"))
    return order[:stop], order[stop:]
