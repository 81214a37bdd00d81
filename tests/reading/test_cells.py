"""The sides of a form's cells go, whatever touches them, and strokes stay."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Reader
from lenet5.reading.cells import without_cells
from lenet5.reading.ink import Ink

Bytes = NDArray[np.uint8]


def sure(mask: Bytes) -> Ink:
    """Ink that is full wherever there is any."""
    return Ink(mask.astype(np.float32), mask.astype(bool))


def comb(cells: int, gap: int = 0, pen: int = 2) -> Bytes:
    """A row of square cells of 60 pixels, so far apart."""
    mask = np.zeros((120, 60 + cells * (60 + gap)), np.uint8)
    for k in range(cells):
        left = 30 + k * (60 + gap)
        cv2.rectangle(mask, (left, 30), (left + 60, 90), 1, pen)
    return mask


@pytest.mark.parametrize("gap", [0, 3, 12])
def test_of_cells_with_strokes_in_them_hardly_a_pixel_is_left_and_the_strokes_are(gap: int) -> None:
    cells = comb(4, gap)
    strokes = np.zeros_like(cells)
    for k in range(4):
        left = 30 + k * (60 + gap)
        cv2.polylines(strokes, [np.array([[left + 15, 44], [left + 45, 44], [left + 25, 86]], np.int32)], False, 1, 6)
    emptied = without_cells(sure(cells | strokes), 60)
    assert emptied is not None
    assert emptied.mask[(cells > 0) & (strokes == 0)].mean() < 0.05
    assert emptied.mask[strokes > 0].mean() > 0.97
    assert len(emptied.cells) >= 4


def test_sides_too_faint_to_be_sure_are_seen_and_what_is_left_of_them_goes() -> None:
    cells = comb(3)
    strokes = np.zeros_like(cells)
    cv2.line(strokes, (60, 42), (60, 80), 1, 6)
    patchy = np.random.default_rng(1).random(cells.shape) < 0.4
    ink = Ink(np.maximum(0.4 * cells, strokes).astype(np.float32), ((cells > 0) & patchy) | (strokes > 0))
    emptied = without_cells(ink, 60)
    assert emptied is not None
    assert emptied.mask[(cells > 0) & (strokes == 0)].mean() < 0.05


def test_empty_boxes_and_strokes_that_end_at_others_are_no_cells() -> None:
    assert without_cells(sure(comb(1)), 60) is None
    digits = np.zeros((120, 400), np.uint8)
    cv2.polylines(digits, [np.array([[40, 30], [30, 70], [80, 70]], np.int32)], False, 1, 5)  # a 4
    cv2.line(digits, (65, 40), (65, 95), 1, 5)
    cv2.ellipse(digits, (150, 60), (22, 32), 0, 0, 360, 1, 5)
    cv2.line(digits, (230, 30), (230, 92), 1, 5)
    cv2.line(digits, (250, 30), (290, 30), 1, 5)
    cv2.line(digits, (290, 30), (265, 92), 1, 5)
    assert without_cells(sure(digits), 60) is None


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
def test_a_number_written_into_the_cells_of_a_form_is_read(
    layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    form = np.full((400, 700), 0.85, np.float32)
    for k, digit in enumerate("27035"):
        left = 60 + 70 * k
        cv2.rectangle(form, (left, 120), (left + 70, 200), 0.3, 2)
        form[128:192, left + 3 : left + 67] *= (
            0.2 + 0.8 * np.asarray(draw(digit, side=64, scale=0.64, pen=5), np.float32) / 255
        )
    form += np.random.default_rng(2).normal(0, 0.01, form.shape).astype(np.float32)
    assert reader.read(np.clip(form, 0, 1), layout).text == "27035"
