"""Training images made from training images: digits as the world shows them, and what is no digit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning import rubbish, strings
from lenet5.learning.data import ImageSet
from lenet5.learning.distort import Distortion, distort
from lenet5.learning.render import CANVAS, Look, cropped, rendered
from lenet5.normalise import resize

__all__ = ["hard_digits", "junk", "string_windows"]

Floats = NDArray[np.float32]

_HARD: Final = Look(stretch=0.5, square=0.3)
_CUT_OUT: Final = Look(stretch=0.2, square=0.1, cut=0.0)


def hard_digits(data: ImageSet, count: int, distortion: Distortion, generator: np.random.Generator) -> ImageSet:
    """``count`` digits of a set, distorted, then rendered as other pens and sensors would give them."""
    chosen = generator.permutation(np.resize(generator.permutation(len(data.images)), count))
    inks = _inks(data.images[chosen], distortion, generator)
    made = ((_rendered(ink, _HARD, generator), int(label)) for ink, label in zip(inks, data.labels[chosen], strict=True))
    return _collected(data.name, made)


def string_windows(data: ImageSet, count: int, distortion: Distortion, generator: np.random.Generator) -> ImageSet:
    """Cut-outs of ``count`` strings of two or three digits: whole digits, and parts, pairs and scraps as rubbish."""

    def made() -> Iterable[tuple[NDArray[np.uint8] | None, int]]:
        for inks, labels in _groups(data, count, 3, distortion, generator):
            most = int(generator.integers(2, 4))
            for window in strings.windows(strings.written(inks[:most], labels[:most], generator), generator):
                yield rendered(window.ink, _CUT_OUT, generator), window.label

    return _collected(data.name, made())


def junk(data: ImageSet, count: int, distortion: Distortion, generator: np.random.Generator) -> ImageSet:
    """``count`` images of what is no digit, by all makers of rubbish."""
    makers, shares = zip(*rubbish.MAKERS, strict=True)

    def made() -> Iterable[tuple[NDArray[np.uint8] | None, int]]:
        for inks, labels in _groups(data, count, 3, distortion, generator):
            maker = makers[generator.choice(len(makers), p=shares)]
            yield rendered(maker(inks, labels, generator), _CUT_OUT, generator), paper.NOT_A_DIGIT

    return _collected(data.name, made())


def _groups(
    data: ImageSet, count: int, size: int, distortion: Distortion, generator: np.random.Generator
) -> Iterable[tuple[list[Floats], NDArray[np.uint8]]]:
    """``count`` times ``size`` distorted digits with their labels."""
    for start in range(0, count, 500):
        chosen = generator.integers(len(data.images), size=(min(500, count - start), size))
        inks = _inks(data.images[chosen.ravel()], distortion, generator)
        for k, row in enumerate(chosen):
            yield inks[k * size : (k + 1) * size], data.labels[row]


def _inks(images: NDArray[np.uint8], distortion: Distortion, generator: np.random.Generator) -> list[Floats]:
    """Distorted images (N, 28, 28), each cropped to its ink, in 0..1."""
    moved = distort(images, distortion, generator) / np.float32(255)
    return [image if (crop := cropped(image)) is None else crop for image in moved]


def _rendered(digit: Floats, look: Look, generator: np.random.Generator) -> NDArray[np.uint8] | None:
    """A digit, brought to the size of the canvas and rendered."""
    return rendered(resize(digit, CANVAS, max(3, round(digit.shape[1] * CANVAS / digit.shape[0]))), look, generator)


def _collected(name: str, made: Iterable[tuple[NDArray[np.uint8] | None, int]]) -> ImageSet:
    """The images that came out, with their labels."""
    images, labels = zip(*((image, label) for image, label in made if image is not None), strict=True)
    return ImageSet(name, np.stack(images), np.array(labels, np.uint8))
