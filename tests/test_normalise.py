"""Any crop becomes a 28×28 image the way MNIST was made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy
from numpy.typing import NDArray

from lenet5 import ArrayError
from lenet5.normalise import BOX, is_normal, normalise

Floats = NDArray[np.float32]

CROPS = hypothesis_numpy.arrays(
    np.float32, hypothesis_numpy.array_shapes(min_dims=2, max_dims=2, max_side=60), elements=st.floats(0, 1, width=32)
).filter(lambda crop: crop.max() > 0.01)


def centre_of_mass(image: NDArray[np.uint8]) -> tuple[float, float]:
    mass = image / image.sum(dtype=np.float64)
    return float((mass.sum(axis=1) * np.arange(28)).sum()), float((mass.sum(axis=0) * np.arange(28)).sum())


def extent(image: NDArray[np.uint8], above: int = 0) -> tuple[int, int]:
    """Height and width of what is inked."""
    rows, columns = np.nonzero((image > above).any(axis=1))[0], np.nonzero((image > above).any(axis=0))[0]
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean difference of two images' levels where they fit best, up to a pixel apart."""
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return min(float(np.abs(one.astype(float) - np.roll(other, shift, (0, 1))).mean()) for shift in shifts)


@settings(max_examples=100, deadline=None)
@given(CROPS)
def test_any_crop_with_ink_gives_an_image_with_ink(crop: Floats) -> None:
    image = normalise(crop)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert image.max() > 0


@settings(max_examples=100, deadline=None)
@given(CROPS)
def test_the_centre_of_mass_is_in_the_middle_where_there_is_room(crop: Floats) -> None:
    image = normalise(crop)
    for axis, centre in enumerate(centre_of_mass(image)):
        inked = np.flatnonzero(image.any(axis=1 - axis))
        if inked[0] > 0 and inked[-1] < 27:
            assert centre == pytest.approx(14, abs=0.51)


@pytest.mark.parametrize(("height", "width"), [(40, 40), (60, 20), (20, 60), (200, 31), (7, 9)])
def test_the_aspect_is_kept_in_a_box_of_20(height: int, width: int) -> None:
    high, wide = extent(normalise(np.ones((height, width), np.float32)), above=100)
    assert max(high, wide) == BOX == 20
    assert high == pytest.approx(20 * height / max(height, width), abs=1)
    assert wide == pytest.approx(20 * width / max(height, width), abs=1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9), st.integers(2, 6), st.integers(10, 30))
def test_a_crop_enlarged_by_whole_pixels_gives_nearly_the_same_image(shape: int, times: int, width: int) -> None:
    down, right = np.mgrid[-1:1:40j, -1 : 1 : width * 1j]
    ellipse = np.hypot(down, right + 0.1 * shape * down)
    crop = np.clip(8 * (0.35 - np.abs(ellipse - 0.65)), 0, 1).astype(np.float32)
    assert difference(normalise(crop), normalise(np.kron(crop, np.ones((times, times), np.float32)))) < 4


def test_a_crop_in_mnists_own_form_stays_nearly_as_it_is() -> None:
    crop = np.zeros((20, 12), np.float32)
    crop[:, 4:8] = 1
    crop[:4] = 1
    image = normalise(crop)
    assert extent(image, above=128) == (20, 12)
    assert np.median(image[image > 128]) > 200


def test_thin_strokes_are_thickened_and_thick_ones_are_not() -> None:
    thin, thick = np.zeros((100, 60), np.float32), np.zeros((100, 60), np.float32)
    thin[:, 29:31] = 1
    thin[:2] = 1
    thick[:, 22:38] = 1
    thick[:16] = 1
    _, narrow = extent(normalise(thin)[12:16].max(axis=0, keepdims=True).repeat(28, 0), above=100)
    _, wide = extent(normalise(thick)[12:16].max(axis=0, keepdims=True).repeat(28, 0), above=100)
    assert 2 <= narrow <= 3
    assert wide == pytest.approx(20 * 16 / 100, abs=1)


def test_faint_ink_becomes_full_ink() -> None:
    crop = np.zeros((30, 20), np.float32)
    crop[:, 8:13] = 0.2
    crop[:5] = 0.2
    full = normalise(crop * 5)
    assert np.abs(normalise(crop).astype(int) - full).max() <= 3
    assert normalise(crop).max() >= 250


def test_an_off_centre_digit_stays_inside_the_frame() -> None:
    crop = np.full((20, 20), 0.01, np.float32)
    crop[:2] = 1
    image = normalise(crop)
    assert image.any(axis=1)[-20:].sum() >= 1
    assert image.sum() > 2 * 18 * 200


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
def test_crops_of_any_float_type_give_the_same_image(kind: type) -> None:
    crop = np.tri(30, 20)
    assert np.abs(normalise(crop.astype(kind)).astype(int) - normalise(crop)).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3)])
def test_the_smallest_crops_give_an_image(shape: tuple[int, int]) -> None:
    assert normalise(np.ones(shape, np.float32)).max() > 200


@pytest.mark.parametrize(
    "crop",
    [np.zeros((5, 5)), np.zeros((0, 5)), np.zeros((5, 0)), np.ones(5), np.ones((5, 5, 3)), np.full((5, 5), -1.0)],
)
def test_a_crop_without_ink_is_refused(crop: NDArray[np.floating]) -> None:
    with pytest.raises(ArrayError, match="no ink"):
        normalise(crop)


def test_ink_that_lies_between_the_pixels_that_tell_the_stroke_is_seen() -> None:
    for column in range(140, 153):
        crop = np.zeros((106, 153), np.float32)
        crop[:, column] = 0.82
        assert normalise(crop).any()


def test_what_was_normalised_is_in_mnists_form(mnist_form: NDArray[np.uint8]) -> None:
    assert all(is_normal(image) for image in mnist_form)
    assert not is_normal(255 - mnist_form[0])
    assert not is_normal(np.roll(mnist_form[0], 3, axis=1))
    assert not is_normal(np.zeros((28, 28), np.uint8))
    assert not is_normal(mnist_form[0][1:])
