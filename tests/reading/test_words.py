"""Numbers are told from words by how surely and evenly they are read, page by page."""

from __future__ import annotations

from itertools import compress

import numpy as np

from lenet5.answer import Box, Digit, Separator
from lenet5.reading.words import Word, numbers


def word(text: str, sure: float, height: int = 40) -> list[Digit | Separator]:
    """A word of marks that are so surely digits."""
    return [Digit(label, sure, Box(30 * k, 0, 30 * k + 20, height)) for k, label in enumerate(text)]


def numbers_of(lines: list[list[Word]]) -> list[str]:
    """The text of each line's words that are numbers."""
    chosen = [compress(line, which) for line, which in zip(lines, numbers(lines), strict=True)]
    return ["".join(mark.label for word in line for mark in word if isinstance(mark, Digit)) for line in chosen]


def test_sure_numbers_are_all_taken() -> None:
    assert numbers_of([[word("12", 0.99), word("345", 0.98)], [word("6", 0.99)]]) == ["12345", "6"]


def test_a_page_of_letters_has_no_numbers_though_some_words_look_like_them() -> None:
    line = [word("1087021", 0.8), word("00", 0.99), word("501170", 0.85), word("2", 0.98)]
    assert numbers_of([line] * 10) == [""] * 10


def test_a_long_sure_number_is_found_among_words() -> None:
    line = [word("1087110", 0.8), word("81501170", 0.8), word("24071969", 0.999)]
    assert numbers_of([line] * 10) == ["24071969"] * 10


def test_what_is_low_among_words_is_no_number_however_sure() -> None:
    line = [word("1087110", 0.8, 40), word("81501170", 0.8, 40), word("20000", 0.999, 28)]  # capitals and "zoooo"
    assert numbers_of([line] * 10) == [""] * 10


def test_a_form_with_a_label_before_each_number_keeps_its_numbers() -> None:
    line = [word("8000171", 0.7, 20), word("314", 0.99, 44)]
    assert numbers_of([line] * 6) == ["314"] * 6


def test_larger_lines_beside_words_are_numbers() -> None:
    lines = [[word("8000171110", 0.6, 18)], [word("314", 0.93, 38)]]
    assert numbers_of(lines * 6) == ["", "314"] * 6
    lines = [[word("8000171110", 0.6, 18)], [word("314", 0.93, 20)]]
    assert numbers_of(lines * 6) == ["", ""] * 6


def test_a_doubtful_word_in_a_sure_line_is_taken() -> None:
    assert numbers_of([[word("123456", 0.99), word("78", 0.6)]]) == ["12345678"]


def test_small_print_beside_sure_numbers_is_left_out() -> None:
    lines = [[word("7406", 0.88, 18)], [word("123456", 0.99, 60)]]
    assert numbers_of(lines) == ["", "123456"]


def test_few_doubtful_marks_may_be_a_number_and_many_may_not() -> None:
    doubtful = [word("1234", 0.82)]
    assert numbers_of([doubtful]) == ["1234"]
    assert numbers_of([doubtful] * 30) == [""] * 30


def test_uneven_heights_ask_for_more_confidence() -> None:
    rng = np.random.default_rng(0)
    even, uneven = ([word("1234", 0.85)], [[*word("12", 0.85, 40), *word("34", 0.85, int(rng.integers(20, 24)))]])
    assert numbers_of([even]) == ["1234"]
    assert numbers_of([uneven]) == [""]


def test_a_page_without_marks_has_no_numbers() -> None:
    assert numbers([]) == []
    assert numbers_of([[[Separator(".", Box(0, 0, 3, 3))]]]) == [""]
