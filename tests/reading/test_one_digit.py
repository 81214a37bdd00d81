"""One digit on whatever paper and wherever it stands is read, and its box holds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lenet5 import Box, Reader
from lenet5.learning.data import ImageSet
from tests.reading.test_reader import only

Levels = NDArray[np.float32]

DIGITS = "0123456789"


def ruled(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = grey.copy()
    for row in range(35, 400, 70):
        grey[row : row + 2] *= 0.75
    return grey


def squared(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = ruled(grey)
    for column in range(20, 500, 70):
        grey[:, column : column + 2] *= 0.75
    return grey


def shaded(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    return np.asarray(grey * np.where(x + y / 3 > 420, 0.6, 1), np.float32)


def framed(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    grey = grey.copy()
    cv2.rectangle(grey, (70, 40), (350, 340), 0.3, 3)
    return grey


def on_a_table(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    turn = cv2.getRotationMatrix2D((250, 200), 6, 0.75)
    size = grey.shape[::-1]
    sheet = cv2.warpAffine(np.ones_like(grey), turn, size)
    return np.asarray(cv2.warpAffine(grey, turn, size) * sheet + 0.25 * (1 - sheet), np.float32)


def finely_squared(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    lines = ((y + x // 40) % 25 < 2) | ((x - y // 40) % 25 < 2)
    return np.asarray(grey * np.where(lines, 0.8, 1), np.float32)


def captioned(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    word = cv2.putText(np.zeros(grey.shape, np.uint8), "Room", (150, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 3)
    return np.asarray(grey * (1 - 0.8 * (word > 0)), np.float32)


PAPERS = (ruled, squared, finely_squared, framed, on_a_table, shaded, captioned)


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.__name__)
@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_one_digit_in_a_photo_is_read_whatever_it_is_written_on(
    paper: Callable[[Levels], Levels], layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    answers = []
    for digit in DIGITS:
        drawn = np.full((400, 500), 0.85, np.float32)
        drawn[60:320, 90:350] *= 0.2 + 0.8 * np.asarray(draw(digit, side=260, scale=2.5, pen=14), np.float32) / 255
        drawn += np.random.default_rng(2).normal(0, 0.01, drawn.shape).astype(np.float32)
        answers.append(reader.read(np.clip(paper(drawn), 0, 1), layout).text)
    fewest = 5 if paper is captioned else 8  # a letter just above the digit may be taken for a part of it
    assert sum(answer == digit for answer, digit in zip(answers, DIGITS, strict=True)) >= fewest, answers


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
@pytest.mark.parametrize("text", ["12", "2013", "7410123"])
def test_ones_of_a_line_cropped_to_its_ink_are_read(
    text: str, layout: str, write: Callable[..., Image.Image], reader: Reader
) -> None:
    line = write(text, pen=4)
    box = ImageOps.invert(line).getbbox()
    assert box is not None
    cropped = ImageOps.expand(line.crop(box), 3, 255).resize(
        [2 * (side + 6) for side in (box[2] - box[0], box[3] - box[1])]
    )
    assert reader.read(cropped, layout).text == text


def test_a_digit_in_a_cell_of_which_one_side_is_seen_is_read(draw: Callable[..., Image.Image], reader: Reader) -> None:
    cell = np.full((64, 64), 0.8, np.float32)
    cell[6:58, 8:60] *= 0.15 + 0.85 * np.asarray(draw("8", side=52, scale=0.5, pen=4), np.float32) / 255
    cell[:7] = 0.1
    assert [reader.read(cell, layout).text for layout in ("digit", "auto")] == ["8", "8"]


def test_a_number_in_a_tiny_picture_is_no_refused_digit(write: Callable[..., Image.Image], reader: Reader) -> None:
    number = write("73")
    box = ImageOps.invert(number).getbbox()
    assert box is not None
    tiny = ImageOps.expand(number.crop(box), 20, 255).resize((60, 44), Image.Resampling.BOX)
    assert reader.read(tiny).text == "73"
    assert len(reader.read(tiny, "digit").digits) == 1


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
def test_ones_between_two_printed_lines_are_read(
    layout: str, write: Callable[..., Image.Image], reader: Reader
) -> None:
    number = write("1213141", pen=7)
    box = ImageOps.invert(number).getbbox()
    assert box is not None
    strip = np.pad(np.asarray(number.crop(box).resize((820, 96))), ((12, 12), (40, 40)), constant_values=255).copy()
    strip[2:5] = strip[-5:-2] = 60
    assert reader.read(strip, layout).text == "1213141"


# --- where a digit is, whatever lies beside it ---


def small(draw: Callable[..., Image.Image], digit: str) -> tuple[NDArray[np.uint8], Box]:
    """A drawn digit in the middle of 140×140 pixels, and its box."""
    image = draw(digit, side=140, place=(30, 30), scale=0.8, pen=6)
    box = ImageOps.invert(image).getbbox()
    assert box is not None
    return np.array(image, np.uint8), Box(*box)


def assert_found(
    reader: Reader, pictures: Sequence[tuple[NDArray[np.uint8], Box]], layout: str, fewest: int = 9, slack: int = 3
) -> None:
    """Of pictures of the ten digits, so many at least are read, with the box where the digit is."""
    answers = []
    for picture, box in pictures:
        digits = reader.read(picture, layout).digits
        near = len(digits) == 1 and np.abs(np.subtract(digits[0].box.to_json(), box.to_json())).max() <= slack
        answers.append(digits[0].label if near else "-")
    assert sum(answer == digit for answer, digit in zip(answers, DIGITS, strict=True)) >= fewest, answers


@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize(
    ("line", "inset"), [(1, 0), (3, 0), (8, 0), (2, 8), (4, 10)], ids=lambda length: f"{length} pixels"
)
def test_a_frame_round_the_digit_is_left_out_of_its_box(
    line: int, inset: int, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    pictures = []
    for digit in DIGITS:
        grey, box = small(draw, digit)
        framed = np.pad(grey[inset + line : 140 - inset - line, inset + line : 140 - inset - line], line)
        pictures.append((np.pad(framed, inset, constant_values=255), box))
    assert_found(reader, pictures, layout)


@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_a_speck_far_away_is_left_out_of_the_box(layout: str, draw: Callable[..., Image.Image], reader: Reader) -> None:
    pictures = [small(draw, digit) for digit in DIGITS]
    for grey, _ in pictures:
        grey[130:133, 130:133] = 0
    assert_found(reader, pictures, layout)


@pytest.mark.parametrize("layout", ["digit", "auto"])
def test_a_digit_that_touches_the_edge_is_still_the_digit(
    layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    pictures = []
    for digit in DIGITS:
        grey, box = small(draw, digit)
        pictures.append((grey[box.top :], Box(box.left, 0, box.right, box.bottom - box.top)))
    assert_found(reader, pictures, layout)


def test_a_gap_in_a_dry_stroke_does_not_part_the_digit(draw: Callable[..., Image.Image], reader: Reader) -> None:
    pictures = [small(draw, digit) for digit in DIGITS]
    for grey, _ in pictures:
        grey[68:70] = 255
    assert_found(reader, pictures, "digit", fewest=8)


@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("pen", [8, 14])
def test_chalk_on_a_board_is_the_digit_and_not_what_is_around_it(
    pen: int, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    pictures = []
    for digit in DIGITS:
        image = draw(digit, side=200, place=(30, 30), scale=1.4, pen=pen)
        box = ImageOps.invert(image).getbbox()
        assert box is not None
        pictures.append(((25 + 0.8 * (255 - np.asarray(image, np.float32))).astype(np.uint8), Box(*box)))
    assert_found(reader, pictures, layout)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("height", [0.03, 0.05, 0.1])
def test_a_digit_small_in_a_large_photo_is_read(
    height: float, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    answers, side = [], 1600
    for digit in DIGITS:
        ink = np.asarray(draw(digit, side=round(side * height * 1.3), scale=height * side / 80), np.float32) / 255
        photo = np.full((side * 3 // 4, side), 0.85, np.float32)
        photo[200 : 200 + len(ink), 900 : 900 + len(ink)] *= 0.15 + 0.85 * ink
        photo += np.random.default_rng(3).normal(0, 0.01, photo.shape).astype(np.float32)
        answers.append(reader.read(np.clip(photo, 0, 1), layout).text)
    assert sum(answer == digit for answer, digit in zip(answers, DIGITS, strict=True)) >= 8, answers


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["digit", "auto"])
@pytest.mark.parametrize("shade", [0.8, 0.7, 0.6, 0.5])
def test_a_shadow_cast_over_the_digit_is_not_read(
    shade: float, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    y, x = np.mgrid[:400, :400]
    answers = []
    for blur in (1, 8, 20):
        edge = np.clip((0.9 * x + 0.44 * y - 260) / (blur / 4 + 0.1), -50, 50)
        light = shade + (1 - shade) / (1 + np.exp(-edge))
        for digit in DIGITS:
            paper = np.asarray(draw(digit, side=400, place=(100, 80), scale=2.2, pen=16), np.float32) / 255 * 0.7 + 0.15
            answers.append(reader.read((paper * light).astype(np.float32), layout).text)
    assert sum(answer == digit for answer, digit in zip(answers, 3 * DIGITS, strict=True)) >= 24, answers


def cropped_to_its_ink(drawn: Image.Image, side: int) -> NDArray[np.uint8]:
    """A digit drawn in black as a square of ``side`` pixels, ink 255 to its borders, as coarse as 16 pixels are."""
    ink = 255 - np.asarray(drawn)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    coarse = np.where(cv2.resize(crop, (16, 16), interpolation=cv2.INTER_AREA) > 90, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


@pytest.mark.slow
@pytest.mark.parametrize("dark", [True, False], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize(("layout", "share"), [("digit", 0.9), ("auto", 0.6)])
def test_digits_cropped_to_their_ink_are_read_at_any_size(
    layout: str, share: float, dark: bool, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    digits = "023456789"  # a 1 made square is a blot
    pictures = [cropped_to_its_ink(draw(digit), side) for side in (16, 64, 192) for digit in digits]
    answers = [reader.read(255 - picture if dark else picture, layout).text for picture in pictures]
    assert np.mean([a == digit for a, digit in zip(answers, 3 * digits, strict=True)]) >= share, answers


def in_cells(images: NDArray[np.uint8]) -> list[Levels]:
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
        pictures.append(np.asarray(cell * (1 - ink * generator.uniform(0.6, 1)), np.float32))
    return pictures


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "share"), [("digit", 0.85), ("auto", 0.75)])
def test_handwriting_in_printed_cells_is_read(layout: str, share: float, reader: Reader, embedded: ImageSet) -> None:
    right = reader.classify(embedded.images)[0] == embedded.labels
    images, labels = embedded.images[right][:120], embedded.labels[right][:120]
    read = [
        reader.read(picture, layout).text == str(label) for picture, label in zip(in_cells(images), labels, strict=True)
    ]
    assert np.mean(read) > share


@pytest.mark.parametrize("column", [6, 8])
def test_a_lone_upright_stroke_from_top_to_bottom_of_a_small_picture_is_the_digit(column: int, reader: Reader) -> None:
    strip = np.zeros((16, 16), np.float32)
    strip[:, column] = 1
    digit = only(reader.read(strip, "digit"))
    assert digit.label == "1"
    assert np.abs(np.subtract(digit.box.to_json(), (column, 0, column + 1, 16))).max() <= 1
