"""Rubbish: marks, scribbles, blots, and digits mirrored, turned, halved, glued and written over.

Each maker gives ink (H, W) in 0..1 about CANVAS high. Some of it looks like a digit by chance, so training
drops what the network still takes for one (``Mixture.doubted``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.learning.render import CANVAS
from lenet5.normalise import resize
from lenet5.synthesis.glyphs import glyph
from lenet5.synthesis.pen import arc, drawn

__all__ = ["MAKERS", "Maker"]

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Generator = np.random.Generator
Maker = Callable[[list[Floats], Labels, Generator], Floats]
"""Three digits cropped to their ink, their labels and a generator → ink that is no digit."""


def remade(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A digit mirrored or rotated so that it is no longer a digit; a glued one where every such change leaves a digit.

    >>> seven = np.zeros((40, 40), np.float32)
    >>> seven[:8] = seven[:, 32:] = 1
    >>> ink = remade([seven], np.array([7]), np.random.default_rng(0))  # upside down
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::4]) for row in ink[::8]))
    ##········
    ##········
    ##········
    ##········
    ##########
    """
    digit, label = digits[0], int(labels[0])
    # mirrored (m), by a quarter turn (q), upside down (t): those that give no digit
    ways = {2: "q", 3: "mq", 4: "mqt", 5: "q", 6: "mq", 7: "mqt", 9: "mq"}
    if label not in ways:
        return glued(digits, labels, generator)
    way = generator.choice(list(ways[label]))
    turned = digit[:, ::-1] if way == "m" else np.rot90(digit, generator.choice([1, 3]) if way == "q" else 2)
    return _fitted(np.ascontiguousarray(turned), CANVAS)


def glued(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """The left or upper half of one digit and the right or lower half of another.

    >>> level, upright = np.zeros((2, 40, 40), np.float32)
    >>> level[12:24] = upright[:, 12:24] = 1
    >>> ink = glued([level, upright, upright], np.array([2, 1, 1]), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::4]) for row in ink[::8]))
    ····#·····
    ····#·····
    ····######
    ····#·····
    ····#·····
    """
    other = next((k for k in (1, 2) if labels[k] != labels[0]), 1)
    first, second = _boxed(digits[0]), _boxed(digits[other])
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    across = (rows if generator.random() < 0.5 else columns) > generator.uniform(0.35, 0.65) * CANVAS
    if labels[other] == labels[0] or generator.random() < 0.3:
        second = np.ascontiguousarray(second[:, ::-1])
    return np.where(across, first, second)


def gapped(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A digit with a gap: a stroke of it is missing.

    >>> digit = np.ones((30, 6), np.float32)
    >>> ink = gapped([digit] * 3, np.array([1, 1, 1]), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[12:28:2]) for row in ink[::5]))
    ··####··
    ··####··
    ··####··
    ··####··
    ··####··
    ·····#··
    ········
    ········
    """
    digit = _boxed(digits[0])
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    inked = np.argwhere(digit > 0.5)
    for _ in range(4):
        middle = inked[generator.integers(len(inked))] if len(inked) else np.zeros(2)
        away = np.square(rows - middle[0]) + np.square(columns - middle[1])
        left = np.where(away < (generator.uniform(0.2, 0.4) * CANVAS) ** 2, 0, digit)
        if left.sum() < 0.85 * digit.sum():
            break
    return np.asarray(left, np.float32)


def closed(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """Half of a digit cut off by a straight stroke, as by the line of a form.

    >>> ring = np.ones((20, 20), np.float32)
    >>> ring[4:-4, 4:-4] = 0
    >>> ink = closed([ring] * 3, np.array([0, 0, 0]), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    ##############
    ##############
    ###········###
    ###········###
    ###········###
    ##############
    ··············
    ··············
    """
    turn = int(generator.integers(4))
    digit = np.rot90(_boxed(digits[0]), turn).copy()
    broad, column = int(generator.integers(3, 8)), round(generator.uniform(0.2, 0.6) * CANVAS)
    rows = np.flatnonzero(digit.max(axis=1) > 0.3)
    digit[:, :column] = 0
    digit[rows[0] : rows[-1] + 1, column : column + broad] = 1
    return np.ascontiguousarray(np.rot90(digit, -turn))


def symmetric(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """Half of a digit or of a scribble and its mirror image; digits that are symmetric themselves are avoided.

    >>> seven = np.zeros((40, 40), np.float32)
    >>> seven[:8] = seven[:, 20:28] = 1
    >>> ink = symmetric([seven] * 3, np.array([7, 7, 7]), np.random.default_rng(5))
    >>> bool((ink == ink[:, ::-1]).all()), bool((ink == ink[::-1]).all())
    (False, True)
    """
    upright = generator.random() < 0.6
    if generator.random() < 0.6:
        likely = [k for k in range(3) if labels[k] not in ((0, 1, 8) if upright else (0, 1, 3, 8))]
        ink = _boxed(digits[likely[0] if likely else 0])
    else:
        ink = scribble(digits, labels, generator)
    ink = ink if upright else ink.T
    half = ink[:, : round(ink.shape[1] * generator.uniform(0.4, 0.7))]
    half = half if generator.random() < 0.5 else half[:, ::-1]
    whole = np.concatenate([half, half[:, -2::-1]], axis=1)
    return np.ascontiguousarray(whole if upright else whole.T)


def overlaid(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """Two or three digits written over each other.

    >>> level, upright = np.ones((6, 30), np.float32), np.ones((30, 6), np.float32)
    >>> ink = overlaid([level, upright, upright], np.array([1, 1, 1]), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    ····················
    ····················
    ···············##···
    ···············##···
    ·#########·····##···
    ···············##···
    ····················
    ····················
    ····················
    ····················
    ····················
    ····················
    """
    count = 2 if generator.random() < 0.8 else 3
    canvas = np.zeros((CANVAS * 3 // 2, CANVAS * 3 // 2), np.float32)
    for digit in digits[:count]:
        sized = _fitted(digit, CANVAS * generator.uniform(0.6, 1.0))
        top, left = (int(generator.integers(0, room)) for room in np.subtract(canvas.shape, sized.shape) + 1)
        place = canvas[top : top + sized.shape[0], left : left + sized.shape[1]]
        np.maximum(place, sized, out=place)
    return canvas


def scribble(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A few straight strokes and arcs between the points of a coarse grid, by a round or a broad pen.

    >>> ink = scribble([], np.empty(0), np.random.default_rng(1))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    ···············
    ·······##······
    ·#############·
    ·········####··
    ··········###··
    ·········####··
    ·##########·##·
    ···####·###····
    ········##·····
    ·······###·····
    ·······##······
    ···············
    """
    across, down = generator.uniform(0.5, 1.1), 1.0
    points = np.stack(np.meshgrid(np.linspace(0, down, 3), np.linspace(0, across, 3), indexing="ij"), -1).reshape(-1, 2)
    points += generator.normal(0, 0.04, points.shape)
    lines = []
    for _ in range(generator.integers(2, 6)):
        start, stop = points[generator.choice(9, 2, replace=False)]
        bend = 0.0 if generator.random() < 0.6 else generator.uniform(-0.7, 0.7)
        lines.append(arc(start, stop, bend))
    return drawn(lines, generator)


def chain(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """One stroke that wanders and turns corners without lifting the pen.

    >>> ink = chain([], np.empty(0), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    ·················
    ···········#·····
    ·······##·#······
    ·····#···##··#···
    ····#···##····#··
    ····#·###·····#··
    ···###··#····#···
    ··#····###·······
    ·················
    """
    at, lines = generator.random(2), []
    for _ in range(generator.integers(3, 8)):
        to = generator.random(2)
        lines.append(arc(at, to, 0.0 if generator.random() < 0.5 else generator.uniform(-0.9, 0.9)))
        at = to
    return drawn(lines, generator)


def mark(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A dash, dot, comma, equals sign, cross, hook, corner or rule, as between or around digits.

    >>> ink = mark([], np.empty(0), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    ···········
    ··##·······
    ··##·······
    ··##·······
    ··##·······
    ··##·······
    ·###·······
    ·###·······
    ·###·······
    ·########··
    ···········
    """
    kind = generator.integers(8)
    tilt, long = generator.normal(0, 0.06), generator.uniform(0.4, 1.2)
    level = np.array([[0.5, 0.0], [0.5 + tilt, long]])
    upright = np.array([[0.0, 0.0], [1.0, tilt]])
    if kind in (0, 1):
        lines = [level]
    elif kind == 2:
        return _blot(generator, holes=0)
    elif kind == 3:
        lines = [arc(np.zeros(2), np.array([0.25, -0.12]), generator.uniform(-0.4, 0.1))]
    elif kind == 4:
        lines = [level, level + np.array([0.3, 0])]
    elif kind == 5:
        slant = generator.uniform(-0.5, 0.5)
        lines = [np.array([[0, slant], [1, 1 - slant]]), np.array([[slant, 1], [1 - slant, 0]])]
    elif kind == 6:
        row, column = generator.choice([0.0, 1.0], 2)
        lines = [upright + np.array([0, column * long]), level * [0, 1] + np.array([row, 0])]
    else:
        sides = [upright, upright + np.array([0, long]), level * [0, 1], level * [0, 1] + np.array([1, 0])]
        lines = [sides[k] for k in generator.choice(4, generator.integers(2, 5), replace=False)]
    return drawn(lines, generator)


def blot(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A filled shape, perhaps with a hole or a strip left out, or a digit left out of a filled box.

    >>> ink = blot([], np.empty(0), np.random.default_rng(0))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    ·····
    ·###·
    ·####
    ·####
    ·#··#
    ·#··#
    ·#···
    ·###·
    """
    if generator.random() < 0.25:
        return np.asarray(1 - np.pad(_fitted(digits[0], CANVAS), generator.integers(1, 8)))
    return _blot(generator, holes=int(generator.integers(0, 3)))


def specks(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """Scattered dots and short dashes, as security print, texture and dirt leave them.

    >>> ink = specks([np.ones((20, 20), np.float32)], np.array([1]), np.random.default_rng(5))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::3]) for row in ink[::5]))
    #··##···#····#·
    ···············
    ···#·········#·
    ···##········#·
    ········#······
    ·············#·
    ····#··········
    ···####········
    """
    canvas = generator.random((CANVAS, round(CANVAS * generator.uniform(0.4, 1.3)))).astype(np.float32)
    coarse = int(generator.integers(1, 6))
    grown = resize(np.ascontiguousarray(canvas[::coarse, :: generator.integers(1, coarse + 2)]), *canvas.shape)
    ink = (grown > np.quantile(grown, generator.uniform(0.55, 0.95))).astype(np.float32)
    if generator.random() < 0.5:  # a digit's strokes, broken up
        ink *= resize(digits[0], *canvas.shape) > 0.4
    return ink


def outlined(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """The outline of a broad stroke that is not a digit.

    >>> ink = outlined([np.ones((20, 20), np.float32)], np.array([1]), np.random.default_rng(3))
    >>> print("\\n".join("".join("·#"[int(level > 0.5)] for level in row[::2]) for row in ink[::4]))
    ·························
    ··················####···
    ·······##·###········#···
    ·····##····###··#···#····
    ···#··###··#···#··#······
    ··#·#····#··#··#··#······
    ··#·#······#··#·#···#····
    ···#··#·····#··#··#··#···
    ····#··#····#···#···#····
    ·····#···##·#·#··#·······
    ·······#···#····#··#·····
    ········#····#···#··#····
    ·······##··#···#··#··#···
    ·············###····##···
    ·························
    """
    ink = scribble(digits, labels, generator) if generator.random() < 0.5 else blot(digits, labels, generator)
    solid = ink > 0.5
    framed = np.pad(solid, 2)
    inner = framed[2:-2, 2:-2].copy()
    for row, column in ((0, 2), (4, 2), (2, 0), (2, 4)):
        inner &= framed[row : row + solid.shape[0], column : column + solid.shape[1]]
    return np.asarray(solid & ~inner, np.float32)


def printed(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A printed glyph that does not look like a digit.

    >>> ink = printed([], np.empty(0), np.random.default_rng(3))
    >>> bool((ink == glyph(np.random.default_rng(3))).all())
    True
    """
    return glyph(generator)


MAKERS: Final[tuple[tuple[Maker, float], ...]] = (
    (remade, 0.08),
    (glued, 0.07),
    (gapped, 0.06),
    (closed, 0.07),
    (symmetric, 0.08),
    (overlaid, 0.04),
    (scribble, 0.13),
    (chain, 0.04),
    (mark, 0.06),
    (blot, 0.04),
    (specks, 0.03),
    (outlined, 0.02),
    (printed, 0.28),
)
"""Every generator of rubbish and its proportion."""


def _fitted(digit: Floats, longer: float) -> Floats:
    """A digit resized to this longer side, in pixels."""
    return resize(digit, *(max(3, round(side * longer / max(digit.shape))) for side in digit.shape))


def _boxed(digit: Floats) -> Floats:
    """A digit in the middle of a square of CANVAS."""
    sized = _fitted(digit, CANVAS)
    spare = np.subtract(CANVAS, sized.shape)
    return np.pad(sized, [(s // 2, s - s // 2) for s in spare])


def _blot(generator: Generator, holes: int) -> Floats:
    """A filled ellipse, box or anything between, with so many smaller ones or strips left out."""
    size = CANVAS * np.array([1.0, generator.uniform(0.3, 1.6)])
    rows, columns = (np.linspace(-1, 1, max(3, int(side))) for side in size)

    def shape(across: float, down: float, half: NDArray[np.float64], power: float) -> NDArray[np.bool_]:
        return np.asarray(
            np.abs((rows[:, None] - down) / half[0]) ** power + np.abs((columns - across) / half[1]) ** power < 1
        )

    ink = shape(0, 0, np.ones(2), generator.choice([1.0, 2.0, 4.0, 20.0]))
    for _ in range(holes):
        half = generator.uniform(0.1, 0.5, 2) if generator.random() < 0.5 else generator.permutation([0.1, 2.0])
        across, down = generator.uniform(-0.7, 0.7, 2)
        ink &= ~shape(across, down, half, generator.choice([2.0, 20.0]))
    return ink.astype(np.float32)
