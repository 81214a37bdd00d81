"""Output codes: the paper's for digits, and a picture of its own for every other class."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from lenet5 import ArrayError, paper
from lenet5.codes import CODES, DIGITS, LETTERS, MOST_CLASSES, SEPARATORS, SIGNS, code_array

EVERY = DIGITS + SEPARATORS + LETTERS + SIGNS


def test_the_digits_codes_are_those_of_figure_3() -> None:
    assert tuple(CODES[digit] for digit in DIGITS) == paper.CODES


def test_every_printable_character_has_a_code_of_twelve_rows_of_seven() -> None:
    assert set(EVERY) | {"`"} >= {chr(k) for k in range(33, 127)}
    assert len(EVERY) <= MOST_CLASSES
    for character in EVERY:
        rows = CODES[character].split("\n")
        assert [len(row) for row in rows] == [7] * 12, character


def test_no_two_codes_are_close_to_each_other() -> None:
    codes = code_array(EVERY)
    apart = {(a, b): int((codes[EVERY.index(a)] != codes[EVERY.index(b)]).sum()) for a, b in combinations(EVERY, 2)}
    closest = min(apart, key=apart.__getitem__)
    assert apart[closest] >= 4, (closest, apart[closest])
    needed = {pair: n for pair, n in apart.items() if set(pair) <= set(DIGITS + SEPARATORS)}
    assert min(needed.values()) >= 6


@pytest.mark.parametrize(
    ("like", "unlike"), [(("O", "0"), ("W", "0")), (("l", "1"), ("l", "8")), (("S", "5"), ("S", "7"))]
)
def test_characters_that_look_alike_have_codes_that_are_alike(like: tuple[str, str], unlike: tuple[str, str]) -> None:
    near, far = (
        int((code_array(EVERY)[[EVERY.index(a)]] != code_array(EVERY)[EVERY.index(b)]).sum()) for a, b in (like, unlike)
    )
    assert near < far


@pytest.mark.parametrize("classes", ["", "123", "0123456789/A/", "0123456789\u00e9", "/0123456789"])
def test_classes_that_are_none_are_refused_in_one_line(classes: str) -> None:
    with pytest.raises(ArrayError, match="class"):
        code_array(classes)


def test_codes_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        code_array()[0, 0] = 0
    assert set(np.unique(code_array(EVERY))) == {-1.0, 1.0}
