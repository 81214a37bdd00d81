"""Anything a user may pass as a picture → grey levels and, of coloured ones, the darkest channel, checked.

Colour, alpha, palette, CMYK, 16-bit, float and animated pictures and pages of a PDF all become one (H, W) float32
array of luminance in 0 (black) to 1 (white), as shown (EXIF rotation applied).
"""

from __future__ import annotations

import io
import math
import operator
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError, features

from lenet5.errors import ArrayError, PictureError, TooLargeError
from lenet5.reading.ink import without_impulses
from lenet5.reading.quiet import hush_libtiff, without_warnings
from lenet5.reading.tiff_pages import page_frames
from lenet5.result import PICTURE_FORMATS, Box

__all__ = ["Picture", "Region", "Source", "open_pages", "open_picture"]

MOST_PIXELS: Final = 100_000_000
SCALE_ABOVE: Final = 16_000_000
MOST_BYTES: Final = 200_000_000

_FORMATS: Final = "PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, PGM, PPM, PBM, PDF, HEIC"

_DPI: Final = 300  # resolution at which the pages of a PDF are rendered
_POINTS: Final = 72  # PDF units in an inch
_LONGEST_PAGE: Final = 60_000  # pixels: the longest side that PDF allows a page, 200 inches, at 300 dpi
_PDFIUM: Final = threading.RLock()  # PDFium may run in one thread at a time, whatever the document

_AVIF_BRANDS: Final = frozenset((b"avif", b"avis"))
_HEIC_BRANDS: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
_HEIF_BRANDS: Final = frozenset((b"mif1", b"msf1"))  # the container of either

_COLOUR: Final = 0.1  # luminance minus darkest channel, above which a pixel is coloured
_COLOUR_SAMPLE: Final = 500_000  # pixels tell whether a larger picture is coloured
_COLOURED: Final = 0.001  # of the pixels are coloured in a coloured picture, or
_COLOURED_ENOUGH: Final = 4  # sampled pixels: a digit of pale ink is a far smaller part of a page than 0.001
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
_LEVELS: Final = np.arange(256, dtype=np.float32) / np.float32(255)
_ROTATIONS: Final = (None, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


@dataclass(frozen=True)
class Picture:
    """Grey levels (H, W) float32, 0 black to 1 white, of a picture ``scale`` times as large as shown, or of a part.

    Salt-and-pepper noise is taken out. ``scale`` is at most 1; ``size`` is the (width, height) of the whole picture as
    shown; ``notes`` are for the user; it is page ``page`` of ``pages``. ``darkest`` (H, W) float32 is the darkest of
    the three channels, on which yellow, pink and pale ink are dark, ``lightest`` the lightest: what is coloured differs
    in them. Both are None where the picture is grey or nearly so.
    A part begins at ``origin``, (x, y) in pixels of the whole picture ``scale`` times as large, and is then turned
    counterclockwise by ``quarter_turns`` of 90°.
    """

    grey: NDArray[np.float32]
    size: tuple[int, int]
    scale: float = 1.0
    notes: tuple[str, ...] = ()
    page: int = 1
    pages: int = 1
    darkest: NDArray[np.float32] | None = None
    lightest: NDArray[np.float32] | None = None
    origin: tuple[int, int] = (0, 0)
    quarter_turns: int = 0

    def box(self, found: Box) -> Box:
        """A box in pixels of ``grey`` as the smallest box in pixels of the whole picture as shown that holds it."""
        width, height = self.size
        upright = self._upright(found)
        (x, y), scale = self.origin, self.scale
        left, top = int((x + upright.left) / scale), int((y + upright.top) / scale)
        right, bottom = math.ceil((x + upright.right) / scale), math.ceil((y + upright.bottom) / scale)
        return Box(max(left, 0), max(top, 0), min(right, width), min(bottom, height))

    @property
    def bounds(self) -> Box:
        """The part of the picture as shown that ``grey`` holds: all of it, unless it was cropped.

        >>> Picture(np.ones((20, 10), np.float32), (10, 20)).cropped(Box(2, 3, 7, 20)).turned(1).bounds
        Box(left=2, top=3, right=7, bottom=20)
        """
        return self.box(Box(0, 0, self.grey.shape[1], self.grey.shape[0]))

    def cropped(self, region: Region) -> Picture:
        """The part of the picture in ``region``: a Box, or four fractions 0..1 (left, top, right, bottom).

        Both are of the whole picture as shown, also where this one is cropped or turned already; then what both hold
        remains. Raises ArrayError for what is no region of any picture (no four numbers in 0..1, NaN, left not before
        right), PictureError for a region that reaches outside this picture or holds no pixel of it.

        >>> page = Picture(np.ones((20, 10), np.float32), (10, 20))
        >>> page.cropped((0.5, 0.1, 1, 0.2)).bounds == page.cropped(Box(5, 2, 10, 4)).bounds == Box(5, 2, 10, 4)
        True
        """
        shown = _shown_box(region, self.size)
        (x, y), height, width = self.origin, *self.grey.shape
        if self.quarter_turns % 2:
            height, width = width, height
        left, top = max(0, math.floor(shown.left * self.scale) - x), max(0, math.floor(shown.top * self.scale) - y)
        right = min(width, math.ceil(shown.right * self.scale) - x)
        bottom = min(height, math.ceil(shown.bottom * self.scale) - y)
        if left >= right or top >= bottom:
            raise PictureError(f"the region {_listed(region)} has no pixel in this part of the picture")
        rows, columns = self._turned_slices(Box(left, top, right, bottom), width, height)
        part = self._changed(lambda levels: np.ascontiguousarray(levels[rows, columns]))
        if part.darkest is not None and not _shows_colour(_sampled(part.grey - part.darkest)):
            part = replace(part, darkest=None, lightest=None)
        return replace(part, origin=(x + left, y + top))

    def turned(self, quarter_turns: int) -> Picture:
        """The picture turned counterclockwise by so many times 90°, as ``np.rot90`` turns it.

        ``box`` still gives boxes in pixels of the picture as shown.

        >>> page = Picture(np.ones((20, 10), np.float32), (10, 20)).turned(1)
        >>> page.grey.shape, page.box(Box(0, 0, 1, 1))  # the upper left corner was the upper right one
        ((10, 20), Box(left=9, top=0, right=10, bottom=1))
        """
        turn = _ROTATIONS[quarter_turns % 4]
        if turn is None:
            return self
        upright = self._changed(lambda levels: np.asarray(cv2.rotate(levels, turn), np.float32))
        return replace(upright, quarter_turns=(self.quarter_turns + quarter_turns) % 4)

    def _changed(self, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Picture:
        """The picture with its levels changed, of whatever channel."""
        if self.darkest is None or self.lightest is None:
            return replace(self, grey=change(self.grey))
        return replace(self, grey=change(self.grey), darkest=change(self.darkest), lightest=change(self.lightest))

    def _upright(self, box: Box) -> Box:
        """A box in pixels of ``grey`` as it lies before the turns."""
        height, width = self.grey.shape
        for _ in range(self.quarter_turns):  # one turn clockwise each: x = height − y′, y = x′
            box = Box(height - box.bottom, box.left, height - box.top, box.right)
            height, width = width, height
        return box

    def _turned_slices(self, box: Box, width: int, height: int) -> tuple[slice, slice]:
        """Where the pixels of a box of the upright part (width, height) lie in ``grey``: rows, columns."""
        for _ in range(self.quarter_turns):  # one turn counterclockwise each: x′ = y, y′ = width − x
            box = Box(box.top, width - box.right, box.bottom, width - box.left)
            height, width = width, height
        return slice(box.top, box.bottom), slice(box.left, box.right)


Source = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any] | Picture
"""What ``Reader.read`` takes."""

Region = Box | Sequence[float]
"""A part of a picture: pixels of it as shown, or four fractions 0..1 of it (left, top, right, bottom)."""


def open_picture(source: Source) -> Picture:
    """The picture that a path, bytes, a PIL image or an array holds; of several pages the first, which is noted.

    Arrays are (H, W), (H, W, 3) or (H, W, 4), uint8, uint16, bool, or float in 0..1. Raises
    PictureError in one line for anything that is missing, no picture, cut short, empty, too large,
    encrypted, NaN or infinite. A Picture is what it is.
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
    """
    if isinstance(source, Picture):
        yield source
    elif isinstance(source, np.ndarray):
        yield _from_array(source)
    elif isinstance(source, Image.Image):
        yield _from_image(source, "the picture")
    else:
        name, content = _named_content(source)
        if _is_pdf(content):
            yield from _pdf_pages(content, name, page, most_pages)
        else:
            yield from _image_pages(content, name, page, most_pages)


def _selected(pages: int, page: int | None, most_pages: int | None, name: str) -> range:
    """The pages to open of so many, counted from 1: all of them, or one."""
    if page is None:
        if most_pages is not None and pages > most_pages:
            raise TooLargeError(f"{name} has {pages:,} pages, over the {most_pages:,} read at once: name one page")
        return range(1, pages + 1)
    if not 1 <= page <= pages:
        raise ArrayError(f"page must be 1 to {pages:,}, not {page}: {name} has no more")
    return range(page, page + 1)


def _image_pages(content: bytes, name: str, only: int | None, most_pages: int | None) -> Iterator[Picture]:
    """The pages of a file of pixels."""
    with _pictures_own_words(name):
        image = _opened(content, name)
    with image:
        frames = page_frames(content, name) if image.format == "TIFF" else [image.tell()]
        for page in _selected(len(frames), only, most_pages, name):
            part = f"page {page} of {name}" if len(frames) > 1 else name
            if len(frames) > 1:
                with _pictures_own_words(part):
                    image.seek(frames[page - 1])
            yield replace(_from_image(image, part), page=page, pages=len(frames))


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


def _is_pdf(content: bytes) -> bool:
    """Whether a file begins as a PDF does, white space and a byte order mark aside."""
    return content[:1024].lstrip(b"\xef\xbb\xbf\0\t\n\f\r ").startswith(b"%PDF-")


def _pdf_pages(content: bytes, name: str, only: int | None, most_pages: int | None) -> Iterator[Picture]:
    """The pages of a PDF, rendered one by one. Raises PictureError if it is encrypted, damaged or has none."""
    with _PDFIUM, _pictures_own_words(name):
        document = _pdf_document(content, name)
    try:
        with _PDFIUM:
            pages = len(document)
        if pages == 0:
            raise PictureError(f"not a picture: {name} has no pages")
        for page in _selected(pages, only, most_pages, name):
            part = f"page {page} of {name}" if pages > 1 else name
            yield replace(_pdf_page(document, page, part), page=page, pages=pages)
    finally:
        with _PDFIUM:
            document.close()


def _pdf_document(content: bytes, name: str) -> Any:
    """An opened PDF, to be closed, that draws what was typed into its form."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY):
            raise PictureError(f"{name} is encrypted: save the PDF without a password") from None
        raise PictureError(f"not a picture: {name} is a damaged PDF") from None
    if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
        document.init_forms()
    return document


def _pdf_page(document: Any, page: int, name: str) -> Picture:
    """A page of an opened PDF, counted from 1, at 300 dpi or as near to it as 16 megapixels allow."""
    with _PDFIUM, _pictures_own_words(name):
        opened = document[page - 1]
        try:
            width, height = opened.get_size()
            zoom = _DPI / _POINTS
            shown = (math.ceil(width * zoom), math.ceil(height * zoom))
            largest = min(math.sqrt(SCALE_ABOVE / (width * height)), _LONGEST_PAGE / max(width, height))
            bitmap = opened.render(scale=min(zoom, largest), rev_byteorder=True)
            rgb = bitmap.to_numpy()  # its memory is numpy's own, and outlives the bitmap
            bitmap.close()
        finally:
            opened.close()
    return _from_levels(rgb, shown)


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
    if len(content) > MOST_BYTES:
        raise TooLargeError(_too_many_bytes(name))
    return name, content


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise PictureError(f"{path} is a folder: name a picture in it")
        if path.exists() and not path.is_file():
            raise PictureError(f"{path} is no regular file: pass its content on standard input (-)")
        if path.stat().st_size > MOST_BYTES:
            raise TooLargeError(_too_many_bytes(str(path)))
        return path.read_bytes()
    except FileNotFoundError:
        raise PictureError(f"no such file: {path}") from None
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


@contextmanager
def _pictures_own_words(name: str) -> Iterator[None]:
    """PIL's many failures, each in a line of ours; its warnings are not for the user."""
    try:
        with without_warnings():
            yield
    except UnidentifiedImageError:
        raise PictureError(f"not a picture: {name} is in no format read here ({_FORMATS})") from None
    except Image.DecompressionBombError:
        raise TooLargeError(_too_large(name)) from None
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
        raise TooLargeError(_too_large(name))
    if max(width, height) > SCALE_ABOVE:
        raise PictureError(f"{name} has {width}×{height} pixels: too narrow for a digit")


def _shown_box(region: Region, size: tuple[int, int]) -> Box:
    """A region in whole pixels of the picture as shown (width, height), checked."""
    width, height = size
    if isinstance(region, Box):
        edges: list[float] = [region.left, region.top, region.right, region.bottom]
        try:
            left, top, right, bottom = (operator.index(edge) for edge in edges)  # type: ignore[arg-type]
        except TypeError:
            raise ArrayError(f"a Box holds whole pixels, not {_listed(region)}: pass fractions as a tuple") from None
    else:
        try:
            edges = [float(edge) for edge in region]
        except (TypeError, ValueError):
            edges = []
        if len(edges) != 4 or isinstance(region, str | bytes):
            raise ArrayError(f"a region is a Box or four fractions 0..1, not {_listed(region)}")
        if not all(0 <= edge <= 1 for edge in edges):  # NaN is in no range
            raise ArrayError(f"a region's fractions are in 0..1, not {_listed(region)}: pass pixels as a Box")
        left, right = (round(edge * width) for edge in edges[::2])
        top, bottom = (round(edge * height) for edge in edges[1::2])
    if edges[0] >= edges[2] or edges[1] >= edges[3]:
        raise ArrayError(f"a region is left, top, right, bottom: {_listed(region)} is empty")
    if left < 0 or top < 0 or right > width or bottom > height:
        raise PictureError(f"the region {_listed(region)} reaches outside the picture of {width}×{height} pixels")
    if left >= right or top >= bottom:
        raise PictureError(f"the region {_listed(region)} has no pixel of the picture of {width}×{height} pixels")
    return Box(left, top, right, bottom)


def _listed(region: object) -> str:
    """A region as messages name it, in one line whatever it is."""
    text = repr(region.to_json() if isinstance(region, Box) else region)
    return " ".join(text.split())[:100]


def _from_image(image: Image.Image, name: str) -> Picture:
    """The frame of a PIL image that it stands at, scaled down before it takes four bytes a pixel."""
    _check_size(image.width, image.height, name)
    with _pictures_own_words(name):
        image.load()
        upright = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        shown = image.size if upright not in _SIDEWAYS else image.size[::-1]
        smaller = _smaller(image.size)
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            levels = _any_range_to_grey(image, smaller, name)
            return _from_levels(levels if upright is None else _turned(levels, upright), shown)
        as_is = "A" not in image.getbands() and "transparency" not in image.info
        mode = "L" if image.mode in ("1", "L") else "RGB"
        if as_is and image.mode == "RGB" and not _is_coloured(_sampled(image)):
            mode = "L"  # a third of the memory
        image = _converted(image, mode if as_is else "RGBA", smaller)
        return _from_levels(np.asarray(image if upright is None else image.transpose(upright)), shown)


def _converted(image: Image.Image, mode: str, smaller: tuple[int, int] | None) -> Image.Image:
    """A PIL image in a mode, scaled down to a size (width, height) if there is one: strip by strip, without copies of
    the whole."""
    if smaller is None:
        return image if image.mode == mode else image.convert(mode)
    small = Image.new(mode, smaller)
    for rows, part, box in _strips(image, smaller):
        strip = part if part.mode == mode else part.convert(mode)
        small.paste(strip.resize((smaller[0], len(rows)), Image.Resampling.BOX, box), (0, rows.start))
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


def _from_array(array: NDArray[Any]) -> Picture:
    """An array of the shapes and types that ``open_picture`` names, as a picture."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise PictureError(f"an array must be (H, W), (H, W, 3) or (H, W, 4), not {array.shape}")
    _check_size(array.shape[1], array.shape[0], "the array")
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
    """Levels as ``_from_levels`` takes them, scaled down if need be."""
    shown = levels.shape[1::-1]
    if (smaller := _smaller(shown)) is not None:
        levels = cv2.resize(np.ascontiguousarray(levels), smaller, interpolation=cv2.INTER_AREA)
    return _from_levels(levels.astype(np.float32) if levels.dtype == np.float64 else levels, shown)


def _smaller(size: tuple[int, int]) -> tuple[int, int] | None:
    """The size (width, height) that a picture of over 16 megapixels is scaled down to; None for a smaller one."""
    width, height = size
    if width * height <= SCALE_ABOVE:
        return None
    scale = math.sqrt(SCALE_ABOVE / (height * width))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _from_levels(levels: NDArray[Any], shown: tuple[int, int]) -> Picture:
    """Levels of a picture that is ``shown`` (width, height), perhaps scaled down by now.

    They are (H, W), (H, W, 3) or (H, W, 4), red first, opacity last; uint8, uint16, or float32 in 0..1.
    """
    levels = np.ascontiguousarray(levels)
    size = levels.shape[1::-1]
    channels = [_floats(own) for own in ((levels,) if levels.ndim == 2 else _channels(levels))]
    if size != shown:  # what scales a picture down averages its noise
        note = f"scaled down from {shown[0]}×{shown[1]} to {size[0]}×{size[1]} for reading"
        return _of_channels(channels, Picture(channels[0], shown, size[0] / shown[0], (note,)))
    return _of_channels([without_impulses(own) for own in channels], Picture(channels[0], shown))


def _of_channels(channels: Sequence[NDArray[np.float32]], picture: Picture) -> Picture:
    """A picture with its luminance, and of a coloured one the darkest and the lightest channel."""
    grey, darkest, lightest = (*channels, None, None)[:3]
    assert grey is not None
    return replace(picture, grey=grey, darkest=darkest, lightest=lightest)


def _channels(levels: NDArray[Any]) -> list[NDArray[Any]]:
    """The luminance (H, W) of contiguous RGB or RGBA levels; of coloured ones also the darkest and lightest channel.

    They are of the levels' type, or float32 in 0..1 where the picture is transparent.
    """
    kinds = (_luminance, _darkest, _lightest) if _is_coloured(_sampled(levels)) else (_luminance,)
    channels = [kind(levels) for kind in kinds]
    if levels.shape[2] == 3:
        return channels
    floats, opacity = [_floats(own) for own in channels], _floats(cv2.extractChannel(levels, 3))
    paper = _paper(floats[0], opacity)
    return [_over_paper(own, opacity, paper) for own in floats]


def _luminance(levels: NDArray[Any]) -> NDArray[Any]:
    """0.299 R + 0.587 G + 0.114 B (ITU-R 601-2) of RGB or RGBA levels (H, W, 3 or 4): (H, W) of the same type."""
    return cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY if levels.shape[2] == 3 else cv2.COLOR_RGBA2GRAY)


def _darkest(levels: NDArray[Any]) -> NDArray[Any]:
    """The darkest of the three channels of RGB or RGBA levels (H, W, 3 or 4): (H, W) of the same type."""
    red, green, blue = (cv2.extractChannel(levels, channel) for channel in range(3))
    return cv2.min(cv2.min(red, green, dst=green), blue, dst=blue)


def _lightest(levels: NDArray[Any]) -> NDArray[Any]:
    """The lightest of the three channels of RGB or RGBA levels (H, W, 3 or 4): (H, W) of the same type."""
    red, green, blue = (cv2.extractChannel(levels, channel) for channel in range(3))
    return cv2.max(cv2.max(red, green, dst=green), blue, dst=blue)


def _is_coloured(sample: NDArray[Any]) -> bool:
    """Whether some of the sampled RGB or RGBA levels (H, W, 3 or 4) are coloured."""
    apart = _floats(cv2.subtract(_luminance(sample), _darkest(sample)))
    return _shows_colour(apart if sample.shape[2] == 3 else apart * _floats(cv2.extractChannel(sample, 3)))


def _shows_colour(apart: NDArray[np.float32]) -> bool:
    """Whether enough of the sampled pixels differ in colour for the darkest channel to show what luminance does not.

    They are ``apart`` (H, W), luminance minus darkest channel. Yellow ink on white is 0.11 darker by luminance and 1 by
    the darkest channel. Below 0.1 there is little but the colour noise of JPEG and the tint of paper. Of a small
    picture one pixel in a thousand is enough, of a large one a few sampled pixels are, as a number in yellow covers
    less than that of a page; a picture wrongly taken for coloured only takes longer.
    """
    return int(np.count_nonzero(apart > _COLOUR)) >= min(_COLOURED_ENOUGH, 1 + int(_COLOURED * apart.size))


def _sampled(picture: Image.Image | NDArray[Any]) -> NDArray[Any]:
    """About 500,000 pixels of a larger picture, evenly spread: an array (H, W, …)."""
    width, height = picture.size if isinstance(picture, Image.Image) else picture.shape[1::-1]
    step = max(1, math.isqrt(width * height // _COLOUR_SAMPLE))
    if isinstance(picture, np.ndarray):
        return np.ascontiguousarray(picture[::step, ::step])
    size = (max(1, width // step), max(1, height // step))
    return np.asarray(picture if step == 1 else picture.resize(size, Image.Resampling.NEAREST))


def _paper(luminance: NDArray[np.float32], opacity: NDArray[np.float32]) -> float:
    """What a transparent picture is laid on: white, or black where what is opaque would vanish on white."""
    opaque = float(opacity.sum())
    brightness = float((luminance * opacity).sum()) / opaque if opaque else 0.0
    mostly_transparent = opaque < 0.5 * opacity.size
    return 0.0 if mostly_transparent and brightness > 0.5 else 1.0


def _over_paper(levels: NDArray[np.float32], opacity: NDArray[np.float32], paper: float) -> NDArray[np.float32]:
    """Levels (H, W) laid on paper of one level, as far as they are not opaque."""
    return np.asarray(levels * opacity + np.float32(paper) * (1 - opacity))


def _floats(levels: NDArray[Any]) -> NDArray[np.float32]:
    """Contiguous levels (H, W) as float32 in 0..1."""
    if levels.dtype == np.uint8:
        return np.asarray(cv2.LUT(levels, _LEVELS), np.float32)
    if levels.dtype == np.uint16:
        return np.asarray(np.divide(levels, np.float32(65535), dtype=np.float32))
    return np.asarray(levels, np.float32)
