"""Levels of a picture → its channels: luminance, and the darkest and the lightest of red, green and blue.

Levels are (H, W) grey, (H, W, 3) red first, or (H, W, 4) with the opacity last; uint8, uint16, or float32 in 0..1.
"""

from __future__ import annotations

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["channels_of", "is_coloured", "sampled", "shows_colour"]

_COLOUR: Final = 0.1  # luminance minus darkest channel, above which a pixel is coloured
_COLOUR_SAMPLE: Final = 500_000  # pixels tell whether a larger picture is coloured
_COLOURED: Final = 0.001  # of the pixels are coloured in a coloured picture, or
_COLOURED_ENOUGH: Final = 4  # sampled pixels: a digit of pale ink is a far smaller part of a page than 0.001
_LEVELS: Final = np.arange(256, dtype=np.float32) / np.float32(255)


def channels_of(levels: NDArray[Any]) -> list[NDArray[np.float32]]:
    """The luminance (H, W) in 0..1; of coloured levels also the darkest and the lightest channel.

    What is transparent shows paper: white, or black where what is opaque would vanish on white.

    >>> yellow = np.full((2, 2, 3), (255, 255, 0), np.uint8)
    >>> [round(float(channel[0, 0]), 3) for channel in channels_of(yellow)]
    [0.886, 0.0, 1.0]
    >>> len(channels_of(np.full((2, 2, 3), 128, np.uint8)))  # grey
    1
    """
    levels = np.ascontiguousarray(levels)
    return [_floats(channel) for channel in ((levels,) if levels.ndim == 2 else _channels(levels))]


def _channels(levels: NDArray[Any]) -> list[NDArray[Any]]:
    """The luminance (H, W) of contiguous RGB or RGBA levels; of coloured ones also the darkest and lightest channel.

    They are of the levels' type, or float32 in 0..1 where the picture is transparent.
    """
    kinds = (_luminance, _darkest, _lightest) if is_coloured(sampled(levels)) else (_luminance,)
    channels = [kind(levels) for kind in kinds]
    if levels.shape[2] == 3:
        return channels
    floats, opacity = [_floats(channel) for channel in channels], _floats(cv2.extractChannel(levels, 3))
    paper = _paper(floats[0], opacity)
    return [_over_paper(channel, opacity, paper) for channel in floats]


def _luminance(levels: NDArray[Any]) -> NDArray[Any]:
    """0.299 R + 0.587 G + 0.114 B (ITU-R 601-2) of RGB or RGBA levels (H, W, 3 or 4): (H, W) of the same type."""
    return cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY)  # which leaves the opacity aside


def _darkest(levels: NDArray[Any]) -> NDArray[Any]:
    """The darkest of the three channels of RGB or RGBA levels (H, W, 3 or 4): (H, W) of the same type."""
    red, green, blue = (cv2.extractChannel(levels, channel) for channel in range(3))
    return cv2.min(cv2.min(red, green, dst=green), blue, dst=blue)


def _lightest(levels: NDArray[Any]) -> NDArray[Any]:
    """The lightest of the three channels of RGB or RGBA levels (H, W, 3 or 4): (H, W) of the same type."""
    red, green, blue = (cv2.extractChannel(levels, channel) for channel in range(3))
    return cv2.max(cv2.max(red, green, dst=green), blue, dst=blue)


def is_coloured(sample: NDArray[Any]) -> bool:
    """Whether some of the sampled RGB or RGBA levels (H, W, 3 or 4) are coloured.

    >>> is_coloured(np.full((9, 9, 3), (255, 255, 0), np.uint8)), is_coloured(np.full((9, 9, 3), 99, np.uint8))
    (True, False)
    """
    apart = _floats(cv2.subtract(_luminance(sample), _darkest(sample)))
    return shows_colour(apart if sample.shape[2] == 3 else apart * _floats(cv2.extractChannel(sample, 3)))


def shows_colour(apart: NDArray[np.float32]) -> bool:
    """Whether enough of the sampled pixels differ in colour for the darkest channel to show what luminance does not.

    They are ``apart`` (H, W), luminance minus darkest channel. Yellow ink on white is 0.11 darker by luminance and 1 by
    the darkest channel. Below 0.1 there is little but the colour noise of JPEG and the tint of paper. Of a small
    picture one pixel in a thousand is enough, of a large one a few sampled pixels are, as a number in yellow covers
    less than that of a page; a picture wrongly taken for coloured only takes longer.

    >>> shows_colour(np.full((9, 9), 0.5, np.float32)), shows_colour(np.full((9, 9), 0.05, np.float32))
    (True, False)
    """
    return int(np.count_nonzero(apart > _COLOUR)) >= min(_COLOURED_ENOUGH, 1 + int(_COLOURED * apart.size))


def sampled(picture: Image.Image | NDArray[Any]) -> NDArray[Any]:
    """About 500,000 pixels of a larger picture, evenly spread: an array (H, W, …).

    >>> sampled(np.zeros((3000, 2000), np.uint8)).shape
    (1000, 667)
    """
    width, height = picture.size if isinstance(picture, Image.Image) else picture.shape[1::-1]
    step = max(1, math.isqrt(width * height // _COLOUR_SAMPLE))
    if isinstance(picture, np.ndarray):
        return np.ascontiguousarray(picture[::step, ::step])
    size = (max(1, width // step), max(1, height // step))
    return np.asarray(picture if step == 1 else picture.resize(size, Image.Resampling.NEAREST))


def _paper(luminance: NDArray[np.float32], opacity: NDArray[np.float32]) -> float:
    """What a transparent picture is laid on: white, or black where what is opaque would vanish on white."""
    opaque = float(opacity.sum())
    brightness = float((luminance * opacity).sum()) / opaque if opaque else 0.0
    mostly_transparent = opaque < 0.5 * opacity.size
    return 0.0 if mostly_transparent and brightness > 0.5 else 1.0


def _over_paper(levels: NDArray[np.float32], opacity: NDArray[np.float32], paper: float) -> NDArray[np.float32]:
    """Levels (H, W) laid on paper of one level, as far as they are not opaque."""
    return np.asarray(levels * opacity + np.float32(paper) * (1 - opacity))


def _floats(levels: NDArray[Any]) -> NDArray[np.float32]:
    """Contiguous levels (H, W) as float32 in 0..1."""
    if levels.dtype == np.uint8:
        return np.asarray(cv2.LUT(levels, _LEVELS), np.float32)
    if levels.dtype == np.uint16:
        return np.asarray(np.divide(levels, np.float32(65535), dtype=np.float32))
    return np.asarray(levels, np.float32)
