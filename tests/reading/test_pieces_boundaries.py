"""Where a line is cut: how wide a mark must be, how dear and how far apart cuts are, waists, slants and hairlines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.pieces import HEIGHT, Pieces, _crossings, _valleys, _waists, cut, sheared, whole_marks

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Edges = tuple[int, int, int]


def upright(level: Floats) -> Pieces:
    return whole_marks(level, slanted=False)


def bridge(width: int, thick: int = 4) -> Floats:
    """Two strokes a line high, so wide together, and a bridge between them."""
    level = np.zeros((HEIGHT, width + 10), np.float32)
    level[:, 5:9] = level[:, width + 1 : width + 5] = 1
    level[20 : 20 + thick, 5 : width + 5] = 1
    return level


# --- marks ---


@pytest.mark.parametrize(("level", "marks"), [(0.5, 0), (0.51, 1)])
def test_ink_is_what_is_more_than_half_inked(level: float, marks: int) -> None:
    line = np.zeros((HEIGHT, 20), np.float32)
    line[10:20, 5:15] = level
    assert len(upright(line)) == marks


@pytest.mark.parametrize(("pixels", "marks"), [(5, 1), (6, 2)])
def test_a_mark_has_six_pixels(pixels: int, marks: int) -> None:
    line = np.zeros((HEIGHT, 40), np.float32)
    line[10:40, 5:9] = line[10, 20 : 20 + pixels] = 1
    assert len(upright(line)) == marks


@pytest.mark.parametrize(("long", "broader"), [(20, True), (21, False)])
def test_hairlines_are_lines_of_which_two_fifths_at_most_are_squares_of_four_pixels(long: int, broader: bool) -> None:
    line = np.zeros((HEIGHT, 80), np.float32)
    line[10:12, 5 : 6 + long] = 1  # of 2·(n + 1) pixels n are the last corner of a square
    line[30, 5 : 5 + 50 - 2 * (20 + 1)] = 1  # 8 more, of which none is: 20 of 50, 21 of 52
    assert (upright(line).level[29].max() == 1) == broader


@pytest.mark.parametrize("slant", [-0.3, -0.1, 0, 0.2, 0.5, 0.7])
def test_a_slant_is_found_to_a_tenth_up_to_35_degrees(slant: float) -> None:
    line = np.zeros((HEIGHT, 160), np.float32)
    for row in range(HEIGHT):
        for left in (50, 80, 110):
            start = left + round(slant * (HEIGHT / 2 - row))
            line[row, start : start + 5] = 1
    assert whole_marks(line).slant == pytest.approx(slant, abs=0.01)


@pytest.mark.parametrize("slant", [0.9, -0.5])
def test_no_writing_slants_more(slant: float) -> None:
    line = np.zeros((HEIGHT, 160), np.float32)
    for row in range(HEIGHT):
        start = 80 + round(slant * (HEIGHT / 2 - row))
        line[row, start : start + 5] = 1
    assert whole_marks(line).slant == pytest.approx(0.7 if slant > 0 else -0.3)


@pytest.mark.parametrize(("gain", "slanted"), [(0.018, False), (0.025, True)])
def test_a_slant_is_taken_out_where_each_tenth_of_it_makes_the_columns_2_percent_sharper(
    gain: float, slanted: bool
) -> None:
    strokes = np.zeros((HEIGHT, 400), np.float32)
    for row in range(HEIGHT):
        start = 30 + round(0.1 * (HEIGHT - row))
        strokes[row, start : start + 5] = 1
    sharper, plain = (float(np.square(sheared(strokes, s).sum(axis=0)).sum()) for s in (0.1, 0.0))
    bars = (sharper - plain) / gain - plain  # a block so broad that its profile is about as sharp with the slant
    wide = 200
    high = np.sqrt(bars / wide)
    line = strokes.copy()
    whole, rest = int(high), high % 1
    line[:whole, 100 : 100 + wide] = 1
    line[whole, 100 : 100 + wide] = rest
    assert (whole_marks(line).slant > 0.05) == slanted


def test_a_line_is_not_resampled_where_it_does_not_slant() -> None:
    line = bridge(40)
    assert sheared(line, 0.0) is line
    assert upright(line).level is line


@pytest.mark.parametrize("slant", [0.5, -0.5, 1.0, -1.0])
def test_a_line_whose_slant_is_taken_out_has_all_its_ink_and_its_columns_lead_back(slant: float) -> None:
    line = np.zeros((20, 50), np.float32)
    for row in range(20):
        line[row, int(20 + slant * (10 - row)) : int(23 + slant * (10 - row))] = 1
    straight = sheared(line, slant)
    assert straight.sum() == pytest.approx(line.sum())
    assert straight.shape[1] == 50 + 20 * abs(slant)
    assert np.ptp(np.flatnonzero(straight.sum(axis=0) > 5)) <= 3


# --- cuts ---


@pytest.mark.parametrize(("width", "pieces"), [(19, 1), (20, 2)])
def test_a_mark_is_cut_from_two_fifths_of_the_height_on(width: int, pieces: int) -> None:
    assert (len(cut(upright(bridge(width)))) > 1) == (pieces > 1)


@pytest.mark.parametrize(("thick", "is_cut"), [(36, True), (37, False)])
def test_a_cut_goes_through_no_more_ink_than_three_quarters_of_the_height(thick: int, is_cut: bool) -> None:
    assert (_valleys(np.full(40, thick, np.float32)) != []) == is_cut


@pytest.mark.parametrize(("width", "columns"), [(14, []), (15, [7]), (21, [7]), (22, [7, 14])])
def test_cuts_are_a_seventh_of_the_height_apart_and_from_the_ends(width: int, columns: list[int]) -> None:
    assert _valleys(np.zeros(width, np.float32)) == columns


def test_a_cut_is_where_the_ink_is_least_and_no_dearer_on_either_side() -> None:
    ink = np.full(60, 20, np.float32)
    ink[[10, 25, 26, 40]] = 3, 2, 2, 4
    ink[12] = 3.5  # too near to the first
    ink[41] = 5  # no valley: beside a cheaper one
    assert _valleys(ink)[:1] == [10]
    assert {10, 25, 40} <= set(_valleys(ink))
    assert not {12, 26, 41} & set(_valleys(ink))


def test_the_ink_of_a_cut_is_what_lies_on_its_path_and_a_quarter_pixel_for_each_step_aside() -> None:
    level = np.zeros((9, 9), np.float32)
    level[2, :6] = level[6, 3:] = 1  # a path through the middle goes round both: two columns right, then left
    free, stiff = _crossings(level, (0.25, 1.5))
    assert free.ink[4] == pytest.approx(2 * 0.25 + 2 * 0.25)
    assert stiff.ink[4] == pytest.approx(2)  # straight on through both is cheaper
    assert free.paths([4])[4].tolist() == [6, 6, 6, 5, 4, 3, 2, 2, 2]
    assert stiff.paths([4])[4].tolist() == [4] * 9


@pytest.mark.parametrize("height", [9, 10])
def test_a_path_passes_the_middle_row_in_its_column(height: int) -> None:
    level = np.random.default_rng(0).random((height, 12)).astype(np.float32)
    (crossings,) = _crossings(level, (0.3,))
    for column, path in crossings.paths(list(range(12))).items():
        assert path[height // 2] == column
        cost = level[np.arange(height), path].sum() + 0.3 * (np.diff(path) != 0).sum()
        assert crossings.ink[column] == pytest.approx(cost, abs=1e-5)
        assert np.abs(np.diff(path)).max() <= 1


def profile(*heights: tuple[int, int]) -> Mask:
    """A component so high in so many columns each."""
    columns = np.concatenate([np.full(width, high) for high, width in heights])
    return np.asarray(np.arange(60)[:, None] < columns, np.bool_)


@pytest.mark.parametrize(("low", "waist"), [(30, True), (31, False)])
@pytest.mark.parametrize("sides", [(40, 40), (40, 50), (50, 40)])
def test_a_waist_is_three_quarters_as_high_as_the_lower_of_its_sides(
    sides: tuple[int, int], low: int, waist: bool
) -> None:
    assert (_waists(profile((sides[0], 20), (low, 6), (sides[1], 20))) != []) == waist


@pytest.mark.parametrize(("width", "waists"), [(47, [35]), (48, [])])
def test_the_sides_of_a_waist_are_no_farther_than_half_the_height(width: int, waists: list[int]) -> None:
    assert _waists(profile((50, 12), (30, width), (50, 12))) == waists


@pytest.mark.parametrize(("width", "count"), [(2, 0), (3, 1)])
def test_a_waist_is_three_columns_wide(width: int, count: int) -> None:
    assert len(_waists(profile((50, 12), (34, width), (50, 12)))) == count


@pytest.mark.parametrize(("apart", "count"), [(13, 1), (14, 2)])
def test_waists_are_two_sevenths_of_the_height_apart(apart: int, count: int) -> None:
    assert len(_waists(profile((50, 12), (33, 3), (50, apart - 3), (33, 3), (50, 12)))) == count


@pytest.mark.parametrize(("at", "count"), [(7, 1), (5, 0)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_waist_is_a_seventh_of_the_height_from_the_ends(at: int, count: int, mirrored: bool) -> None:
    own = profile((50, at - 1), (20, 3), (50, 40))
    assert len(_waists(own[:, ::-1] if mirrored else own)) == count


def test_a_cut_goes_round_ink_where_a_quarter_pixel_a_step_is_cheaper() -> None:
    level = bridge(40)
    level[8:12, 5:30] = level[32:36, 18:45] = 1  # from the right end of one bar to the left of the other: 13 columns
    assert min(cut.ink for cut in cut(upright(level)).cuts) == pytest.approx(4 + 13 * 0.25)


def waisted(low: int, wide: int, slot: Edges) -> list[float]:
    """The ink of the cuts of two solid blocks that a lower one joins, with a slot (column, top, bottom) in that one."""
    own = profile((54, 24), (low, wide), (54, 24))
    column, top, bottom = slot
    own[top:bottom, 24 + column] = False
    return [cut.ink for cut in cut(upright(own.astype(np.float32))).cuts]


def test_through_a_waist_a_step_aside_costs_one_and_a_half_pixels() -> None:
    assert waisted(40, 5, slot=(2, 10, 13)) == [40 - 3 + 1.5]  # the waist is in its second column
    assert waisted(40, 5, slot=(2, 10, 11)) == [40]


@pytest.mark.parametrize(("away", "cuts"), [(3, 1), (4, 2)])
def test_a_waist_a_fourteenth_of_the_height_from_a_valley_is_cut_there_alone(away: int, cuts: int) -> None:
    assert len(waisted(40, 9, slot=(1 + away, 10, 18))) == cuts


def test_pieces_hold_the_pixels_of_their_own_mark_and_a_cuts_column_goes_to_the_left() -> None:
    level = bridge(40, 6)
    level[23:26, 25] = 0  # the least ink is here
    level[30:34, 20:30] = 1  # another mark in the same box
    whole = upright(level)
    pieces = cut(whole, np.array([True, False]))
    assert 26 in pieces.right[pieces.mark == 0]
    assert 26 in pieces.left[pieces.mark == 0]
    for k in range(len(pieces)):
        assert (whole.labels[pieces.labels == k + 1] == pieces.mark[k] + 1).all()
    assert ((pieces.labels > 0) == (whole.labels > 0)).all()


def test_hairlines_become_a_pixel_broader_on_each_side() -> None:
    line = np.zeros((20, 20), np.float32)
    line[4, 4] = 1
    line[10:14, 10:14] = 0.5  # no sure ink
    expected = np.maximum.reduce([line, *(np.roll(line, way, axis) for way in (1, -1) for axis in (0, 1))])
    assert (upright(line).level == expected).all()
