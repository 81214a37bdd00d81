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
    """The digits that were written in isolation."""
    return [w for w in writings if w.level == "CHARACTER" and w.label in tuple(DIGITS)]


def digit_images(writings: Iterable[Writing]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[Writing]]:
    """Isolated digits drawn plainly with an ordinary pen: images (N, 28, 28) in MNIST's form, labels (N,), and what
    each shows."""
    generator = np.random.default_rng(0)  # a plain hand and pen draw nothing from it
    images, shown = [], []
    for writing in isolated_digits(writings):
        crop = cropped(ink_of(hold(writing.strokes, Hand(), generator), _HEIGHT, _PEN, generator))
        if crop is not None:
            images.append(normalise(crop))
            shown.append(writing)
    return np.stack(images), np.array([int(w.label) for w in shown], np.uint8), shown


def numbers_of(writings: Iterable[Writing]) -> list[Writing]:
    """The numbers that stand on one line, each once: a text whose words are given as well is left out."""
    numbers = [w for w in writings if is_number(w) and _is_one_line(w)]
    words = {w.strokes[0].tobytes() for w in numbers if w.level == "WORD"}
    texts: set[bytes] = set()
    kept = []
    for w in numbers:
        first = w.strokes[0].tobytes()
        if w.level == "WORD" or (first not in words and first not in texts):
            texts.add(first)
            kept.append(w)
    return kept


def picture_of(writing: Writing, generator: np.random.Generator | None = None, pen: Pen = _PEN) -> Floats:
    """A written number on white paper (H, W) float32 in 0..1: as it was written, or in any hand with any pen."""
    strokes, unit = writing.strokes, _usual_height(writing)
    middle, _ = frame_of(strokes)
    hand = any_hand(generator) if generator else Hand()
    held = hold(strokes, hand, generator or np.random.default_rng(0), (middle, unit))
    drawn_by = any_pen(generator) if generator else pen
    ink = ink_of(held, _HEIGHT, drawn_by, generator or np.random.default_rng(0))
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
