"""Words of a page → those that are numbers: letters are read as digits, too, but less surely and less evenly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from lenet5.answer import REFUSED, Digit, Separator

__all__ = ["Word", "are_digits", "numbers"]

Word = Sequence[Digit | Separator]
"""Marks without a wide gap between them, from left to right."""

_EXPECTED: Final = 0.95  # of a page's marks are digits, by their confidences, where it is one of numbers,
_SPREAD: Final = 0.8  # give or take so much, divided by the square root of their number
_SURE_ONES: Final = 0.15  # of a form's marks are in sure numbers of two digits and more, at least
_NUMBER: Final = 0.97  # of a word's marks must be digits for it to be a number whatever stands beside it;
_NUMBERS: Final = 0.84  # or, where so many of its line's marks are,
_FEW: Final = 0.12  # (less so many divided by the square root of their number,
_USUAL: Final = 0.1  # and, where heights differ by another part of themselves than this,
_UNEVEN: Final = 2.5  # so many more for each part that it is more,
_EVEN: Final = 1.0  # and so many less for each that it is less)
_DOUBTFUL: Final = 0.3  # so many of its own
_LEAST: Final = 4  # digits of a number among words,
_SURE: Final = 0.995  # and how sure they are;
_FULL: Final = 0.9  # of the height of what is tall beside it: figures are as tall as capitals
_LIKELY: Final = 0.93  # a word so surely read is likely a number;
_LIKELY_LINE: Final = 0.9  # a line so surely read is one among words
_LARGER: Final = 1.3  # if it is so much taller than they are
_ALIKE: Final = 0.6  # what is lower than this part of those, and not sure itself, is print beside them


def numbers(found: Iterable[Sequence[Word]]) -> list[list[bool]]:
    """For each line found on a page, of words from left to right, which of them are numbers.

    On a page of numbers a line is judged as a whole: a word in it may be doubtful. On a page of words
    a number must be long, tall and sure, less so where a good part of it is sure numbers, or a line larger than
    the words.
    """
    lines = list(found)
    if _is_text(lines):
        least = (_LEAST, _SURE) if _sure_ones(lines) < _SURE_ONES else (2, _NUMBER)
        usual = float(np.median(_heights(mark for line in lines for word in line for mark in word) or [0.0]))
        return [[_is_larger(line, usual) or _stands_out(word, line, *least) for word in line] for line in lines]
    shares = [_share(mark for word in line for mark in word) for line in lines]
    usual = _usual_height(lines)
    return [[_is_number(word, line, share, usual) for word in line] for line, share in zip(lines, shares, strict=True)]


def are_digits(found: Iterable[Sequence[Word]]) -> bool:
    """Whether what lines have is so surely digits that hardly any word can be among them."""
    return _share(mark for line in found for word in line for mark in word) >= _EXPECTED


def _is_text(lines: Sequence[Sequence[Word]]) -> bool:
    """Whether too few of a page's marks are digits for it to be a page of numbers."""
    every = _digits(mark for line in lines for word in line for mark in word)
    return bool(_share(every) < _EXPECTED - _SPREAD / np.sqrt(max(len(every), 1)))


def _sure_ones(lines: Sequence[Sequence[Word]]) -> float:
    """How many of a page's marks are in words of two digits and more that are surely numbers: 0..1."""
    every = [_digits(word) for line in lines for word in line]
    sure = sum(len(word) for word in every if len(word) > 1 and _share(word) >= _NUMBER)
    return sure / max(sum(map(len, every)), 1)


def _stands_out(word: Word, line: Sequence[Word], fewest: int, least: float) -> bool:
    """Whether a word among words is surely a number: of so many digits, so sure, and tall."""
    heights = _heights(word)
    if len(heights) < fewest or _share(word) < least:
        return False
    tall = float(np.quantile(_heights(mark for other in line for mark in other), 0.9))
    return bool(np.median(heights) >= _FULL * tall)


def _is_larger(line: Sequence[Word], usual: float) -> bool:
    """Whether a line is likely a number as a whole, and written larger than is usual on its page."""
    marks = [mark for word in line for mark in word]
    heights = _heights(marks)
    return len(heights) > 2 and _share(marks) >= _LIKELY_LINE and float(np.median(heights)) >= _LARGER * usual


def _is_number(word: Word, line: Sequence[Word], share_of_line: float, usual: float) -> bool:
    """Whether a word on a page of numbers is one, ``usual`` being the height of those that surely are."""
    share = _share(word)
    if share >= _NUMBER:
        return True
    heights = _heights(mark for other in line for mark in other)
    uneven = float(np.std(heights) / np.mean(heights)) if len(heights) >= 3 else _USUAL
    least = (
        _NUMBERS - _FEW / np.sqrt(max(len(heights), 1)) + (_UNEVEN if uneven > _USUAL else _EVEN) * (uneven - _USUAL)
    )
    low = bool(heights) and float(np.median(heights)) < _ALIKE * usual
    return bool(not low and share >= _DOUBTFUL and share_of_line >= least)


def _usual_height(lines: Sequence[Sequence[Word]]) -> float:
    """The middle of the heights of the digits in words that are likely numbers; 0 without any."""
    heights = [
        h
        for line in lines
        for word in line
        if _share(word) >= _LIKELY and len(_heights(word)) > 1
        for h in _heights(word)
    ]
    return float(np.median(heights)) if heights else 0.0


def _digits(marks: Iterable[Digit | Separator]) -> list[Digit]:
    """The digits among these marks, refused or not."""
    return [mark for mark in marks if isinstance(mark, Digit)]


def _heights(marks: Iterable[Digit | Separator]) -> list[float]:
    """Their heights in pixels."""
    return [float(mark.box.bottom - mark.box.top) for mark in _digits(marks)]


def _share(marks: Iterable[Digit | Separator]) -> float:
    """How many of these marks, separators aside, are digits, by their confidences: 0..1."""
    digits = _digits(marks)
    return sum(mark.confidence for mark in digits if mark.label != REFUSED) / max(len(digits), 1)
