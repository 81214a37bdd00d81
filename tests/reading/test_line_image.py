"""Marks of a line → its image: which low marks belong to it, its height, its slope."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import Components, components
from lenet5.reading.line_image import Line, line_image, slope_of, usual_height
from lenet5.reading.pieces import HEIGHT

Mask = NDArray[np.bool_]


def boxes(*rows: tuple[int, int, int, int], shape: tuple[int, int] = (200, 400)) -> Mask:
    """Full boxes (left, top, right, bottom)."""
    mask = np.zeros(shape, np.bool_)
    for left, top, right, bottom in rows:
        mask[top:bottom, left:right] = True
    return mask


def line_of(mask: Mask, low: int = 0, scale: float = 1.0) -> Line:
    """The line of a mask's marks, the shortest ``low`` of them being low ones."""
    marks: Components = components(mask)
    order = np.argsort(-marks.height, kind="stable")
    tall, short = np.sort(order[: len(marks) - low]), np.sort(order[len(marks) - low :])
    return line_image(mask.astype(np.float32), marks, tall, short, scale)


DIGITS = [(100, 80, 108, 120), (130, 80, 138, 120)]  # 40 tall, 100 to 138 across, their middle at 100


@pytest.mark.parametrize(
    ("x", "y", "belongs"),
    [
        (84, 100, True), (81, 100, True), (80, 100, False), (78, 100, False),  # over half a height before the first
        (176, 100, True), (177, 100, True), (178, 100, False), (186, 100, False),  # a height after the last
        (119, 67, True), (119, 66, False), (119, 64, False), (119, 133, True), (119, 134, False),  # above and below
        (119, 74, True), (119, 58, False),
    ],
)  # fmt: skip
def test_a_low_mark_belongs_to_a_line_that_it_is_as_near_as_a_separator_is(x: int, y: int, belongs: bool) -> None:
    """``x``, ``y`` are the middle of a dot of 4×4 pixels."""
    without, beside = line_of(boxes(*DIGITS)), line_of(boxes(*DIGITS, (x - 2, y - 2, x + 2, y + 2)), low=1)
    assert (beside.level.sum() > without.level.sum() + 10) == belongs


@pytest.mark.parametrize(
    ("tallest", "height"),
    [(40, 40), (60, 40), (66, 40), (68, 68), (80, 70), (100, 70)],
)
def test_digits_are_as_tall_as_the_tallest_marks_but_for_strokes_far_taller_than_the_others(
    tallest: int, height: int
) -> None:
    """Beside three of 40: marks of at least 0.6 of the tallest tell, but no more than 1.75 of the median."""
    others = [(100 + 30 * k, 100 - 20, 108 + 30 * k, 100 + 20) for k in range(3)]
    line = line_of(boxes((60, 100 - tallest // 2, 68, 100 + tallest // 2), *others))
    assert line.height == pytest.approx(height)


def test_the_ink_of_a_line_lies_two_pixels_within_its_image_at_the_standard_height() -> None:
    line = line_of(boxes(*DIGITS))
    scale = HEIGHT / 40
    shown = np.argwhere(line.level > 0.5)
    top, left = shown.min(axis=0)
    bottom, right = shown.max(axis=0) + 1
    assert line.level.shape == (round(42 * scale) + 4, round(40 * scale) + 4)  # a pixel of rim around the marks
    assert (left, top) == (3, 3)
    assert (right - left, bottom - top) == (round(38 * scale), HEIGHT)
    box = line.box(shown[:, 0].astype(np.float64), shown[:, 1].astype(np.float64))
    assert (box.left, box.top, box.right, box.bottom) == (99, 79, 139, 120)


def test_a_line_keeps_the_soft_rim_of_its_marks_and_nothing_of_others() -> None:
    tall = [(100, 80, 108, 128), (130, 80, 138, 128), (150, 84, 158, 124)]  # 48 tall: shown as they are
    mask = boxes(*tall, (112, 96, 120, 104))  # and a dot that is not given
    level = mask.astype(np.float32)
    level[100, [99, 108, 149, 158]] = level[[83, 124], 154] = 0.5  # rims,
    level[100, [109, 128, 148]] = level[[82, 125], 154] = 0.4  # and what is two pixels away
    marks = components(mask)
    line = line_image(level, marks, np.flatnonzero(marks.height > 30), np.zeros(0, np.int64), 1.0)
    row, column = line.level[100 - 79 + 2], line.level[:, 154 - 99 + 2]  # a pixel of rim and a margin of two
    assert row.tolist() == [0, 0, 0.5, *[1] * 8, 0.5, *[0] * 21, *[1] * 8, *[0] * 11, 0.5, *[1] * 8, 0.5, 0, 0]
    assert column.tolist() == [0] * 6 + [0.5] + [1] * 40 + [0.5] + [0] * 6


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_lines_are_shrunk_by_areas_and_grown_smoothly_within_0_and_1(factor: float) -> None:
    tall = round(HEIGHT / factor)
    mask = boxes((10, 10, 14, 10 + tall), (30, 10, 34, 10 + tall), shape=(120, 60))
    mask[10 : 10 + tall, 31:33] = False
    line = line_of(mask)
    assert line.scale == factor
    assert line.level.min() >= 0
    assert line.level.max() <= 1


# --- heights and slopes ---


def test_half_of_the_ink_is_in_marks_no_taller_than_the_usual_height() -> None:
    assert usual_height(np.array([30, 10, 20]), np.array([10, 10, 10])) == 20
    assert usual_height(np.array([30, 10, 20]), np.array([31, 10, 20])) == 30
    assert usual_height(np.array([30, 10, 20]), np.array([30, 10, 20])) == 20


@pytest.mark.parametrize(
    ("x", "slope"),
    [
        ([0.0, 30, 60], 0.1),  # three marks, three heights across
        ([0.0, 29, 58], 0.0),
        ([0.0, 40, 80, 120], 0.1),
        ([0.0, 90], 0.0),
        ([0.0, 40], 0.0),
        ([0.0, 10, 20, 50], 0.0),
    ],
)
def test_three_marks_over_three_heights_tell_a_slope(x: list[float], slope: float) -> None:
    across = np.array(x)
    assert slope_of(across, 5 + 0.1 * across, height=20) == pytest.approx(slope)


@pytest.mark.parametrize(
    ("given", "told"), [(0.015, 0.0), (0.019, 0.0), (0.021, 0.021), (0.025, 0.025), (-0.03, -0.03)]
)
def test_a_slope_of_less_than_two_in_a_hundred_is_chance(given: float, told: float) -> None:
    x = np.array([0.0, 40, 80, 120])
    assert slope_of(x, given * x, height=20) == pytest.approx(told)
    assert slope_of(50 * np.arange(4), np.arange(4), height=20) == 0  # just two in a hundred


def test_slopes_are_taken_between_marks_over_a_height_apart() -> None:
    x = np.array([0.0, 20, 40, 60])
    y = np.array([0.0, 4, 4, 8])  # 0.2, 0, 0.2 between neighbours, a height apart; 0.1, 0.1 and 0.13 beyond
    assert slope_of(x, y, height=20) == pytest.approx(0.1)
    assert slope_of(x, y, height=19.9) == pytest.approx((0.1 + 8 / 60) / 2)


def test_slopes_are_taken_between_marks_that_have_at_most_ten_others_between_them() -> None:
    x = 4.0 * np.arange(30)
    y = (x / 50) ** 3  # steeper and steeper
    slopes = [(y[n:] - y[:-n]) / (x[n:] - x[:-n]) for n in range(10, 12)]  # over nine others, 40 pixels, and over ten
    assert slope_of(x, y, height=38) == pytest.approx(float(np.median(np.concatenate(slopes))))


def test_the_slope_of_a_line_is_taken_out_of_it() -> None:
    line = line_of(boxes(*((20 + 50 * k, 60 + 5 * k, 28 + 50 * k, 100 + 5 * k) for k in range(6))))
    assert line.slope == pytest.approx(0.1)
    rows = np.flatnonzero((line.level > 0.5).any(axis=1))
    assert rows[-1] - rows[0] < HEIGHT + 3
