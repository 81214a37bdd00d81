"""Scored words → a Reading, as each layout asks for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS
from lenet5.reading.allowed import Allowed, best_allowed
from lenet5.reading.lattice import Lattice, LineModel
from lenet5.reading.picture import Picture
from lenet5.reading.score import PageScore
from lenet5.reading.select import best_line, best_set, in_reading_order, left_out, rows, trimmed
from lenet5.reading.texts import n_best
from lenet5.reading.words import Seen, Word
from lenet5.result import REFUSED, Box, Digit, Reading, Separator

__all__ = ["allowed_lines", "decided", "every_line", "likeliest_digit", "refused_below", "whole_line"]

Floats = NDArray[np.float64]

_TEXTS: Final = 5  # of a line, among them its own
_LEAST_ALTERNATIVE: Final = 0.0005  # alternatives less likely than this are not listed


def every_line(opened: Picture, seen: Seen, p: Floats, score: PageScore) -> Reading:
    """Layouts auto and page: the best set of words, those of one line together; ``p`` (N, 2) as ``score`` gives them.

    >>> empty = Picture(np.ones((20, 30), np.float32), (30, 20))
    >>> every_line(empty, Seen([], np.zeros((0, 37)), inked=False), np.zeros((0, 2)), None).lines
    ()
    """
    selected = best_set(seen.edges, seen.numbers, p, seen.digits)
    lines = [
        trimmed([mark for k in row for mark in seen.words[selected[k]].marks])
        for row in rows(seen.edges[selected], seen.numbers[selected])
    ]
    lines = [line for line in lines if any(isinstance(mark, Digit) for mark in line)]
    left = left_out(seen.edges, p, selected)
    confidence = score.confidence(p[selected, 1], left) if seen.inked else 1.0
    return Reading(tuple(in_reading_order([_boxed(opened, line) for line in lines])), confidence, notes=seen.notes)


def whole_line(opened: Picture, seen: Seen, p: Floats, score: PageScore, model: LineModel) -> Reading:
    """Layout line: all words of the best line."""
    number = best_line(seen.words, p)
    if number is None:
        return Reading((), score.confidence(p[:0, 1], 0.0) if seen.inked else 1.0, notes=seen.notes)
    words = np.flatnonzero(seen.numbers == number)
    lattice = seen.words[words[0]].lattice
    marks = trimmed([lattice.mark(k) for word in lattice.words for k in word])
    right = float(np.prod(p[words, 1] / p[words, 0]))  # as it is known that they are there
    reading = Reading((_boxed(opened, marks),), right, notes=seen.notes)
    return replace(reading, alternatives=_alternatives(lattice, reading, model))


def allowed_lines(
    opened: Picture, seen: Seen, p: Floats, score: PageScore, candidates: Sequence[Allowed], whole: bool
) -> Reading:
    """The best of the allowed texts, which are ``candidates``: of the ``whole`` line, or of each line that has one."""
    likely = max((candidate.there * candidate.any for candidate in candidates), default=0.0)
    if whole:  # that a line stands there is known
        best = sorted(candidates, key=lambda candidate: -candidate.there * candidate.any)[:1]
        right, any_allowed = (best[0].p, best[0].any) if best else (0.0, 0.0)
    else:
        best = best_allowed(candidates)
        right = math.prod(candidate.there * candidate.p for candidate in best)
        any_allowed = 1 - math.prod(1 - candidate.there * candidate.any for candidate in best) if best else likely
    lines = [(_boxed(opened, candidate.marks), candidate.text) for candidate in best]
    ordered = in_reading_order([marks for marks, _ in lines])
    named = tuple(text for marks in ordered for other, text in lines if other is marks)
    return Reading(
        tuple(ordered),
        right if best else score.confidence(p[:0, 1], left_out(seen.edges, p, [])) if seen.inked else 1.0,
        notes=seen.notes,
        allowed=any_allowed,
        alternatives=best[0].others if len(best) == 1 else (),
        texts=named,
    )


def likeliest_digit(opened: Picture, seen: Seen, p: Floats) -> tuple[NDArray[np.uint8], Box, float]:
    """The 28×28 image of the likeliest single digit of a picture, its box, and P(it stands there).

    Without ink the image is all 0.

    >>> empty = Picture(np.ones((20, 30), np.float32), (30, 20))
    >>> likeliest_digit(empty, Seen([], np.zeros((0, 37)), inked=False), np.zeros((0, 2)))[1:]
    (Box(left=0, top=0, right=30, bottom=20), 0.0)
    """
    if not seen.words:
        return np.zeros((paper.SIDE, paper.SIDE), np.uint8), opened.bounds, 0.0
    k = int(np.argmax(p[:, 0] + p[:, 1]))
    lattice, arc = seen.words[k].lattice, _single(seen.words[k])
    return lattice.candidates.images[lattice.arcs.candidate[arc]], opened.box(lattice.box(arc)), float(p[k, 0])


def decided(p: Floats, image: NDArray[np.uint8], box: Box, there: float) -> Digit:
    """Layout digit: the answer to one image by ``p`` (11,), of the ten digits and of none of them.

    It is refused where none of the digits is likelier than each of them. ``there`` is P(a digit stands there at all).

    >>> p = np.array([0.05, 0.9, *np.zeros(8), 0.05])
    >>> digit = decided(p, np.zeros((28, 28), np.uint8), Box(0, 0, 9, 9), there=1.0)
    >>> digit.label, digit.confidence
    ('1', 0.9)
    """
    p = p.copy()
    p[: len(DIGITS)] *= there
    p[-1] = 1 - p[: len(DIGITS)].sum()
    names = [*DIGITS, REFUSED]
    order = [int(k) for k in np.argsort(-p, kind="stable")]
    answer = order[0]
    others = tuple((names[k], float(p[k])) for k in order if k != answer and p[k] >= _LEAST_ALTERNATIVE)
    return Digit(names[answer], float(p[answer]), box, others, image)


def refused_below(reading: Reading, least: float) -> Reading:
    """The reading with its digits that are less sure than ``least`` refused.

    >>> digits = tuple(Digit(label, p, Box(0, 0, 9, 9)) for label, p in (("4", 0.98), ("1", 0.6)))
    >>> refused_below(Reading((digits,), 0.58), 0.9).text
    '4?'
    """
    lines, confidence = [], reading.confidence
    for marks in reading.lines:
        shown: list[Digit | Separator] = []
        for mark in marks:
            if isinstance(mark, Digit) and mark.label != REFUSED and mark.confidence < least:
                others = ((mark.label, mark.confidence), *((k, p) for k, p in mark.alternatives if k != REFUSED))
                refused = Digit(REFUSED, 1 - sum(p for _, p in others), mark.box, others, mark.image)
                confidence *= min(1.0, refused.confidence / max(mark.confidence, 1e-12))
                shown.append(refused)
            else:
                shown.append(mark)
        lines.append(tuple(shown))
    texts = reading.texts if confidence == reading.confidence else ()  # a text with "?" is not an allowed one
    return replace(reading, lines=tuple(lines), confidence=confidence, texts=texts)


def _alternatives(lattice: Lattice, reading: Reading, model: LineModel) -> tuple[tuple[str, float], ...]:
    """The likeliest other texts of a line, separators aside: they share what its own text leaves of the probability."""
    texts: dict[str, float] = {}
    for other, p in n_best(lattice.arcs, len(lattice.pieces), model.inverse_temperature, _TEXTS):
        named = "".join(DIGITS[k] if k < len(DIGITS) else REFUSED for k in other.labels if k not in model.separators)
        texts[named] = texts.get(named, 0.0) + p
    rest = (1 - reading.confidence) / max(1 - texts.pop(reading.text, 0.0), 1e-9)
    shares = ((text, min(p * rest, 1.0)) for text, p in texts.items())
    return tuple((text, p) for text, p in shares if p >= _LEAST_ALTERNATIVE)


def _single(word: Word) -> int:
    """The arc that takes all of a word, or nearly, for one digit; of several digits the likeliest such arc."""
    arcs = word.lattice.arcs
    digits = [k for k, mark in zip(word.arcs, word.marks, strict=True) if isinstance(mark, Digit)]
    if len(digits) == 1 and arcs.label[digits[0]] < len(DIGITS):
        return digits[0]
    first, last = min(arcs.first[k] for k in word.arcs), max(arcs.last[k] for k in word.arcs)
    whole = np.flatnonzero((arcs.label >= 0) & (arcs.label < len(DIGITS)) & (arcs.first >= first) & (arcs.last <= last))
    boxes = word.lattice.candidates.boxes[arcs.candidate[whole]]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int(whole[np.argmax(arcs.score[whole] + np.log(np.maximum(area, 1)))])


def _boxed(opened: Picture, marks: Sequence[Digit | Separator]) -> tuple[Digit | Separator, ...]:
    """The marks with their boxes in the picture as shown."""
    return tuple(replace(mark, box=opened.box(mark.box)) for mark in marks)
