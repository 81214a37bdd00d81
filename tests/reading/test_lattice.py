"""Lattices: what is cut and what is not, words of the best path, marks as users get them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.normalise import normalise
from lenet5.reading.arcs import SPECK, Arcs
from lenet5.reading.decode import Path
from lenet5.reading.lattice import Lattice, LineModel, lattices_of
from lenet5.reading.line_image import Line
from lenet5.result import REFUSED, Box, Digit, Separator
from tests.reading.written_lines import alike, lattice_of, level_of, says, strokes, surely

CLASSES = DIGITS + "/."
SLASH, DOT, NONE = 10, 11, 12


def with_arcs(*rows: tuple[int, int, int, int], posteriors: list[float] | None = None, path: list[int] = []) -> Lattice:  # noqa: B006
    """Two strokes with arcs (first piece, one after the last, label, candidate) and their posteriors."""
    lattice = lattice_of(strokes(5, 12, width=120), surely("1", CLASSES), CLASSES)
    first, last, label, candidate = map(np.array, zip(*rows, strict=True))
    given = np.full(len(rows), 0.5) if posteriors is None else np.array(posteriors)
    arcs = Arcs(first, last, label, np.log(given), candidate)
    return replace(lattice, arcs=arcs, path=Path(tuple(path), 0.5, given, 0.0))


# --- marks as users get them ---


def test_no_mark_is_surer_than_all_but_one_in_a_million() -> None:
    lattice = with_arcs((0, 1, 1, 0), (1, 2, 1, 2), posteriors=[1.0, 0.9])
    assert 1 - lattice.mark(0).confidence == pytest.approx(1e-6, rel=1e-3)
    assert lattice.mark(1).confidence == 0.9


def test_the_alternatives_of_a_digit_are_other_digits_of_its_image_from_half_in_a_thousand_on() -> None:
    rows = [(0, 1, 7, 0), (0, 1, 1, 0), (0, 1, 4, 0), (0, 1, 5, 0), (0, 1, SLASH, 0), (0, 1, NONE, 0), (0, 2, 3, 1)]
    lattice = with_arcs(*rows, posteriors=[0.7, 0.0005, 0.0006, 0.0004, 0.1, 0.1, 0.1])
    mark = lattice.mark(0)
    assert isinstance(mark, Digit)
    assert (mark.label, mark.confidence) == ("7", 0.7)
    assert mark.alternatives == (("4", 0.0006), ("1", 0.0005))
    assert mark.image is not None
    assert mark.image.tolist() == lattice.candidates.images[0].tolist()


def test_a_mark_is_a_digit_a_separator_or_refused_by_its_label() -> None:
    lattice = with_arcs((0, 1, 9, 0), (0, 1, SLASH, 0), (0, 1, DOT, 0), (0, 1, NONE, 0))
    marks = [lattice.mark(k) for k in range(4)]
    assert [mark.text if isinstance(mark, Separator) else mark.label for mark in marks] == ["9", "/", ".", REFUSED]
    assert [isinstance(mark, Separator) for mark in marks] == [False, True, True, False]
    assert marks[3].alternatives == ()  # type: ignore[union-attr]


def test_a_box_holds_the_ink_of_its_pieces_and_of_no_other() -> None:
    around = [(5, 6, 45, 10), (41, 10, 45, 54)]
    level = level_of(*around, (15, 20, 19, 40), *((k, 6, k + 3, 54) for k in (60, 70, 80)), width=120)
    lattice = lattice_of(level, surely("1", p=0.9999))  # so surely that it is not cut
    arcs = Arcs(np.array([0, 1, 0, 2]), np.array([1, 2, 2, 3]), np.ones(4, np.int64), np.zeros(4), np.arange(4))
    lattice = replace(lattice, arcs=arcs, pieces=replace(lattice.pieces, slant=0.0))
    boxes = [lattice.box(k) for k in range(4)]
    block, hook = Box(15, 20, 19, 40), Box(5, 6, 45, 54)
    assert lattice.pieces.left.tolist() == [15, 5, 60, 70, 80]
    assert boxes == [block, hook, hook, Box(60, 6, 63, 54)]


def test_the_box_of_a_slanted_digit_is_that_of_its_ink_in_the_picture() -> None:
    lattice = lattice_of(slanted(70), surely("1"))
    box = lattice.box(lattice.path.arcs[0])
    for edge, expected in zip((box.left, box.top, box.right, box.bottom), (10, 8, 37, 54), strict=True):
        assert abs(edge - expected) <= 2


# --- words, and one digit for all ---


@pytest.mark.parametrize(("gap", "words"), [(20, 1), (28, 1), (29, 2), (40, 2)])
def test_a_gap_of_over_six_tenths_of_the_height_parts_words(gap: int, words: int) -> None:
    lattice = lattice_of(strokes(5, 8 + gap, 29 + gap, width=120), surely("1"))
    assert [len(word) for word in lattice.words] == ([3] if words == 1 else [1, 2])


def test_specks_are_in_no_word_and_bridge_no_gap() -> None:
    level = np.maximum(strokes(5, 49, width=80), level_of((27, 50, 30, 53), width=80))
    lattice = lattice_of(level, surely("1"))
    labels = np.array([1, SPECK, 1])
    arcs = Arcs(np.arange(3), np.arange(1, 4), labels, np.zeros(3), np.arange(3))
    assert replace(lattice, arcs=arcs, path=Path((0, 1, 2), 1.0, np.ones(3), 0.0)).words == [[0], [2]]
    arcs.label[1] = 1
    assert replace(lattice, arcs=arcs, path=Path((0, 1, 2), 1.0, np.ones(3), 0.0)).words == [[0, 1, 2]]


def test_one_digit_for_all_ink_is_the_likeliest_digit_that_takes_every_piece() -> None:
    rows = [
        (0, 1, 1, 0),
        (1, 2, 1, 2),
        (0, 2, 0, 1),
        (0, 2, 4, 1),
        (0, 2, SLASH, 1),
        (0, 2, NONE, 1),
        (0, 2, SPECK, -1),
    ]
    for posteriors, whole in (
        ([0.9, 0.9, 0.1, 0.2, 0.7, 0.7, 0.7], 3),
        ([0.9, 0.9, 0.3, 0.2, 0.7, 0.7, 0.7], 2),
    ):
        assert with_arcs(*rows, posteriors=posteriors).whole == whole
    assert with_arcs(*(rows[k] for k in (0, 1, 4, 5, 6))).whole is None


# --- what is cut ---


def seen_by(level: NDArray[np.float32], p: list[float]) -> tuple[Lattice, NDArray[np.uint8]]:
    """The lattice of a line, and the images of its whole marks as the network first saw them."""
    batches: list[NDArray[np.uint8]] = []

    def network(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        batches.append(images)
        return says(*p)(images)

    return lattice_of(level, network), batches[0]


def row_and_wide_mark(narrow: int, short: int = 48, square: bool = False) -> NDArray[np.float32]:
    """So many strokes, too far apart for one character, and a wide mark that may be cut in two."""
    left = 30 * narrow
    boxes = [(30 * k, 54 - short, 30 * k + (short if square and k == 0 else 3), 54) for k in range(narrow)]
    wide = [(left, 6, left + 3, 54), (left + 57, 6, left + 60, 54), (left, 28, left + 60, 31)]
    return level_of(*boxes, *wide, width=left + 100)


@pytest.mark.parametrize(
    ("level", "rubbish", "is_words"),
    [
        (row_and_wide_mark(8), 0.45, True),
        (row_and_wide_mark(8), 0.41, True),
        (row_and_wide_mark(8), 0.4, False),  # six tenths are characters
        (row_and_wide_mark(8), 0.35, False),
        (row_and_wide_mark(7), 0.45, False),
        (row_and_wide_mark(10), 0.3, False),
        (row_and_wide_mark(8, short=20), 0.45, True),
        (row_and_wide_mark(8, short=20, square=True), 0.45, True),
        (row_and_wide_mark(8, short=19), 0.45, False),  # dots and dashes tell nothing
    ],
)
def test_a_line_of_eight_narrow_marks_of_which_few_are_characters_is_not_cut(
    level: NDArray[np.float32], rubbish: float, is_words: bool
) -> None:
    lattice, _ = seen_by(level, [(1 - rubbish) / 10] * 10 + [rubbish])
    assert (len(lattice.pieces.cuts) == 0) == is_words


def test_what_surely_are_characters_is_not_cut() -> None:
    level = row_and_wide_mark(0)
    assert not lattice_of(level, surely("1", p=0.9999)).pieces.cuts
    assert lattice_of(level, surely("1", p=0.9)).pieces.cuts


def test_a_line_without_ink_has_no_lattice() -> None:
    model = LineModel(DIGITS, surely("1"), alike(DIGITS), 1.0)
    lines = [Line(level, left=0, top=0, scale=1, slope=0) for level in (strokes(5, width=30), strokes(width=30))]
    stroke, nothing = lattices_of(lines, model)
    assert stroke is not None
    assert nothing is None
    assert lattices_of([], model) == []


# --- one digit as it stands ---


def slanted(width: int, rim: float = 0.0) -> NDArray[np.float32]:
    """A slanted stroke, and above and beside it a rim so strong."""
    level = np.zeros((60, width), np.float32)
    for row in range(8, 54):
        level[row, 10 + (54 - row) // 2 : 14 + (54 - row) // 2] = 1
    level[7, 33:37] = level[50:53, 9] = rim
    return level


@pytest.mark.parametrize(("width", "as_it_stands"), [(54, True), (76, True), (77, False), (99, False)])
def test_a_line_that_may_be_one_digit_is_shown_as_it_stands_not_upright(width: int, as_it_stands: bool) -> None:
    level = slanted(width)
    lattice, images = seen_by(level, [0.05] * 10 + [0.5])
    assert lattice.pieces.slant > 0.3
    assert len(images) == 1
    stands = normalise(level[8:54, 10:37])
    assert (images[0].tolist() == stands.tolist()) == as_it_stands


@pytest.mark.parametrize(("rim", "is_ink"), [(0.08, False), (0.1, False), (0.12, True)])
def test_a_rim_of_over_a_tenth_of_full_ink_is_of_the_digit(rim: float, is_ink: bool) -> None:
    level = slanted(70, rim)
    _, images = seen_by(level, [0.05] * 10 + [0.5])
    assert images[0].tolist() == normalise(level[7:54, 9:37] if is_ink else level[8:54, 10:37]).tolist()


def test_of_several_marks_the_candidate_of_all_of_them_is_shown_as_it_stands() -> None:
    level = slanted(70)
    level[:, 18:] = np.maximum(level[:, 18:], level[:, :-18])  # two strokes that lean
    _, images = seen_by(level, [0.05] * 10 + [0.5])
    assert len(images) == 3
    shown = [image.tolist() == normalise(level[8:54, 10:55]).tolist() for image in images]
    assert shown == [False, True, False]


def test_marks_too_far_apart_to_be_one_digit_are_shown_upright() -> None:
    level = slanted(76)
    level[20:40, 70:74] = 1
    _, images = seen_by(level, [0.05] * 10 + [0.5])
    assert len(images) == 2
