"""A reading drawn on its picture and as what the network saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Box, Digit, OutputError, Reading, Separator
from lenet5.evaluation.annotate import annotated, digit_sheet, write_debug
from lenet5.reading.opening import open_picture
from lenet5.reading.picture import Picture

PAPER = 200


def picture(width: int, height: int) -> Picture:
    return open_picture(np.full((height, width), PAPER, np.uint8))


def digit(label: str, confidence: float, *box: int) -> Digit:
    image = np.full((28, 28), 40 if label == "?" else 20 * int(label), np.uint8)
    return Digit(label, confidence, Box(*box), (("8", 0.1),), image)


def coloured(image: Image.Image) -> NDArray[np.bool_]:
    """Which pixels are no shade of grey: what was drawn."""
    red, green, blue = np.moveaxis(np.asarray(image).astype(int), 2, 0)
    return np.maximum(abs(red - green), abs(green - blue)) > 40


def colour_of(mark: Digit | Separator) -> tuple[int, ...]:
    """The commonest colour that one mark is drawn in."""
    image = annotated(picture(600, 600), Reading(((mark,),), 1.0))
    colours, counts = np.unique(np.asarray(image)[coloured(image)], axis=0, return_counts=True)
    return tuple(colours[counts.argmax()])


@pytest.mark.slow
@pytest.mark.parametrize("size", [(28, 28), (640, 480), (3, 900), (5000, 3000)])
def test_boxes_are_drawn_where_the_digits_are(size: tuple[int, int]) -> None:
    width, height = size
    left, top, right, bottom = 0, height // 3, max(1, width // 2), height // 2
    opened = picture(width, height)
    image = annotated(opened, Reading(((digit("7", 0.999, left, top, right, bottom),),), 0.9))
    rows, columns = np.flatnonzero(coloured(image).any(axis=1)), np.flatnonzero(coloured(image).any(axis=0))
    paper = np.flatnonzero((np.asarray(image)[..., 0] == PAPER).any(axis=0))
    shown = (paper[-1] - paper[0] + 1) / width  # how much the picture is enlarged, by its paper in the margins
    assert columns[0] >= 0
    assert rows[-1] - rows[0] >= shown * (bottom - top) - 2
    assert columns[-1] - columns[0] >= shown * (right - left) * 0.9


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (2000, 1), (1, 2000)])
def test_a_small_picture_is_enlarged_until_labels_can_be_read(size: tuple[int, int]) -> None:
    image = annotated(picture(*size), Reading(((digit("7", 0.999, 0, 0, 1, 1),),), 0.9))
    assert max(image.size) >= 400
    assert image.width * image.height < 30_000_000


@pytest.mark.slow
def test_the_largest_picture_read_is_not_enlarged() -> None:
    grey = np.full((4000, 4000), 0.5, np.float32)
    image = annotated(Picture(grey, (8000, 8000), 0.5), Reading(((digit("7", 0.9, 7000, 7000, 7010, 7010),),), 0.9))
    assert image.width * image.height < 26_000_000
    assert coloured(image)[3000:, 3000:].any()


def test_colours_tell_how_sure_digits_are() -> None:
    drawn = [digit("7", sure, 200, 200, 300, 300) for sure in (0.999, 0.95, 0.6)]
    marks = [*drawn, digit("?", 0.999, 200, 200, 300, 300), Separator(",", Box(200, 200, 300, 300))]
    assert len({colour_of(mark) for mark in marks}) == 5


def test_a_picture_without_digits_says_so() -> None:
    image = annotated(picture(300, 200), Reading((), 1.0))
    assert not coloured(image).any()
    assert (np.asarray(image)[:28] < 60).any()  # the words in the strip


def test_a_text_longer_than_the_picture_is_cut() -> None:
    line = tuple(digit("8", 0.9, 5 * k, 10, 5 * k + 4, 20) for k in range(50))
    strip = np.asarray(annotated(picture(252, 200), Reading((line,) * 9, 0.5)))[:28, -3:]
    assert strip.min() == strip.max() or (strip > 200).all()


def test_the_sheet_has_a_row_for_each_line_and_shows_what_the_network_saw() -> None:
    lines = tuple(tuple(digit(str(k), 0.9, 10 * k, 10, 10 * k + 8, 24) for k in range(n)) for n in (3, 5))
    separated = ((*lines[0], Separator("-", Box(90, 10, 95, 12))), lines[1])
    one, two = (digit_sheet(picture(100, 40), Reading(found, 0.9)) for found in (separated[:1], separated))
    assert one is not None
    assert two is not None
    assert two.height - 10 == 2 * (one.height - 10)
    assert two.width > one.width
    levels = np.asarray(two)[..., 0]
    assert all((levels == 20 * k).sum() >= 84 * 84 for k in range(1, 5))


def test_there_is_no_sheet_without_digits() -> None:
    assert digit_sheet(picture(9, 9), Reading(((Separator(".", Box(1, 1, 2, 2)),),), 1.0)) is None


def test_debug_names_each_digit_by_line_and_index(tmp_path: Path) -> None:
    mark = Separator("-", Box(20, 5, 30, 9))
    first = (digit("4", 0.99, 0, 0, 10, 20), mark, digit("?", 0.6, 30, 0, 40, 20))
    reading = Reading((first, (digit("1", 0.9, 0, 30, 9, 50),)), 0.5)
    write_debug(picture(60, 60), reading, (), tmp_path / "a" / "b")
    names = sorted(path.name for path in (tmp_path / "a" / "b").iterdir())
    assert names == ["01-01-4.png", "01-02-refused.png", "02-01-1.png", "annotated.png", "digits.png", "reading.json"]


def test_a_debug_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        write_debug(picture(9, 9), Reading((), 1.0), (), tmp_path / "file" / "inner")
