"""The image of a line at its boundaries: the digits' height, the slope, and which low marks stand in it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import components
from lenet5.reading.line_image import Line, line_image, slope_of, usual_height
from lenet5.reading.pieces import HEIGHT

Edges = tuple[int, int, int, int]


def line_of(*tall: Edges, low: tuple[Edges, ...] = (), size: tuple[int, int] = (160, 400)) -> tuple[Line, int]:
    """The line of these marks, and how many of its rows and columns' blobs there are."""
    mask = np.zeros(size, np.bool_)
    for left, top, right, bottom in (*tall, *low):
        mask[top:bottom, left:right] = True
    marks = components(mask)
    is_tall = np.isin(marks.left, [left for left, *_ in tall])
    line = line_image(mask.astype(np.float32), marks, np.flatnonzero(is_tall), np.flatnonzero(~is_tall), 1.0)
    return line, len(components(line.level > 0.5))


def heights(*high: int) -> list[Edges]:
    return [(20 + 12 * k, 10, 26 + 12 * k, 10 + tall) for k, tall in enumerate(high)]


@pytest.mark.parametrize(("areas", "height"), [((5, 5), 10), ((4, 6), 20), ((6, 4), 10)])
def test_the_usual_height_is_that_which_half_of_the_ink_reaches(areas: tuple[int, int], height: float) -> None:
    assert usual_height(np.array([10, 20]), np.array(areas)) == height
    assert usual_height(np.array([20, 10]), np.array(areas[::-1])) == height


@pytest.mark.parametrize(
    ("marks", "height"),
    [((20, 12), 16), ((20, 11), 20), ((20, 20, 14), 20), ((10, 10, 10, 40, 40), 17.5), ((10, 10, 10, 17, 17), 17)],
)
def test_digits_are_as_high_as_the_marks_of_three_fifths_of_the_tallest_and_at_most_1_75_times_the_middle_one(
    marks: tuple[int, ...], height: float
) -> None:
    line, _ = line_of(*heights(*marks))
    assert line.height == pytest.approx(height)
    assert line.scale == pytest.approx(HEIGHT / height)


def test_a_line_keeps_a_margin_of_two_pixels_around_its_ink_and_the_pixel_beside_it() -> None:
    line, _ = line_of((20, 30, 40, 78))
    assert line.level.shape == (48 + 2 + 4, 20 + 2 + 4)
    assert (line.left, line.top) == (17, 27)
    assert line.level[3:51, 3:23].min() == 1
    assert line.level[:3].sum() + line.level[51:].sum() + line.level[:, :3].sum() + line.level[:, 23:].sum() == 0


@pytest.mark.parametrize("slope", [0.1, -0.1])
def test_a_sloping_line_is_made_level_and_its_boxes_lead_back(slope: float) -> None:
    places = [(20 + 50 * k, 60 + round(slope * 50 * k)) for k in range(7)]
    line, blobs = line_of(*((x, y, x + 10, y + 40) for x, y in places))
    assert line.slope == pytest.approx(slope)
    assert blobs == 7
    found = components(line.level > 0.5)
    assert np.ptp(found.top) <= 1
    order = np.argsort(found.left)
    for k, (x, y) in zip(order, places, strict=True):
        rows, columns = np.nonzero(found.labels == k + 1)
        box = line.box(rows, columns)
        assert np.abs(np.array([box.left, box.top, box.right, box.bottom]) - (x, y, x + 10, y + 40)).max() <= 2


@pytest.mark.parametrize(
    ("x", "slope"), [([0, 100], 0), ([0, 30, 60], 0.1), ([0, 30, 59], 0), ([0, 20, 60], 0.1), ([0, 1, 2, 60], 0.1)]
)
def test_a_slope_is_told_by_three_marks_three_heights_apart(x: list[float], slope: float) -> None:
    across = np.array(x, np.float64)
    assert slope_of(across, 0.1 * across, height=20) == pytest.approx(slope)


@pytest.mark.parametrize(("slope", "told"), [(0.0201, 0.0201), (0.0199, 0), (-0.0201, -0.0201), (-0.0199, 0)])
def test_a_slope_of_less_than_2_percent_is_chance(slope: float, told: float) -> None:
    x = np.arange(0.0, 200, 30)
    assert slope_of(x, slope * x, height=20) == pytest.approx(told)


def test_a_slope_is_told_by_marks_more_than_a_height_apart() -> None:
    x = np.array([0.0, 20, 40, 60, 80])
    y = np.array([0.0, 9, 4, 13, 8])  # neighbours rise by 9 and fall by 5
    assert slope_of(x, y, height=20) == pytest.approx(0.1)
    assert slope_of(x[:4], y[:4], height=20) == pytest.approx(0.1)
    assert slope_of(x[:4], y[:4], height=19) == pytest.approx(0.158, abs=0.001)


@pytest.mark.parametrize(
    ("low", "inside"),
    [((81, 70, 83, 72), True), ((79, 70, 81, 72), False), ((259, 70, 260, 72), True), ((260, 70, 262, 72), False),
     ((150, 113, 152, 114), True), ((150, 113, 152, 115), False), ((150, 46, 152, 47), True),
     ((150, 45, 152, 47), False)],
    ids=["left", "too far left", "right", "too far right", "below", "too low", "above", "too high"],
)  # fmt: skip
def test_a_low_mark_is_in_the_line_half_a_height_before_it_a_height_behind_and_85_percent_from_its_middle(
    low: Edges, inside: bool
) -> None:
    _, blobs = line_of((100, 60, 110, 100), (210, 60, 220, 100), low=(low,))
    assert blobs == 2 + inside


def test_the_levels_of_a_line_are_within_0_and_1_where_it_is_enlarged_and_shrunk() -> None:
    for high in (20, 100):
        level: NDArray[np.float32] = line_of((100, 20, 110, 20 + high))[0].level
        assert level.min() == 0
        assert level.max() == pytest.approx(1, abs=1e-6)
