"""Draws docs/forms/*.png from the exam of examples/exam: its draft, its scans laid straight, its doubtful fields.

python -m benchmarks.forms.pictures
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5 import Reader
from lenet5.files import write_beside
from lenet5.forms.draft import annotated, draft
from lenet5.forms.form import load_form
from lenet5.forms.scans import grey_of
from lenet5.forms.sheet import FormReader
from lenet5.reading.picture import open_pages

ROOT: Final = Path(__file__).resolve().parents[2]
EXAM: Final = ROOT / "examples" / "exam"
PICTURES: Final = ROOT / "docs" / "forms"

_SHOWN: Final = (3, 5, 7)
"""Pages: upside down, printed at 75%, photographed."""

_HEIGHT: Final = 420
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
