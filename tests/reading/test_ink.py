"""Ink is found on any paper, in any light, in either polarity; blank pictures have none."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5.learning.data import ImageSet, load
from lenet5.reading.ink import Ink, evened, ink_within, without_impulses

Levels = NDArray[np.float32]

GENERATOR = np.random.default_rng(7)

BLANK: dict[str, Levels] = {
    "white": np.ones((120, 90), np.float32),
    "black": np.zeros((120, 90), np.float32),
    "grey": np.full((120, 90), 0.5, np.float32),
    "gradient": np.tile(np.linspace(0.3, 0.9, 160, dtype=np.float32), (120, 1)),
    "light falling off": 0.9 - 0.3 * np.hypot(*np.mgrid[-1:1:120j, -1:1:160j]).astype(np.float32) / np.sqrt(2),
    "mild noise": np.clip(0.8 + GENERATOR.normal(0, 0.02, (160, 160)), 0, 1).astype(np.float32),
    "noise over dark": np.clip(0.2 + GENERATOR.normal(0, 0.01, (160, 160)), 0, 1).astype(np.float32),
    "one pixel": np.zeros((1, 1), np.float32),
    "one row": np.linspace(0, 1, 50, dtype=np.float32)[None],
    "two columns": np.linspace(0, 1, 100, dtype=np.float32).reshape(50, 2),
}


def ink_of(grey: NDArray[np.floating]) -> Ink | None:
    """The ink through a window of half the picture, in the likelier polarity."""
    likelier = evened(grey.astype(np.float32)).likelier
    return ink_within(likelier, max(grey.shape) // 2)


@pytest.fixture
def pen(draw: Callable[..., Image.Image]) -> Levels:
    """A drawn 3, 1 where the pen was and 0 elsewhere: (200, 200)."""
    return 1 - np.asarray(draw("3"), np.float32) / 255


@pytest.mark.parametrize(
    ("paper", "strength"),
    [(1.0, 1.0), (1.0, 0.15), (0.6, 0.4), (0.0, -1.0), (0.2, -0.5)],
    ids=["black on white", "pencil", "on grey paper", "white on black", "chalk"],
)
def test_the_mask_is_where_the_pen_was(pen: Levels, paper: float, strength: float) -> None:
    found = ink_of((paper - strength * pen).astype(np.float32))
    assert found is not None
    agree = (found.mask == (pen > 0.5)).mean()
    assert agree > 0.99
    assert found.mask.any()


def test_levels_are_0_on_paper_and_1_in_the_stroke(pen: Levels) -> None:
    found = ink_of(1 - pen)
    assert found is not None
    assert found.level.min() == 0
    assert found.level.max() == 1
    assert found.level[pen == 0].mean() < 0.01
    assert found.level[pen == 1].mean() > 0.95


def test_both_polarities_give_the_same_mask(pen: Levels) -> None:
    dark, light = ink_of(1 - pen), ink_of(pen)
    assert dark is not None
    assert light is not None
    assert (dark.mask != light.mask).mean() < 0.005


def test_a_shadow_across_the_paper_is_not_ink(pen: Levels) -> None:
    shadow = np.tile(np.linspace(0.45, 1, 200, dtype=np.float32), (200, 1))
    found = ink_of((1 - 0.8 * pen) * shadow)
    assert found is not None
    assert (found.mask == (pen > 0.5)).mean() > 0.98


def test_sensor_noise_beside_the_pen_is_not_ink(pen: Levels) -> None:
    noisy = np.clip(0.9 - 0.7 * pen + np.random.default_rng(1).normal(0, 0.03, pen.shape), 0, 1)
    found = ink_of(noisy.astype(np.float32))
    assert found is not None
    assert found.mask[pen == 0].mean() < 0.005
    assert found.mask[pen == 1].mean() > 0.95


def rough(shape: tuple[int, int], amount: float) -> Levels:
    """Paper whose grains of several sizes differ in lightness."""
    generator = np.random.default_rng(5)
    paper = np.full(shape, 0.8, np.float32)
    for grain in (2, 6, 25):
        coarse = generator.normal(0, amount, (shape[0] // grain + 2, shape[1] // grain + 2)).astype(np.float32)
        paper += cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return paper


@pytest.mark.parametrize("amount", [0.005, 0.01, 0.02])
@pytest.mark.parametrize("window", [15, 40, 150])
def test_rough_paper_has_no_ink_in_any_window(amount: float, window: int) -> None:
    assert ink_within(evened(rough((300, 400), amount)).likelier, window) is None


def test_faint_strokes_on_rough_paper_are_ink() -> None:
    paper = rough((300, 400), 0.008)
    strokes = np.zeros(paper.shape, np.uint8)
    cv2.ellipse(strokes, (200, 150), (50, 80), 0, 0, 360, 1, 7)
    found = ink_within(evened(paper - 0.2 * strokes).likelier, 150)
    assert found is not None
    assert found.mask[cv2.erode(strokes, np.ones((3, 3), np.uint8)) > 0].mean() > 0.95
    assert found.mask[cv2.dilate(strokes, np.ones((9, 9), np.uint8)) == 0].mean() < 0.01


def sprinkled(grey: Levels, share: float) -> Levels:
    """Salt and pepper on so many of the pixels."""
    drawn = np.random.default_rng(3).random(grey.shape)
    return np.where(drawn < share / 2, 0, np.where(drawn < share, 1, grey)).astype(np.float32)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.2])
def test_salt_and_pepper_go_and_strokes_stay(share: float) -> None:
    clean = np.full((120, 160), 0.85, np.float32)
    cv2.ellipse(clean, (80, 60), (30, 45), 0, 0, 360, 0.2, 5)
    found = without_impulses(sprinkled(clean, share))
    assert (np.abs(found - clean) > 0.2).mean() < 0.02
    assert (np.abs(sprinkled(clean, share) - clean) > 0.1).mean() > 0.8 * share


def test_hairlines_and_pictures_without_noise_are_left_as_they_are() -> None:
    clean = np.full((120, 160), 0.85, np.float32)
    for row in range(10, 110, 10):
        cv2.line(clean, (5, row), (150, row + 7), 0.1, 1)
    assert without_impulses(clean) is clean


@pytest.mark.parametrize("side", [28, 20, 14, 10, 8])
def test_small_digits_are_no_noise(side: int) -> None:
    found = load("digits", "test")
    assert isinstance(found, ImageSet)
    for image in found.images[:100]:
        grey = 1 - cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        assert without_impulses(grey) is grey


def test_small_print_is_no_noise() -> None:
    page = np.full((300, 600), 255, np.uint8)
    for row in range(20, 290, 14):
        cv2.putText(page, "0123456789 31415926 2718", (8, row), cv2.FONT_HERSHEY_SIMPLEX, 0.35, 0, 1, cv2.LINE_AA)
    grey = page.astype(np.float32) / 255
    assert without_impulses(grey) is grey
