"""Printed lines at their boundaries: how long, thin, near to the border or regular a segment is that goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.straight import (
    _crossed,
    _crossing,
    _cut_off,
    _ink_of,
    _meeting,
    _on_border,
    _parallel,
    _teeth,
    without_lines,
)
from tests.reading.test_boxes import Row, segments

Mask = NDArray[np.bool_]
Edges = tuple[int, int, int, int]


def inked(*boxes: Edges, size: tuple[int, int] = (200, 400)) -> Mask:
    mask = np.zeros(size, np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def goes(*boxes: Edges, height: float, size: tuple[int, int] = (200, 400)) -> bool:
    """Whether the first of these lines goes, all of it; nothing of it does otherwise."""
    mask = inked(*boxes, size=size)
    bare = without_lines(mask, height)
    left, top, right, bottom = boxes[0]
    kept = True if bare is None else bare[top:bottom, left:right]
    assert np.all(kept) or not np.any(kept)
    return not np.any(kept)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("line", "height", "gone"),
    [((50, 90, 150, 92), 20, True), ((50, 90, 150, 92), 20.1, False), ((50, 90, 150, 95), 1, True),
     ((50, 90, 149, 95), 1, False)],
)  # fmt: skip
def test_a_line_is_five_heights_and_twenty_times_as_long_as_thick(
    line: Edges, height: float, gone: bool, turned: bool
) -> None:
    left, top, right, bottom = line
    size = (400, 200) if turned else (200, 400)
    assert goes((top, left, bottom, right) if turned else line, height=height, size=size) == gone


@pytest.mark.parametrize(("side", "thickest"), [(30, 4), (60, 4), (120, 8), (180, 12), (360, 12), (480, 16), (600, 20)])
def test_a_line_is_at_most_a_fifteenth_of_a_small_picture_thick_and_a_thirtieth_of_a_large_one(
    side: int, thickest: int
) -> None:
    for thick, gone in ((thickest, True), (thickest + 1, False)):
        wide = 21 * (thickest + 1) + 40
        assert goes((20, side // 2, wide - 20, side // 2 + thick), height=5, size=(side, max(wide, side))) == gone


@pytest.mark.parametrize(("side", "gone"), [(15, False), (16, True)])
def test_a_picture_has_lines_where_it_is_as_high_as_the_shortest_is_long(side: int, gone: bool) -> None:
    assert goes((0, 7, 300, 8), height=10, size=(side, 300)) == gone


# --- along the border, and ruling ---


@pytest.mark.parametrize(
    ("row", "length", "high", "along"),
    [(5, 100, 200, True), (6, 100, 200, False), (194, 100, 200, True), (193, 100, 200, False), (5, 99, 200, False),
     (1, 100, 40, True), (2, 100, 40, False), (38, 100, 40, True), (37, 100, 40, False)],
)  # fmt: skip
def test_a_segment_half_as_long_as_the_border_lies_along_it_within_3_percent_or_two_pixels(
    row: int, length: int, high: int, along: bool
) -> None:
    assert _on_border(segments((20, 20 + length, row, row, 1)), high, 200).tolist() == [along]


def test_a_segment_that_leans_away_from_the_border_does_not_lie_along_it() -> None:
    rows = (5, 5), (5, 6), (6, 5), (194, 194), (193, 194), (194, 193)
    leaning = segments(*((20, 120, start, end, 1) for start, end in rows))
    assert _on_border(leaning, 200, 200).tolist() == [True, False, False, True, False, False]


@pytest.mark.parametrize(
    ("left", "right", "first", "last"), [(2, 98, True, True), (3, 97, False, False), (2, 97, True, False)]
)
def test_a_line_is_cut_off_within_two_pixels_of_the_border(left: int, right: int, first: bool, last: bool) -> None:
    assert [end.tolist() for end in _cut_off(segments((left, right, 5, 5, 1)), 100)] == [[first], [last]]


def ruling(*others: Row, lines: int = 3, length: int = 70, thick: float = 2, tall: float = 0) -> list[bool]:
    """Which segments are ruling in a picture 200 wide: lines of this length from column 50, and others."""
    rows = [(50, 50 + length, 40 * k, 40 * k, thick) for k in range(lines)]
    return [bool(one) for one in _parallel(segments(*rows, *others), 200, tall)]


def test_ruling_is_three_lines_of_35_percent_of_the_side_and_of_one_and_a_half_heights() -> None:
    assert ruling() == [True] * 3
    assert ruling(lines=2) == [False] * 2
    assert ruling(length=69) == [False] * 3
    assert ruling(tall=70 / 1.5) == [True] * 3
    assert ruling(tall=47) == [False] * 3


@pytest.mark.parametrize(
    ("part", "is_part"),
    [((0, 16, 9, 9, 2), True), ((0, 15, 9, 9, 2), False), ((184, 200, 9, 9, 2), True), ((3, 30, 9, 9, 2), False),
     ((0, 16, 9, 9, 3.6), True), ((0, 16, 9, 9, 3.7), False), ((0, 16, 9, 9, 0.4), True), ((0, 16, 9, 9, 0.3), False)],
)  # fmt: skip
def test_from_the_border_a_part_of_8_percent_as_thick_is_ruling_too(part: Row, is_part: bool) -> None:
    assert ruling(part) == [True] * 3 + [is_part]


@pytest.mark.parametrize(("off", "is_part"), [(2, True), (3, False)])
@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("beyond", [(150, 180), (10, 40)], ids=["ahead", "behind"])
def test_what_goes_on_beyond_a_digit_within_two_pixels_of_a_lines_course_is_ruling(
    beyond: tuple[int, int], way: int, off: int, is_part: bool
) -> None:
    lines: list[Row] = [(50, 120, 60 * k, 60 * k + 7, 2) for k in range(1, 4)]  # each goes down by one in ten
    left, right = beyond
    row = 120 + (10 if left == 150 else -1) + way * off  # of the middle one, where it would be
    other = (left, right, row, row + 3, 2) if left == 150 else (left, right, row - 3, row, 2)
    found = _parallel(segments(*lines, other), 200, 0)
    assert found.tolist() == [True] * 3 + [is_part]


@pytest.mark.parametrize(
    ("column", "row", "crosses"),
    [(10, 50, True), (9, 50, False), (89, 50, True), (90, 50, False), (50, 20, True), (50, 19, False), (50, 79, True),
     (50, 80, False)],
)  # fmt: skip
def test_segments_cross_where_each_ones_middle_lies_between_the_ends_of_the_other(
    column: int, row: int, crosses: bool
) -> None:
    level, upright = segments((10, 90, row - 3, row + 3, 2)), segments((20, 80, column - 3, column + 3, 2))
    assert _crossing(level, upright).tolist() == [[crosses]]


@pytest.mark.parametrize(("side", "thick", "gone"), [(36, 3, True), (36, 4, False), (40, 4, True)])
def test_lines_that_cross_from_border_to_border_go_where_they_are_ten_times_as_long_as_thick(
    side: int, thick: int, gone: bool
) -> None:
    cross = (0, 17, side, 17 + thick), (17, 0, 17 + thick, side)
    bare = without_lines(inked(*cross, size=(side, side)), 1000)
    assert (bare is not None and not bare[:, :8].any()) == gone


# --- corners ---


@pytest.mark.parametrize(
    ("own", "first", "last"),
    [((25, 80, 50, 50, 2), True, False), ((26, 80, 50, 50, 2), False, False), ((15, 80, 50, 50, 2), True, False),
     ((14, 80, 50, 50, 2), False, False), ((40, 20, 50, 50, 2), False, True), ((20, 80, 5, 5, 2), True, False),
     ((20, 80, 4, 4, 2), False, False), ((20, 80, 105, 105, 2), True, False), ((20, 80, 106, 106, 2), False, False)],
)  # fmt: skip
def test_a_segment_meets_another_within_three_pixels_and_half_of_both_thicknesses(
    own: Row, first: bool, last: bool
) -> None:
    filled = np.ones((200, 200), np.bool_)
    found = _meeting(segments(own), segments((10, 100, 20, 20, 2)), filled)
    assert [bool(ends[0, 0]) for ends in found] == [first, last]


def test_a_leaning_segment_is_met_as_far_off_as_it_leans() -> None:
    filled = np.ones((200, 200), np.bool_)
    for left, meets in ((30, True), (31, False)):
        found = _meeting(segments((left, 90, 50, 50, 2)), segments((10, 100, 15, 25, 2)), filled)
        assert bool(found[0][0, 0]) == meets


@pytest.mark.parametrize("row", [48, 49, 50, 51, 52])
def test_ink_leads_to_where_segments_meet_within_a_row(row: int) -> None:
    mask = inked((18, 10, 22, 101), (24, row, 90, row + 1))
    mask[row, 20:26] = True
    found = _meeting(segments((25, 90, 50, 50, 2)), segments((10, 100, 20, 20, 2)), mask)
    assert bool(found[0][0, 0]) == (abs(row - 50) <= 1)


def combed(*teeth: tuple[int, int], lines: bool = True) -> list[bool]:
    """Which of these teeth (place, length) on one line are those of a comb."""
    own = segments(*((10, 10 + length, place, place, 2) for place, length in teeth))
    on = np.ones((len(teeth), 1), np.bool_), np.zeros((len(teeth), 1), np.bool_)
    return [bool(tooth) for tooth in _teeth(own, on, np.array([lines]))]


def test_teeth_are_three_of_one_length_at_regular_places_on_a_printed_line() -> None:
    assert combed((0, 50), (100, 50), (200, 50)) == [True] * 3
    assert combed((0, 50), (100, 50), (200, 50), lines=False) == [False] * 3
    assert combed((0, 50), (100, 50)) == [False] * 2
    assert combed((0, 50), (100, 50), (300, 50), (400, 50)) == [True] * 4  # one is hidden


@pytest.mark.parametrize(("length", "tooth"), [(60, True), (61, False), (40, True), (39, False)])
def test_a_tooth_is_as_long_as_the_others_to_a_fifth(length: int, tooth: bool) -> None:
    assert combed((0, 50), (100, 50), (200, 50), (300, length)) == [*[True] * 3, tooth]


@pytest.mark.parametrize(("place", "comb"), [(309, True), (312, False), (291, True), (288, False)])
def test_a_tooth_is_where_it_should_be_to_a_tenth_of_the_pitch(place: int, comb: bool) -> None:
    assert combed((0, 50), (100, 50), (200, 50), (place, 50)) == [comb] * 4


@pytest.mark.parametrize("posts", [1, 2])
def test_a_side_at_which_two_others_end_goes_with_them(posts: int) -> None:
    ended = [(50, 0, 52, 120), (110, 0, 112, 120)][:posts]  # from the border to the beam
    assert goes((30, 120, 130, 122), *ended, height=60, size=(200, 300)) == (posts == 2)


@pytest.mark.parametrize(("length", "uprights", "gone"), [(70, 3, True), (69, 3, False), (70, 2, False)])
def test_of_squared_paper_lines_shorter_than_writing_go_too(length: int, uprights: int, gone: bool) -> None:
    level = [(10, row, 10 + length, row + 2) for row in (20, 42, 64)]
    upright = [(column, 100, column + 2, 100 + length) for column in (120, 142, 164)[:uprights]]
    assert goes(*level, *upright, height=100, size=(200, 200)) == gone


@pytest.mark.parametrize("hole", [None, 27, 22])
def test_ink_between_two_segments_that_meet_has_no_hole(hole: int | None) -> None:
    mask = np.ones((200, 200), np.bool_)
    if hole is not None:
        mask[:, hole] = False
    found = _meeting(segments((27, 90, 50, 50, 4)), segments((10, 100, 20, 20, 4)), mask)
    assert bool(found[0][0, 0]) == (hole is None)


# --- what stays ---


@pytest.mark.parametrize(("pen", "gap", "crossed"), [(2, 4, True), (2, 5, False), (3, 6, True), (3, 7, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_stroke_goes_on_across_a_gap_two_pixels_wider_than_the_pen(
    pen: int, gap: int, crossed: bool, turned: bool
) -> None:
    kept = inked((20, 5, 24, 20), (20, 20 + gap, 24, 40), size=(60, 60))
    gone = inked((0, 20, 60, 20 + gap), size=(60, 60))
    found = _crossed(kept.T.copy(), gone.T.copy(), pen).T if turned else _crossed(kept, gone, pen)
    assert found[20 : 20 + gap, 20:24].all() == crossed
    assert found[:, :20].sum() == found[:, 24:].sum() == 0


def lifted(mask: Mask, thick: int, *gaps: tuple[int, int]) -> tuple[Mask, Mask]:
    """What goes with a line of rows from 20 on that is known from column 10 to 90, and where it runs; by gaps."""
    line = replace(
        segments((10, 90, 20 + thick // 2, 20 + thick // 2, thick)),
        labels=np.zeros(mask.shape, np.int32),
        gaps=np.array([(0, x0, 20, x1, 20) for x0, x1 in gaps], np.int64).reshape(-1, 5),
    )
    line.labels[20 : 20 + thick, 10:90] = 1
    for x0, x1 in gaps:
        line.labels[:, x0:x1] = 0
    return _ink_of(mask, line, np.ones(1, np.bool_))


@pytest.mark.parametrize(
    ("thick", "high", "stays"), [(2, 4, False), (2, 5, True), (3, 6, False), (3, 7, True), (4, 6, False), (4, 7, True)]
)
def test_what_is_over_two_pixels_thicker_than_a_line_crosses_it_and_stays(thick: int, high: int, stays: bool) -> None:
    top = 20 + thick // 2 - high // 2
    gone, _ = lifted(inked((10, 20, 90, 20 + thick), (50, top, 53, top + high), size=(40, 100)), thick)
    assert (not gone[top : top + high, 50:53].any()) == stays
    assert gone[top : top + high, 50:53].all() != stays
    assert gone[20 : 20 + thick, 60:80].all()


def test_the_rim_of_a_line_goes_half_its_thickness_and_a_pixel_from_it_and_two_pixels_beyond_its_ends() -> None:
    for row, goes_too in ((22, True), (23, True), (24, False), (19, True), (18, True), (17, False)):
        gone, _ = lifted(inked((10, 20, 90, 22), (60, row, 63, row + 1), size=(40, 100)), 2)
        assert gone[row, 61] == goes_too
    gone, _ = lifted(inked((10, 20, 90, 22), (86, 18, 95, 19), size=(40, 100)), 2)
    assert [gone[18, column] for column in (91, 92)] == [True, False]


@pytest.mark.parametrize(("thick", "wide", "runs_on"), [(2, 7, True), (2, 8, False), (4, 11, True), (4, 12, False)])
def test_a_line_runs_on_through_what_is_no_wider_than_twice_its_thickness_and_three_pixels(
    thick: int, wide: int, runs_on: bool
) -> None:
    mask = inked((10, 20, 90, 20 + thick), (40, 5, 40 + wide, 38), size=(40, 100))
    _, course = lifted(mask, thick, (40, 40 + wide))
    assert course[20, 40 + wide // 2] == runs_on


def test_a_line_runs_a_pixel_around_its_ink_and_beyond_its_ends_through_a_corner() -> None:
    _, course = lifted(inked((10, 20, 90, 22), size=(40, 100)), 2)
    assert np.flatnonzero(course[:, 50]).tolist() == [19, 20, 21, 22]
    assert np.flatnonzero(course[20])[[0, -1]].tolist() == [5, 94]
