"""Training images made from training images: digits as the world shows them, cut-outs of strings, and rubbish.

It is the maker of recipe ``reading``. Whatever it makes goes through the same normalising, and
cut-outs of strings through the same cuts, as what is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.learning import rubbish
from lenet5.learning.data import ImageSet, joined
from lenet5.learning.distort import Distortion, distort
from lenet5.learning.hands import otherwise
from lenet5.learning.render import CANVAS, Look, cropped, rendered
from lenet5.normalise import resize
from lenet5.strings import candidates_of_strings

__all__ = ["hard_digits", "junk", "made_from"]

Floats = NDArray[np.float32]
Made = Iterator[tuple[NDArray[np.uint8] | None, int]]

_HARD: Final = Look(stretch=0.5, square=0.3, thicker=3.0)
_MARKS: Final = Look(stretch=0.2, square=0.1, cut=0.0)
_HAND: Final = Distortion(rotation=12, shear=0.3, elastic=0.7)
_FILLED: Final = 0.7  # of its frame; the fullest of MNIST's digits are bare strokes
_SCHOOLS: Final = 0.45  # of the hard digits are written as other schools teach them, where these have another way
_AT_ONCE: Final = 500  # groups of digits distorted at a time


def made_from(data: ImageSet, generator: np.random.Generator) -> ImageSet:
    """About 6.1 images for each digit of a set: 0.9 hard digits, 4.2 cut-outs of strings, 1 of rubbish."""
    digits = ImageSet(data.name, *(part[data.labels != paper.NOT_A_DIGIT] for part in (data.images, data.labels)))
    n = len(digits.images)
    return joined(
        f"made from {data.name}",
        hard_digits(digits, round(0.9 * n), generator),
        candidates_of_strings(digits, max(1, n // 3), generator),
        junk(digits, max(1, n), generator),
    )


def hard_digits(data: ImageSet, count: int, generator: np.random.Generator) -> ImageSet:
    """``count`` digits of a set, distorted, then rendered as other pens and sensors would give them."""

    def made() -> Made:
        for (ink,), (label,) in _groups(data, count, 1, generator):
            sized, answer = resize(ink, CANVAS, max(3, round(ink.shape[1] * CANVAS / ink.shape[0]))), int(label)
            if generator.random() < _SCHOOLS:
                sized, answer = otherwise(sized, answer, generator)
            image = rendered(sized, _HARD, generator)
            yield None if image is None or _is_blot(image) else image, answer

    return _collected(f"hard {data.name}", made())


def junk(data: ImageSet, count: int, generator: np.random.Generator) -> ImageSet:
    """``count`` images of what is no digit, by all makers of rubbish."""
    makers, shares = zip(*rubbish.MAKERS, strict=True)

    def made() -> Made:
        for inks, labels in _groups(data, count, 3, generator):
            maker = makers[generator.choice(len(makers), p=shares)]
            yield rendered(maker(inks, labels, generator), _MARKS, generator), paper.NOT_A_DIGIT

    return _collected(f"rubbish of {data.name}", made())


def _groups(
    data: ImageSet, count: int, size: int, generator: np.random.Generator
) -> Iterator[tuple[list[Floats], NDArray[np.uint8]]]:
    """``count`` times ``size`` digits in another hand, each cropped to its ink in 0..1, with their labels."""
    order = np.resize(generator.permutation(len(data.images)), count * size).reshape(count, size)
    for start in range(0, count, _AT_ONCE):
        chosen = order[start : start + _AT_ONCE]
        moved = distort(data.images[chosen.ravel()], _HAND, generator) / np.float32(255)
        inks = [image if (crop := cropped(image)) is None else crop for image in moved]
        for k, row in enumerate(chosen):
            yield inks[k * size : (k + 1) * size], data.labels[row]


def _is_blot(image: NDArray[np.uint8]) -> bool:
    """Whether so broad a pen was drawn that nothing but a filled shape (28, 28) is left."""
    shape = cropped(image / np.float32(255))
    return shape is None or bool(shape.mean() > _FILLED and shape.shape[1] > 0.5 * shape.shape[0])


def _collected(name: str, made: Iterable[tuple[NDArray[np.uint8] | None, int]]) -> ImageSet:
    """The images that came out, with their labels."""
    images, labels = zip(*((image, label) for image, label in made if image is not None), strict=True)
    return ImageSet(name, np.stack(images), np.array(labels, np.uint8))
