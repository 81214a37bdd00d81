"""Scored words → what is answered: the best set that does not overlap, under the layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.proposals import REACH
from lenet5.reading.words import Word
from lenet5.result import REFUSED, Digit, Separator

__all__ = ["best_line", "best_set", "in_reading_order", "left_out", "rows", "trimmed"]

Floats = NDArray[np.float64]
Marks = tuple[Digit | Separator, ...]

_THERE: Final = 0.6  # with P(a number stands there) below it nothing is given: as many numbers are found as with 0.5
_HARD: Final = 0.3  # so much a number is worth that is there but hard to read: more than a surely read part of it
_SHARED: Final = 0.25  # of the smaller one's area: what overlaps more is the same ink, seen otherwise
_STRANGE: Final = 0.9  # what is no digit with at least this probability, at the end of a line, does not belong to it


def best_set(edges: Floats, lines: NDArray[np.int64], p: Floats, digits: Floats) -> list[int]:
    """The numbers of the words that likely stand there; where they overlap, the surest to be right and longest.

    ``edges`` (N, 4) are their boxes, ``lines`` (N,) tell which are of one line, ``p`` (N, 2) are P(a number stands
    there) and P(and it is read rightly), ``digits`` (N,) how many each holds: a part of a number may be surer than all
    of it.

    >>> edges = np.array([(0, 0, 30, 20), (0, 0, 10, 20), (50, 0, 80, 20)], float)  # a number, its first digit, a blot
    >>> best_set(edges, np.array([0, 1, 2]), np.array([(0.9, 0.8), (0.9, 0.85), (0.1, 0.1)]), np.array([3, 1, 3]))
    [0]
    """
    selected: list[int] = []
    worth = p[:, 0] ** 2 * (p[:, 1] + _HARD) * np.sqrt(digits)
    for k in np.argsort(-worth, kind="stable"):
        if p[k, 0] < _THERE:
            continue
        others = [i for i in selected if lines[i] != lines[k]]
        if not others or (overlaps(edges[k], edges[others]) <= _SHARED).all():
            selected.append(int(k))
    return selected


def left_out(edges: Floats, p: Floats, selected: Sequence[int]) -> float:
    """P(something stands there) of the likeliest word that lies apart from all that was chosen; 0 without any.

    >>> edges = np.array([(0, 0, 30, 20), (0, 0, 10, 20), (50, 0, 80, 20)], float)
    >>> left_out(edges, np.array([(0.9, 0.8), (0.9, 0.85), (0.1, 0.1)]), [0])  # the second lies in the first
    0.1
    """
    apart = [
        k for k in range(len(p)) if k not in selected and (overlaps(edges[k], edges[list(selected)]) <= _SHARED).all()
    ]
    return float(p[apart, 0].max(initial=0.0))


def best_line(words: Sequence[Word], p: Floats) -> int | None:
    """The number of the line of which most digits are expected to stand there; None without any.

    That a line stands there is known: of a line and a part of it the line is taken, though it may be less sure.

    >>> from lenet5.result import Box
    >>> digits = [Digit(str(k), 0.9, Box(9 * k, 0, 9 * k + 8, 12)) for k in range(5)]
    >>> short, long = Word(None, None, 0, (0,), tuple(digits[:1])), Word(None, None, 1, (0,), tuple(digits[1:]))
    >>> best_line([short, long], np.array([(0.99, 0.9), (0.9, 0.7)]))
    1
    """
    worth: dict[int, float] = {}
    for word, (there, _) in zip(words, p, strict=True):
        worth[word.number] = worth.get(word.number, 0.0) + len(word.text) * float(there)
    return max(worth, key=lambda number: worth[number]) if worth else None


def rows(edges: Floats, lines: NDArray[np.int64]) -> list[list[int]]:
    """The numbers of words with boxes (N, 4) that stand in one line, from left to right.

    They are of one of the ``lines`` (N,) that were proposed, or side by side in reach of each other, as tall and alike.

    >>> rows(np.array([(40, 0, 60, 20), (0, 2, 20, 22), (0, 90, 20, 110)], float), np.arange(3))
    [[1, 0], [2]]
    """
    left, top, right, bottom = edges.T
    tall = bottom - top
    shared = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    gap = np.maximum.outer(left, left) - np.minimum.outer(right, right)
    lower, taller = np.minimum.outer(tall, tall), np.maximum.outer(tall, tall)
    beside = (shared >= 0.5 * taller) & (gap <= REACH * lower)
    joined = beside | np.equal.outer(lines, lines)
    waiting, result = set(range(len(edges))), []
    while waiting:
        row, new = set(), {min(waiting)}
        while new:
            row |= new
            new = {int(i) for k in new for i in np.flatnonzero(joined[k])} - row
        waiting -= row
        result.append(sorted(row, key=lambda k: left[k]))
    return result


def in_reading_order(lines: Sequence[Marks]) -> list[Marks]:
    """Lines from top to bottom, those that are about as high up from left to right.

    >>> from lenet5.result import Box
    >>> places = ("3", 0, 50), ("2", 40, 2), ("1", 0, 0)
    >>> lines = [(Digit(label, 0.9, Box(x, y, x + 9, y + 12)),) for label, x, y in places]
    >>> [line[0].label for line in in_reading_order(lines)]
    ['1', '2', '3']
    """
    if not lines:
        return []
    tops = [float(np.median([mark.box.top for mark in line])) for line in lines]
    bottoms = [float(np.median([mark.box.bottom for mark in line])) for line in lines]
    middles = [(top + bottom) / 2 for top, bottom in zip(tops, bottoms, strict=True)]
    rows: list[list[int]] = []
    for k in sorted(range(len(lines)), key=lambda k: middles[k]):
        if not rows or middles[k] - middles[rows[-1][0]] > 0.5 * min(
            bottoms[k] - tops[k], bottoms[rows[-1][0]] - tops[rows[-1][0]]
        ):
            rows.append([])
        rows[-1].append(k)
    return [lines[k] for row in rows for k in sorted(row, key=lambda k: min(mark.box.left for mark in lines[k]))]


def trimmed(marks: Sequence[Digit | Separator]) -> Marks:
    """The marks of a line without those at its ends that are surely no digits.

    >>> from lenet5.result import Box
    >>> marks = [Digit(label, 0.95, Box(9 * k, 0, 9 * k + 8, 12)) for k, label in enumerate("?17?2?")]
    >>> "".join(mark.label for mark in trimmed(marks))
    '17?2'
    """
    kept = [k for k, mark in enumerate(marks) if not _is_strange(mark)]
    return tuple(marks[kept[0] : kept[-1] + 1]) if kept else ()


def _is_strange(mark: Digit | Separator) -> bool:
    return isinstance(mark, Digit) and mark.label == REFUSED and mark.confidence > _STRANGE


def overlaps(one: Floats, others: Floats) -> Floats:
    """(N,): the area that a box (4,) shares with each of others (N, 4), over that of the smaller one.

    >>> overlaps(np.array([0.0, 0, 2, 2]), np.array([[1.0, 1, 4, 4], [2.0, 2, 4, 4]])).tolist()
    [0.25, 0.0]
    """
    shared = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    smaller = np.maximum(np.minimum(areas, (one[2] - one[0]) * (one[3] - one[1])), 1)
    return np.asarray(np.maximum(shared, 0).prod(axis=1) / smaller)
