"""What a confidence says of what was left out: nothing, a scribble, marks beside a line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lenet5 import Reader
from lenet5.reading.reader import LAYOUTS


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "digit"])
@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [(28, 28), (200, 300), (900, 40)])
def test_that_nothing_stands_in_a_blank_picture_is_nearly_certain(
    size: tuple[int, int], level: int, layout: str, reader: Reader
) -> None:
    reading = reader.read(Image.new("L", size, level), layout)
    assert reading.lines == ()
    assert 0.85 < reading.confidence <= 1


def scribble() -> Image.Image:
    image = Image.new("L", (300, 300), 255)
    angle = np.linspace(0, 40, 400)
    points = [
        (float(x), float(y)) for x, y in zip(150 + 90 * np.sin(3 * angle), 150 + 80 * np.cos(2.3 * angle), strict=True)
    ]
    ImageDraw.Draw(image).line(points, fill=0, width=5, joint="curve")
    return image


def stripes() -> NDArray[np.float64]:
    return np.where(np.arange(400) % 16 < 8, 0.2, 0.9)[None].repeat(300, axis=0)


@pytest.mark.parametrize("picture", [scribble, stripes])
@pytest.mark.parametrize("layout", ["page", "auto"])
def test_that_a_scribble_or_stripes_are_nothing_is_no_more_certain_than_of_a_blank_picture(
    picture: Callable[[], Image.Image | NDArray[np.float64]], layout: str, reader: Reader
) -> None:
    blank, reading = reader.read(Image.new("L", (400, 300), 255), layout), reader.read(picture(), layout)
    assert reading.text == ""
    assert 0 < reading.confidence <= blank.confidence


@pytest.mark.parametrize("layout", ["line", "page", "auto"])
def test_a_number_beside_marks_that_may_be_of_it_is_less_sure_than_by_itself(
    layout: str, reader: Reader, write: Callable[..., Image.Image]
) -> None:
    plain = Image.new("L", (400, 150), 255)
    plain.paste(write("2738"))
    beside = plain.copy()
    pencil = ImageDraw.Draw(beside)
    for k in range(0, 61, 15):
        pencil.line([(280, 24 + k), (340, 24 + k)], fill=0, width=4)
        pencil.line([(280 + k, 24), (280 + k, 84)], fill=0, width=4)
    alone, together = reader.read(plain, layout), reader.read(beside, layout)
    assert alone.text == "2738"
    assert together.confidence < alone.confidence


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_confidence_is_a_probability_whatever_is_shown(
    layout: str, reader: Reader, write: Callable[..., Image.Image], draw: Callable[..., Image.Image]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (150, 200)).astype(np.uint8)
    for picture in (noise, scribble(), stripes(), write("2738", "15"), draw("4"), write("27" * 20, *["35" * 20] * 6)):
        reading = reader.read(picture, layout)
        assert 0 <= reading.confidence <= 1
        assert all(0 <= mark.confidence <= 1 for line in reading.lines for mark in line)
