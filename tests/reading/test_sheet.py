"""What lies around a sheet of paper becomes paper; pictures without a sheet stay as they are."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.sheet import without_ground

Floats = NDArray[np.float32]


def on_ground(angle: float, ground: float = 0.25) -> Floats:
    """A light sheet with a stroke on it, turned by so many degrees, on darker ground of 300×400."""
    grey = np.full((300, 400), 0.85, np.float32)
    cv2.line(grey, (180, 100), (220, 200), 0.2, 8)
    turn = cv2.getRotationMatrix2D((200, 150), angle, 0.7)
    sheet = cv2.warpAffine(np.ones_like(grey), turn, (400, 300))
    return np.asarray(cv2.warpAffine(grey, turn, (400, 300)) * sheet + ground * (1 - sheet), np.float32)


@pytest.mark.parametrize("angle", [-12, 0, 7])
def test_around_a_sheet_there_is_only_paper_and_strokes_stay(angle: float) -> None:
    grey = on_ground(angle)
    clean = without_ground(grey)
    stroke = slice(100, 200), slice(160, 240)
    assert np.array_equal(clean[stroke], grey[stroke])
    assert clean[grey > 0.5].min() > 0.5
    clean[stroke] = 0.85
    assert clean.min() > 0.75


@pytest.mark.parametrize("size", [(80, 80), (300, 400)], ids=["small", "large"])
def test_without_ground_a_picture_is_as_it_is(size: tuple[int, int]) -> None:
    grey = np.full(size, 0.8, np.float32)
    grey[size[0] // 3 : size[0] // 2, size[1] // 3 : size[1] // 2] = 0.2
    assert without_ground(grey) is grey


@pytest.mark.parametrize("breadth", [20, 40, 60])
def test_a_bold_light_stroke_is_no_sheet(breadth: int) -> None:
    grey = np.full((300, 200), 0.1, np.float32)
    cv2.line(grey, (100, 40), (100, 260), 0.9, breadth)
    assert without_ground(grey) is grey


def test_a_zero_in_chalk_and_a_sheet_half_in_shadow_are_no_sheets_on_a_ground() -> None:
    chalk = np.full((300, 300), 0.15, np.float32)
    cv2.ellipse(chalk, (150, 150), (90, 130), 0, 0, 360, 0.9, 30)
    shadow = np.full((300, 400), 0.9, np.float32)
    cv2.fillPoly(shadow, [np.array([[0, 0], [250, 0], [120, 300], [0, 300]], np.int32)], 0.45)
    for grey in (chalk, shadow):
        assert without_ground(grey) is grey
