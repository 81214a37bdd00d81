"""Ink in a row of cells → the digit of each cell, and the likeliest texts that a field allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.forms.ink import Edges
from lenet5.normalise import normalise
from lenet5.reading.constraint import Constraint
from lenet5.reading.lattice import LineModel

__all__ = ["CellTexts", "cell_images", "texts_of_cells"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

_DARK: Final = 40  # of 255: ink
_REACHES: Final = 0.35  # of a cell's width: a digit may reach so far into the next one
_LEAST_HEIGHT: Final = 0.2  # of the cells' height: marks in a cell that are together less high are no digit
_PRIOR: Final = 30.0  # to one: what fills a cell is a digit
_TEXTS: Final = 5  # the likeliest
_SUREST: Final = 1 - 1e-6  # no network is surer


@dataclass(frozen=True)
class CellTexts:
    """Texts with their probabilities, the likeliest first; ``gaps`` tells that a cell between filled ones is empty.

    >>> CellTexts((("12", 0.97), ("17", 0.02)), filled=2, gaps=False).texts[0]
    ('12', 0.97)
    """

    texts: tuple[tuple[str, float], ...]
    filled: int
    gaps: bool


def texts_of_cells(ink: Bytes, box: Edges, cells: int, model: LineModel, constraint: Constraint | None) -> CellTexts:
    """The likeliest texts of a row of ``cells``, empty ones left out; none if none is allowed.

    >>> from lenet5.reading.reader import Reader
    >>> ink = np.zeros((40, 90), np.uint8)
    >>> ink[6:34, 13:17] = ink[6:34, 73:77] = 255  # a stroke in the first and the third of three cells
    >>> answer = texts_of_cells(ink, (0, 0, 90, 40), 3, Reader(threads=1).line_model, None)
    >>> answer.texts[0][0], answer.filled, answer.gaps
    ('11', 2, True)
    """
    images = cell_images(ink, box, cells)
    filled = [k for k, image in enumerate(images) if image is not None]
    if not filled:
        return CellTexts((("", 1.0),), 0, False)
    stacked = np.stack([image for image in images if image is not None])
    answers = np.asarray(model.probabilities(stacked), np.float64)
    digits = np.concatenate([answers[:, : len(DIGITS)], answers[:, -1:] / _PRIOR], axis=1)
    p = np.clip(digits / np.maximum(digits.sum(axis=1, keepdims=True), 1e-12), 1e-9, _SUREST)
    gaps = filled[-1] - filled[0] + 1 > len(filled)
    return CellTexts(tuple(_likeliest(p[:, : len(DIGITS)], constraint)), len(filled), gaps)


def cell_images(ink: Bytes, box: Edges, cells: int) -> list[Bytes | None]:
    """Each cell's ink as (28, 28) in MNIST's form, None for an empty cell; marks belong to the cell of their middle.

    A mark that reaches far into other cells is cut at the sides between them.

    >>> ink = np.zeros((40, 90), np.uint8)
    >>> ink[6:34, 13:17] = ink[6:34, 73:77] = 255  # a stroke in the first and the third of three cells
    >>> [image is not None for image in cell_images(ink, (0, 0, 90, 40), 3)]
    [True, False, True]
    """
    left, _, right, _ = box
    pitch = (right - left) / cells
    count, labels, stats, middles = cv2.connectedComponentsWithStats((ink > _DARK).astype(np.uint8), connectivity=8)
    cell_of = np.clip(((middles[:, 0] - left) / pitch).astype(int), 0, cells - 1)
    owner = np.broadcast_to(np.clip(((np.arange(ink.shape[1]) - left) / pitch).astype(int), 0, cells - 1), ink.shape)
    owner = owner.copy()
    for k in range(1, count):
        start, wide = int(stats[k, cv2.CC_STAT_LEFT]), int(stats[k, cv2.CC_STAT_WIDTH])
        edge = left + cell_of[k] * pitch
        if edge - _REACHES * pitch <= start and start + wide <= edge + (1 + _REACHES) * pitch:
            rows = slice(stats[k, cv2.CC_STAT_TOP], stats[k, cv2.CC_STAT_TOP] + stats[k, cv2.CC_STAT_HEIGHT])
            part = labels[rows, start : start + wide] == k
            grown = cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            owner[rows, start : start + wide][grown] = cell_of[k]
    return [_image(np.where(owner == cell, ink, 0).astype(np.uint8), box) for cell in range(cells)]


def _image(ink: Bytes, box: Edges) -> Bytes | None:
    """A cell's ink in MNIST's form; None if it is too little for a digit."""
    x, y, width, height = cv2.boundingRect((ink > _DARK).astype(np.uint8))
    if max(width, height) < _LEAST_HEIGHT * (box[3] - box[1]):
        return None
    rows, columns = slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
    crop = ink[rows, columns].astype(np.float32)
    return normalise(np.minimum(crop / max(float(np.quantile(crop[crop > _DARK], 0.9)), 1.0), 1.0))


def _likeliest(p: Floats, constraint: Constraint | None) -> list[tuple[str, float]]:
    """The likeliest allowed texts of digits with probabilities (N, 10), a digit from each: beams over the automaton."""
    log_p = np.log(p)
    starts = (0,) if constraint is None else constraint.starts
    beams: dict[int, list[tuple[float, str]]] = {state: [(0.0, "")] for state in starts}
    for row in log_p:
        grown: dict[int, list[tuple[float, str]]] = {}
        for state, texts in beams.items():
            for digit, character in enumerate(DIGITS):
                after = 0 if constraint is None else int(constraint.next[state, constraint.symbols.index(character)])
                if after >= 0:
                    grown.setdefault(after, []).extend((log + row[digit], text + character) for log, text in texts)
        beams = {state: sorted(texts, reverse=True)[:_TEXTS] for state, texts in grown.items()}
    ended = [
        text for state, texts in beams.items() if constraint is None or constraint.accepting[state] for text in texts
    ]
    return [(text, math.exp(log)) for log, text in sorted(ended, reverse=True)[:_TEXTS]]
