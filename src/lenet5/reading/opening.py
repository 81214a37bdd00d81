"""Anything a user may pass as a picture → pictures: paths, bytes, PIL images, arrays, and pages of TIFFs and PDFs.

Colour, alpha, palette, CMYK, 16-bit, float and animated pictures all become one (H, W) float32 array of luminance in
0 (black) to 1 (white), as shown (EXIF rotation applied).
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet5.errors import ArrayError, PictureError, TooLargeError
from lenet5.reading.image_file import image_pages, picture_of_image
from lenet5.reading.limits import check_bytes, check_size, smaller_size
from lenet5.reading.pdf import is_pdf, pdf_pages
from lenet5.reading.picture import Picture, picture_of

__all__ = ["Source", "open_pages", "open_picture"]

Source = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any] | Picture
"""What ``Reader.read`` takes."""


def open_picture(source: Source) -> Picture:
    """The picture that a path, bytes, a PIL image or an array holds; of several pages the first, which is noted.

    Arrays are (H, W), (H, W, 3) or (H, W, 4), uint8, uint16, bool, or float in 0..1. Raises
    PictureError in one line for anything that is missing, no picture, cut short, empty, too large,
    encrypted, NaN or infinite. A Picture is what it is.

    >>> picture = open_picture(np.full((20, 30, 3), 255, np.uint8))
    >>> picture.size, float(picture.grey.min()), picture.darkest
    ((30, 20), 1.0, None)
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return _from_array(source)
    with closing(open_pages(source)) as pages:
        first = next(pages)
    if first.pages > 1:
        return replace(first, notes=(*first.notes, f"only the first of {first.pages} pages is read here"))
    return first


def open_pages(
    source: Source, page: int | None = None, most_pages: int | None = None
) -> Generator[Picture, None, None]:
    """The pages of a TIFF or PDF one by one, or the one picture of anything else; of a ``page``, from 1, only that.

    Pages of a PDF are rendered at 300 dpi, and boxes are in pixels of that, also where a page has over 16 megapixels
    and is rendered smaller. A damaged page raises when its turn comes. Small copies of other pages in a TIFF are left
    out. Raises PictureError as open_picture does; before any page is decoded, TooLargeError for more than
    ``most_pages`` pages and ArrayError for a page that is not there.

    >>> import io
    >>> file = io.BytesIO()
    >>> sheets = [Image.new("L", (30, 20), 255) for _ in range(3)]
    >>> sheets[0].save(file, "TIFF", save_all=True, append_images=sheets[1:])
    >>> [(page.page, page.pages) for page in open_pages(file.getvalue())]
    [(1, 3), (2, 3), (3, 3)]
    """
    if isinstance(source, Picture):
        yield source
    elif isinstance(source, np.ndarray):
        yield _from_array(source)
    elif isinstance(source, Image.Image):
        yield picture_of_image(source, "the picture")
    else:
        name, content = _named_content(source)
        pages = pdf_pages if is_pdf(content) else image_pages
        yield from pages(content, name, partial(_selected, page=page, most_pages=most_pages, name=name))


def _selected(pages: int, page: int | None, most_pages: int | None, name: str) -> range:
    """The pages to open of so many, counted from 1: all of them, or one."""
    if page is None:
        if most_pages is not None and pages > most_pages:
            raise TooLargeError(f"{name} has {pages:,} pages, over the {most_pages:,} read at once: name one page")
        return range(1, pages + 1)
    if not 1 <= page <= pages:
        raise ArrayError(f"page must be 1 to {pages:,}, not {page}: {name} has no more")
    return range(page, page + 1)


def _named_content(source: object) -> tuple[str, bytes]:
    """What messages call a source, and the bytes of its file."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, content = "the picture", bytes(source)
    elif source == "":
        raise PictureError("the name of a picture is empty")
    elif isinstance(source, str | os.PathLike):
        name, content = os.fspath(source), _content(Path(source))
    else:
        raise PictureError(f"a picture is a path, bytes, a PIL image or an array, not {type(source).__name__}")
    if not content:
        raise PictureError(f"not a picture: {name} is empty")
    check_bytes(len(content), name)
    return name, content


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise PictureError(f"{path} is a folder: name a picture in it")
        if path.exists() and not path.is_file():
            raise PictureError(f"{path} is no regular file: pass its content on standard input (-)")
        check_bytes(path.stat().st_size, str(path))
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError(f"no such file: {path}") from None
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _from_array(array: NDArray[Any]) -> Picture:
    """An array of the shapes and types that ``open_picture`` names, as a picture."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise PictureError(f"an array must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}")
    check_size(array.shape[1], array.shape[0], "the array")
    if array.dtype == np.bool_:
        array = array * np.uint8(255)
    elif array.dtype.kind == "f":
        low, high = array.min(), array.max()
        if not (np.isfinite(low) and np.isfinite(high)):  # both are NaN where any pixel is
            raise PictureError("the array holds NaN or infinite pixels")
        if low < 0 or high > 1:
            raise PictureError("a float array must be in 0..1: divide it by its full scale, or pass uint8")
        array = array.astype(np.float64 if array.dtype.itemsize > 4 else np.float32, copy=False)
    elif array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise PictureError(f"an array must be uint8, uint16 or float in 0..1, not {array.dtype}")
    else:
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return _fitted(array)


def _fitted(levels: NDArray[Any]) -> Picture:
    """Levels as ``picture_of`` takes them, scaled down if need be."""
    shown = levels.shape[1::-1]
    if (smaller := smaller_size(shown)) is not None:
        levels = cv2.resize(np.ascontiguousarray(levels), smaller, interpolation=cv2.INTER_AREA)
    return picture_of(levels.astype(np.float32) if levels.dtype == np.float64 else levels, shown)
