"""Salt-and-pepper noise goes, and nothing else does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Reader
from lenet5.learning.data import ImageSet, load
from lenet5.reading.impulses import without_impulses

Levels = NDArray[np.float32]


def sprinkled(grey: Levels, share: float) -> Levels:
    """Salt and pepper on so many of the pixels."""
    drawn = np.random.default_rng(3).random(grey.shape)
    return np.where(drawn < share / 2, 0, np.where(drawn < share, 1, grey)).astype(np.float32)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("ink", [0.2, 1.0])
def test_salt_and_pepper_go_with_the_specks_that_they_make_and_strokes_stay(share: float, ink: float) -> None:
    clean = np.full((240, 320), 0.85 if ink < 0.5 else 0.3, np.float32)
    cv2.ellipse(clean, (160, 120), (60, 90), 0, 0, 360, ink, 7)
    cleaned = without_impulses(sprinkled(clean, share))
    assert (np.abs(cleaned - clean) > 0.2).mean() < 0.02
    assert (np.abs(sprinkled(clean, share) - clean) > 0.1).mean() > 0.8 * share
    differs = (np.abs(cleaned - clean[0, 0]) > 0.2).astype(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(differs, connectivity=8)
    areas = sorted(statistics[1:, cv2.CC_STAT_AREA])
    assert areas[-1] > 0.9 * cv2.countNonZero((clean != clean[0, 0]).astype(np.uint8))
    assert len(areas) <= 2  # by chance one speck may be larger than all those of the field


def test_dots_stay_that_are_larger_than_the_specks_of_the_noise() -> None:
    clean = np.full((200, 300), 0.9, np.float32)
    for column in range(20, 300, 40):
        cv2.circle(clean, (column, 100), 3, 0.1, -1)
    cleaned = without_impulses(sprinkled(clean, 0.1))
    assert (cleaned[100, 20:300:40] < 0.3).all()
    assert (without_impulses(sprinkled(clean, 0.3))[100, 20:300:40] > 0.7).any()  # here no one can tell them apart


def test_hairlines_and_pictures_without_noise_are_left_as_they_are() -> None:
    clean = np.full((120, 160), 0.85, np.float32)
    for row in range(10, 110, 10):
        cv2.line(clean, (5, row), (150, row + 7), 0.1, 1)
    assert without_impulses(clean) is clean


@pytest.mark.parametrize("side", [28, 20, 14, 10, 8])
def test_small_digits_are_no_noise(side: int) -> None:
    found = load("digits", "test")
    assert isinstance(found, ImageSet)
    for image in found.images[:100]:
        grey = 1 - cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        assert without_impulses(grey) is grey


def test_small_print_is_no_noise() -> None:
    page = np.full((300, 600), 255, np.uint8)
    for row in range(20, 290, 14):
        cv2.putText(page, "0123456789 31415926 2718", (8, row), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 0, 1, cv2.LINE_AA)
    grey = page.astype(np.float32) / np.float32(255)
    assert without_impulses(grey) is grey


def dithered(level: float) -> Levels:
    """Digits on grey paper in black and white, its grey made of dots by Pillow's error diffusion."""
    page = np.full((60, 200), round(255 * level), np.uint8)
    cv2.putText(page, "37475", (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 4)
    return np.asarray(Image.fromarray(page).convert("1").convert("L"), np.float32) / np.float32(255)


@pytest.mark.parametrize("level", [0.2, 0.55, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
def test_dots_of_dither_are_no_specks_of_chance(level: float) -> None:
    page = dithered(level)
    strokes = np.abs(without_impulses(page)[dithered(1) == 0])
    assert strokes.mean() < 0.1  # the digits stay


@pytest.mark.parametrize("layout", ["digit", "line", "page"])
@pytest.mark.parametrize("step", [2, 3])
def test_a_picture_of_a_grid_of_dots_is_read_or_refused(step: int, layout: str, reader: Reader) -> None:
    page = np.ones((60, 120), np.float32)
    page[::2, ::step] = 0
    for levels in (page, 1 - page, sprinkled(page, 0.5), sprinkled(np.ones_like(page), 0.9)):
        assert 0 <= reader.read(levels, layout).confidence <= 1
