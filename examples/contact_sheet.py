"""Reads pictures and draws them side by side with what was read and what the network saw.

python examples/contact_sheet.py OUTPUT.png PICTURE...
"""

from __future__ import annotations

import sys

from PIL import Image, ImageDraw, ImageFont

from lenet5 import Reader
from lenet5.result import PICTURE_FORMATS

WIDTH, HEIGHT, SEEN = 176, 176, 56


def tile(reader: Reader, path: str) -> Image.Image:
    """One picture above its answer, with the 28×28 that the network saw beside it."""
    digit = reader.read(path, layout="digit").digits[0]
    picture = Image.open(path, formats=PICTURE_FORMATS).convert("RGB")
    picture.thumbnail((WIDTH, HEIGHT))
    sheet = Image.new("RGB", (WIDTH, HEIGHT + SEEN + 12), "white")
    sheet.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=(225, 225, 225))
    sheet.paste(Image.fromarray(digit.image).resize((SEEN, SEEN), Image.Resampling.NEAREST), (0, HEIGHT + 6))
    draw.text((SEEN + 14, HEIGHT + 4), digit.label, fill="black", font=ImageFont.load_default(size=44))
    draw.text(
        (SEEN + 56, HEIGHT + 28), f"{digit.confidence:.1%}", fill=(90, 90, 90), font=ImageFont.load_default(size=16)
    )
    return sheet


def main(output: str, paths: list[str]) -> None:
    reader = Reader()
    tiles = [tile(reader, path) for path in paths]
    columns = min(5, len(tiles))
    rows = -(-len(tiles) // columns)
    step_x, step_y = WIDTH + 16, tiles[0].height + 16
    sheet = Image.new("RGB", (columns * step_x + 16, rows * step_y + 16), "white")
    for k, picture in enumerate(tiles):
        sheet.paste(picture, (16 + k % columns * step_x, 16 + k // columns * step_y))
    sheet.save(output, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
