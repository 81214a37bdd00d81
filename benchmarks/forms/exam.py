"""The nine ID pages of field/exam_id_pages.pdf: a form a layout, made of one page with the writing taken out.

Where the corners of the row of cells lie was measured by hand, to about two pixels at 300 dpi.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.forms.form import Field, Form
from lenet5.forms.scans import grey_of
from lenet5.reading.opening import open_pages
from lenet5.reading.picture import Picture

__all__ = ["CELLS", "CORNERS", "LAYOUTS", "MEASURED", "forms", "pages", "truths"]

Bytes = NDArray[np.uint8]
Corners = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
"""Upper left, upper right, lower right, lower left, as (x, y) in pixels of the page at 300 dpi."""

CELLS: Final = 9

LAYOUTS: Final = {1: (1, 6), 2: (2, 5, 9), 3: (3, 4), 7: (7, 8)}
"""The page that each form is made of, and the pages of its layout."""

CORNERS: Final[dict[int, Corners]] = {
    1: ((541, 1268), (1163, 1271), (1162, 1356), (541, 1353)),
    2: ((634, 1012), (1459, 1049), (1454, 1163), (628, 1125)),
    3: ((620, 2108), (1446, 2038), (1454, 2151), (630, 2220)),
    7: ((994, 1241), (1820, 1245), (1820, 1357), (992, 1356)),
}
"""Corners of the row of cells of the forms."""

MEASURED: Final[dict[int, Corners]] = {
    5: ((636, 1015), (1460, 1054), (1454, 1167), (631, 1128)),
    6: ((542, 1267), (1164, 1269), (1163, 1354), (541, 1352)),
    8: ((998, 1241), (1826, 1244), (1825, 1357), (998, 1354)),
}
"""The same corners on further pages, to tell how far registration is off."""

_INSET: Final = 6  # pixels of a cell's sides that are left as they are


@dataclass(frozen=True)
class _Row:
    """A row of cells between four corners."""

    corners: Corners

    def cell(self, k: int, inset: float) -> NDArray[np.int32]:
        """The corners of a cell, ``inset`` pixels within its sides."""
        ul, ur, lr, ll = (np.array(corner, float) for corner in self.corners)
        across = (ur - ul) / CELLS
        down = (ll - ul) / np.hypot(*(ll - ul)) * inset
        side = across / np.hypot(*across) * inset
        quad = [ul + k * across + side + down, ul + (k + 1) * across - side + down]
        quad += [ll + (k + 1) * (lr - ll) / CELLS - side - down, ll + k * (lr - ll) / CELLS + side - down]
        return np.round(quad).astype(np.int32)


def pages(folder: Path) -> list[Picture]:
    """The nine pages at 300 dpi."""
    return list(open_pages(folder / "field" / "exam_id_pages.pdf"))


def truths(folder: Path) -> dict[int, str]:
    """The number on each page."""
    with open(folder / "field" / "exam_id_pages.csv", newline="") as file:
        return {int(row["page"]): row["text"] for row in csv.DictReader(file)}


def forms(opened: list[Picture], choices: tuple[str, ...] | None = None) -> list[Form]:
    """A form a layout: the page of LAYOUTS with its cells emptied."""
    return [_form(page, grey_of(opened[page - 1]), choices) for page in LAYOUTS]


def _form(page: int, levels: Bytes, choices: tuple[str, ...] | None) -> Form:
    blank, row = levels.copy(), _Row(CORNERS[page])
    for k in range(CELLS):
        cv2.fillPoly(blank, [row.cell(k, _INSET)], 255)
    height, width = levels.shape
    x, y = zip(*CORNERS[page], strict=True)
    box = (min(x) / width, min(y) / height, max(x) / width, max(y) / height)
    field = Field("student", box, pattern=r"\d{9}", cells=CELLS, choices=choices, required=True)
    return Form(f"page {page}", blank, (field,))
