"""The steps of normalising by themselves: resizing, the width and the level of strokes, and what MNIST's form is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.errors import ArrayError
from lenet5.normalise import _coarsened, ink_box, is_normal, normalise, resize, thicken

Floats = NDArray[np.float32]


def blurred(image: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """The rows (H, …) as ``size`` weighted means, each under a triangle as wide as the coarser of the grids."""
    step = len(image) / size
    middles, places = (np.arange(size) + 0.5) * step, np.arange(len(image)) + 0.5
    weight = np.maximum(1 - np.abs(middles[:, None] - places) / max(step, 1), 0)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True) @ image, np.float64)


@pytest.mark.parametrize("shape", [(5, 7), (3, 20), (20, 3), (13, 11), (16, 12), (9, 40), (8, 10), (79, 10), (10, 95)])
def test_resizing_gives_each_pixel_the_mean_under_its_triangle(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    expected = blurred(blurred(image, 10).T, 12).T
    np.testing.assert_allclose(resize(image, 10, 12), expected, atol=1e-6)


@pytest.mark.parametrize(("times", "block"), [(7, 1), (8, 2), (11, 2), (12, 3)])
def test_what_is_eight_times_too_large_is_averaged_in_blocks_first(times: int, block: int) -> None:
    image = np.random.default_rng(0).random((5 * times, 4 * times + 1)).astype(np.float32)
    padded = np.pad(image, ((0, -len(image) % block), (0, -image.shape[1] % block)))
    blocks = [padded[down::block, right::block] for down in range(block) for right in range(block)]
    expected = blurred(blurred(np.mean(blocks, axis=0), 5).T, 4).T
    np.testing.assert_allclose(resize(image, 5, 4), expected, atol=1e-6)


def test_strokes_are_brought_down_to_28_pixels_as_any_picture_is_but_for_the_border() -> None:
    fine = np.random.default_rng(0).random((40, 48)).astype(np.float32)
    np.testing.assert_allclose(_coarsened(fine)[1:-1, 1:-1], resize(fine, 10, 12)[1:-1, 1:-1], atol=1e-6)


@pytest.mark.parametrize(("radius", "inked"), [(0, 1), (1, 5), (2, 21), (3, 37), (4, 69), (0.5, 3), (1.25, 9)])
def test_a_dot_is_thickened_to_an_octagon(radius: float, inked: float) -> None:
    dot = np.zeros((11, 11), np.float32)
    dot[5, 5] = 1
    assert thicken(dot, radius).sum() == pytest.approx(inked)


def stroke_width(crop: Floats) -> float:
    """How many pixels of full ink the rows of a normalised vertical stroke have."""
    return float(normalise(crop)[10:18].sum(axis=1).mean() / 255)


@pytest.mark.parametrize(("width", "becomes"), [(2, 2.0), (4, 2.0), (6, 2.0), (10, 2.1), (14, 2.9), (20, 4.1)])
def test_a_stroke_thinner_than_a_tenth_of_the_digit_becomes_so_wide_and_no_other_is_changed(
    width: int, becomes: float
) -> None:
    assert stroke_width(np.ones((100, width), np.float32)) == pytest.approx(becomes, abs=0.12)


@pytest.mark.parametrize(
    ("level", "strong", "becomes"),
    [(0.5, 30, 128), (0.5, 20, 255), (0.12, 20, 255), (0.08, 20, 20)],
    ids=["three tenths are strong", "a fifth is strong", "faint, but ink", "too faint to count"],
)
def test_the_level_that_three_quarters_of_the_ink_do_not_exceed_is_full_ink_below_a_tenth_of_the_strongest_aside(
    level: float, strong: int, becomes: int
) -> None:
    crop = np.full((100, 100), level, np.float32)
    crop[:strong] = 1
    assert normalise(crop)[20, 14] == pytest.approx(becomes, abs=2)


def test_a_thin_stroke_grows_beyond_its_ends_as_it_does_sideways() -> None:
    image = normalise(np.ones((100, 2), np.float32)).astype(float) / 255
    assert image.sum(axis=0).sum() == pytest.approx(2 * 20 + 1.5 * 2, abs=1.5)


@pytest.mark.parametrize("level", [0.00100001, 0.0011])
def test_the_least_ink_is_more_than_a_thousandth(level: float) -> None:
    assert normalise(np.full((5, 5), level)).max() == 255
    with pytest.raises(ArrayError, match="no ink"):
        normalise(np.full((5, 5), 0.001))


def test_ink_of_just_the_level_is_outside_of_its_box() -> None:
    assert ink_box(np.array([[0.5, 0.6, 0.5]]), above=0.5) == (slice(0, 1), slice(1, 2))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("first", "length", "normal"),
    [(4, 20, True), (4, 19, False), (3, 22, True), (3, 23, False), (5, 21, True), (6, 20, False), (3, 21, True),
     (2, 20, False)],
)  # fmt: skip
def test_mnists_form_is_20_to_22_pixels_long_and_within_a_pixel_of_the_middle(
    first: int, length: int, normal: bool, turned: bool
) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[first : first + length, 14] = 255
    assert is_normal(image.T.copy() if turned else image) == normal
