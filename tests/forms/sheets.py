"""A small form for tests, drawn in place: a heading, print, a comb of five cells and a box."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lenet5.forms.form import Field, Form
from tests.conftest import STROKES

Bytes = NDArray[np.uint8]

SIZE = (827, 1169)  # an A4 sheet at 100 dpi: width and height
CELLS = (250, 250, 500, 310)
BOX = (250, 380, 500, 440)
WORDS = ("Registration of meters", "Write clearly, one digit in each cell.", "Number", "Amount", "For the office only")

TOML = """\
reference = "blank.png"

[[field]]
name = "number"
box = [0.302, 0.2138, 0.6046, 0.2652]
cells = 5
required = true

[[field]]
name = "amount"
box = [0.302, 0.3251, 0.6046, 0.3764]
pattern = '\\d{1,4}'
"""


def blank() -> Image.Image:
    """The sheet without writing."""
    page = Image.new("L", SIZE, 255)
    pencil = ImageDraw.Draw(page)
    places = ((80, 80), (80, 150), (80, 265), (80, 395), (80, 900))
    for place, words, size in zip(places, WORDS, (34, 18, 20, 20, 18), strict=True):
        pencil.text(place, words, 0, ImageFont.load_default(size))
    for k in range(5):
        pencil.rectangle((CELLS[0] + 50 * k, CELLS[1], CELLS[0] + 50 * (k + 1), CELLS[3]), outline=0, width=2)
    pencil.rectangle(BOX, outline=0, width=2)
    pencil.rectangle((80, 940, 740, 1080), outline=0, width=3)
    return page


def filled(number: str = "20731", amount: str = "465") -> Image.Image:
    """The sheet with these digits written into it."""
    page = blank()
    pencil = ImageDraw.Draw(page)
    for text, left, top, step in ((number, CELLS[0], CELLS[1], 50), (amount, BOX[0] + 10, BOX[1], 42)):
        for k, digit in enumerate(text):
            if digit == " ":
                continue
            for stroke in STROKES[digit]:
                points = [(left + k * step + 4 + 0.42 * x, top + 8 + 0.44 * y) for x, y in stroke]
                pencil.line(points, fill=40, width=4, joint="curve")
    return page


def form(**changes: object) -> Form:
    """The form of the sheet; ``changes`` are of its field number."""
    width, height = SIZE
    boxes = [(b[0] / width, b[1] / height, b[2] / width, b[3] / height) for b in (CELLS, BOX)]
    number = Field("number", boxes[0], cells=5, required=True)
    number = Field(**{**number.__dict__, **changes})  # type: ignore[arg-type]
    return Form("meters", np.asarray(blank()), (number, Field("amount", boxes[1], pattern=r"\d{1,4}")))


def write_form(folder: Path, toml: str = TOML) -> Path:
    """The form file and its blank sheet in a folder."""
    blank().save(folder / "blank.png")
    path = folder / "meters.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def seen_through(
    page: Image.Image, matrix: NDArray[np.floating], size: tuple[int, int] = SIZE, table: int = 255
) -> Bytes:
    """The sheet through a homography (3, 3), as a picture of this size, on a table of this grey level."""
    return np.asarray(cv2.warpPerspective(np.asarray(page), matrix, size, borderValue=(table,)), np.uint8)


def turned(degrees: float, size: float = 1.0, shift: tuple[float, float] = (0, 0)) -> NDArray[np.float64]:
    """The matrix of a turn about the middle of the sheet, with a change of size and a shift."""
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, size)
    turn[:, 2] += shift
    return np.vstack([turn, [0, 0, 1]])
