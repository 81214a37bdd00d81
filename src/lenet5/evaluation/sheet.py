"""Pictures side by side on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

__all__ = ["contact_sheet"]


def contact_sheet(rows: Sequence[Sequence[Image.Image]], gap: int) -> Image.Image:
    """Rows of tiles on white, ``gap`` pixels apart: columns as wide as the widest tile, rows as high as their highest.

    >>> tiles = [Image.new("L", (20, 10)), Image.new("L", (30, 40))]
    >>> contact_sheet([tiles, tiles[:1]], gap=5).size
    (75, 65)
    """
    width = max(tile.width for row in rows for tile in row) + gap
    heights = [max(tile.height for tile in row) + gap for row in rows]
    sheet = Image.new("RGB", (max(map(len, rows)) * width + gap, sum(heights) + gap), "white")
    top = gap
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            sheet.paste(tile, (gap + column * width, top))
        top += height
    return sheet
