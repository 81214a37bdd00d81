"""Decoders in our words: what Pillow and ``re`` warn of and libtiff prints is hidden, what they raise is one line."""

from __future__ import annotations

import ctypes
import functools
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import PIL
from PIL import Image, UnidentifiedImageError

from lenet5.errors import PictureError
from lenet5.reading.limits import too_many_pixels

__all__ = ["as_picture_errors", "hush_libtiff", "without_warnings"]

_FORMATS: Final = "PNG, JPEG, GIF, BMP, TIFF, WebP, AVIF, PGM, PPM, PBM, PDF, HEIC"

_DECODERS: Final = r"(PIL|pillow_heif|pypdfium2|lenet5\.reading\.pattern)(\.|$)"
_LOCK: Final = threading.Lock()
_open_blocks: list[Any] = []
"""One entry for each block of ``without_warnings`` that is open in any thread: the filter is the process's own."""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore warnings of decoders and of a user's patterns, in any number of threads; other filters stay as they are.

    ``warnings.catch_warnings`` restores the list of filters that it found: of two threads the one that ends last
    leaves the other's for good. Here one filter for the decoders alone is added by the first block and removed by the
    last.

    >>> with without_warnings():
    ...     opened = Image.new("L", (2, 2))  # what Pillow may warn of here is not shown
    """
    with _LOCK:
        if not _open_blocks:
            warnings.filterwarnings("ignore", module=_DECODERS)
        _open_blocks.append(None)
    try:
        yield
    finally:
        with _LOCK:
            _open_blocks.pop()
            if not _open_blocks:
                _remove_filters()


def _remove_filters() -> None:
    """Take out our filters, also those that somebody's catch_warnings has brought back."""
    filters: list[Any] = warnings.filters  # type: ignore[assignment]
    filters[:] = [entry for entry in filters if getattr(entry[3], "pattern", None) != _DECODERS]


@contextmanager
def as_picture_errors(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into a PictureError of one line, without warnings.

    >>> with as_picture_errors("page.png"):
    ...     raise EOFError
    Traceback (most recent call last):
    lenet5.errors.PictureError: not a picture: page.png is cut short
    """
    try:
        with without_warnings():
            yield
    except UnidentifiedImageError:
        raise PictureError(f"not a picture: {name} is in no format read here ({_FORMATS})") from None
    except Image.DecompressionBombError:
        raise too_many_pixels(name) from None
    except PictureError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError …
        cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
        raise PictureError(f"not a picture: {name} is {'cut short' if cut else 'damaged'}") from None


@functools.cache
def hush_libtiff() -> None:
    """Keep the libtiff in Pillow's wheel from printing to stderr what it dislikes in a file; Pillow raises anyway.

    A libtiff of the system, which others in the process may use, is left alone.
    """
    package = Path(PIL.__file__).parent
    for path in (*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")):
        library = ctypes.CDLL(str(path))  # the one that is loaded already
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)
