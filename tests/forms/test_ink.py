"""The print of the blank sheet is taken out of a field, and what was written stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.forms.ink import written

Bytes = NDArray[np.uint8]


def cells(level: int, width: int = 3) -> Bytes:
    page = np.full((90, 300), 255, np.uint8)
    for k in range(5):
        cv2.rectangle(page, (20 + 50 * k, 15), (70 + 50 * k, 75), level, width)
    return page


def pen(page: Bytes, *points: tuple[int, int], level: int = 60, width: int = 5) -> Bytes:
    drawn = page.copy()
    cv2.polylines(drawn, [np.array(points, np.int32)], False, level, width, cv2.LINE_AA)
    return np.minimum(page, drawn)


@pytest.mark.parametrize("level", [0, 90, 190])
def test_what_is_only_printed_leaves_no_ink(level: int) -> None:
    printed = cells(level)
    beside = np.roll(printed, (1, 1), axis=(0, 1))  # a pixel beside its place
    assert written(printed, printed).max() == 0
    assert (written(beside, printed) > 40).mean() < 0.002


@pytest.mark.parametrize("level", [0, 90, 190])
def test_writing_beside_print_stays_as_it_is(level: int) -> None:
    printed = cells(level)
    seen = pen(printed, (35, 25), (55, 40), (35, 65))
    ink = written(seen, printed)
    inside = (slice(20, 70), slice(27, 63))
    assert np.abs(ink[inside].astype(int) - (255 - seen[inside])).max() < 30


@pytest.mark.parametrize("level", [0, 90, 190])
def test_a_stroke_that_crosses_print_stays_whole(level: int) -> None:
    printed = cells(level)
    seen = pen(printed, (45, 25), (95, 65))
    count, _ = cv2.connectedComponents((written(seen, printed) > 40).astype(np.uint8), connectivity=8)
    assert count == 2  # the paper and one stroke


def test_grey_print_that_a_fax_made_black_leaves_no_ink() -> None:
    printed = cells(190)
    seen = pen(np.where(printed < 230, 0, 255).astype(np.uint8), (35, 25), (55, 40), (35, 65), level=0)
    ink = written(seen, printed)
    assert (ink[:, 75:] > 40).mean() < 0.002
    assert (ink[20:70, 27:63] > 40).sum() > 150
