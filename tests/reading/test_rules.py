"""Rules and boxes go, strokes stay."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import components
from lenet5.reading.rules import (
    are_filled,
    cut_off,
    frames,
    lengths,
    strokes,
    without_box,
    without_rules,
)

Mask = NDArray[np.bool_]


def test_a_rule_goes_and_a_stroke_across_it_stays() -> None:
    ink = np.zeros((100, 300), np.uint8)
    cv2.line(ink, (150, 20), (150, 90), 1, 5)
    stroke = ink.astype(bool)
    ink[70:72] = 1
    kept = without_rules(ink.astype(bool), length=120, height=90, thickness=4)
    assert kept[stroke].all()
    assert not kept[:, :140].any()
    assert not kept[:, 160:].any()


def test_of_a_grid_hardly_a_pixel_is_left_and_strokes_in_it_stay() -> None:
    ink = np.zeros((100, 300), np.uint8)
    for x in range(10, 300, 70):
        ink[10:93, x : x + 2] = 1
    for y in (10, 90):
        ink[y : y + 3, 10:292] = 1
    grid = ink.astype(bool)
    cv2.line(ink, (40, 30), (60, 70), 1, 4)
    kept = without_rules(ink.astype(bool), length=100, height=60, thickness=4)
    assert kept[grid].mean() < 0.01
    assert kept[ink.astype(bool) & ~grid].all()


def test_strokes_shorter_than_a_rule_stay() -> None:
    ink = np.zeros((100, 300), bool)
    ink[50:53, 100:180] = True
    assert (without_rules(ink, length=120, height=90, thickness=4) == ink).all()


def test_a_drawn_box_is_a_frame_and_a_round_zero_is_none() -> None:
    ink = np.zeros((120, 240), np.uint8)
    cv2.rectangle(ink, (10, 10), (100, 110), 1, 2)
    cv2.ellipse(ink, (170, 60), (35, 50), 0, 0, 360, 1, 5)
    found = components(ink.astype(bool))
    assert frames(found)[np.argsort(found.left)].tolist() == [True, False]


def test_dots_squares_and_stains_are_hardly_longer_than_wide_and_strokes_are() -> None:
    ink = np.zeros((120, 360), np.uint8)
    cv2.circle(ink, (40, 60), 12, 1, -1)
    cv2.rectangle(ink, (80, 40), (120, 80), 1, -1)
    cv2.line(ink, (160, 20), (160, 100), 1, 12)  # a bold 1
    cv2.ellipse(ink, (230, 60), (30, 42), 0, 0, 360, 1, 14)
    cv2.line(ink, (290, 100), (340, 20), 1, 9)
    found = components(ink.astype(bool))
    length = lengths(found, strokes(found, np.ones(len(found), bool)))[np.argsort(found.left)]
    assert (length[:2] < 1.2).all()
    assert (length[2:] > 2).all()


def test_what_lies_along_the_border_is_cut_off_and_a_stroke_that_ends_there_is_not() -> None:
    ink = np.zeros((100, 200), np.uint8)
    cv2.fillPoly(ink, [np.array([[0, 0], [40, 0], [0, 90]], np.int32)], 1)  # a shadow's corner
    cv2.line(ink, (100, 50), (100, 99), 1, 6)
    cv2.line(ink, (160, 20), (160, 80), 1, 6)
    found = components(ink.astype(bool))
    assert cut_off(found)[np.argsort(found.left)].tolist() == [True, False, False]


def boxed(
    stroke: tuple[tuple[int, int], ...], offset: int = 4, side: int = 60, sides: str = "tblr"
) -> tuple[Mask, Mask]:
    """A mask (60, 60) of a stroke and the sides of a box ``offset`` from the border, and the mask of the stroke."""
    ink = np.zeros((side, side), np.uint8)
    cv2.polylines(ink, [np.array(stroke, np.int32)], False, 1, 3)
    end = side - 1 - offset
    lines = {"t": (0, offset), "b": (0, end), "l": (offset, 0), "r": (end, 0)}
    both = ink.copy()
    for name in sides:
        x, y = lines[name]
        start, stop = ((offset, y), (end, y)) if name in "tb" else ((x, offset), (x, end))
        cv2.line(both, start, stop, 1, 2)
    return both.astype(bool), ink.astype(bool)


SEVEN = (14, 16), (44, 16), (28, 50)


@pytest.mark.parametrize(
    ("offset", "sides"),
    [(offset, sides) for offset in (1, 4) for sides in ("tblr", "tlr", "lr", "br")] + [(8, "tblr")],
)
def test_the_sides_of_a_box_go_and_the_digit_in_it_stays(offset: int, sides: str) -> None:
    both, stroke = boxed(SEVEN, offset, sides=sides)
    kept = without_box(both)
    assert kept[stroke].mean() > 0.97
    assert (kept & ~stroke).sum() <= 0.05 * (both & ~stroke).sum()


def test_a_digit_that_crosses_the_box_keeps_what_is_beyond_it() -> None:
    both, stroke = boxed(((14, 1), (44, 1), (28, 58)), offset=8)
    kept = without_box(both)
    assert kept[stroke].mean() > 0.9
    assert kept[:6].any()
    assert kept[-6:].any()
    assert (kept & ~stroke).sum() < 0.1 * (both & ~stroke).sum()


def test_a_bar_of_a_digit_that_fills_the_picture_is_no_side_of_a_box() -> None:
    ink, _ = boxed(((3, 3), (56, 3), (24, 56)), sides="")
    assert without_box(ink) is ink


def test_an_empty_box_stays_as_it_is() -> None:
    ink, _ = boxed(((30, 30), (30, 30)))
    assert without_box(ink) is ink


def test_a_band_as_broad_as_digits_are_high_is_filled_and_a_bold_row_of_strokes_that_touch_is_not() -> None:
    ink = np.zeros((120, 640), np.uint8)
    cv2.fillPoly(ink, [np.array([[10, 30], [300, 20], [300, 90], [10, 80]], np.int32)], 1)
    for x in range(340, 620, 40):
        cv2.ellipse(ink, (x, 60), (20, 40), 0, 0, 360, 1, 14)
    found = components(ink.astype(bool))
    filled = are_filled(found, strokes(found, np.ones(len(found), bool)), 80)
    assert filled[np.argsort(found.left)].tolist() == [True, False]
