"""Connected marks: pixels that meet at a corner, and strokes whose grains a small gap parts."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5.reading.components import bridged, components


@pytest.mark.parametrize("gap", [2, 4, 6])
@pytest.mark.parametrize("turned", [False, True])
def test_strokes_as_far_apart_as_the_gap_and_one_pixel_of_each_rim_are_one_mark(gap: int, turned: bool) -> None:
    for apart, marks in ((gap + 2, 1), (gap + 3, 2)):
        mask = np.zeros((30, 60), np.bool_)
        mask[10:20, 10:20] = mask[10:20, 20 + apart : 30 + apart] = True
        assert len(bridged(mask.T.copy() if turned else mask, gap)) == marks


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("away", "start"), [(0, 0), (3, 0), (4, 4), (9, 9)])
def test_the_box_of_a_bridged_mark_is_that_of_its_ink_or_begins_at_a_border_as_near_as_another_mark_may_be(
    away: int, start: int, turned: bool, way: int
) -> None:
    mask = np.zeros((30, 40), np.bool_)
    mask[12:18, away : away + 12] = True
    mask = (mask.T if turned else mask)[::way, ::way].copy()
    found = bridged(mask, 4)
    size, sides = (40, ("top", "bottom") if turned else ("left", "right"))
    first, last = (int(getattr(found, side)[0]) for side in sides)
    assert (first, last) == ((start, away + 12) if way == 1 else (size - away - 12, size - start))
    assert found.area.tolist() == [72]
    assert (found.labels == components(mask).labels).all()


def test_without_a_gap_marks_are_those_that_touch() -> None:
    mask = np.array([[1, 0, 1], [1, 0, 1]], np.bool_)
    assert len(bridged(mask, 0)) == len(components(mask)) == 2
    assert len(bridged(mask, 1)) == 1


def test_a_pixel_in_the_last_row_and_column_has_a_box_within_the_picture() -> None:
    mask = np.zeros((9, 9), np.bool_)
    mask[8, 8] = True
    found = bridged(mask, 2)
    assert [int(getattr(found, name)[0]) for name in ("right", "bottom")] == [9, 9]
    assert 0 <= found.left[0] < 9
    assert 0 <= found.top[0] < 9
