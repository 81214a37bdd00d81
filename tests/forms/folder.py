"""A review folder for tests, written as a run of ``form read`` writes it, from drawn sheets of one form."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lenet5.forms.corrected import JOURNAL
from lenet5.forms.fields import FieldReading
from lenet5.forms.form import Field, Form
from lenet5.forms.ink import Cut
from lenet5.forms.review import ReviewFolder, item_name, sheet_name
from lenet5.forms.rules import keep_rules
from lenet5.forms.stack import columns_of
from lenet5.tables import Table

FORM = Form(
    "exam",
    np.full((1414, 1000), 255, np.uint8),
    (
        Field("student", (0.2, 0.1, 0.6, 0.14), cells=4, choices=("1234", "5678", "9012", "3456"), required=True,
              unique=True),
        Field("points", (0.2, 0.2, 0.3, 0.24), pattern=r"\d{1,3}"),
    ),
)  # fmt: skip

SHEETS_OF_FIVE = [("1234", "7"), ("5678", "12"), ("1284", "99"), ("9012", "3"), ("3456", "45")]


def item(page: int, field: str) -> str:
    """The name of a field of a page."""
    return item_name(sheet_name(hashlib.sha256(b"scans").hexdigest(), page), FORM.name, field)


def write_folder(
    folder: Path, sheets: Sequence[tuple[str, str]], reasons: Sequence[str] = ("less sure than 0.95",)
) -> Path:
    """A folder with sheets (student, points) in which each field is doubtful for these ``reasons``."""
    review = ReviewFolder(folder)
    lock = review.lock()
    keep_rules(folder, FORM)
    with Table(folder / JOURNAL, columns_of([FORM]), resume=True) as journal:
        for page, texts in enumerate(sheets, 1):
            name = sheet_name(hashlib.sha256(b"scans").hexdigest(), page)
            readings = [_reading(text, 0.5 + page / 100, reasons) for text in texts]
            review.keep(name, {"file": "scans.pdf", "page": page}, FORM, readings, FORM.blank)
            row: dict[str, Any] = {"file": "scans.pdf", "page": page, "form": FORM.name}
            for field, reading in zip(FORM.fields, readings, strict=True):
                row |= {field.name: reading.text, f"{field.name}_confidence": reading.confidence}
            journal.append({**row, "review": [field.name for field in FORM.fields] if reasons else [], "error": None,
                            "sheet": name})  # fmt: skip
    review.finish()
    lock.release()
    return folder


def _reading(text: str, confidence: float, reasons: Sequence[str]) -> FieldReading:
    ink = np.zeros((60, 200), np.uint8)
    ink[20:40, 20:30] = 255
    cut = Cut(255 - ink, ink, (10.0, 10.0, 190.0, 50.0))
    return FieldReading(text, confidence, (("9012", 0.2), ("3456", 0.05)), tuple(reasons), cut)
