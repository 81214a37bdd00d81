"""Ink of one line → the likeliest texts that a field allows, its digits found by the segmentation graph.

The ink is known to be one line of a field, so that nothing has to be proposed or selected: all of it is read.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.reading.components import bridged
from lenet5.reading.constraint import Constraint
from lenet5.reading.lattice import Lattice, LineModel, lattices_of
from lenet5.reading.line_image import LOW, line_image, usual_height
from lenet5.reading.texts import constrained_paths

__all__ = ["lattice_of_ink", "texts_of_line"]

_DARK: Final = 40  # of 255: ink
_GAP: Final = 3  # pixels: the grain of pencils leaves such gaps in a stroke
_TEXTS: Final = 5  # the likeliest


def texts_of_line(ink: NDArray[np.uint8], model: LineModel, constraint: Constraint) -> list[tuple[str, float]]:
    """The likeliest allowed texts of the ink (h, w) uint8, 255 for full, with their probabilities; none if none is.

    The probabilities are not conditioned on the text being allowed.

    >>> from lenet5.reading.constraint import compile_constraint
    >>> from lenet5.reading.reader import Reader
    >>> ink = np.zeros((50, 60), np.uint8)
    >>> ink[5:45, 10:14] = ink[5:45, 40:44] = 255  # two strokes
    >>> model = Reader(threads=1).line_model
    >>> texts_of_line(ink, model, compile_constraint(model.classes, r"\\d\\d"))[0][0]
    '11'
    """
    lattice = lattice_of_ink(ink, model)
    if lattice is None:
        return []
    pieces = len(lattice.pieces)
    gaps = np.zeros(pieces + 1, np.bool_)
    texts, _ = constrained_paths(lattice.arcs, pieces, constraint, gaps, model.inverse_temperature, _TEXTS)
    total = lattice.path.log_total
    named = [("".join(constraint.symbols[k] for k in text.labels), text.log_total) for text in texts]
    return [(name, min(math.exp(log - total), 1.0)) for name, log in named]


def lattice_of_ink(ink: NDArray[np.uint8], model: LineModel) -> Lattice | None:
    """All ways of reading the ink (h, w) uint8 of one line; None where there is none that could be a character.

    >>> from lenet5.reading.reader import Reader
    >>> lattice_of_ink(np.zeros((50, 60), np.uint8), Reader(threads=1).line_model) is None
    True
    """
    mask = ink > _DARK
    if not mask.any():
        return None
    marks = bridged(mask, _GAP)
    tall = marks.height >= LOW * usual_height(marks.height, marks.area)
    level = np.minimum(ink.astype(np.float32) / max(float(np.quantile(ink[mask], 0.9)), 1.0), 1.0).astype(np.float32)
    line = line_image(level, marks, np.flatnonzero(tall), np.flatnonzero(~tall), 1.0)
    (lattice,) = lattices_of([line], model)
    return lattice
