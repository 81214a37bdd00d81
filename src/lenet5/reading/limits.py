"""How large a picture may be: bytes of a file and pixels, checked before anything is decoded."""

from __future__ import annotations

import math
from typing import Final

from lenet5.errors import PictureError, TooLargeError

__all__ = ["MOST_BYTES", "MOST_PIXELS", "SCALE_ABOVE", "check_bytes", "check_size", "smaller_size", "too_many_pixels"]

MOST_BYTES: Final = 200_000_000
"""Larger files are refused."""

MOST_PIXELS: Final = 100_000_000
"""Larger pictures are refused."""

SCALE_ABOVE: Final = 16_000_000
"""Pictures of more pixels are scaled down."""


def check_bytes(count: int, name: str) -> None:
    """Raise TooLargeError for a file of too many bytes.

    >>> check_bytes(200_000_001, "page.png")
    Traceback (most recent call last):
    lenet5.errors.TooLargeError: page.png is larger than 200 MB: crop it or save it smaller
    """
    if count > MOST_BYTES:
        raise TooLargeError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB: crop it or save it smaller")


def check_size(width: int, height: int, name: str) -> None:
    """Raise PictureError for a picture without pixels, with too many, or so long that it is only a few pixels high.

    >>> check_size(0, 20, "page.png")
    Traceback (most recent call last):
    lenet5.errors.PictureError: page.png has no pixels
    """
    if width == 0 or height == 0:
        raise PictureError(f"{name} has no pixels")
    if width * height > MOST_PIXELS:
        raise too_many_pixels(name)
    if max(width, height) > SCALE_ABOVE:
        raise PictureError(f"{name} has {width}×{height} pixels: too narrow for a digit")


def too_many_pixels(name: str) -> TooLargeError:
    """The error for a picture of over 100 megapixels.

    >>> str(too_many_pixels("page.png"))
    'page.png has over 100 megapixels: crop it or save it smaller'
    """
    return TooLargeError(f"{name} has over {MOST_PIXELS // 1_000_000} megapixels: crop it or save it smaller")


def smaller_size(size: tuple[int, int]) -> tuple[int, int] | None:
    """The size (width, height) that a picture of over 16 megapixels is scaled down to; None for a smaller one.

    >>> smaller_size((8000, 8000)), smaller_size((4000, 4000))
    ((4000, 4000), None)
    """
    width, height = size
    if width * height <= SCALE_ABOVE:
        return None
    scale = math.sqrt(SCALE_ABOVE / (height * width))
    return max(1, int(width * scale)), max(1, int(height * scale))
