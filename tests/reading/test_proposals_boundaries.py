"""Proposals at their boundaries: which marks may be digits, which chains are the same, what a line's levels are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import Components, components
from lenet5.reading.ink import Ink
from lenet5.reading.pieces import HEIGHT
from lenet5.reading.proposals import Proposal, _writing_height, proposals_in, proposals_of

Mask = NDArray[np.bool_]
Edges = tuple[int, int, int, int]


def blank(high: int, wide: int) -> Mask:
    return np.zeros((high, wide), np.bool_)


def inked(*boxes: Edges, size: tuple[int, int] = (200, 400)) -> Mask:
    mask = blank(*size)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def ink_of(mask: Mask, window: int = 0, dark: bool = True) -> Ink:
    contrast = mask.astype(np.float32)
    return Ink(contrast, mask, 0.0, 1.0, 1 - contrast, np.ones((5, 5), np.float32), dark, window)


def tall(proposal: Proposal) -> list[Edges]:
    marks = proposal.marks
    edges = [getattr(marks, side)[proposal.tall] for side in ("left", "top", "right", "bottom")]
    return sorted(zip(*(edge.tolist() for edge in edges), strict=True))


def chains(*boxes: Edges, window: int = 0, size: tuple[int, int] = (200, 400)) -> list[list[Edges]]:
    return [tall(proposal) for proposal in proposals_of(ink_of(inked(*boxes, size=size), window))]


# --- marks that may be digits ---


@pytest.mark.parametrize(("height", "is_one"), [(6, True), (5, False)])
def test_a_digit_is_six_pixels_high(height: int, is_one: bool) -> None:
    mark = (50, 50, 54, 50 + height)
    assert chains(mark) == ([[mark]] if is_one else [])


@pytest.mark.parametrize(("width", "is_one"), [(119, True), (120, False)])
def test_digits_that_touch_are_less_than_twelve_heights_long(width: int, is_one: bool) -> None:
    mark = (50, 50, 50 + width, 60)
    dense = (200, 100, 210, 120)  # by which the height of writing is told
    assert ([mark] in chains(mark, dense)) == is_one


@pytest.mark.parametrize(("window", "is_one"), [(150, True), (151, False)])
def test_a_digit_is_a_twenty_fifth_of_the_window_high(window: int, is_one: bool) -> None:
    mark = (50, 50, 54, 56)
    assert chains(mark, window=window, size=(620, 620)) == ([[mark]] if is_one else [])


@pytest.mark.parametrize(("window", "alone"), [(50, 0), (51, 2)])
def test_through_a_window_of_over_a_quarter_of_the_picture_marks_are_proposed_by_themselves_as_well(
    window: int, alone: int
) -> None:
    found = chains((50, 50, 54, 80), (70, 50, 74, 80), window=window)
    assert sum(len(chain) == 1 for chain in found) == alone


def test_by_themselves_the_eight_tallest_marks_are_proposed() -> None:
    boxes = [(30 + 20 * k, 40, 36 + 20 * k, 80 - k) for k in range(10)]
    alone = [chain[0] for chain in chains(*boxes, window=51) if len(chain) == 1]
    assert alone == boxes[:8]


@pytest.mark.parametrize(("side", "marks"), [(64, 2), (65, 1)])
def test_through_a_large_window_strokes_four_pixels_apart_are_one_mark_in_a_picture_of_over_64_pixels(
    side: int, marks: int
) -> None:
    ink = ink_of(inked((10, 10, 14, 40), (18, 10, 22, 40), size=(side, side)), window=side)
    assert len(proposals_of(ink)[0].marks) == marks


@pytest.mark.parametrize(("columns", "proposed"), [(60, True), (61, False)])
def test_ink_that_covers_more_than_three_fifths_is_the_ground(columns: int, proposed: bool) -> None:
    assert (proposals_of(ink_of(inked((0, 0, columns, 50), size=(50, 100)))) != []) == proposed


@pytest.mark.parametrize(
    ("height", "width", "is_low"), [(15, 10, True), (16, 10, False), (10, 47, True), (10, 48, False)]
)
def test_a_low_mark_has_less_than_two_fifths_of_the_height_and_is_less_than_1_2_heights_long(
    height: int, width: int, is_low: bool
) -> None:
    digits = [(20, 50, 30, 90), (150, 50, 160, 90)]
    low = (60, 60, 60 + width, 60 + height)
    proposal = next(p for p in proposals_of(ink_of(inked(*digits, low))) if tall(p)[0] == digits[0])
    assert (len(proposal.low) == 1) == is_low


@pytest.mark.parametrize(("pixels", "is_low"), [(2, False), (3, True)])
def test_a_low_mark_has_three_pixels(pixels: int, is_low: bool) -> None:
    (proposal,) = proposals_of(ink_of(inked((20, 50, 30, 90), (40, 88, 40 + pixels, 89))))
    assert (len(proposal.low) == 1) == is_low


def test_of_marks_only_the_three_thousand_tallest_are_chained() -> None:
    mask = blank(640, 640)
    for k in range(3001):
        row, column = divmod(k, 60)
        mask[12 * row : 12 * row + 6, 10 * column : 10 * column + 4] = True
    mask[12:19, 10:14] = True  # one is a pixel taller
    ink = ink_of(mask)
    marked = {k for proposal in proposals_of(ink, reach=3.5) for k in proposal.tall.tolist()}
    assert len(marked) == 3000
    assert 61 in marked


def test_at_most_four_hundred_chains_are_proposed() -> None:
    for count, proposed in ((400, 400), (401, 400)):
        mask = blank(820, 820)
        for k in range(count):
            row, column = divmod(k, 21)
            mask[40 * row : 40 * row + 8, 38 * column : 38 * column + 3] = True
        assert len(proposals_of(ink_of(mask), reach=3.5)) == proposed


@pytest.mark.parametrize(("count", "stacked"), [(40, 1), (41, 0)])
def test_parts_above_one_another_are_put_together_in_pictures_of_forty_marks(count: int, stacked: int) -> None:
    boxes = [(20, 20, 30, 60), (20, 64, 30, 100)]
    boxes += [
        (100 + 70 * (k % 10), 20 + 45 * (k // 10), 104 + 70 * (k % 10), 30 + 45 * (k // 10)) for k in range(count - 2)
    ]
    found = [chain for chain in chains(*boxes, size=(300, 900)) if chain == boxes[:2]]
    assert len(found) == stacked


@pytest.mark.parametrize(("specks", "together"), [(38, True), (39, False)])
def test_broken_strokes_are_put_together_in_pictures_of_forty_marks(specks: int, together: bool) -> None:
    boxes = [(20, 20, 30, 60), (20, 64, 30, 100), *((100 + 6 * k, 150, 102 + 6 * k, 151) for k in range(specks))]
    assert ([(20, 20, 30, 100)] in chains(*boxes)) == together


@pytest.mark.parametrize(("reach", "together"), [(3.5, 0), (3.6, 1)])
def test_where_marks_are_looked_for_farther_apart_all_that_is_beside_the_largest_is_one_chain(
    reach: float, together: int
) -> None:
    ink = ink_of(inked((20, 20, 60, 120), (460, 40, 470, 100), size=(200, 600)))
    assert sum(len(proposal.tall) == 2 for proposal in proposals_of(ink, reach)) == together


# --- the same chain in two inks ---


@pytest.mark.parametrize(("right", "kept"), [(145, 1), (144, 2)])
def test_two_chains_are_the_same_where_they_share_nine_tenths_of_what_they_cover(right: int, kept: int) -> None:
    one, other = (ink_of(inked((100, 50, edge, 150))) for edge in (150, right))
    assert len(proposals_in([one, other])) == kept


def test_chains_of_another_polarity_or_number_of_marks_are_not_the_same() -> None:
    one = ink_of(inked((100, 50, 150, 150)))
    assert len(proposals_in([one, replace(one, dark=False)])) == 2
    two = ink_of(inked((100, 50, 124, 150), (126, 50, 150, 150)))
    assert [len(proposal.tall) for proposal in proposals_in([one, two])] == [1, 2]
    assert proposals_in([]) == []
    assert len(proposals_in([one])) == 1


# --- printed lines and marks that were part of some ---


def marks_with(*marks: tuple[int, int, int]) -> Components:
    """Marks (width, height, area)."""
    width, height, area = np.array(marks, np.int64).T
    zero = np.zeros(len(marks), np.int64)
    return Components(np.zeros((1, 1), np.int32), zero, zero, width, height, area)


@pytest.mark.parametrize(
    ("mark", "counts"),
    [((50, 100, 401), True), ((50, 100, 400), False), ((60, 6, 300), True), ((50, 5, 240), False),
     ((119, 10, 900), True), ((120, 10, 900), False)],
)  # fmt: skip
def test_writing_is_what_is_8_percent_ink_six_pixels_high_and_less_than_twelve_heights_long(
    mark: tuple[int, int, int], counts: bool
) -> None:
    assert _writing_height(marks_with(mark), usual=77.0) == (mark[1] if counts else 77)


@pytest.mark.parametrize(("left", "whole"), [(89, False), (90, True)])
def test_a_mark_no_wider_than_one_and_a_half_heights_that_loses_ink_as_a_line_is_proposed_whole(
    left: int, whole: bool
) -> None:
    seven = inked((left, 0, 300, 3), (200, 0, 206, 140), size=(200, 300))  # its bar lies along the border
    (mark,) = {int(width) for width in components(seven).width}
    assert (mark <= 1.5 * 140) == whole
    proposals = proposals_of(ink_of(seven))
    assert any(proposal.lined is not None for proposal in proposals)
    assert any(proposal.lined is None for proposal in proposals) == whole


@pytest.mark.parametrize(("width", "bottom", "whole"), [(19, 196, False), (20, 196, True), (19, 195, True)])
def test_a_mark_as_high_as_the_picture_is_proposed_whole_where_it_is_a_tenth_as_wide(
    width: int, bottom: int, whole: bool
) -> None:
    """A stroke from top to bottom, with a foot; its line is along the border."""
    mask = inked((0, 0, 3, bottom), (0, bottom - 12, width, bottom), (150, 60, 160, 100))
    proposals = proposals_of(ink_of(mask))
    assert any(proposal.lined is not None for proposal in proposals)
    edges = [tall(proposal) for proposal in proposals if proposal.lined is None]
    assert ([(0, 0, width, bottom)] in edges) == whole


# --- the line of a proposal ---


def line_level(contrast: NDArray[np.float32], noise: float = 0.0) -> NDArray[np.float32]:
    """The levels of the one mark's line, 48 pixels high as the mark is, so that nothing is resampled."""
    mask = contrast > 0
    ink = replace(ink_of(mask), contrast=contrast, noise=noise)
    marks = components(mask)
    return Proposal(ink, marks, np.zeros(1, np.int64), np.zeros(0, np.int64), None).line().level


@pytest.mark.parametrize(
    ("strength", "noise", "paler", "level"),
    [(1.0, 0.0, 0.575, 0.5), (0.5, 0.0, 0.2875, 0.5), (1.0, 0.1, 0.675, 0.5), (1.0, 0.2, 0.75, 0.5)],
    ids=["15 percent is paper", "of faint ink, too", "and twice the noise", "half at most"],
)
def test_levels_go_from_what_may_be_paper_to_the_level_that_two_fifths_of_the_ink_reach(
    strength: float, noise: float, paler: float, level: float
) -> None:
    contrast = np.zeros((70, 60), np.float32)
    contrast[10:58, 20:32] = strength
    contrast[10:58, 32:48] = paler  # 16 columns of 28
    found = line_level(contrast, noise)
    assert found.shape[0] == 48 + 2 + 4  # the margins of a line
    assert found[30].max() == pytest.approx(1)
    plateau = np.unique(found[30].round(3), return_counts=True)
    assert plateau[0][plateau[1] >= 12][-2] == pytest.approx(level, abs=0.01)


def test_ink_of_which_less_than_two_fifths_are_strong_is_full_where_it_is_paler() -> None:
    contrast = np.zeros((70, 60), np.float32)
    contrast[10:58, 20:29] = 1
    contrast[10:58, 29:45] = 0.5
    assert line_level(contrast)[30, 8:22].min() == pytest.approx(1)


@pytest.mark.parametrize("slope", [0.1, -0.1])
def test_a_sloping_line_is_cut_to_its_ink_and_two_pixels(slope: float) -> None:
    boxes = [
        (20 + 60 * k, round(150 + slope * 60 * k), 30 + 60 * k, round(150 + slope * 60 * k) + 48) for k in range(9)
    ]
    (proposal,) = proposals_of(ink_of(inked(*boxes, size=(300, 600))))
    line = proposal.line()
    rows = np.flatnonzero(line.level.max(axis=1) > 0)
    assert line.slope == pytest.approx(slope, abs=0.01)
    assert (rows[0], len(line.level) - rows[-1]) == (2, 3)
    found = line.box(np.array([rows[0], rows[-1]]), np.array([2, 12]))
    assert abs(found.top - boxes[0][1]) <= 2


def test_the_height_of_a_line_is_at_the_standard_and_taken_from_the_pictures_own_detail() -> None:
    mask = inked((50, 50, 58, 70))
    source = 1 - np.kron(mask, np.ones((4, 4))).astype(np.float32)
    small = replace(ink_of(mask), source=source, scale=0.25)
    (proposal,) = proposals_of(small)
    line = proposal.line()
    assert line.height == pytest.approx(80, abs=2)
    assert line.scale * line.height == pytest.approx(HEIGHT)
