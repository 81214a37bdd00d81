"""Layout digit: which pieces of ink are the digit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5.answer import Box
from lenet5.reading.ink import Ink
from lenet5.reading.single import digit_crop


def ink(*boxes: tuple[int, int, int, int]) -> Ink:
    """Full ink in these boxes (left, top, right, bottom) of 100×100."""
    mask = np.zeros((100, 100), np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return Ink(mask.astype(np.float32), mask)


def cropped(found: Ink) -> tuple[NDArray[np.float32], Box]:
    result = digit_crop(found)
    assert result is not None
    return result


def test_no_ink_gives_no_digit() -> None:
    assert digit_crop(ink()) is None


def test_the_crop_ends_where_the_ink_ends() -> None:
    crop, box = cropped(ink((30, 20, 45, 80)))
    assert box == Box(30, 20, 45, 80)
    assert crop.shape == (60, 15)
    assert crop.min() == 1


def test_a_speck_far_away_is_left_out() -> None:
    _, box = cropped(ink((30, 20, 45, 80), (90, 90, 92, 92)))
    assert box == Box(30, 20, 45, 80)


def test_a_stroke_that_the_pen_lifted_for_belongs_to_the_digit() -> None:
    _, box = cropped(ink((30, 30, 40, 80), (48, 22, 75, 32)))
    assert box == Box(30, 22, 75, 80)


def test_a_gap_in_a_dry_stroke_does_not_part_it() -> None:
    _, box = cropped(ink((30, 20, 40, 49), (30, 51, 40, 80)))
    assert box == Box(30, 20, 40, 80)


def test_a_border_round_the_picture_is_left_out() -> None:
    frame = [(0, 0, 100, 3), (0, 97, 100, 100), (0, 0, 3, 100), (97, 0, 100, 100)]
    _, box = cropped(ink((40, 25, 60, 75), *frame))
    assert box == Box(40, 25, 60, 75)


def test_a_digit_that_touches_the_edge_is_still_the_digit() -> None:
    _, box = cropped(ink((40, 0, 60, 70)))
    assert box == Box(40, 0, 60, 70)


def test_ink_of_pieces_left_out_is_not_in_the_crop() -> None:
    crop, box = cropped(ink((20, 10, 30, 90), (20, 80, 60, 90), (55, 20, 57, 22)))
    assert box == Box(20, 10, 60, 90)
    assert crop[10:12, 35:37].max() == 0
