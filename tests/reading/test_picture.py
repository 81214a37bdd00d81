"""Pictures: scaled down, without noise, in parts and turned."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet5 import Box, PictureError
from lenet5.errors import ArrayError
from lenet5.reading.impulses import without_impulses
from lenet5.reading.opening import open_picture
from lenet5.reading.picture import Picture, Region

# --- large pictures ---
from tests.reading.test_channels import INKS, page_with


def test_a_picture_of_over_16_megapixels_is_scaled_down_and_it_is_said() -> None:
    opened = open_picture(np.broadcast_to(np.uint8(200), (5000, 4000)))
    assert opened.grey.size <= 16_000_000
    assert opened.size == (4000, 5000)
    assert opened.scale == pytest.approx(opened.grey.shape[1] / 4000)
    (note,) = opened.notes
    assert "4000×5000" in note


def test_boxes_of_a_scaled_picture_are_in_pixels_of_the_picture_as_shown() -> None:
    opened = Picture(np.zeros((50, 40), np.float32), size=(81, 101), scale=40 / 81)
    box = opened.box(Box(10, 20, 40, 50))
    assert (box.left, box.top) == (20, 40)
    assert (box.right, box.bottom) == (81, 101)


@pytest.mark.parametrize("amount", [0.0, 0.005, 0.02, 0.1])
def test_salt_and_pepper_is_taken_out_of_a_picture_where_there_is_much_of_it(amount: float) -> None:
    page = np.full((600, 700), 230, np.uint8)
    page[np.random.default_rng(1).random(page.shape) < amount] = 0
    opened = open_picture(page).grey
    assert opened.tolist() == without_impulses(page.astype(np.float32) / 255).tolist()
    if amount > 0.01:
        assert np.count_nonzero(opened < 0.5) < 0.2 * np.count_nonzero(page == 0)


def test_salt_and_pepper_is_taken_out_of_the_darkest_channel_too() -> None:
    page = page_with(INKS["yellow"])
    page[np.random.default_rng(1).random(page.shape[:2]) < 0.02] = 0
    darkest = open_picture(page).darkest
    assert darkest is not None
    assert np.count_nonzero(darkest < 0.1) < 0.1 * np.count_nonzero(page.max(axis=2) == 0)
    assert darkest[70, 102] == pytest.approx(60 / 255)


# --- parts of a picture, and turned ones ---


def numbered(height: int = 20, width: int = 30) -> Picture:
    """A picture whose pixels are all different."""
    return open_picture(np.arange(height * width, dtype=np.uint16).reshape(height, width) * 100)


def test_a_part_of_a_picture_holds_the_pixels_of_the_box_and_knows_where_it_lies() -> None:
    page = numbered()
    part = page.cropped(Box(5, 3, 12, 20))
    assert part.grey.tolist() == page.grey[3:20, 5:12].tolist()
    assert part.grey.flags.c_contiguous
    assert part.size == page.size
    assert part.bounds == Box(5, 3, 12, 20)
    assert part.box(Box(1, 2, 3, 4)) == Box(6, 5, 8, 7)


def test_fractions_and_pixels_name_the_same_part() -> None:
    page = numbered()
    by_fractions: list[Region] = [(0.1, 0.25, 0.5, 1), [0.1, 0.25, 0.5, 1.0], np.array([0.1, 0.25, 0.5, 1])]  # type: ignore[list-item]
    for region in by_fractions:
        assert page.cropped(region).bounds == Box(3, 5, 15, 20)
    assert page.cropped((0, 0, 1, 1)).bounds == Box(0, 0, 30, 20)


def test_neighbouring_fractions_share_no_pixel() -> None:
    page = numbered()
    edges = np.linspace(0, 1, 10)
    parts = [page.cropped((left, 0, right, 1)).bounds for left, right in itertools.pairwise(edges)]
    assert [part.right for part in parts[:-1]] == [part.left for part in parts[1:]]


def test_the_darkest_channel_is_cropped_and_turned_too_and_dropped_where_there_is_no_colour() -> None:
    page = open_picture(page_with(INKS["yellow"]))
    part = page.cropped(Box(90, 40, 120, 100)).turned(1)
    assert part.darkest is not None
    assert part.darkest.shape == part.grey.shape == (30, 60)
    assert part.darkest.min() == pytest.approx(60 / 255, abs=0.01)
    assert page.cropped(Box(200, 40, 300, 100)).darkest is None


WHERE = st.tuples(st.integers(0, 29), st.integers(0, 19), st.integers(1, 30), st.integers(1, 20))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(-5, 5), WHERE), max_size=5), WHERE)
def test_after_any_crops_and_turns_a_box_still_names_its_pixels(
    steps: list[int | tuple[int, int, int, int]], where: tuple[int, int, int, int]
) -> None:
    whole = picture_now = numbered()
    for step in steps:
        try:
            picture_now = picture_now.turned(step) if isinstance(step, int) else picture_now.cropped(Box(*step))
        except (ArrayError, PictureError):
            continue
    height, width = picture_now.grey.shape
    left, top = where[0] % width, where[1] % height
    right, bottom = min(width, left + where[2]), min(height, top + where[3])
    box = picture_now.box(Box(left, top, right, bottom))
    turned = np.rot90(whole.grey[box.top : box.bottom, box.left : box.right], picture_now.quarter_turns)
    assert turned.tolist() == picture_now.grey[top:bottom, left:right].tolist()
    bounds = picture_now.bounds
    assert (bounds.right - bounds.left) * (bounds.bottom - bounds.top) == picture_now.grey.size


@pytest.mark.parametrize("turns", range(-4, 9))
def test_a_picture_turns_as_numpy_turns_it(turns: int) -> None:
    assert numbered().turned(turns).grey.tolist() == np.rot90(numbered().grey, turns).tolist()


def test_four_quarter_turns_are_none() -> None:
    page = numbered()
    back = page.turned(1).turned(1).turned(2)
    assert back.grey.tolist() == page.grey.tolist()
    assert back.quarter_turns == 0
    assert page.turned(4) is page


def test_a_part_of_a_scaled_picture_holds_all_of_the_box_and_hardly_more() -> None:
    page = Picture(np.zeros((50, 40), np.float32), size=(81, 101), scale=40 / 81)
    part = page.cropped(Box(21, 31, 41, 60))
    assert part.grey.shape == (15, 11)
    bounds = part.bounds
    assert (bounds.left, bounds.top) == (20, 30)
    assert (bounds.right, bounds.bottom) == (43, 61)


def test_what_both_hold_remains_of_a_part_of_a_part() -> None:
    part = numbered().cropped(Box(5, 3, 12, 20))
    assert part.cropped(Box(0, 0, 30, 5)).bounds == Box(5, 3, 12, 5)
    with pytest.raises(PictureError, match="no pixel in this part"):
        part.cropped(Box(20, 3, 25, 20))


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ((0.5, 0, 0.5, 1), "is empty"),
        ((0.6, 0, 0.5, 1), "is empty"),
        ((0, 0.9, 1, 0.1), "is empty"),
        (Box(7, 0, 7, 5), "is empty"),
        (Box(9, 0, 7, 5), "is empty"),
        ((0, 0, float("nan"), 1), "in 0..1"),
        ((0, 0, float("inf"), 1), "in 0..1"),
        ((-0.1, 0, 1, 1), "in 0..1"),
        ((0, 0, 30, 20), "pass pixels as a Box"),
        ((0, 0, 1), "four fractions"),
        ((0, 0, 1, 1, 1), "four fractions"),
        ("0,0,1,1", "four fractions"),
        ("0011", "four fractions"),
        (b"\0\0\1\1", "four fractions"),
        (("a", 0, 1, 1), "four fractions"),
        (None, "four fractions"),
        (0.5, "four fractions"),
        (np.zeros((4, 2)), "four fractions"),
        (Box(0.1, 0, 0.5, 1), "whole pixels"),  # type: ignore[arg-type]
        (Box(float("nan"), 0, 5, 5), "whole pixels"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_region_of_any_picture_is_refused_in_one_line(region: Region, reason: str) -> None:
    with pytest.raises(ArrayError, match=reason) as caught:
        numbered().cropped(region)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (Box(-1, 0, 5, 5), "outside the picture of 30×20"),
        (Box(0, 0, 31, 5), "outside the picture of 30×20"),
        (Box(40, 40, 50, 50), "outside the picture of 30×20"),
        ((0.5, 0, 0.501, 1), "has no pixel"),
    ],
)
def test_a_region_that_is_not_in_this_picture_is_refused_in_one_line(region: Region, reason: str) -> None:
    with pytest.raises(PictureError, match=reason) as caught:
        numbered().cropped(region)
    assert "\n" not in str(caught.value)
