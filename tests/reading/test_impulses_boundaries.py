"""Salt and pepper at its boundaries: how many and which pixels are noise, and which of a noisy picture go."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.impulses import _alike, without_impulses

Levels = NDArray[np.float32]


def page(high: int, wide: int) -> Levels:
    return np.ones((high, wide), np.float32)


def peppered(count: int, shape: tuple[int, int] = (40, 40), size: int = 1, level: float = 0, top: int = 2) -> Levels:
    """White paper with so many groups of so many dark pixels side by side, three pixels apart."""
    grey = page(*shape)
    per_row = (shape[1] - 4) // (size + 3)
    for k in range(count):
        row, column = top + 4 * (k // per_row), 2 + (size + 3) * (k % per_row)
        grey[row, column : column + size] = level
    return grey


@pytest.mark.parametrize(("count", "noisy"), [(8, True), (7, False)])
def test_a_picture_is_noisy_where_one_in_two_hundred_of_its_pixels_are_impulses(count: int, noisy: bool) -> None:
    grey = peppered(count)
    assert bool(without_impulses(grey).min() == 1) == noisy


@pytest.mark.parametrize(("side", "noisy"), [(20, True), (19, False)])
def test_pictures_lower_than_twenty_pixels_have_no_noise(side: int, noisy: bool) -> None:
    assert bool(without_impulses(peppered(20, (side, 60))).min() == 1) == noisy


@pytest.mark.parametrize(("level", "noisy"), [(0.79, True), (0.81, False)])
def test_an_impulse_is_a_fifth_of_all_levels_from_its_neighbours(level: float, noisy: bool) -> None:
    assert bool(without_impulses(peppered(40, level=level)).min() == 1) == noisy


@pytest.mark.parametrize(("high", "noisy"), [(1, True), (2, False)])
def test_an_impulse_has_seven_neighbours_that_are_alike(high: int, noisy: bool) -> None:
    grey = peppered(30, size=2)  # of each pair every pixel has seven, of a square five
    grey = np.minimum(grey, np.roll(grey, high - 1, axis=0))
    assert bool(without_impulses(grey).min() == 1) == noisy


def test_in_noise_that_is_not_random_strokes_of_three_pixels_stay_and_pairs_go() -> None:
    grey = peppered(40)
    grey[36, 10:12] = grey[36, 20:23] = grey[37, 21] = 0
    found = without_impulses(grey)
    assert found[:36].min() == 1
    assert found[36, 10:12].min() == 1
    assert found[36, 21] == 0


@pytest.mark.parametrize(("apart", "noisy"), [(0.09, True), (0.11, False)])
def test_levels_a_tenth_apart_are_not_alike(apart: float, noisy: bool) -> None:
    grey = peppered(40)
    grey[:, ::2] -= np.float32(apart) * (grey[:, ::2] == 1)
    assert bool(without_impulses(grey).min() > 0.5) == noisy


@pytest.mark.parametrize(
    ("inner", "outer", "noisy"), [(0, 512, True), (400, 512, True), (512, 700, False)], ids=["middle", "rim", "beyond"]
)
def test_the_middle_of_a_large_picture_tells_whether_it_is_noisy(inner: int, outer: int, noisy: bool) -> None:
    grey = page(900, 900)
    down, right = np.abs(np.mgrid[-449.5:450, -449.5:450])
    place = np.maximum(down, right)
    ring = (place > inner / 2) & (place < outer / 2)
    dots = np.zeros_like(ring)
    step = max(2, int(np.sqrt(ring.sum() / (0.006 * 512 * 512)))) if inner < 512 else 4
    dots[::step, ::step] = True
    grey[dots & ring] = 0
    assert bool(without_impulses(grey).min() == 1) == noisy


def test_of_eight_neighbours_each_counts_that_is_as_light() -> None:
    for row, column in ((row, column) for row in range(3) for column in range(3)):
        grey = np.zeros((3, 3), np.float32)
        grey[row, column] = grey[1, 1] = 1
        middle = np.array([1]), np.array([1])
        assert _alike(grey, grey[middle], middle).tolist() == [int((row, column) != (1, 1))]


def test_salt_in_a_corner_and_at_the_border_goes() -> None:
    grey = 1 - peppered(40)
    grey[0, 0] = grey[39, 20] = grey[20, 39] = 1
    assert without_impulses(grey).max() == 0


def test_ink_of_just_a_fifth_is_no_impulse_and_stays_in_a_noisy_picture() -> None:
    grey = np.float32(0.2) * (1 - peppered(40))
    assert without_impulses(grey) is grey
    grey = 1 - peppered(40)
    grey[38, 20] = 0.2
    assert without_impulses(grey).max() == pytest.approx(0.2)


def test_levels_just_a_tenth_apart_are_not_alike() -> None:
    grey = np.full((3, 3), 0.1, np.float32)
    grey[1, 1] = 0
    middle = np.array([1]), np.array([1])
    assert _alike(grey, grey[middle], middle).tolist() == [0]
