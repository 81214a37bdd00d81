"""Which weights read what: single digits and the candidates of lines may have their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from lenet5 import Reader, weights


def test_lenet5_reads_strings_with_its_own_weights_for_them() -> None:
    reader = Reader()
    assert reader.weights.name == "lenet5"
    assert reader.string_weights.name == "lenet5-strings"


def test_other_weights_read_both() -> None:
    for name in ("concise", "lenet5-mnist", "lenet5-strings"):
        reader = Reader(name)
        assert reader.string_weights is reader.weights
    given = weights.load("lenet5")
    assert Reader(given).string_weights is given


def test_strings_are_read_by_the_weights_for_strings_and_single_digits_by_the_others(
    write: Callable[..., Image.Image],
) -> None:
    blind = weights.load("lenet5")
    blind = weights.Weights(blind.network, np.zeros_like(blind.parameters), {"j": "10", "temperature": "1"})
    line, digit = write("2708"), write("4")
    assert Reader("lenet5", strings=blind).read(digit, "digit").text == "4"
    assert Reader("lenet5", strings=blind).read(line, "line").text != "2708"
    assert Reader(blind, strings="lenet5-strings").read(line, "line").text == "2708"
    assert Reader(blind, strings="lenet5-strings").read(digit, "digit").text == "?"
