"""PDFs: every page becomes a picture, every broken file a line."""

from __future__ import annotations

import csv
import gc
import hashlib
import io
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from lenet5 import Box, PictureError
from lenet5.reading.opening import open_pages, open_picture
from tests.conftest import Outcome


def saved(*pages: Image.Image, dpi: float = 300) -> bytes:
    """A PDF of scanned pages."""
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=dpi)
    return file.getvalue()


def scan(level: int = 255, size: tuple[int, int] = (200, 100), mode: str = "L") -> Image.Image:
    return Image.new(mode, size, level)


def written(content: str, width: float = 72, height: float = 36, page: str = "", more: str = "") -> bytes:
    """A PDF of one page with this content stream, entries of its page, and objects from number 5 on."""
    objects = [
        "<</Type /Catalog /Pages 2 0 R" + (" /AcroForm <</Fields [5 0 R]>>" if more else "") + ">>",
        "<</Type /Pages /Kids [3 0 R] /Count 1>>",
        f"<</Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R {page}>>",
        f"<</Length {len(content)}>>\nstream\n{content}\nendstream",
    ]
    file = "%PDF-1.7\n" + "".join(f"{n} 0 obj\n{body}\nendobj\n" for n, body in enumerate(objects, start=1)) + more
    return (file + "trailer <</Root 1 0 R>>\n%%EOF\n").encode("latin-1")


def refusal(content: bytes | Path) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_pages_of_a_pdf_come_one_by_one_and_are_numbered() -> None:
    pages = list(open_pages(saved(scan(255), scan(0), scan(51, (60, 40)))))
    assert [float(page.grey.mean()) for page in pages] == pytest.approx([1, 0, 0.2], abs=0.01)
    assert [(page.page, page.pages) for page in pages] == [(1, 3), (2, 3), (3, 3)]
    assert all(page.notes == () for page in pages)


def test_a_scan_of_300_dpi_comes_out_pixel_for_pixel() -> None:
    image = scan(255)
    ImageDraw.Draw(image).rectangle((20, 30, 119, 79), fill=0)
    opened = open_picture(saved(image))
    assert opened.size == (200, 100)
    assert opened.scale == 1
    np.testing.assert_allclose(opened.grey, np.asarray(image) / 255, atol=0.1)


def test_of_several_pages_the_first_is_read_and_it_is_said() -> None:
    opened = open_picture(saved(scan(255), scan(0)))
    assert opened.grey.min() > 0.99
    assert opened.notes == ("only the first of 2 pages is read here",)


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n\r\n "])
def test_a_pdf_is_known_by_its_first_bytes_whatever_its_name(before: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    path.write_bytes(before + saved(scan(0)))
    assert open_picture(path).grey.max() < 0.01
    assert open_picture(path.read_bytes()).grey.max() < 0.01


def test_a_picture_that_mentions_a_pdf_is_none() -> None:
    png = io.BytesIO()
    scan().save(png, "PNG")
    assert open_picture(png.getvalue() + b"%PDF-1.4").size == (200, 100)


def test_drawn_pages_are_on_white_paper_in_the_right_place() -> None:
    opened = open_picture(written("0 0 0 rg 0 18 36 18 re f"))  # the upper left quarter
    assert opened.size == (300, 150)
    assert opened.grey[:74, :149].max() < 0.01
    assert opened.grey[76:].min() > 0.99
    assert opened.grey[:, 151:].min() > 0.99


def test_coloured_ink_in_a_pdf_keeps_its_darkest_channel() -> None:
    opened = open_picture(written("1 0.9 0.2 rg 10 10 20 4 re f"))
    assert opened.darkest is not None
    assert opened.darkest.min() == pytest.approx(0.2, abs=0.01)
    assert opened.grey.min() > 0.8
    assert open_picture(written("0 0 0 rg 10 10 20 4 re f")).darkest is None


def test_a_turned_page_is_as_shown() -> None:
    opened = open_picture(written("0 0 0 rg 0 18 36 18 re f", page="/Rotate 90"))
    assert opened.size == (150, 300)
    assert opened.grey[10, 140] < 0.01  # the upper left quarter is the upper right one now
    assert opened.grey[10, 10] > 0.99


def test_what_was_typed_into_a_form_is_drawn() -> None:
    appearance = "0 0 0 rg 0 0 40 20 re f"
    field = (
        "5 0 obj\n<</Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (7) /Rect [10 10 50 30] /P 3 0 R "
        f"/AP <</N 6 0 R>>>>\nendobj\n6 0 obj\n<</Type /XObject /Subtype /Form /BBox [0 0 40 20] "
        f"/Length {len(appearance)}>>\nstream\n{appearance}\nendstream\nendobj\n"
    )
    opened = open_picture(written("", page="/Annots [5 0 R]", more=field))
    assert opened.grey[75, 125] < 0.5
    assert opened.grey[5, 5] == 1


def test_a_page_of_over_16_megapixels_is_rendered_smaller_and_its_boxes_are_still_of_300_dpi() -> None:
    opened = open_picture(written("0 0 0 rg 0 0 600 1000 re f", width=1200, height=1000))
    assert opened.size == (5000, 4167)
    assert opened.grey.size < 16_010_000
    (note,) = opened.notes
    assert "5000×4167" in note
    dark = np.flatnonzero(opened.grey[0] < 0.5)
    box = opened.box(Box(int(dark[0]), 0, int(dark[-1]) + 1, opened.grey.shape[0]))
    assert box.left == 0
    assert abs(box.right - 2500) <= 2
    assert box.bottom == 4167


@pytest.mark.parametrize("size", [(1e9, 0.001), (0.001, 1e9), (1e9, 1e9), (14_400, 1), (0, 0), (-5, 10)])
def test_pages_of_any_size_take_bounded_memory(size: tuple[float, float]) -> None:
    opened = open_picture(written("", width=size[0], height=size[1]))
    assert 0 < opened.grey.size < 16_100_000


def encrypted(password: str) -> bytes:
    """A PDF that asks for a password to be opened, as RC4 of 40 bits, the simplest there is, does it."""

    def rc4(key: bytes, content: bytes) -> bytes:
        box, j = list(range(256)), 0
        for i in range(256):
            j = (j + box[i] + key[i % len(key)]) % 256
            box[i], box[j] = box[j], box[i]
        i = j = 0
        out = bytearray()
        for byte in content:
            i = (i + 1) % 256
            j = (j + box[i]) % 256
            box[i], box[j] = box[j], box[i]
            out.append(byte ^ box[(box[i] + box[j]) % 256])
        return bytes(out)

    padding = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    padded = (password.encode() + padding)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    name = b"0123456789abcdef"
    key = hashlib.md5(padded + owner + (-4).to_bytes(4, "little", signed=True) + name).digest()[:5]
    user = rc4(key, padding)
    plain = written("")
    ends = f"/Encrypt <</Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}>>> "
    ends += f"/ID [<{name.hex()}> <{name.hex()}>]"
    return plain.replace(b"/Root 1 0 R", b"/Root 1 0 R " + ends.encode())


def test_an_encrypted_pdf_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.pdf"
    path.write_bytes(encrypted("1998"))
    assert refusal(path) == f"{path} is encrypted: save the PDF without a password"


def test_a_pdf_that_only_its_owner_may_change_is_read() -> None:
    assert open_picture(encrypted("")).size == (300, 150)


def test_a_broken_pdf_is_told_to_be_damaged() -> None:
    for content in (b"%PDF-1.4\n", b"%PDF-1.7\nnothing", saved(scan())[:60]):
        assert refusal(content) == "not a picture: the picture is a damaged PDF"


def test_a_pdf_without_pages_is_no_picture() -> None:
    empty = written("").replace(b"/Kids [3 0 R] /Count 1", b"/Kids [] /Count 0")
    assert refusal(empty).startswith("not a picture: the picture ")


@pytest.fixture
def opened_documents(monkeypatch: pytest.MonkeyPatch) -> list[pypdfium2.PdfDocument]:
    """The documents that are opened meanwhile."""
    documents = []
    kept = pypdfium2.PdfDocument.__init__

    def noted(self: pypdfium2.PdfDocument, *arguments: object, **named: object) -> None:
        kept(self, *arguments, **named)
        documents.append(self)

    monkeypatch.setattr(pypdfium2.PdfDocument, "__init__", noted)
    return documents


@pytest.mark.parametrize("taken", ["first", "all", "some"])
def test_documents_are_closed_however_many_pages_are_taken(
    taken: str, opened_documents: list[pypdfium2.PdfDocument]
) -> None:
    content = saved(scan(), scan(), scan())
    if taken == "first":
        open_picture(content)
    elif taken == "all":
        list(open_pages(content))
    else:
        pages = open_pages(content)
        next(pages)
        assert opened_documents[0].raw is not None
        del pages
        gc.collect()
    (document,) = opened_documents
    assert document.raw is None


def test_pixels_outlive_their_document() -> None:
    grey = open_picture(saved(scan(0))).grey
    gc.collect()
    for _ in range(3):
        open_picture(saved(scan(255)))
    assert grey.max() < 0.01


def test_threads_may_read_pdfs_at_once_but_pdfium_renders_one_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    active, most, render = 0, 0, pypdfium2.PdfPage.render

    def counted(*arguments: object, **named: object) -> object:
        nonlocal active, most
        active += 1
        most = max(most, active)
        time.sleep(0.005)  # time for another thread to come in
        bitmap = render(*arguments, **named)
        active -= 1
        return bitmap

    monkeypatch.setattr(pypdfium2.PdfPage, "render", counted)
    levels = (0, 51, 102, 255)
    contents = [saved(*(scan(level) for _ in range(3))) for level in levels]
    with ThreadPoolExecutor(4) as pool:
        means = pool.map(lambda content: [page.grey.mean() for page in open_pages(content)], contents)
        for level, of_pages in zip(levels, means, strict=True):
            assert of_pages == pytest.approx([level / 255] * 3, abs=0.01)
    assert most == 1


def test_no_program_is_started_for_a_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    open_picture(saved(scan()))


def test_every_page_of_a_folders_pdfs_and_of_one_on_standard_input_is_read(
    command: Callable[..., Outcome], shell: Callable[..., Outcome], tmp_path: Path
) -> None:
    content, path = saved(scan(), scan()), tmp_path / "exam.PDF"
    path.write_bytes(content)
    folder = command("read", "--csv", tmp_path)
    piped = shell("-m", "lenet5", "read", "--csv", "-", stdin=content)
    for outcome, name in ((folder, path), (piped, "-")):
        rows = csv.DictReader(io.StringIO(outcome.out))
        assert [row["file"] for row in rows] == [f"{name} page 1", f"{name} page 2"]
        assert outcome.status == 0


def test_every_scanned_exam_page_has_its_sheet_in_300_dpi_grey(real_data: Path) -> None:
    with (real_data / "field" / "exam_id_pages.csv").open() as file:
        truths = list(csv.DictReader(file))
    numbers = []
    for page in open_pages(real_data / "field" / "exam_id_pages.pdf"):
        numbers.append(str(page.page))
        assert page.pages == len(truths)
        assert page.size == page.grey.shape[::-1] == (2550, 3302)
        assert page.darkest is None
        assert np.median(page.grey) > 0.9  # paper
        assert 0.002 < float((page.grey < 0.5).mean()) < 0.2  # print and writing
    assert numbers == [truth["page"] for truth in truths]
