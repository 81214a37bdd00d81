"""A glance at its boundaries: from which P(digit), width, height and number on a line or word is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import components
from lenet5.reading.glance import Glance, glanced, within_budget
from lenet5.reading.proposals import Proposal
from tests.reading.test_glance import DIGIT, LETTER, Floats, Images
from tests.reading.test_proposals import ink_of
from tests.reading.test_straight import blank


def marked(*sizes: tuple[int, int, int], low: Sequence[int] = ()) -> Proposal:
    """A chain of filled marks (gap before it, width, height), those numbered in ``low`` as its low ones."""
    mask = blank(200, sum(gap + wide for gap, wide, _ in sizes) + 10)
    left = 5
    for gap, wide, high in sizes:
        left += gap
        mask[5 : 5 + high, left : left + wide] = 1
        left += wide
    marks = components(mask > 0)
    assert marks.left.tolist() == sorted(marks.left.tolist())
    numbers = np.arange(len(sizes))
    return Proposal(ink_of(mask), marks, np.setdiff1d(numbers, low), np.array(low, np.int64), None)


def read(proposal: Proposal, p: Sequence[float]) -> list[list[int]]:
    """The marks of each part that is read where a glance gives this P(digit) of each."""
    return [glance.proposal.tall.tolist() for glance in glanced([proposal], lambda images: np.array(p))]


LETTERS = [LETTER] * 20
NARROW, WIDE = (20, 56, 40), (20, 57, 40)
"""Marks 1.4 heights wide, and a pixel wider: these may be digits that touch."""


@pytest.mark.parametrize(("p", "mark", "is_read"), [(0.05, NARROW, 1), (0.049, NARROW, 0), (0.049, WIDE, 1)])
def test_a_line_is_read_from_5_percent_on_or_where_a_mark_is_wider_than_1_4_heights(
    p: float, mark: tuple[int, int, int], is_read: int
) -> None:
    assert len(read(marked(mark), [p])) == is_read


def test_a_line_may_be_one_of_words_from_eight_marks_on() -> None:
    assert len(read(marked(*[(20, 20, 40)] * 7), LETTERS[:7])) == 1
    assert len(read(marked(*[(20, 20, 40)] * 8), LETTERS[:8])) == 0


def test_a_line_with_fewer_than_four_marks_narrow_enough_to_tell_is_read() -> None:
    assert len(read(marked(*[NARROW] * 3, *[WIDE] * 5), LETTERS[:8])) == 1
    assert len(read(marked(*[NARROW] * 4, *[WIDE] * 4), LETTERS[:8])) == 0


@pytest.mark.parametrize(("p", "lines"), [(0.75, 1), (0.74, 0)])
def test_a_line_in_which_three_of_four_marks_are_digits_is_no_line_of_words(p: float, lines: int) -> None:
    assert len(read(marked(*[(20, 20, 40)] * 8), [p] * 8)) == lines


@pytest.mark.parametrize(("p", "lines"), [((0.875, 0.875), [[6, 7]]), ((0.84, 0.84), []), ((0.85, 0.85), [[6, 7]])])
def test_a_word_of_two_marks_in_a_line_of_words_is_read_from_85_percent_on(
    p: tuple[float, float], lines: list[list[int]]
) -> None:
    words = marked(*[(20, 20, 40)] * 6, (100, 20, 40), (20, 20, 40))
    assert read(words, [*LETTERS[:6], *p]) == lines


@pytest.mark.parametrize(("high", "p", "is_read"), [(50, 0.85, 1), (49, 0.99, 0), (50, 0.84, 0)])
def test_one_mark_in_a_line_of_words_is_read_where_it_is_a_quarter_taller_and_like_a_digit(
    high: int, p: float, is_read: int
) -> None:
    words = marked(*[(20, 20, 40)] * 8, (100, 20, high))
    assert len(read(words, [*LETTERS[:8], p])) == is_read


@pytest.mark.parametrize(("gap", "parts"), [(24, []), (25, [[7, 8]])])
def test_a_gap_wider_than_three_fifths_of_the_height_parts_a_number_from_letters(
    gap: int, parts: list[list[int]]
) -> None:
    words = marked(*[(20, 20, 40)] * 7, (gap, 20, 40), (20, 20, 40))
    assert read(words, [*LETTERS[:7], DIGIT, DIGIT]) == parts


@pytest.mark.parametrize(("gap", "taken"), [(30, [9, 12]), (31, [])])
def test_the_low_marks_up_to_a_height_beside_a_number_go_along(gap: int, taken: list[int]) -> None:
    words = marked(*[(20, 20, 40)] * 9, (100, 10, 10), (gap, 20, 40), (20, 20, 40), (gap, 10, 10), low=(9, 12))
    (glance,) = glanced([words], lambda images: np.array([*LETTERS[:9], DIGIT, DIGIT]))
    assert glance.proposal.tall.tolist() == [10, 11]
    assert glance.proposal.low.tolist() == taken


def means(glances: Sequence[Glance]) -> list[float]:
    return [glance.mean for glance in glances]


def test_three_hundred_lines_are_read_as_they_come_and_of_more_the_likeliest() -> None:
    line_of_one = marked(NARROW)
    glances = [Glance(line_of_one, k / 301, 1, 0.5, 1) for k in range(301)]
    assert within_budget(glances[:300]) == glances[:300]
    assert means(within_budget(glances)) == means(glances[:0:-1])


@pytest.mark.parametrize(
    ("sizes", "order"),
    [((1, 2999), [0, 1]), ((2, 2999), [1, 0]), ((1, 3000), [1])],
    ids=["as they come", "the likeliest first", "the likeliest alone"],
)
def test_marks_are_read_up_to_three_thousand_and_a_line_that_begins_before_is_read_whole(
    sizes: Sequence[int], order: Sequence[int]
) -> None:
    one = marked(NARROW)
    many = [replace(one, low=np.zeros(size - 1, np.int64)) for size in sizes]
    glances = [Glance(proposal, p, 1, 0.5, 1) for proposal, p in zip(many, (0.6, 0.7), strict=True)]
    assert within_budget(glances) == [glances[k] for k in order]


# --- what is looked at ---


def looked_at(contrast: NDArray[np.float32]) -> Images:
    """The one image of a mark of this contrast."""
    images: list[Images] = []

    def kept(seen: Images) -> Floats:
        images.extend(seen)
        return np.full(len(seen), DIGIT)

    ink = replace(ink_of((contrast > 0).astype(np.uint8)), contrast=contrast)
    marks = components(contrast > 0)
    glanced([Proposal(ink, marks, np.zeros(1, np.int64), np.zeros(0, np.int64), None)], kept)
    (image,) = images
    return image


@pytest.mark.parametrize("strength", [1, 0.25])
def test_the_strongest_ink_of_a_mark_is_full_and_from_four_fifths_of_it_on(strength: float) -> None:
    contrast = np.repeat(np.array([1, 0.81, 0.75, 0.5], np.float32), 5)[:, None] * np.full(20, strength, np.float32)
    assert looked_at(contrast)[6:26:5, 14].tolist() == [255, 255, 240, 160]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(("bar", "middle"), [(1, 14), (4, None)], ids=["light", "heavy"])
def test_the_mass_of_a_mark_comes_to_the_middle_as_far_as_the_frame_goes(
    bar: int, middle: float | None, way: int, turned: bool
) -> None:
    mark = np.zeros((20, 20), np.float32)
    mark[:bar] = mark[:, 9:11] = 1  # a T
    mark = mark[::way]
    image = looked_at(mark.T.copy() if turned else mark.copy())
    along, across = np.nonzero(image.T if turned else image)
    assert across.mean() == pytest.approx(14, abs=0.51)
    if middle is None:  # its heavy bar cannot come to the middle
        assert (along.max() if way == 1 else along.min()) == (27 if way == 1 else 0)
    else:
        assert along.mean() == pytest.approx(middle, abs=0.51)
