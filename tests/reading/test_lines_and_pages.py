"""Lines, pages and forms: what stands there is read in order, and words and stains are no numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lenet5 import Reader
from lenet5.learning.data import ImageSet

Levels = NDArray[np.float32]


def page_of(digits: ImageSet, numbers: list[list[int]], scale: int = 2) -> tuple[Levels, list[str]]:
    """Embedded digits by number, dark on grey paper, and the text of each row."""
    side = 28 * scale
    page = np.full((len(numbers) * 2 * side, max(map(len, numbers)) * side + 2 * side), 0.85, np.float32)
    for r, row in enumerate(numbers):
        for c, k in enumerate(row):
            large = cv2.resize(digits.images[k], (side, side), interpolation=cv2.INTER_CUBIC)
            top, left = side // 2 + r * 2 * side, side + c * side
            page[top : top + side, left : left + side] -= 0.7 * large.astype(np.float32) / 255
    page += np.random.default_rng(3).normal(0, 0.01, page.shape).astype(np.float32)
    return np.clip(page, 0, 1), ["".join(str(digits.labels[k]) for k in row) for row in numbers]


@pytest.mark.parametrize("layout", ["page", "auto"])
def test_rows_of_digits_are_read_with_a_box_around_each(layout: str, reader: Reader, embedded: ImageSet) -> None:
    page, texts = page_of(embedded, [list(range(8)), list(range(8, 16))])
    reading = reader.read(page, layout)
    right = sum(a == b for a, b in zip("".join(texts), reading.text.replace("\n", ""), strict=False))
    assert [len(line) for line in reading.lines] == [8, 8]
    assert right >= 15
    for line in reading.lines:
        assert all(a.box.left < b.box.left for a, b in pairwise(line))
        for mark in line:
            assert 32 < mark.box.bottom - mark.box.top < 46  # MNIST's digits are up to 20 pixels tall, here 40
            assert page[mark.box.top : mark.box.bottom, mark.box.left : mark.box.right].min() < 0.5
    assert 0.5 < reading.confidence <= 1


def test_layout_line_reads_one_of_two_rows_and_only_it(reader: Reader, embedded: ImageSet) -> None:
    page, texts = page_of(embedded, [[0, 1, 2], [4, 5, 6, 7, 8, 9]])
    reading = reader.read(page, "line")
    assert len(reading.lines) == 1
    assert len(reading.text) == len(texts[1])


def test_a_strip_is_read_alike_in_every_layout_but_digit(reader: Reader, embedded: ImageSet) -> None:
    strip, (text,) = page_of(embedded, [[20, 21, 22, 23, 24]])
    (answer,) = {reader.read(strip[20:-20], layout).text for layout in ("line", "page", "auto")}
    assert len(answer) == len(text)
    assert sum(a == b for a, b in zip(answer, text, strict=True)) >= 4


def test_digits_of_a_line_less_sure_than_asked_for_become_question_marks(reader: Reader, embedded: ImageSet) -> None:
    page, _ = page_of(embedded, [list(range(8))])
    plain, refused = reader.read(page, "line"), reader.read(page, "line", min_confidence=0.9999999)
    assert refused.text == "".join("?" if digit.confidence < 0.9999999 else digit.label for digit in plain.digits)
    assert "?" in refused.text
    for before, after in zip(plain.digits, refused.digits, strict=True):
        assert after.label == before.label or after.alternatives[0] == (before.label, before.confidence)


@pytest.mark.parametrize("layout", ["line", "auto"])
def test_marks_lie_where_a_sloping_line_has_them(layout: str, reader: Reader, embedded: ImageSet) -> None:
    page, _ = page_of(embedded, [[0, 1, 2, 3, 4, 5]])
    slope = 0.08
    matrix = np.array([[1, 0, 0], [slope, 1, 0]])
    sloping = cv2.warpAffine(page, matrix, (page.shape[1], page.shape[0] + 40), borderValue=0.85)
    level, sloped = (reader.read(np.asarray(p), layout).digits for p in (page, sloping))
    assert len(level) == len(sloped) == 6
    for a, b in zip(level, sloped, strict=True):
        middle = (a.box.left + a.box.right) / 2
        assert abs((b.box.top + b.box.bottom) / 2 - (a.box.top + a.box.bottom) / 2 - slope * middle) < 6


@pytest.mark.parametrize("lower", range(0, 40, 10))
def test_what_stands_on_one_row_is_read_from_left_to_right_wherever_the_row_is(
    lower: int, reader: Reader, draw: Callable[..., Image.Image]
) -> None:
    page = np.full((400, 1200), 255, np.uint8)

    def put(digit: str, left: int, top: int) -> None:
        part = page[top : top + 70, left : left + 70]
        np.minimum(part, np.asarray(draw(digit, side=70, scale=0.7, pen=6)), out=part)

    for k in range(3):
        put("3", 100 + 60 * k, 66 + lower)  # too far apart to be one line, and not at quite the same height
        put("5", 900 + 60 * k, 60 + lower)
        put("8", 40 + 60 * k, 160 + lower)
    assert reader.read(page, "page").text == "333\n555\n888"
    assert reader.read(page[: 150 + lower], "line").text == "333555"


def stained(page: Levels, x: float, y: float) -> Levels:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = 22 + 4 * np.random.default_rng(1).standard_normal(24)
    rim = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], axis=1)
    return np.asarray(cv2.fillPoly(page.copy(), [np.round(rim).astype(np.int32)], 0.2), np.float32)


def test_stains_are_no_digits(reader: Reader) -> None:
    blank = np.full((300, 500), 0.85, np.float32)
    assert reader.read(stained(stained(blank, 120, 140), 220, 160)).text == ""


def test_a_stain_beside_digits_takes_none_away(reader: Reader, embedded: ImageSet) -> None:
    page, (text,) = page_of(embedded, [[0, 1, 2, 3, 4]])
    beside = stained(page, page.shape[1] - 25, page.shape[0] - 30)
    assert reader.read(page, "page").text == text
    assert text in reader.read(beside, "page").text.split("\n")


def test_a_shadow_across_a_sheet_is_no_line(reader: Reader) -> None:
    across, corner = np.full((270, 1000), 0.75, np.float32), np.full((300, 400), 0.9, np.float32)
    cv2.fillPoly(across, [np.array([[0, 70], [350, 60], [1000, 180], [0, 150]], np.int32)], 0.55)
    cv2.fillPoly(corner, [np.array([[0, 0], [250, 0], [120, 300], [0, 300]], np.int32)], 0.45)
    for grey in (np.asarray(cv2.GaussianBlur(across, (0, 0), 9)), corner):
        assert reader.read(grey).text == ""


def test_a_line_of_specks_alone_has_no_digits(reader: Reader) -> None:
    specks = np.ones((60, 200), np.float32)
    specks[40:43, 20::40] = specks[40:43, 21::40] = specks[40:43, 22::40] = 0
    for layout in ("line", "auto"):
        assert reader.read(specks, layout).text == ""


@pytest.mark.parametrize("layout", ["auto", "line", "page"])
@pytest.mark.parametrize("text", ["27035", "384962"])
def test_a_number_written_into_the_cells_of_a_form_is_read(
    text: str, layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    form = np.full((400, 700), 0.85, np.float32)
    for k, digit in enumerate(text):
        left = 60 + 70 * k
        cv2.rectangle(form, (left, 120), (left + 70, 200), 0.3, 2)
        form[128:192, left + 3 : left + 67] *= (
            0.2 + 0.8 * np.asarray(draw(digit, side=64, scale=0.64, pen=5), np.float32) / 255
        )
    form += np.random.default_rng(2).normal(0, 0.01, form.shape).astype(np.float32)
    assert reader.read(np.clip(form, 0, 1), layout).text == text


WORDS = (
    "The quick brown fox jumps over the lazy dog",
    "received with thanks from the bearer",
    "amount payable to signature",
    "Hello World silly solo bottle ISO Boss",
)


def printed(lines: Sequence[str], size: int) -> Image.Image:
    """Lines of print, black on white."""
    image = Image.new("L", (30 * size, 60 + 2 * size * len(lines)), 255)
    for k, text in enumerate(lines):
        ImageDraw.Draw(image).text((30, 30 + 2 * k * size), text, 0, font=ImageFont.load_default(size=size))
    return image


@pytest.mark.parametrize("size", [14, 22, 34])
@pytest.mark.parametrize("layout", ["auto", "page"])
def test_a_page_of_words_has_no_numbers(layout: str, size: int, reader: Reader) -> None:
    assert reader.read(printed(WORDS * 2, size), layout).text == ""


@pytest.mark.parametrize("layout", ["auto", "page"])
def test_a_form_with_a_label_before_each_number_keeps_its_numbers(
    layout: str, draw: Callable[..., Image.Image], reader: Reader
) -> None:
    numbers = ["2738", "491", "56587", "293"]
    form = np.full((60 + 150 * len(numbers), 900), 255, np.uint8)
    for k, (label, number) in enumerate(zip(("Account:", "Branch:", "Amount:", "Room:"), numbers, strict=True)):
        form[150 * k + 30 : 150 * k + 120, :280] = np.asarray(printed([label], 30))[20:110, :280]
        for c, digit in enumerate(number):
            part = form[150 * k + 40 : 150 * k + 110, 300 + 50 * c : 370 + 50 * c]
            np.minimum(part, np.asarray(draw(digit, side=70, scale=0.7, pen=6)), out=part)
    assert reader.read(form, layout).text == "\n".join(numbers)


def test_numbers_larger_than_the_print_around_them_are_read(reader: Reader, write: Callable[..., Image.Image]) -> None:
    print_above, number = printed(WORDS, 16), write("36582", pitch=45)
    page = Image.new("L", (480, print_above.height + number.height), 255)
    page.paste(print_above, (0, 0))
    page.paste(number, (40, print_above.height))
    assert reader.read(page).text == "36582"
