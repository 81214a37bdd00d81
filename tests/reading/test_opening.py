"""Opening pictures: every kind becomes the same grey levels, every broken one a line."""

from __future__ import annotations

import io
import struct
import subprocess
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from lenet5 import PictureError
from lenet5.errors import ArrayError, TooLargeError
from lenet5.reading.limits import MOST_BYTES
from lenet5.reading.opening import Source, open_pages, open_picture
from lenet5.reading.picture import Picture
from lenet5.result import PICTURE_FORMATS, PICTURE_SUFFIXES

GREY = np.array([[0, 64, 128], [192, 255, 32]], np.uint8)
LEVELS = GREY.astype(np.float32) / 255


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width: int, height: int, content: bytes = b"") -> bytes:
    """A PNG file of 8-bit grey whose header claims this size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def float_tiff(levels: NDArray[np.floating]) -> bytes:
    return encoded(Image.fromarray(levels.astype(np.float32)), "TIFF")


def refusal(source: object) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(source)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


SOURCES: dict[str, Source] = {
    "uint8": GREY,
    "uint16": GREY.astype(np.uint16) * 257,
    "float32": LEVELS,
    "float64": LEVELS.astype(np.float64),
    "float16": LEVELS.astype(np.float16),
    "one channel": GREY[..., None],
    "three channels": np.repeat(GREY[..., None], 3, axis=2),
    "opaque float RGBA": np.dstack([LEVELS, LEVELS, LEVELS, np.ones_like(LEVELS)]),
    "Fortran order": np.asfortranarray(GREY),
    "PIL L": Image.fromarray(GREY),
    "PIL RGB": Image.fromarray(GREY).convert("RGB"),
    "PIL RGBA": Image.fromarray(GREY).convert("RGBA"),
    "PIL LA": Image.fromarray(GREY).convert("LA"),
    "PIL palette": Image.fromarray(GREY).convert("P"),
    "PIL I;16": Image.fromarray(GREY.astype(np.uint16) * 257),
    "PIL I": Image.fromarray(GREY.astype(np.int32) * 257),
    "PIL F in 0..1": Image.fromarray(LEVELS),
    "PIL F in 0..255": Image.fromarray(GREY.astype(np.float32)),
    "PIL CMYK": Image.fromarray(GREY).convert("RGB").convert("CMYK"),
    "PIL YCbCr": Image.fromarray(GREY).convert("RGB").convert("YCbCr"),
    "PNG": encoded(Image.fromarray(GREY)),
    "PNG of 16 bits": encoded(Image.fromarray(GREY.astype(np.uint16) * 257)),
    "PNG with palette": encoded(Image.fromarray(GREY).convert("P")),
    "PNG with alpha": encoded(Image.fromarray(GREY).convert("RGBA")),
    "bytearray": bytearray(encoded(Image.fromarray(GREY))),  # type: ignore[dict-item]
    "TIFF of floats": float_tiff(LEVELS),
    "TIFF in CMYK": encoded(Image.fromarray(GREY).convert("RGB").convert("CMYK"), "TIFF"),
    "BMP": encoded(Image.fromarray(GREY), "BMP"),
    "GIF": encoded(Image.fromarray(GREY), "GIF"),
    "PGM": encoded(Image.fromarray(GREY), "PPM"),
    "WebP": encoded(Image.fromarray(GREY).convert("RGB"), "WEBP", lossless=True),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_every_kind_of_picture_gives_the_same_grey_levels(source: Source) -> None:
    opened = open_picture(source)
    assert opened.grey.dtype == np.float32
    assert opened.size == (3, 2)
    np.testing.assert_allclose(opened.grey, LEVELS, atol=2.5 / 255)


def test_a_bool_array_is_black_and_white() -> None:
    assert open_picture(GREY > 100).grey.tolist() == [[0, 0, 1], [1, 1, 0]]


def test_a_bilevel_file_is_black_and_white() -> None:
    bilevel = Image.fromarray(np.where(GREY > 100, 255, 0).astype(np.uint8)).convert("1")
    assert open_picture(encoded(bilevel, "TIFF")).grey.tolist() == [[0, 0, 1], [1, 1, 0]]


def test_colours_weigh_as_the_eye_sees_them() -> None:
    red, green, blue = open_picture(np.eye(3, dtype=np.uint8)[None] * 255).grey[0]
    assert green > red > blue
    assert red + green + blue == pytest.approx(1, abs=0.01)


def test_paths_open_as_text_and_as_path_objects(tmp_path: Path) -> None:
    path = tmp_path / "Ziffer 七.png"
    Image.fromarray(GREY).save(path)
    for source in (path, str(path)):
        assert open_picture(source).grey.tolist() == LEVELS.tolist()


def test_a_path_without_a_pictures_ending_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(encoded(Image.fromarray(GREY)))
    assert open_picture(path).grey.tolist() == LEVELS.tolist()


def test_an_animated_gif_gives_its_first_frame() -> None:
    frames = [Image.fromarray(np.full((4, 5), level, np.uint8)) for level in (0, 90, 255)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_picture(content).grey.tolist() == np.zeros((4, 5)).tolist()


def tiff(*levels: int, copies: Sequence[int] = ()) -> bytes:
    """A TIFF with a page of each level; those at the indices ``copies`` claim to be small copies of others."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file, True) as writer:
        for k, level in enumerate(levels):
            image = Image.new("L", (20 + k, 10), level)
            image.save(writer, "TIFF", tiffinfo={254: 1 if k in copies else 0})
            writer.newFrame()
    return file.getvalue()


def test_a_tiff_of_several_pages_gives_its_first_and_it_is_said() -> None:
    opened = open_picture(tiff(255, 0, 51))
    assert opened.grey.min() == 1
    assert opened.notes == ("only the first of 3 pages is read here",)


def test_the_pages_of_a_tiff_come_one_by_one_and_are_numbered() -> None:
    pages = list(open_pages(tiff(255, 0, 51)))
    assert [float(page.grey.mean()) for page in pages] == pytest.approx([1, 0, 0.2])
    assert [(page.page, page.pages, page.size) for page in pages] == [
        (1, 3, (20, 10)),
        (2, 3, (21, 10)),
        (3, 3, (22, 10)),
    ]
    assert all(page.notes == () for page in pages)


def test_small_copies_in_a_tiff_are_no_pages() -> None:
    assert [page.grey.min() for page in open_pages(tiff(0, 51, 255, copies=[1]))] == [0, 1]


def test_one_page_is_opened_by_its_number() -> None:
    (page,) = open_pages(tiff(255, 0, 51), page=2)
    assert (page.page, page.pages, page.grey.max()) == (2, 3, 0)
    for number in (0, 4):
        with pytest.raises(ArrayError, match=f"page must be 1 to 3, not {number}"):
            next(open_pages(tiff(255, 0, 51), page=number))


def test_too_many_pages_are_refused_before_the_first_is_decoded_unless_one_is_named() -> None:
    with pytest.raises(TooLargeError, match="3 pages, over the 2 read at once"):
        next(open_pages(tiff(255, 0, 51), most_pages=2))
    assert len(list(open_pages(tiff(255, 0, 51), most_pages=3))) == 3
    assert len(list(open_pages(tiff(255, 0, 51), page=3, most_pages=2))) == 1


@pytest.mark.parametrize("source", ["GIF", "PIL", "array"])
def test_what_is_no_tiff_has_one_page(source: str) -> None:
    images = [Image.new("L", (20, 10), level) for level in (0, 255)]
    gif = encoded(images[0], "GIF", save_all=True, append_images=images[1:])
    sources: dict[str, Source] = {"GIF": gif, "PIL": Image.open(io.BytesIO(gif)), "array": GREY}
    (page,) = open_pages(sources[source])
    assert (page.page, page.pages, page.notes) == (1, 1, ())


def test_an_opened_picture_is_what_it_is() -> None:
    opened = open_picture(GREY)
    assert open_picture(opened) is opened
    assert list(open_pages(opened)) == [opened]


# --- what cannot be opened ---


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.png") == f"no such file: {tmp_path / 'none.png'}"


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_an_empty_file_is_told_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    assert refusal(path) == f"not a picture: {path} is empty"
    assert refusal(b"") == "not a picture: the picture is empty"


def test_text_named_png_is_not_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("seven\n")
    assert refusal(path).startswith(f"not a picture: {path}")


OTHER_FORMATS = ["EPS", "TGA", "PCX", "ICO", "DDS", "SGI", "BLP", "JPEG2000", "MSP", "XBM"]


@pytest.mark.parametrize("form", OTHER_FORMATS)
def test_a_format_that_is_not_in_the_list_is_told_with_the_list(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    modes = {"MSP": "1", "XBM": "1", "BLP": "P"}
    other = encoded(Image.new(modes.get(form, "L"), (32, 32), 1), form)
    assert refusal(other).startswith("not a picture: the picture is in no format read here (PNG, JPEG, ")


@pytest.mark.parametrize("form", PICTURE_FORMATS)
def test_every_format_of_the_list_is_read(form: str) -> None:
    assert open_picture(encoded(Image.new("L", (32, 32), 255), form)).grey.min() > 0.99


def test_the_two_jpegs_in_one_file_of_many_phones_are_read_as_the_first() -> None:
    images = [Image.new("L", (32, 32), level) for level in (255, 0)]
    content = encoded(images[0], "MPO", save_all=True, append_images=images[1:])
    assert open_picture(content).grey.min() > 0.99


def test_every_ending_that_a_folder_is_searched_for_is_of_a_format_of_the_list() -> None:
    Image.init()
    suffixes = PICTURE_SUFFIXES - {".pdf", ".heic", ".heif"}  # which are not for Pillow
    assert {Image.EXTENSION[suffix] for suffix in suffixes} == set(PICTURE_FORMATS)


def test_no_picture_is_opened_without_the_list() -> None:
    root = Path(__file__).parents[2]
    files = [path for folder in ("src", "examples", "benchmarks") for path in (root / folder).rglob("*.py")]
    calls = [line for path in files for line in path.read_text().splitlines() if "Image.open(" in line]
    assert calls
    assert all("formats=PICTURE_FORMATS" in call for call in calls)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP"])
def test_a_picture_cut_short_is_told_so(form: str, draw: Callable[..., Image.Image]) -> None:
    whole = encoded(draw("3"), form)
    assert refusal(whole[: len(whole) * 2 // 3]).startswith("not a picture: the picture is cut short")


def test_a_png_with_a_damaged_chunk_is_told_to_be_damaged() -> None:
    content = bytearray(encoded(Image.fromarray(GREY)))
    content[20] ^= 0xFF
    assert refusal(bytes(content)).startswith("not a picture: the picture is ")


@pytest.mark.parametrize("size", [(100_000, 100_000), (10_001, 10_000), (2**31 - 1, 1)])
def test_too_many_claimed_pixels_are_refused_before_they_are_unpacked(size: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "over 100 megapixels" in refusal(png(*size))


def test_too_large_an_array_is_refused_without_copying_it() -> None:
    assert "over 100 megapixels" in refusal(np.broadcast_to(np.uint8(0), (100_000, 100_000)))


def test_a_file_of_over_200_mb_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # a hole: no disk is used
    assert "larger than 200 MB" in refusal(path)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    refusal(png(*size))
    assert "no pixels" in refusal(Image.new("L", size))
    assert "no pixels" in refusal(np.zeros(size, np.uint8))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nan_and_infinite_pixels_are_refused(wrong: float) -> None:
    levels = LEVELS.copy()
    levels[1, 1] = wrong
    assert "NaN or infinite" in refusal(levels)
    assert "NaN or infinite" in refusal(np.repeat(levels[..., None], 3, axis=2))
    assert "NaN or infinite" in refusal(Image.fromarray(levels))
    assert "NaN or infinite" in refusal(float_tiff(levels))


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros(5, np.uint8), "must be"),
        (np.zeros((2, 3, 5), np.uint8), "must be"),
        (np.zeros((1, 2, 3, 4), np.uint8), "must be"),
        (np.zeros((2, 2), np.int64), "uint8, uint16 or float"),
        (np.zeros((2, 2), np.complex64), "uint8, uint16 or float"),
        (np.array([["a"]]), "uint8, uint16 or float"),
        (np.array([[None]]), "uint8, uint16 or float"),
        (np.full((2, 2), 1.01), "0..1"),
        (np.full((2, 2), -0.01), "0..1"),
    ],
)
def test_arrays_of_another_form_are_refused_with_what_they_should_be(array: NDArray[np.generic], reason: str) -> None:
    assert reason in refusal(array)


@pytest.mark.parametrize("source", [None, 7, [1, 2], io.BytesIO(b"")])
def test_what_is_no_source_is_refused_by_its_type(source: object) -> None:
    assert type(source).__name__ in refusal(source)


@settings(max_examples=60, deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"\xff\xd8\xff", b"P5\n", b"%PDF-1.4\n"]
        + [b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" for brand in (b"avif", b"heic", b"mif1")]
    ),
    rest=st.binary(max_size=300),
)
def test_any_bytes_give_a_picture_or_a_refusal(start: bytes, rest: bytes) -> None:
    open_or_refuse(start + rest)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["PNG", "GIF", "BMP", "TIFF", "JPEG", "PPM", "AVIF", "PDF"]), st.data())
def test_any_damage_to_a_file_gives_a_picture_or_a_refusal(form: str, damage: st.DataObject) -> None:
    content = bytearray(encoded(Image.fromarray(np.kron(GREY, np.ones((4, 4), np.uint8))), form))
    for _ in range(damage.draw(st.integers(1, 4))):
        content[damage.draw(st.integers(0, len(content) - 1))] = damage.draw(st.integers(0, 255))
    open_or_refuse(bytes(content[: damage.draw(st.integers(1, len(content)))]))


def open_or_refuse(content: bytes) -> None:
    try:
        opened = open_picture(content)
    except PictureError as error:
        message = str(error)
    else:
        assert isinstance(opened, Picture)
        assert opened.grey.ndim == 2
        assert np.isfinite(opened.grey).all()
        assert opened.grey.min() >= 0
        assert opened.grey.max() <= 1
        return
    assert "\n" not in message
