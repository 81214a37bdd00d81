"""Opening pictures: every kind becomes the same grey levels, every broken one a line."""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, features

from lenet5 import Box, PictureError
from lenet5.errors import ArrayError, TooLargeError
from lenet5.reading import picture
from lenet5.reading.ink import without_impulses
from lenet5.reading.picture import Picture, Region, Source, open_pages, open_picture
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


ORIENTATIONS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda shown: shown,
    2: np.fliplr,
    3: lambda shown: np.rot90(shown, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda shown: np.rot90(shown, 1),
    7: lambda shown: np.rot90(shown, 2).T,
    8: lambda shown: np.rot90(shown, -1),
}
"""EXIF orientation → how the picture lies in the file when it is shown upright."""


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_picture_comes_out_as_shown_whatever_its_exif_orientation(orientation: int) -> None:
    stored = Image.fromarray(np.ascontiguousarray(ORIENTATIONS[orientation](GREY)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_picture(encoded(stored, "PNG", exif=exif))
    assert opened.size == (3, 2)
    assert opened.grey.tolist() == LEVELS.tolist()


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
        file.truncate(picture.MOST_BYTES + 1)  # a hole: no disk is used
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


# --- large pictures ---


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


# --- HEIC and AVIF ---


def ftyp(*brands: bytes) -> bytes:
    """The first bytes of a file of the ISO base media format: its main brand, then the compatible ones."""
    body = brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + bytes(40)


HEIF = {
    "iPhone": (ftyp(b"heic", b"mif1", b"heic"), "HEIC"),
    "ten bits": (ftyp(b"heix", b"mif1"), "HEIC"),
    "burst": (ftyp(b"msf1", b"hevc"), "HEIC"),
    "container named first": (ftyp(b"mif1", b"miaf", b"heic"), "HEIC"),
    "another codec": (ftyp(b"mif1", b"vvic"), "HEIF"),
}


@pytest.mark.parametrize(("content", "kind"), HEIF.values(), ids=HEIF.keys())
def test_without_the_extra_heic_is_named_with_two_ways_round(
    content: bytes, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # type: ignore[arg-type]
    path = tmp_path / "IMG_1.HEIC"
    path.write_bytes(content)
    assert refusal(path) == f"{path} is {kind}: pip install 'lenet5[heic]', or save it as JPEG"


def test_a_film_is_no_heic() -> None:
    assert refusal(ftyp(b"isom", b"mp42")).startswith("not a picture: the picture is in no format read here")


def heic(image: Image.Image, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    if not pillow_heif.libheif_info()["HEIF"]:
        pytest.skip("this pillow-heif cannot write HEIC")
    file, colour = io.BytesIO(), image.convert("RGB")
    pillow_heif.encode("RGB", colour.size, colour.tobytes(), file, quality=-1, **options)
    return file.getvalue()


def test_with_the_extra_a_heic_file_is_read_and_pillow_stays_as_it_was() -> None:
    content = heic(Image.fromarray(np.kron(GREY, np.ones((32, 32), np.uint8))))
    opened = open_picture(content)
    assert opened.size == (96, 64)
    np.testing.assert_allclose(opened.grey[16::32, 16::32], LEVELS, atol=0.02)
    assert "HEIF" not in Image.OPEN


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_heic_photo_is_turned_once_as_its_container_says_whatever_exif_repeats(orientation: int) -> None:
    shown = np.kron(GREY, np.ones((32, 32), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(ORIENTATIONS[orientation](shown)))
    opened = open_picture(heic(stored, exif=exif.tobytes()))  # the container is told, too
    assert opened.size == (96, 64)
    np.testing.assert_allclose(opened.grey[16::32, 16::32], LEVELS, atol=0.02)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_heic_file_cut_short_is_told_in_one_line(cut: float) -> None:
    content = heic(Image.fromarray(np.kron(GREY, np.ones((32, 32), np.uint8))))
    assert refusal(content[: int(cut * len(content))]).startswith("not a picture: the picture is ")


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_where_pillow_has_no_avif_it_is_named_with_two_ways_round(
    brand: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif")
    message = refusal(ftyp(brand, b"avif", b"miaf"))
    assert message.startswith("the picture is AVIF")
    assert "pip install --upgrade pillow, or save it as JPEG" in message


def test_avif_is_read_by_pillow_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # type: ignore[arg-type]
    opened = open_picture(encoded(Image.new("RGB", (40, 30), (0, 0, 255)), "AVIF"))
    assert opened.size == (40, 30)
    assert opened.darkest is not None


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
