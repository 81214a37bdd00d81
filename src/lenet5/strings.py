"""Strings written with single digits, and what a reader's cuts make of them: examples of digits and of rubbish.

The line reader proposes more candidates than there are digits (halves, pairs, digits with a
neighbour's stroke). Its network learns to refuse the wrong ones from the very candidates that the
reader makes of strings whose truth is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.learning.data import ImageSet
from lenet5.learning.hands import otherwise
from lenet5.paper import NOT_A_DIGIT, SIDE
from lenet5.reading.candidates import Candidates, runs
from lenet5.reading.pieces import HEIGHT, Pieces, cut, whole_marks

__all__ = ["Written", "candidates_of_strings", "labelled", "strings_of", "write"]

Floats = NDArray[np.float32]

_WHOLE: Final = 0.93  # of a digit's ink, and of the candidate's ink: such a candidate is the digit
_PART: Final = 0.78  # with less of either a candidate is rubbish; between the two it is left out
_PART_OF_ZERO: Final = 0.62  # the same for the best candidate of a 0, which may share a side with its neighbour
_STRAY: Final = 0.3  # of a digit's ink: with more ink of dots, links and rules it is left open what a whole digit is
_RUBBISH: Final = 1 / 3  # of the candidates that are no digit are taken: they are many, and much alike
_MARGIN: Final = 8
_MEETING: Final = 0.3  # of the hands let each digit meet the one before,
_FARTHER: Final = 0.15  # and go on by up to so much of the narrower one's width,
_DEEPEST: Final = 0.3  # of which the boxes of neighbours that meet overlap no more, as under the bar of a 7
_INKED: Final = 0.35  # ink levels at which two digits meet
_LINKED: Final = 0.5  # of neighbouring zeros are linked at their tops


@dataclass(frozen=True)
class Written:
    """A written line: ``level`` (h, w) float32 ink in 0..1, and ``shares`` (n + 1, h, w) float32, whose ink it is.

    ``shares[k]`` is the ink of digit k of ``labels``; the last one that of everything else: dots, dashes, links, rules.
    """

    level: Floats
    shares: Floats
    labels: tuple[int, ...]


def write(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], generator: np.random.Generator, joined: bool = False
) -> Written:
    """A line of digits (n, 28, 28) as one hand might write them: one slant and size, more or less close or touching.

    Where they may be ``joined``, some hands push each digit on until it meets the one before, or farther, and zeros
    that follow each other are often linked at their tops.
    """
    slant = float(generator.normal(0, 0.15))
    wide = float(np.exp(generator.normal(0, 0.12)))
    closeness = float(generator.uniform(-0.3, 0.3))
    thickness = int(generator.integers(0, 3)) if generator.random() < 0.4 else 0
    school = generator.random() < 0.4
    shapes, answers = [], []
    for image, label in zip(images, labels, strict=True):
        shape, answer = _upright(image, int(label), wide, school, generator)
        shapes.append(_slanted(shape, slant, thickness))
        answers.append(answer)
    shares, right = _placed(shapes, answers, closeness, joined, generator)
    if generator.random() < 0.1:
        row = shares.shape[1] // 2 + HEIGHT // 2 + int(generator.integers(-3, 5))
        shares[-1, row : row + int(generator.integers(1, 3)), : round(right)] = generator.uniform(0.5, 1)
    level = shares.max(axis=0)
    used = np.flatnonzero(level.any(axis=0))
    columns = slice(max(int(used[0]) - 2, 0), int(used[-1]) + 3)
    level = level[:, columns]
    if generator.random() < 0.5:
        level = _ragged(level, generator)
    return Written(level, shares[:, :, columns], tuple(answers))


def _placed(
    shapes: list[Floats], answers: list[int], closeness: float, joined: bool, generator: np.random.Generator
) -> tuple[Floats, float]:
    """The shares of a line of these digits, with marks and links between them, and where the last digit ends."""
    height = 2 * HEIGHT
    width = sum(shape.shape[1] for shape in shapes) + len(shapes) * HEIGHT + 2 * _MARGIN
    shares = np.zeros((len(shapes) + 1, height, width), np.float32)
    meeting = joined and generator.random() < _MEETING
    farther = float(generator.uniform(-0.05, _FARTHER)) if meeting else 0.0
    right, before = float(_MARGIN), None
    for k, shape in enumerate(shapes):
        gap = closeness * HEIGHT * 0.5 + float(generator.normal(0, 0.06)) * HEIGHT
        zeros = answers[k - 1 : k + 1] == [0, 0]
        if before is not None:
            gap += 0.0 if meeting else _mark(shares[-1], right, generator)
            if zeros and generator.random() < 0.6:  # a chain, now and then over a mark
                gap = -float(generator.uniform(0, 0.3)) * HEIGHT
        top = round(height / 2 - shape.shape[0] / 2 + float(generator.normal(0, 0.05)) * HEIGHT)
        if before is not None:
            if meeting:
                gap = -_reach(before, (top, shape)) - farther * min(shape.shape[1], before[2].shape[1])
            right = max(right + gap, _MARGIN)
        left = round(right)
        shares[k, top : top + shape.shape[0], left : left + shape.shape[1]] = shape
        if before is not None and joined and zeros and generator.random() < _LINKED:
            _link_tops(shares[-1], before, (left, top, shape), generator)
        elif before is not None and generator.random() < 0.2:
            _link(shares[-1], before, (left, top, shape), generator)
        before = (left, top, shape)
        right = left + shape.shape[1]
    return shares, right


def _reach(before: tuple[int, int, Floats], after: tuple[int, Floats]) -> int:
    """How many columns a digit may go into the box of the one before until its ink meets that one's."""
    (_, top, first), (start, second) = before, after
    edge = np.full((2, 2 * HEIGHT), np.inf)  # of each row: white to the right of the first, to the left of the second
    for side, place, shape in ((0, top, first[:, ::-1]), (1, start, second)):
        inked = shape > _INKED
        edge[side, place : place + len(shape)] = np.where(inked.any(axis=1), inked.argmax(axis=1), np.inf)
    free = edge.sum(axis=0).min()
    return int(min(free, _DEEPEST * min(first.shape[1], second.shape[1])))


def _upright(
    image: NDArray[np.uint8], label: int, wide: float, school: bool, generator: np.random.Generator
) -> tuple[Floats, int]:
    """One digit cropped to its ink, about HEIGHT tall, if ``school`` as another one teaches it; and its label."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 64), np.flatnonzero(image.max(axis=0) > 64)
    crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    scale = HEIGHT / max(crop.shape[0], 0.6 * SIDE * 20 / 28) * float(np.exp(generator.normal(0, 0.1)))
    size = (max(3, round(crop.shape[1] * scale * wide)), max(3, round(crop.shape[0] * scale)))
    enlarged = cv2.resize(np.pad(crop, 1), size, interpolation=cv2.INTER_CUBIC)
    large = np.asarray(np.clip(enlarged, 0, 1), np.float32)
    return otherwise(large, label, generator) if school and generator.random() < 0.8 else (large, label)


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


def _mark(ink: Floats, right: float, generator: np.random.Generator) -> float:
    """Sometimes a dot, comma or dash after this column; the room that it takes."""
    kind = generator.random()
    middle, radius = ink.shape[0] // 2, int(generator.integers(2, 4))
    x = round(right + generator.uniform(0.05, 0.2) * HEIGHT)
    if kind < 0.12:
        y = middle + round(generator.uniform(0.35, 0.55) * HEIGHT)
        end = (x - round(generator.uniform(0, 0.15) * HEIGHT), y + round(generator.uniform(0, 0.25) * HEIGHT))
        cv2.line(ink, (x, y), end if kind < 0.06 else (x + 1, y), 1.0, 2 * radius - 1, cv2.LINE_AA)
        return generator.uniform(0.1, 0.4) * HEIGHT
    if kind < 0.16:
        length = round(generator.uniform(0.25, 0.7) * HEIGHT)
        cv2.line(ink, (x, middle), (x + length, middle + int(generator.integers(-3, 4))), 1.0, radius, cv2.LINE_AA)
        return float(length) + 0.25 * HEIGHT
    return 0.0


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
    """What each candidate is: a digit, NOT_A_DIGIT, or −1 where that is open; ``pieces`` not slanted back.

    The candidate that comes nearest to a digit is that digit where the cuts allow no better one.
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
    return result


def strings_of(
    data: ImageSet, count: int, longest: int, generator: np.random.Generator, joined: bool = False
) -> Iterator[Written]:
    """So many strings of 2 to ``longest`` digits of a set, as :func:`write` does; none where it has no digits."""
    inked = np.flatnonzero((data.images.max(axis=(1, 2)) > 64) & (data.labels != NOT_A_DIGIT))
    zeros = inked[data.labels[inked] == 0]
    for _ in range(count if len(inked) else 0):
        chosen = inked[generator.integers(0, len(inked), int(generator.integers(2, longest + 1)))]
        if len(zeros) and generator.random() < 0.25:  # round numbers are the most frequent ones
            chosen[1:] = generator.choice(zeros, len(chosen) - 1)
        yield write(data.images[chosen], data.labels[chosen], generator, joined)


def candidates_of_strings(data: ImageSet, strings: int, generator: np.random.Generator) -> ImageSet:
    """The candidates that the line reader makes of so many strings of 2 to 4 of these digits, with what they are."""
    images, labels = [data.images[:0]], [data.labels[:0]]
    for written in strings_of(data, strings, 4, generator):
        pieces = cut(whole_marks(written.level, slanted=False))
        found = runs(pieces)
        truths = labelled(written, pieces, found)
        known = (truths >= 0) & ((truths != NOT_A_DIGIT) | (generator.random(len(truths)) < _RUBBISH))
        images.append(found.images[known])
        labels.append(truths[known].astype(np.uint8))
    return ImageSet(f"strings of {data.name}", np.concatenate(images), np.concatenate(labels))
