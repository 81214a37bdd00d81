"""Over-segmentation: nothing is lost, and what touches can be told apart."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.candidates import runs
from lenet5.reading.pieces import HEIGHT, cut, whole_marks

Floats = NDArray[np.float32]


def paper(width: int) -> Floats:
    return np.zeros((HEIGHT + 12, width), np.float32)


def ring(level: Floats, x: int) -> Floats:
    cv2.ellipse(level, (x, level.shape[0] // 2), (14, HEIGHT // 2 - 3), 0, 0, 360, 1.0, 4)
    return level


def test_pieces_hold_all_sure_ink_and_stand_from_left_to_right() -> None:
    level = ring(ring(paper(140), 30), 100)
    pieces = cut(whole_marks(level, slanted=False))
    assert ((pieces.labels > 0) == (level > 0.5)).all()
    middles = pieces.left + pieces.right
    assert (np.diff(middles) >= 0).all()
    assert pieces.area.sum() == (level > 0.5).sum()


@pytest.mark.parametrize("distance", [26, 29, 31])
def test_two_rings_that_lean_on_each_other_can_be_told_apart(distance: int) -> None:
    left, right = ring(paper(120), 35), ring(paper(120), 35 + distance)
    pieces = cut(whole_marks(np.maximum(left, right), slanted=False))
    found = runs(pieces)
    for own, other in ((left, right), (right, left)):
        best = 0.0
        for first, last in zip(found.first, found.last, strict=True):
            held = (pieces.labels > first) & (pieces.labels <= last)
            alone = (own > 0.5) & ~(other > 0.5)
            best = max(best, float((held & alone).sum() - (held & (other > 0.5) & ~(own > 0.5)).sum()) / alone.sum())
        assert best > 0.85


def test_a_slant_is_taken_out_and_positions_lead_back_to_the_slanted_line() -> None:
    level = paper(200)
    for x in (40, 80, 120):
        cv2.line(level, (x + 20, 8), (x, HEIGHT + 3), 1.0, 4)
    pieces = cut(whole_marks(level))
    assert pieces.slant > 0.2
    assert len(pieces) == 3
    rows, columns = np.nonzero(pieces.labels == 1)
    back = pieces.columns(rows, columns)
    assert abs(back.max() - 62) < 3
    assert abs(back.min() - 38) < 3


def test_an_empty_line_has_no_pieces() -> None:
    assert len(cut(whole_marks(paper(50)))) == 0
    assert len(runs(cut(whole_marks(paper(50)))).images) == 0


def test_slanted_hairlines_stay_whole() -> None:
    level = np.zeros((60, 200), np.float32)
    for left in (20, 80, 140):
        for row in range(6, 54):
            level[row, left + (54 - row) // 3] = 1
    pieces = cut(whole_marks(level))
    assert len(pieces) == 3
    assert (pieces.bottom - pieces.top >= 46).all()
