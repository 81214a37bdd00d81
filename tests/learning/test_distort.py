"""Distortions move, turn and stretch digits by no more than they are told, and follow the generator."""

from __future__ import annotations

from dataclasses import fields as fields_of

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lenet5.learning.distort import NONE, Distortion, distort, fields, resample_in_numpy, stroke_width

ALL = Distortion(translation=2, rotation=15, scaling=0.2, squeezing=0.15, shear=0.3, elastic=1, stroke=0.7)


@pytest.fixture
def bars() -> NDArray[np.uint8]:
    """Forty images (40, 28, 28) of an upright bar, 4 pixels wide and 16 high, in the middle."""
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, 6:22, 12:16] = 255
    return images


def moments(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centre of mass (N, 2) and the second moments (N, 2, 2) of each image, rows before columns."""
    mass = images.reshape(len(images), -1) / images.sum(axis=(1, 2), dtype=np.float64)[:, None]
    places = np.mgrid[:28, :28].reshape(2, -1)
    centre = mass @ places.T
    apart = places[None] - centre[:, :, None]
    return centre, np.einsum("np,nip,njp->nij", mass, apart, apart)


def test_no_distortion_leaves_the_images_as_they_are(mnist_form: NDArray[np.uint8]) -> None:
    assert (distort(mnist_form, NONE, np.random.default_rng(0)) == mnist_form).all()


@pytest.mark.parametrize("name", [field.name for field in fields_of(Distortion)])
def test_each_distortion_alone_changes_the_images_within_their_range(name: str, mnist_form: NDArray[np.uint8]) -> None:
    amount = 10.0 if name == "rotation" else 0.5
    found = distort(mnist_form, Distortion(**{name: amount}), np.random.default_rng(0))
    assert (found.shape, found.dtype) == ((12, 28, 28), np.float32)
    assert found.min() >= 0
    assert found.max() <= 255.001
    assert (found != mnist_form).any(axis=(1, 2)).all()
    assert np.abs(found - mnist_form).max() > 20


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 30), st.floats(0, 0.5), st.floats(0, 5))
def test_any_amounts_keep_levels_finite_and_in_range(seed: int, turn: float, stretch: float, shift: float) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (3, 28, 28), np.uint8)
    wild = Distortion(shift, turn, stretch, stretch, stretch, shift, min(1, stretch * 2))
    found = distort(images, wild, np.random.default_rng(seed))
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 255.01


def test_the_same_generator_state_gives_the_same_images(mnist_form: NDArray[np.uint8]) -> None:
    first, again, other = (distort(mnist_form, ALL, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_each_image_draws_its_own_amounts(bars: NDArray[np.uint8]) -> None:
    found = distort(bars, ALL, np.random.default_rng(0))
    assert len(np.unique(found.reshape(40, -1), axis=0)) == 40


def test_the_images_are_not_changed_in_place(mnist_form: NDArray[np.uint8]) -> None:
    before = mnist_form.copy()
    distort(mnist_form, ALL, np.random.default_rng(0))
    assert (mnist_form == before).all()


def test_no_images_give_none() -> None:
    assert distort(np.zeros((0, 28, 28), np.uint8), ALL, np.random.default_rng(0)).shape == (0, 28, 28)


def test_translation_moves_the_centre_by_up_to_its_pixels_each_way(bars: NDArray[np.uint8]) -> None:
    (before, _), (after, _) = (
        moments(bars.astype(np.float32)),
        moments(distort(bars, Distortion(translation=3), np.random.default_rng(0))),
    )
    moved = after - before
    assert np.abs(moved).max() <= 3.001
    assert (moved.max(axis=0) > 1.5).all()
    assert (moved.min(axis=0) < -1.5).all()


def test_rotation_turns_by_up_to_its_degrees_both_ways(bars: NDArray[np.uint8]) -> None:
    centre, second = moments(distort(bars, Distortion(rotation=30), np.random.default_rng(0)))
    angle = np.degrees(0.5 * np.arctan2(2 * second[:, 0, 1], second[:, 0, 0] - second[:, 1, 1]))
    assert np.abs(angle).max() <= 31
    assert angle.max() > 15
    assert angle.min() < -15
    assert np.abs(centre - 13.5).max() < 0.1


def test_scaling_stretches_both_ways_alike_and_squeezing_one_against_the_other(bars: NDArray[np.uint8]) -> None:
    # rows reach beyond ±8·e^0.2 < 14, so that nothing leaves the frame
    _, scaled = moments(distort(bars, Distortion(scaling=0.2), np.random.default_rng(0)))
    _, squeezed = moments(distort(bars, Distortion(squeezing=0.2), np.random.default_rng(0)))
    high, wide = (np.log(scaled[:, k, k]) for k in (0, 1))
    assert np.corrcoef(high, wide)[0, 1] > 0.9
    high, wide = (np.log(squeezed[:, k, k]) for k in (0, 1))
    assert np.corrcoef(high, wide)[0, 1] < -0.9
    assert np.abs(high / 2 - np.log(21.25) / 2).max() < 0.25


def test_shear_leans_upright_strokes_and_keeps_their_height(bars: NDArray[np.uint8]) -> None:
    _, second = moments(distort(bars, Distortion(shear=0.4), np.random.default_rng(0)))
    lean = second[:, 0, 1] / second[:, 0, 0]
    assert np.abs(lean).max() == pytest.approx(0.4, abs=0.06)
    np.testing.assert_allclose(second[:, 0, 0], 21.25, rtol=0.03)


def test_elastic_displacements_have_their_standard_deviation_and_are_smooth() -> None:
    still = fields(NONE, 400, np.random.default_rng(0))
    moved = fields(Distortion(elastic=0.8), 400, np.random.default_rng(0)) - still
    np.testing.assert_allclose(moved.std(axis=(0, 2, 3)), 0.8, rtol=0.05)
    assert np.abs(moved.mean(axis=(0, 2, 3))).max() < 0.05
    assert np.abs(np.diff(moved, axis=2)).std() < 0.8 / 3


def test_resampling_at_whole_pixels_moves_the_image_and_brings_in_background() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)
    where = fields(NONE, 1, np.random.default_rng(0))
    np.testing.assert_allclose(resample_in_numpy(image, where), image, atol=1e-3)
    found = resample_in_numpy(image, where + np.array([2, -3], np.float32)[:, None, None])
    np.testing.assert_allclose(found[0, :26, 3:], image[0, 2:, :25], atol=1e-3)
    assert found[0, 26:].max() < 1e-2
    assert found[0, :, :3].max() < 1e-2


def test_resampling_halfway_is_the_mean_of_the_neighbours() -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)
    where = fields(NONE, 1, np.random.default_rng(0)) + np.array([0, 0.5], np.float32)[:, None, None]
    expected = (image[0, :, :-1].astype(float) + image[0, :, 1:]) / 2
    np.testing.assert_allclose(resample_in_numpy(image, where)[0, :, :-1], expected, atol=1e-2)


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_resampling_far_outside_is_background(far: float) -> None:
    where = np.full((1, 2, 28, 28), far, np.float32)
    assert resample_in_numpy(np.full((1, 28, 28), 255, np.uint8), where).max() < 1e-2


def test_strokes_grow_and_shrink_by_a_pixel_a_side_at_most(bars: NDArray[np.uint8]) -> None:
    images = bars[:3].astype(np.float32)
    thinner, same, thicker = stroke_width(images, np.array([-1, 0, 1], np.float32))
    assert (same == images[1]).all()
    assert (thinner > 0).sum() == 14 * 2
    assert (thicker > 0).sum() == 18 * 4 + 2 * 16
