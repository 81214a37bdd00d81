"""A glance at every mark, whole and without care: what is surely a line of words is not read.

It costs a tenth of reading. Each word of a long chain of marks that look like letters is left out; what looks like
digits, or is too wide to be one character, stays as a proposal of its own. What was seen of the whole line and of all
marks of its ink goes along, as numbers and words beside one another tell each other apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.normalise import BOX
from lenet5.paper import SIDE
from lenet5.reading.components import Components
from lenet5.reading.ink import Ink
from lenet5.reading.proposals import Proposal
from lenet5.result import WORD_GAP

__all__ = ["Glance", "glanced", "within_budget"]

Floats = NDArray[np.float64]

_NONE: Final = 0.05  # P(digit) in the mean of a line that has none
_LONG: Final = 8  # marks: in a shorter line every word is read
_LINE: Final = 0.75  # P(digit) in the mean of a long line with less is words,
_WORD: Final = 0.85  # except for words with more
_LARGER: Final = 1.25  # heights: what is no larger in a line of words, alone or too wide to tell, is of them
_WIDE: Final = 1.4  # heights: a wider mark may be digits that touch
_MOST_LINES: Final = 300  # are read of one picture, those most like numbers first,
_MOST_MARKS: Final = 3000  # with dots and specks, so far as one more line begins


@dataclass(frozen=True)
class Glance:
    """A ``proposal`` worth reading, and mean P(digit) of the marks of its whole line and of the whole page."""

    proposal: Proposal
    mean: float
    marks: int
    page_mean: float
    page_marks: int


def glanced(
    proposals: Sequence[Proposal], p_digit: Callable[[NDArray[np.uint8]], Floats], every: bool = False
) -> list[Glance]:
    """The proposals, or the words of them, that are worth reading, or ``every`` one.

    ``p_digit`` gives (N,) for images (N, 28, 28).

    >>> from lenet5.reading.ink import inks_of
    >>> from lenet5.reading.proposals import proposals_in
    >>> grey = np.ones((60, 80), np.float32)
    >>> grey[20:45, 30:34] = 0  # a stroke
    >>> proposals = proposals_in(inks_of(grey))
    >>> [glance.mean for glance in glanced(proposals, lambda images: np.full(len(images), 0.75))]
    [0.75]
    >>> glanced(proposals, lambda images: np.full(len(images), 0.01))  # surely no digit
    []
    """
    images, owners = [], []
    for number, proposal in enumerate(proposals):
        for k in proposal.tall:
            images.append(_quick_image(proposal.ink, proposal.marks, int(k)))
            owners.append(number)
    if not images:
        return []
    seen = np.split(p_digit(np.stack(images)), np.cumsum(np.bincount(owners, minlength=len(proposals)))[:-1])
    pages: dict[int, list[float]] = {}
    for proposal, p in zip(proposals, seen, strict=True):
        pages.setdefault(id(proposal.ink), []).extend(p.tolist())
    kept = []
    for proposal, p in zip(proposals, seen, strict=True):
        page = pages[id(proposal.ink)]
        if not every and p.mean() < _NONE and not (proposal.marks.width[proposal.tall] > _WIDE * proposal.height).any():
            continue
        for part in (proposal,) if every else _parts(proposal, p):
            kept.append(Glance(part, float(p.mean()), len(p), float(np.mean(page)), len(page)))
    return kept


def within_budget(glances: Sequence[Glance]) -> list[Glance]:
    """As many lines as one picture may cost, those most like numbers; all of them, but of very full pictures.

    >>> within_budget([])
    []
    """
    sizes = [len(glance.proposal.tall) + len(glance.proposal.low) for glance in glances]
    if len(glances) <= _MOST_LINES and sum(sizes) <= _MOST_MARKS:
        return list(glances)
    order = sorted(range(len(glances)), key=lambda k: -glances[k].mean)[:_MOST_LINES]
    before = np.cumsum([0, *(sizes[k] for k in order)])
    return [glances[k] for k, marks in zip(order, before, strict=False) if marks < _MOST_MARKS]


def _parts(proposal: Proposal, p: Floats) -> Iterator[Proposal]:
    """A proposal as it is, or of a line of words what may be none."""
    marks, order = proposal.marks, np.argsort(proposal.marks.left[proposal.tall], kind="stable")
    tall, p = proposal.tall[order], p[order]
    narrow = marks.width[tall] <= _WIDE * proposal.height
    if len(p) < _LONG or narrow.sum() < _LONG / 2 or p[narrow].mean() >= _LINE:
        yield proposal
        return
    gaps = marks.left[tall][1:] - np.maximum.accumulate(marks.right[tall])[:-1]
    words = np.split(np.arange(len(tall)), np.flatnonzero(gaps > WORD_GAP * proposal.height) + 1)

    def is_kept(word: NDArray[np.intp]) -> bool:
        return _may_be_a_number(marks.height[tall[word]], p[word][narrow[word]], proposal.height)

    for kept, run in groupby(words, is_kept):  # words side by side stay one line
        if kept:
            digits = tall[np.concatenate(list(run))]
            left, right = marks.left[digits].min() - proposal.height, marks.right[digits].max() + proposal.height
            low = proposal.low[(marks.left[proposal.low] >= left) & (marks.right[proposal.low] <= right)]
            yield Proposal(proposal.ink, marks, digits, low, proposal.lined)


def _may_be_a_number(heights: NDArray[np.int64], p: Floats, usual: float) -> bool:
    """Whether a word of a line of words, of marks so high, may be a number by P(digit) of its narrow ones, ``p``."""
    if len(p) > 1 and p.mean() >= _WORD:
        return True
    return bool((heights >= _LARGER * usual).all()) and (len(p) == 0 or bool(p.mean() >= _WORD))


def _quick_image(ink: Ink, marks: Components, k: int) -> NDArray[np.uint8]:
    """A mark about as :func:`lenet5.normalise.normalise` brings it into MNIST's form."""
    box = slice(int(marks.top[k]), int(marks.bottom[k])), slice(int(marks.left[k]), int(marks.right[k]))
    level = ink.contrast[box] * (marks.labels[box] == k + 1)
    scale = BOX / max(level.shape)
    size = max(1, round(level.shape[1] * scale)), max(1, round(level.shape[0] * scale))
    small = cv2.resize(level, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top = float(small.max())
    small = np.asarray(np.minimum(small * (320 / (top or 1)), 255), np.uint8)
    mass = cv2.moments(small)
    image = np.zeros((SIDE, SIDE), np.uint8)
    total = mass["m00"] or 1
    row = min(max(round(SIDE / 2 - mass["m01"] / total), 0), SIDE - size[1])
    column = min(max(round(SIDE / 2 - mass["m10"] / total), 0), SIDE - size[0])
    image[row : row + size[1], column : column + size[0]] = small
    return image
