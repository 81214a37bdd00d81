"""What a confidence says of what was left out: nothing, a scribble, marks at the ends of a line, words of a page."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet5 import Box, Digit, Reader, Separator
from lenet5.answer import REFUSED
from lenet5.reading.evidence import p_digit, p_left_out, p_number, p_trimmed
from lenet5.reading.reader import LAYOUTS

PLACE = Box(0, 0, 10, 20)


def mark(label: str, confidence: float, *others: tuple[str, float]) -> Digit:
    return Digit(label, confidence, PLACE, others)


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "digit"])
@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [(28, 28), (200, 300), (900, 40)])
def test_of_a_blank_picture_nothing_is_certain(size: tuple[int, int], level: int, layout: str, reader: Reader) -> None:
    reading = reader.read(Image.new("L", size, level), layout)
    assert (reading.text, reading.confidence) == ("", 1)


def scribble() -> Image.Image:
    image = Image.new("L", (300, 300), 255)
    angle = np.linspace(0, 40, 400)
    points = [
        (float(x), float(y)) for x, y in zip(150 + 90 * np.sin(3 * angle), 150 + 80 * np.cos(2.3 * angle), strict=True)
    ]
    ImageDraw.Draw(image).line(points, fill=0, width=5, joint="curve")
    return image


@pytest.mark.parametrize("layout", ["page", "auto"])
def test_that_a_rejected_scribble_is_nothing_is_not_certain(layout: str, reader: Reader) -> None:
    reading = reader.read(scribble(), layout)
    assert reading.text == ""
    assert 0 < reading.confidence < 1


@pytest.mark.parametrize("layout", ["page", "auto"])
def test_of_a_picture_full_of_strokes_nothing_is_not_certain(layout: str, reader: Reader) -> None:
    stripes = np.where(np.arange(400) % 16 < 8, 0.2, 0.9)[None].repeat(300, axis=0)
    reading = reader.read(stripes, layout)
    assert reading.text == ""
    assert 0 < reading.confidence < 1


def test_a_line_from_which_a_mark_was_trimmed_is_less_sure_than_without_it(
    reader: Reader, write: Callable[..., Image.Image]
) -> None:
    plain = Image.new("L", (400, 150), 255)
    plain.paste(write("2708"))
    beside = plain.copy()
    pencil = ImageDraw.Draw(beside)
    for k in range(0, 61, 15):
        pencil.line([(280, 24 + k), (340, 24 + k)], fill=0, width=4)
        pencil.line([(280 + k, 24), (280 + k, 84)], fill=0, width=4)
    without, trimmed = reader.read(plain, "line"), reader.read(beside, "line")
    assert without.text == trimmed.text == "2708"
    assert trimmed.confidence < without.confidence


def test_p_digit_counts_every_digit_and_not_the_refusal() -> None:
    assert p_digit(mark("4", 0.7, ("9", 0.2), (REFUSED, 0.1))) == pytest.approx(0.9)
    assert p_digit(mark(REFUSED, 0.8, ("9", 0.2))) == pytest.approx(0.2)


def test_a_number_is_a_word_of_digits_alone() -> None:
    assert p_number([mark("4", 0.5), Separator(".", PLACE), mark(REFUSED, 0.9)]) == pytest.approx(0.05)
    assert p_number([Separator("-", PLACE)]) == 0


def test_the_word_most_like_a_number_says_how_rightly_words_were_left_out() -> None:
    line = [[mark("4", 0.9)], [mark("7", 0.5)], [mark(REFUSED, 0.9)]]
    assert p_left_out([line], [[True, True, True]]) == 1
    assert p_left_out([line], [[True, False, False]]) == pytest.approx(1 - 0.5 * (0.9 + 0.5 + 0.1) / 3)


def test_trimmed_marks_count_one_by_one_and_kept_ones_do_not() -> None:
    marks = [mark(REFUSED, 0.95), mark("3", 0.99), Separator(".", PLACE), mark(REFUSED, 0.92)]
    assert p_trimmed(marks, marks) == 1
    assert p_trimmed(marks, marks[1:2]) == pytest.approx(0.95 * 0.92)
