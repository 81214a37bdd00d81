"""Lines of digits and separators in one handwriting, and the true label of each candidate that the reader cuts.

The line reader proposes more candidates than there are characters (halves, pairs, digits with a neighbour's stroke).
Its network learns to refuse the wrong ones from the candidates that the reader makes of lines whose truth is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.learning.data import ImageSet
from lenet5.learning.unipen import Writing
from lenet5.normalise import ink_box
from lenet5.paper import NOT_A_DIGIT, SIDE
from lenet5.reading.candidates import Candidates
from lenet5.reading.pieces import HEIGHT, Pieces
from lenet5.strokes import LINE, WRITTEN, Hand, Pen, any_hand, any_pen, drawn_separator, frame_of, hold, placed
from lenet5.synthesis.neighbours import columns_between

__all__ = [
    "CLASSES",
    "Source",
    "Symbol",
    "Written",
    "from_images",
    "from_writers",
    "labelled",
    "lines",
    "number",
    "write",
]

Floats = NDArray[np.float32]

CLASSES: Final = DIGITS + SEPARATORS
"""What lines are written with: a label is a place in this string."""

_WHOLE: Final = 0.93  # of a character's ink, and of the candidate's ink: such a candidate is the character
_PART: Final = 0.78  # with less of either a candidate is rubbish; between the two it is left out
_PART_OF_ZERO: Final = 0.62  # the same for the best candidate of a 0, which may share a side with its neighbour
_STRAY: Final = 0.3  # of a character's ink: with more ink of links and rules it is left open what a whole one is
_HALF: Final = 0.5  # of another character's ink: a candidate with more is rubbish, as a digit with a dot is
_MARGIN: Final = 8
_MEETING: Final = 0.3  # of the hands let each digit meet the one before,
_FARTHER: Final = 0.15  # and go on by up to so much of the narrower one's width,
_DEEPEST: Final = 0.3  # of which the boxes of neighbours that meet overlap no more, as under the bar of a 7
_LINKED: Final = 0.5  # of neighbouring zeros are linked at their tops
_ROUND: Final = 0.25  # of the numbers are round: the most frequent ones are


@dataclass(frozen=True)
class Symbol:
    """One character of a line: its place ``label`` in CLASSES, its ``ink`` (h, w) cropped to it, and how far the
    ``middle`` of that is below the middle of the line's digits, in pixels of HEIGHT.

    >>> slash = Symbol(CLASSES.index("/"), np.ones((60, 20), np.float32), middle=2.0)
    >>> slash.is_digit, Symbol(7, np.ones((56, 30), np.float32)).is_digit
    (False, True)
    """

    label: int
    ink: Floats
    middle: float = 0.0

    @property
    def is_digit(self) -> bool:
        return self.label < len(DIGITS)


Source = Callable[[str, np.random.Generator], list[Symbol]]
"""Text of CLASSES and a generator → its symbols in one handwriting; a digit that the source lacks becomes another."""


@dataclass(frozen=True)
class Written:
    """A written line: ``level`` (h, w) float32 ink in 0..1, and ``shares`` (n + 1, h, w) float32, whose ink it is.

    ``shares[k]`` is the ink of character k of ``labels``; the last one that of everything else: links and rules.

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


def from_images(data: ImageSet) -> Source:
    """Writes with the digits of a set of images; separators are drawn. Raises ValueError where it has no digit.

    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> images[0, 4:24, 12:15] = images[1, 4:24, 5:25] = 255  # a 1, and a block for a 0
    >>> source = from_images(ImageSet("two", images, np.array([1, 0], np.uint8)))
    >>> [CLASSES[symbol.label] for symbol in source("10.1", np.random.default_rng(0))]
    ['1', '0', '.', '1']
    """
    inked = data.images.max(axis=(1, 2)) > 64
    of_digit = [np.flatnonzero(inked & (data.labels == digit)) for digit in range(len(DIGITS))]
    known = [digit for digit in range(len(DIGITS)) if len(of_digit[digit])]
    if not known:
        raise ValueError(f"{data.name} has no digit with ink")

    def source(text: str, generator: np.random.Generator) -> list[Symbol]:
        slant = float(generator.normal(0, 0.15))
        wide = float(np.exp(generator.normal(0, 0.12)))
        thickness = int(generator.integers(0, 3)) if generator.random() < 0.4 else 0
        pen = Pen(float(generator.uniform(0.05, 0.16)))
        hand = Hand(slant=slant, tremor=0.01)
        symbols = []
        for character in text:
            if character in DIGITS:
                digit = int(character) if int(character) in known else int(generator.choice(known))
                shape = _upright(data.images[generator.choice(of_digit[digit])], wide, generator)
                symbols.append(Symbol(digit, _slanted(shape, slant, thickness)))
            else:
                symbols.append(
                    _symbol(
                        character, hold(drawn_separator(character, generator), hand, generator, LINE), pen, generator
                    )
                )
        return symbols

    return source


def from_writers(writings: Sequence[Writing]) -> Source:
    """Each text in the handwriting of one writer of isolated digits, drawn at random: the writer's digits, and the
    writer's separators where there are some. Raises ValueError where there is no writer with five different digits.

    >>> stroke = np.array([[0, 0], [0, 10]], np.float32)
    >>> writings = [Writing(digit, "CHARACTER", "a writer", "a file", (stroke,)) for digit in "12345"]
    >>> symbols = from_writers(writings)("12/5", np.random.default_rng(0))
    >>> [CLASSES[symbol.label] for symbol in symbols]
    ['1', '2', '/', '5']
    """
    characters: dict[str, dict[str, list[Writing]]] = {}
    for writing in writings:
        if writing.level == "CHARACTER" and writing.label in CLASSES and len(writing.label) == 1:
            characters.setdefault(writing.writer, {}).setdefault(writing.label, []).append(writing)
    writers = [written for written in characters.values() if sum(digit in written for digit in DIGITS) >= 5]
    separators = {c: [w for written in characters.values() for w in written.get(c, [])] for c in SEPARATORS}
    if not writers:
        raise ValueError("no writer has five different digits")
    heights = [
        float(np.median([frame_of(w.strokes)[1] for digit in DIGITS for w in written.get(digit, [])]))
        for written in writers
    ]

    def source(text: str, generator: np.random.Generator) -> list[Symbol]:
        k = int(generator.integers(len(writers)))
        written, usual = writers[k], heights[k]
        hand, pen = any_hand(generator), any_pen(generator)
        known = [digit for digit in DIGITS if digit in written]
        symbols = []
        for character in text:
            if character in DIGITS:
                digit = character if character in written else str(generator.choice(known))
                writing = written[digit][int(generator.integers(len(written[digit])))]
                middle, height = frame_of(writing.strokes)
                unit = height / float(np.clip(height / usual, 0.75, 1.3))
                symbols.append(_symbol(digit, hold(writing.strokes, hand, generator, (middle, unit)), pen, generator))
                continue
            examples = written.get(character) or separators[character]
            if character in WRITTEN and examples and generator.random() < 0.8:
                writing = examples[int(generator.integers(len(examples)))]
                tall = generator.uniform(0.8, 1.1) if character == "%" else generator.uniform(0.9, 1.6)
                (x, y), height = frame_of(writing.strokes)
                middle = np.array([x, y - generator.normal(0.03, 0.1) * height / tall], np.float32)
                strokes = hold(writing.strokes, hand, generator, (middle, height / tall))
            else:
                strokes = hold(drawn_separator(character, generator), hand, generator, LINE)
            symbols.append(_symbol(character, strokes, pen, generator))
        return symbols

    return source


def write(symbols: Sequence[Symbol], generator: np.random.Generator, joined: bool = False) -> Written:
    """A line of symbols as one hand might place them: more or less close or touching.

    Where they may be ``joined``, some hands push each digit on until it meets the one before, or farther, and zeros
    that follow each other are often linked at their tops.

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


def _symbol(character: str, strokes: Sequence[Floats], pen: Pen, generator: np.random.Generator) -> Symbol:
    """A character drawn by a pen, from strokes in heights of a digit around the middle of the line's digits."""
    level, (_, origin) = placed([strokes], HEIGHT, pen, generator)
    ink = level[0]
    box = ink_box(ink, 0.2)
    if box is None:
        return Symbol(CLASSES.index(character), ink, 0.0)
    return Symbol(CLASSES.index(character), ink[box], (float(box[0].start) + float(box[0].stop)) / 2 - origin)


def _placed(
    symbols: Sequence[Symbol], closeness: float, joined: bool, generator: np.random.Generator
) -> tuple[Floats, float]:
    """The shares of a line of these symbols, with links between digits, and where the last one ends."""
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
    """How many columns a digit may move into the box of the one before until their ink meets."""
    (_, top, first), (start, second) = before, after
    free = columns_between(first, second, start - top)
    return int(min(free, _DEEPEST * min(first.shape[1], second.shape[1])))


def _upright(image: NDArray[np.uint8], wide: float, generator: np.random.Generator) -> Floats:
    """One digit cropped to its ink, about HEIGHT tall."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 64), np.flatnonzero(image.max(axis=0) > 64)
    crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    scale = HEIGHT / max(crop.shape[0], 0.6 * SIDE * 20 / 28) * float(np.exp(generator.normal(0, 0.1)))
    size = (max(3, round(crop.shape[1] * scale * wide)), max(3, round(crop.shape[0] * scale)))
    enlarged = cv2.resize(np.pad(crop, 1), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(enlarged, 0, 1), np.float32)


def _slanted(large: Floats, slant: float, thickness: int) -> Floats:
    """A digit (h, w) slanted, with thinner (1) or thicker (2) strokes, cropped to its columns of ink."""
    height, width = large.shape
    extra = math.ceil(abs(slant) * height)
    matrix = np.array([[1, -slant, slant * height if slant > 0 else 0], [0, 1, 0]])
    large = np.asarray(cv2.warpAffine(large, matrix, (width + extra, height)), np.float32)
    if thickness == 1:
        large = np.asarray(cv2.erode(large, np.ones((2, 2), np.uint8)), np.float32)
    if thickness == 2:
        large = np.asarray(cv2.dilate(large, np.ones((2, 2), np.uint8)), np.float32)
    used = np.flatnonzero(large.max(axis=0) > 0.2)
    return np.asarray(large[:, used[0] : used[-1] + 1] if len(used) else large, np.float32)


def _ragged(level: Floats, generator: np.random.Generator) -> Floats:
    """The ink as a coarse and noisy picture leaves it."""
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
    """A stroke that joins a digit to the next, as a fast hand leaves it: from edge to edge or from top to top."""
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


def labelled(written: Written, pieces: Pieces, candidates: Candidates) -> NDArray[np.int64]:
    """The true label of each candidate (N,): a place in CLASSES, NOT_A_DIGIT, or −1 where neither is certain.

    The shares are as upright as ``pieces``. The candidate that comes nearest to a character is that character where the
    cuts allow no better one.

    >>> from lenet5.reading.candidates import runs
    >>> from lenet5.reading.pieces import cut, whole_marks
    >>> shares = np.zeros((3, 80, 40), np.float32)
    >>> shares[0, 12:68, 8:14] = shares[1, 12:68, 20:26] = 1  # a 1 and a 1, near each other
    >>> level = shares.max(axis=0)
    >>> pieces = cut(whole_marks(level))
    >>> candidates = runs(pieces)
    >>> list(zip(candidates.first.tolist(), candidates.last.tolist(), strict=True))
    [(0, 1), (0, 2), (1, 2)]
    >>> labelled(Written(level, shares, (1, 1)), pieces, candidates).tolist()
    [1, 255, 1]
    """
    ink = np.stack([np.bincount(pieces.labels.ravel(), share.ravel(), len(pieces) + 1)[1:] for share in written.shares])
    sums = np.concatenate([np.zeros((len(ink), 1)), ink.cumsum(axis=1)], axis=1)
    held = sums[:, candidates.last] - sums[:, candidates.first]
    digit = held[:-1].argmax(axis=0)
    of_digit = held[digit, np.arange(held.shape[1])]
    whole = of_digit / np.maximum(sums[digit, -1], 1e-6)
    match = np.minimum(whole, of_digit / np.maximum(held[:-1].sum(axis=0), 1e-6))
    result = np.where(match < _PART, NOT_A_DIGIT, -1)
    clean = held.sum(axis=0) - of_digit < _STRAY * of_digit
    for k, label in enumerate(written.labels):
        match_of_k = np.where(digit == k, match, 0)
        least = min(_WHOLE, match_of_k.max(initial=0))
        if least >= (_PART_OF_ZERO if label == 0 else _PART):
            result[(match_of_k >= least) & clean] = label
    others = held[:-1] / np.maximum(sums[:-1, -1:], 1e-6)
    others[digit, np.arange(held.shape[1])] = 0
    result[others.max(axis=0, initial=0) > _HALF] = NOT_A_DIGIT
    return result
