"""Hands with their own 1s and 7s: a UNIPEN writer's recorded digits, and a flagged 1 and a crossed 7 that are drawn.

The 1 has a flag of 15 to 45% of its height, nearly what the top of an uncrossed 7 is, and mostly no base; the 7 has a
bar across its stem and mostly a hook. Their proportions are the hand's, drawn once; each digit differs by what one hand
varies. Recorded digits are parted: every second one is corrected and learnt from, the others are measured with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.learning.unipen import Writing
from lenet5.strokes import LINE, Hand, Pen, any_hand, frame_of, hold, ink_of
from lenet5.synthesis.pages.truth import Glyph

__all__ = ["MOST_WRITINGS", "DrawnHand", "hands_of"]

Floats = NDArray[np.float32]

MOST_WRITINGS: Final = 85
"""A writer with at least so many recorded digits is a hand."""

_OWN: Final = 0.2  # of the digits are 1s, and as many are 7s
_VARIES: Final = 0.035  # of the height: standard deviation of the points of one digit
_UNIT: Final = 64.0  # pixels of a digit
_PENS: Final = (0.05, 0.14)  # widths in heights of a digit: ballpoints and fine markers
_LEVEL: Final = 0.2  # ink below that ends a crop


@dataclass(frozen=True)
class DrawnHand:
    """One hand: called with a generator and n, it writes n digits (:class:`lenet5.synthesis.pages.truth.Digits`).

    ``recorded`` are its writer's digits by label; ``one`` and ``seven`` the strokes of its own.
    """

    writer: str
    recorded: tuple[tuple[Writing, ...], ...]
    one: tuple[Floats, ...]
    seven: tuple[Floats, ...]
    hand: Hand
    pen: Pen

    def __call__(self, generator: np.random.Generator, n: int) -> list[Glyph]:
        return [self._glyph(generator) for _ in range(n)]

    def _glyph(self, generator: np.random.Generator) -> Glyph:
        own = generator.random()
        if own < 2 * _OWN:
            label = 1 if own < _OWN else 7
            plain = self.one if label == 1 else self.seven
            strokes = [stroke + generator.normal(0, _VARIES, stroke.shape).astype(np.float32) for stroke in plain]
            held = hold(strokes, self.hand, generator, LINE)
        else:
            writings = self.recorded[int(generator.integers(len(self.recorded)))]
            writing = writings[int(generator.integers(len(writings)))]
            label = int(writing.label)
            held = hold(writing.strokes, self.hand, generator, frame_of(writing.strokes))
        ink = ink_of(held, _UNIT, self.pen, generator)
        rows, columns = np.flatnonzero(ink.max(axis=1) > _LEVEL), np.flatnonzero(ink.max(axis=0) > _LEVEL)
        crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Glyph(np.ascontiguousarray(crop), label, _UNIT, self.pen.width)


def hands_of(writings: Sequence[Writing], seed: int) -> list[tuple[DrawnHand, DrawnHand]]:
    """A hand for each writer with many digits: with the digits that are learnt from, and with those to measure with."""
    characters: dict[str, dict[str, list[Writing]]] = {}
    for writing in writings:
        if writing.level == "CHARACTER" and writing.label in tuple(DIGITS):
            characters.setdefault(writing.writer, {}).setdefault(writing.label, []).append(writing)
    hands = []
    for writer, own in sorted(characters.items()):
        if sum(map(len, own.values())) < MOST_WRITINGS:
            continue
        generator = np.random.default_rng([77, seed, len(hands)])
        labels = [label for label in sorted(own) if label not in "17"]
        even, odd = (tuple(tuple(own[label][part::2]) for label in labels) for part in (0, 1))
        pen = Pen(float(generator.uniform(*_PENS)))
        whole = DrawnHand(writer, even, _one(generator), _seven(generator), any_hand(generator), pen)
        hands.append((whole, replace(whole, recorded=odd)))
    return hands


def _one(generator: np.random.Generator) -> tuple[Floats, ...]:
    """A 1 with a flag: x to the right and y downwards, from −0.5 to 0.5."""
    lean = generator.uniform(-0.12, 0.12)
    wide, deep = generator.uniform(0.3, 0.5), generator.uniform(0.15, 0.45)
    flagged = np.array([(-wide, deep - 0.5), (lean, -0.5), (0.0, 0.5)], np.float32)
    if generator.random() < 0.2:
        half = generator.uniform(0.15, 0.35)
        return flagged, np.array([(-half, 0.5), (half, 0.5)], np.float32)
    return (flagged,)


def _seven(generator: np.random.Generator) -> tuple[Floats, ...]:
    """A crossed 7, mostly with a hook at the start of its top."""
    wide, foot = generator.uniform(0.25, 0.45), generator.uniform(-0.25, 0.1)
    top = [(-wide, -0.5), (wide, -0.5 + generator.normal(0, 0.05))]
    if generator.random() < 0.6:
        top.insert(0, (-wide, -0.5 + generator.uniform(0.08, 0.25)))
    bend = (0.5 * (wide + foot) + generator.normal(0, 0.04), 0.0)
    y, half, tilt = generator.uniform(-0.12, 0.15), generator.uniform(0.2, 0.42), generator.normal(0, 0.06)
    middle = bend[0] + generator.normal(0, 0.05)
    stem = np.array([*top, bend, (foot, 0.5)], np.float32)
    return stem, np.array([(middle - half, y + tilt), (middle + half, y - tilt)], np.float32)
