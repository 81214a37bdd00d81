"""Lines of writing are found in reading order, where they are, and read."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5 import Reader
from lenet5.learning.data import ImageSet, load
from lenet5.reading.lines import find_lines

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load("digits", "test")
    assert isinstance(found, ImageSet)
    return found


def written(digits: ImageSet, rows: list[list[int]], scale: int = 2) -> tuple[Floats, list[str]]:
    """Embedded digits by number, dark on grey paper, and the text of each row."""
    side = 28 * scale
    page = np.full((len(rows) * 2 * side, max(map(len, rows)) * side + 2 * side), 0.85, np.float32)
    for r, row in enumerate(rows):
        for c, k in enumerate(row):
            large = cv2.resize(digits.images[k], (side, side), interpolation=cv2.INTER_CUBIC)
            top, left = side // 2 + r * 2 * side, side + c * side
            page[top : top + side, left : left + side] -= 0.7 * large.astype(np.float32) / 255
    page += np.random.default_rng(3).normal(0, 0.01, page.shape).astype(np.float32)
    return np.clip(page, 0, 1), ["".join(str(digits.labels[k]) for k in row) for row in rows]


def test_two_rows_are_two_lines_from_top_to_bottom(digits: ImageSet) -> None:
    page, _ = written(digits, [[0, 1, 2, 3], [4, 5, 6, 7]])
    lines = find_lines(page)
    assert len(lines) == 2
    assert lines[0].top < lines[1].top
    for line in lines:
        assert line.level.max() <= 1
        assert 32 < line.height < 46  # MNIST's digits are up to 20 pixels tall, here twice as large


def test_blank_paper_has_no_lines() -> None:
    assert find_lines(np.full((300, 400), 0.8, np.float32)) == []


def test_rows_of_digits_are_read_with_a_box_around_each(digits: ImageSet) -> None:
    page, texts = written(digits, [list(range(8)), list(range(8, 16))])
    reading = Reader().read(page, layout="page")
    right = sum(a == b for a, b in zip("".join(texts), reading.text.replace("\n", ""), strict=False))
    assert [len(line) for line in reading.lines] == [8, 8]
    assert right >= 15
    for line in reading.lines:
        assert all(a.box.left < b.box.left for a, b in pairwise(line))
        for mark in line:
            assert page[mark.box.top : mark.box.bottom, mark.box.left : mark.box.right].min() < 0.5
    assert 0 < reading.confidence <= 1


def test_a_strip_is_read_alike_in_layouts_line_and_auto(digits: ImageSet) -> None:
    strip, (text,) = written(digits, [[20, 21, 22, 23, 24]])
    strip = strip[20:-20]
    reader = Reader()
    assert reader.read(strip, layout="line").text == reader.read(strip).text
    assert len(reader.read(strip).text) == len(text)


def test_a_digit_less_sure_than_asked_for_becomes_a_question_mark(digits: ImageSet) -> None:
    page, texts = written(digits, [[0, 1, 2, 3, 4]])
    reading = Reader().read(page, layout="line", min_confidence=1.0)
    assert reading.text == "?" * len(texts[0])
    assert all(digit.alternatives for digit in reading.digits)


def test_marks_lie_where_a_sloping_line_has_them(digits: ImageSet) -> None:
    page, _ = written(digits, [[0, 1, 2, 3, 4, 5]])
    slope = 0.08
    matrix = np.array([[1, 0, 0], [slope, 1, 0]])
    sloping = cv2.warpAffine(page, matrix, (page.shape[1], page.shape[0] + 40), borderValue=0.85)
    level, sloped = (Reader().read(p, layout="line").digits for p in (page, sloping))
    assert len(level) == len(sloped)
    for a, b in zip(level, sloped, strict=True):
        middle = (a.box.left + a.box.right) / 2
        assert abs((b.box.top + b.box.bottom) / 2 - (a.box.top + a.box.bottom) / 2 - slope * middle) < 6


@pytest.mark.parametrize("lower", range(0, 40, 5))
def test_what_stands_on_one_row_is_read_from_left_to_right_wherever_the_row_is(lower: int) -> None:
    page = np.full((400, 1200), 0.9, np.float32)
    for left, shift in ((100, 6), (900, 0)):  # too far apart to be one line, and not at quite the same height
        for k in range(3):
            cv2.ellipse(page, (left + 60 * k, 100 + lower + shift), (18, 27), 0, 0, 360, 0.1, 6)
    for k in range(3):
        cv2.ellipse(page, (40 + 60 * k, 200 + lower), (18, 27), 0, 0, 360, 0.1, 6)
    lines = find_lines(page)
    assert [round(line.left / 50) for line in lines] == [round(x / 50) for x in (76, 876, 16)]


def test_stains_make_no_line_and_a_stain_beside_digits_takes_none_away(digits: ImageSet) -> None:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = 22 + 4 * np.random.default_rng(1).standard_normal(24)

    def stained(page: NDArray[np.float32], x: float, y: float) -> NDArray[np.float32]:
        rim = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], axis=1)
        return np.asarray(cv2.fillPoly(page.copy(), [np.round(rim).astype(np.int32)], 0.2))

    blank = np.full((300, 500), 0.85, np.float32)
    assert find_lines(stained(stained(blank, 120, 140), 220, 160)) == []
    page, texts = written(digits, [[0, 1, 2, 3, 4]])
    beside = stained(page, page.shape[1] - 25, page.shape[0] - 30)
    assert find_lines(beside)[0].height == find_lines(page)[0].height
    assert Reader().read(beside, layout="page").text == Reader().read(page, layout="page").text == texts[0]


def test_a_shadow_across_a_sheet_is_no_line() -> None:
    grey = np.full((270, 1000), 0.75, np.float32)
    cv2.fillPoly(grey, [np.array([[0, 70], [350, 60], [1000, 180], [0, 150]], np.int32)], 0.55)
    assert find_lines(cv2.GaussianBlur(grey, (0, 0), 9)) == []
