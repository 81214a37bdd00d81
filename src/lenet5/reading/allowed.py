"""Lattices × constraint → the texts that are allowed, each with its probability, and the best that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.answer import Digit, Separator
from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.constraint import Constraint
from lenet5.reading.decode import best_path, constrained_paths
from lenet5.reading.lattice import Lattice
from lenet5.reading.score import Word
from lenet5.reading.select import best_set

__all__ = ["Allowed", "allowed_texts", "best_allowed"]

Floats = NDArray[np.float64]

_TEXTS: Final = 5  # the likeliest, as alternatives
_TRACE: Final = 1e-3  # P(an allowed text stands here): with less it does not
_MOST_RANGES: Final = 40  # of words of a line that are searched


@dataclass(frozen=True)
class Allowed:
    """An allowed text: its ``marks``, P(it is what stands here) and P(``any`` allowed text stands here), unconditioned.

    ``others`` are further allowed texts with their probabilities, ``number`` is that of the proposal.
    """

    marks: tuple[Digit | Separator, ...]
    p: float
    any: float
    others: tuple[tuple[str, float], ...]
    number: int

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in the picture."""
        boxes = [mark.box for mark in self.marks]
        lowest = tuple(min(getattr(box, side) for box in boxes) for side in ("left", "top"))
        highest = tuple(max(getattr(box, side) for box in boxes) for side in ("right", "bottom"))
        return lowest[0], lowest[1], highest[0], highest[1]


def allowed_texts(
    words: Sequence[Word], p: Floats, constraint: Constraint, inverse_temperature: float, whole: bool
) -> list[Allowed]:
    """The best allowed text of each run of words of a line, or of each ``whole`` line; ``p`` (N, 2) are scores."""
    lines: dict[int, list[int]] = {}
    for k, word in enumerate(words):
        lines.setdefault(word.number, []).append(k)
    found = []
    for number, own in lines.items():
        lattice = words[own[0]].lattice
        groups = [_span(lattice, arcs) for arcs in lattice.words]
        there = {_span(lattice, words[k].arcs): float(p[k, 0]) for k in own}
        ranges = [(0, len(groups))] if whole else list(_ranges(lattice, groups, constraint))
        for first, last in ranges[:_MOST_RANGES]:
            spans = groups[first:last]
            likely = max(there.get(span, 0.0) for span in spans)
            edges = (0, len(lattice.pieces)) if whole else (spans[0][0], spans[-1][1])
            one = _allowed(lattice, edges, [span[0] for span in spans[1:]], constraint, inverse_temperature)
            if one is not None:
                found.append(replace(one, p=likely * one.p, any=likely * one.any, number=number))
    return found


def best_allowed(found: Sequence[Allowed]) -> list[Allowed]:
    """The likeliest of those that overlap, as far as some allowed text likely stands there."""
    edges = np.array([one.edges for one in found], np.float64).reshape(-1, 4)
    p = np.array([(one.any, one.p) for one in found]).reshape(-1, 2)
    return [found[k] for k in best_set(edges, np.arange(len(found)), p, np.ones(len(found)))]


def _span(lattice: Lattice, arcs: Sequence[int]) -> tuple[int, int]:
    """The first piece of a word and the one after its last."""
    own = list(arcs)
    return int(lattice.arcs.first[own].min()), int(lattice.arcs.last[own].max())


def _ranges(lattice: Lattice, groups: Sequence[tuple[int, int]], constraint: Constraint) -> Iterator[tuple[int, int]]:
    """Runs of words that may be as long as an allowed text is, the longest first."""
    fewest = _shortest(constraint)
    for length in range(len(groups), 0, -1):
        for first in range(len(groups) - length + 1):
            start, stop = groups[first][0], groups[first + length - 1][1]
            if stop - start >= fewest:
                yield first, first + length


def _shortest(constraint: Constraint) -> int:
    """How many characters, spaces aside, an allowed text has at least: a breadth-first search."""
    space, reached, length = len(constraint.symbols) - 1, {*constraint.starts}, 0
    while reached and not constraint.accepting[list(reached)].any() and length < 100:
        onward = {int(k) for state in reached for k in np.delete(constraint.next[state], space) if k >= 0}
        spaced = {int(constraint.next[state, space]) for state in onward if constraint.next[state, space] >= 0}
        reached, length = onward | spaced, length + 1
    return length


def _allowed(
    lattice: Lattice, edges: tuple[int, int], gaps: Sequence[int], constraint: Constraint, inverse_temperature: float
) -> Allowed | None:
    """The best allowed text of the pieces between two gaps, wide ``gaps`` being spaces; None if there is none."""
    start, stop = edges
    which = np.flatnonzero((lattice.arcs.first >= start) & (lattice.arcs.last <= stop))
    every = lattice.arcs
    part = Arcs(every.first[which] - start, every.last[which] - start, every.label[which], every.score[which], which)
    wide = np.zeros(stop - start + 1, np.bool_)
    wide[[gap - start for gap in gaps]] = True
    texts, log_allowed = constrained_paths(part, stop - start, constraint, wide, inverse_temperature, _TEXTS)
    if not texts:
        return None
    total = best_path(part, stop - start, inverse_temperature).log_total
    chances = [min(1.0, math.exp(text.log_total - total)) for text in texts]
    if math.exp(min(log_allowed - total, 0)) < _TRACE:
        return None
    marks = tuple(lattice.mark(int(which[k])) for k in texts[0].arcs if part.label[k] != SPECK)
    named = ["".join(constraint.symbols[k] for k in text.labels) for text in texts]
    others = tuple((name, p) for name, p in zip(named[1:], chances[1:], strict=True))
    return Allowed(marks, chances[0], min(1.0, math.exp(log_allowed - total)), others, -1)
