"""Integers and floats of any range as grey levels; brands of files in the container of HEIC and AVIF."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lenet5.errors import PictureError
from lenet5.reading.image_file import _isobmff_kind, picture_of_image


def lightest(value: float, kind: type) -> float:
    """Of a picture of 0 and of this value."""
    levels = np.zeros((6, 6), kind)
    levels[:, 3:] = value
    return float(picture_of_image(Image.fromarray(levels), "the picture").grey[2, 5])


@pytest.mark.parametrize(
    ("value", "kind", "full"),
    [
        (0.5, np.float32, 1), (1, np.float32, 1), (1.5, np.float32, 255), (200, np.float32, 255),
        (255, np.float32, 255), (256, np.float32, 65535), (60_000, np.float32, 65535), (65535, np.float32, 65535),
        (70_000, np.float32, 70_000), (1, np.int32, 255), (200, np.int32, 255), (255, np.int32, 255),
        (300, np.int32, 65535), (50_000, np.int32, 65535), (65535, np.int32, 65535), (70_000, np.int32, 70_000),
        (255, np.uint16, 255), (256, np.uint16, 65535), (60_000, np.uint16, 65535),
    ],
)  # fmt: skip
def test_a_deep_picture_is_of_the_smallest_range_that_holds_it(value: float, kind: type, full: float) -> None:
    assert lightest(value, kind) == pytest.approx(value / full)


def test_floats_that_are_no_numbers_are_refused() -> None:
    for wrong in (np.nan, np.inf):
        with pytest.raises(PictureError, match="NaN or infinite"):
            lightest(wrong, np.float32)


def container(first: bytes, *brands: bytes, size: int | None = None) -> bytes:
    """A file's first box: its own brand, a version, then the brands that it is compatible with."""
    body = b"ftyp" + first + b"\0\0\0\1" + b"".join(brands)
    return (len(body) + 4 if size is None else size).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (container(b"heic"), "HEIC"),
        (container(b"avif"), "AVIF"),
        (container(b"mif1"), "HEIF"),
        (container(b"mif1", b"avif"), "AVIF"),
        (container(b"mif1", b"heic"), "HEIC"),
        (container(b"mif1", b"miaf", b"avif"), "AVIF"),
        (container(b"mif1", b"miaf", b"MA1B", b"heix"), "HEIC"),
        (container(b"msf1", b"avif", b"heic"), "HEIC"),
        (container(b"isom", b"avif"), None),  # a film
        (container(b"mif1", b"xava", b"ifxx"), "HEIF"),  # brands begin every four bytes
        (container(b"mif1", b"miaf", b"avif", size=20), "HEIF"),  # the box ends before it
        (container(b"mif1", *[b"miaf"] * 59, b"avif"), "AVIF"),  # at byte 252
        (container(b"mif1", *[b"miaf"] * 60, b"avif"), "HEIF"),  # no box of brands is so long
        (container(b"mif1", *[b"miaf"] * 45, b"heic"), "HEIC"),
        (b"\0\0\0\x10moovheic\0\0\0\0", None),
    ],
)
def test_brands_tell_what_is_in_a_container(content: bytes, kind: str | None) -> None:
    assert _isobmff_kind(content) == kind
