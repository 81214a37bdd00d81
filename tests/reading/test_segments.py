"""Segments at their boundaries: how long, thin, straight and full a line is, and which pieces go on as one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.segments import Segments, segments_of

Mask = NDArray[np.bool_]
Edges = tuple[int, int, int, int]


def inked(*boxes: Edges, size: tuple[int, int] = (60, 300)) -> Mask:
    mask = np.zeros(size, np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def ends(mask: Mask, thickest: int = 4) -> list[tuple[int, int]]:
    found = segments_of(mask, thickest)
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def drawn(rows: NDArray[np.floating], thick: int = 1, left: int = 10, high: int = 80) -> Mask:
    """A line whose top is at these rows, one for each column from the left."""
    mask = np.zeros((high, left + len(rows) + 10), np.bool_)
    for k, row in enumerate(np.rint(rows).astype(int)):
        mask[row : row + thick, left + k] = True
    return mask


# --- one piece ---


@pytest.mark.parametrize(("length", "found"), [(16, []), (17, [(10, 27)])])
def test_a_segment_is_longer_than_sixteen_pixels(length: int, found: list[tuple[int, int]]) -> None:
    assert ends(inked((10, 20, 10 + length, 21))) == found


@pytest.mark.parametrize("first", range(8, 13))
def test_a_segment_lies_where_it_lies_whatever_column_it_begins_in(first: int) -> None:
    assert ends(inked((first, 20, first + 40, 22), size=(40, first + 41))) == [(first, first + 40)]


@pytest.mark.parametrize("thickest", [2, 4, 12, 20])
def test_a_segment_is_as_thick_as_the_thickest_and_no_thicker(thickest: int) -> None:
    for thick, found in ((thickest, [(10, 290)]), (thickest + 1, [])):
        assert ends(inked((10, 10, 290, 10 + thick)), thickest) == found


@pytest.mark.parametrize(("length", "count"), [(24, 1), (23, 0)])
def test_a_segment_is_six_times_as_long_as_thick(length: int, count: int) -> None:
    assert len(ends(inked((10, 20, 10 + length, 24)))) == count


@pytest.mark.parametrize(("missing", "count"), [(20, 1), (21, 0)])
def test_four_fifths_of_a_segments_columns_hold_ink(missing: int, count: int) -> None:
    mask = inked((10, 20, 110, 21))
    mask[20, 12 : 12 + 4 * missing : 4] = False
    assert len(ends(mask)) == count


@pytest.mark.parametrize(("rise", "count"), [(10, 1), (11, 0)])
@pytest.mark.parametrize("way", [1, -1])
def test_a_segment_rises_by_7_of_100_pixels_and_three(rise: int, count: int, way: int) -> None:
    mask = drawn(20 + np.arange(100) * (rise + 0.98) / 100 - 0.49)[::way]
    found = segments_of(np.ascontiguousarray(mask), 4)
    assert len(found.left) == count
    if count:
        assert abs(int(found.end[0]) - int(found.start[0])) == pytest.approx(rise, abs=1)


@pytest.mark.parametrize(("sag", "count"), [(3.8, 1), (4.3, 0)])
@pytest.mark.parametrize("way", [1, -1])
def test_a_segment_bends_by_one_pixel_and_15_thousandths_of_its_length(sag: float, count: int, way: int) -> None:
    t = np.linspace(-1, 1, 200)
    assert len(ends(drawn(30 + way * sag * t * t))) == count


def test_the_ends_of_a_bent_segment_are_at_the_rows_of_its_ink() -> None:
    t = np.linspace(-1, 1, 200)
    found = segments_of(drawn(30 + 4 * t + 2 * t * t), 4)
    assert [int(found.start[0]), int(found.end[0])] == [28, 36]


@pytest.mark.parametrize(("step", "count"), [(2, 1), (3, 0)])
def test_a_segment_swerves_by_a_pixel(step: int, count: int) -> None:
    assert len(ends(drawn(30 + step * (np.arange(200) // 4 % 2), thick=2))) == count


@pytest.mark.parametrize(("step", "count"), [(1, 1), (3, 0)])
def test_the_thickness_of_a_segment_is_no_swerving(step: int, count: int) -> None:
    """A line of 12 rows has a variance of 12 itself; one that goes up and down by 3 rows has 2.25 more."""
    assert len(ends(drawn(30 + step * (np.arange(240) // 30 % 2), 12), 12)) == count


@pytest.mark.parametrize(("thickest", "bump", "part"), [(4, 6, True), (4, 7, False), (12, 15, True), (12, 16, False)])
def test_where_a_line_is_a_little_thicker_it_is_still_the_line(thickest: int, bump: int, part: bool) -> None:
    mask = inked((10, 20, 290, 20 + thickest - 1), (140, 20, 164, 20 + bump), size=(80, 300))
    found = segments_of(mask, thickest)
    assert (found.labels[20 : 20 + bump, 143:161] > 0).all() == part


@pytest.mark.parametrize(("thicker", "count"), [(20, 1), (21, 0)])
def test_four_fifths_of_a_lines_ink_are_no_thicker_than_it(thicker: int, count: int) -> None:
    assert len(ends(inked((10, 20, 190, 23), (50, 20, 50 + thicker, 26)))) == count


# --- several pieces ---


@pytest.mark.parametrize(("gap", "count"), [(13, 1), (14, 2)])
def test_pieces_follow_each_other_within_twice_the_thickness_and_five(gap: int, count: int) -> None:
    found = segments_of(inked((10, 20, 108, 23), (108 + gap, 20, 210, 23)), 4)
    assert len(found.left) == count
    assert found.gaps.tolist() == ([[0, 108, 21, 108 + gap, 21]] if count == 1 else [])
    if count == 1:
        assert [found.left[0], found.right[0], found.thickness[0]] == [10, 210, 3]


@pytest.mark.parametrize(("wide", "count"), [(93, 1), (94, 2)])
def test_a_blot_hides_80_pixels_more_of_a_line(wide: int, count: int) -> None:
    mask = inked((10, 20, 60, 22), (60, 10, 60 + wide, 40), (60 + wide, 20, 200, 22))
    assert len(ends(mask)) == count
    mask[20:22, 100] = mask[10:40, 100] = False  # a hole in the blot
    assert len(ends(mask)) == 2


@pytest.mark.parametrize(("thick", "aside", "count"), [(3, 3, 1), (3, 4, 2), (11, 7, 1), (11, 8, 2)])
@pytest.mark.parametrize("way", [1, -1])
def test_pieces_go_on_at_most_two_pixels_and_half_their_thickness_aside(
    thick: int, aside: int, count: int, way: int
) -> None:
    row = 30 + way * aside
    assert len(ends(inked((10, 30, 110, 30 + thick), (130, row, 270, row + thick)), 12)) == count


def test_pieces_go_on_along_their_slope() -> None:
    mask = drawn(20 + 0.05 * np.arange(240))
    mask[:, 130:142] = False
    assert ends(mask) == [(10, 250)]
    mask = drawn(np.where(np.arange(240) < 126, 20 + 0.05 * np.arange(240), 21))
    mask[:, 130:142] = False
    assert len(ends(mask)) == 2


@pytest.mark.parametrize(("overlap", "count"), [(2, 1), (3, 2)])
def test_pieces_of_one_line_overlap_by_two_columns_at_most(overlap: int, count: int) -> None:
    assert len(ends(inked((10, 20, 110, 22), (110 - overlap, 23, 210, 25)))) == count


@pytest.mark.parametrize(("length", "count"), [(26, 1), (25, 2)])
def test_four_fifths_of_a_line_in_pieces_are_ink(length: int, count: int) -> None:
    mask = inked((10, 20, 10 + length, 21), (23 + length, 20, 23 + 2 * length, 21))
    assert len(ends(mask)) == count


def test_of_very_many_pieces_the_two_thousand_longest_are_looked_at() -> None:
    mask = np.zeros((420, 1000), np.bool_)
    for k in range(2001):
        row, column = divmod(k, 29)
        mask[6 * row + 2, 34 * column + 2 : 34 * column + (19 if k == 7 else 22)] = True
    found = segments_of(mask, 4)
    assert (len(found.left), int(found.length.min())) == (2000, 20)


def test_thin_lines_are_told_from_thick_ones_that_they_touch() -> None:
    mask = inked((10, 20, 290, 22), (100, 22, 200, 32))
    found: Segments = segments_of(mask, 12)
    assert sorted(zip(found.length.tolist(), found.thickness.tolist(), strict=True))[-1][0] >= 180
