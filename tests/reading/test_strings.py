"""Which weights read what: single digits and the candidates of lines may have their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Digit, Reader, weights
from lenet5.posterior import RUBBISH
from lenet5.reading.line import read_line
from lenet5.reading.lines import Line


def test_lenet5_reads_strings_with_its_own_weights_for_them() -> None:
    reader = Reader()
    assert reader.weights.name == "lenet5"
    assert reader.string_weights.name == "lenet5-strings"
    assert reader.rubbish_weights.name == "lenet5-rubbish"


def test_other_weights_read_both() -> None:
    for name in ("concise", "lenet5-mnist", "lenet5-strings"):
        reader = Reader(name)
        assert reader.string_weights is reader.rubbish_weights is reader.weights
    given = weights.load("lenet5")
    assert Reader(given).string_weights is given


def test_whether_a_mark_is_a_digit_is_for_the_weights_for_rubbish_to_say(write: Callable[..., Image.Image]) -> None:
    reader = Reader()
    zeros = np.zeros_like(reader.weights.parameters)
    reader.rubbish_weights = weights.Weights(reader.weights.network, zeros, {"j": "10", "temperature": "1"})
    assert reader.read(write("4"), "digit").text == "?"


def test_strings_are_cut_by_the_weights_for_strings_and_single_digits_read_by_the_others(
    write: Callable[..., Image.Image],
) -> None:
    blind = weights.load("lenet5")
    blind = weights.Weights(blind.network, np.zeros_like(blind.parameters), {"j": "10", "temperature": "1"})
    line, digit = write("2708"), write("4")
    assert Reader("lenet5", strings=blind).read(digit, "digit").text == "4"
    assert len(Reader("lenet5", strings=blind).read(line, "line").digits) != 4
    assert Reader(blind, strings="lenet5-strings").read(digit, "digit").text == "?"
    assert Reader("lenet5", strings="lenet5-strings").read(line, "line").text == "2708"


@pytest.mark.parametrize(("linked", "text"), [(False, "88"), (True, "33")])
def test_which_digit_stands_where_nothing_was_cut_is_for_the_single_opinion_to_say(linked: bool, text: str) -> None:
    level = np.zeros((60, 110), np.float32)
    level[6:54, 15:35] = level[6:54, 55:75] = 1
    if linked:
        level[28:31, 35:55] = 1

    def likely(digit: int) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
        def opinion(images: NDArray[np.uint8]) -> NDArray[np.float64]:
            narrow = (images > 0).any(axis=1).sum(axis=1) < 16
            p = np.full((len(images), 11), 1e-4)
            p[narrow, digit] = p[~narrow, RUBBISH] = 0.999
            return p

        return opinion

    (marks,) = read_line(Line(level, 0.0, 0.0, 1.0, 0.0), likely(3), likely(8)).words
    assert "".join(mark.label for mark in marks if isinstance(mark, Digit)) == text


@pytest.mark.filterwarnings("error")
def test_where_no_digit_is_likely_to_the_single_opinion_some_digit_stands() -> None:
    level = np.zeros((60, 60), np.float32)
    level[6:54, 20:40] = 1
    digit, rubbish = np.eye(11)[4], np.eye(11)[RUBBISH]
    ((mark,),) = read_line(
        Line(level, 0.0, 0.0, 1.0, 0.0),
        lambda images: np.tile(digit, (len(images), 1)),
        lambda images: np.tile(rubbish, (len(images), 1)),
    ).words
    assert isinstance(mark, Digit)
    assert mark.label.isdigit()
    assert mark.confidence < 0.11
