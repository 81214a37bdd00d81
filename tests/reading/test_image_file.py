"""Files of pixels: EXIF orientations, HEIC and AVIF."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from lenet5.reading.opening import open_picture
from tests.reading.test_opening import GREY, LEVELS, encoded, refusal

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
