"""What was misread, as pictures: sheets with each picture, its truth, its answer and what the network saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from lenet5.errors import PictureError
from lenet5.evaluation.sheet import contact_sheet
from lenet5.reading.opening import Source, open_picture
from lenet5.result import Digit, Reading

__all__ = ["Failure", "write_sheets"]

_WIDTH, _SEEN = 620, 42
_TALLEST, _TALLEST_PAGE = 170, 420  # pixels of a line's picture, and of a page's
_A_SHEET: Final = 24


@dataclass(frozen=True)
class Failure:
    """One wrong reading: where it is from, the picture, the truth, and the reading (None: could not be read)."""

    name: str
    source: Source
    truth: str
    reading: Reading | None


def write_sheets(failures: Sequence[Failure], folder: Path, case: str) -> None:
    """``CASE 1.png``, ``CASE 2.png`` … in the folder, two columns of failures each; earlier ones go."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "".join(c if c.isalnum() else "-" for c in case)
    for old in folder.glob(f"{stem} *.png"):
        old.unlink()
    for number, start in enumerate(range(0, len(failures), _A_SHEET), start=1):
        tiles = [_tile(failure) for failure in failures[start : start + _A_SHEET]]
        sheet = contact_sheet([tiles[k : k + 2] for k in range(0, len(tiles), 2)], gap=10)
        sheet.save(folder / f"{stem} {number}.png")


def _tile(failure: Failure) -> Image.Image:
    """The picture with the boxes found, the caption below, and each digit as the network saw it."""
    picture = _boxed(failure)
    digits = failure.reading.digits if failure.reading else ()
    a_row = _WIDTH // (_SEEN + 2)
    rows = -(-min(len(digits), 3 * a_row) // a_row)
    tile = Image.new("RGB", (_WIDTH, picture.height + 22 + rows * (_SEEN + 16)), (238, 238, 238))
    tile.paste(picture, (0, 0))
    draw, small = ImageDraw.Draw(tile), ImageFont.load_default(size=12)
    answer = failure.reading.text.replace("\n", "/") if failure.reading else "(not read)"
    sure = f"  {failure.reading.confidence:.1%}" if failure.reading else ""
    caption = f"{failure.name}:  {failure.truth.replace(chr(10), '/')!r} read {answer!r}{sure}"
    draw.text((4, picture.height + 2), caption[:110], fill="black", font=ImageFont.load_default(size=15))
    for k, digit in enumerate(digits[: 3 * a_row]):
        left, top = k % a_row * (_SEEN + 2), picture.height + 22 + k // a_row * (_SEEN + 16)
        tile.paste(Image.fromarray(digit.image).resize((_SEEN, _SEEN)), (left, top))
        draw.text((left + 1, top + _SEEN), f"{digit.label} {digit.confidence:.2f}", fill="black", font=small)
    return tile


def _boxed(failure: Failure) -> Image.Image:
    """The picture, scaled to the tile, with a red box around each digit and a blue one around each separator."""
    try:
        opened = open_picture(failure.source)
    except PictureError:
        return Image.new("RGB", (_WIDTH, 40), "grey")
    tallest = _TALLEST_PAGE if "\n" in failure.truth or not failure.truth else _TALLEST
    scale = min(_WIDTH / opened.grey.shape[1], tallest / opened.grey.shape[0])
    size = (max(1, round(opened.grey.shape[1] * scale)), max(1, round(opened.grey.shape[0] * scale)))
    picture = Image.fromarray((opened.grey * 255).astype("uint8")).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    draw = ImageDraw.Draw(picture)
    scale *= opened.scale
    for mark in (mark for line in (failure.reading.lines if failure.reading else ()) for mark in line):
        edges = (mark.box.left, mark.box.top, mark.box.right - 1, mark.box.bottom - 1)
        left, top, right, bottom = (edge * scale for edge in edges)
        colour = "red" if isinstance(mark, Digit) else "blue"
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour)
    return picture
