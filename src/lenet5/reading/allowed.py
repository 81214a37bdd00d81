"""Lattices × constraint → the texts that are allowed, each with its probability, and the best that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.constraint import Constraint
from lenet5.reading.decode import best_path
from lenet5.reading.lattice import Lattice
from lenet5.reading.select import best_set
from lenet5.reading.texts import constrained_paths
from lenet5.reading.words import Word
from lenet5.result import Digit, Separator

__all__ = ["Allowed", "allowed_texts", "best_allowed"]

Floats = NDArray[np.float64]

_TEXTS: Final = 5  # the likeliest, as alternatives
_TRACE: Final = 1e-3  # P(an allowed text stands here): with less, part of a line is none
_MOST_RANGES: Final = 100  # runs of words of a line that are searched, those as long as allowed texts first
_LONGEST: Final = 100  # characters: texts that may be longer may be of any length


@dataclass(frozen=True)
class Allowed:
    """An allowed ``text``: its ``marks``, P(it is what stands here) and P(``any`` allowed text stands here).

    Both suppose that something stands here, which is so with P(``there``). ``others`` are further allowed texts with
    their probabilities.

    >>> from lenet5.result import Box
    >>> marks = tuple(Digit(label, 0.9, Box(left, 0, left + 8, 12)) for label, left in (("4", 0), ("2", 10)))
    >>> Allowed("42", marks, p=0.8, any=0.9, there=0.99, others=(("47", 0.1),)).edges
    (0, 0, 18, 12)
    """

    text: str
    marks: tuple[Digit | Separator, ...]
    p: float
    any: float
    there: float
    others: tuple[tuple[str, float], ...]

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
    lengths = _lengths(constraint)
    allowed = []
    for own in lines.values():
        lattice = words[own[0]].lattice
        groups = [(*_span(lattice, arcs), len(arcs)) for arcs in lattice.words]
        there = {_span(lattice, words[k].arcs): float(p[k, 0]) for k in own}
        for first, last in [(0, len(groups))] if whole else _ranges(groups, lengths)[:_MOST_RANGES]:
            spans = groups[first:last]
            likely = max(there.get(span[:2], 0.0) for span in spans)
            edges = (0, len(lattice.pieces)) if whole else (spans[0][0], spans[-1][1])
            if whole or likely >= _TRACE:
                one = _allowed(lattice, edges, [span[0] for span in spans[1:]], constraint, inverse_temperature)
                if one is not None and (whole or one.any >= _TRACE):
                    allowed.append(replace(one, there=likely))
    return allowed


def best_allowed(allowed: Sequence[Allowed]) -> list[Allowed]:
    """The likeliest of those that overlap, as far as some allowed text likely stands there.

    >>> from lenet5.result import Box
    >>> marks = (Digit("4", 0.9, Box(0, 0, 8, 12)),)
    >>> sure, unsure = (Allowed(text, marks, p, p, 1.0, ()) for text, p in (("4", 0.9), ("9", 0.7)))
    >>> [allowed.text for allowed in best_allowed([unsure, sure])]  # both read the same ink
    ['4']
    """
    edges = np.array([text.edges for text in allowed], np.float64).reshape(-1, 4)
    p = np.array([(text.there * text.any, text.there * text.p) for text in allowed]).reshape(-1, 2)
    return [allowed[k] for k in best_set(edges, np.arange(len(allowed)), p, np.ones(len(allowed)))]


def _span(lattice: Lattice, arcs: Sequence[int]) -> tuple[int, int]:
    """The first piece of a word and the one after its last."""
    own = list(arcs)
    return int(lattice.arcs.first[own].min()), int(lattice.arcs.last[own].max())


def _ranges(groups: Sequence[tuple[int, int, int]], lengths: tuple[int, float]) -> list[tuple[int, int]]:
    """Runs of words (first piece, one after the last, marks), those with as many marks as an allowed text has first."""
    fewest, most = lengths
    runs = []
    for first in range(len(groups)):
        for last in range(first + 1, len(groups) + 1):
            marks = sum(group[2] for group in groups[first:last])
            if last - first <= most and groups[last - 1][1] - groups[first][0] >= fewest:
                runs.append((max(fewest - marks, marks - most, 0), first, last))
    return [(first, last) for _, first, last in sorted(runs)]


def _lengths(constraint: Constraint) -> tuple[int, float]:
    """How many characters, spaces aside, an allowed text has at least and at most: a breadth-first search."""
    space, reached = len(constraint.symbols) - 1, {*constraint.starts}
    accepted = []
    for length in range(_LONGEST + 1):
        if constraint.accepting[list(reached)].any():
            accepted.append(length)
        onward = {int(k) for state in reached for k in np.delete(constraint.next[state], space) if k >= 0}
        reached = onward | {int(constraint.next[state, space]) for state in onward} - {-1}
        if not reached:
            return accepted[0], float(accepted[-1])
    return (accepted or [_LONGEST])[0], math.inf


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
    marks = tuple(lattice.mark(int(which[k])) for k in texts[0].arcs if part.label[k] != SPECK)
    named = ["".join(constraint.symbols[k] for k in text.labels) for text in texts]
    others = tuple((name, p) for name, p in zip(named[1:], chances[1:], strict=True))
    return Allowed(named[0], marks, chances[0], min(1.0, math.exp(log_allowed - total)), 1.0, others)
