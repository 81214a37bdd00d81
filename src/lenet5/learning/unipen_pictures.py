"""UNIPEN's isolated digits as images, and its numbers as pictures of one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.learning.render import cropped
from lenet5.learning.unipen import Writing, is_number
from lenet5.normalise import normalise
from lenet5.strokes import Hand, Pen, any_hand, any_pen, frame_of, hold, ink_of

__all__ = ["digit_images", "isolated_digits", "numbers_of", "picture_of"]

Floats = NDArray[np.float32]

_HEIGHT: Final = 56  # pixels of a digit in a picture, so that a reader has to bring it to its own size
_MARGIN: Final = 16
_PEN: Final = Pen(0.1)  # as broad as an ordinary ballpoint on a form
_LINES: Final = 1.9  # times as high as its usual stroke: what is higher is written in several lines


def isolated_digits(writings: Iterable[Writing]) -> list[Writing]:
    """The digits that were written in isolation.

    >>> writings = [Writing("7", level, "a writer", "a file", ()) for level in ("CHARACTER", "WORD")]
    >>> [writing.level for writing in isolated_digits(writings)]
    ['CHARACTER']
    """
    return [w for w in writings if w.level == "CHARACTER" and w.label in tuple(DIGITS)]


def digit_images(writings: Iterable[Writing]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[Writing]]:
    """Isolated digits drawn plainly with an ordinary pen: images (N, 28, 28) in MNIST's form, labels (N,), and the
    writing of each.

    >>> stroke = np.array([[0, 0], [6, 0], [2, 10]], np.float32)
    >>> images, labels, _ = digit_images([Writing("7", "CHARACTER", "a writer", "a file", (stroke,))])
    >>> labels.tolist(), images.shape, int((images[0] > 127).any(axis=1).sum())  # 20 rows of ink, as MNIST's
    ([7], (1, 28, 28), 20)
    """
    generator = np.random.default_rng(0)  # a plain hand and pen draw nothing from it
    images, drawn = [], []
    for writing in isolated_digits(writings):
        crop = cropped(ink_of(hold(writing.strokes, Hand(), generator), _HEIGHT, _PEN, generator))
        if crop is not None:
            images.append(normalise(crop))
            drawn.append(writing)
    return np.stack(images), np.array([int(w.label) for w in drawn], np.uint8), drawn


def numbers_of(writings: Iterable[Writing]) -> list[Writing]:
    """The numbers on one line, each once: a text is left out where its words are in the set, too.

    >>> strokes = (np.array([[0, 0], [0, 10]], np.float32), np.array([[6, 0], [6, 10]], np.float32))
    >>> writings = [Writing("11", level, "a writer", "a file", strokes) for level in ("TEXT", "WORD")]
    >>> [writing.level for writing in numbers_of(writings)]  # the text holds just that word
    ['WORD']
    """
    numbers = [w for w in writings if is_number(w) and _is_one_line(w)]
    words = {w.strokes[0].tobytes() for w in numbers if w.level == "WORD"}
    texts: set[bytes] = set()
    numbers_once = []
    for w in numbers:
        first = w.strokes[0].tobytes()
        if w.level == "WORD" or (first not in words and first not in texts):
            texts.add(first)
            numbers_once.append(w)
    return numbers_once


def picture_of(writing: Writing, generator: np.random.Generator | None = None, pen: Pen = _PEN) -> Floats:
    """A written number on white paper (H, W) float32 in 0..1: as it was written, or in any hand with any pen.

    >>> strokes = (np.array([[0, 0], [0, 10]], np.float32), np.array([[6, 0], [6, 10]], np.float32))
    >>> picture = picture_of(Writing("11", "WORD", "a writer", "a file", strokes))
    >>> dark = np.flatnonzero((picture < 0.5).any(axis=0))
    >>> int(np.count_nonzero(np.diff(dark) > 1)) + 1  # strokes side by side
    2
    """
    unit = _usual_height(writing)
    middle, _ = frame_of(writing.strokes)
    hand = any_hand(generator) if generator else Hand()
    strokes = hold(writing.strokes, hand, generator or np.random.default_rng(0), (middle, unit))
    drawn_by = any_pen(generator) if generator else pen
    ink = ink_of(strokes, _HEIGHT, drawn_by, generator or np.random.default_rng(0))
    return np.pad(np.asarray(1 - ink, np.float32), _MARGIN, constant_values=1)


def _usual_height(writing: Writing) -> float:
    """The median height of a number's strokes, weighted by their length."""
    heights = np.array([max(float(np.ptp(stroke[:, 1])), 1e-6) for stroke in writing.strokes])
    lengths = np.array([1e-6 + float(np.abs(np.diff(stroke, axis=0)).sum()) for stroke in writing.strokes])
    order = np.argsort(heights)
    return float(heights[order][np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)])


def _is_one_line(writing: Writing) -> bool:
    """Whether the middles of a number's tall strokes lie in one line."""
    tall = _usual_height(writing)
    middles = [
        float(stroke[:, 1].min() + stroke[:, 1].max()) / 2
        for stroke in writing.strokes
        if np.ptp(stroke[:, 1]) > tall / 2
    ]
    return not middles or max(middles) - min(middles) < _LINES * tall
