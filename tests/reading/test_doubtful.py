"""Layout auto where it is doubtful whether there are digits: patterns, shadows, bold strips, clouds."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageChops

from lenet5 import Reader


def stripes() -> NDArray[np.float32]:
    y, x = np.ogrid[:300, :400]
    return np.where((x + y // 2) % 24 < 12, 0.3, 0.9).astype(np.float32)


def checkerboard() -> NDArray[np.float32]:
    y, x = np.ogrid[:300, :400]
    return np.where((y // 20 + x // 20) % 2 == 0, 0.3, 0.9).astype(np.float32)


def dots() -> NDArray[np.float32]:
    y, x = np.ogrid[:300, :400]
    return np.where((y % 40 - 20) ** 2 + (x % 40 - 20) ** 2 < 50, 0.3, 0.9).astype(np.float32)


def soft_shadow() -> NDArray[np.float32]:
    _, x = np.mgrid[:300, :400]
    return np.asarray(0.85 - 0.3 / (1 + np.exp((x - 150) / 12.0)), np.float32)


def wedge_of_shadow() -> NDArray[np.float32]:
    shade = cv2.fillConvexPoly(np.zeros((300, 400), np.float32), np.array([[60, 0], [210, 0], [110, 280]]), 1.0)
    return np.asarray(0.85 - 0.3 * cv2.GaussianBlur(shade, (0, 0), 4), np.float32)


def blot_at_the_border() -> NDArray[np.float32]:
    blot = cv2.circle(np.zeros((300, 400), np.float32), (200, 290), 40, 1.0, -1)
    return np.asarray(0.85 - 0.5 * cv2.GaussianBlur(blot, (0, 0), 1.5), np.float32)


def cloud_of_specks() -> NDArray[np.float32]:
    generator = np.random.default_rng(0)
    cloud = np.full((600, 800), 0.9, np.float32)
    for y, x in zip(generator.integers(20, 570, 3000), generator.integers(20, 770, 3000), strict=True):
        cloud[y : y + 9, x : x + 3] = 0.1
    return cloud


PATTERNS = (stripes, checkerboard, dots, soft_shadow, wedge_of_shadow, blot_at_the_border, cloud_of_specks)


@pytest.mark.slow
def test_patterns_and_shadows_have_hardly_ever_digits(reader: Reader) -> None:
    answers = {picture.__name__: reader.read(picture(), "auto").text for picture in PATTERNS}
    assert sum(text != "" for text in answers.values()) <= 1, answers


def test_layout_auto_is_layout_page(reader: Reader, write: Callable[..., Image.Image]) -> None:
    auto, page = (reader.read(write("2708", "345"), layout) for layout in ("auto", "page"))
    assert auto.text == page.text == "2708\n345"
    assert auto.confidence == page.confidence
    assert [digit.box for digit in auto.digits] == [digit.box for digit in page.digits]


def beside_a_shadow(digit: Image.Image) -> NDArray[np.float32]:
    paper = soft_shadow()
    paper[70:230, 200:360] *= np.minimum(np.asarray(digit, np.float32) / 255 + 0.2, 1)
    return paper


def test_a_digit_beside_a_soft_shadow_is_read(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    answers = [reader.read(beside_a_shadow(draw(label, side=160, scale=1.5))).text for label in "0123456789"]
    assert sum(answer == label for answer, label in zip(answers, "0123456789", strict=True)) >= 9, answers


def test_two_digits_over_each_other_beside_a_shadow_are_doubtful_refused_and_not_lost(
    reader: Reader, draw: Callable[..., Image.Image]
) -> None:
    both = ImageChops.darker(draw("3", side=160, scale=1.5), draw("5", side=160, scale=1.5))
    paper = beside_a_shadow(both)
    reading = reader.read(paper)
    surest = max(digit.confidence for digit in reading.digits)
    assert surest < 0.9
    refused = reader.read(paper, min_confidence=float(np.nextafter(surest, 1)))
    assert refused.text == "?" * len(reading.digits)


def test_bold_digits_that_fill_a_strip_are_read(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    strip = np.concatenate([np.asarray(draw(label, side=200, pen=34), np.uint8)[10:190, 30:170] for label in "203"], 1)
    assert reader.read(strip).text == "203"
