"""Printed glyphs made of stems, bars, bowls and diagonals that are not digits.

No font is copied: forms, proportions, pens, serifs and slants are drawn at random. Forms that digits share (a bare
stem, a closed round, what S, Z and b are) are left out; a few come near to some, as D to 0 and I to 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lenet5.synthesis.pen import Lines, drawn

__all__ = ["glyph"]

Floats = NDArray[np.float32]


def glyph(generator: np.random.Generator) -> Floats:
    """Stems, bars, bowls and diagonals put together as in print, from hairlines to bold, upright or slanted.

    >>> letter = glyph(np.random.default_rng(3))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in letter[::5]))
    ·············
    ···##·····#··
    ···##·····#··
    ···#·#····#··
    ···#·#···##··
    ···#··#··##··
    ··##···#·#···
    ··##···#·#···
    ··#·····##···
    ··#······#···
    ·············
    """
    kinds = (_stemmed, _open_round, _pointed, _diagonal)
    thick, thin = kinds[generator.choice(4, p=(0.5, 0.2, 0.18, 0.12))](generator)
    if generator.random() < 0.4:  # serifs
        ends = [end for line in thick if len(line) == 2 for end in line if end[0] < 0.05 or end[0] > 0.95]
        wide = generator.uniform(0.06, 0.2)
        thin += [np.outer([-1, 1], [0, wide]) + end for end in ends]
    slant = generator.uniform(-0.05, 0.35) if generator.random() < 0.4 else 0.0
    lines = [line + np.outer(1 - line[:, 0], [0, slant]) for line in thick + thin]
    pen = math.exp(generator.uniform(math.log(0.7), math.log(6.0)))
    finer = pen * generator.uniform(0.3, 1.0) if generator.random() < 0.5 else pen
    return drawn(lines, generator, np.array([pen] * len(thick) + [max(finer, 0.6)] * len(thin)))


def _stemmed(generator: np.random.Generator) -> tuple[Lines, Lines]:
    """A stem on the left with bars, bowls or another stem: thick strokes and thin ones. None that a digit has."""
    wide, middle = generator.uniform(0.35, 1.0), generator.uniform(0.4, 0.6)
    stem = np.array([[0.0, 0.0], [1.0, 0.0]])
    top, centre, bottom = (np.array([[row, 0.0], [row, wide * generator.uniform(0.7, 1)]]) for row in (0, middle, 1))
    kind = generator.integers(8)
    if kind == 0:  # as D
        bowl, edges = _bowl(0, 1, wide, generator)
        return [stem, bowl], edges
    if kind == 1:  # as B
        (upper, edges), (lower, more) = _bowl(0, middle, wide, generator), _bowl(middle, 1, wide, generator)
        return [stem, upper, lower], edges + more
    if kind in (2, 3):  # as P and R
        bowl, edges = _bowl(0, middle, wide, generator)
        leg = [np.array([[middle, wide / 2], [1.0, wide]])] if kind == 3 else []
        return [stem, bowl, *leg], edges
    if kind == 4:  # as H, M and N
        other = stem + np.array([0, wide])
        between = [
            [np.array([[middle, 0.0], [middle, wide]])],
            [np.array([[0.0, 0.0], [1.0, wide]])],
            [np.array([[0.0, 0.0], [generator.uniform(0.5, 1), wide / 2], [0.0, wide]])],
        ][generator.integers(3)]
        return [stem, other], between
    if kind == 5:  # as K
        return [stem, np.array([[0.0, wide], [middle, 0.0], [1.0, wide]])], []
    bars = [[top, centre, bottom], [top, centre], [centre, bottom], [bottom], [top, bottom]]
    return [stem], bars[generator.integers(len(bars))]


def _bowl(first: float, last: float, wide: float, generator: np.random.Generator) -> tuple[NDArray[np.float64], Lines]:
    """A bow to the right between two rows, and the bars that join it to the stem."""
    straight = wide * generator.uniform(0, 0.7)
    turn = np.linspace(-math.pi / 2, math.pi / 2, 9)
    half = (last - first) / 2
    bow = np.stack([first + half + half * np.sin(turn), straight + (wide - straight) * np.cos(turn)], axis=1)
    return bow, [np.array([[row, 0.0], [row, straight]]) for row in (first, last)]


def _open_round(generator: np.random.Generator) -> tuple[Lines, Lines]:
    """A round that is open on its right, as C, or with a bar or a spur at the opening, as G and e."""
    upper, lower = generator.uniform(0.35, 1.1, 2)
    wide = generator.uniform(0.25, 0.5)
    turn = np.linspace(upper, 2 * math.pi - lower, 15)
    points = np.stack([0.5 - 0.5 * np.sin(turn), wide + wide * np.cos(turn)], axis=1)
    end = points[-1]
    bar = np.array([[0.55, wide * generator.uniform(0.9, 1.4)], [0.55, max(end[1], 1.6 * wide)]])
    kind = generator.integers(3)
    if kind == 0:
        return [points], []
    return [points], [bar, np.array([end, bar[1]])] if kind == 1 else [np.array([end, [0.6, end[1]]]), bar]


def _pointed(generator: np.random.Generator) -> tuple[Lines, Lines]:
    """Two diagonals that meet at the top, as A, mostly with a bar, or at the bottom, as V."""
    wide, flat = generator.uniform(0.5, 1.1), generator.uniform(0, 0.15)
    left = np.array([[0.0, wide / 2 - flat], [1.0, 0.0]])
    right = np.array([[0.0, wide / 2 + flat], [1.0, wide]])
    if generator.random() < 0.2:
        return [left * [-1, 1] + np.array([1, 0]), right * [-1, 1] + np.array([1, 0])], []
    row = generator.uniform(0.5, 0.8)
    bar = np.array([[row, (wide / 2 - flat) * (1 - row)], [row, wide - (wide / 2 - flat) * (1 - row)]])
    top = [np.array([left[0], right[0]])]
    return [left, right], top + ([bar] if generator.random() < 0.8 else [])


def _diagonal(generator: np.random.Generator) -> tuple[Lines, Lines]:
    """Diagonals alone, as X and W, or a stem under or between bars, as T and I."""
    wide = generator.uniform(0.5, 1.2)
    stem, top = np.array([[0.0, wide / 2], [1.0, wide / 2]]), np.array([[0.0, 0.0], [0.0, wide]])
    kind = generator.integers(4)
    if kind == 0:
        return [np.array([[0.0, 0.0], [1.0, wide]])], [np.array([[0.0, wide], [1.0, 0.0]])]
    if kind == 1:
        turns = np.array([[0.0, 0.0], [1.0, wide / 4], [generator.uniform(0, 0.5), wide / 2], [1.0, 3 * wide / 4]])
        return [np.concatenate([turns, [[0.0, wide]]])], []
    return [stem], [top] if kind == 2 else [top, top + np.array([1, 0])]
