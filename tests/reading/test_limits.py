"""Limits of pictures: which sizes are still taken, and what a larger one becomes."""

from __future__ import annotations

import pytest

from lenet5.errors import PictureError, TooLargeError
from lenet5.reading.limits import check_bytes, check_size, smaller_size


def test_a_file_of_200_megabytes_is_taken_and_one_of_a_byte_more_is_not() -> None:
    check_bytes(200_000_000, "page.png")
    with pytest.raises(TooLargeError, match="larger than 200 MB"):
        check_bytes(200_000_001, "page.png")


def test_a_picture_of_100_megapixels_is_taken_and_a_larger_one_is_not() -> None:
    check_size(10_000, 10_000, "page.png")
    with pytest.raises(TooLargeError, match="over 100 megapixels"):
        check_size(10_001, 10_000, "page.png")


@pytest.mark.parametrize("turned", [False, True])
def test_a_picture_may_be_as_long_as_what_is_read_has_pixels(turned: bool) -> None:
    check_size(*((1, 16_000_000) if turned else (16_000_000, 1)), "page.png")
    with pytest.raises(PictureError, match="too narrow"):
        check_size(*((1, 16_000_001) if turned else (16_000_001, 1)), "page.png")


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_without_pixels_is_none(size: tuple[int, int]) -> None:
    with pytest.raises(PictureError, match="no pixels"):
        check_size(*size, "page.png")


def test_a_picture_of_16_megapixels_keeps_its_size_and_a_larger_one_comes_to_that() -> None:
    assert smaller_size((4000, 4000)) is None
    assert smaller_size((16_000_001, 1)) == (16_000_000, 1)
    assert smaller_size((8000, 12_000)) == (3265, 4898)
