"""Grouping of marks at its boundaries: neighbours, rows of cells, parts of one digit, and frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lenet5.reading.components import Components
from lenet5.reading.grouping import (
    beside_the_largest,
    enclosing,
    in_frames,
    joined,
    rows_of,
    stacked_pairs,
    within_reach,
)

Edges = tuple[int, int, int, int]


def marks_of(*boxes: Edges, areas: Sequence[int] = ()) -> Components:
    """Marks with these boxes (left, top, right, bottom), filled unless their areas are given."""
    left, top, right, bottom = np.array(boxes, np.int64).T
    labels = np.zeros((bottom.max() + 1, right.max() + 1), np.int32)
    for k, (x0, y0, x1, y1) in enumerate(boxes):
        labels[y0:y1, x0:x1] = k + 1
    area = np.array(areas, np.int64) if areas else (right - left) * (bottom - top)
    return Components(labels, left, top, right, bottom, area)


def every(marks: Components) -> np.ndarray:
    return np.arange(len(marks))


def rows(*boxes: Edges, reach: float = 3) -> list[list[int]]:
    marks = marks_of(*boxes)
    return sorted(sorted(row.tolist()) for row in rows_of(marks, every(marks), reach))


# --- rows ---


@pytest.mark.parametrize(
    ("other", "neighbours"),
    [
        ((130, 0, 140, 40), True), ((131, 0, 141, 40), False),  # three heights of 40 apart
        ((160, 0, 170, 50), True), ((161, 0, 171, 50), False),  # of the taller one's 50
        ((20, 24, 30, 64), True), ((20, 25, 30, 65), False),  # share 16 of 40
        ((20, 32, 30, 52), True), ((20, 33, 30, 53), False),  # share 8 of the lower one's 20
        ((20, 0, 30, 100), True), ((20, 0, 30, 101), False),  # 40 of 100
        ((20, 0, 30, 16), True), ((20, 0, 30, 15), False),
    ],
)  # fmt: skip
def test_neighbours_are_within_reach_share_two_fifths_of_the_lower_and_have_two_fifths_of_the_taller_ones_height(
    other: Edges, neighbours: bool
) -> None:
    assert rows((0, 0, 10, 40), other) == ([[0, 1]] if neighbours else [[0], [1]])


@pytest.mark.parametrize(
    ("inner", "within"),
    [((10, 9, 90, 91), True), ((10, 8, 90, 91), False), ((10, 9, 90, 92), False), ((10, 9, 100, 91), True),
     ((10, 9, 101, 91), False)],
)  # fmt: skip
def test_a_mark_in_a_frame_with_8_percent_of_its_height_above_and_below_is_no_neighbour_of_it(
    inner: Edges, within: bool
) -> None:
    assert rows((0, 0, 100, 100), inner) == ([[0], [1]] if within else [[0, 1]])


@pytest.mark.parametrize(("small", "together"), [(7, True), (8, False)])
def test_a_mark_is_put_together_with_its_eight_next_neighbours(small: int, together: bool) -> None:
    boxes = [(0, 0, 10, 40), *((15 + 5 * k, 0, 18 + 5 * k, 16) for k in range(small)), (80, 20, 90, 120)]
    groups = rows_of(marks_of(*boxes), np.arange(len(boxes)), 3)
    with_first = next(group for group in groups if 0 in group)
    assert (len(boxes) - 1 in with_first) == together


@pytest.mark.parametrize(
    ("tall", "apart"), [((0, 3, 4, 27), False), ((0, 2, 4, 26), True), ((0, 4, 4, 24), False), ((0, 3, 4, 24), True)]
)
def test_what_is_over_twice_as_tall_as_a_row_is_taken_out_where_its_middle_is_over_a_height_off(
    tall: Edges, apart: bool
) -> None:
    row = [
        (8 * k, 20, 8 * k + 4, 30) for k in (1, 2, 3)
    ]  # their middles are 25, and the tall ones' 15, 14, 14 and 13.5
    assert rows(tall, *row) == ([[0], [1, 2, 3]] if apart else [[0, 1, 2, 3]])


# --- frames ---


def ruled(*lines: Edges) -> np.ndarray:
    lined = np.zeros((120, 400), np.bool_)
    for left, top, right, bottom in lines:
        lined[top:bottom, left:right] = True
    return lined


FAR: Edges = (380, 0, 390, 40)
"""A mark beside every frame."""


@pytest.mark.parametrize(
    ("mark", "inside"),
    [((95, 47, 97, 87), True), ((94, 47, 97, 87), False), ((195, 47, 206, 87), True), ((196, 47, 206, 87), False),
     ((110, 47, 120, 87), True), ((110, 46, 120, 86), False), ((110, 90, 120, 130), True),
     ((110, 91, 120, 131), False)],
    ids=["left", "beyond left", "right", "beyond right", "on", "above", "under", "below"],
)  # fmt: skip
def test_what_stands_on_a_rule_has_its_middle_over_it_and_ends_at_most_three_tenths_of_its_height_above_it(
    mark: Edges, inside: bool
) -> None:
    marks = marks_of(mark, FAR)
    lined = ruled((97, 100, 200, 100 + 1))  # with its rim from 96 to 201 and from 99 to 102
    found = in_frames(lined, marks, every(marks), 3)
    assert [group.tolist() for group in found] == ([[0]] if inside else [])


@pytest.mark.parametrize(("wide", "frames"), [(4, 1), (3, 0)])
def test_a_frame_is_as_wide_as_the_lowest_digit(wide: int, frames: int) -> None:
    marks = marks_of((50, 50, 52, 99), FAR)
    lined = ruled((50, 100, 50 + wide, 102))  # a rim of a pixel on either side makes it six wide
    assert len(in_frames(lined, marks, every(marks), 3)) == frames


@pytest.mark.parametrize(("gap", "rows_of_cells"), [(24, 1), (25, 2)])
def test_cells_half_a_height_apart_are_one_row(gap: int, rows_of_cells: int) -> None:
    lined = ruled((10, 10, 50, 52), (50 + gap, 10, 90 + gap, 52))  # 44 high with their rims, and 2 nearer
    marks = marks_of((20, 20, 30, 50), (60 + gap, 20, 70 + gap, 50), (380, 20, 390, 50))
    assert len(in_frames(lined, marks, every(marks), 3)) == rows_of_cells


def test_of_very_many_frames_the_hundred_widest_are_looked_at() -> None:
    for short, found in ((100, 0), (99, 1)):
        lined = np.zeros((60, 12 * short + 30), np.bool_)
        for k in range(short):
            lined[50, 12 * k + 2 : 12 * k + 7] = True
        lined[8 : 8 + 1, 12 * short + 10 : 12 * short + 14] = True  # the narrowest, with a mark on it
        marks = marks_of((12 * short + 11, 0, 12 * short + 13, 7), (0, 20, 2, 26))
        assert len(in_frames(lined, marks, every(marks), 3)) == found


def test_where_all_marks_are_in_one_frame_none_are_grouped_anew() -> None:
    marks = marks_of((20, 20, 30, 60), (50, 20, 60, 60))
    assert in_frames(ruled((0, 70, 100, 72)), marks, every(marks), 3) == []
    assert in_frames(ruled((200, 70, 300, 72)), marks, every(marks), 3) == []


@pytest.mark.parametrize(
    ("other", "beside"), [((50, 80, 60, 120), True), ((50, 81, 60, 121), False), ((50, 95, 60, 105), True),
                          ((50, 96, 60, 106), False), ((50, -40, 60, 100), True)],
)  # fmt: skip
def test_beside_the_group_with_most_ink_is_what_shares_half_of_the_lower_ones_height(
    other: Edges, beside: bool
) -> None:
    boxes = [(x0, y0 + 50, x1, y1 + 50) for x0, y0, x1, y1 in ((0, 0, 40, 100), other)]
    found = beside_the_largest(marks_of(*boxes), [np.array([0]), np.array([1])])
    assert found.tolist() == ([0, 1] if beside else [0])


@pytest.mark.parametrize(("top", "beside"), [(30, True), (31, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_height_of_a_group_is_that_of_three_fifths_of_its_marks(top: int, beside: bool, turned: bool) -> None:
    group = [(30 * k, 60 - 10 * k, 30 * k + 20, 100 - 10 * k) for k in range(6)]  # each 10 higher than that before
    other = (300, top + 40, 310, top + 80)  # the group's own height goes from 20 to 90
    boxes = [(x0, y0 + 10, x1, y1 + 10) for x0, y0, x1, y1 in (*group, other)]
    if turned:
        boxes = [(x0, 150 - y1, x1, 150 - y0) for x0, y0, x1, y1 in boxes]
    found = beside_the_largest(marks_of(*boxes), [np.arange(6), np.array([6])])
    assert (6 in found) == beside


# --- parts of one digit ---


@pytest.mark.parametrize(
    ("lower", "pair"),
    [((0, 55, 10, 100), True), ((0, 56, 10, 100), False), ((9, 50, 19, 100), True), ((10, 50, 20, 100), False),
     ((0, 25, 10, 100), True), ((0, 24, 10, 100), False)],
    ids=["apart", "too far", "under a corner", "beside", "overlapping", "too deep"],
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
def test_parts_above_one_another_are_at_most_15_percent_of_both_apart(lower: Edges, pair: bool, swapped: bool) -> None:
    boxes = [(0, 0, 10, 40), lower]
    marks = marks_of(*(boxes[::-1] if swapped else boxes))
    assert [found.tolist() for found in stacked_pairs(marks, every(marks))] == (
        [[1, 0] if swapped else [0, 1]] if pair else []
    )


def test_at_most_forty_pairs_are_proposed() -> None:
    for digits, pairs in ((40, 40), (41, 40), (39, 39)):
        boxes = [(20 * k, top, 20 * k + 10, top + 20) for k in range(digits) for top in (0, 22)]
        assert len(stacked_pairs(marks_of(*boxes), np.arange(len(boxes)))) == pairs


@pytest.mark.parametrize(("gap", "together"), [(6, True), (7, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_parts_of_a_broken_digit_are_15_percent_of_its_longer_side_apart(
    gap: int, together: bool, turned: bool
) -> None:
    boxes = [(0, 0, 36, 40), (36 + gap, 0, 38 + gap, 20)]
    if turned:
        boxes = [(0, 0, 40, 36), (0, 36 + gap, 20, 38 + gap)]
    found = joined(marks_of(*boxes), np.arange(2))
    assert (found is not None) == together
    if found is not None:
        assert found.area.tolist() == [36 * 40 + 2 * 20]


@pytest.mark.parametrize(("right", "together"), [(56, True), (57, False)])
def test_no_broken_digit_is_wider_than_1_4_heights(right: int, together: bool) -> None:
    found = joined(marks_of((0, 0, 50, 40), (52, 0, right, 20)), np.arange(2))
    assert (found is not None) == together


def test_one_mark_is_not_put_together() -> None:
    marks = marks_of((0, 0, 10, 40), (0, 300, 10, 310))
    assert joined(marks, np.array([0])) is None
    assert joined(marks, np.arange(2)) is None
    assert joined(marks, np.zeros(0, np.int64)) is None


# --- frames themselves ---


@pytest.mark.parametrize(
    ("box", "area", "inner", "is_frame"),
    [
        ((0, 0, 100, 100), 3999, (40, 30, 60, 70), True), ((0, 0, 100, 100), 4000, (40, 30, 60, 70), False),
        ((0, 0, 100, 100), 999, (40, 30, 60, 69), False), ((0, 0, 51, 100), 500, (20, 30, 30, 70), True),
        ((0, 0, 50, 100), 500, (20, 30, 30, 70), False), ((0, 0, 100, 100), 999, (1, 1, 99, 99), True),
        ((0, 0, 100, 100), 999, (0, 1, 99, 99), False), ((0, 0, 100, 100), 999, (1, 0, 99, 99), False),
        ((0, 0, 100, 100), 999, (1, 1, 100, 99), False), ((0, 0, 100, 100), 999, (1, 1, 99, 100), False),
    ],
)  # fmt: skip
def test_a_frame_is_two_fifths_ink_at_most_over_half_as_wide_as_high_and_holds_what_has_two_fifths_of_its_height(
    box: Edges, area: int, inner: Edges, is_frame: bool
) -> None:
    marks = marks_of(box, inner, areas=[area, 9999])
    assert enclosing(marks, every(marks)).tolist() == [is_frame, False]


@pytest.mark.parametrize(
    ("low", "near"),
    [((60, 120, 62, 122), True), ((59, 120, 62, 122), False), ((138, 120, 140, 122), True),
     ((138, 120, 141, 122), False), ((100, 60, 102, 62), True), ((100, 59, 102, 62), False),
     ((100, 178, 102, 180), True), ((100, 178, 102, 181), False)],
)  # fmt: skip
def test_low_marks_are_in_reach_up_to_a_height_around_the_tall_ones(low: Edges, near: bool) -> None:
    marks = marks_of((100, 100, 100, 140), low)
    assert within_reach(marks, np.array([0]), np.array([1]), height=40.0).tolist() == [near]
