"""Lines of digits and separators as one hand places them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.pieces import HEIGHT
from lenet5.synthesis.neighbours import columns_between
from lenet5.synthesis.symbols import CLASSES, Source, Symbol

__all__ = ["Written", "lines", "number", "write"]

Floats = NDArray[np.float32]

_MARGIN: Final = 8
_MEETING: Final = 0.3  # of the hands push each digit on until it meets the one before
_FARTHER: Final = 0.15  # of the narrower digit's width: the most that such a digit goes on after that
_DEEPEST: Final = 0.3  # of the narrower digit's width: the most that two boxes overlap, as under the bar of a 7
_LINKED: Final = 0.5  # of neighbouring zeros are linked at their tops
_ROUND: Final = 0.25  # of the numbers are round, as most frequent numbers are


@dataclass(frozen=True)
class Written:
    """A written line: ``level`` (h, w) is its ink in 0..1, ``shares`` (n + 1, h, w) the same by character, float32.

    ``shares[k]`` is the ink of character k of ``labels``; the last share is that of links and rules.

    >>> bars = [Symbol(label, np.ones((56, 10), np.float32)) for label in (1, 7)]
    >>> line = write(bars, np.random.default_rng(0))
    >>> line.labels, len(line.shares)  # each character's ink, and that of links and rules
    ((1, 7), 3)
    """

    level: Floats
    shares: Floats
    labels: tuple[int, ...]


def number(longest: int, generator: np.random.Generator) -> str:
    """A number as people write them: plain, a date, time, phone number, amount or percentage.

    >>> generator = np.random.default_rng(3)
    >>> [number(8, generator) for _ in range(6)]
    ['218', '4642', '438', '79-6', '00992130', '10000000']
    """

    def digits(least: int, most: int) -> str:
        values = generator.integers(0, 10, int(generator.integers(least, most + 1)))
        if generator.random() < _ROUND:
            values[1:] = 0
        return "".join(map(str, values))

    kind = generator.random()
    if kind < 0.5:
        return digits(2, longest)
    if kind < 0.62:
        joint = str(generator.choice(["/", "/", "-", "."]))
        return joint.join(digits(1, 2) for _ in range(int(generator.integers(2, 4))))
    if kind < 0.7:
        return f"{digits(1, 2)}:{digits(2, 2)}"
    if kind < 0.8:
        area = f"({digits(3, 3)})" if generator.random() < 0.5 else ""
        return f"{area}{digits(2, 3)}-{digits(2, 4)}" if generator.random() < 0.8 or not area else area
    if kind < 0.95:
        whole = digits(1, 3) + ("," + digits(3, 3) if generator.random() < 0.35 else "")
        return whole + ("." if generator.random() < 0.6 else ",") + digits(1, 2)
    return digits(1, 2) + "%"


def write(symbols: Sequence[Symbol], generator: np.random.Generator, joined: bool = False) -> Written:
    """A line of symbols, apart or touching, as one hand might place them.

    With ``joined``, some hands push each digit on until it meets the one before, or farther, and neighbouring zeros are
    often linked at their tops.

    >>> bar = Symbol(1, np.ones((56, 10), np.float32))
    >>> [write([bar] * n, np.random.default_rng(0)).level.shape[1] for n in (1, 2, 4)]  # a close hand
    [20, 26, 50]
    """
    shares, right = _placed(symbols, float(generator.uniform(-0.3, 0.3)), joined, generator)
    if generator.random() < 0.1:
        row = shares.shape[1] // 2 + HEIGHT // 2 + int(generator.integers(-3, 5))
        shares[-1, row : row + int(generator.integers(1, 3)), : round(right)] = generator.uniform(0.5, 1)
    level = shares.max(axis=0)
    used = np.flatnonzero(level.any(axis=0))
    columns = slice(max(int(used[0]) - 2, 0), int(used[-1]) + 3)
    level = level[:, columns]
    if generator.random() < 0.5:
        level = _ragged(level, generator)
    return Written(level, shares[:, :, columns], tuple(symbol.label for symbol in symbols))


def lines(
    sources: Sequence[Source],
    count: int,
    longest: int,
    generator: np.random.Generator,
    joined: bool = False,
    classes: str = CLASSES,
) -> Iterator[Written]:
    """``count`` lines of ``classes``, each by one of the sources, placed by :func:`write`.

    >>> bars = lambda text, generator: [Symbol(CLASSES.index(c), np.ones((56, 10), np.float32)) for c in text]
    >>> for line in lines([bars], 3, longest=5, generator=np.random.default_rng(1)):
    ...     print("".join(CLASSES[label] for label in line.labels), line.level.shape[1])
    1.3.8 75
    139-14 85
    60,49 58
    """
    for _ in range(count):
        source = sources[int(generator.integers(len(sources)))]
        text = "".join(c for c in number(longest, generator) if c in classes)
        yield write(source(text, generator), generator, joined)


def _placed(
    symbols: Sequence[Symbol], closeness: float, joined: bool, generator: np.random.Generator
) -> tuple[Floats, float]:
    """The shares of a line of these symbols, with links between digits, and the column where the last symbol ends."""
    height = 2 * HEIGHT + 16
    width = sum(symbol.ink.shape[1] for symbol in symbols) + len(symbols) * HEIGHT + 2 * _MARGIN
    shares = np.zeros((len(symbols) + 1, height, width), np.float32)
    meeting = joined and generator.random() < _MEETING
    farther = float(generator.uniform(-0.05, _FARTHER)) if meeting else 0.0
    right, before, previous = float(_MARGIN), None, None
    for k, symbol in enumerate(symbols):
        shape = symbol.ink[:height]
        gap = closeness * HEIGHT * 0.5 + float(generator.normal(0, 0.06)) * HEIGHT
        digits = previous is not None and previous.is_digit and symbol.is_digit
        zeros = previous is not None and previous.label == symbol.label == 0
        if zeros and generator.random() < 0.6:  # a chain
            gap = -float(generator.uniform(0, 0.3)) * HEIGHT
        elif previous is not None and not digits:
            gap = max(gap, 0.0) + float(generator.uniform(0.02, 0.25)) * HEIGHT
        top = round(height / 2 + symbol.middle - shape.shape[0] / 2 + float(generator.normal(0, 0.05)) * HEIGHT)
        top = min(max(top, 0), height - shape.shape[0])
        if before is not None:
            if meeting and digits:
                gap = -_reach(before, (top, shape)) - farther * min(shape.shape[1], before[2].shape[1])
            right = max(right + gap, _MARGIN)
        left = round(right)
        shares[k, top : top + shape.shape[0], left : left + shape.shape[1]] = shape
        if before is not None and joined and zeros and generator.random() < _LINKED:
            _link_tops(shares[-1], before, (left, top, shape), generator)
        elif before is not None and digits and generator.random() < 0.2:
            _link(shares[-1], before, (left, top, shape), generator)
        before, previous = (left, top, shape), symbol
        right = left + shape.shape[1]
    return shares, right


def _reach(before: tuple[int, int, Floats], after: tuple[int, Floats]) -> int:
    """Columns by which a digit may overlap the box of the one before until their ink meets."""
    (_, top, first), (start, second) = before, after
    free = columns_between(first, second, start - top)
    return int(min(free, _DEEPEST * min(first.shape[1], second.shape[1])))


def _ragged(level: Floats, generator: np.random.Generator) -> Floats:
    """The ink of a coarse and noisy picture."""
    height, width = level.shape
    scale = float(generator.uniform(0.35, 1))
    small = cv2.resize(level, (max(3, round(width * scale)), round(height * scale)), interpolation=cv2.INTER_AREA)
    near = cv2.dilate(small, np.ones((3, 3), np.uint8))
    noise = generator.uniform(0, 0.2) * generator.standard_normal(small.shape, np.float32)
    coarse = cv2.resize((small + noise) * near, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip((coarse - 0.2) / 0.6, 0, 1), np.float32)


def _link(
    ink: Floats, before: tuple[int, int, Floats], after: tuple[int, int, Floats], generator: np.random.Generator
) -> None:
    """A stroke of a fast hand that joins a digit to the next: from edge to edge or from top to top."""
    if generator.random() < 0.5:
        _link_tops(ink, before, after, generator)
        return
    ends = []
    for (left, top, shape), column in ((before, -1), (after, 0)):
        row = int(generator.choice(np.flatnonzero(shape[:, column] > 0.2))) if (shape[:, column] > 0.2).any() else 0
        ends.append((left + (shape.shape[1] - 1 if column else 0), top + row))
    cv2.line(ink, ends[0], ends[1], 1.0, int(generator.integers(2, 5)), cv2.LINE_AA)


def _link_tops(
    ink: Floats, before: tuple[int, int, Floats], after: tuple[int, int, Floats], generator: np.random.Generator
) -> None:
    """A stroke that sags from the top of a digit to the top of the next."""
    tops = [(left + shape.shape[1] // 2 + column, top + 2) for (left, top, shape), column in ((before, 3), (after, -3))]
    sag = (sum(x for x, _ in tops) // 2, max(y for _, y in tops) + int(generator.integers(0, HEIGHT // 4)))
    points = np.array([tops[0], sag, tops[1]], np.int32)
    cv2.polylines(ink, [points], False, 1.0, int(generator.integers(2, 5)), cv2.LINE_AA)
