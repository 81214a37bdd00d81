"""Files of pixels and PIL images → pictures: PNG, JPEG, TIFF and the like, HEIC with an extra."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, features

from lenet5.errors import PictureError
from lenet5.reading.channels import is_coloured, sampled
from lenet5.reading.limits import check_size, smaller_size
from lenet5.reading.picture import Picture, picture_of
from lenet5.reading.quiet import as_picture_errors, hush_libtiff
from lenet5.reading.tiff_pages import page_frames
from lenet5.result import PICTURE_FORMATS

__all__ = ["image_pages", "picture_of_image"]

_AVIF_BRANDS: Final = frozenset((b"avif", b"avis"))
_HEIC_BRANDS: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
_HEIF_BRANDS: Final = frozenset((b"mif1", b"msf1"))  # the container of either

_STRIP: Final = 4_000_000  # pixels of a large picture that are converted at a time
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by EXIF's orientation."""
_SIDEWAYS: Final = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


def image_pages(content: bytes, name: str, selected: Callable[[int], range]) -> Iterator[Picture]:
    """Those pages of a file of pixels, counted from 1, that are ``selected`` of so many. Raises PictureError.

    >>> file = io.BytesIO()
    >>> Image.new("L", (30, 20), 255).save(file, "PNG")
    >>> [page.size for page in image_pages(file.getvalue(), "page.png", lambda pages: range(1, pages + 1))]
    [(30, 20)]
    """
    with as_picture_errors(name):
        image = _opened(content, name)
    with image:
        frames = page_frames(content, name) if image.format == "TIFF" else [image.tell()]
        for page in selected(len(frames)):
            part = f"page {page} of {name}" if len(frames) > 1 else name
            if len(frames) > 1:
                with as_picture_errors(part):
                    image.seek(frames[page - 1])
            yield replace(picture_of_image(image, part), page=page, pages=len(frames))


def picture_of_image(image: Image.Image, name: str) -> Picture:
    """The frame of a PIL image that it stands at, scaled down before it takes four bytes a pixel.

    >>> picture_of_image(Image.new("RGB", (30, 20), "white"), "the image").grey.shape
    (20, 30)
    """
    check_size(image.width, image.height, name)
    with as_picture_errors(name):
        image.load()
        upright = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        shown = image.size if upright not in _SIDEWAYS else image.size[::-1]
        smaller = smaller_size(image.size)
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            levels = _any_range_to_grey(image, smaller, name)
            return picture_of(levels if upright is None else _turned(levels, upright), shown)
        as_is = "A" not in image.getbands() and "transparency" not in image.info
        mode = "L" if image.mode in ("1", "L") else "RGB"
        if as_is and image.mode == "RGB" and not is_coloured(sampled(image)):
            mode = "L"  # a third of the memory
        image = _converted(image, mode if as_is else "RGBA", smaller)
        return picture_of(np.asarray(image if upright is None else image.transpose(upright)), shown)


def _opened(content: bytes, name: str) -> Image.Image:
    """The PIL image of a file's content, not yet decoded."""
    kind = _isobmff_kind(content)
    if kind == "AVIF" and not features.check("avif"):
        raise PictureError(
            f"{name} is AVIF, which this Pillow was built without: pip install --upgrade pillow, or save it as JPEG"
        )
    if kind in ("HEIC", "HEIF"):
        try:
            import pillow_heif
        except ImportError:
            raise PictureError(f"{name} is {kind}: pip install 'lenet5[heic]', or save it as JPEG") from None
        opener: Any = pillow_heif.HeifImageFile  # as registered with Pillow, it would open HEIC for the whole process
        return cast(Image.Image, opener(io.BytesIO(content)))
    if content[:2] in (b"II", b"MM"):
        hush_libtiff()
    return Image.open(io.BytesIO(content), formats=PICTURE_FORMATS)


def _isobmff_kind(content: bytes) -> str | None:
    """Which of "AVIF", "HEIC" and "HEIF" (another codec) a file is, by the brands in its first box; None for others.

    The first brand may only name the container; then the compatible brands tell (ISO/IEC 14496-12, 4.3).
    """
    if content[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(content[:4], "big"), 256)
    brands = [content[8:12], *(content[at : at + 4] for at in range(16, end, 4))]
    for kind, of_kind in (("AVIF", _AVIF_BRANDS), ("HEIC", _HEIC_BRANDS)):
        if brands[0] in of_kind:
            return kind
    if brands[0] not in _HEIF_BRANDS:
        return None
    if not _HEIC_BRANDS.isdisjoint(brands):
        return "HEIC"
    return "HEIF" if _AVIF_BRANDS.isdisjoint(brands) else "AVIF"


def _converted(image: Image.Image, mode: str, smaller: tuple[int, int] | None) -> Image.Image:
    """A PIL image in a mode, scaled down to a size (width, height) if there is one: strip by strip, without copies of
    the whole."""
    if smaller is None:
        return image if image.mode == mode else image.convert(mode)
    small = Image.new(mode, smaller)
    for rows, part, box in _strips(image, smaller):
        small.paste(part.convert(mode).resize((smaller[0], len(rows)), Image.Resampling.BOX, box), (0, rows.start))
    return small


def _strips(
    image: Image.Image, smaller: tuple[int, int]
) -> Iterator[tuple[range, Image.Image, tuple[float, float, float, float]]]:
    """Rows of the image scaled down, the rows of the image that hold them, and which box of those they are."""
    width, height = image.size
    at_once = max(1, _STRIP * smaller[1] // (width * height))
    for start in range(0, smaller[1], at_once):
        rows = range(start, min(start + at_once, smaller[1]))
        top, bottom = (row * height / smaller[1] for row in (rows.start, rows.stop))
        first, last = math.floor(top), min(math.ceil(bottom), height)
        yield rows, image.crop((0, first, width, last)), (0, top - first, width, min(bottom - first, last - first))


def _turned(levels: NDArray[np.float32], turn: Image.Transpose) -> NDArray[np.float32]:
    """Levels (H, W) transposed as a PIL image would be."""
    return np.asarray(Image.fromarray(levels).transpose(turn))


def _any_range_to_grey(image: Image.Image, smaller: tuple[int, int] | None, name: str) -> NDArray[np.float32]:
    """Deep pictures, scaled down if need be: integers and floats by the smallest of 1 (floats), 255 and 65535 that
    holds them."""
    whole = (range(image.height), image, (0.0, 0.0, float(image.width), float(image.height)))
    strips = [whole] if smaller is None else _strips(image, smaller)
    highest, is_float, parts = -math.inf, image.mode == "F", []
    for rows, part, box in strips:
        levels = np.asarray(part)
        if is_float and not np.isfinite(levels).all():
            raise PictureError(f"{name} holds NaN or infinite pixels")
        highest = max(highest, float(levels.max()))
        levels = levels.astype(np.float32)
        if smaller is not None:
            resized = Image.fromarray(levels).resize((smaller[0], len(rows)), Image.Resampling.BOX, box)
            levels = np.asarray(resized)
        parts.append(levels)
    scales = (1.0, 255.0, 65535.0) if is_float else (255.0, 65535.0)
    full = next((scale for scale in scales if highest <= scale), highest)
    levels = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return np.asarray(np.clip(levels / np.float32(full), 0, 1))
