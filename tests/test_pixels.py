"""Ink levels become the input that the paper, or the tutorials, give the network."""

from __future__ import annotations

import numpy as np
import pytest

from lenet5 import ArrayError, paper
from lenet5.pixels import network_input


def test_lenet5_sees_a_32x32_frame_of_paper_with_ink_at_1_175() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[1] = 255
    found = network_input(paper.LENET5, images)
    assert (found.shape, found.dtype) == ((2, 32, 32), np.float32)
    np.testing.assert_allclose(found[0], -0.1, atol=1e-6)
    np.testing.assert_allclose(found[1, 2:30, 2:30], 1.175, atol=1e-6)
    found[1, 2:30, 2:30] = -0.1
    np.testing.assert_allclose(found[1], -0.1, atol=1e-6)


def test_the_concise_network_sees_0_to_1() -> None:
    images = np.arange(784, dtype=np.uint16).reshape(1, 28, 28) % 256
    found = network_input(paper.CONCISE, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, images / 255, atol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
def test_levels_of_any_type_give_the_same_input(kind: type, network: paper.Network) -> None:
    images = np.arange(784).reshape(1, 28, 28) % 256
    found = network_input(network, images.astype(kind))
    np.testing.assert_allclose(found, network_input(network, images.astype(np.uint8)), atol=1e-6)


def test_the_images_are_left_as_they_were(network: paper.Network) -> None:
    images = np.full((1, 28, 28), 7, np.float32)
    network_input(network, images)
    assert (images == 7).all()


def test_no_images_give_no_input(network: paper.Network) -> None:
    assert network_input(network, np.zeros((0, 28, 28), np.uint8)).shape == (0, *network.input_size)


@pytest.mark.parametrize("shape", [(28, 28), (1, 32, 32), (1, 1, 28, 28), (1, 784), (1, 28, 27)])
def test_another_shape_is_refused(shape: tuple[int, ...], network: paper.Network) -> None:
    with pytest.raises(ArrayError, match=r"images must be \(N, 28, 28\)"):
        network_input(network, np.zeros(shape, np.uint8))
