"""Ink at its boundaries: how many pixels and how much contrast are ink, faint ink, noise, paper and board."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lenet5.reading.ink import Ink, _faint, _noise, _paper, _sources, inks_of, shrunk

Levels = NDArray[np.float32]


def page(high: int, wide: int, level: float = 1) -> Levels:
    return np.full((high, wide), level, np.float32)


# --- what is ink ---


@pytest.mark.parametrize(
    ("shape", "pixels"), [((40, 40), 4), ((60, 80), 10), ((100, 110), 20), ((300, 300), 20)], ids=str
)
def test_the_strongest_ink_has_two_thousandths_of_the_pixels_but_at_least_four_and_no_more_than_twenty(
    shape: tuple[int, int], pixels: int
) -> None:
    for count, found in ((pixels, True), (pixels - 1, False)):
        grey = page(*shape)
        grey[20, 10 : 10 + count - count // 2] = grey[21, 10 : 10 + count // 2] = 0
        assert any(ink.mask.any() for ink in inks_of(grey)) == found


@pytest.mark.parametrize(("contrast", "found"), [(0.045, False), (0.06, True)])
def test_ink_is_a_twentieth_darker_than_its_paper(contrast: float, found: bool) -> None:
    grey = page(60, 80, 0.8)
    grey[20:40, 30:34] = 0.8 * (1 - contrast)
    assert any(ink.mask[30, 32] for ink in inks_of(grey)) == found


@pytest.mark.parametrize(("contrast", "found"), [(0.24, False), (0.25, False), (0.27, True)])
def test_ink_is_more_than_a_quarter_as_strong_as_the_strongest(contrast: float, found: bool) -> None:
    grey = page(100, 100)
    grey[20:24, 10:40] = 0
    for row in range(40, 100, 8):
        grey[row : row + 3] = 1 - contrast
    inks = inks_of(grey)
    assert [bool(ink.mask[41, 50]) for ink in inks if not ink.faint] == [found]
    assert any(ink.mask[41, 50] for ink in inks if ink.faint) == (not found)


@pytest.mark.parametrize(("side", "faint"), [(19, False), (20, True)])
def test_pictures_lower_than_twenty_pixels_have_no_faint_ink(side: int, faint: bool) -> None:
    grey = page(side, 100)
    grey[4:8, 10:40] = 0
    grey[4:7, 60:90] = grey[10:13, 10:90] = 0.8
    assert any(ink.faint for ink in inks_of(grey)) == faint


@pytest.mark.parametrize(
    ("shape", "windows"),
    [((20, 20), [9]), ((30, 119), [48]), ((30, 120), [12, 48]), ((30, 400), [40, 128]), ((40, 1700), [160, 128])],
    ids=str,
)
def test_icons_are_seen_through_a_large_window_and_larger_pictures_through_a_small_one_too(
    shape: tuple[int, int], windows: list[int]
) -> None:
    grey = page(*shape)
    grey[5:15, 4:10] = grey[5:15, 15:19] = 0
    grey[5:15, 30:60] = 0
    inks = inks_of(grey)
    assert [ink.window for ink in inks] == windows
    assert [max(ink.mask.shape) for ink in inks][-1] == min(320, shape[1])
    assert max(inks[0].mask.shape) == min(320 if len(windows) == 1 else 1600, shape[1])


@pytest.mark.parametrize(
    ("light", "dark"), [(61, [True]), (60, [True, False]), (1, [True, False]), (0.9, [False])], ids=str
)
def test_dark_ink_needs_a_hundredth_of_light_paper_and_light_ink_a_board_that_leaves_three_fifths(
    light: float, dark: list[bool]
) -> None:
    grey = page(100, 100, 0.1)
    grey.ravel()[: round(100 * light)] = 0.9
    assert [is_dark for _, is_dark in _sources(grey, None)] == dark


@pytest.mark.parametrize(("contrast", "dark"), [(0.049, [True, False]), (0.06, [True])])
def test_a_picture_in_which_levels_hardly_differ_may_be_paper_or_a_board(contrast: float, dark: list[bool]) -> None:
    grey = page(100, 100, 0.5)
    grey[50] = 0.5 - contrast
    assert [is_dark for _, is_dark in _sources(grey, None)] == dark


@pytest.mark.parametrize("sigma", [0.01, 0.03])
@pytest.mark.parametrize("shape", [(400, 300), (600, 700)], ids=str)
def test_the_noise_of_bare_paper_is_its_standard_deviation(shape: tuple[int, int], sigma: float) -> None:
    grey = (0.8 + np.random.default_rng(0).normal(0, sigma, shape)).astype(np.float32)
    assert _noise(grey) == pytest.approx(sigma, rel=0.03)
    assert _noise(grey[:, :1]) == 0


def test_noise_counts_by_the_lightness_of_the_paper_and_as_a_twentieth_at_most() -> None:
    for paper, sigma, noise in ((0.8, 0.02, 0.025), (0.4, 0.01, 0.025), (0.5, 0.05, 0.05), (0.03, 0.001, 0.02)):
        grey = (paper + np.random.default_rng(0).normal(0, sigma, (110, 110))).astype(np.float32)
        grey[30:80, 50:58] = 0
        (ink,) = inks_of(grey)[:1]
        assert ink.noise == pytest.approx(noise, rel=0.15)


@pytest.mark.parametrize(("contrast", "found"), [(0.1, False), (0.25, True)])
def test_ink_stands_out_by_six_standard_deviations_of_noise(contrast: float, found: bool) -> None:
    grey = (0.8 + np.random.default_rng(0).normal(0, 0.02, (110, 110))).astype(np.float32)
    grey[30:80, 50:58] = 0.8 * (1 - contrast)
    assert bool([ink for ink in inks_of(grey) if ink.dark]) == found


@pytest.mark.parametrize(("width", "filled"), [(8, True), (14, False)])
def test_paper_is_what_remains_when_all_that_is_narrower_than_the_window_is_filled_in(width: int, filled: bool) -> None:
    grey = page(60, 100)
    grey[:, 40 : 40 + width] = 0
    assert (_paper(grey, 10).min() > 0.99) == filled


def test_paper_is_smooth_over_a_third_of_the_window() -> None:
    grey = page(60, 240)
    grey[:, 120:] = 0.5
    edge = _paper(grey, 20)[30]
    assert np.flatnonzero((edge < 0.92) & (edge > 0.58)).size == pytest.approx(2 * 21 / 6, abs=1)


@pytest.mark.parametrize(("window", "shape"), [(35, (200, 200)), (37, (100, 100)), (72, (67, 67))])
def test_paper_is_looked_for_in_a_smaller_picture_where_the_window_is_large(
    window: int, shape: tuple[int, int]
) -> None:
    assert _paper(page(200, 200), window).shape == shape
    assert _paper(page(5, 200), 240).shape == (2, 100)


@pytest.mark.parametrize(("high", "counts"), [(32, True), (33, False)])
def test_a_light_speck_is_no_paper_in_pictures_of_over_32_pixels(high: int, counts: bool) -> None:
    grey = page(high, 60, 0.5)
    grey[15, 30] = 1
    assert (_paper(grey, 10)[15, 30] > 0.51) == counts


def test_paper_as_dark_as_a_hundredth_counts_as_a_fiftieth() -> None:
    grey = page(60, 80, 0.01)
    grey[20:40, 30:34] = 0
    assert inks_of(grey)[0].contrast[5, 5] == pytest.approx(0.5, abs=0.01)


# --- faint ink ---

STRONG = np.zeros((100, 200), np.bool_)
STRONG[20:60, 20:24] = True


def faint(contrast: Levels, floor: float = 0.05, window: int = 90) -> NDArray[np.bool_] | None:
    return _faint(np.where(STRONG, np.float32(1), contrast), STRONG, floor, window)


@pytest.mark.parametrize(("pixels", "found"), [(4, False), (5, True)])
def test_faint_ink_is_more_than_two_of_ten_thousand_pixels(pixels: int, found: bool) -> None:
    contrast = page(100, 200, 0)
    contrast[80, 100 : 100 + pixels] = 0.2
    assert (faint(contrast) is not None) == found


@pytest.mark.parametrize(("level", "found"), [(0.39, False), (0.41, True)])
def test_near_stronger_ink_faint_ink_is_two_fifths_as_strong(level: float, found: bool) -> None:
    contrast = page(100, 200, 0)
    contrast[20:60, 27:31] = contrast[20:60, 120:124] = level
    result = faint(contrast, window=480)
    assert result is not None
    assert result[25:55, 27:31].all() == found
    assert result[20:60, 120:124].all()


def test_faint_ink_is_more_than_the_floor() -> None:
    contrast = page(100, 200, 0)
    contrast[80, 100:140] = 0.25
    assert faint(contrast, floor=0.25) is None
    assert faint(contrast, floor=0.24) is not None


@pytest.mark.parametrize("away", [1, 2])
@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_what_touches_strong_ink_is_its_rim(side: str, away: int) -> None:
    contrast = page(100, 200, 0)
    if side in ("left", "right"):
        contrast[20:60, 20 - away if side == "left" else 23 + away] = 0.5
    else:
        contrast[20 - away if side == "top" else 59 + away, 10:34] = 0.5
        contrast[:, :19] = contrast[:, 25:] = 0
    assert (faint(contrast, window=20) is not None) == (away == 2)


@pytest.mark.parametrize(
    ("column", "window", "found"), [(25, 47, False), (26, 47, True), (25, 20, True)], ids=["near", "far", "narrow"]
)
def test_strong_ink_hides_faint_ink_as_far_as_a_twentieth_of_the_window(column: int, window: int, found: bool) -> None:
    contrast = page(100, 200, 0)
    contrast[20:60, column] = 0.3
    assert (faint(contrast, window=window) is not None) == found


def test_the_texture_of_paper_is_from_the_middle_of_its_levels_to_the_upper_quartile() -> None:
    contrast = page(100, 200, 0)
    contrast[:55], contrast[:30] = 0.01, 0.02
    for level, found in ((0.09, False), (0.115, True)):  # 0.01 + 6 · 0.01 / 0.67 = 0.1
        contrast[80, 100:140] = level
        result = faint(contrast)
        assert (result is not None and bool(result[80, 110])) == found


@pytest.mark.parametrize(("apart", "found"), [(0.022, True), (0.025, False)])
def test_faint_ink_is_looked_for_where_noise_leaves_three_fifths_of_the_threshold(apart: float, found: bool) -> None:
    grey = page(120, 100)
    grey[:, ::2] -= np.float32(apart)  # six standard deviations are 6.3 times as much, and the threshold is a quarter
    grey[20:24, 10:40] = 0
    for row in range(40, 120, 8):
        grey[row : row + 2] = 0.76
    assert any(ink.faint for ink in inks_of(grey)) == found


@pytest.mark.parametrize(("level", "found"), [(0.16, False), (0.2, True)])
@pytest.mark.parametrize("share", [0.3, 0.45])
def test_faint_ink_stands_out_from_the_texture_of_paper_by_six_standard_deviations(
    level: float, found: bool, share: float
) -> None:
    contrast = page(100, 200, 0)
    contrast[: round(100 * share)] = 0.02  # the upper quartile is 0.67 standard deviations above the middle: 0.03
    contrast[80, 100:140] = level
    result = faint(contrast)
    assert (result is not None and bool(result[80, 110])) == found


@pytest.mark.parametrize(("side", "shape"), [(100, (100, 50)), (99, (99, 50)), (30, (30, 15)), (1, (1, 1))])
def test_a_picture_is_shrunk_to_a_side_and_not_enlarged(side: int, shape: tuple[int, int]) -> None:
    grey = page(100, 50)
    assert shrunk(grey, side).shape == shape
    assert (shrunk(grey, side) is grey) == (side == 100)


# --- a crop with the picture's own detail ---


def test_a_crop_of_an_ink_at_the_pictures_size_is_a_part_of_its_contrast() -> None:
    contrast = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    ink = Ink(contrast, contrast > 0.5, 0.0, 1.0, page(20, 30), page(2, 3))  # what the picture shows is not looked at
    box = slice(4, 12), slice(5, 25)
    np.testing.assert_array_equal(ink.crop(box, 1.0), contrast[box])
    np.testing.assert_array_equal(replace(ink, scale=0.5, source=page(40, 60)).crop(box, 1.0), contrast[box])
    assert ink.crop(box, 2.0).shape == (16, 40)
    assert ink.crop(box, 2.0).mean() == pytest.approx(contrast[box].mean(), abs=0.02)
    np.testing.assert_allclose(ink.crop(box, 0.5), contrast[box].reshape(4, 2, 10, 2).mean(axis=(1, 3)), atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_crop_of_a_smaller_ink_is_one_minus_the_pictures_level_over_the_papers(factor: int) -> None:
    source = page(80, 120, 0.8)
    source[20:40, 40:60] = 0.2
    contrast = np.zeros((20, 30), np.float32)
    contrast[5:10, 10:15] = 0.75
    ink = Ink(contrast, contrast > 0.5, 0.0, 0.25, source, page(5, 6, 0.8))
    crop = ink.crop((slice(2, 14), slice(8, 20)), float(factor))
    assert crop.shape == (12 * factor, 12 * factor)
    expected = np.zeros((12, 12), np.float32)
    expected[3:8, 2:7] = 0.75
    np.testing.assert_allclose(crop.reshape(12, factor, 12, factor).mean(axis=(1, 3)), expected, atol=0.08)


def test_paper_as_dark_as_a_fiftieth_counts_as_such() -> None:
    contrast = np.zeros((20, 20), np.float32)
    ink = Ink(contrast, contrast > 0, 0.0, 0.5, page(40, 40, 0.01), page(5, 5, 0))
    assert ink.crop((slice(5, 15), slice(5, 15)), 2.0) == pytest.approx(0.5, abs=0.01)
