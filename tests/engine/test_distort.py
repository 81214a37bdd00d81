"""The engine's resampling and stroke width against their reference in NumPy."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from conftest import compiled
from lenet5 import engine, paper
from lenet5.errors import ArrayError
from lenet5.learning.distort import NONE, Distortion, distort, fields, resample_in_numpy, stroke_width
from lenet5.pixels import network_input

STRONG = Distortion(translation=3, rotation=30, scaling=0.3, squeezing=0.3, shear=0.4, elastic=1.5)


def _images(n: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (n, 28, 28)).astype(np.uint8)


@compiled
@pytest.mark.parametrize("n", [0, 1, 7, 50])
def test_resampling_equals_numpys(variant: str, n: int) -> None:
    images, where = _images(n), fields(STRONG, n, np.random.default_rng(4))
    ours = engine.distort(images, where, variant=variant)
    np.testing.assert_allclose(ours, resample_in_numpy(images, where), atol=2e-3)  # of 255
    np.testing.assert_array_equal(engine.distort(images.astype(np.float32), where, variant=variant), ours)


@compiled
def test_strokes_equal_numpys(variant: str) -> None:
    images, where = _images(40), fields(STRONG, 40, np.random.default_rng(5))
    amounts = np.linspace(-1, 1, 40, dtype=np.float32)
    theirs = stroke_width(resample_in_numpy(images, where), amounts)
    np.testing.assert_allclose(engine.distort(images, where, amounts, variant=variant), theirs, atol=3e-3)


@compiled
def test_positions_outside_read_background_wherever_they_are(variant: str) -> None:
    images = np.full((6, 28, 28), 255, np.uint8)
    where = np.empty((6, 2, 28, 28), np.float32)
    for k, value in enumerate((np.nan, np.inf, -np.inf, 1e30, -5, 40)):
        where[k] = value
    np.testing.assert_array_equal(engine.distort(images, where, variant=variant), 0)


@compiled
def test_positions_on_the_grid_give_the_image_back(variant: str) -> None:
    images = _images(3)
    where = np.broadcast_to(np.mgrid[:28, :28].astype(np.float32), (3, 2, 28, 28))
    np.testing.assert_array_equal(engine.distort(images, where, variant=variant), images)


@compiled
@pytest.mark.parametrize(
    ("images", "where", "strokes", "message"),
    [
        (np.zeros((2, 28, 28)), np.zeros((2, 2, 28, 28), np.float32), None, "uint8 or float32 images"),
        (np.zeros((2, 32, 32), np.uint8), np.zeros((2, 2, 28, 28), np.float32), None, "images"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((1, 2, 28, 28), np.float32), None, "fields float32"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((2, 2, 28, 28)), None, "fields float32"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((2, 2, 28, 28), np.float32), np.zeros(3, np.float32), "strokes"),
    ],
)
def test_wrong_arrays_are_told(images: object, where: object, strokes: object, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        engine.distort(images, where, strokes)  # type: ignore[arg-type]


@compiled
@pytest.mark.parametrize("elastic", [0.0, 1.5])
def test_warping_equals_the_fields_it_stands_for(variant: str, elastic: float, monkeypatch: pytest.MonkeyPatch) -> None:
    images = _images(70)
    distortion = dataclasses.replace(STRONG, elastic=elastic, stroke=0.5)
    monkeypatch.setattr(engine, "warp", functools.partial(engine.warp, variant=variant, threads=2))
    ours = distort(images, distortion, np.random.default_rng(6))
    monkeypatch.setattr(engine, "AVAILABLE", False)
    np.testing.assert_allclose(ours, distort(images, distortion, np.random.default_rng(6)), atol=1e-2)  # of 255


@compiled
@pytest.mark.parametrize("network", paper.NETWORKS.values(), ids=lambda network: network.name)
def test_distorted_images_come_as_the_network_takes_them(network: paper.Network) -> None:
    images = _images(30)
    for distortion in (NONE, dataclasses.replace(STRONG, stroke=0.5)):
        ours = distort(images, distortion, np.random.default_rng(7), network)
        theirs = network_input(network, distort(images, distortion, np.random.default_rng(7)))
        np.testing.assert_array_equal(ours, theirs)


@compiled
@pytest.mark.parametrize("frame", [0, 1, 3])
def test_scale_offset_and_frame_are_what_was_asked_for(variant: str, frame: int) -> None:
    images, upright = _images(5), np.tile(np.eye(2, 3, dtype=np.float32), (5, 1, 1))
    ours = engine.warp(images, upright, scaling=(0.5, -3.0, frame), variant=variant)
    framed = np.pad(images, ((0, 0), (frame, frame), (frame, frame)))
    np.testing.assert_array_equal(ours, framed * np.float32(0.5) - np.float32(3))


@compiled
def test_distortions_do_not_depend_on_the_number_of_threads(variant: str) -> None:
    images, where = _images(200), fields(STRONG, 200, np.random.default_rng(4))
    one, other = (engine.distort(images, where, None, threads, variant) for threads in (1, 5))
    np.testing.assert_array_equal(one, other)
