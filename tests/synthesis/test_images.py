"""Images made from training images: labelled right, of every kind, the same from the same seed."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from lenet5 import Reader, paper
from lenet5.codes import SEPARATORS
from lenet5.learning.data import ImageSet, load
from lenet5.synthesis.images import hard_digits, junk, separators
from lenet5.synthesis.strings import write
from lenet5.synthesis.symbols import CLASSES, from_images


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    found = load("digits", "test")
    assert isinstance(found, ImageSet)
    return found


def test_hard_digits_keep_their_labels_and_take_turns(digits: ImageSet) -> None:
    made = hard_digits(digits, 720, np.random.default_rng(0))
    assert 680 < len(made.images) <= 720
    assert np.abs(np.bincount(made.labels) - 2 * np.bincount(digits.labels)).max() <= 10


def test_hard_digits_can_mostly_be_read(digits: ImageSet) -> None:
    made = hard_digits(digits, 300, np.random.default_rng(0))
    answers, _ = Reader(threads=1).classify(made.images)
    assert (answers == made.labels).mean() > 0.6


def test_junk_is_no_digit(digits: ImageSet) -> None:
    made = junk(digits, 100, np.random.default_rng(0))
    assert len(made.images) > 90
    assert set(made.labels.tolist()) == {paper.NOT_A_DIGIT}


def test_separators_are_labelled_by_their_place_in_the_classes() -> None:
    made = separators((), 160, CLASSES, np.random.default_rng(0))
    assert len(made.images) > 100
    assert {CLASSES[label] for label in made.labels} == set(SEPARATORS)


def test_the_same_seed_makes_the_same_images(digits: ImageSet) -> None:
    for maker in (hard_digits, junk):
        first, again = (maker(digits, 60, np.random.default_rng(3)) for _ in range(2))
        assert first.images.tobytes() == again.images.tobytes()
        assert first.labels.tobytes() == again.labels.tobytes()


def test_in_joined_strings_more_digits_meet_and_none_hides_another(digits: ImageSet) -> None:
    met, source = {}, from_images(digits)
    for joined in (False, True):
        generator = np.random.default_rng(4)
        meetings: list[bool] = []
        for _ in range(60):
            text = "".join(map(str, generator.integers(0, 10, 4)))
            written = write(source(text, generator), generator, joined)
            inked = written.shares[:-1] > 0.35
            for first, second in pairwise(inked):
                near = cv2.dilate(first.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
                meetings.append(bool((near & second).any()))
                assert (first & second).sum() < 0.5 * min(first.sum(), second.sum())
        met[joined] = float(np.mean(meetings))
    assert met[True] > met[False] + 0.05
