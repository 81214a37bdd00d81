"""Sides of boxes at their boundaries: when two segments are opposite sides, and which others are sides of cells."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.boxes import with_boxes
from lenet5.reading.segments import Segments

Mask = NDArray[np.bool_]
Row = tuple[int, int, int, int, float]
"""First and last column, row at both, thickness."""


def segments(*rows: Row) -> Segments:
    left, right, start, end, thickness = np.array(rows, np.float64).reshape(-1, 5).T
    whole = [edge.astype(np.int64) for edge in (left, right, start, end)]
    return Segments(np.zeros((1, 1), np.int32), *whole, thickness, np.zeros((0, 5), np.int64))


NONE = segments()


def lined(*lines: tuple[int, int, int, int], size: tuple[int, int] = (220, 320)) -> Mask:
    """Ink in boxes (left, top, right, bottom)."""
    mask = np.zeros(size, np.bool_)
    for left, top, right, bottom in lines:
        mask[top:bottom, left:right] = True
    return mask


def frame(left: int, top: int, right: int, bottom: int) -> list[tuple[int, int, int, int]]:
    """The four sides of a box as lines of two pixels."""
    return [
        (left, top, right, top + 2), (left, bottom - 2, right, bottom),
        (left, top, left + 2, bottom), (right - 2, top, right, bottom),
    ]  # fmt: skip


def sides(level: Segments, mask: Mask, upright: Segments = NONE) -> list[bool]:
    """Which of the level segments are sides of boxes, and then those that were hidden."""
    return [bool(side) for side in with_boxes(level, upright, mask)[2][0]]


def test_opposite_sides_between_whose_ends_ink_leads_are_a_box_and_its_two_other_sides_are_added() -> None:
    mask = lined(*frame(20, 20, 120, 80))
    level, upright, found = with_boxes(segments((20, 120, 20, 20, 2), (20, 120, 79, 79, 2)), NONE, mask)
    assert found[0].tolist() == [True, True]
    assert found[1].tolist() == [True, True]
    assert [upright.left.tolist(), upright.right.tolist(), upright.start.tolist()] == [[20, 20], [80, 80], [20, 119]]
    assert upright.gaps.tolist() == [[0, 20, 20, 79, 20], [1, 20, 119, 79, 119]]
    assert upright.thickness.tolist() == [2, 2]
    assert len(level.left) == 2


@pytest.mark.parametrize(("apart", "box"), [(15, False), (16, True)])
def test_sides_are_no_nearer_than_the_shortest_segment_is_long(apart: int, box: bool) -> None:
    mask = lined(*frame(20, 20, 60, 22 + apart))
    assert sides(segments((20, 60, 20, 20, 2), (20, 60, 20 + apart, 20 + apart, 2)), mask)[:2] == [box, box]


@pytest.mark.parametrize(("apart", "box"), [(192, True), (193, False)])
def test_a_box_is_no_more_than_twelve_times_as_high_as_wide(apart: int, box: bool) -> None:
    mask = lined(*frame(20, 10, 36, 12 + apart))
    assert sides(segments((20, 36, 10, 10, 2), (20, 36, 10 + apart, 10 + apart, 2)), mask)[:2] == [box, box]


@pytest.mark.parametrize(
    ("left", "right", "box"), [(27, 120, True), (28, 120, False), (20, 113, True), (20, 112, False), (16, 124, True)]
)
def test_sides_begin_and_end_alike_to_three_pixels_and_the_slope_of_a_page(left: int, right: int, box: bool) -> None:
    mask = np.zeros((220, 260), np.bool_)
    for row in range(20, 80):  # sides that lean from the ends of one to those of the other
        part = (row - 20) / 59
        for start, goal in ((20, left), (119, right - 1)):
            column = round(start + part * (goal - start))
            mask[row, column - 1 : column + 2] = True
    assert sides(segments((20, 120, 20, 20, 2), (left, right, 79, 79, 2)), mask)[:2] == [box, box]


@pytest.mark.parametrize(("inked", "box"), [(46, True), (45, False)])
def test_ink_leads_from_end_to_end_in_95_of_100_samples(inked: int, box: bool) -> None:
    rows = np.rint(np.linspace(20, 79, 48)).astype(int)  # 46 of 48 samples are 96%
    mask = lined((119, 20, 121, 80))
    mask[rows[:inked], 20:22] = True
    assert sides(segments((20, 120, 20, 20, 2), (20, 120, 79, 79, 2)), mask)[:2] == [box, box]


@pytest.mark.parametrize(("last", "box"), [(9, True), (10, False)])
def test_the_outer_edge_of_a_side_lies_on_one_line_for_three_fifths_of_it(last: int, box: bool) -> None:
    mask = lined(*frame(40, 20, 120, 80))
    rows = np.rint(np.linspace(20, 79, 48)).astype(int)
    mask[[*rows[:10], *rows[48 - last :]], 34:42] = True  # at 10 + 9 of 48 samples it juts out, or at one more
    assert sides(segments((40, 120, 20, 20, 2), (40, 120, 79, 79, 2)), mask)[:2] == [box, box]


def beside(columns: int) -> Mask:
    """A box with ink so far to the left of its left side at four of nine places."""
    mask = lined(*frame(60, 20, 140, 80))
    samples = np.rint(np.linspace(20, 79, 48))
    nearest = np.abs(np.arange(20, 80)[:, None] - samples).argmin(axis=1)
    rows = 20 + np.flatnonzero((nearest + 6) % 9 < 4)
    mask[rows, 60 - columns] = True
    return mask


@pytest.mark.parametrize(("columns", "box"), [(1, True), (2, False), (11, False), (14, True)])
def test_a_sides_outer_edge_is_looked_for_up_to_twelve_pixels_outwards_and_lies_on_a_line_to_a_pixel(
    columns: int, box: bool
) -> None:
    assert sides(segments((60, 140, 20, 20, 2), (60, 140, 79, 79, 2)), beside(columns))[:2] == [box, box]


def with_cells(*others: Row, mask: Mask | None = None, width: int = 40) -> list[bool]:
    """Which of these upright segments are sides of cells beside a box of so much width at column 100, 60 high."""
    drawn = lined(*frame(100, 40, 102 + width, 100)) if mask is None else mask
    own: list[Row] = [(40, 100, 100, 100, 2), (40, 100, 100 + width, 100 + width, 2)]
    found = with_boxes(NONE, segments(*own, *others), drawn)[2][1]
    assert found[:2].all()
    return [bool(side) for side in found[2 : 2 + len(others)]]


@pytest.mark.parametrize(
    ("other", "side"),
    [
        ((40, 100, 180, 180, 2), True),
        ((35, 100, 180, 180, 2), True), ((34, 100, 180, 180, 2), False),  # begins 3 + 0.07 · 40 pixels off
        ((40, 76, 180, 180, 2), True), ((40, 75, 180, 180, 2), False),  # 36 of 60 are seen
        ((64, 100, 180, 180, 2), True), ((65, 100, 180, 180, 2), False),
        ((45, 85, 180, 180, 2), True), ((46, 85, 180, 180, 2), False), ((55, 95, 180, 180, 2), True),
        ((40, 106, 180, 180, 2), False), ((40, 105, 180, 180, 2), True),
        ((40, 100, 180, 180, 3.6), True), ((40, 100, 180, 180, 3.61), False), ((40, 100, 180, 180, 0.4), True),
        ((40, 100, 180, 180, 0.39), False),
        ((40, 100, 185, 185, 2), True), ((40, 100, 186, 186, 2), False), ((40, 100, 175, 175, 2), True),
        ((40, 100, 174, 174, 2), False), ((40, 100, 60, 60, 2), True), ((40, 100, 54, 54, 2), False),
        ((40, 100, 175, 185, 2), True),
    ],
)  # fmt: skip
def test_a_side_of_a_cell_begins_or_ends_as_its_nearest_is_seen_in_three_fifths_as_thick_and_a_pitch_away(
    other: Row, side: bool
) -> None:
    assert with_cells(other) == [side]


def test_a_side_that_ink_hides_beyond_its_end_is_made_as_long_as_the_nearest() -> None:
    for blot, right in ((100, 100), (97, 90)):  # the ink goes all along to the row where the nearest ends, or not
        mask = lined(*frame(100, 40, 142, 100), (180, 40, 182, 90), (178, 88, 186, blot))
        own = segments((40, 100, 100, 100, 2), (40, 100, 140, 140, 2), (40, 90, 180, 180, 2))
        _, found, (_, are_sides) = with_boxes(NONE, own, mask)
        assert are_sides.tolist() == [True] * 3
        assert found.right.tolist() == [100, 100, right]
        assert found.gaps[found.gaps[:, 0] == 2].tolist() == ([[2, 90, 180, 99, 180]] if right == 100 else [])


def test_a_side_that_ink_hides_before_its_start_is_made_as_long_as_the_nearest() -> None:
    mask = lined(*frame(100, 40, 142, 100), (180, 40, 182, 100))
    own = segments((40, 100, 100, 100, 2), (40, 100, 140, 140, 2), (50, 100, 180, 180, 2))
    found = with_boxes(NONE, own, mask)[1]
    assert found.left.tolist() == [40, 40, 40]
    assert found.gaps[found.gaps[:, 0] == 2].tolist() == [[2, 40, 180, 49, 180]]


def test_a_hidden_side_goes_on_along_its_own_slope() -> None:
    mask = lined(*frame(100, 40, 142, 100))
    for row in range(40, 100):
        mask[row, 180 + round((row - 40) / 20)] = True
    own = segments((40, 100, 100, 100, 2), (40, 100, 140, 140, 2), (40, 81, 180, 182, 2))
    found = with_boxes(NONE, own, mask)[1]
    assert found.right.tolist() == [100, 100, 100]
    assert found.gaps[found.gaps[:, 0] == 2, 4].tolist() == [183]


def test_a_neighbour_of_a_neighbour_is_a_side_where_it_has_a_partner_of_its_own_kind() -> None:
    assert with_cells((40, 100, 160, 160, 2), (40, 100, 200, 200, 2)) == [True, True]
    assert with_cells((40, 100, 160, 160, 2), (40, 74, 200, 200, 2)) == [False, False]


@pytest.mark.parametrize(
    ("known", "same"),
    [((20, 79, 20, 20, 2), 1), ((20, 79, 25, 25, 2), 1), ((20, 79, 26, 26, 2), 2), ((25, 79, 20, 20, 2), 1),
     ((26, 79, 20, 20, 2), 2), ((20, 74, 20, 20, 2), 1), ((20, 73, 20, 20, 2), 2), ((20, 79, 25, 20, 2), 1),
     ((20, 79, 20, 26, 2), 2)],
)  # fmt: skip
def test_a_side_is_there_already_where_a_segment_lies_within_three_pixels_and_its_thickness(
    known: Row, same: int
) -> None:
    mask = lined(*frame(20, 20, 120, 80))
    level = segments((20, 120, 20, 20, 2), (20, 120, 79, 79, 2))
    _, upright, _ = with_boxes(level, segments(known), mask)
    assert len(upright.left) == 1 + same


@pytest.mark.parametrize(("place", "side"), [(267, True), (268, False), (253, True), (252, False)])
def test_a_cells_side_is_a_pitch_away_to_three_pixels_and_a_twentieth_of_it(place: int, side: bool) -> None:
    assert with_cells((40, 100, place, place, 2), width=80) == [side]


@pytest.mark.parametrize(
    ("other", "side"),
    [((30, 100, 300, 300, 2), True), ((29, 100, 300, 300, 2), False), ((50, 90, 300, 300, 2), True),
     ((51, 89, 300, 300, 2), False)],
)  # fmt: skip
def test_a_hundred_pixels_away_a_side_may_begin_ten_pixels_off(other: Row, side: bool) -> None:
    assert with_cells(other, width=100) == [side]


@pytest.mark.parametrize(("left", "box"), [(30, True), (31, False)])
def test_opposite_sides_a_hundred_pixels_apart_may_begin_ten_pixels_off(left: int, box: bool) -> None:
    mask = lined((20, 20, 120, 22), (left, 120, 120, 122), (118, 20, 120, 120))
    for row in range(20, 122):
        column = round(20 + (row - 20) / 100 * (left - 20))
        mask[row, column - 1 : column + 2] = True
    assert sides(segments((20, 120, 20, 20, 2), (left, 120, 120, 120, 2)), mask)[:2] == [box, box]
