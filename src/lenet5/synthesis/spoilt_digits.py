"""Rubbish made of digits: mirrored, turned, halved, glued and written over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5.learning.render import CANVAS
from lenet5.synthesis.scribbles import resized, scribble

__all__ = ["closed", "gapped", "glued", "overlaid", "remade", "symmetric"]

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Generator = np.random.Generator


def remade(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """A digit mirrored or rotated so that it is no longer a digit; a glued one where every such change gives a digit.

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
    # the changes that give no digit: mirrored (m), a quarter turn (q), upside down (t)
    changes = {2: "q", 3: "mq", 4: "mqt", 5: "q", 6: "mq", 7: "mqt", 9: "mq"}
    if label not in changes:
        return glued(digits, labels, generator)
    change = generator.choice(list(changes[label]))
    turned = digit[:, ::-1] if change == "m" else np.rot90(digit, generator.choice([1, 3]) if change == "q" else 2)
    return resized(np.ascontiguousarray(turned), CANVAS)


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
    is_second = (rows if generator.random() < 0.5 else columns) > generator.uniform(0.35, 0.65) * CANVAS
    if labels[other] == labels[0] or generator.random() < 0.3:
        second = np.ascontiguousarray(second[:, ::-1])
    return np.where(is_second, first, second)


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
        squared_distance = np.square(rows - middle[0]) + np.square(columns - middle[1])
        remaining = np.where(squared_distance < (generator.uniform(0.2, 0.4) * CANVAS) ** 2, 0, digit)
        if remaining.sum() < 0.85 * digit.sum():
            break
    return np.asarray(remaining, np.float32)


def closed(digits: list[Floats], labels: Labels, generator: Generator) -> Floats:
    """Half of a digit that ends at a straight stroke, as at the line of a form.

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
    width, column = int(generator.integers(3, 8)), round(generator.uniform(0.2, 0.6) * CANVAS)
    rows = np.flatnonzero(digit.max(axis=1) > 0.3)
    digit[:, :column] = 0
    digit[rows[0] : rows[-1] + 1, column : column + width] = 1
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
        asymmetric = [k for k in range(3) if labels[k] not in ((0, 1, 8) if upright else (0, 1, 3, 8))]
        ink = _boxed(digits[asymmetric[0] if asymmetric else 0])
    else:
        ink = scribble(digits, labels, generator)
    ink = ink if upright else ink.T
    half = ink[:, : round(ink.shape[1] * generator.uniform(0.4, 0.7))]
    half = half if generator.random() < 0.5 else half[:, ::-1]
    both = np.concatenate([half, half[:, -2::-1]], axis=1)
    return np.ascontiguousarray(both if upright else both.T)


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
        ink = resized(digit, CANVAS * generator.uniform(0.6, 1.0))
        top, left = (int(generator.integers(0, room)) for room in np.subtract(canvas.shape, ink.shape) + 1)
        place = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(place, ink, out=place)
    return canvas


def _boxed(digit: Floats) -> Floats:
    """A digit in the middle of a square of CANVAS."""
    ink = resized(digit, CANVAS)
    margins = np.subtract(CANVAS, ink.shape)
    return np.pad(ink, [(margin // 2, margin - margin // 2) for margin in margins])
