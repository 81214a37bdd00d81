"""Inks: contrast with the paper in any light, both polarities, colour, faint strokes; impulses go and strokes stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5.reading.ink import Ink, inks_of
from lenet5.reading.proposals import proposals_of

Levels = NDArray[np.float32]

GENERATOR = np.random.default_rng(7)

FLAT: dict[str, Levels] = {
    "white": np.ones((120, 90), np.float32),
    "black": np.zeros((120, 90), np.float32),
    "grey": np.full((120, 90), 0.5, np.float32),
    "mild noise": np.clip(0.8 + GENERATOR.normal(0, 0.02, (160, 160)), 0, 1).astype(np.float32),
    "noise over dark": np.clip(0.2 + GENERATOR.normal(0, 0.01, (160, 160)), 0, 1).astype(np.float32),
    "one pixel": np.zeros((1, 1), np.float32),
    "one row": np.linspace(0, 1, 50, dtype=np.float32)[None],
}
"""Blank pictures in even light."""

BLANK: dict[str, Levels] = {
    **FLAT,
    "gradient": np.tile(np.linspace(0.3, 0.9, 160, dtype=np.float32), (120, 1)),
    "light falling off": 0.9 - 0.3 * np.hypot(*np.mgrid[-1:1:120j, -1:1:160j]).astype(np.float32) / np.sqrt(2),
    "two columns": np.linspace(0, 1, 100, dtype=np.float32).reshape(50, 2),
}
"""Blank pictures, some of them in light that changes as much as ink does."""


@pytest.fixture
def pen(draw: Callable[..., Image.Image]) -> Levels:
    """A drawn 3 in the middle of paper: 1 where the pen was and 0 elsewhere, (300, 400)."""
    strokes = 1 - np.asarray(draw("3"), np.float32) / 255
    return np.pad(strokes, ((50, 50), (100, 100)))


def on(ink: Ink, pen: Levels) -> NDArray[np.bool_]:
    """Where the pen was, in pixels of an ink."""
    same = cv2.resize(pen, ink.mask.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(same > 0.5)


def agreement(ink: Ink, pen: Levels) -> float:
    """Intersection over union of a mask with where the pen was."""
    truth = on(ink, pen)
    return float((ink.mask & truth).sum() / (ink.mask | truth).sum())


def best(inks: list[Ink], pen: Levels) -> Ink:
    """The ink that agrees best with where the pen was."""
    return max(inks, key=lambda ink: agreement(ink, pen))


@pytest.mark.parametrize(
    ("paper", "strength"),
    [(1.0, 1.0), (1.0, 0.15), (0.6, 0.4), (0.0, -1.0), (0.2, -0.5), (0.5, -0.3)],
    ids=["black on white", "pencil", "on grey paper", "white on black", "chalk", "light on grey"],
)
def test_some_ink_is_where_the_pen_was(pen: Levels, paper: float, strength: float) -> None:
    ink = best(inks_of((paper - strength * pen).astype(np.float32)), pen)
    assert agreement(ink, pen) > 0.95
    assert ink.dark == (strength > 0)


def test_contrast_is_the_light_that_the_ink_swallows(pen: Levels) -> None:
    ink = best(inks_of(np.float32(0.8) * (1 - np.float32(0.75) * pen)), pen)
    sure = cv2.erode(on(ink, pen).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    far = cv2.dilate(on(ink, pen).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert ink.contrast[sure] == pytest.approx(0.75, abs=0.01)
    assert ink.contrast[far].max() < 0.01


def test_half_the_light_gives_the_same_inks(pen: Levels) -> None:
    bright = (0.9 - 0.6 * pen).astype(np.float32)
    full, half = inks_of(bright), inks_of(bright * np.float32(0.5))
    assert len(full) == len(half) > 0
    for one, other in zip(full, half, strict=True):
        assert (one.mask == other.mask).all()
        assert np.abs(one.contrast - other.contrast).max() < 0.01


@pytest.mark.parametrize("fall", [0.8, 0.6, 0.4])
def test_light_that_falls_off_changes_neither_contrast_nor_mask(pen: Levels, fall: float) -> None:
    bright = (0.9 - 0.6 * pen).astype(np.float32)
    light = np.linspace(fall, 1, pen.shape[1], dtype=np.float32)[None]
    even, uneven = (best(inks_of(grey), pen) for grey in (bright, bright * light))
    assert agreement(uneven, pen) > 0.95
    assert uneven.mask.shape == even.mask.shape
    assert np.abs(even.contrast - uneven.contrast)[on(even, pen)].max() < 0.03


def test_where_the_ground_is_ambiguous_both_polarities_are_proposed(pen: Levels) -> None:
    halves = np.full(pen.shape, 0.85, np.float32)
    halves[150:] = 0.15
    grey = np.clip(halves + np.where(halves > 0.5, -0.5, 0.5) * pen, 0, 1).astype(np.float32)
    inks = inks_of(grey)
    upper, lower = pen.copy(), pen.copy()
    upper[150:], lower[:150] = 0, 0
    for half, dark in ((upper, True), (lower, False)):
        assert max(float(ink.mask[on(ink, half)].mean()) for ink in inks if ink.dark == dark) > 0.95


def test_on_clear_paper_light_ink_is_not_looked_for(pen: Levels) -> None:
    assert {ink.dark for ink in inks_of((0.9 - 0.7 * pen).astype(np.float32))} == {True}


def test_yellow_ink_on_white_is_found_through_the_darkest_channel(pen: Levels) -> None:
    generator = np.random.default_rng(2)
    channels = np.stack([np.ones_like(pen), 1 - 0.05 * pen, 1 - 0.9 * pen], axis=-1)
    channels = np.clip(channels - np.abs(generator.normal(0, 0.02, channels.shape)), 0, 1).astype(np.float32)
    grey = np.asarray(channels @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
    ink = best(inks_of(grey, channels.min(axis=2)), pen)
    assert agreement(ink, pen) > 0.9
    assert ink.contrast[on(ink, pen)].mean() > 0.7


def test_a_coloured_pen_over_black_print_is_an_ink_of_its_own(pen: Levels) -> None:
    printed = np.zeros_like(pen)
    printed[::6] = 1
    colour = np.stack([0.2 * pen, 0.8 * pen, 0.75 * pen], axis=-1)
    channels = np.clip(0.95 - np.maximum(colour, 0.85 * printed[..., None]), 0, 1).astype(np.float32)
    grey = np.asarray(channels @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)
    inks = inks_of(grey, channels.min(axis=2), channels.max(axis=2))
    bare = (pen > 0.5) & (printed == 0)
    ink = best([ink for ink in inks if ink.colour], bare.astype(np.float32))
    assert ink.mask[on(ink, pen) & (printed == 0)].mean() > 0.9
    assert ink.mask[printed > 0].mean() < 0.05
    assert not any(ink.colour for ink in inks_of(grey))


@pytest.mark.parametrize("shade", [0.5, 0.3, 0.1])
@pytest.mark.parametrize("soft", [1, 8, 20])
@pytest.mark.parametrize("strength", [0.6, 0.3])
def test_ink_in_a_dark_shadow_is_found_as_it_is_in_the_light(
    pen: Levels, shade: float, soft: float, strength: float
) -> None:
    both = np.concatenate([pen, pen], axis=1)
    light = np.ones_like(both)
    light[:, : pen.shape[1]] = shade
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), soft), np.float32)
    inks = inks_of(((0.9 - strength * both) * light).astype(np.float32))
    shaded = np.pad(pen, ((0, 0), (0, 400)))
    around = np.asarray(cv2.dilate(shaded, np.ones((41, 41), np.uint8)), np.float32)  # as far as to the shadow's edge
    nearby = [replace(ink, mask=ink.mask & on(ink, around)) for ink in inks]
    assert agreement(best(nearby, shaded), shaded) > 0.95


def test_sensor_noise_beside_the_pen_is_no_ink(pen: Levels) -> None:
    noisy = np.clip(0.9 - 0.7 * pen + np.random.default_rng(1).normal(0, 0.03, pen.shape), 0, 1)
    for ink in inks_of(noisy.astype(np.float32)):
        assert ink.noise == pytest.approx(0.03 / 0.9, rel=0.5)
        assert not ink.faint
        assert agreement(ink, pen) > 0.85


def rough(shape: tuple[int, int], amount: float) -> Levels:
    """Paper whose grains of several sizes differ in lightness."""
    generator = np.random.default_rng(5)
    paper = np.full(shape, 0.8, np.float32)
    for grain in (2, 6, 25):
        coarse = generator.normal(0, amount, (shape[0] // grain + 2, shape[1] // grain + 2)).astype(np.float32)
        paper += cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return paper


@pytest.mark.parametrize("amount", [0.005, 0.01, 0.02, 0.03])
def test_the_texture_of_paper_beside_the_pen_is_no_faint_ink(pen: Levels, amount: float) -> None:
    inks = inks_of(rough((300, 400), amount) - np.float32(0.6) * pen)
    assert not any(ink.faint for ink in inks)
    assert all(agreement(ink, pen) > 0.9 for ink in inks)


def test_pencil_beside_a_black_marker_is_a_faint_ink(pen: Levels) -> None:
    generator = np.random.default_rng(2)
    pencil, marker = np.pad(pen, ((0, 0), (0, 400))), np.pad(pen, ((0, 0), (400, 0)))
    paper = 0.85 - 0.12 * pencil - 0.75 * marker + generator.normal(0, 0.005, pencil.shape)
    inks = inks_of(paper.astype(np.float32))
    faint = best([ink for ink in inks if ink.faint], pencil)
    assert faint.mask[on(faint, pencil)].mean() > 0.95
    assert not faint.mask[on(faint, marker)].any()
    assert all(ink.mask[on(ink, pencil)].mean() < 0.05 for ink in inks if not ink.faint)


def test_faint_strokes_on_rough_paper_are_ink() -> None:
    paper, strokes = rough((300, 400), 0.008), np.zeros((300, 400), np.float32)
    cv2.ellipse(strokes, (200, 150), (50, 80), 0, 0, 360, 1, 7)
    assert agreement(best(inks_of(paper - np.float32(0.2) * strokes), strokes), strokes) > 0.7


@pytest.mark.parametrize("grey", FLAT.values(), ids=FLAT.keys())
def test_a_blank_picture_in_even_light_has_no_ink_that_could_be_a_mark(grey: Levels) -> None:
    assert [proposal for ink in inks_of(grey) for proposal in proposals_of(ink)] == []


def test_a_crop_of_a_large_picture_has_the_pictures_own_detail() -> None:
    grey = np.full((3000, 4000), 0.9, np.float32)
    grey[1000:1300, 2000:2100:4] = grey[1000:1300, 2001:2100:4] = 0.2  # too fine for the smaller picture
    ink = next(ink for ink in inks_of(grey) if ink.scale == 0.4)
    crop = ink.crop((slice(400, 520), slice(804, 836)), 2.5)
    assert crop == pytest.approx(1 - grey[1000:1300, 2010:2090] / 0.9, abs=0.02)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_picture_of_one_level_has_no_ink(level: float) -> None:
    grey = np.full((120, 160), level, np.float32)
    assert inks_of(grey, grey, grey) == []
