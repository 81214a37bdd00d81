"""The engine's resampling and stroke width against their reference in NumPy."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from conftest import compiled
from lenet5 import engine, paper
from lenet5.errors import ArrayError
from lenet5.learning.distort import NONE, Distortion, affine, distort, fields, resample_in_numpy, stroke_width
from lenet5.pixels import network_input

STRONG = Distortion(translation=3, rotation=30, scaling=0.3, squeezing=0.3, shear=0.4, elastic=1.5)


def _images(n: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (n, 28, 28)).astype(np.uint8)


def _still(n: int) -> np.ndarray:
    """The maps (n, 2, 3) that read every pixel where it is."""
    return np.tile(np.eye(2, 3, dtype=np.float32), (n, 1, 1))


@compiled
@pytest.mark.parametrize("n", [0, 1, 7, 50])
def test_resampling_equals_numpys(variant: str, n: int) -> None:
    images, still = _images(n), dataclasses.replace(STRONG, elastic=0)
    matrices = affine(still, n, np.random.default_rng(4))
    theirs = resample_in_numpy(images, fields(still, n, np.random.default_rng(4)))
    np.testing.assert_allclose(engine.warp(images, matrices, variant=variant), theirs, atol=1e-2)  # of 255


@compiled
def test_strokes_equal_numpys(variant: str) -> None:
    images, still = _images(40), dataclasses.replace(STRONG, elastic=0)
    amounts = np.linspace(-1, 1, 40, dtype=np.float32)
    matrices = affine(still, 40, np.random.default_rng(5))
    theirs = stroke_width(resample_in_numpy(images, fields(still, 40, np.random.default_rng(5))), amounts)
    np.testing.assert_allclose(engine.warp(images, matrices, strokes=amounts, variant=variant), theirs, atol=1e-2)


@compiled
def test_positions_outside_read_background_wherever_they_are(variant: str) -> None:
    matrices = np.zeros((6, 2, 3), np.float32)
    for k, value in enumerate((np.nan, np.inf, -np.inf, 1e30, -5, 40)):
        matrices[k, :, 2] = value
    np.testing.assert_array_equal(engine.warp(np.full((6, 28, 28), 255, np.uint8), matrices, variant=variant), 0)


@compiled
def test_positions_on_the_grid_give_the_image_back(variant: str) -> None:
    images = _images(3)
    np.testing.assert_array_equal(engine.warp(images, _still(3), variant=variant), images)


@compiled
@pytest.mark.parametrize(
    ("images", "matrices", "strokes", "message"),
    [
        (np.zeros((2, 28, 28)), _still(2), None, "uint8 images"),
        (np.zeros((2, 32, 32), np.uint8), _still(2), None, "images"),
        (np.zeros((2, 28, 28), np.uint8), _still(1), None, "matrices float32"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((2, 2, 3)), None, "matrices float32"),
        (np.zeros((2, 28, 28), np.uint8), _still(2), np.zeros(3, np.float32), "strokes"),
    ],
)
def test_wrong_arrays_are_told(images: object, matrices: object, strokes: object, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        engine.warp(images, matrices, strokes=strokes)  # type: ignore[arg-type]


@compiled
def test_noise_without_smoothing_is_told() -> None:
    noise = np.zeros((2, 2, 8, 8), np.float32)
    with pytest.raises(ArrayError, match="smoothing"):
        engine.warp(_images(2), _still(2), noise)


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
    images = _images(5)
    ours = engine.warp(images, _still(5), scaling=(0.5, -3.0, frame), variant=variant)
    framed = np.pad(images, ((0, 0), (frame, frame), (frame, frame)))
    np.testing.assert_array_equal(ours, framed * np.float32(0.5) - np.float32(3))


@compiled
def test_distortions_do_not_depend_on_the_number_of_threads(variant: str) -> None:
    images, matrices = _images(200), affine(STRONG, 200, np.random.default_rng(4))
    alone, shared = (engine.warp(images, matrices, threads=threads, variant=variant) for threads in (1, 5))
    np.testing.assert_array_equal(alone, shared)
