"""Which directories of a TIFF are pages, by its chain of directories alone."""

from __future__ import annotations

import struct
from typing import Final

from lenet5.errors import TooLargeError

__all__ = ["page_frames"]

_SUBFILE_TYPE: Final = 254  # the tag whose lowest bit says: a small copy of another page
_MOST: Final = 1_000_000  # directories: a second's walk


def page_frames(content: bytes, name: str) -> list[int]:
    """The numbers of the frames that are pages: the first, and all others but small copies.

    Each directory is looked at without its other tags, which takes a microsecond: a file of 200,000 pages shows its
    first at once. The chain ends where it is cut short or comes back to itself; a directory outside the file counts as
    a page, which is damaged. Raises TooLargeError for over a million directories. The layout is that of TIFF 6.0,
    section 2, and of BigTIFF, whose magic number is 43.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("L", (8, 8)).save(file, "TIFF", save_all=True, append_images=[Image.new("L", (8, 8))])
    >>> page_frames(file.getvalue(), "scan.tif")
    [0, 1]
    """
    order = "<" if content[:2] == b"II" else ">"
    big = content[2:4] in (b"\x2b\x00", b"\x00\x2b")
    count_of, next_of = struct.Struct(order + ("Q" if big else "H")), struct.Struct(order + ("Q" if big else "I"))
    entry, value_at = (20, 12) if big else (12, 8)
    tag_of, short = struct.Struct(order + "HH"), struct.Struct(order + "H")
    frames, seen = [], set[int]()
    try:
        (at,) = next_of.unpack_from(content, 8 if big else 4)
        while at and at not in seen:
            if len(seen) == _MOST:
                raise TooLargeError(f"{name} has over {_MOST:,} pages: split it")
            number, start = len(seen), at + count_of.size
            seen.add(at)
            frames.append(number)
            (entries,) = count_of.unpack_from(content, at)
            if number and _is_copy(content, start, min(entries, 16), entry, tag_of, short, value_at):
                frames.pop()
            (at,) = next_of.unpack_from(content, start + entry * entries)
    except (struct.error, OverflowError):
        pass  # cut short
    return frames or [0]


def _is_copy(
    content: bytes, start: int, entries: int, entry: int, tag_of: struct.Struct, short: struct.Struct, value_at: int
) -> bool:
    """Whether the first entries of a directory, which are in the order of their tags, say that it is a small copy."""
    for at in range(start, start + entry * entries, entry):
        tag, kind = tag_of.unpack_from(content, at)
        if tag == _SUBFILE_TYPE:
            low_half = at + value_at + (2 if kind == 4 and tag_of.format[0] == ">" else 0)  # of a LONG or a SHORT
            return bool(short.unpack_from(content, low_half)[0] & 1)
        if tag > _SUBFILE_TYPE:
            return False
    return False
