"""Which directories of a TIFF are pages, by bytes written here: either byte order, TIFF and BigTIFF."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest

from lenet5.reading.tiff_pages import page_frames

SHORT, LONG = 3, 4


@dataclass(frozen=True)
class Tiff:
    """How a file is written; a directory is a list of (tag, kind, value)."""

    order: str
    big: bool

    def file(self, *directories: list[tuple[int, int, int]], after_last: int = 0) -> bytes:
        head, offset = (16, "Q") if self.big else (8, "I")
        at = head
        body = b""
        for k, entries in enumerate(directories):
            size = (8 + 20 * len(entries) + 8) if self.big else (2 + 12 * len(entries) + 4)
            at += size
            body += struct.pack(self.order + ("Q" if self.big else "H"), len(entries))
            body += b"".join(self.entry(*entry) for entry in entries)
            body += struct.pack(self.order + offset, at if k + 1 < len(directories) else after_last)
        start = b"II" if self.order == "<" else b"MM"
        magic = struct.pack(self.order + ("HHHQ" if self.big else "HI"), *((43, 8, 0, 16) if self.big else (42, 8)))
        return start + magic + body

    def entry(self, tag: int, kind: int, value: int) -> bytes:
        size = 8 if self.big else 4
        packed = struct.pack(self.order + ("H" if kind == SHORT else "I"), value).ljust(size, b"\0")
        return struct.pack(self.order + "HH" + ("Q" if self.big else "I"), tag, kind, 1) + packed


KINDS = pytest.mark.parametrize(
    "tiff", [Tiff(order, big) for order in "<>" for big in (False, True)], ids=lambda t: f"{t.order}{t.big}"
)
PAGE = [(256, SHORT, 1), (257, SHORT, 1)]


def marked(value: int, kind: int = LONG) -> list[tuple[int, int, int]]:
    """A directory whose subfile type is so."""
    return [(254, kind, value), *PAGE]


@KINDS
@pytest.mark.parametrize("kind", [SHORT, LONG])
def test_small_copies_are_no_pages_and_other_subfiles_are(tiff: Tiff, kind: int) -> None:
    content = tiff.file(PAGE, marked(1, kind), marked(2, kind), marked(0, kind), marked(3, kind), PAGE)
    assert page_frames(content, "scan.tif") == [0, 2, 3, 5]


@KINDS
def test_the_first_directory_is_a_page_whatever_it_says(tiff: Tiff) -> None:
    assert page_frames(tiff.file(marked(1), PAGE), "scan.tif") == [0, 1]


@KINDS
def test_only_its_own_tag_says_that_a_directory_is_a_copy(tiff: Tiff) -> None:
    odd = [(253, SHORT, 1), *PAGE], [(255, SHORT, 1), *PAGE], [(250, SHORT, 2), (254, SHORT, 1)], [(300, SHORT, 1)]
    assert page_frames(tiff.file(PAGE, *odd), "scan.tif") == [0, 1, 2, 4]
    late = [(300, SHORT, 2), (254, SHORT, 1)]  # tags are in order: behind a later one there is none
    assert page_frames(tiff.file(PAGE, late), "scan.tif") == [0, 1]


@KINDS
def test_a_chain_that_comes_back_to_itself_ends(tiff: Tiff) -> None:
    first = 16 if tiff.big else 8
    assert page_frames(tiff.file(PAGE, PAGE, after_last=first), "scan.tif") == [0, 1]


@KINDS
def test_a_chain_that_is_cut_short_or_leads_out_of_the_file_ends_there(tiff: Tiff) -> None:
    whole = tiff.file(PAGE, PAGE)
    assert page_frames(tiff.file(PAGE, PAGE, after_last=10_000), "scan.tif") == [0, 1, 2]
    assert page_frames(whole[:-1], "scan.tif") == [0, 1]
    assert page_frames(whole[:6], "scan.tif") == [0]
