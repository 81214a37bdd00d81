"""Scored words → readings: alternatives, refusals, the one digit of a word, at the edges of each rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.reading.allowed import Allowed
from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.lattice import Lattice, LineModel
from lenet5.reading.layouts import allowed_lines, decided, likeliest_digit, refused_below, whole_line
from lenet5.reading.picture import Picture
from lenet5.reading.words import Seen, Word, wholes_of, words_of
from lenet5.result import REFUSED, Box, Digit, Reading, Separator
from tests.reading.written_lines import alike, lattice_of, says, strokes, surely

BOX = Box(0, 0, 9, 9)
PICTURE = Picture(np.ones((60, 200), np.float32), (200, 60))
MODEL = LineModel(DIGITS, surely("1"), alike(DIGITS), 1.0)
NONE = len(DIGITS)


# --- layout digit ---


def answer(*p: float, there: float = 1.0) -> Digit:
    """Of the digits 0, 1, 2 …, the others 0."""
    own = np.zeros(11)
    own[: len(p)] = p
    own[-1] = 1 - sum(p)
    return decided(own, np.zeros((28, 28), np.uint8), BOX, there)


def test_the_alternatives_of_one_digit_are_listed_from_half_in_a_thousand_on() -> None:
    found = answer(0.9, 0.0006, 0.0005, 0.0004)
    assert found.label == "0"
    assert [label for label, _ in found.alternatives] == [REFUSED, "1", "2"]


def test_that_no_digit_stands_there_counts_for_refusing() -> None:
    assert (answer(0.9, there=0.5).label, answer(0.9, there=0.6).label) == (REFUSED, "0")
    assert answer(0.9, there=0.5).confidence == pytest.approx(0.55)
    assert answer(0.4, 0.35).label == "0"
    assert answer(0.3, 0.3).label == REFUSED


def single(lattice: Lattice, arcs: tuple[int, ...]) -> NDArray[np.uint8]:
    """The image that layout digit takes of a word."""
    word = Word(None, lattice, 0, arcs, tuple(lattice.mark(k) for k in arcs))  # type: ignore[arg-type]
    return likeliest_digit(PICTURE, Seen([word], np.zeros((1, 37)), inked=True), np.array([(0.9, 0.8)]))[0]


def two_strokes(*rows: tuple[int, int, int, int, float]) -> Lattice:
    """Strokes with arcs (first piece, one after the last, label, candidate, score)."""
    lattice = lattice_of(strokes(5, 12, width=120), surely("1"))
    first, last, label, candidate, score = map(np.array, zip(*rows, strict=True))
    arcs = Arcs(first, last, label, score.astype(np.float64), candidate)
    path = replace(lattice.path, posteriors=np.full(len(rows), 0.5))
    return replace(lattice, arcs=arcs, path=path)


LEFT, BOTH, RIGHT = 0, 1, 2  # candidates


def test_the_digit_of_a_word_is_its_only_one() -> None:
    lattice = two_strokes(
        (0, 1, 1, LEFT, -5.0), (1, 2, NONE, RIGHT, -1.0), (0, 2, 0, BOTH, -1.0), (1, 2, 7, RIGHT, -0.1)
    )
    assert single(lattice, (0,)).tolist() == lattice.candidates.images[LEFT].tolist()


@pytest.mark.parametrize("refused", [False, True])
def test_of_a_word_of_several_digits_or_of_a_refused_one_the_likeliest_digit_within_it_is_taken(refused: bool) -> None:
    """All arcs but that of both strokes as a 0 are of too little ink, of no digit, or not within the word."""
    rows = [
        (0, 1, 1, LEFT, -0.1), (1, 2, 1, RIGHT, -0.1), (0, 2, NONE, BOTH, -0.05),
        (0, 2, 0, BOTH, -1.0), (0, 2, SPECK, -1, 0.0),
    ]  # fmt: skip
    lattice = two_strokes(*rows)
    arcs = (2,) if refused else (0, 1)
    assert single(lattice, arcs).tolist() == lattice.candidates.images[BOTH].tolist()
    assert not np.array_equal(lattice.candidates.images[BOTH], lattice.candidates.images[LEFT])


def test_arcs_that_reach_out_of_a_word_are_not_its_digit() -> None:
    left, right = [(0, 1, NONE, LEFT, -0.1), (0, 1, 0, LEFT, -3.0)], [(1, 2, NONE, RIGHT, -0.1), (1, 2, 0, RIGHT, -3.0)]
    lattice = two_strokes(*left, *right, (0, 2, 8, BOTH, 5.0))
    assert single(lattice, (0,)).tolist() == lattice.candidates.images[LEFT].tolist()
    assert single(lattice, (2,)).tolist() == lattice.candidates.images[RIGHT].tolist()


def test_what_was_refused_is_not_the_digit_though_it_takes_more_ink() -> None:
    lattice = two_strokes((0, 1, 1, LEFT, -0.1), (0, 2, NONE, BOTH, -0.05))
    assert single(lattice, (1,)).tolist() == lattice.candidates.images[LEFT].tolist()


def test_one_allowed_text_has_its_alternatives_and_two_have_none() -> None:
    one, two = (
        Allowed(text, (Digit(text, 0.9, Box(left, 0, left + 8, 12)),), 0.9, 0.95, 1.0, (("7", 0.05),))
        for text, left in (("4", 0), ("5", 50))
    )
    seen = Seen([], np.zeros((0, 37)), inked=True)
    for found, alternatives in (([one], one.others), ([one, two], ())):
        reading = allowed_lines(PICTURE, seen, np.zeros((0, 2)), None, found, whole=False)  # type: ignore[arg-type]
        assert reading.alternatives == alternatives
        assert len(reading.texts) == len(found)


# --- digits that are not sure enough ---


def test_a_digit_is_refused_below_the_least_confidence_and_not_at_it() -> None:
    def reading() -> Reading:
        marks = (
            Digit("4", 0.9, BOX, (("9", 0.06), (REFUSED, 0.01))),
            Separator("/", BOX, 0.1),
            Digit(REFUSED, 0.3, BOX),
        )
        return Reading((marks,), 0.9, texts=("4/",))

    assert refused_below(reading(), 0.9) == reading()
    below = refused_below(reading(), 0.91)
    digit = below.lines[0][0]
    assert isinstance(digit, Digit)
    assert (digit.label, digit.alternatives) == (REFUSED, (("4", 0.9), ("9", 0.06)))
    assert digit.confidence == pytest.approx(0.04)
    assert below.lines[0][1:] == reading().lines[0][1:]
    assert below.confidence == pytest.approx(0.9 * 0.04 / 0.9)
    assert below.texts == ()


def test_refusing_what_is_not_likely_makes_a_text_no_surer() -> None:
    found = refused_below(Reading(((Digit("4", 0.2, BOX), Digit("5", 0.0, BOX)),), 0.5), 0.9)
    assert found.confidence == 0.5
    assert found.text == REFUSED * 2


# --- layout line ---


def line_reading(lattice: Lattice, right: float = 0.5, others: int = 0) -> Reading:
    """Of a lattice with its words, and of others in lines of their own that hardly stand there."""
    words = words_of([None] * (1 + others), [lattice] * (1 + others))  # type: ignore[list-item]
    p = np.array([(0.8, 0.8 * right) if word.number == 0 else (0.01, 0.005) for word in words])
    return whole_line(PICTURE, Seen(words, np.zeros((len(words), 37)), True), p, None, MODEL)  # type: ignore[arg-type]


def test_a_line_is_as_sure_as_its_words_are_where_they_stand() -> None:
    lattice = lattice_of(strokes(5, 60, width=120), surely("1"))
    assert len(lattice.words) == 2
    assert line_reading(lattice).confidence == pytest.approx(0.25)
    assert line_reading(lattice, others=2).confidence == pytest.approx(0.25)
    assert line_reading(lattice).text == "11"


def test_a_line_has_four_other_texts_that_share_what_its_own_leaves() -> None:
    lattice = lattice_of(strokes(5, width=60), says(*[0.15] * 4, *[0.06] * 6, 0.04))
    reading = line_reading(lattice)
    assert len(reading.alternatives) == 4
    assert sum(p for _, p in reading.alternatives) < 0.5
    assert {text for text, _ in reading.alternatives} <= {*DIGITS, REFUSED}


def test_other_texts_of_a_line_are_listed_from_half_in_a_thousand_on() -> None:
    lattice = lattice_of(strokes(5, width=60), says(0.004, 0.9, *[0.0] * 8, 0.0))
    listed = [dict(line_reading(lattice, right).alternatives) for right in np.linspace(0.9985, 0.9998, 40)]
    shares = sorted(p for row in listed for p in row.values())
    assert 0.0005 <= shares[0] < 0.00055
    assert {} in listed


def test_a_refused_mark_of_another_text_is_named_so() -> None:
    lattice = lattice_of(strokes(5, width=60), says(0.01, 0.5, *[0.005] * 8, 0.45))
    assert any(REFUSED in text for text, _ in line_reading(lattice).alternatives)


# --- words ---


def test_words_hold_a_digit_and_a_line_that_is_one_already_is_not_offered_whole_again() -> None:
    digit, nothing = (
        lattice_of(strokes(5, width=60), surely("1")),
        lattice_of(strokes(5, width=60), says(*[1e-6] * 10, 1.0)),
    )
    assert nothing.arcs.label[list(nothing.path.arcs)].tolist() != [1]
    found = words_of([None] * 3, [digit, nothing, None])  # type: ignore[list-item]
    assert [word.number for word in found] == [0]
    assert Seen(found, np.zeros((1, 37)), True).edges.shape == (1, 4)
    assert Seen([], np.zeros((0, 37)), True).edges.shape == (0, 4)
    two = two_strokes((0, 1, 1, LEFT, -0.1), (1, 2, 1, RIGHT, -0.1), (0, 2, 1, BOTH, -1.0))
    two = replace(two, path=replace(two.path, arcs=(0, 1)))
    wholes = wholes_of([None] * 3, [digit, two, None])  # type: ignore[list-item]
    assert [(word.number, word.text, word.arcs) for word in wholes] == [(3, "1", (2,))]
    assert wholes[0].lattice is two
