"""Rubbish drawn without digits, or with little of them: marks, scribbles, blots and specks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5.learning.render import CANVAS
from lenet5.normalise import resize
from lenet5.synthesis.pen import arc, drawn

__all__ = ["blot", "chain", "mark", "outlined", "resized", "scribble", "specks"]

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Generator = np.random.Generator


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
    width = generator.uniform(0.5, 1.1)
    points = np.stack(np.meshgrid(np.linspace(0, 1, 3), np.linspace(0, width, 3), indexing="ij"), -1).reshape(-1, 2)
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
    start, lines = generator.random(2), []
    for _ in range(generator.integers(3, 8)):
        stop = generator.random(2)
        lines.append(arc(start, stop, 0.0 if generator.random() < 0.5 else generator.uniform(-0.9, 0.9)))
        start = stop
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
    tilt, length = generator.normal(0, 0.06), generator.uniform(0.4, 1.2)
    level = np.array([[0.5, 0.0], [0.5 + tilt, length]])
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
        lines = [upright + np.array([0, column * length]), level * [0, 1] + np.array([row, 0])]
    else:
        sides = [upright, upright + np.array([0, length]), level * [0, 1], level * [0, 1] + np.array([1, 0])]
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
        return np.asarray(1 - np.pad(resized(digits[0], CANVAS), generator.integers(1, 8)))
    return _blot(generator, holes=int(generator.integers(0, 3)))


def specks(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """Scattered dots and short dashes, as of security print, texture and dirt.

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


def _blot(generator: Generator, holes: int) -> Floats:
    """A filled ellipse, box or a shape between them, with so many holes, smaller shapes or strips."""
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


def resized(ink: Floats, longer: float) -> Floats:
    """Ink (h, w) resized so that its longer side has ``longer`` pixels.

    >>> resized(np.ones((10, 5), np.float32), 30).shape
    (30, 15)
    """
    return resize(ink, *(max(3, round(side * longer / max(ink.shape))) for side in ink.shape))
