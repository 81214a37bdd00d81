"""Draws docs/forms/*.png from the exam of examples/exam: draft, scans laid straight, a field, the page of the review.

The page needs Playwright and Chromium; without them its picture stays as it is.

python -m benchmarks.forms.pictures
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lenet5 import Reader, weights
from lenet5.files import write_beside
from lenet5.forms.corrected import JOURNAL
from lenet5.forms.draft import annotated, draft
from lenet5.forms.form import load_form
from lenet5.forms.review import ReviewFolder
from lenet5.forms.rules import keep_rules
from lenet5.forms.scans import grey_of
from lenet5.forms.sheet import FormReader
from lenet5.forms.stack import columns_of, read_stack, units_of
from lenet5.reading.opening import open_pages
from lenet5.result import PICTURE_FORMATS
from lenet5.tables import Table
from lenet5.web.server import Server, listening
from lenet5.web.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]
EXAM: Final = ROOT / "examples" / "exam"
PICTURES: Final = ROOT / "docs" / "forms"

_SHOWN: Final = (3, 5, 7)
"""Pages: upside down, printed at 75%, photographed."""

_HEIGHT: Final = 420
_PAGES: Final = {"review": {"width": 1180, "height": 720}, "review-phone": {"width": 390, "height": 780}}
"""Sizes of the windows in which the review's page is shown."""
_RED: Final = (30, 60, 220)

Bytes = NDArray[np.uint8]


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    drafted = cv2.imdecode(np.frombuffer(annotated(draft(EXAM / "blank.png")), np.uint8), cv2.IMREAD_COLOR)
    _save("draft.png", cv2.resize(drafted[: drafted.shape[0] // 2], None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA))
    forms = FormReader([load_form(EXAM / "exam.toml")], Reader(threads=1))
    pages = {picture.page: picture for picture in open_pages(EXAM / "scans.pdf")}
    above, below, crops = [], [], []
    for number, picture in pages.items():
        sheet = forms.read(picture)
        if number in _SHOWN:
            above.append(_sized(grey_of(picture)))
            straight = cv2.cvtColor(sheet.straight, cv2.COLOR_GRAY2BGR)
            height, width = sheet.straight.shape
            for field in sheet.form.fields:
                left, top, right, bottom = (round(e * s) for e, s in zip(field.box, (width, height) * 2, strict=True))
                cv2.rectangle(straight, (left, top), (right, bottom), _RED, 6)
            below.append(_sized(np.asarray(straight, np.uint8)))
        if number == 2:
            reading = sheet.fields[0]
            crops += [_named(reading.cut.seen, "seen"), _named(255 - reading.cut.ink, f"read: {reading.text}")]
    _save("sheets.png", np.vstack([np.hstack(above), np.hstack(below)]))
    width = max(crop.shape[1] for crop in crops)
    rows = [np.pad(crop, ((0, 0), (0, width - crop.shape[1]), (0, 0)), constant_values=255) for crop in crops]
    _save("fields.png", cv2.resize(np.vstack(rows), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA))
    review_page()


def review_page() -> None:
    """The page of the review in a browser, at a number that is not in the list."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("Playwright is not installed: docs/forms/review.png stays as it is")
        return
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        print("Chromium is not installed: docs/forms/review.png stays as it is")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        _read_into(Path(folder))
        shown = next(path.stem for path in sorted(Path(folder).glob("*-p0010-*.json")))
        with _served(Path(folder)) as address:
            browser = playwright.chromium.launch(executable_path=program, args=["--headless", "--no-sandbox"])
            for name, size in _PAGES.items():
                page = browser.new_context(viewport=size).new_page()
                page.goto(f"{address}#lang=en&item={shown}")
                page.wait_for_function("() => document.getElementById('sheet-picture').naturalWidth > 0")
                _save_quantised(f"{name}.png", page.screenshot())
            browser.close()


def _read_into(folder: Path) -> None:
    """The review folder of the exam, as ``form read --review`` writes it."""
    form, review = load_form(EXAM / "exam.toml"), ReviewFolder(folder)
    lock = review.lock()
    keep_rules(folder, form)
    with Table(folder / JOURNAL, columns_of([form]), resume=True) as journal:
        for rows in read_stack(FormReader([form], Reader(threads=1)), units_of([str(EXAM / "scans.pdf")]), 1, review):
            for row in rows:
                journal.append(row)
    review.finish()
    lock.release()
    for path in folder.glob("*.json"):  # the picture shows no path of this machine
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content | {"file": "scans.pdf"}), encoding="utf-8")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The review on a port of this machine."""
    server = Server(Settings(weights.load("lenet5"), workers=1, review=folder))
    with listening("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.serve_on, args=(listener,))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            while True:
                try:
                    urllib.request.urlopen(f"{address}/health/ready").close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"{address}/review"
        finally:
            server.should_exit = True
            thread.join()


def _save_quantised(name: str, png: bytes) -> None:
    """A screenshot in 64 colours: a small file."""
    file = io.BytesIO()
    image = Image.open(io.BytesIO(png), formats=PICTURE_FORMATS).convert("RGB")
    image.quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    write_beside(PICTURES / name, file.getvalue())


def _sized(levels: Bytes) -> Bytes:
    """A picture of one height with a margin, in colour."""
    colour = levels if levels.ndim == 3 else cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR)
    size = (round(colour.shape[1] * _HEIGHT / colour.shape[0]), _HEIGHT)
    small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    return np.pad(small, ((6, 6), (6, 6), (0, 0)), constant_values=160)


def _named(levels: Bytes, name: str) -> Bytes:
    """A crop with a line of text above it, in colour."""
    colour = np.asarray(cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR), np.uint8)
    head = np.full((26, colour.shape[1], 3), 255, np.uint8)
    cv2.putText(head, name, (4, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (90, 90, 90), 1, cv2.LINE_AA)
    return np.vstack([head, colour])


def _save(name: str, picture: Bytes) -> None:
    _, code = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    write_beside(PICTURES / name, code.tobytes())


if __name__ == "__main__":
    main()
