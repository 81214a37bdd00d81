"""The pictures that reading is measured on are what their texts and names say."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from benchmarks.material import Material
from numpy.typing import NDArray

from benchmarks import digitless, forms, material, photos
from lenet5.learning import data

Bytes = NDArray[np.uint8]


@pytest.fixture(scope="module")
def digits() -> tuple[Bytes, Bytes]:
    """The embedded digits, in place of MNIST."""
    found = data.load("digits", "test")
    assert isinstance(found, data.ImageSet)
    return found.images, found.labels


@pytest.fixture(scope="module")
def strings(digits: tuple[Bytes, Bytes]) -> Callable[[str], list[Material]]:
    return lambda spacing: list(material.strings(*digits, spacing, 20, np.random.default_rng(4)))


def components(picture: Bytes) -> int:
    """How many marks of ink a picture holds, specks of noise left out."""
    _, mask = cv2.threshold(cv2.GaussianBlur(picture, (0, 0), 1), 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] > 30).sum())


@pytest.mark.parametrize("spacing", material.SPACINGS)
def test_a_string_has_two_to_ten_digits_and_a_box_for_each(
    spacing: str, strings: Callable[..., list[Material]]
) -> None:
    for made in strings(spacing):
        height, width = made.picture.shape
        assert 2 <= len(made.text) <= 10
        assert len(made.boxes) == len(made.text)
        assert all(0 <= b.left < b.right <= width and 0 <= b.top < b.bottom <= height for b in made.boxes)
        ink = [made.picture[b.top : b.bottom, b.left : b.right].min() for b in made.boxes]
        assert max(ink) < np.median(made.picture) - 40


def test_a_seed_gives_the_same_pictures(strings: Callable[..., list[Material]]) -> None:
    for one, other in zip(strings("touching"), strings("touching"), strict=True):
        assert one.text == other.text
        assert (one.picture == other.picture).all()


def test_spaced_digits_have_paper_between_them(strings: Callable[..., list[Material]]) -> None:
    for made in strings("spaced"):
        assert all(a.right < b.left for a, b in zip(made.boxes, made.boxes[1:], strict=False))


def test_touching_digits_hang_together(strings: Callable[..., list[Material]]) -> None:
    apart, touching = (sum(components(m.picture) for m in strings(spacing)) for spacing in ("spaced", "touching"))
    assert touching < 0.5 * apart


def test_overlapping_digits_are_closer_than_touching_ones(strings: Callable[..., list[Material]]) -> None:
    def overlap(spacing: str) -> float:
        pairs = [pair for made in strings(spacing) for pair in zip(made.boxes, made.boxes[1:], strict=False)]
        return float(np.mean([(a.right - b.left) / min(a.right - a.left, b.right - b.left) for a, b in pairs]))

    assert 0.03 < overlap("overlapping") - overlap("touching") < 0.15


def test_the_page_is_a4_at_300_dots_an_inch_with_300_digits(digits: tuple[Bytes, Bytes]) -> None:
    page = material.page(*digits, (3, 3, 3, 3), 25, np.random.default_rng(0))
    assert page.picture.shape == (3508, 2480)
    assert [len(line) for line in page.text.split("\n")] == [12] * 25
    assert len(page.boxes) == 300
    assert max(box.right for box in page.boxes) < 2480


@pytest.mark.parametrize("kind", digitless.KINDS)
def test_pictures_without_digits_differ_within_their_kind(kind: str) -> None:
    pictures = list(digitless.digitless(kind, 3, np.random.default_rng(0)))
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_words_beside_digits_are_not_in_the_text(digits: tuple[Bytes, Bytes]) -> None:
    (made,) = digitless.labelled(*digits, 1, np.random.default_rng(0))
    assert len(made.text.split("\n")) == 3
    assert made.text.replace("\n", "").isdigit()
    assert components(np.ascontiguousarray(made.picture[:400, :400])) >= 3  # the words stand left of all digits


@pytest.mark.parametrize("kind", photos.KINDS)
def test_a_photo_has_one_digit_for_text_contrast_and_the_same_pixels_for_the_same_seed(
    kind: str, digits: tuple[Bytes, Bytes]
) -> None:
    first, second = (list(photos.photos(*digits, kind, 3, np.random.default_rng(5))) for _ in range(2))
    for made, again in zip(first, second, strict=True):
        assert made.text in digits[1].astype(str)
        assert len(made.text) == 1
        assert min(made.picture.shape) >= 360
        assert np.ptp(made.picture) > 40
        assert (made.picture == again.picture).all()


@pytest.mark.parametrize("fields", [1, 3])
def test_a_form_has_a_line_of_text_for_each_field_and_room_for_a_cell_for_each_digit(
    fields: int, digits: tuple[Bytes, Bytes]
) -> None:
    for made in forms.forms(*digits, fields, 4, np.random.default_rng(6)):
        lines = made.text.split("\n")
        assert len(lines) == fields
        assert {len(line) for line in lines} == {len(lines[0])}
        assert 3 <= len(lines[0]) <= 9
        assert made.picture.shape[1] > 36 * (len(lines[0]) + 2)
