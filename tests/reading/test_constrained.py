"""Pattern, choices, check, region, rotation and batches through ``Reader``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import ArrayError, LeNet5Error, PatternError, PictureError, Reader, Reading


@pytest.fixture
def row(draw: Callable[..., Image.Image]) -> NDArray[np.uint8]:
    """The digits 2 5 8 in a row."""
    return np.concatenate([np.asarray(draw(label)) for label in "258"], axis=1)


def test_without_a_constraint_nothing_is_said_of_what_is_allowed(reader: Reader, row: NDArray[np.uint8]) -> None:
    reading = reader.read(row, "line")
    assert reading.text == "258"
    assert reading.allowed is None


def test_a_text_that_matches_is_the_answer_with_nearly_the_confidence_without(
    reader: Reader, row: NDArray[np.uint8]
) -> None:
    free, bound = reader.read(row, "line"), reader.read(row, "line", pattern=r"\d{3}")
    assert bound.text == free.text
    assert bound.allowed is not None
    assert bound.confidence <= bound.allowed + 1e-9


def test_a_constraint_picks_the_best_text_that_is_allowed(reader: Reader, row: NDArray[np.uint8]) -> None:
    reading = reader.read(row, "line", choices=["253", "999"])
    assert reading.text in ("253", "")  # 3 for 8 is hardly possible, 999 is not
    assert reading.allowed is not None
    assert reading.allowed < 0.5


def test_a_line_that_cannot_match_gives_nothing(reader: Reader, row: NDArray[np.uint8]) -> None:
    assert reader.read(row, "line", pattern=r"\d{7}").text == ""


def test_layout_digit_gives_one_digit_that_is_allowed(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    free, bound = reader.read(draw("7"), "digit"), reader.read(draw("7"), "digit", pattern="[0-6]")
    assert free.text == "7"
    assert len(bound.digits) == 1
    assert bound.text in tuple("0123456")
    assert bound.allowed is not None
    assert bound.confidence <= bound.allowed < 1 - free.confidence + 1e-9


def test_the_text_of_a_constraint_is_an_allowed_one_with_its_separators(reader: Reader, row: NDArray[np.uint8]) -> None:
    reading = reader.read(row, "line", pattern=r"\d \d{2}|\d{2}-\d|\d{3}")
    assert reading.transcript == reading.text
    assert re.fullmatch(r"\d \d{2}|\d{2}-\d|\d{3}", reading.text)


def test_a_number_is_found_among_many_words_of_its_line(reader: Reader, draw: Callable[..., Image.Image]) -> None:
    gap = np.full((np.asarray(draw("1")).shape[0], 60), 255, np.uint8)
    parts = [part for label in "4721958306" for part in (np.asarray(draw(label)), gap)]
    line = np.concatenate([*parts, np.concatenate([np.asarray(draw(label)) for label in "258"], axis=1)], axis=1)
    assert reader.read(line, "page", choices=["258", "144"]).text == "258"


@pytest.mark.parametrize("layout", ["page", "line", "digit"])
def test_a_blank_picture_has_no_allowed_text_and_says_so_with_a_probability(layout: str, reader: Reader) -> None:
    reading = reader.read(np.full((60, 90), 255, np.uint8), layout, pattern=r"\d{3}")
    assert reading.allowed == pytest.approx(0, abs=0.01)
    assert 0 <= reading.confidence <= 1


def test_what_a_pattern_asks_of_the_network_in_vain_is_refused_before_the_picture_is_opened(reader: Reader) -> None:
    with pytest.raises(PatternError, match="'A'"):
        reader.read("there is no such picture.png", pattern="A+")


def test_only_the_region_is_read_and_boxes_are_in_the_whole_picture(reader: Reader, row: NDArray[np.uint8]) -> None:
    third = row.shape[1] / 3
    reading = reader.read(row, "digit", region=(1 / 3, 0.0, 2 / 3, 1.0))
    assert reading.text == "5"
    assert third - 2 <= reading.digits[0].box.left < 2 * third


def test_a_picture_on_its_side_is_read_when_it_may_be_turned(reader: Reader, row: NDArray[np.uint8]) -> None:
    turned = np.ascontiguousarray(np.rot90(row))
    reading = reader.read(turned, "line", rotate="auto")
    assert reading.text == "258"
    assert all(digit.box.bottom <= turned.shape[0] for digit in reading.digits)


def test_an_unknown_rotation_is_refused(reader: Reader, row: NDArray[np.uint8]) -> None:
    with pytest.raises(ArrayError, match="rotate must be"):
        reader.read(row, rotate="left")


@pytest.mark.parametrize("jobs", [None, 2])
def test_many_pictures_come_in_order_and_a_failure_is_one_of_them(
    jobs: int | None, reader: Reader, row: NDArray[np.uint8]
) -> None:
    first, second, third = reader.read_many([row, b"no picture", row], jobs=jobs, layout="line")
    assert isinstance(first, Reading)
    assert isinstance(third, Reading)
    assert first.text == third.text == "258"
    assert isinstance(second, PictureError)
    assert isinstance(second, LeNet5Error)


@pytest.mark.parametrize("jobs", [None, 2])
def test_sources_are_taken_as_they_are_needed(jobs: int | None, reader: Reader, row: NDArray[np.uint8]) -> None:
    taken = []

    def endless() -> Iterator[NDArray[np.uint8]]:
        while True:
            taken.append(1)
            yield row

    readings = reader.read_many(endless(), jobs=jobs, layout="line")
    assert isinstance(next(readings), Reading)
    assert len(taken) <= 6
    readings.close()  # type: ignore[attr-defined]


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        return os._exit, (9,)


def test_what_kills_a_process_or_cannot_be_sent_to_it_is_one_error(reader: Reader, row: NDArray[np.uint8]) -> None:
    sources: list[Any] = [row, Deadly(), lambda: None, row]
    first, killed, unsent, last = reader.read_many(sources, jobs=2, layout="line")
    assert isinstance(first, Reading)
    assert isinstance(killed, PictureError)
    assert isinstance(unsent, PictureError)
    assert isinstance(last, Reading)
    assert first.text == last.text == "258"


def test_a_wrong_argument_is_told_before_a_source_is_taken(reader: Reader) -> None:
    with pytest.raises(ArrayError, match="layout must be"):
        reader.read_many(iter(()), layout="sideways")
