"""Decoders are quiet, the host's warning filters stay as they are, and no picture takes all memory or time."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet5 import Reader
from lenet5.errors import LeNet5Error, TooLargeError
from lenet5.reading.opening import open_pages, open_picture
from lenet5.reading.quiet import without_warnings
from lenet5.reading.tiff_pages import page_frames

# --- warnings ---


def test_threads_leave_the_filters_of_the_host_as_they_were() -> None:
    before, both_in, first_out = list(warnings.filters), threading.Barrier(2), threading.Event()

    def first() -> None:
        with without_warnings():
            both_in.wait(10)
        first_out.set()

    def last() -> None:
        with without_warnings():
            both_in.wait(10)
            first_out.wait(10)
            warnings.warn_explicit("of a decoder", UserWarning, "x.py", 1, module="PIL.Image")

    threads = [threading.Thread(target=work) for work in (first, last)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_reading_in_threads_leaves_the_filters_of_the_host_as_they_were(tmp_path: Path) -> None:
    noisy = io.BytesIO()
    Image.new("P", (30, 30)).save(noisy, "PNG", transparency=b"\0\1")
    before = list(warnings.filters)

    def work() -> None:
        for _ in range(20):
            open_picture(noisy.getvalue())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_only_warnings_of_decoders_are_ignored() -> None:
    with without_warnings():
        warnings.warn_explicit("of a decoder", UserWarning, "x.py", 1, module="PIL.TiffImagePlugin")
        with pytest.raises(UserWarning, match="of the host"):
            warnings.warn_explicit("of the host", UserWarning, "x.py", 1, module="host")


def test_a_filter_that_somebodys_catch_warnings_brings_back_is_taken_out_by_the_next_block() -> None:
    before = list(warnings.filters)
    block = without_warnings()
    block.__enter__()
    with warnings.catch_warnings():
        block.__exit__(None, None, None)
    with without_warnings():
        pass
    assert list(warnings.filters) == before


# --- libtiff ---


def test_libtiff_does_not_write_to_stderr() -> None:
    program = """
import io, numpy as np
from PIL import Image
from lenet5.errors import LeNet5Error
from lenet5.reading.opening import open_picture
generator = np.random.default_rng(0)
for compression in ("tiff_deflate", "tiff_lzw", "jpeg", "packbits"):
    whole = io.BytesIO()
    Image.fromarray(generator.integers(0, 255, (60, 60), np.uint8)).save(whole, "TIFF", compression=compression)
    for _ in range(20):
        damaged = bytearray(whole.getvalue())
        for place in generator.integers(8, len(damaged), 4):
            damaged[place] ^= 255
        try:
            open_picture(bytes(damaged))
        except LeNet5Error:
            pass
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    if not list((Path(Image.__file__).parent.parent / "pillow.libs").glob("libtiff*")):
        pytest.skip("this Pillow's libtiff is the system's, or part of its module")
    assert done.stderr == ""


# --- TIFF of many pages ---


def tiff(
    pages: int, order: str = "<", big: bool = False, small_copies: tuple[int, ...] = (), next_of_last: int = 0
) -> bytes:
    """A TIFF of so many 28×28 white pages that share their pixels; ``small_copies`` say that they are such."""
    word, count = ("Q", "Q") if big else ("I", "H")
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    header += struct.pack(
        order + ("HHQ" if big else "I"), *((8, 0) if big else ()), len(header) + (12 if big else 4) + 784
    )
    parts, at = [header, b"\xff" * 784], len(header) + 784
    for page in range(pages):
        tags = [(254, int(page in small_copies)), (256, 28), (257, 28), (258, 8), (259, 1), (262, 1)]
        tags += [(273, len(header)), (277, 1), (278, 28), (279, 784)]
        size = struct.calcsize("<" + count) + len(tags) * (20 if big else 12) + struct.calcsize("<" + word)
        parts.append(struct.pack(order + count, len(tags)))
        parts += [struct.pack(order + "HH" + 2 * word, tag, 16 if big else 4, 1, value) for tag, value in tags]
        at += size
        parts.append(struct.pack(order + word, at if page < pages - 1 else next_of_last))
    return b"".join(parts)


@pytest.mark.parametrize(
    ("order", "big"), [("<", False), (">", False), ("<", True)], ids=["little", "big-endian", "BigTIFF"]
)
def test_pages_are_counted_as_pillow_counts_them_small_copies_aside(order: str, big: bool) -> None:
    content = tiff(5, order, big, small_copies=(0, 2))
    assert getattr(Image.open(io.BytesIO(content)), "n_frames", 0) == 5
    assert page_frames(content, "it") == [0, 1, 3, 4]
    assert [page.pages for page in open_pages(content)] == [4] * 4


def test_a_tiff_of_two_hundred_thousand_pages_shows_its_first_without_decoding_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeks: list[int] = []
    monkeypatch.setattr("PIL.TiffImagePlugin.TiffImageFile.seek", lambda self, frame: seeks.append(frame))
    picture = open_picture(tiff(200_000))
    assert picture.notes == ("only the first of 200000 pages is read here",)
    assert set(seeks) <= {0}


def test_a_chain_that_comes_back_or_leaves_the_file_ends() -> None:
    assert page_frames(tiff(3, next_of_last=8 + 784), "it") == [0, 1, 2]
    beyond = tiff(3, next_of_last=1 << 30)
    assert page_frames(beyond, "it") == [0, 1, 2, 3]
    pages = open_pages(beyond)
    for _ in range(3):
        assert next(pages).pages == 4
    with pytest.raises(LeNet5Error, match="page 4 of"):
        next(pages)
    cut = tiff(3)[:-20]
    assert page_frames(cut, "it") == [0, 1, 2]
    assert page_frames(b"II*\0", "it") == [0]


def test_over_a_million_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lenet5.reading.tiff_pages._MOST", 100)
    assert len(page_frames(tiff(100), "it")) == 100
    with pytest.raises(TooLargeError, match="pages"):
        page_frames(tiff(101), "it")


# --- memory ---

LARGE = {
    "RGB": "Image.fromarray(base).convert('RGB').save(path, compress_level=1)",
    "RGBA": "Image.fromarray(base).convert('RGB').convert('RGBA').save(path, compress_level=1)",
    "16 bits": "Image.fromarray(base.astype(np.uint16) * 257).save(path, compress_level=1)",
    "palette": "Image.fromarray(base).convert('P').save(path, compress_level=1, transparency=3)",
    "float": "Image.fromarray(base / np.float32(255)).save(path, 'TIFF', compression='tiff_lzw')",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGE)
def test_a_picture_of_a_hundred_megapixels_takes_less_than_a_gigabyte(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    make = f"""
import numpy as np
from PIL import Image
base, path = np.full((10_000, 10_000), 255, np.uint8), {str(path)!r}
for k in range(8):
    base[500:3000, 1000 * k + 500 : 1000 * k + 560] = 0
{LARGE[kind]}
"""
    subprocess.run([sys.executable, "-c", make], check=True)
    read = f"""
import re, resource
from pathlib import Path
from lenet5.reading.opening import open_picture
picture = open_picture({str(path)!r})
assert picture.size == (10_000, 10_000) and picture.grey.shape == (4000, 4000)
assert 6 < (picture.grey < 0.5).sum() / 24_000 < 10, (picture.grey < 0.5).sum()
status = Path("/proc/self/status")  # Linux counts in ru_maxrss what the process was before it became this program
peak = re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1] if status.exists() else None
print(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", read], check=True, capture_output=True, text=True)
    assert int(done.stdout) * (1 if sys.platform == "darwin" else 1024) < 1e9


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("orientation", [1, 6, 2])
def test_scaled_strip_by_strip_a_picture_is_what_it_is_at_once(
    mode: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    grey = Image.fromarray(generator.integers(0, 256, (331, 217), np.uint8)).resize((434, 662))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(np.asarray(grey) / np.float32(255))
    else:
        image = grey.convert("RGB").convert(mode) if mode != "L" else grey
    exif = image.getexif()
    exif[274] = orientation
    monkeypatch.setattr("lenet5.reading.limits.SCALE_ABOVE", 40_000)
    at_once = open_picture(image)
    monkeypatch.setattr("lenet5.reading.image_file._STRIP", 5_000)
    in_strips = open_picture(image)
    assert in_strips.size == at_once.size == ((662, 434) if orientation == 6 else (434, 662))
    np.testing.assert_allclose(in_strips.grey, at_once.grey, atol=1.01 / 255)


# --- byte order ---


@pytest.mark.parametrize("dtype", [">u2", "<u2", ">f4", ">f8", "<f8"])
def test_arrays_of_either_byte_order_are_the_same_picture(dtype: str, reader: Reader) -> None:
    levels = np.full((60, 40), 65535, np.uint16)
    levels[10:50, 18:23] = 3000
    array = levels.astype(dtype) if dtype[1] == "u" else (levels / 65535).astype(dtype)
    np.testing.assert_allclose(open_picture(array).grey, open_picture(levels).grey, atol=1e-6)
    assert reader.read(array, layout="digit").text == reader.read(levels, layout="digit").text
