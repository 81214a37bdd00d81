"""The kinds of drawn pictures that reading is measured on are what their texts and names say."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.learning import data
from lenet5.synthesis.pages import Digits, Images, Page, empty, forms, numbers, photos

Bytes = NDArray[np.uint8]


@pytest.fixture(scope="module")
def digits() -> Digits:
    """The embedded digits, in place of MNIST."""
    found = data.load("digits", "test")
    assert isinstance(found, data.ImageSet)
    return Images(found.images, found.labels)


@pytest.fixture(scope="module")
def strings(digits: Digits) -> Callable[[str], list[Page]]:
    def drawn(spacing: str) -> list[Page]:
        rng = np.random.default_rng(4)
        return [numbers.string(digits, rng, spacing) for _ in range(20)]

    return drawn


def components(picture: Bytes) -> int:
    """How many marks of ink a picture holds, specks of noise left out."""
    _, mask = cv2.threshold(cv2.GaussianBlur(picture, (0, 0), 1), 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] > 30).sum())


@pytest.mark.parametrize("spacing", numbers.SPACINGS)
def test_a_string_has_two_to_ten_digits_and_a_box_for_each(spacing: str, strings: Callable[..., list[Page]]) -> None:
    for made in strings(spacing):
        height, width = made.picture.shape
        assert 2 <= len(made.text) <= 10
        assert len(made.boxes) == len(made.text)
        assert all(0 <= b.left < b.right <= width and 0 <= b.top < b.bottom <= height for b in made.boxes)
        ink = [made.picture[b.top : b.bottom, b.left : b.right].min() for b in made.boxes]
        assert max(ink) < np.median(made.picture) - 40


def test_a_seed_gives_the_same_pictures(strings: Callable[..., list[Page]]) -> None:
    for one, other in zip(strings("touching"), strings("touching"), strict=True):
        assert one.text == other.text
        assert (one.picture == other.picture).all()


def test_spaced_digits_have_paper_between_them(strings: Callable[..., list[Page]]) -> None:
    for made in strings("spaced"):
        assert all(a.right < b.left for a, b in zip(made.boxes, made.boxes[1:], strict=False))


def test_touching_digits_hang_together(strings: Callable[..., list[Page]]) -> None:
    apart, touching = (sum(components(m.picture) for m in strings(spacing)) for spacing in ("spaced", "touching"))
    assert touching < 0.5 * apart


def test_overlapping_digits_are_closer_than_touching_ones(strings: Callable[..., list[Page]]) -> None:
    def overlap(spacing: str) -> float:
        pairs = [pair for made in strings(spacing) for pair in zip(made.boxes, made.boxes[1:], strict=False)]
        return float(np.mean([(a.right - b.left) / min(a.right - a.left, b.right - b.left) for a, b in pairs]))

    assert 0.03 < overlap("overlapping") - overlap("touching") < 0.15


def test_the_page_is_a4_at_300_dots_an_inch_with_300_digits(digits: Digits) -> None:
    page = numbers.a4_page(digits, np.random.default_rng(0), (3, 3, 3, 3), 25)
    assert page.picture.shape == (3508, 2480)
    assert [len(line) for line in page.text.split("\n")] == [12] * 25
    assert len(page.boxes) == 300
    assert max(box.right for box in page.boxes) < 2480


@pytest.mark.parametrize("kind", empty.SURFACES)
def test_pictures_without_digits_differ_within_their_kind(kind: str) -> None:
    rng = np.random.default_rng(0)
    pictures = [empty.surface(kind, rng).picture for _ in range(3)]
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_words_beside_digits_are_not_in_the_text(digits: Digits) -> None:
    made = empty.words_beside_digits(digits, np.random.default_rng(0))
    assert len(made.text.split("\n")) == 3
    assert made.text.replace("\n", "").isdigit()
    assert components(np.ascontiguousarray(made.picture[:400, :400])) >= 3  # the words stand left of all digits


@pytest.mark.parametrize("paper", photos.PAPERS)
def test_a_photo_has_one_digit_for_text_contrast_and_the_same_pixels_for_the_same_seed(
    paper: str, digits: Digits
) -> None:
    first, second = (
        [photos.photo(glyph, paper, rng) for rng in [np.random.default_rng(5)] for glyph in digits(rng, 3)]
        for _ in range(2)
    )
    for made, again in zip(first, second, strict=True):
        assert made.text in "0123456789"
        assert len(made.text) == 1
        assert min(made.picture.shape) >= 360
        assert np.ptp(made.picture) > 40
        assert (made.picture == again.picture).all()


@pytest.mark.parametrize("fields", [1, 3])
def test_a_form_has_a_line_of_text_for_each_field_and_room_for_a_cell_for_each_digit(
    fields: int, digits: Digits
) -> None:
    rng = np.random.default_rng(6)
    for made in [forms.form(digits, rng, fields) for _ in range(4)]:
        lines = made.text.split("\n")
        assert len(lines) == fields
        assert {len(line) for line in lines} == {len(lines[0])}
        assert 3 <= len(lines[0]) <= 9
        assert made.picture.shape[1] > 36 * (len(lines[0]) + 2)
