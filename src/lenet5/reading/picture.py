"""A picture as reading sees it: grey levels, and where they lie in the picture as shown."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.errors import ArrayError, PictureError
from lenet5.reading.channels import channels_of, sampled, shows_colour
from lenet5.reading.impulses import without_impulses
from lenet5.result import Box

__all__ = ["Picture", "Region", "picture_of"]

_ROTATIONS: Final = (None, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


@dataclass(frozen=True)
class Picture:
    """Grey levels (H, W) float32, 0 black to 1 white, of a picture ``scale`` times as large as shown, or of a part.

    Salt-and-pepper noise is taken out. ``scale`` is at most 1; ``size`` is the (width, height) of the whole picture as
    shown; ``notes`` are for the user; it is page ``page`` of ``pages``. ``darkest`` (H, W) float32 is the darkest of
    the three channels, on which yellow, pink and pale ink are dark, ``lightest`` the lightest: what is coloured differs
    in them. Both are None where the picture is grey or nearly so.
    A part begins at ``origin``, (x, y) in pixels of the whole picture ``scale`` times as large, and is then turned
    counterclockwise by ``quarter_turns`` of 90°.

    >>> half = Picture(np.ones((20, 10), np.float32), size=(20, 40), scale=0.5)  # scaled down by half
    >>> half.box(Box(1, 2, 3, 4))
    Box(left=2, top=4, right=6, bottom=8)
    """

    grey: NDArray[np.float32]
    size: tuple[int, int]
    scale: float = 1.0
    notes: tuple[str, ...] = ()
    page: int = 1
    pages: int = 1
    darkest: NDArray[np.float32] | None = None
    lightest: NDArray[np.float32] | None = None
    origin: tuple[int, int] = (0, 0)
    quarter_turns: int = 0

    def box(self, box: Box) -> Box:
        """A box in pixels of ``grey`` as the smallest box in pixels of the whole picture as shown that holds it."""
        width, height = self.size
        upright = self._upright(box)
        (x, y), scale = self.origin, self.scale
        left, top = int((x + upright.left) / scale), int((y + upright.top) / scale)
        right, bottom = math.ceil((x + upright.right) / scale), math.ceil((y + upright.bottom) / scale)
        return Box(max(left, 0), max(top, 0), min(right, width), min(bottom, height))

    @property
    def bounds(self) -> Box:
        """The part of the picture as shown that ``grey`` holds: all of it, unless it was cropped.

        >>> Picture(np.ones((20, 10), np.float32), (10, 20)).cropped(Box(2, 3, 7, 20)).turned(1).bounds
        Box(left=2, top=3, right=7, bottom=20)
        """
        return self.box(Box(0, 0, self.grey.shape[1], self.grey.shape[0]))

    def cropped(self, region: Region) -> Picture:
        """The part of the picture in ``region``: a Box, or four fractions 0..1 (left, top, right, bottom).

        Both are of the whole picture as shown, also where this one is cropped or turned already; then what both hold
        remains. Raises ArrayError for what is no region of any picture (no four numbers in 0..1, NaN, left not before
        right), PictureError for a region that reaches outside this picture or holds no pixel of it.

        >>> page = Picture(np.ones((20, 10), np.float32), (10, 20))
        >>> page.cropped((0.5, 0.1, 1, 0.2)).bounds == page.cropped(Box(5, 2, 10, 4)).bounds == Box(5, 2, 10, 4)
        True
        """
        shown = _shown_box(region, self.size)
        (x, y), height, width = self.origin, *self.grey.shape
        if self.quarter_turns % 2:
            height, width = width, height
        left, top = max(0, math.floor(shown.left * self.scale) - x), max(0, math.floor(shown.top * self.scale) - y)
        right = min(width, math.ceil(shown.right * self.scale) - x)
        bottom = min(height, math.ceil(shown.bottom * self.scale) - y)
        if left >= right or top >= bottom:
            raise PictureError(f"the region {_listed(region)} has no pixel in this part of the picture")
        rows, columns = self._turned_slices(Box(left, top, right, bottom), width, height)
        part = self._changed(lambda levels: np.ascontiguousarray(levels[rows, columns]))
        if part.darkest is not None and not shows_colour(sampled(part.grey - part.darkest)):
            part = replace(part, darkest=None, lightest=None)
        return replace(part, origin=(x + left, y + top))

    def turned(self, quarter_turns: int) -> Picture:
        """The picture turned counterclockwise by so many times 90°, as ``np.rot90`` turns it.

        ``box`` still gives boxes in pixels of the picture as shown.

        >>> page = Picture(np.ones((20, 10), np.float32), (10, 20)).turned(1)
        >>> page.grey.shape, page.box(Box(0, 0, 1, 1))  # the upper left corner was the upper right one
        ((10, 20), Box(left=9, top=0, right=10, bottom=1))
        """
        turn = _ROTATIONS[quarter_turns % 4]
        if turn is None:
            return self
        upright = self._changed(lambda levels: np.asarray(cv2.rotate(levels, turn), np.float32))
        return replace(upright, quarter_turns=(self.quarter_turns + quarter_turns) % 4)

    def _changed(self, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Picture:
        """The picture with its levels changed, of whatever channel."""
        if self.darkest is None or self.lightest is None:
            return replace(self, grey=change(self.grey))
        return replace(self, grey=change(self.grey), darkest=change(self.darkest), lightest=change(self.lightest))

    def _upright(self, box: Box) -> Box:
        """A box in pixels of ``grey`` as it lies before the turns."""
        height, width = self.grey.shape
        for _ in range(self.quarter_turns):  # one turn clockwise each: x = height − y′, y = x′
            box = Box(height - box.bottom, box.left, height - box.top, box.right)
            height, width = width, height
        return box

    def _turned_slices(self, box: Box, width: int, height: int) -> tuple[slice, slice]:
        """Where the pixels of a box of the upright part (width, height) lie in ``grey``: rows, columns."""
        for _ in range(self.quarter_turns):  # one turn counterclockwise each: x′ = y, y′ = width − x
            box = Box(box.top, width - box.right, box.bottom, width - box.left)
            height, width = width, height
        return slice(box.top, box.bottom), slice(box.left, box.right)


Region = Box | Sequence[float]
"""A part of a picture: pixels of it as shown, or four fractions 0..1 of it (left, top, right, bottom)."""


def picture_of(levels: NDArray[Any], shown: tuple[int, int]) -> Picture:
    """The picture of levels, as ``channels_of`` takes them, that is ``shown`` (width, height).

    Levels of another size are a picture that was scaled down, which its notes say.

    >>> opened = picture_of(np.full((20, 10), 255, np.uint8), (20, 40))
    >>> opened.scale, opened.notes
    (0.5, ('scaled down from 20×40 to 10×20 for reading',))
    """
    channels = channels_of(levels)
    size = levels.shape[1::-1]
    if size == shown:  # what scales a picture down averages its noise
        return _of_channels([without_impulses(channel) for channel in channels], Picture(channels[0], shown))
    note = f"scaled down from {shown[0]}×{shown[1]} to {size[0]}×{size[1]} for reading"
    return _of_channels(channels, Picture(channels[0], shown, size[0] / shown[0], (note,)))


def _of_channels(channels: Sequence[NDArray[np.float32]], picture: Picture) -> Picture:
    """A picture with its luminance, and of a coloured one the darkest and the lightest channel."""
    grey, darkest, lightest = (*channels, None, None)[:3]
    assert grey is not None
    return replace(picture, grey=grey, darkest=darkest, lightest=lightest)


def _shown_box(region: Region, size: tuple[int, int]) -> Box:
    """A region in whole pixels of the picture as shown (width, height), checked."""
    width, height = size
    if isinstance(region, Box):
        edges: list[float] = [region.left, region.top, region.right, region.bottom]
        try:
            left, top, right, bottom = (operator.index(edge) for edge in edges)  # type: ignore[arg-type]
        except TypeError:
            raise ArrayError(f"a Box holds whole pixels, not {_listed(region)}: pass fractions as a tuple") from None
    else:
        try:
            edges = [float(edge) for edge in region]
        except (TypeError, ValueError):
            edges = []
        if len(edges) != 4 or isinstance(region, str | bytes):
            raise ArrayError(f"a region is a Box or four fractions 0..1, not {_listed(region)}")
        if not all(0 <= edge <= 1 for edge in edges):  # NaN is in no range
            raise ArrayError(f"a region's fractions are in 0..1, not {_listed(region)}: pass pixels as a Box")
        left, right = (round(edge * width) for edge in edges[::2])
        top, bottom = (round(edge * height) for edge in edges[1::2])
    if edges[0] >= edges[2] or edges[1] >= edges[3]:
        raise ArrayError(f"a region is left, top, right, bottom: {_listed(region)} is empty")
    if left < 0 or top < 0 or right > width or bottom > height:
        raise PictureError(f"the region {_listed(region)} reaches outside the picture of {width}×{height} pixels")
    if left >= right or top >= bottom:
        raise PictureError(f"the region {_listed(region)} has no pixel of the picture of {width}×{height} pixels")
    return Box(left, top, right, bottom)


def _listed(region: object) -> str:
    """A region as messages name it, in one line whatever it is."""
    text = repr(region.to_json() if isinstance(region, Box) else region)
    return " ".join(text.split())[:100]
