"""Allowed texts of lines: which runs of words are searched, and what is likely enough."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.reading import allowed
from lenet5.reading.allowed import _lengths, _ranges, allowed_texts, best_allowed
from lenet5.reading.constraint import Constraint, compile_constraint
from lenet5.reading.words import Word, words_of
from tests.reading.written_lines import lattice_of, says, strokes, surely


def digits(pattern: str) -> Constraint:
    constraint = compile_constraint(DIGITS, pattern=pattern)
    assert constraint is not None
    return constraint


def words(count: int, p: float = 0.98) -> list[Word]:
    """So many words of one line, each a 1 with probability ``p``."""
    lattice = lattice_of(strokes(*range(5, 5 + 40 * count, 40), width=40 * count), surely("1", p=p))
    found = words_of([None], [lattice])  # type: ignore[list-item]
    assert len(found) == count
    return found


def there(*p: float) -> NDArray[np.float64]:
    """Scores of words: P(a number stands there), and that it is right."""
    return np.array([(one, one / 2) for one in p])


@pytest.mark.parametrize(
    ("p", "whole", "found"),
    [(0.5, False, True), (0.0012, False, True), (0.001, False, True), (0.0009, False, False), (0.0, True, True)],
)
def test_a_text_is_searched_where_something_stands_with_one_in_a_thousand(p: float, whole: bool, found: bool) -> None:
    texts = allowed_texts(words(1), there(p), digits("1"), 1.0, whole)
    assert [text.text for text in texts] == (["1"] if found else [])
    assert [text.there for text in texts] == ([p] if found else [])


@pytest.mark.parametrize(("p", "found"), [(0.6, True), (0.68, True), (0.7, False), (0.8, False)])
def test_a_text_is_given_where_an_allowed_one_has_one_in_a_thousand(p: float, found: bool) -> None:
    own = words(2, p)
    (whole,) = allowed_texts(own, there(0.9, 0.9), digits("7 7"), 1.0, whole=True)
    assert whole.any == pytest.approx(1e-3, rel=0.1 if 0.6 < p < 0.8 else 1)
    assert (whole.any >= 1e-3) == found
    parts = allowed_texts(own, there(0.9, 0.9), digits("7 7"), 1.0, whole=False)
    assert [text.text for text in parts] == (["7 7"] if found else [])


def test_of_whole_lines_without_an_allowed_text_nothing_is_given() -> None:
    assert allowed_texts(words(2), there(0.9, 0.9), digits(r"\d{3}"), 1.0, whole=True) == []
    assert allowed_texts(words(2), there(0.9, 0.9), digits(r"\d{3}"), 1.0, whole=False) == []


def test_the_best_five_allowed_texts_are_told_and_their_marks_hold_no_speck() -> None:
    level = strokes(5, width=60)
    level[50:54, 20:24] = 1  # a dot, which may be a speck
    lattice = lattice_of(level, says(0.01, 0.7, *[0.03] * 8, 0.05))
    own = words_of([None], [lattice])  # type: ignore[list-item]
    (best,) = allowed_texts(own, there(*[0.9] * len(own)), digits(r"\d"), 1.0, whole=True)
    assert best.text == "1"
    assert len(best.marks) == 1
    assert len(best.others) == 4
    assert best.p + sum(p for _, p in best.others) < best.any <= 1


def test_a_gap_between_words_is_a_space_and_part_of_a_line_may_be_the_text() -> None:
    own, p = words(3), there(0.5, 0.7, 0.6)
    (pair, other) = allowed_texts(own, p, digits(r"\d \d"), 1.0, whole=False)
    assert (pair.text, pair.there, other.text, other.there) == ("1 1", 0.7, "1 1", 0.7)
    assert pair.marks[0].box != other.marks[0].box
    assert [text.text for text in allowed_texts(own, p, digits(r"\d \d \d"), 1.0, whole=True)] == ["1 1 1"]


def test_a_hundred_runs_of_words_of_a_line_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[object] = []
    monkeypatch.setattr(allowed, "_allowed", lambda lattice, edges, *_: searched.append(edges))
    assert allowed_texts(words(16), there(*[0.9] * 16), digits(r"\d+"), 1.0, whole=False) == []
    assert len(set(searched)) == len(searched) == 100  # of 136


GROUPS = [(0, 2, 2), (2, 3, 1), (3, 6, 2)]  # first piece, one after the last, marks


@pytest.mark.parametrize(
    ("lengths", "ranges"),
    [
        ((1, math.inf), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
        ((3, math.inf), [(0, 2), (0, 3), (1, 3), (2, 3)]),  # three pieces may be three marks, which is one more
        ((4, math.inf), [(0, 3), (1, 3)]),
        ((1, 1.0), [(1, 2), (0, 1), (2, 3)]),  # each word is a mark at least
        ((1, 2.0), [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]),
        ((3, 3.0), [(0, 2), (1, 3), (2, 3), (0, 3)]),
        ((7, 9.0), []),
    ],
)
def test_runs_of_words_are_those_that_an_allowed_text_may_fill_the_likeliest_lengths_first(
    lengths: tuple[int, float], ranges: list[tuple[int, int]]
) -> None:
    assert _ranges(GROUPS, lengths) == ranges


@pytest.mark.parametrize(
    ("pattern", "lengths"),
    [
        (r"\d{3}", (3, 3.0)),
        (r"\d \d\d", (3, 3.0)),
        (r"\d{2,5}", (2, 5.0)),
        (r"\d+", (1, math.inf)),
        (r"\d{100}", (100, 100.0)),
        (r"\d{101}", (100, math.inf)),
        (r"\d{2}|\d{101}", (2, math.inf)),
    ],
)
def test_lengths_of_allowed_texts_are_known_up_to_a_hundred(pattern: str, lengths: tuple[int, float]) -> None:
    assert _lengths(digits(pattern)) == lengths


def test_texts_that_lead_back_to_the_first_state_may_be_of_any_length() -> None:
    again = Constraint("0 ", np.array([[0, -1]], np.int32), np.array([True]))
    assert _lengths(again) == (0, math.inf)


def test_of_texts_of_the_same_ink_the_likeliest_is_given() -> None:
    (sure,) = allowed_texts(words(1), there(0.9), digits("1"), 1.0, whole=True)
    (unsure,) = allowed_texts(words(1, 0.8), there(0.9), digits("[02-9]"), 1.0, whole=True)
    assert [text.text for text in best_allowed([unsure, sure])] == ["1"]
    assert best_allowed([]) == []
