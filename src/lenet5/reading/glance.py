"""A glance at every mark, whole and without care: what is surely a line of words is not read.

It costs a tenth of reading. Each word of a long chain of marks that look like letters is left out; what looks like
digits, or is too wide to be one character, stays as a proposal of its own. What was seen of the whole line and of all
marks of its ink goes along, as numbers and words beside one another tell each other apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.answer import WORD_GAP
from lenet5.normalise import BOX
from lenet5.paper import SIDE
from lenet5.reading.components import Components
from lenet5.reading.ink import Ink
from lenet5.reading.proposals import Proposal

__all__ = ["Glance", "glanced"]

Floats = NDArray[np.float64]

_NONE: Final = 0.05  # P(digit) in the mean of a line that has none
_LONG: Final = 8  # marks: in a shorter line every word is read
_LINE: Final = 0.75  # P(digit) in the mean of a long line with less is words,
_WORD: Final = 0.85  # except for words with more
_LARGER: Final = 1.25  # heights: what is no larger in a line of words, alone or too wide to tell, is of them
_WIDE: Final = 1.4  # heights: a wider mark may be digits that touch
_MOST_LINES: Final = 300  # are read of one picture, those most like numbers first


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
    """
    images, owners = [], []
    for number, one in enumerate(proposals):
        for k in one.tall:
            images.append(_quick_image(one.ink, one.marks, int(k)))
            owners.append(number)
    if not images:
        return []
    seen = np.split(p_digit(np.stack(images)), np.cumsum(np.bincount(owners, minlength=len(proposals)))[:-1])
    pages: dict[int, list[float]] = {}
    for one, p in zip(proposals, seen, strict=True):
        pages.setdefault(id(one.ink), []).extend(p.tolist())
    kept = []
    for one, p in zip(proposals, seen, strict=True):
        page = pages[id(one.ink)]
        if not every and p.mean() < _NONE and not (one.marks.width[one.tall] > _WIDE * one.height).any():
            continue
        for part in (one,) if every else _parts(one, p):
            kept.append(Glance(part, float(p.mean()), len(p), float(np.mean(page)), len(page)))
    if len(kept) > _MOST_LINES:
        kept.sort(key=lambda one: -one.mean)
    return kept[:_MOST_LINES]


def _parts(one: Proposal, p: Floats) -> Iterator[Proposal]:
    """A proposal as it is, or of a line of words what may be none."""
    marks, order = one.marks, np.argsort(one.marks.left[one.tall], kind="stable")
    tall, p = one.tall[order], p[order]
    narrow = marks.width[tall] <= _WIDE * one.height
    if len(p) < _LONG or narrow.sum() < _LONG / 2 or p[narrow].mean() >= _LINE:
        yield one
        return
    gaps = marks.left[tall][1:] - np.maximum.accumulate(marks.right[tall])[:-1]
    for word in np.split(np.arange(len(tall)), np.flatnonzero(gaps > WORD_GAP * one.height) + 1):
        own, clear = tall[word], narrow[word]
        larger = bool((marks.height[own] >= _LARGER * one.height).all())
        number = clear.sum() > 1 and p[word][clear].mean() >= _WORD
        if number or (larger and (not clear.any() or p[word][clear].mean() >= _WORD)):
            left, right = marks.left[own].min() - one.height, marks.right[own].max() + one.height
            low = one.low[(marks.left[one.low] >= left) & (marks.right[one.low] <= right)]
            yield Proposal(one.ink, marks, own, low, one.lined)


def _quick_image(ink: Ink, marks: Components, k: int) -> NDArray[np.uint8]:
    """A mark about as :func:`lenet5.normalise.normalise` brings it into MNIST's form."""
    box = slice(int(marks.top[k]), int(marks.bottom[k])), slice(int(marks.left[k]), int(marks.right[k]))
    level = ink.contrast[box] * (marks.labels[box] == k + 1)
    scale = BOX / max(level.shape)
    size = max(1, round(level.shape[1] * scale)), max(1, round(level.shape[0] * scale))
    small = cv2.resize(level, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top = float(small.max())
    small = np.asarray(np.minimum(small * (320 / max(top, 1e-6)), 255), np.uint8)
    mass = cv2.moments(small)
    image = np.zeros((SIDE, SIDE), np.uint8)
    total = max(mass["m00"], 1e-6)
    row = min(max(round(SIDE / 2 - mass["m01"] / total), 0), SIDE - size[1])
    column = min(max(round(SIDE / 2 - mass["m10"] / total), 0), SIDE - size[0])
    image[row : row + size[1], column : column + size[0]] = small
    return image
