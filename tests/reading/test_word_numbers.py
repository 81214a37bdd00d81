"""Features of words that are made by hand, each number by its definition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.components import components
from lenet5.reading.glance import Glance
from lenet5.reading.ink import Ink
from lenet5.reading.lattice import Lattice
from lenet5.reading.proposals import Proposal
from lenet5.reading.word_features import FEATURES, features_of
from lenet5.reading.words import Word
from lenet5.result import REFUSED, Box, Digit, Separator
from tests.reading.written_lines import lattice_of, strokes, surely

HEIGHT, WIDTH = 100, 200
BOXES = [Box(50, 20, 53, 68), Box(70, 20, 73, 68)]
MASK = np.zeros((HEIGHT, WIDTH), np.bool_)
MASK[20:68, [50, 51, 52, 70, 71, 72]] = True
NO_LINES = np.zeros((HEIGHT, WIDTH), np.bool_)
LATTICE = lattice_of(strokes(50, 70, width=WIDTH), surely("1"))


def ink_of(mask: NDArray[np.bool_] = MASK, contrast: float = 1.0, noise: float = 0.01, window: int = 0) -> Ink:
    levels = contrast * mask.astype(np.float32)
    return Ink(levels, mask, noise, 1.0, 1 - levels, np.ones_like(levels), window=window)


INK = ink_of()


def word(
    boxes: list[Box] = BOXES,
    labels: str = "11",
    number: int = 0,
    ink: Ink = INK,
    lattice: Lattice = LATTICE,
    lined: NDArray[np.bool_] | None = None,
) -> Word:
    """A word of two strokes, however its marks are named and wherever their boxes lie."""
    marks = components(MASK)
    proposal = Proposal(ink, marks, np.arange(len(marks)), np.zeros(0, np.int64), lined)
    named = tuple(
        Separator(label, box, 0.9) if label in "/." else Digit(label, 0.9, box)
        for label, box in zip(labels, boxes, strict=True)
    )
    assert len(lattice.path.arcs) == 2
    return Word(Glance(proposal, 0.8, 2, 0.7, 4), lattice, number, lattice.path.arcs, named)


def features(*words: Word) -> dict[str, Any]:
    """Those of the first of some words."""
    return dict(zip(FEATURES, features_of(words, (HEIGHT, WIDTH))[0].tolist(), strict=True))


def moved(across: int, down: int, boxes: list[Box] = BOXES) -> list[Box]:
    return [Box(b.left + across, b.top + down, b.right + across, b.bottom + down) for b in boxes]


def sized(height: int) -> list[Box]:
    return [Box(50, 20, 53, 20 + height), Box(70, 20, 73, 20 + height)]


# --- a word by itself ---


@pytest.mark.parametrize(
    ("rubbish", "expected"), [(0.0, 6.0), (1e-5, 6.0), (0.01, 4.595), (0.5, 0.0), (0.98, -3.892), (1.0, -6.0)]
)
def test_how_likely_a_mark_is_a_character_is_a_logit_of_at_most_6(rubbish: float, expected: float) -> None:
    weighed = LATTICE.weighed.copy()
    with np.errstate(divide="ignore"):
        weighed[:, -1] = np.log(rubbish)
    found = features(word(lattice=replace(LATTICE, weighed=weighed)))
    assert found["character, mean"] == pytest.approx(expected, abs=1e-3)
    assert found["character, least"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("p", "expected"), [(0.0, -6.0), (1e-5, -6.0), (0.02, -3.892), (0.5, 0.0), (0.99, 4.595), (1.0, 6.0)]
)
def test_how_likely_a_label_is_right_is_a_logit_of_at_most_6(p: float, expected: float) -> None:
    path = replace(LATTICE.path, posteriors=np.full_like(LATTICE.path.posteriors, p))
    found = features(word(lattice=replace(LATTICE, path=path)))
    assert found["label, mean"] == pytest.approx(expected, abs=1e-3)
    assert found["label, least"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("posterior", "expected"), [(0.81, np.log(0.9)), (1e-8, np.log(1e-4)), (0.0, np.log(1e-9) / 2)]
)
def test_the_path_counts_by_the_mean_of_its_arcs(posterior: float, expected: float) -> None:
    found = features(word(lattice=replace(LATTICE, path=replace(LATTICE.path, posterior=posterior))))
    assert found["path"] == pytest.approx(expected)


def test_refused_digits_ones_and_separators_are_parts_of_the_marks() -> None:
    assert [features(word(labels=labels))["refused"] for labels in ("11", "7" + REFUSED, "7/")] == [0, 0.5, 0]
    assert [features(word(labels=labels))["ones"] for labels in ("11", "17", "77", "1/")] == [1, 0.5, 0, 1]
    assert [features(word(labels=labels))["separators"] for labels in ("11", "1/")] == [0, 0.5]


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ((3, 48), np.log(16)),
        ((1, 48), 3.0),
        ((2, 48), 3.0),
        ((3, 30), np.log(10)),
        ((60, 2), -3.0),
        ((48, 3), -np.log(16)),
    ],
)
def test_elongation_is_of_height_to_width_up_to_e_cubed(sides: tuple[int, int], expected: float) -> None:
    boxes = np.tile([50, 6, 50 + sides[0], 6 + sides[1]], (len(LATTICE.candidates.boxes), 1))
    lattice = replace(LATTICE, candidates=replace(LATTICE.candidates, boxes=boxes))
    assert features(word(lattice=lattice))["elongation"] == pytest.approx(expected)


def test_strokes_are_as_wide_as_twice_and_a_half_their_area_over_their_outline() -> None:
    """Two strokes of 3×48 in a box of 23×48 that ends where they do: 2 of 4 sides are seen."""
    assert features(word())["stroke width"] == pytest.approx(2.5 * 288 / 96 / 48)


@pytest.mark.parametrize(
    ("contrast", "noise", "expected"), [(1.0, 0.01, 100), (0.5, 0.01, 50), (1.0, 0.002, 500), (1.0, 0, 500)]
)
def test_contrast_is_measured_in_noise_of_at_least_two_in_a_thousand(
    contrast: float, noise: float, expected: float
) -> None:
    found = features(word(ink=ink_of(contrast=contrast, noise=noise)))
    assert found["contrast"] == pytest.approx(contrast)
    assert found["contrast over noise"] == pytest.approx(np.log(expected))


@pytest.mark.parametrize(
    ("across", "down", "borders"),
    [
        (0, 0, 0),
        (-49, 0, 1),
        (-48, 0, 0),
        (0, -19, 1),
        (0, -18, 0),
        (126, 0, 1),
        (125, 0, 0),
        (0, 31, 1),
        (0, 30, 0),
        (-50, -20, 2),
    ],
)
def test_a_word_touches_a_border_that_is_a_pixel_away(across: int, down: int, borders: int) -> None:
    assert features(word(moved(across, down)))["borders"] == borders


@pytest.mark.parametrize(("window", "coarse"), [(30, 0), (40, 0), (41, 1), (60, 1)])
def test_an_ink_is_coarse_where_its_window_is_over_a_fifth_of_the_longer_side(window: int, coarse: int) -> None:
    assert features(word(ink=ink_of(window=window)))["coarse"] == coarse


@pytest.mark.parametrize(
    ("column", "expected"), [(None, 0.0), (80, 93 / 330), (96, 93 / 330), (98, 0.0), (103, 0.0), (slice(None), 3.0)]
)
def test_printed_lines_count_within_half_a_height_by_the_outline_of_that_place(column: Any, expected: float) -> None:
    """Of 93×72 pixels around the word, cut off at the upper border: its outline is 330."""
    lined = NO_LINES.copy()
    if column is not None:
        lined[:, column] = True
    assert features(word(lined=lined))["printed lines beside it"] == pytest.approx(expected)
    assert features(word())["printed lines beside it"] == 0


@pytest.mark.parametrize(("below", "counts"), [(10, True), (18, True), (21, True), (25, False), (29, False)])
def test_ink_within_half_a_height_is_around_a_word(below: int, counts: bool) -> None:
    mask = MASK.copy()
    mask[68 + below : 70 + below, 55:57] = True
    expected = 288 / (288 + 4) if counts else 1.0
    assert features(word(ink=ink_of(mask)))["part of the ink around it"] == pytest.approx(expected)


# --- a word among others ---


def test_other_words_of_its_line_tell_of_a_word_and_of_five_or_more_all_the_same() -> None:
    weighed = LATTICE.weighed.copy()
    weighed[:, -1] = np.log(0.5)
    doubtful = word(lattice=replace(LATTICE, weighed=weighed))
    alone = features(word())
    assert alone["line: character, mean"] == alone["character, mean"] != 0
    assert features(word(), doubtful)["line: character, mean"] == pytest.approx(0)
    assert features(word(), doubtful, replace(doubtful, number=1))["line: words"] == 1
    for words, expected in ((1, 0), (2, 1), (4, 3), (5, 4), (6, 4), (9, 4)):
        assert features(*[word()] * words)["line: words"] == expected


@pytest.mark.parametrize(
    ("height", "expected"), [(40, 0.0), (80, np.log(2)), (400, np.log(10)), (1600, 3.0), (4000, 3.0)]
)
def test_heights_are_beside_the_usual_up_to_e_cubed(height: int, expected: float) -> None:
    others = [word(sized(40))] * 2
    assert features(word(sized(height)), *others)["page: height beside the usual"] == pytest.approx(expected)
    small = [word(sized(height))] * 2
    assert features(word(sized(40)), *small)["page: height beside the usual"] == pytest.approx(-expected)


@pytest.mark.parametrize(("across", "apart"), [(23, 3.0), (47, 0.5), (71, 1.0), (143, 2.5), (167, 3.0), (300, 3.0)])
def test_words_of_an_ink_lie_apart_by_up_to_three_of_their_heights(across: int, apart: float) -> None:
    """A word begins 23 pixels after another's begin where they touch."""
    assert features(word(), word(moved(across, 0)))["apart"] == pytest.approx(apart)
    assert features(word(), word(moved(across, 0), ink=ink_of()))["apart"] == 3.0
    assert features(word())["apart"] == 3.0
