"""The channels of a picture: what is transparent lies on paper, and coloured ink is dark in one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lenet5.reading.channels import channels_of, is_coloured, sampled, shows_colour
from lenet5.reading.opening import Source, open_picture
from tests.reading.test_opening import GREY, encoded


@pytest.mark.parametrize("pen", [0, 255], ids=["black pen", "white pen"])
def test_the_pen_of_a_transparent_picture_stands_out_from_its_paper(pen: int) -> None:
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[5:15, 9:12] = (pen, pen, pen, 255)
    grey = open_picture(Image.fromarray(rgba)).grey
    assert grey[10, 10] == pen / 255
    assert grey[0, 0] == 1 - pen / 255


def test_a_gif_with_a_transparent_colour_has_paper_there() -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 10, 10, 10])
    image.putpixel((0, 0), 0)
    image.putpixel((1, 1), 0)
    grey = open_picture(encoded(image, "GIF", transparency=1)).grey
    assert grey.tolist() == [[0, 1], [1, 0]]


def test_a_fully_transparent_picture_is_blank() -> None:
    assert np.ptp(open_picture(np.zeros((8, 8, 4), np.uint8)).grey) == 0


# --- colour ---

INKS = {"yellow": (255, 235, 60), "pink": (255, 105, 180), "pale blue": (120, 200, 255), "orange": (255, 170, 60)}


def page_with(ink: tuple[int, int, int], height: int = 300, width: int = 400) -> NDArray[np.uint8]:
    """White RGB paper with one stroke of ink, 40×4 pixels from (100, 50)."""
    page = np.full((height, width, 3), 255, np.uint8)
    page[50:90, 100:104] = ink
    return page


COLOURED: dict[str, Callable[[NDArray[np.uint8]], Source]] = {
    "uint8": lambda page: page,
    "uint16": lambda page: page.astype(np.uint16) * 257,
    "float32": lambda page: page.astype(np.float32) / 255,
    "float64": lambda page: page.astype(np.float64) / 255,
    "opaque RGBA array": lambda page: np.dstack([page, np.full(page.shape[:2], 255, np.uint8)]),
    "mirrored view": lambda page: page[:, ::-1][:, ::-1],
    "Fortran order": np.asfortranarray,
    "PIL RGB": Image.fromarray,
    "PIL RGBA": lambda page: Image.fromarray(page).convert("RGBA"),
    "PIL palette": lambda page: Image.fromarray(page).quantize(8),
    "PNG": lambda page: encoded(Image.fromarray(page)),
    "TIFF": lambda page: encoded(Image.fromarray(page), "TIFF"),
    "WebP": lambda page: encoded(Image.fromarray(page), "WEBP", lossless=True),
}


@pytest.mark.parametrize("source", COLOURED.values(), ids=COLOURED.keys())
@pytest.mark.parametrize("ink", INKS.values(), ids=INKS.keys())
def test_the_darkest_channel_of_coloured_ink_comes_with_every_kind_of_source(
    source: Callable[[NDArray[np.uint8]], Source], ink: tuple[int, int, int]
) -> None:
    opened = open_picture(source(page_with(ink)))
    assert opened.darkest is not None
    assert opened.darkest.dtype == np.float32
    assert opened.darkest.shape == opened.grey.shape == (300, 400)
    assert opened.darkest[70, 102] == pytest.approx(min(ink) / 255, abs=0.01)
    assert opened.grey[70, 102] == pytest.approx(np.dot(ink, (0.299, 0.587, 0.114)) / 255, abs=0.01)
    assert opened.darkest[0, 0] == 1
    assert opened.lightest is not None
    assert opened.lightest[70, 102] == pytest.approx(max(ink) / 255, abs=0.01)
    assert (opened.turned(1).lightest == np.rot90(opened.lightest)).all()


@pytest.mark.parametrize("size", [(28, 28), (300, 400), (2500, 3300)])
def test_a_number_in_yellow_is_found_on_a_page_of_any_size(size: tuple[int, int]) -> None:
    page = np.full((*size, 3), 255, np.uint8)
    middle = size[0] // 2
    page[middle - 10 : middle + 10, 12:16] = INKS["yellow"]
    assert open_picture(page).darkest is not None
    assert open_picture(Image.fromarray(page)).darkest is not None


def test_black_pen_in_a_jpeg_on_tinted_paper_is_not_coloured(draw: Callable[..., Image.Image]) -> None:
    tinted = np.asarray(draw("3").convert("RGB")) * np.array([1, 0.97, 0.93])
    photo = encoded(Image.fromarray(np.round(tinted).astype(np.uint8)), "JPEG", quality=70)
    assert open_picture(photo).darkest is None


def test_a_picture_of_equal_channels_is_grey() -> None:
    grey = np.repeat(GREY[..., None], 3, axis=2)
    assert open_picture(GREY).darkest is None
    assert open_picture(grey).darkest is None
    assert open_picture(Image.fromarray(grey)).darkest is None


def test_a_coloured_picture_of_over_16_megapixels_is_scaled_down_in_both() -> None:
    page = page_with(INKS["yellow"], 5000, 4000)
    page[:2000] = INKS["yellow"]
    for source in (page, Image.fromarray(page)):
        opened = open_picture(source)
        assert opened.darkest is not None
        assert opened.darkest.shape == opened.grey.shape
        assert opened.grey.size <= 16_000_000
        assert opened.darkest[100, 100] == pytest.approx(60 / 255, abs=0.01)


def test_transparent_coloured_ink_lies_on_paper_in_both() -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[5:35, 18:22] = (200, 60, 60, 255)
    opened = open_picture(rgba)
    assert opened.darkest is not None
    assert opened.darkest[20, 20] == pytest.approx(60 / 255)
    assert opened.darkest[0, 0] == opened.grey[0, 0] == 1


def test_colour_that_is_transparent_is_not_seen() -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[..., :3] = INKS["yellow"]
    rgba[5:35, 18:22] = (0, 0, 0, 255)
    assert open_picture(rgba).darkest is None


# --- where each begins ---


@pytest.mark.parametrize(("size", "enough"), [(1, 1), (999, 1), (1000, 2), (2999, 3), (3000, 4), (500_000, 4)])
def test_one_pixel_in_a_thousand_shows_colour_and_four_do_in_a_picture_of_any_size(size: int, enough: int) -> None:
    apart = np.zeros(size, np.float32)
    apart[: enough - 1] = 1
    assert not shows_colour(apart)
    apart[:enough] = 1
    assert shows_colour(apart)


def test_a_pixel_is_coloured_whose_darkest_channel_is_more_than_a_tenth_darker_than_its_luminance() -> None:
    tenth = np.float32(0.1)
    assert shows_colour(np.array([np.nextafter(tenth, np.float32(1))]))
    assert not shows_colour(np.array([tenth]))


def test_half_transparent_colour_counts_by_half() -> None:
    sample = np.full((9, 9, 4), (255, 255, 212, 255), np.uint8)  # a luminance of 0.98, 0.15 above the darkest channel
    assert is_coloured(sample[..., :3])
    assert is_coloured(sample)
    sample[..., 3] = 128
    assert not is_coloured(sample)


@pytest.mark.parametrize(("shape", "seen"), [((1000, 1999), (1000, 1999)), ((1000, 2000), (500, 1000))])
def test_of_a_picture_every_pixel_is_sampled_up_to_two_million_and_then_every_second_in_both_directions(
    shape: tuple[int, int], seen: tuple[int, int]
) -> None:
    assert sampled(np.zeros(shape, np.uint8)).shape == seen
    assert sampled(Image.new("L", shape[::-1])).shape == seen


@pytest.mark.parametrize(("shape", "seen"), [((1, 3_000_000), (1, 1_500_000)), ((3_000_000, 1), (1_500_000, 1))])
def test_a_picture_one_pixel_high_is_sampled_along_it(shape: tuple[int, int], seen: tuple[int, int]) -> None:
    assert sampled(np.zeros(shape, np.uint8)).shape == seen
    assert sampled(Image.new("L", shape[::-1])).shape == seen


@pytest.mark.parametrize(
    ("opaque", "level", "paper"),
    [(5, 1, 1), (4, 1, 0), (4, 0.51, 0), (4, 0.5, 1), (4, 0, 1), (0, 1, 1)],
    ids=["half opaque", "white", "light", "grey", "black", "nothing"],
)
def test_paper_is_black_where_less_than_half_is_opaque_and_that_is_light(opaque: int, level: float, paper: int) -> None:
    rgba = np.full((1, 10, 4), level, np.float32)
    rgba[..., 3] = 0
    rgba[:, :opaque, 3] = 1
    assert channels_of(rgba)[0][0, 9] == paper


def test_levels_of_each_type_go_from_0_to_1() -> None:
    for levels in (np.array([[0, 255]], np.uint8), np.array([[0, 65535]], np.uint16), np.array([[0, 1]], np.float32)):
        assert channels_of(levels)[0].tolist() == [[0, 1]]
