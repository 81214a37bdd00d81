"""Connected components: what touches, what is near enough, and where boxes end."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import bridged, components

Mask = NDArray[np.bool_]


def test_pixels_that_meet_at_a_corner_are_connected() -> None:
    assert len(components(np.eye(4, dtype=np.bool_))) == 1


def strokes(apart: int, height: int = 30) -> Mask:
    """Two strokes with so many blank columns between them."""
    mask = np.zeros((height, 40 + apart), np.bool_)
    mask[10:20, 16:20] = mask[10:20, 20 + apart : 24 + apart] = True
    return mask


@pytest.mark.parametrize(("gap", "farthest"), [(0, 0), (1, 2), (2, 4), (3, 4), (4, 6), (6, 8)])
def test_marks_are_joined_up_to_about_the_gap(gap: int, farthest: int) -> None:
    """Each side grows by half of the gap and one pixel; grown marks join where they touch."""
    assert len(bridged(strokes(max(farthest, 1)), gap)) == (1 if farthest else 2)
    assert len(bridged(strokes(farthest + 1), gap)) == 2
    for apart in (max(farthest, 1), farthest + 1):
        assert len(bridged(np.ascontiguousarray(strokes(apart).T), gap)) == len(bridged(strokes(apart), gap))


@pytest.mark.parametrize("box", [(0, 0, 6, 5), (14, 15, 20, 20), (7, 8, 12, 13), (0, 8, 20, 12), (8, 0, 12, 20)])
def test_boxes_are_those_of_the_mask_alone_at_its_borders_too(box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    mask = np.zeros((20, 20), np.bool_)
    mask[top:bottom, left:right] = True
    marks = bridged(mask, 2)
    assert (marks.left[0], marks.top[0], marks.right[0], marks.bottom[0]) == box
    assert marks.area.tolist() == [(right - left) * (bottom - top)]
    assert ((marks.labels == 1) == mask).all()
