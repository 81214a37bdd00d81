"""Rubbish, which training shows as no character: spoilt digits, scribbles and printed glyphs.

Each maker draws ink (H, W) in 0..1 about CANVAS high. Some of it looks like a digit by chance: training drops what the
network still takes for one (``Mixture.doubted``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.synthesis.glyphs import glyph
from lenet5.synthesis.scribbles import blot, chain, mark, outlined, scribble, specks
from lenet5.synthesis.spoilt_digits import closed, gapped, glued, overlaid, remade, symmetric

__all__ = ["MAKERS", "Maker"]

Floats = NDArray[np.float32]
Maker = Callable[[list[Floats], NDArray[np.uint8], np.random.Generator], Floats]
"""Three digits cropped to their ink, their labels and a generator → ink that is no digit."""


def printed(digits: list[Floats], labels: NDArray[np.uint8], generator: np.random.Generator) -> Floats:
    """A printed glyph that does not look like a digit.

    >>> ink = printed([], np.empty(0), np.random.default_rng(3))
    >>> bool((ink == glyph(np.random.default_rng(3))).all())
    True
    """
    return glyph(generator)


MAKERS: Final[tuple[tuple[Maker, float], ...]] = (
    (remade, 0.08),
    (glued, 0.07),
    (gapped, 0.06),
    (closed, 0.07),
    (symmetric, 0.08),
    (overlaid, 0.04),
    (scribble, 0.13),
    (chain, 0.04),
    (mark, 0.06),
    (blot, 0.04),
    (specks, 0.03),
    (outlined, 0.02),
    (printed, 0.28),
)
"""Every generator of rubbish and its proportion."""
