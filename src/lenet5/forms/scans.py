"""Pictures of sheets as forms see them: grey levels on which ink of any colour is dark."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.reading.picture import Picture

__all__ = ["grey_of"]

_LONGEST: Final = 3600  # pixels: an A4 sheet at 300 dpi is as long; more shows nothing that a field needs


def grey_of(picture: Picture) -> NDArray[np.uint8]:
    """The grey levels (H, W) uint8 of a page, of a coloured one its darkest channel, at most 3,600 pixels long.

    >>> from lenet5.reading.opening import open_picture
    >>> red = np.full((20, 30, 3), (255, 40, 40), np.uint8)
    >>> int(grey_of(open_picture(red))[10, 15])  # red ink is dark in the green channel
    40
    """
    levels = picture.grey if picture.darkest is None else picture.darkest
    scale = _LONGEST / max(levels.shape)
    if scale < 1:
        size = (max(1, round(levels.shape[1] * scale)), max(1, round(levels.shape[0] * scale)))
        levels = np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.convertScaleAbs(levels, alpha=255), np.uint8)  # rounds
