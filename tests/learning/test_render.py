"""Digits as other pens and sensors give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.learning.render import CANVAS, Augmentation, cropped, rendered
from lenet5.normalise import normalise

PLAIN = Augmentation(stretch=0, thinner=0, thicker=0, coarse=0, binary=0, noise=0, cut=0, specks=0)


def ring(height: int = CANVAS, width: int = 30, pen: float = 5) -> NDArray[np.float32]:
    """An upright ellipse drawn with a pen so many pixels wide."""
    rows, columns = np.mgrid[:height, :width]
    radius = np.hypot((rows - height / 2 + 0.5) / (height / 2), (columns - width / 2 + 0.5) / (width / 2))
    return ((radius <= 1) & (radius >= 1 - 2 * pen / width)).astype(np.float32)


def image(augmentation: Augmentation, ink: NDArray[np.float32] | None = None, seed: int = 0) -> NDArray[np.uint8]:
    found = rendered(ring() if ink is None else ink, augmentation, np.random.default_rng(seed))
    assert found is not None
    return found


def extent(found: NDArray[np.uint8]) -> tuple[int, int]:
    crop = cropped(found / np.float32(255))
    assert crop is not None
    return crop.shape[0], crop.shape[1]


def test_without_any_change_it_is_what_the_reader_makes_of_the_ink() -> None:
    np.testing.assert_array_equal(image(PLAIN), normalise(ring()))


def test_a_square_look_makes_narrow_digits_as_wide_as_high() -> None:
    height, width = extent(image(replace(PLAIN, square=1)))
    assert abs(height - width) <= 1 < abs(np.subtract(*extent(image(PLAIN))))


def test_broad_pens_leave_more_ink_and_fine_ones_less() -> None:
    plain = int(image(PLAIN).sum())
    broad = [int(image(replace(PLAIN, thicker=4), seed=seed).sum()) for seed in range(8)]
    fine = [int(image(replace(PLAIN, thinner=2), seed=seed).sum()) for seed in range(8)]
    assert np.median(broad) > 1.2 * plain > plain > np.median(fine)


def test_a_fine_stroke_is_not_thinned_away() -> None:
    assert image(replace(PLAIN, thinner=3), ring(pen=1)).max() > 200


def test_few_pixels_lose_the_hole_of_a_small_ring() -> None:
    augmentation = replace(PLAIN, coarse=1, lowest=4)
    assert any(image(augmentation, ring(pen=9), seed)[14, 14] > 100 for seed in range(8))


def test_a_cut_takes_ink_from_an_edge() -> None:
    ink = np.zeros((CANVAS, 30), np.float32)
    ink[:, 10:20], ink[:3] = 1, 1  # a T, whose bar may be lost
    assert any(extent(image(replace(PLAIN, cut=1), ink, seed))[1] < 8 for seed in range(12))


@pytest.mark.parametrize("seed", range(20))
def test_everything_that_comes_out_is_in_mnists_form(seed: int) -> None:
    found = image(Augmentation(stretch=0.5, square=0.3), seed=seed)
    assert found.shape == (28, 28)
    assert found.dtype == np.uint8
    assert found.max() > 200
    assert max(extent(found)) in (19, 20, 21, 22, 23, 24)


def test_next_to_no_ink_gives_nothing() -> None:
    ink = np.zeros((CANVAS, CANVAS), np.float32)
    ink[5, 5:9] = 1
    assert rendered(ink, PLAIN, np.random.default_rng(0)) is None
    assert cropped(ink) is None
