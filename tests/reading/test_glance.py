"""A glance: lines of words are left out, numbers among them stay, and every mark is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.learning.data import ImageSet, load
from lenet5.normalise import normalise
from lenet5.reading.components import components
from lenet5.reading.glance import Glance, glanced, within_budget
from lenet5.reading.proposals import Proposal, proposals_of
from tests.reading.test_proposals import ink_of
from tests.reading.test_straight import blank

Images = NDArray[np.uint8]
Floats = NDArray[np.float64]
Network = Callable[[Images], Floats]

LETTER, DIGIT = 0.2, 0.97


def line(*words: str, height: int = 30, larger: Sequence[int] = ()) -> Proposal:
    """A line of words: of each character that is no space a mark, filled for a digit and hollow for a letter.

    "W" is twice as wide as it is high; words numbered in ``larger`` are half as large again.
    """
    pitch, gap = round(0.8 * height), round(1.5 * height)
    mask = blank(3 * height, sum(len(word) for word in words) * 3 * height + len(words) * 2 * gap)
    left = 20
    for number, word in enumerate(words):
        high = round(1.5 * height) if number in larger else height
        for character in word:
            wide = 2 * high if character == "W" else high // 2
            mask[10 : 10 + high, left : left + wide] = 1
            if not character.isdigit():
                mask[13 : 7 + high, left + 3 : left + wide - 3] = 0
            left += wide + pitch - high // 2
        left += gap
    marks = components(mask > 0)
    assert len(marks) == sum(map(len, words))
    return Proposal(ink_of(mask), marks, np.arange(len(marks)), np.zeros(0, np.int64), None)


def filled_are_digits(images: Images) -> Floats:
    """The network of these tests: P(digit) by how much of a mark's box is ink."""
    inked = [image[image.any(axis=1)][:, image.any(axis=0)].mean() for image in images]
    return np.where(np.array(inked) > 200, DIGIT, LETTER)


def counts(glances: Sequence[Glance]) -> list[int]:
    """How many marks are read of each glance."""
    return [len(one.proposal.tall) for one in glances]


@pytest.mark.parametrize("words", [["ab"], ["a", "bcd"], ["abcdefg"], ["12", "ab"]])
def test_in_a_short_line_every_word_is_read(words: list[str]) -> None:
    proposal = line(*words)
    (glance,) = glanced([proposal], filled_are_digits)
    assert glance.proposal is proposal


def test_a_long_line_of_words_is_not_read() -> None:
    assert glanced([line("received", "with", "thanks")], filled_are_digits) == []


@pytest.mark.parametrize("words", [["12345678901"], ["123", "4567", "89012"], ["123456", "789", "ab"]])
def test_a_long_line_of_digits_is_read_whole(words: list[str]) -> None:
    proposal = line(*words)
    (glance,) = glanced([proposal], filled_are_digits)
    assert glance.proposal is proposal


def test_of_a_long_line_of_words_the_number_is_read() -> None:
    proposal = line("received", "2471", "with", "thanks")
    (glance,) = glanced([proposal], filled_are_digits)
    assert glance.proposal.marks is proposal.marks
    left = np.sort(glance.proposal.marks.left[glance.proposal.tall])
    assert left.tolist() == np.sort(proposal.marks.left[proposal.tall])[8:12].tolist()


def test_numbers_side_by_side_in_a_line_of_words_stay_one_line() -> None:
    assert counts(glanced([line("received", "247", "35", "with", "12", "thanks")], filled_are_digits)) == [5, 2]


def test_of_a_page_of_specks_not_all_are_read() -> None:
    many = line("1")
    specks = replace(many, low=np.zeros(2000, np.int64))
    assert len(within_budget(glanced([specks] * 5, filled_are_digits))) == 2


def test_what_was_seen_of_the_whole_line_and_page_goes_along_with_its_number() -> None:
    words, other = line("received", "2471", "with", "thanks"), line("12")
    (number, _) = glanced([words, other], filled_are_digits)
    assert number.marks == number.page_marks == 22
    assert number.mean == pytest.approx((4 * DIGIT + 18 * LETTER) / 22)
    assert number.page_mean == pytest.approx(number.mean)  # another ink is another page


def test_lines_of_one_ink_are_one_page() -> None:
    both = line("1234", "abcd")
    proposals = [replace(both, tall=np.arange(4)), replace(both, tall=np.arange(4, 8))]
    digits, letters = glanced(proposals, filled_are_digits)
    assert (digits.mean, letters.mean) == pytest.approx((DIGIT, LETTER))
    for one in (digits, letters):
        assert (one.marks, one.page_marks) == (4, 8)
        assert one.page_mean == pytest.approx((LETTER + DIGIT) / 2)


def test_one_mark_like_a_digit_in_a_line_of_words_is_a_letter_unless_it_is_larger() -> None:
    words = ["received", "1", "with", "thanks"]
    assert glanced([line(*words)], filled_are_digits) == []
    assert counts(glanced([line(*words, larger=[1])], filled_are_digits)) == [1]


def test_a_larger_word_of_letters_is_not_read() -> None:
    assert glanced([line("received", "boss", "with", "thanks", larger=[1])], filled_are_digits) == []


def test_a_mark_too_wide_to_tell_is_read_where_it_is_larger_than_the_words() -> None:
    words = ["received", "W", "with", "thanks"]
    assert glanced([line(*words)], filled_are_digits) == []
    assert counts(glanced([line(*words, larger=[1])], filled_are_digits)) == [1]


def test_a_line_without_anything_like_a_digit_is_not_read_unless_marks_may_touch() -> None:
    def nothing(images: Images) -> Floats:
        return np.full(len(images), 0.01)

    assert glanced([line("abc")], nothing) == []
    assert counts(glanced([line("aWc")], nothing)) == [3]


def test_every_mark_is_looked_at_once_in_one_batch() -> None:
    batches = []

    def counting(images: Images) -> Floats:
        batches.append(len(images))
        return filled_are_digits(images)

    glanced([line("abc"), line("1234567890"), line("W")], counting)
    assert batches == [14]


def test_without_proposals_nothing_is_looked_at() -> None:
    def none(images: Images) -> Floats:
        raise AssertionError

    assert glanced([], none) == []


def test_of_very_many_lines_those_most_like_numbers_are_read() -> None:
    one = line("1")
    chances = np.linspace(0.1, 0.9, 500)
    glances = within_budget(glanced([one] * 500, lambda images: np.random.default_rng(0).permutation(chances)))
    assert len(glances) == 300
    assert min(glance.mean for glance in glances) == pytest.approx(chances[200])


@pytest.mark.parametrize("side", [30, 90])
def test_what_is_looked_at_is_nearly_the_mark_in_mnists_form(side: int) -> None:
    digits = load("digits", "test")
    assert isinstance(digits, ImageSet)
    images: list[Images] = []

    def kept(seen: Images) -> Floats:
        images.extend(seen)
        return np.full(len(seen), DIGIT)

    for image in digits.images[:40]:
        level = np.pad(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255, 10)
        mask = (level > 0.3).astype(np.uint8)
        if cv2.connectedComponents(mask)[0] != 2:
            continue
        images.clear()
        glanced(proposals_of(ink_of(mask)), kept)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        careful = normalise(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32))
        alike = [np.corrcoef(quick.ravel(), careful.ravel())[0, 1] for quick in images]
        assert max(alike) > 0.85
