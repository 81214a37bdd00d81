"""Lines of full boxes for direct tests, and networks that say of every image what they are told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.reading.geometry import Geometry
from lenet5.reading.lattice import Lattice, LineModel, Probabilities, lattices_of
from lenet5.reading.line_image import Line

Floats = NDArray[np.float32]


def level_of(*boxes: tuple[int, int, int, int], width: int, height: int = 60) -> Floats:
    """Ink in boxes (left, top, right, bottom)."""
    level = np.zeros((height, width), np.float32)
    for left, top, right, bottom in boxes:
        level[top:bottom, left:right] = 1
    return level


def strokes(*columns: int, width: int) -> Floats:
    """A stroke of 3×48 pixels at each column."""
    return level_of(*((column, 6, column + 3, 54) for column in columns), width=width)


def alike(classes: str) -> Geometry:
    """It says the same of every class."""
    count = len(classes) + 1
    return Geometry(classes, np.zeros((count, 2)), np.tile(np.eye(2), (count, 1, 1)))


def says(*p: float) -> Probabilities:
    """A network that gives every image these probabilities."""
    return lambda images: np.tile(np.array(p), (len(images), 1))


def surely(label: str, classes: str = DIGITS, p: float = 0.98) -> Probabilities:
    """A network that takes every image for one character with probability ``p``."""
    row = np.full(len(classes) + 1, (1 - p) / len(classes))
    row[classes.index(label)] = p
    return says(*row)


def lattice_of(level: Floats, probabilities: Probabilities, classes: str = DIGITS) -> Lattice:
    """The lattice of a line that lies in the picture as it is."""
    line = Line(level, left=0, top=0, scale=1, slope=0)
    (lattice,) = lattices_of([line], LineModel(classes, probabilities, alike(classes), 1.0))
    assert lattice is not None
    return lattice
