"""Drawn pages: the same from the same seed, their truth where it says, and no lines where there is no digit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.codes import DIGITS, SEPARATORS
from lenet5.learning.data import ImageSet, load
from lenet5.learning.unipen import Writing
from lenet5.result import Box
from lenet5.synthesis.pages import KINDS, Digits, Images, Page, Writers, from_writings, pages
from lenet5.synthesis.pages.sheet import Mark, Sheet
from lenet5.synthesis.pages.truth import true_line
from lenet5.synthesis.pages.writing import digit_ink, pattern, row

SLOW = "A4 page"
WITH_DIGITS = [kind for kind in KINDS if not kind.startswith("no digits") and kind != SLOW]
WITHOUT = [kind for kind in KINDS if kind.startswith("no digits")]


def writing(label: str, *strokes: Sequence[tuple[float, float]], level: str = "CHARACTER") -> Writing:
    return Writing(label, level, "a writer", "a file", tuple(np.array(stroke, np.float32) for stroke in strokes))


@pytest.fixture(scope="module")
def digits() -> Digits:
    images = load("digits", "test")
    assert isinstance(images, ImageSet)
    return Images(images.images, images.labels)


@pytest.fixture(scope="module")
def writers() -> Writers:
    return from_writings(
        [
            writing("0", [(5, 0), (0, 5), (5, 10), (9, 5), (5, 0)]),
            writing("1", [(5, 0), (5, 10)]),
            writing("2", [(0, 2), (4, 0), (6, 3), (0, 10), (7, 10)]),
            writing("4", [(3, 0), (0, 6), (7, 6)], [(5, 3), (5, 10)]),
            writing("7", [(0, 0), (7, 0), (3, 10)]),
            writing("mum", *([(k, 8), (k, 2), (k + 2, 2), (k + 2, 8)] for k in (0.0, 3.0, 6.0)), level="WORD"),
        ]
    )


def contrast(page: Page, box: Box) -> int:
    """The largest difference of a channel's pixels within a box."""
    inside = page.picture[box.top : box.bottom, box.left : box.right]
    return int(np.ptp(inside.reshape(inside.shape[0] * inside.shape[1], -1).astype(int), axis=0).max())


def untouched(canvas: NDArray[np.uint8], contrast: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    return canvas


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != SLOW])
def test_the_same_seed_draws_the_same_page(kind: str, digits: Digits) -> None:
    first, again = (KINDS[kind](digits, np.random.default_rng(2)) for _ in range(2))
    assert (first.picture == again.picture).all()
    assert first.lines == again.lines


@pytest.mark.parametrize("kind", WITH_DIGITS)
def test_every_box_of_the_truth_lies_in_the_picture_and_holds_ink(kind: str, digits: Digits) -> None:
    for _, page in pages(digits, [kind], 3, np.random.default_rng(0)):
        height, width = page.picture.shape[:2]
        assert page.lines
        for line in page.lines:
            assert len(line.boxes) == len(line.transcript.replace(" ", ""))
            assert all(0 <= b.left < b.right <= width and 0 <= b.top < b.bottom <= height for b in line.boxes)
            large = [b for b in line.boxes if (b.right - b.left) * (b.bottom - b.top) > 20]
            assert min(contrast(page, box) for box in large) > 8


@pytest.mark.parametrize("kind", WITH_DIGITS)
def test_texts_are_digits_and_transcripts_add_separators_and_spaces(kind: str, writers: Writers) -> None:
    for _, page in pages(writers, [kind], 2, np.random.default_rng(1)):
        for line in page.lines:
            assert set(line.text) <= set("01247")
            assert set(line.transcript) <= {*DIGITS, *SEPARATORS, " "}
            assert "".join(c for c in line.transcript if c in DIGITS) == line.text
        assert page.text == "\n".join(line.text for line in page.lines)


@pytest.mark.parametrize("kind", WITHOUT)
def test_pages_without_digits_have_no_lines_and_differ(kind: str, writers: Writers) -> None:
    drawn = [page for _, page in pages(writers, [kind], 3, np.random.default_rng(0))]
    assert not any(page.lines for page in drawn)
    assert len({page.picture.tobytes() for page in drawn}) == 3


def test_kinds_take_turns(digits: Digits) -> None:
    drawn = list(pages(digits, ["icon", "no digits: shapes"], 2, np.random.default_rng(0)))
    assert [kind for kind, _ in drawn] == ["icon", "no digits: shapes"] * 2
    assert all(page.picture.dtype == np.uint8 for _, page in drawn)


def test_a_box_follows_its_digit_through_tilt_perspective_and_crop() -> None:
    ink = np.zeros((40, 20), np.float32)
    ink[:, 8:12], ink[:4] = 1, 1
    sheet = Sheet(200, 300)
    sheet.write([Mark("7", ink, 0, 0)], 120, 80, (255, 0, 0))
    sheet.tilt(2.5)
    sheet.warp(np.array([[1, 0.05, 0], [0.02, 1, 0], [0.0001, 0, 1]]), sheet.size)
    sheet.crop(Box(60, 50, 260, 170))
    page = sheet.page(untouched, np.random.default_rng(0))
    inked = page.picture[..., 1] < 128
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    box = page.boxes[0]
    found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    assert np.abs(found - [box.left, box.top, box.right, box.bottom]).max() <= 1


def test_a_digit_that_is_cut_off_is_not_in_the_truth() -> None:
    sheet = Sheet(60, 200)
    sheet.write([Mark("1", np.ones((30, 5), np.float32), x, 0) for x in (0, 100)], 20, 10, (0, 0, 0))
    sheet.crop(Box(0, 0, 80, 60))
    assert [line.text for line in sheet.page(untouched, np.random.default_rng(0)).lines] == ["1"]


def test_numbers_far_apart_in_a_row_are_different_lines() -> None:
    sheet, mark = Sheet(60, 400), Mark("1", np.ones((20, 5), np.float32), 0, 0)
    for x in (10, 40, 300):
        sheet.write([mark], x, 10, (0, 0, 0), new_line=x == 10)
    page = sheet.page(untouched, np.random.default_rng(0))
    assert [line.transcript for line in page.lines] == ["1 1", "1"]


def test_a_wide_gap_is_a_space_of_the_transcript() -> None:
    boxes = [Box(0, 0, 10, 20), Box(12, 15, 14, 20), Box(16, 0, 26, 20), Box(60, 0, 70, 20)]
    line = true_line("3.75", boxes)
    assert (line.text, line.transcript) == ("375", "3.7 5")


def test_numbers_have_separators_where_their_form_has(digits: Digits) -> None:
    rng = np.random.default_rng(0)
    forms = {pattern(rng, separated=1.0) for _ in range(60)}
    assert {c for form in forms for c in form} >= set("0/:-.,%")
    marks = row(digits, "00/00/0000", 40, rng)
    assert "".join(c if (c := mark.character) in SEPARATORS else "0" for mark in marks) == "00/00/0000"
    assert [mark.left for mark in marks] == sorted(mark.left for mark in marks)


def test_images_are_redrawn_by_pens_from_hairline_to_marker(digits: Digits) -> None:
    rng = np.random.default_rng(0)
    glyph = digits(rng, 1)[0]
    inked = [float(digit_ink(glyph, 80, width, rng).sum()) for width in (0.025, 0.1, 0.26)]
    assert 2.5 * inked[0] < inked[1] < inked[2]


def test_a_source_without_five_digits_of_one_writer_is_refused() -> None:
    with pytest.raises(ValueError, match="5 different digits"):
        from_writings([writing("1", [(0, 0), (0, 9)])])
