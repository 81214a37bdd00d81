"""Pages of a PDF → pictures, rendered one by one."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from lenet5.errors import PictureError
from lenet5.reading.limits import SCALE_ABOVE
from lenet5.reading.picture import Picture, picture_of
from lenet5.reading.quiet import as_picture_errors

__all__ = ["is_pdf", "pdf_pages"]

_DPI: Final = 300  # resolution at which pages are rendered
_POINTS: Final = 72  # PDF units in an inch
_LONGEST_PAGE: Final = 60_000  # pixels: the longest side that PDF allows a page, 200 inches, at 300 dpi
_PDFIUM: Final = threading.RLock()  # PDFium may run in one thread at a time, whatever the document


def is_pdf(content: bytes) -> bool:
    """Whether a file begins as a PDF does, white space and a byte order mark aside.

    >>> is_pdf(b" %PDF-1.7 ..."), is_pdf(b"P5 2 2 255 ....")
    (True, False)
    """
    return content[:1024].lstrip(b"\xef\xbb\xbf\0\t\n\f\r ").startswith(b"%PDF-")


def pdf_pages(content: bytes, name: str, selected: Callable[[int], range]) -> Iterator[Picture]:
    """Those pages of a PDF, counted from 1, that are ``selected`` of so many, rendered one by one.

    Raises PictureError if it is encrypted, damaged or has no pages.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("L", (72, 36), 255).save(file, "PDF", resolution=72)
    >>> [page.size for page in pdf_pages(file.getvalue(), "page.pdf", lambda pages: range(1, pages + 1))]
    [(300, 150)]
    """
    with _PDFIUM, as_picture_errors(name):
        document = _document(content, name)
    try:
        with _PDFIUM:
            pages = len(document)
        if pages == 0:
            raise PictureError(f"not a picture: {name} has no pages")
        for page in selected(pages):
            part = f"page {page} of {name}" if pages > 1 else name
            yield replace(_page(document, page, part), page=page, pages=pages)
    finally:
        with _PDFIUM:
            document.close()


def _document(content: bytes, name: str) -> Any:
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


def _page(document: Any, page: int, name: str) -> Picture:
    """A page of an opened PDF, counted from 1, at 300 dpi or as near to it as 16 megapixels allow."""
    with _PDFIUM, as_picture_errors(name):
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
    return picture_of(rgb, shown)
