"""Ruled and squared paper goes, whatever is written over it, and what is no ruling stays."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import components
from lenet5.reading.ink import Ink
from lenet5.reading.ruling import without_ruling


def sure(mask: NDArray[np.uint8]) -> Ink:
    """Ink that is full wherever there is any."""
    return Ink(mask.astype(np.float32), mask.astype(bool))


def squared(shape: tuple[int, int], pitch: int, slope: float = 0.0) -> NDArray[np.uint8]:
    """Paper (H, W) ruled in squares by lines of two pixels that slope a little."""
    ink = np.zeros(shape, np.uint8)
    for k in range(-shape[0], 2 * max(shape), pitch):
        cv2.line(ink, (0, k), (shape[1], round(k + slope * shape[1])), 1, 2)
        cv2.line(ink, (k, 0), (round(k - slope * shape[0]), shape[0]), 1, 2)
    return ink


@pytest.mark.parametrize("slope", [0.0, 0.03], ids=["straight", "aslant"])
def test_of_squared_paper_hardly_anything_is_left_and_a_stroke_on_it_is_whole(slope: float) -> None:
    ruled = squared((300, 400), 45, slope)
    stroke = np.zeros_like(ruled)
    cv2.polylines(stroke, [np.array([[120, 80], [180, 80], [140, 200]], np.int32)], False, 1, 9)
    kept = without_ruling(sure(ruled | stroke))
    assert kept[(ruled > 0) & (stroke == 0)].mean() < 0.1
    assert kept[stroke > 0].mean() > 0.95
    main = components(kept).area.max()
    assert main > 0.9 * stroke.sum()


def test_a_picture_without_ruling_is_as_it_is() -> None:
    mask = np.zeros((300, 400), np.uint8)
    mask[100:200, 150:160] = 1
    ink = sure(mask)
    assert without_ruling(ink) is ink.mask


def test_bars_of_digits_beside_one_another_are_no_rule() -> None:
    ink = np.zeros((120, 600), np.uint8)
    for left in range(20, 580, 80):
        cv2.polylines(ink, [np.array([[left, 30], [left + 45, 30], [left + 15, 95]], np.int32)], False, 1, 7)
    assert without_ruling(sure(ink)).sum() == ink.sum()


def test_upright_strokes_from_border_to_border_are_no_ruling() -> None:
    ink = np.zeros((120, 300), np.uint8)
    for column in (10, 100, 200, 290):
        cv2.line(ink, (column, 2), (column - 3, 117), 1, 2)
    cv2.line(ink, (0, 60), (299, 60), 1, 2)  # one line, as a baseline
    assert without_ruling(sure(ink)).sum() == ink.sum()


def test_squares_half_of_which_is_too_faint_to_be_sure_go_as_well() -> None:
    ruled = squared((300, 400), 30)
    faint = np.random.default_rng(1).random(ruled.shape) < 0.5
    stroke = np.zeros_like(ruled)
    cv2.line(stroke, (200, 80), (170, 200), 1, 9)
    level = np.maximum(stroke, 0.4 * ruled).astype(np.float32)
    mask = (stroke > 0) | ((ruled > 0) & ~faint)
    kept = without_ruling(Ink(level, mask))
    assert kept[(ruled > 0) & (stroke == 0)].mean() < 0.05
    assert kept[stroke > 0].mean() > 0.95


def test_a_line_of_which_a_bold_digit_covers_more_than_half_goes_with_those_that_are_parallel_to_it() -> None:
    ruled = np.zeros((400, 160), np.uint8)
    for row in range(30, 400, 40):
        cv2.line(ruled, (0, row), (159, row + 6), 1, 2)
    ring = np.zeros_like(ruled)
    cv2.ellipse(ring, (75, 210), (45, 38), 0, 0, 360, 1, 12)
    kept = without_ruling(sure(ruled | ring))
    assert kept[(ruled > 0) & (ring == 0)].mean() < 0.05
    assert kept[ring > 0].mean() > 0.95


def test_one_line_across_a_picture_is_no_ruling_unless_one_is_enough() -> None:
    ink = np.zeros((300, 400), np.uint8)
    ink[150:152] = 1
    cv2.line(ink, (210, 80), (190, 220), 1, 12)
    assert without_ruling(sure(ink)).sum() == ink.sum()
    kept = without_ruling(sure(ink), fewest=1)
    assert not kept[150:152, :180].any()
    assert not kept[150:152, 220:].any()
    assert kept[:140].sum() == ink[:140].sum()


def test_a_line_that_bends_is_followed() -> None:
    ruled = np.zeros((300, 400), np.uint8)
    x = np.arange(400)
    for row in range(40, 300, 60):
        points = np.stack([x, row + 4 * np.sin(x / 130)], axis=1)
        cv2.polylines(ruled, [np.round(points).astype(np.int32)], False, 1, 2)
    assert without_ruling(sure(ruled)).mean() < 0.05 * ruled.mean()
