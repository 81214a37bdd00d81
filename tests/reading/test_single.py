"""Layout digit: where the digit is, whatever lies beside it, in any light and at any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Reader
from lenet5.answer import Box
from lenet5.reading.single import Candidate, find_digit
from tests.reading.test_ink import BLANK


def page(*boxes: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """White paper of 100×100 with full ink in these boxes (left, top, right, bottom)."""
    grey = np.ones((100, 100), np.float32)
    for left, top, right, bottom in boxes:
        grey[top:bottom, left:right] = 0
    return grey


def found(*boxes: tuple[int, int, int, int]) -> Candidate:
    candidate = find_digit(page(*boxes))
    assert candidate is not None
    return candidate


@pytest.mark.parametrize("grey", BLANK.values(), ids=BLANK.keys())
def test_a_blank_picture_has_no_digit(grey: NDArray[np.float32]) -> None:
    assert find_digit(grey.astype(np.float32)) is None


def test_the_crop_ends_where_the_ink_ends() -> None:
    candidate = found((30, 20, 45, 80))
    assert candidate.box == Box(30, 20, 45, 80)
    assert candidate.ink.shape == (60, 15)
    assert candidate.ink.min() > 0.99


def test_a_speck_far_away_is_left_out() -> None:
    assert found((30, 20, 45, 80), (90, 90, 92, 92)).box == Box(30, 20, 45, 80)


def test_a_stroke_that_the_pen_lifted_for_belongs_to_the_digit() -> None:
    assert found((30, 30, 40, 80), (48, 22, 75, 32)).box == Box(30, 22, 75, 80)


def test_a_gap_in_a_dry_stroke_does_not_part_it() -> None:
    assert found((30, 20, 40, 49), (30, 51, 40, 80)).box == Box(30, 20, 40, 80)


def test_a_border_round_the_picture_is_left_out() -> None:
    frame = [(0, 0, 100, 3), (0, 97, 100, 100), (0, 0, 3, 100), (97, 0, 100, 100)]
    assert found((40, 25, 55, 75), *frame).box == Box(40, 25, 55, 75)


def test_a_drawn_box_round_the_digit_is_left_out() -> None:
    sides = [(10, 10, 90, 12), (10, 88, 90, 90), (10, 10, 12, 90), (88, 10, 90, 90)]
    assert found((42, 30, 52, 70), *sides).box == Box(42, 30, 52, 70)


def test_a_digit_that_touches_the_edge_is_still_the_digit() -> None:
    assert found((40, 0, 55, 70)).box == Box(40, 0, 55, 70)


def test_ink_of_pieces_left_out_is_not_in_the_crop() -> None:
    candidate = found((20, 10, 30, 90), (20, 80, 60, 90), (55, 20, 57, 22))
    assert candidate.box == Box(20, 10, 60, 90)
    assert candidate.ink[10:12, 35:37].max() == 0


@pytest.mark.parametrize("digit", ["2", "3", "5", "8"])
@pytest.mark.parametrize("height", [0.03, 0.05, 0.1])
def test_a_digit_small_in_a_large_photo_is_read(
    digit: str, height: float, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    side = 1600
    small = np.asarray(draw(digit, side=round(side * height * 1.3), scale=height * side / 80), np.float32) / 255
    photo = np.full((side * 3 // 4, side), 0.85, np.float32)
    photo[200 : 200 + len(small), 900 : 900 + len(small)] *= 0.15 + 0.85 * small
    photo += np.random.default_rng(3).normal(0, 0.01, photo.shape).astype(np.float32)
    assert reader.read(np.clip(photo, 0, 1), "digit").text == digit


@pytest.mark.parametrize("shade", [0.8, 0.7, 0.6, 0.5])
@pytest.mark.parametrize("blur", [1, 8, 20])
def test_a_shadow_cast_over_the_digit_is_not_read(
    shade: float, blur: float, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    digits = "23578"
    right = 0
    for digit in digits:
        paper = np.asarray(draw(digit, side=400, place=(100, 80), scale=2.2, pen=16), np.float32) / 255 * 0.7 + 0.15
        y, x = np.mgrid[:400, :400]
        edge = np.clip((0.9 * x + 0.44 * y - 260) / (blur / 4 + 0.1), -50, 50)
        light = shade + (1 - shade) / (1 + np.exp(-edge))
        right += reader.read((paper * light).astype(np.float32), "digit").text == digit
    assert right >= len(digits) - 1
