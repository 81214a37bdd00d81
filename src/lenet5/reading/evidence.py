"""Layouts auto and page: whether what was read is there, or a shadow, a thing or a letter that looks like it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lenet5.answer import REFUSED, Box, Digit, Reading, Separator
from lenet5.reading.lines import Line
from lenet5.reading.single import Candidate
from lenet5.reading.words import Word

__all__ = ["SURE", "OneDigit", "is_writing", "likeliest", "p_digit", "p_left_out", "p_number", "p_trimmed"]

SURE: Final = 0.9
"""The probability of a digit that is beyond doubt."""

_CLEAR: Final = 8.0  # standard deviations of the rest of a picture by which ink stands out from it,
_SEEN: Final = 1.5  # and by which it is seen at all
_LIKELY: Final = 0.5  # it must so likely be a digit to be one, where there may be none,
_LIKELY_IN_PHOTO: Final = 0.75  # and so likely in a photo;
_SUREST: Final = 0.99  # a 1 that does not stand out so likely,
_DARK: Final = 0.4  # and it must be darker than its paper by so much
_WRITTEN: Final = 0.45  # in the mean so sure are the digits of what is written,
_MOSTLY: Final = 0.5  # and where so many of them reach the picture's border,
_WRITTEN_ON: Final = 0.55  # so sure
_TRACE: Final = 1e-6  # no mark is a digit with less


@dataclass(frozen=True)
class OneDigit:
    """A picture of this ``shape`` (H, W) ``reading`` as one digit, or as nothing, and where it was ``found``.

    A ``small`` picture, or part of one, has no shadows.
    """

    reading: Reading
    found: Candidate | None
    shape: tuple[int, ...]
    small: bool

    def is_likely(self) -> bool:
        """Whether there is a digit, likely: it must be surer where it hardly stands out or is cut off by the border.

        What is on two borders is a shadow or a thing, as is what looks like a 1 on one of them or in doubtful light.
        """
        label, p, found = *self._best(), self.found
        if found is None or p < _LIKELY:
            return False
        if self.small:
            return found.clear >= _CLEAR or (p >= SURE and label != "1")
        borders = _borders(found.box, (self.shape[1], self.shape[0]))
        if borders:
            return borders == 1 and label != "1" and p >= SURE and found.clear >= _CLEAR
        if found.clear >= _CLEAR:
            return p >= _LIKELY_IN_PHOTO
        return found.clear >= _SEEN and p >= SURE and (label != "1" or (p >= _SUREST and found.step >= _DARK))

    def fills(self) -> bool:
        """Whether a digit, likely, fills the picture from top to bottom."""
        label, p, found = *self._best(), self.found
        if found is None or self.small:
            return self.is_likely()
        return found.clear >= _CLEAR and p >= SURE and (label != "1" or found.step >= _DARK)

    def outdoes(self, reading: Reading, lines: list[Line]) -> bool:
        """Whether one digit is surer than a ``reading`` of parts of it, or much larger than the words of ``lines``."""
        label, p, found = *self._best(), self.found
        if found is None or p < SURE or p <= (reading.confidence if reading.digits else 0) or not self.is_likely():
            return False
        if reading.digits:
            own = self.reading.digits[0].box
            return all(_is_within(one.box, own) or _height(one.box) < _height(own) / 2 for one in reading.digits)
        beside = (line for line in lines if not found.box.top <= line.top + line.height / 2 <= found.box.bottom)
        return label != "1" and all(line.height < _height(found.box) / 2 for line in beside)

    @property
    def p_blank(self) -> float:
        """P(this is no digit), as far as the network can tell."""
        return 1 - p_digit(self.reading.digits[0]) if self.reading.digits else self.reading.confidence

    def _best(self) -> tuple[str, float]:
        return likeliest(self.reading.digits[0]) if self.reading.digits else ("", 0.0)


def is_writing(reading: Reading, size: tuple[int, int], scale: float) -> bool:
    """Whether what was read in a picture (width, height) is so sure on the whole that it may be writing.

    It must be surer if most of it reaches the border; it was found where the picture was ``scale`` times as large.
    """
    sure = [0.0 if digit.label == REFUSED else digit.confidence for digit in reading.digits]
    if not sure:
        return True
    cut = [_borders(digit.box, size, scale) > 0 for digit in reading.digits]
    return float(np.mean(sure)) >= (_WRITTEN_ON if np.mean(cut) >= _MOSTLY else _WRITTEN)


def _borders(box: Box, size: tuple[int, int], scale: float = 1.0) -> int:
    """How many borders of a picture (width, height) a box reaches, found where it was ``scale`` times as large."""
    near = math.ceil(1 / scale)
    beside = (box.left <= near) + (box.right >= size[0] - near)
    return beside + (box.top <= near) + (box.bottom >= size[1] - near)


def likeliest(digit: Digit) -> tuple[str, float]:
    """The likeliest label that is a digit's, and its probability."""
    answers = [(digit.label, digit.confidence), *digit.alternatives]
    return max(((k, p) for k, p in answers if k != REFUSED), key=lambda answer: answer[1], default=("", 0.0))


def p_digit(digit: Digit) -> float:
    """P(a mark is a digit, whichever): never quite 0, as no network is that sure."""
    if digit.label == REFUSED:
        return max(_TRACE, 1 - digit.confidence)
    return min(1.0, digit.confidence + sum(p for label, p in digit.alternatives if label != REFUSED))


def p_number(marks: Iterable[Digit | Separator]) -> float:
    """P(all marks of a word are digits), separators aside; 0 for a word without any."""
    every = [p_digit(mark) for mark in marks if isinstance(mark, Digit)]
    return math.prod(every) if every else 0.0


def p_left_out(lines: Iterable[Sequence[Word]], kept: Iterable[Sequence[bool]]) -> float:
    """P(no word that was not ``kept`` is a number): 1 without any.

    A word is a number if all its marks are digits and its line is one of numbers. Words of a page are alike, so that
    the one that is most like a number decides, not the product of all.
    """
    most = 0.0
    for line, which in zip(lines, kept, strict=True):
        every = [p_digit(mark) for word in line for mark in word if isinstance(mark, Digit)]
        of_numbers = sum(every) / max(len(every), 1)
        most = max([most, *(p_number(word) * of_numbers for word, own in zip(line, which, strict=True) if not own)])
    return 1 - most


def p_trimmed(marks: Sequence[Digit | Separator], kept: Sequence[Digit | Separator]) -> float:
    """P(no mark that was trimmed from the ends of a line is a digit): 1 without any."""
    own = {id(mark) for mark in kept}
    return math.prod(1 - p_digit(mark) for mark in marks if isinstance(mark, Digit) and id(mark) not in own)


def _height(box: Box) -> int:
    return box.bottom - box.top


def _is_within(inner: Box, outer: Box) -> bool:
    """Whether a box lies in another, but for some of its own size."""
    slack = (inner.right - inner.left + inner.bottom - inner.top) / 8
    beside = inner.left >= outer.left - slack and inner.right <= outer.right + slack
    return beside and inner.top >= outer.top - slack and inner.bottom <= outer.bottom + slack
