"""Selection: the likeliest words that do not overlap, joined to lines, in reading order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Box, Digit, Reader, Separator
from lenet5.reading.opening import open_picture
from lenet5.reading.select import best_line, best_set, in_reading_order, left_out, overlaps, rows, trimmed
from lenet5.result import REFUSED

Floats = NDArray[np.float64]


def digit(label: str, left: int, top: int, height: int = 40, confidence: float = 0.9) -> Digit:
    return Digit(label, confidence, Box(left, top, left + height // 2, top + height))


def line(text: str, left: int, top: int, height: int = 40) -> tuple[Digit | Separator, ...]:
    return tuple(digit(label, left + k * height, top, height) for k, label in enumerate(text))


def texts(lines: list[tuple[Digit | Separator, ...]]) -> list[str]:
    return ["".join(mark.label for mark in line if isinstance(mark, Digit)) for line in lines]


def boxes(*edges: tuple[float, float, float, float]) -> Floats:
    """(N, 4): left, top, right, bottom."""
    return np.array(edges, np.float64).reshape(-1, 4)


def scored(*p: tuple[float, float]) -> Floats:
    """(N, 2): P(there) and P(right)."""
    return np.array(p, np.float64).reshape(-1, 2)


# --- the best set ---


def drawn(seed: int) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Boxes that overlap in many ways, of several lines, with scores."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 25))
    corner, size = rng.uniform(0, 100, (n, 2)), rng.uniform(5, 60, (n, 2))
    there = rng.uniform(0, 1, n)
    p = np.stack([there, there * rng.uniform(0, 1, n)], axis=1)
    return np.concatenate([corner, corner + size], axis=1), rng.integers(0, max(2, n // 2), n), p


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_nothing_that_overlaps_is_chosen_from_two_lines(seed: int) -> None:
    edges, lines, p = drawn(seed)
    chosen = best_set(edges, lines, p, np.ones(len(p)))
    assert len(set(chosen)) == len(chosen)
    for k in chosen:
        others = [i for i in chosen if lines[i] != lines[k]]
        assert not others or overlaps(edges[k], edges[others]).max() <= 0.25


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_what_is_left_out_is_unlikely_or_overlaps_what_is_chosen(seed: int) -> None:
    edges, lines, p = drawn(seed)
    chosen = best_set(edges, lines, p, np.ones(len(p)))
    assert all(p[k, 0] >= 0.6 for k in chosen)
    for k in set(range(len(p))) - set(chosen):
        others = [i for i in chosen if lines[i] != lines[k]]
        assert p[k, 0] < 0.6 or overlaps(edges[k], edges[others]).max(initial=0.0) > 0.25


def test_the_reading_more_likely_right_of_the_same_ink_is_chosen() -> None:
    edges = boxes((0, 0, 100, 40), (2, 1, 98, 40))
    assert best_set(edges, np.array([0, 1]), scored((0.9, 0.3), (0.8, 0.7)), np.ones(2)) == [1]


def test_words_of_one_line_may_overlap() -> None:
    edges = boxes((0, 0, 60, 40), (40, 0, 100, 40))
    p = scored((0.9, 0.8), (0.9, 0.7))
    assert best_set(edges, np.array([0, 0]), p, np.ones(2)) == [0, 1]
    assert best_set(edges, np.array([0, 1]), p, np.ones(2)) == [0]


def test_of_no_words_none_is_chosen() -> None:
    assert best_set(boxes(), np.zeros(0, np.int64), scored(), np.zeros(0)) == []
    assert left_out(boxes(), scored(), []) == 0


def test_the_likeliest_word_apart_from_all_that_was_chosen_counts_as_left_out() -> None:
    edges = boxes((0, 0, 100, 40), (0, 0, 50, 40), (200, 0, 300, 40), (400, 0, 500, 40))
    p = scored((0.9, 0.9), (0.8, 0.8), (0.2, 0.1), (0.4, 0.1))
    assert left_out(edges, p, [0]) == pytest.approx(0.4)  # the second shows the same ink
    assert left_out(edges, p, []) == pytest.approx(0.9)
    assert left_out(edges[:2], p[:2], [0]) == 0


@pytest.mark.parametrize(
    ("other", "share"),
    [((0, 0, 10, 10), 1.0), ((5, 0, 15, 10), 0.5), ((10, 0, 20, 10), 0.0), ((-50, -50, 50, 50), 1.0)],
)  # fmt: skip
def test_an_overlap_is_a_part_of_the_smaller_box(other: tuple[float, float, float, float], share: float) -> None:
    one = boxes((0, 0, 10, 10))
    assert overlaps(one[0], boxes(other)) == pytest.approx([share])
    assert overlaps(boxes(other)[0], one) == pytest.approx([share])


@pytest.mark.parametrize(("there", "given"), [(0.59, []), (0.6, [0])])
def test_a_number_is_given_from_60_percent_on(there: float, given: list[int]) -> None:
    assert best_set(boxes((0, 0, 30, 20)), np.zeros(1, np.int64), scored((there, 0.5)), np.ones(1)) == given


SIDE_BY_SIDE = {
    "a quarter": (boxes((0, 0, 10, 10), (9, 0, 13, 4)), True),
    "a little more": (boxes((0, 0, 10, 10), (8.9, 0, 12.9, 4)), False),
}
"""Two boxes, by the part of the smaller one's area that they share; and whether each may be a word of its own."""


@pytest.mark.parametrize(("edges", "apart"), SIDE_BY_SIDE.values(), ids=SIDE_BY_SIDE.keys())
def test_words_of_two_lines_may_share_a_quarter_of_the_smaller_one(edges: Floats, apart: bool) -> None:
    p = scored((0.9, 0.9), (0.8, 0.8))
    assert best_set(edges, np.arange(2), p, np.ones(2)) == ([0, 1] if apart else [0])
    assert left_out(edges, p, [0]) == (0.8 if apart else 0)


@pytest.mark.parametrize(("digits", "taken"), [(18, 1), (19, 0)])
def test_a_number_too_hard_to_read_beats_a_surely_read_digit_of_it_where_it_is_long(digits: int, taken: int) -> None:
    edges = boxes((0, 0, 300, 20), (0, 0, 10, 20))
    assert best_set(edges, np.arange(2), scored((1, 0), (1, 1)), np.array([float(digits), 1.0])) == [taken]


@pytest.mark.parametrize(("right", "taken"), [(0.52, 0), (0.54, 1)])
def test_a_doubt_that_something_stands_there_weighs_twice(right: float, taken: int) -> None:
    edges = boxes((0, 0, 30, 20), (0, 0, 30, 20))
    assert best_set(edges, np.arange(2), scored((0.8, 1.0), (1.0, right)), np.ones(2)) == [taken]


# --- lines ---


@pytest.mark.parametrize(
    ("other", "one_line"),
    [((150, 0, 230, 40), True), ((151, 0, 231, 40), False), ((-220, 0, -140, 40), True), ((-221, 0, -141, 40), False),
     ((90, 20, 170, 60), True), ((90, 21, 170, 61), False), ((90, 0, 170, 80), True), ((90, 0, 170, 81), False)],
)  # fmt: skip
def test_words_are_in_one_line_up_to_three_and_a_half_heights_apart_that_share_half_of_the_taller_ones_height(
    other: tuple[float, float, float, float], one_line: bool
) -> None:
    assert len(rows(boxes((0, 0, 10, 40), other), np.arange(2))) == (1 if one_line else 2)


def test_words_side_by_side_are_joined_from_left_to_right() -> None:
    edges = boxes((300, 2, 380, 42), (0, 0, 80, 40), (150, 4, 230, 44))
    assert rows(edges, np.arange(3)) == [[1, 2, 0]]


def test_words_of_one_line_are_joined_however_far_apart() -> None:
    edges = boxes((900, 0, 980, 40), (0, 0, 80, 40))
    assert rows(edges, np.array([5, 5])) == [[1, 0]]
    assert sorted(rows(edges, np.array([5, 6]))) == [[0], [1]]


@pytest.mark.parametrize(
    "other", [(0, 60, 80, 100), (100, 25, 180, 65), (100, 0, 180, 120)], ids=["below", "half below", "far taller"]
)
def test_words_that_do_not_stand_side_by_side_are_two_lines(other: tuple[float, float, float, float]) -> None:
    assert sorted(rows(boxes((0, 0, 80, 40), other), np.array([0, 1]))) == [[0], [1]]


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_every_word_is_in_exactly_one_line(seed: int) -> None:
    edges, lines, _ = drawn(seed)
    found = rows(edges, lines)
    assert sorted(k for row in found for k in row) == list(range(len(edges)))
    for row in found:
        assert (np.diff(edges[row, 0]) >= 0).all()


def test_no_words_are_no_lines() -> None:
    assert rows(boxes(), np.zeros(0, np.int64)) == []


def test_lines_are_read_from_top_to_bottom_and_beside_each_other_from_left_to_right() -> None:
    lines = [line("5", 10, 300), line("2", 500, 6), line("34", 10, 100), line("1", 10, 0)]
    assert texts(in_reading_order(lines)) == ["1", "2", "34", "5"]
    assert texts(in_reading_order(lines[::-1])) == ["1", "2", "34", "5"]
    assert in_reading_order([]) == []


@pytest.mark.parametrize("shift", [-15, 0, 15])
def test_lines_not_quite_at_one_height_are_read_from_left_to_right(shift: int) -> None:
    lines = [line("2", 600, 100 + shift), line("1", 10, 100)]
    assert texts(in_reading_order(lines)) == ["1", "2"]


@pytest.mark.parametrize(("down", "first"), [(20, "1"), (21, "2")])
@pytest.mark.parametrize("tall", [(40, 40), (40, 60), (60, 40)])
def test_a_line_is_below_another_from_more_than_half_of_the_lower_ones_height_on(
    tall: tuple[int, int], down: int, first: str
) -> None:
    right = line("2", 600, 100, tall[0])
    left = line("1", 10, 100 + down - (tall[1] - tall[0]) // 2, tall[1])
    assert texts(in_reading_order([right, left]))[0] == first


# --- marks at the ends of a line ---


@pytest.mark.parametrize(("confidence", "stays"), [(0.9, True), (0.91, False)])
def test_what_is_no_digit_goes_from_an_end_where_it_is_more_than_90_percent_sure(
    confidence: float, stays: bool
) -> None:
    marks = digit("1", 0, 0), digit(REFUSED, 40, 0, confidence=confidence)
    assert trimmed(marks) == (marks if stays else marks[:1])


def test_what_is_surely_no_digit_goes_from_the_ends_of_a_line_and_stays_within() -> None:
    strange, doubtful = (digit(REFUSED, 0, 0, confidence=p) for p in (0.95, 0.6))
    one, two = digit("1", 0, 0), digit("2", 0, 0)
    assert trimmed([strange, one, strange, two, strange, strange]) == (one, strange, two)
    assert trimmed([doubtful, one, doubtful]) == (doubtful, one, doubtful)
    assert trimmed([strange]) == trimmed([]) == ()


# --- the one line of layout line ---


def test_the_line_of_a_picture_is_that_with_the_most_likely_digits(
    reader: Reader, write: Callable[..., Image.Image]
) -> None:
    seen = reader.seen(open_picture(write("23", "45678", "9", pitch=40)))
    number = best_line(seen.words, np.full((len(seen.words), 2), 0.5))
    found = [word.text for word in seen.words if word.number == number]
    assert "".join(found) == "45678"
    doubted = np.array([(0.01, 0.0) if "5" in word.text else (0.9, 0.8) for word in seen.words])
    number = best_line(seen.words, doubted)
    assert "".join(word.text for word in seen.words if word.number == number) == "23"


def test_without_words_there_is_no_line() -> None:
    assert best_line([], scored()) is None


def test_a_whole_number_is_chosen_before_a_part_of_it_that_is_surer() -> None:
    edges = np.array([[0, 0, 100, 20], [20, 0, 40, 20]], np.float64)
    p = np.array([[0.98, 0.94], [1.0, 1.0]])
    assert best_set(edges, np.array([0, 1]), p, np.array([5.0, 1.0])) == [0]
