"""Drawings of a reading: on its picture, and what the network saw of every digit."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lenet5.errors import OutputError
from lenet5.evaluation.sheet import contact_sheet
from lenet5.files import write_beside
from lenet5.reading.picture import Picture
from lenet5.reading.pieces import Pieces
from lenet5.result import REFUSED, Box, Digit, Reading

__all__ = ["annotated", "as_png", "digit_sheet", "pieces_picture", "write_debug"]

Colour = tuple[int, int, int]

_COLOURS: Final[tuple[tuple[float, Colour], ...]] = (
    (0.99, (0, 120, 50)),  # green: sure
    (0.9, (200, 110, 0)),  # orange
    (0.0, (205, 0, 40)),  # red: in doubt
)
"""The colour of a digit that is at least this sure; those that many colour-blind people tell apart by lightness."""
_REFUSED: Final[Colour] = (140, 0, 170)
_SEPARATOR: Final[Colour] = (0, 80, 220)

_PIECES: Final[tuple[Colour, ...]] = ((200, 0, 40), (0, 90, 200), (0, 130, 60), (200, 110, 0), (140, 0, 170))

_LEAST_DIGIT: Final = 40  # pixels: smaller digits are enlarged, so that their labels can be read
_LEAST_SIDE: Final = 480  # pixels of the longer side, likewise
_MOST_PIXELS: Final = 24_000_000
_TILE, _A_ROW, _SHEET_DIGITS = 84, 12, 1200  # the sheet: pixels of a tile, tiles in a row, digits at most


def annotated(picture: Picture, reading: Reading) -> Image.Image:
    """The picture in grey with a box around each digit, its answer above and its confidence in percent below.

    The colour tells the confidence; refused digits are struck through, separators have a thin box.
    What is written stands in a strip above. Small pictures are enlarged.

    >>> from lenet5.reading.opening import open_picture
    >>> blank = open_picture(np.full((60, 80), 255, np.uint8))
    >>> image = annotated(blank, Reading("", 0.9, ()))
    >>> image.width > 80, image.height > image.width * 60 // 80  # enlarged, with a strip above
    (True, True)
    """
    height, width = picture.grey.shape
    factor = _enlargement(reading, picture)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    grey = Image.fromarray((picture.grey * 255).astype(np.uint8))
    resampling = Image.Resampling.NEAREST if factor >= 4 else Image.Resampling.BICUBIC
    letters = _letters(reading, factor * picture.scale)
    margin, strip = round(1.3 * letters) + 4, max(28, min(56, size[0] // 24))
    canvas = Image.new("RGB", (size[0] + 2 * margin, size[1] + 2 * margin + strip), (226, 226, 230))
    canvas.paste(grey.resize(size, resampling).convert("RGB"), (margin, margin + strip))
    draw = ImageDraw.Draw(canvas)
    _write_summary(draw, reading, canvas.width, strip)
    for line in reading.lines:
        for mark in line:
            scaled = [edge * factor * picture.scale for edge in mark.box.to_json()]
            left, right = scaled[0] + margin, max(scaled[2], scaled[0] + 2) + margin
            top, bottom = scaled[1] + margin + strip, max(scaled[3], scaled[1] + 2) + margin + strip
            if isinstance(mark, Digit):
                _draw_digit(draw, mark, (left, top, right, bottom), letters)
            else:
                draw.rectangle((left - 2, top - 2, right + 1, bottom + 1), outline=_SEPARATOR)
    return canvas


def _enlargement(reading: Reading, picture: Picture) -> float:
    """The factor by which the picture is enlarged."""
    height, width = picture.grey.shape
    heights = [(digit.box.bottom - digit.box.top) * picture.scale for digit in reading.digits]
    wanted = max(_LEAST_SIDE / max(height, width), _LEAST_DIGIT / max(1.0, float(np.median(heights or [1e9]))), 1.0)
    possible = min(wanted, max(1.0, (_MOST_PIXELS / (height * width)) ** 0.5))
    return float(int(possible)) if possible >= 2 else possible


def _letters(reading: Reading, scale: float) -> int:
    """The height of an answer's letters, from the median height of digits."""
    heights = [(digit.box.bottom - digit.box.top) * scale for digit in reading.digits]
    return int(np.clip(0.4 * float(np.median(heights or [30])), 14, 96))


def _draw_digit(
    draw: ImageDraw.ImageDraw, digit: Digit, edges: tuple[float, float, float, float], letters: int
) -> None:
    left, top, right, bottom = edges
    colour, pen = _colour(digit), max(1, letters // 12)
    draw.rectangle((left - pen, top - pen, right + pen - 1, bottom + pen - 1), outline=colour, width=pen)
    if digit.label == REFUSED:
        draw.line((left, top, right, bottom), fill=colour, width=pen)
    middle = (left + right) / 2
    white = max(1, letters // 10)  # a rim around what is written, as it may stand on ink
    above, below = (middle, top - pen - white - 1), (middle, bottom + pen + white + 1)
    draw.text(above, digit.label, colour, _font(letters), "mb", stroke_width=white, stroke_fill="white")
    percent = f"{int(100 * digit.confidence)}"
    small = _font(max(11, round(0.5 * letters)))
    draw.text(below, percent, colour, small, "mt", stroke_width=white, stroke_fill="white")


def _write_summary(draw: ImageDraw.ImageDraw, reading: Reading, width: int, strip: int) -> None:
    """The text and its confidence in the strip above the picture, cut where it is longer."""
    font = _font(round(0.6 * strip))
    end = f"  {reading.confidence:.1%} sure" if reading.digits else ""
    text = reading.text.replace("\n", " / ") or "no digits"
    room = width - strip
    while len(text) > 1 and font.getlength(text + end) > room:
        text = text[:-2] + "…"
    draw.text((strip // 3, strip / 2), text + end, fill="black", font=font, anchor="lm")


def _colour(digit: Digit) -> Colour:
    if digit.label == REFUSED:
        return _REFUSED
    return next(colour for least, colour in _COLOURS if digit.confidence >= least)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def digit_sheet(picture: Picture, reading: Reading) -> Image.Image | None:
    """Every digit, a row for each line: its place in the picture above the 28×28 that the network saw, and the answers.

    None without digits; of very many digits the first.

    >>> from lenet5.reading.opening import open_picture
    >>> digit_sheet(open_picture(np.full((60, 80), 255, np.uint8)), Reading("", 0.9, ())) is None
    True
    """
    rows: list[list[tuple[str, Digit]]] = []
    for number, line in enumerate(reading.lines, start=1):
        digits = [mark for mark in line if isinstance(mark, Digit)]
        named = [(f"{number}.{k}", digit) for k, digit in enumerate(digits, start=1)]
        rows += [named[start : start + _A_ROW] for start in range(0, len(named), _A_ROW)]
    rows = rows[: max(1, _SHEET_DIGITS // _A_ROW)]
    if not rows:
        return None
    return contact_sheet([[_digit_tile(picture, name, digit) for name, digit in row] for row in rows], gap=10)


def _digit_tile(picture: Picture, name: str, digit: Digit) -> Image.Image:
    """A digit's place in the picture above what the network saw of it, and the answers below."""
    tile = Image.new("RGB", (_TILE, 2 * _TILE + 42), "white")
    tile.paste(_place(picture, digit.box), (0, 0))
    tile.paste(Image.fromarray(digit.image).resize((_TILE, _TILE), Image.Resampling.NEAREST), (0, _TILE + 2))
    draw = ImageDraw.Draw(tile)
    answer = f"{digit.label}  {digit.confidence:.1%}"
    draw.text((0, 2 * _TILE + 4), answer, fill=_colour(digit), font=_font(16))
    others = "".join(f"or {label} {p:.1%}" for label, p in digit.alternatives[:1])
    draw.text((0, 2 * _TILE + 24), f"{name}   {others}", fill=(110, 110, 110), font=_font(11))
    return tile


def _place(picture: Picture, box: Box) -> Image.Image:
    """The picture around a box, a quarter wider on each side, as a tile."""
    left, top, right, bottom = (edge * picture.scale for edge in box.to_json())
    reach = 0.65 * max(right - left, bottom - top, 4)
    x, y = (left + right) / 2, (top + bottom) / 2
    around = picture.grey[max(0, int(y - reach)) : int(y + reach) + 1, max(0, int(x - reach)) : int(x + reach) + 1]
    tile = Image.new("RGB", (_TILE, _TILE), (226, 226, 230))
    scale = _TILE / max(around.shape)
    size = (max(1, round(around.shape[1] * scale)), max(1, round(around.shape[0] * scale)))
    shown = Image.fromarray((around * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    tile.paste(shown, ((_TILE - size[0]) // 2, (_TILE - size[1]) // 2))
    return tile


def pieces_picture(pieces: Pieces) -> Image.Image:
    """A line's ink, upright and at the height at which it is cut, each piece in a colour unlike its neighbours'.

    >>> from lenet5.reading.pieces import cut, whole_marks
    >>> level = np.zeros((80, 40), np.float32)
    >>> level[12:68, 8:14] = level[12:68, 20:26] = 1  # two strokes
    >>> colours = np.asarray(pieces_picture(cut(whole_marks(level)))).reshape(-1, 3)
    >>> len(np.unique(colours, axis=0)) >= 3  # two pieces and the paper
    True
    """
    ink = 1 - pieces.level[..., None] * (1 - np.array(_PIECES)[(pieces.labels - 1) % len(_PIECES)] / 255)
    ink[pieces.labels == 0] = (1 - 0.3 * pieces.level[..., None])[pieces.labels == 0]
    drawn = Image.fromarray((ink * 255).astype(np.uint8))
    return drawn.resize((2 * drawn.width, 2 * drawn.height), Image.Resampling.NEAREST)


def as_png(image: Image.Image) -> bytes:
    """The image as the content of a PNG file.

    >>> as_png(Image.new("L", (2, 2)))[:4]
    b'\\x89PNG'
    """
    encoded = io.BytesIO()
    image.save(encoded, "PNG", compress_level=3)
    return encoded.getvalue()


def write_debug(picture: Picture, reading: Reading, lines: Sequence[Pieces], folder: str | os.PathLike[str]) -> None:
    """Into the folder: reading.json, annotated.png, digits.png, the pieces of lines, and each digit's 28×28.

    The last, enlarged eightfold, are ``line-index-answer.png``, such as 02-07-4.png, refused ones
    02-07-refused.png. ``pieces-01.png`` and so on are the ``lines`` of layout page, as they
    were cut: their numbers are their own. Files of an earlier reading go. Raises OutputError.

    >>> import tempfile
    >>> from lenet5.reading.opening import open_picture
    >>> blank = open_picture(np.full((60, 80), 255, np.uint8))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_debug(blank, Reading("", 0.9, ()), [], folder)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['annotated.png', 'reading.json']
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        earlier = re.compile(r"\d{2,}-\d{2,}-(\d|refused)\.png|pieces-\d{2,}\.png|digits\.png")
        for old in [path for path in target.iterdir() if earlier.fullmatch(path.name)]:
            old.unlink()
    except OSError as error:
        raise OutputError(f"cannot make the folder {target}: {error.strerror}") from None
    write_beside(target / "reading.json", (json.dumps(reading.to_json(), indent=1) + "\n").encode())
    write_beside(target / "annotated.png", as_png(annotated(picture, reading)))
    sheet = digit_sheet(picture, reading)
    if sheet:
        write_beside(target / "digits.png", as_png(sheet))
    for number, pieces in enumerate(lines, start=1):
        write_beside(target / f"pieces-{number:02}.png", as_png(pieces_picture(pieces)))
    for number, line in enumerate(reading.lines, start=1):
        for k, digit in enumerate((mark for mark in line if isinstance(mark, Digit)), start=1):
            answer = "refused" if digit.label == REFUSED else digit.label
            seen = Image.fromarray(digit.image).resize((224, 224), Image.Resampling.NEAREST)
            write_beside(target / f"{number:02}-{k:02}-{answer}.png", as_png(seen))
