"""The page score: what is there is told from what is not, and the truth of words comes from the drawn page."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5 import Reader
from lenet5.global_training.page_examples import Example, PageMaker, example_of
from lenet5.global_training.page_score import fitted, outcome
from lenet5.learning.data import ImageSet, load
from lenet5.reading.word_features import FEATURES
from lenet5.result import Box
from lenet5.synthesis.pages import KINDS, Page, TrueLine


@pytest.fixture(scope="module")
def make() -> PageMaker:
    held_out = load("digits", "test")
    assert isinstance(held_out, ImageSet)
    return PageMaker(held_out, (), seed=3)


def examples(count: int, generator: np.random.Generator) -> list[Example]:
    """Pages of six words: one feature tells the three that are there, another the two of them that are right."""
    pages = []
    for _ in range(count):
        features = generator.normal(0, 1, (6, len(FEATURES)))
        there, right = np.arange(6) < 3, np.arange(6) < 2
        features[:, 3] = np.where(there, 2, -2) + generator.normal(0, 0.3, 6)
        features[:, 5] = np.where(right, 2, -2) + generator.normal(0, 0.3, 6)
        edges = np.array([[20 * k, 0, 20 * k + 10, 15] for k in range(6)], np.float64)
        covered = np.where(there, 1, 0)
        pages.append(Example("a page", features, edges, np.arange(6), there, right, covered, total=3))
    return pages


@pytest.mark.slow
def test_a_fitted_score_tells_new_words_that_are_there_from_others_and_right_ones_from_wrong() -> None:
    generator = np.random.default_rng(0)
    score = fitted(examples(40, generator), generator)
    for page in examples(5, generator):
        p = score(page.features, page.lines)
        assert (p[page.there, 0] > 0.8).all()
        assert (p[~page.there, 0] < 0.2).all()
        assert p[page.right, 1].min() > p[~page.right, 1].max()


@pytest.mark.slow
def test_the_same_examples_and_seed_give_the_same_score() -> None:
    pages = examples(10, np.random.default_rng(1))
    texts = [fitted(pages, np.random.default_rng(2)).to_json() for _ in range(2)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_confidence_of_whole_pages_is_how_often_they_are_right() -> None:
    generator = np.random.default_rng(4)
    pages = examples(60, generator)  # every page has a wrong word that is there
    score = fitted(pages, generator)
    outcomes = [outcome(score, page) for page in pages]
    confidences = [score.confidence(p_right, p_left_out) for p_right, p_left_out, _ in outcomes]
    assert np.mean(confidences) == pytest.approx(np.mean([right for _, _, right in outcomes]), abs=0.1)


def test_page_number_of_a_kind_is_the_same_whatever_else_is_drawn(make: PageMaker) -> None:
    first = make("icon", 3)
    make("strings, spaced", 0)
    np.testing.assert_array_equal(make("icon", 3).picture, first.picture)
    assert not np.array_equal(make("icon", 4).picture, first.picture)


@pytest.mark.slow
def test_in_every_drawn_string_a_word_is_there_and_where_nothing_is_drawn_none_is(
    reader: Reader, make: PageMaker
) -> None:
    strings = [example_of(reader, "strings, spaced", make("strings, spaced", k)) for k in range(6)]
    assert all(example.there.any() for example in strings)
    assert sum(example.right.sum() for example in strings) > 0
    empty = [kind for kind in KINDS if kind.startswith("no digits")][:4]
    assert not any(example_of(reader, kind, make(kind, 0)).there.any() for kind in empty)


def test_a_word_elsewhere_on_the_page_is_not_there(reader: Reader, make: PageMaker) -> None:
    page = make("strings, spaced", 1)
    (line,) = page.lines
    height = page.picture.shape[0]
    below = tuple(Box(b.left, b.top + height, b.right, b.bottom + height) for b in line.boxes)
    moved = Page(page.picture, (TrueLine(line.text, line.transcript, below),))
    assert not example_of(reader, "strings, spaced", moved).there.any()
