"""Which runs of pieces are candidates, at the edges of size and distance, and which of their ink is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.normalise import normalise
from lenet5.paper import SIDE
from lenet5.reading.candidates import runs
from lenet5.reading.pieces import Pieces, whole_marks


def marks(*boxes: tuple[int, int, int, int], width: int = 150) -> Pieces:
    """Full boxes (left, top, right, bottom), none of which touch."""
    level = np.zeros((60, width), np.float32)
    for left, top, right, bottom in boxes:
        level[top:bottom, left:right] = 1
    return whole_marks(level, slanted=False)


def spans(pieces: Pieces) -> set[tuple[int, int]]:
    found = runs(pieces)
    return set(zip(found.first.tolist(), found.last.tolist(), strict=True))


@pytest.mark.parametrize(("gap", "together"), [(12, True), (16, True), (17, False), (21, False)])
def test_marks_over_a_third_of_the_height_apart_are_no_candidate_together(gap: int, together: bool) -> None:
    assert ((0, 2) in spans(marks((5, 5, 10, 53), (10 + gap, 5, 15 + gap, 53)))) == together


@pytest.mark.parametrize(("width", "fits"), [(52, True), (72, True), (73, False), (90, False)])
def test_a_candidate_is_at_most_one_and_a_half_heights_wide(width: int, fits: bool) -> None:
    assert ((0, 1) in spans(marks((5, 5, 5 + width, 53)))) == fits
    bars = marks(*((5 + left, 5, 5 + left + 4, 53) for left in range(0, width - 4, 12)), (1 + width, 5, 5 + width, 53))
    assert ((0, len(bars)) in spans(bars)) == fits


def test_eight_pieces_may_be_one_character_and_nine_may_not() -> None:
    row = spans(marks(*((5 + 6 * k, 5, 8 + 6 * k, 53) for k in range(10))))
    assert max(last - first for first, last in row) == 8
    assert (2, 10) in row


def test_without_a_candidate_the_arrays_are_empty_and_of_their_shapes() -> None:
    none = runs(marks((5, 5, 110, 20)))
    assert none.first.shape == none.last.shape == (0,)
    assert none.boxes.shape == (0, 4)
    assert none.images.shape == (0, SIDE, SIDE)


def by_span(pieces: Pieces) -> dict[tuple[int, int], tuple[NDArray[np.uint8], list[int], tuple[int, ...]]]:
    """Image, box and marks of each candidate."""
    found = runs(pieces)
    rows = zip(found.first.tolist(), found.last.tolist(), found.images, found.boxes.tolist(), found.marks, strict=True)
    return {(first, last): (image, box, named) for first, last, image, box, named in rows}


def test_an_image_shows_its_own_pieces_with_their_soft_rim_and_nothing_of_others() -> None:
    level = np.zeros((60, 60), np.float32)
    level[6:54, 10:14] = level[20:40, 24:28] = 1  # a stroke and a block
    level[6:10, 20:40] = level[10:54, 36:40] = 1  # a hook around the block
    rim, beyond = (
        [(20 - k, 25), (39 + k, 25), (30, 24 - k), (30, 27 + k)] for k in (1, 2)
    )  # on each side of the block
    for row, column in rim + beyond:
        level[row, column] = 0.4
    pieces = whole_marks(level.copy(), slanted=False)
    for row, column in beyond:
        level[row, column] = 0
    found = by_span(pieces)
    for span, box, other in (
        ((2, 3), [20, 6, 40, 54], np.s_[20:40, 24:28]),  # the hook without the block
        ((0, 2), [10, 6, 28, 54], np.s_[6:10, 20:40]),  # stroke and block without the hook
        ((0, 3), [10, 6, 40, 54], np.s_[0:0, 0:0]),
    ):
        shown = level.copy()
        shown[other] = 0
        if span == (2, 3):
            shown[level == np.float32(0.4)] = 0
        assert found[span][1] == box
        assert found[span][0].tolist() == normalise(shown[box[1] : box[3], box[0] : box[2]]).tolist()


def test_marks_are_named_where_all_of_their_pieces_are_in_the_run() -> None:
    pieces = replace(marks((5, 5, 8, 53), (12, 5, 15, 53), (20, 5, 23, 53)), mark=np.array([0, 0, 1]))
    named = {span: row[2] for span, row in by_span(pieces).items()}
    assert named == {(0, 1): (), (0, 2): (0,), (0, 3): (0, 1), (1, 2): (), (1, 3): (), (2, 3): (1,)}
