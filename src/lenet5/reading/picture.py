"""Anything a user may pass as a picture → grey levels, checked.

Colour, alpha, palette, CMYK, 16-bit, float and animated pictures all become one (H, W) float32
array of luminance in 0 (black) to 1 (white), as shown (EXIF rotation applied).
"""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from lenet5.answer import PICTURE_FORMATS, Box
from lenet5.errors import PictureError
from lenet5.reading.ink import without_impulses

__all__ = ["Picture", "Source", "open_pages", "open_picture"]

MOST_PIXELS: Final = 100_000_000
SCALE_ABOVE: Final = 16_000_000
MOST_BYTES: Final = 200_000_000

_FORMATS: Final = "PNG, JPEG, GIF, BMP, TIFF, WebP, PGM, PPM, PBM"
_SUBFILE_TYPE: Final = 254  # the TIFF tag whose lowest bit says: a small copy of another page


@dataclass(frozen=True)
class Picture:
    """Grey levels (H, W) float32, 0 black to 1 white, of a picture ``scale`` times as large as shown.

    Salt-and-pepper noise is taken out. ``scale`` is at most 1; ``size`` is the (width, height) as shown;
    ``notes`` are for the user; it is page ``page`` of ``pages``.
    """

    grey: NDArray[np.float32]
    size: tuple[int, int]
    scale: float = 1.0
    notes: tuple[str, ...] = ()
    page: int = 1
    pages: int = 1

    def box(self, found: Box) -> Box:
        """A box in pixels of ``grey`` as the smallest box in pixels of the picture as shown that holds it."""
        width, height = self.size
        left, top = int(found.left / self.scale), int(found.top / self.scale)
        right, bottom = math.ceil(found.right / self.scale), math.ceil(found.bottom / self.scale)
        return Box(left, top, min(right, width), min(bottom, height))


Source = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any] | Picture
"""What ``Reader.read`` takes."""


def open_picture(source: Source) -> Picture:
    """The picture that a path, bytes, a PIL image or an array holds; of several pages the first, which is noted.

    Arrays are (H, W), (H, W, 3) or (H, W, 4), uint8, uint16, bool, or float in 0..1. Raises
    PictureError in one line for anything that is missing, no picture, cut short, empty, too large,
    NaN or infinite. A Picture is what it is.
    """
    if isinstance(source, Picture):
        return source
    first = next(open_pages(source))
    if first.pages > 1:
        return replace(first, notes=(*first.notes, f"only the first of {first.pages} pages is read here"))
    return first


def open_pages(source: Source) -> Iterator[Picture]:
    """The pages of a TIFF one by one, or the one picture of anything else. Raises PictureError as open_picture does.

    A page that is damaged raises when its turn comes. Small copies of other pages are left out.
    """
    if isinstance(source, Picture):
        yield source
    elif isinstance(source, np.ndarray):
        yield _from_grey(_array_to_grey(source))
    elif isinstance(source, Image.Image):
        yield _from_image(source, "the picture")
    else:
        name, content = _named_content(source)
        with _pictures_own_words(name):
            image = Image.open(io.BytesIO(content), formats=PICTURE_FORMATS)
        with image:
            frames = _page_frames(image, name)
            for page, frame in enumerate(frames, start=1):
                part = f"page {page} of {name}" if len(frames) > 1 else name
                if len(frames) > 1:
                    with _pictures_own_words(part):
                        image.seek(frame)
                yield replace(_from_image(image, part), page=page, pages=len(frames))


def _page_frames(image: Image.Image, name: str) -> list[int]:
    """The frames of an opened file that are pages: in a TIFF all but small copies, in other formats the first."""
    frames = [0]
    if image.format == "TIFF":
        with _pictures_own_words(name):
            for frame in range(1, getattr(image, "n_frames", 1)):
                image.seek(frame)
                if not getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE, 0) & 1:
                    frames.append(frame)
            image.seek(0)
    return frames


def _named_content(source: object) -> tuple[str, bytes]:
    """What messages call a source, and the bytes of its file."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, content = "the picture", bytes(source)
    elif isinstance(source, str | os.PathLike):
        name, content = os.fspath(source), _content(Path(source))
    else:
        raise PictureError(f"a picture is a path, bytes, a PIL image or an array, not {type(source).__name__}")
    if not content:
        raise PictureError(f"not a picture: {name} is empty")
    if len(content) > MOST_BYTES:
        raise PictureError(_too_many_bytes(name))
    return name, content


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise PictureError(f"{path} is a folder: name a picture in it")
        if path.exists() and not path.is_file():
            raise PictureError(f"{path} is no regular file: pass its content on standard input (-)")
        if path.stat().st_size > MOST_BYTES:
            raise PictureError(_too_many_bytes(str(path)))
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError(f"no such file: {path}") from None
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def _pictures_own_words(name: str) -> Iterator[None]:
    """PIL's many failures, each in a line of ours; its warnings are not for the user."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnidentifiedImageError:
        raise PictureError(f"not a picture: {name} is in no format read here ({_FORMATS})") from None
    except Image.DecompressionBombError:
        raise PictureError(_too_large(name)) from None
    except PictureError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError …
        cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
        raise PictureError(f"not a picture: {name} is {'cut short' if cut else 'damaged'}") from None


def _too_many_bytes(name: str) -> str:
    return f"{name} is larger than {MOST_BYTES // 1_000_000} MB: crop it or save it smaller"


def _too_large(name: str) -> str:
    return f"{name} has over {MOST_PIXELS // 1_000_000} megapixels: crop it or save it smaller"


def _check_size(width: int, height: int, name: str) -> None:
    """Raise PictureError for a picture without pixels, with too many, or so long that it is only a few pixels high."""
    if width == 0 or height == 0:
        raise PictureError(f"{name} has no pixels")
    if width * height > MOST_PIXELS:
        raise PictureError(_too_large(name))
    if max(width, height) > SCALE_ABOVE:
        raise PictureError(f"{name} has {width}×{height} pixels: too narrow for a digit")


def _from_image(image: Image.Image, name: str) -> Picture:
    """The frame of a PIL image that it stands at, scaled down before it takes four bytes a pixel."""
    _check_size(image.width, image.height, name)
    with _pictures_own_words(name):
        image.load()
        image = ImageOps.exif_transpose(image)
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            return _from_grey(_any_range_to_grey(np.asarray(image), name))
        if "A" in image.getbands() or "transparency" in image.info:
            return _fitted(image.convert("RGBA"), lambda fitted: _over_paper(np.asarray(fitted)))
        if image.mode != "L":
            image = (image if image.mode == "RGB" else image.convert("RGB")).convert("L")
        return _fitted(image, lambda fitted: np.asarray(fitted, np.float32) / np.float32(255))


def _any_range_to_grey(levels: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Deep pictures: integers and floats by the smallest of 1 (floats), 255 and 65535 that holds them."""
    if not np.isfinite(levels).all():
        raise PictureError(f"{name} holds NaN or infinite pixels")
    highest = float(levels.max())
    if levels.dtype.kind == "f":
        full = next((scale for scale in (1.0, 255.0, 65535.0) if highest <= scale), highest)
    else:
        full = next((scale for scale in (255.0, 65535.0) if highest <= scale), highest)
    return np.asarray(np.clip(levels.astype(np.float32) / np.float32(full), 0, 1))


def _over_paper(rgba: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Transparent pictures laid on white, or on black where what is opaque would vanish on white."""
    luminance = rgba[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
    opacity = rgba[..., 3].astype(np.float32) / np.float32(255)
    opaque = float(opacity.sum())
    brightness = float((luminance * opacity).sum()) / opaque if opaque else 0.0
    mostly_transparent = opaque < 0.5 * opacity.size
    paper = 0.0 if mostly_transparent and brightness > 0.5 else 1.0
    return np.asarray(luminance * opacity + np.float32(paper) * (1 - opacity))


def _array_to_grey(array: NDArray[Any]) -> NDArray[np.float32]:
    """An array of the shapes and types that ``open_picture`` names."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise PictureError(f"an array must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}")
    _check_size(array.shape[1], array.shape[0], "the array")
    if array.dtype == np.bool_:
        levels = array.astype(np.float32)
    elif array.dtype in (np.uint8, np.uint16):
        levels = array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    elif array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise PictureError("the array holds NaN or infinite pixels")
        if array.min() < 0 or array.max() > 1:
            raise PictureError("a float array must be in 0..1: divide it by its full scale, or pass uint8")
        levels = array.astype(np.float32)
    else:
        raise PictureError(f"an array must be uint8, uint16 or float in 0..1, not {array.dtype}")
    if levels.ndim == 2:
        return levels
    if levels.shape[2] == 4:
        return _over_paper(np.round(levels * 255).astype(np.uint8))
    return np.asarray(levels @ np.array([0.299, 0.587, 0.114], np.float32))


def _from_grey(grey: NDArray[np.float32]) -> Picture:
    """Grey levels (H, W) as a picture."""
    if grey.size <= SCALE_ABOVE:
        return Picture(without_impulses(grey), grey.shape[::-1])
    return _fitted(Image.fromarray(grey), lambda fitted: np.asarray(fitted, np.float32))


def _fitted(image: Image.Image, to_grey: Callable[[Image.Image], NDArray[np.float32]]) -> Picture:
    """An image as a picture, scaled down to 16 megapixels where it has more."""
    width, height = image.size
    if width * height <= SCALE_ABOVE:
        return Picture(without_impulses(to_grey(image)), image.size)
    scale = math.sqrt(SCALE_ABOVE / (height * width))
    smaller = (max(1, int(width * scale)), max(1, int(height * scale)))
    note = f"scaled down from {width}×{height} to {smaller[0]}×{smaller[1]} for reading"
    grey = to_grey(image.resize(smaller, Image.Resampling.BOX))
    return Picture(grey, image.size, smaller[0] / width, (note,))
