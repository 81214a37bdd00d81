"""Printed lines: boxes, cells, rules and frames go, and what is written in and across them stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lenet5.reading.straight import without_lines
from tests.conftest import STROKES

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

DIGITS = "0123456789"


def blank(high: int, wide: int) -> Bytes:
    return np.zeros((high, wide), np.uint8)


def stroked(mask: Bytes, points: list[tuple[float, float]], pen: int) -> Bytes:
    """The mask with a stroke through these points."""
    cv2.polylines(mask, [np.round(np.array(points)).astype(np.int32)], False, 1, pen)
    return mask


def written(mask: Bytes, digit: str, x: float, y: float, height: float, pen: int) -> Bytes:
    """The mask with a digit in it, its square of so many pixels at (x, y)."""
    for stroke in STROKES[digit]:
        stroked(mask, [(x + a * height / 100, y + b * height / 100) for a, b in stroke], pen)
    return mask


def box(mask: Bytes, left: int, top: int, right: int, bottom: int, line: int) -> Bytes:
    """The mask with a box whose sides are ``line`` pixels thick."""
    mask[top : top + line, left:right] = mask[bottom - line : bottom, left:right] = 1
    mask[top:bottom, left : left + line] = mask[top:bottom, right - line : right] = 1
    return mask


def parts(lines: Bytes, strokes: Bytes, height: float) -> tuple[float, float]:
    """How much stays of printed lines where no stroke is, and of the strokes."""
    kept = without_lines((lines | strokes) > 0, height)
    assert kept is not None
    alone = (lines > 0) & (strokes == 0)
    return float(kept[alone].mean()), float(kept[strokes > 0].mean()) if strokes.any() else 1.0


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_a_box_around_a_digit_goes_and_the_digit_stays(digit: str, line: int) -> None:
    lines = box(blank(140, 140), 20, 20, 120, 120, line)
    left, kept = parts(lines, written(blank(140, 140), digit, 35, 35, 70, 6), 55)
    assert left < 0.05
    assert kept > 0.98


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("gap", [0, 4, 12])
@pytest.mark.parametrize("text", ["27035", ""], ids=["written", "empty"])
def test_rows_of_cells_go_and_the_digits_in_them_stay(text: str, gap: int, line: int) -> None:
    cells = blank(120, 60 + 5 * (60 + gap))
    strokes = blank(*cells.shape)
    for k in range(5):
        left = 30 + k * (60 + gap)
        box(cells, left, 30, left + 60, 90, line)
        if text:
            written(strokes, text[k], left + 8, 38, 44, 5)
    left_over, kept = parts(cells, strokes, 40)
    assert left_over < 0.08
    assert kept > 0.98


@pytest.mark.parametrize("line", [1, 2])
def test_a_comb_goes_with_its_teeth(line: int) -> None:
    comb, strokes = blank(120, 420), blank(120, 420)
    comb[90 : 90 + line, 30:390] = 1
    for k in range(7):
        left = 30 + 60 * k - (line if k == 6 else 0)
        comb[60:90, left : left + line] = 1
        if k < 6:
            written(strokes, "270358"[k], left + 8, 34, 44, 5)
    left_over, kept = parts(comb, strokes, 40)
    assert left_over < 0.05
    assert kept > 0.98


@pytest.mark.parametrize("line", [2, 3, 4, 5, 6, 7, 8])
def test_of_a_thick_box_no_rim_is_left(line: int) -> None:
    left, kept = parts(box(blank(200, 300), 30, 30, 270, 170, line), written(blank(200, 300), "5", 90, 50, 90, 6), 70)
    assert left < 0.03
    assert kept > 0.98


@pytest.mark.parametrize("text", ["27035", "44174", "10694"])
def test_digits_as_thin_as_the_cells_around_them_stay(text: str) -> None:
    cells, strokes = blank(100, 400), blank(100, 400)
    for k, digit in enumerate(text):
        box(cells, 30 + 60 * k, 20, 32 + 60 * (k + 1), 80, 3)
        written(strokes, digit, 42 + 60 * k, 32, 36, 3)
    left_over, kept = parts(cells, strokes, 12)  # as tall as print on the same page
    assert left_over < 0.05
    assert kept > 0.97


def test_stems_that_stand_on_a_rule_here_and_there_are_no_teeth() -> None:
    rule, stems = blank(120, 500), blank(120, 500)
    rule[90:92, 20:480] = 1
    for left in (40, 75, 150, 260, 390):
        stems[50:90, left : left + 4] = 1
    left_over, kept = parts(rule, stems, 40)
    assert left_over < 0.05
    assert kept > 0.98


@pytest.mark.parametrize("turned", [False, True])
def test_a_side_of_a_cell_that_a_bold_digit_covers_in_part_goes_beyond_it(turned: bool) -> None:
    cells = blank(120, 420)
    for k in range(6):
        box(cells, 30 + 60 * k, 30, 32 + 60 * (k + 1), 92, 2)
    strokes = written(blank(120, 420), "3", 92, 24, 50, 10)  # over the upper side
    if turned:
        cells, strokes = cells.T.copy(), strokes.T.copy()
    left_over, kept = parts(cells, strokes, 40)
    assert left_over < 0.05
    assert kept > 0.95


@pytest.mark.parametrize("line", [3, 5])
@pytest.mark.parametrize("turned", [False, True])
def test_a_side_of_a_box_that_a_broad_stroke_lies_along_goes_beyond_it(line: int, turned: bool) -> None:
    lines, strokes = box(blank(120, 160), 30, 30, 90, 90, line), blank(120, 160)
    stroked(strokes, [(48, 30 + line + 2), (70, 30 + line + 2), (62, 70)], 7)
    if turned:
        lines, strokes = lines.T.copy(), strokes.T.copy()
    left_of_box, left_of_digit = parts(lines, strokes, 50)
    assert left_of_box < 0.12
    assert left_of_digit > 0.9


def test_cells_beside_a_box_go_where_digits_hide_their_corners() -> None:
    lines, strokes = blank(120, 300), blank(120, 300)
    for left in (20, 90, 160):
        box(lines, left, 30, left + 56, 86, 4)
    for left in (90, 160):
        stroked(strokes, [(left + 8, 45), (left + 30, 40), (left + 44, 72), (left + 50, 84), (left + 14, 84)], 7)
    left_of_cells, left_of_digits = parts(lines, strokes, 50)
    assert left_of_cells < 0.12
    assert left_of_digits > 0.85


def ruled(shape: tuple[int, int], pitch: int, slope: float, squared: bool) -> Bytes:
    """Paper ruled, or squared, by lines of two pixels that slope a little."""
    lines = blank(*shape)
    for k in range(-shape[0], 2 * max(shape), pitch):
        cv2.line(lines, (0, k), (shape[1], round(k + slope * shape[1])), 1, 2)
        if squared:
            cv2.line(lines, (k, 0), (round(k - slope * shape[0]), shape[0]), 1, 2)
    return lines


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.03, 0.05])
@pytest.mark.parametrize("pitch", [30, 45, 70])
@pytest.mark.parametrize("squared", [False, True], ids=["ruled", "squared"])
def test_of_ruled_and_squared_paper_hardly_anything_is_left_and_a_digit_on_it_is_whole(
    squared: bool, pitch: int, slope: float
) -> None:
    strokes = written(blank(300, 400), "7", 100, 60, 180, 9)
    left, kept = parts(ruled((300, 400), pitch, slope, squared), strokes, 130)
    assert left < 0.05
    assert kept > 0.98


def test_of_lines_that_bend_hardly_anything_is_left() -> None:
    lines, x = blank(300, 400), np.arange(400)
    for row in range(40, 300, 60):
        stroked(lines, list(zip(x, row + 4 * np.sin(x / 130), strict=True)), 2)
    left, _ = parts(lines, blank(300, 400), 80)
    assert left < 0.05


def test_a_line_of_which_a_bold_digit_covers_more_than_half_goes_with_those_that_are_parallel_to_it() -> None:
    lines, ring = blank(400, 160), blank(400, 160)
    for row in range(30, 400, 40):
        cv2.line(lines, (0, row), (159, row + 6), 1, 2)
    cv2.ellipse(ring, (75, 210), (45, 38), 0, 0, 360, 1, 12)
    left, kept = parts(lines, ring, 80)
    assert left < 0.05
    assert kept > 0.95


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize(
    "seen",
    [(slice(0, 200), slice(60, 240)), (slice(0, 200), slice(0, 150)), (slice(50, 200), slice(0, 240)),
     (slice(50, 200), slice(60, 240))],
    ids=["left", "right", "top", "corner"],
)  # fmt: skip
def test_a_frame_that_the_pictures_border_cuts_off_goes(seen: tuple[slice, slice], line: int) -> None:
    lines = box(blank(200, 240), 40, 40, 180, 160, line)[seen].copy()
    strokes = written(blank(200, 240), "7", 70, 60, 80, 6)[seen].copy()
    left, kept = parts(lines, strokes, 60)
    assert left < 0.05
    assert kept > 0.98


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_digit_that_crosses_a_rule_keeps_its_strokes(digit: str, line: int) -> None:
    rule = blank(200, 500)
    rule[145 : 145 + line] = 1
    left, kept = parts(rule, written(blank(200, 500), digit, 200, 80, 90, 7), 70)
    assert left < 0.05
    assert kept > 0.97


@pytest.mark.parametrize("digit", "1234579")
@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_digit_that_crosses_its_box_keeps_nearly_all_of_its_strokes_inside_and_beyond(digit: str, line: int) -> None:
    strokes = written(blank(200, 200), digit, 20, 30, 140, 8)
    lines = box(blank(200, 200), 40, 40, 160, 130, line)
    left, kept = parts(lines, strokes, 100)
    assert left < 0.05
    assert kept > 0.85
    beyond = without_lines((lines | strokes) > 0, 100)
    assert beyond is not None
    assert beyond[134:][strokes[134:] > 0].mean() > 0.85


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("height", [30, 60, 100, 200])
@pytest.mark.parametrize("pen", [0.07, 0.12])
def test_a_digit_by_itself_loses_nothing(digit: str, height: int, pen: float) -> None:
    mask = written(blank(2 * height, 2 * height), digit, height / 2, height / 2, height, round(pen * height)) > 0
    kept = without_lines(mask, 0.75 * height)
    assert kept is None or (kept == mask).all()


STRAIGHT = {
    "7": [[(10, 10), (60, 10), (30, 90)]],
    "7 with a bar": [[(10, 10), (60, 10), (30, 90)], [(20, 50), (60, 50)]],
    "4": [[(40, 10), (10, 60), (70, 60)], [(55, 20), (55, 95)]],
    "1": [[(50, 10), (50, 90)]],
    "1 with a foot": [[(35, 30), (50, 10), (50, 90)], [(30, 90), (70, 90)]],
}
"""Digits of straight strokes, as a ruler draws them."""


@pytest.mark.parametrize("strokes", STRAIGHT.values(), ids=STRAIGHT.keys())
@pytest.mark.parametrize("scale", [0.5, 1, 3])
@pytest.mark.parametrize("pen", [1, 2, 3, 4, 6, 8, 12])
def test_a_digit_of_straight_strokes_by_itself_loses_nothing(
    strokes: list[list[tuple[float, float]]], scale: float, pen: int
) -> None:
    mask = blank(round(110 * scale), round(110 * scale))
    for stroke in strokes:
        stroked(mask, [(scale * x, scale * y) for x, y in stroke], pen)
    kept = without_lines(mask > 0, 80 * scale)
    assert kept is None or (kept == (mask > 0)).all()


def test_bars_of_digits_beside_one_another_are_no_rule() -> None:
    mask = blank(120, 600)
    for left in range(20, 580, 80):
        stroked(mask, [(left, 30), (left + 45, 30), (left + 15, 95)], 7)
    kept = without_lines(mask > 0, 65)
    assert kept is None or (kept == (mask > 0)).all()


@pytest.mark.parametrize("size", [10, 14, 18, 24, 36, 60])
@pytest.mark.parametrize(
    "text", ["The quick brown fox HELP jumps 1417 till EFHT", "Received with thanks: No. 2471", "HILL TILE FLEET 7447"]
)
def test_a_row_of_printed_text_loses_nothing(text: str, size: int) -> None:
    font = ImageFont.load_default(size=size)
    image = Image.new("L", (int(font.getlength(text)) + 2 * size, 3 * size), 0)
    ImageDraw.Draw(image).text((size, size), text, 255, font=font)
    mask = np.asarray(image) > 128
    kept = without_lines(mask, 0.72 * size)
    assert kept is None or (kept == mask).all()


@pytest.mark.parametrize("shape", [(300, 400), (10, 400), (1, 1)])
def test_without_lines_there_is_no_result(shape: tuple[int, int]) -> None:
    mask = blank(*shape)
    assert without_lines(mask > 0, 60) is None
    cv2.circle(mask, (shape[1] // 2, shape[0] // 2), 40, 1, 7)
    assert without_lines(mask > 0, 60) is None


def test_a_transposed_picture_gives_the_transposed_result() -> None:
    generator = np.random.default_rng(0)
    some = 0
    for _ in range(60):
        mask = blank(*(int(side) for side in generator.integers(60, 300, 2)))
        for _ in range(generator.integers(0, 4)):
            x, y = generator.integers(0, mask.shape[1], 2), generator.integers(0, mask.shape[0], 2)
            cv2.rectangle(mask, (int(x[0]), int(y[0])), (int(x[1]), int(y[1])), 1, int(generator.integers(1, 4)))
        if generator.random() < 0.3:
            mask[:: int(generator.integers(20, 50))] = 1
        for digit in generator.integers(0, 10, int(generator.integers(0, 4))):
            x0, y0 = generator.integers(-20, 200, 2)
            written(mask, str(digit), x0, y0, generator.uniform(30, 150), int(generator.integers(1, 9)))
        kept, turned = without_lines(mask > 0, 60), without_lines(np.ascontiguousarray(mask.T) > 0, 60)
        assert (kept is None) == (turned is None)
        if kept is not None and turned is not None:
            assert (kept == turned.T).all()
            some += 1
    assert some > 20
