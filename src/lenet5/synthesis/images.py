"""Single images: digits in other hands, pens and sensors, separators, letters, and rubbish.

Every image is normalised as the reader does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS, LETTERS, SEPARATORS
from lenet5.learning.distort import Distortion, distort
from lenet5.learning.render import CANVAS, Augmentation, cropped, rendered
from lenet5.learning.sets import ImageSet
from lenet5.learning.unipen import Writing
from lenet5.normalise import resize
from lenet5.strokes import LINE, WRITTEN, any_hand, any_pen, drawn_separator, hold, ink_of
from lenet5.synthesis import rubbish

__all__ = ["characters", "hard_digits", "junk", "letters", "separators"]

Floats = NDArray[np.float32]
Labelled = Iterator[tuple[NDArray[np.uint8] | None, int]]
"""Images (28, 28), None where too little ink was left, with their labels."""

_HARD: Final = Augmentation(stretch=0.5, square=0.3, thicker=3.0)
_MARKS: Final = Augmentation(stretch=0.2, square=0.1, cut=0.0)
_DRAWN: Final = Augmentation(stretch=0.2, square=0.08, thinner=0.0, thicker=0.0)  # the pen is drawn already
_HAND: Final = Distortion(rotation=12, shear=0.3, elastic=0.7)
_FILLED: Final = 0.7  # of its frame; the fullest of MNIST's digits are bare strokes
_AT_ONCE: Final = 500  # groups of digits distorted at a time
_WRITTEN_SEPARATORS: Final = 0.6  # of those that UNIPEN has are taken from it; the others are drawn


def characters(
    writings: Sequence[Writing], count: int, classes: str, generator: np.random.Generator, name: str = "UNIPEN"
) -> ImageSet:
    """Images of ``count`` isolated writings in turn, each with a random pen and hand; labels are places in ``classes``,
    NOT_A_DIGIT for what is not in it. Images with too little ink, and digits that are blots, are left out.

    >>> strokes = (np.array([[0, 0], [6, 0], [2, 10]], np.float32),)
    >>> seven = Writing("7", "CHARACTER", "a writer", "a file", strokes)
    >>> sevens = characters([seven], 3, DIGITS, np.random.default_rng(0))
    >>> sevens.labels.tolist(), len({image.tobytes() for image in sevens.images})  # no two alike
    ([7, 7, 7], 3)
    """
    order = np.resize(generator.permutation(len(writings)), count).tolist()

    def images() -> Labelled:
        for k in order:
            writing = writings[k]
            ink = ink_of(hold(writing.strokes, any_hand(generator), generator), CANVAS, any_pen(generator), generator)
            image = rendered(ink, _DRAWN, generator)
            place = classes.find(writing.label)
            label = place if place >= 0 else paper.NOT_A_DIGIT
            yield None if image is None or (0 <= place < len(DIGITS) and _is_blot(image)) else image, label

    return _collected(name, images())


def separators(writings: Sequence[Writing], count: int, classes: str, generator: np.random.Generator) -> ImageSet:
    """Images of ``count`` separators, written by UNIPEN's writers or drawn, with random pens, but for those with too
    little ink.

    >>> classes = DIGITS + SEPARATORS
    >>> drawn = separators([], 6, classes, np.random.default_rng(0))  # one had too little ink
    >>> "".join(classes[label] for label in drawn.labels)
    '(,)-('
    """
    written = {c: [w for w in writings if w.label == c] for c in SEPARATORS}

    def images() -> Labelled:
        for _ in range(count):
            character = SEPARATORS[int(generator.integers(len(SEPARATORS)))]
            known, hand = written[character], any_hand(generator)
            if known and character in WRITTEN and generator.random() < _WRITTEN_SEPARATORS:
                strokes = hold(known[int(generator.integers(len(known)))].strokes, hand, generator)
            else:
                strokes = hold(drawn_separator(character, generator), hand, generator, LINE)
            ink = ink_of(strokes, CANVAS, any_pen(generator), generator)
            yield rendered(ink, _DRAWN, generator), classes.index(character)

    return _collected("separators", images())


def letters(writings: Sequence[Writing], count: int, classes: str, generator: np.random.Generator) -> ImageSet:
    """``count`` isolated letters and signs that are no separators, drawn as :func:`characters` does.

    >>> strokes = (np.array([[0, 10], [4, 0], [8, 10]], np.float32),)
    >>> writings = [Writing(c, "CHARACTER", "a writer", "a file", strokes) for c in "A7/"]
    >>> letters(writings, 2, DIGITS, np.random.default_rng(0)).labels.tolist()  # of "A" alone, which is no class
    [255, 255]
    """
    isolated = [w for w in writings if w.level == "CHARACTER" and len(w.label) == 1]
    others = [
        w for w in isolated if w.label not in DIGITS + SEPARATORS and (w.label in LETTERS or not w.label.isalnum())
    ]
    return characters(others, count, classes, generator, "letters")


def hard_digits(data: ImageSet, count: int, generator: np.random.Generator) -> ImageSet:
    """``count`` digits of a set, distorted and rendered with random pens and sensors.

    >>> images = np.zeros((1, 28, 28), np.uint8)
    >>> images[0, 4:24, 12:16] = 255
    >>> hard = hard_digits(ImageSet("a one", images, np.array([1], np.uint8)), 3, np.random.default_rng(0))
    >>> hard.name, hard.labels.tolist(), len({image.tobytes() for image in hard.images})
    ('hard a one', [1, 1, 1], 3)
    """

    def images() -> Labelled:
        for (ink,), (label,) in _groups(data, count, 1, generator):
            sized = resize(ink, CANVAS, max(3, round(ink.shape[1] * CANVAS / ink.shape[0])))
            image = rendered(sized, _HARD, generator)
            yield None if image is None or _is_blot(image) else image, int(label)

    return _collected(f"hard {data.name}", images())


def junk(data: ImageSet, count: int, generator: np.random.Generator) -> ImageSet:
    """``count`` images of rubbish, from all of its generators.

    >>> images = np.zeros((3, 28, 28), np.uint8)
    >>> images[:, 4:24, 12:16] = 255
    >>> images_of_rubbish = junk(ImageSet("ones", images, np.ones(3, np.uint8)), 4, np.random.default_rng(0))
    >>> images_of_rubbish.images.shape, images_of_rubbish.labels.tolist()
    ((4, 28, 28), [255, 255, 255, 255])
    """
    makers, shares = zip(*rubbish.MAKERS, strict=True)

    def images() -> Labelled:
        for inks, labels in _groups(data, count, 3, generator):
            maker = makers[generator.choice(len(makers), p=shares)]
            yield rendered(maker(inks, labels, generator), _MARKS, generator), paper.NOT_A_DIGIT

    return _collected(f"rubbish of {data.name}", images())


def _groups(
    data: ImageSet, count: int, size: int, generator: np.random.Generator
) -> Iterator[tuple[list[Floats], NDArray[np.uint8]]]:
    """``count`` groups of ``size`` distorted digits, each cropped to its ink in 0..1, with their labels."""
    order = np.resize(generator.permutation(len(data.images)), count * size).reshape(count, size)
    for start in range(0, count, _AT_ONCE):
        numbers = order[start : start + _AT_ONCE]
        moved = distort(data.images[numbers.ravel()], _HAND, generator) / np.float32(255)
        inks = [image if (crop := cropped(image)) is None else crop for image in moved]
        for k, row in enumerate(numbers):
            yield inks[k * size : (k + 1) * size], data.labels[row]


def _is_blot(image: NDArray[np.uint8]) -> bool:
    """Whether the pen was so broad that the image (28, 28) is only a filled shape."""
    shape = cropped(image / np.float32(255))
    return shape is None or bool(shape.mean() > _FILLED and shape.shape[1] > 0.5 * shape.shape[0])


def _collected(name: str, drawn: Iterable[tuple[NDArray[np.uint8] | None, int]]) -> ImageSet:
    """The images that are not None, with their labels, as a set."""
    images, labels = zip(*((image, label) for image, label in drawn if image is not None), strict=True)
    return ImageSet(name, np.stack(images), np.array(labels, np.uint8))
