"""How close two characters of a line are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["INKED", "columns_between"]

Floats = NDArray[np.float32]

INKED = 0.35
"""The ink level from which a pixel counts where two characters meet."""


def columns_between(first: Floats, second: Floats, down: int) -> float:
    """White columns between the ink of two characters whose boxes touch, in the row where there are fewest.

    ``first`` (h, w) stands on the left; the top of ``second`` is ``down`` rows below its top. Infinite where no row has
    ink of both.

    >>> stem, foot = np.zeros((2, 4, 6), np.float32)
    >>> stem[:, 0] = foot[3, 2:] = 1
    >>> columns_between(stem, foot, 0), columns_between(stem, foot, 4)  # five on the right of the stem, two of the foot
    (7.0, inf)
    """
    top, bottom = min(0, down), max(len(first), down + len(second))
    white = np.full((2, bottom - top), np.inf)
    for side, start, ink in ((0, 0, first[:, ::-1]), (1, down, second)):
        inked = ink > INKED
        white[side, start - top : start - top + len(ink)] = np.where(inked.any(axis=1), inked.argmax(axis=1), np.inf)
    return float(white.sum(axis=0).min())
