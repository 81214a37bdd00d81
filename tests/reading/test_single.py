"""Layout digit: where the digit is, whatever lies beside it, in any light and at any size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Reader
from lenet5.answer import Box
from lenet5.learning.data import ImageSet, load
from lenet5.reading.single import Candidate, fills, find_digit, is_boxed
from tests.reading.test_ink import BLANK


def page(*boxes: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """White paper of 100×100 with full ink in these boxes (left, top, right, bottom)."""
    grey = np.ones((100, 100), np.float32)
    for left, top, right, bottom in boxes:
        grey[top:bottom, left:right] = 0
    return grey


def found(*boxes: tuple[int, int, int, int]) -> Candidate:
    candidate = find_digit(page(*boxes))
    assert candidate is not None
    return candidate


@pytest.mark.parametrize("grey", BLANK.values(), ids=BLANK.keys())
def test_a_blank_picture_has_no_digit(grey: NDArray[np.float32]) -> None:
    assert find_digit(grey.astype(np.float32)) is None


def test_the_crop_ends_where_the_ink_ends() -> None:
    candidate = found((30, 20, 45, 80))
    assert candidate.box == Box(30, 20, 45, 80)
    assert candidate.ink.shape == (60, 15)
    assert candidate.ink.min() > 0.99


def test_a_speck_far_away_is_left_out() -> None:
    assert found((30, 20, 45, 80), (90, 90, 92, 92)).box == Box(30, 20, 45, 80)


def test_a_stroke_that_the_pen_lifted_for_belongs_to_the_digit() -> None:
    assert found((30, 30, 40, 80), (48, 22, 75, 32)).box == Box(30, 22, 75, 80)


def test_a_gap_in_a_dry_stroke_does_not_part_it() -> None:
    assert found((30, 20, 40, 49), (30, 51, 40, 80)).box == Box(30, 20, 40, 80)


def test_a_border_round_the_picture_is_left_out() -> None:
    frame = [(0, 0, 100, 3), (0, 97, 100, 100), (0, 0, 3, 100), (97, 0, 100, 100)]
    assert found((40, 25, 55, 75), *frame).box == Box(40, 25, 55, 75)


def test_a_drawn_box_round_the_digit_is_left_out() -> None:
    sides = [(10, 10, 90, 12), (10, 88, 90, 90), (10, 10, 12, 90), (88, 10, 90, 90)]
    assert found((42, 30, 52, 70), *sides).box == Box(42, 30, 52, 70)


def test_paper_within_a_thick_dark_border_is_not_the_digit() -> None:
    frame = [(0, 0, 100, 8), (0, 92, 100, 100), (0, 0, 8, 100), (92, 0, 100, 100)]
    assert found((44, 30, 52, 70), *frame).box == Box(44, 30, 52, 70)


BOX = ((6, 6, 94, 8), (6, 92, 94, 94), (6, 6, 8, 94), (92, 6, 94, 94))


@pytest.mark.parametrize(
    ("ink", "boxed"),
    [
        ([*BOX, (40, 25, 52, 75)], True),
        ([*BOX, (20, 25, 32, 75), (64, 25, 76, 75)], False),
        ([*BOX], False),
        ([(40, 25, 52, 75)], False),
    ],
    ids=["a digit in a box", "two digits in a box", "an empty box", "a digit without a box"],
)
def test_a_box_with_one_digit_in_it_is_told(ink: list[tuple[int, int, int, int]], boxed: bool) -> None:
    assert is_boxed(page(*ink)) is boxed


def in_cells(images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Images (N, 28, 28) written into printed cells of many sizes, with pen or pencil, some across the sides."""
    generator = np.random.default_rng(11)
    pictures = []
    for image in images:
        side, line = int(generator.integers(40, 110)), int(generator.integers(1, 4))
        place = int(generator.integers(0, 7))
        cell = np.full((side, side), generator.uniform(0.8, 1), np.float32)
        drawn = generator.random(4) < 0.9
        for turn in range(4):
            if drawn[turn]:
                np.rot90(cell, turn)[place : place + line] = generator.uniform(0.1, 0.6)
        size = round(side * generator.uniform(0.7, 1))
        before = (side - size) // 2
        ink = cv2.resize(image.astype(np.float32) / 255, (size, size), interpolation=cv2.INTER_AREA)
        ink = np.pad(ink, (before, side - size - before))
        pictures.append(cell * (1 - ink * generator.uniform(0.6, 1)))
    return pictures


@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_handwriting_in_printed_cells_is_read(layout: str, reader: Reader) -> None:
    known = load("digits", "test")
    assert isinstance(known, ImageSet)
    right = reader.classify(known.images)[0] == known.labels
    images, labels = known.images[right][:120], known.labels[right][:120]
    read = [
        reader.read(picture, layout).text == str(label) for picture, label in zip(in_cells(images), labels, strict=True)
    ]
    assert np.mean(read) > 0.9


def test_a_digit_that_touches_the_edge_is_still_the_digit() -> None:
    assert found((40, 0, 55, 70)).box == Box(40, 0, 55, 70)


def test_ink_of_pieces_left_out_is_not_in_the_crop() -> None:
    candidate = found((20, 10, 30, 90), (20, 80, 60, 90), (55, 20, 57, 22))
    assert candidate.box == Box(20, 10, 60, 90)
    assert candidate.ink[10:12, 35:37].max() == 0


@pytest.mark.parametrize("digit", ["2", "3", "5", "8"])
@pytest.mark.parametrize("height", [0.03, 0.05, 0.1])
def test_a_digit_small_in_a_large_photo_is_read(
    digit: str, height: float, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    side = 1600
    small = np.asarray(draw(digit, side=round(side * height * 1.3), scale=height * side / 80), np.float32) / 255
    photo = np.full((side * 3 // 4, side), 0.85, np.float32)
    photo[200 : 200 + len(small), 900 : 900 + len(small)] *= 0.15 + 0.85 * small
    photo += np.random.default_rng(3).normal(0, 0.01, photo.shape).astype(np.float32)
    assert reader.read(np.clip(photo, 0, 1), "digit").text == digit


@pytest.mark.parametrize("shade", [0.8, 0.7, 0.6, 0.5])
@pytest.mark.parametrize("blur", [1, 8, 20])
def test_a_shadow_cast_over_the_digit_is_not_read(
    shade: float, blur: float, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    digits = "23578"
    right = 0
    for digit in digits:
        paper = np.asarray(draw(digit, side=400, place=(100, 80), scale=2.2, pen=16), np.float32) / 255 * 0.7 + 0.15
        y, x = np.mgrid[:400, :400]
        edge = np.clip((0.9 * x + 0.44 * y - 260) / (blur / 4 + 0.1), -50, 50)
        light = shade + (1 - shade) / (1 + np.exp(-edge))
        right += reader.read((paper * light).astype(np.float32), "digit").text == digit
    assert right >= len(digits) - 1


def test_a_filled_shape_that_a_window_hollows_out_does_not_stand_out_as_a_zero_does() -> None:
    clear = {}
    for name, inner in (("stain", 0.45), ("zero", 0.9)):
        grey = np.full((480, 640), 0.9, np.float32)
        cv2.ellipse(grey, (320, 240), (50, 60), 0, 0, 360, 0.45, -1)
        cv2.ellipse(grey, (320, 240), (34, 44), 0, 0, 360, inner, -1)
        candidate = find_digit(cv2.GaussianBlur(grey, (0, 0), 1.5))
        assert candidate is not None
        clear[name] = candidate.clear
    assert clear["stain"] == 0
    assert clear["zero"] > 1


def cropped_to_its_ink(drawn: Image.Image, side: int) -> NDArray[np.uint8]:
    """A digit drawn in black as a square of ``side`` pixels, ink 255 to its borders, as coarse as 16 pixels are."""
    ink = 255 - np.asarray(drawn)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    coarse = np.where(cv2.resize(crop, (16, 16), interpolation=cv2.INTER_AREA) > 90, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("dark", [True, False], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("side", [16, 64, 192])
def test_digits_cropped_to_their_ink_are_read_at_any_size(
    side: int, layout: str, dark: bool, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    digits = "023456789"  # a 1 made square is a blot
    pictures = [cropped_to_its_ink(draw(digit), side) for digit in digits]
    answers = [reader.read(255 - picture if dark else picture, layout).text for picture in pictures]
    assert answers == list(digits)


@pytest.mark.parametrize("column", [6, 8])
def test_a_lone_upright_stroke_from_top_to_bottom_of_a_small_picture_is_the_digit(column: int) -> None:
    small = np.zeros((16, 16), np.float32)
    small[:, column] = 1
    candidate = find_digit(small)
    assert candidate is not None
    assert candidate.box == Box(column, 0, column + 1, 16)


def test_a_lone_stroke_at_the_side_of_a_small_picture_is_the_edge_of_a_box() -> None:
    small = np.zeros((16, 16), np.float32)
    small[:, 1] = 1
    assert find_digit(small) is None


@pytest.mark.parametrize(
    ("size", "strokes", "filled"),
    [
        ((120, 100), [((50, 0), (50, 119))], True),
        ((120, 100), [((50, 20), (50, 100))], False),
        ((120, 100), [((20, 0), (20, 119)), ((80, 0), (80, 119))], False),
        ((100, 200), [((20, 50), (180, 50)), ((100, 0), (100, 99))], False),
    ],
    ids=["from top to bottom", "with a margin", "two strokes", "wide"],
)
def test_a_picture_that_one_mark_fills_is_told(
    size: tuple[int, int], strokes: list[tuple[tuple[int, int], tuple[int, int]]], filled: bool
) -> None:
    grey = np.ones(size, np.float32)
    for start, end in strokes:
        cv2.line(grey, start, end, 0, 14)
    assert fills(grey) is filled


@pytest.mark.parametrize("breadth", [20, 40, 60])
def test_a_bold_light_stroke_on_a_dark_ground_is_the_digit(breadth: int) -> None:
    grey = np.full((300, 200), 0.1, np.float32)
    cv2.line(grey, (100, 60), (100, 240), 0.9, breadth)
    candidate = find_digit(grey)
    assert candidate is not None
    assert candidate.box.left > 50
    assert candidate.box.right < 150
