"""The review folder: each doubtful field as a crop, its likeliest texts, and the sheet, for a person to look at.

    FOLDER/
      ITEM.json             what was read, and why it is doubtful
      ITEM.png              the field as it looks
      ITEM.ink.png          what the network saw: the ink without the print
      ITEM.correction.json  what a person said (:mod:`lenet5.forms.decisions`); this module never writes nor removes it
      sheets/SHEET.jpg      the whole sheet, small
      forms/NAME.json       what the fields of a form ask of their texts (:mod:`lenet5.forms.rules`)
      rows.jsonl            the rows of all sheets, as they were read (:mod:`lenet5.forms.corrected`)
      unique/               fields that must differ between sheets, until the run ends

A sheet is named after its file's content and page, an item after its sheet, form and field: reading the same file again
writes the same items. An item that is no longer doubtful goes, unless somebody corrected it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.files import make_folder, write_beside
from lenet5.forms.decisions import SUFFIX, deciding
from lenet5.forms.fields import FieldReading
from lenet5.forms.form import Form
from lenet5.parsing import parsed_json
from lenet5.tables import Lock

__all__ = ["FORMAT", "ReviewFolder", "item_name", "sheet_name", "sheet_of"]

FORMAT: Final = 1
"""Of the JSON files: another number means another meaning of their keys."""

_SHEET: Final = 1000  # pixels: the longer side of the small sheet
_QUALITY: Final = 70  # of its JPEG
_UNIQUE: Final = "unique"


class ReviewFolder:
    """A folder of doubtful fields that a run writes; ``lock`` it in the process that runs.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     review = ReviewFolder(Path(folder) / "review")
    ...     review.lock().release()
    ...     sorted(path.name for path in review.folder.iterdir() if path.is_dir())
    ['sheets']
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def lock(self) -> Lock:
        """Make the folder and lock it.

        Raises OutputError where another run writes it.
        """
        make_folder(self.folder / "sheets")
        return Lock(self.folder / "items", label=self.folder)

    def clear(self) -> None:
        """Remove what a stopped run kept aside, before a run that does not resume it."""
        shutil.rmtree(self.folder / _UNIQUE, ignore_errors=True)

    def keep(
        self, sheet: str, source: Mapping[str, Any], form: Form, readings: Iterable[FieldReading],
        small: NDArray[np.uint8],
    ) -> None:  # fmt: skip
        """Write the items of a sheet and remove those that are no longer doubtful; ``source`` has its file and page.

        Unique fields are kept aside until ``duplicate`` or ``finish`` is called.
        """
        has_items = False
        for field, reading in zip(form.fields, readings, strict=True):
            item = item_name(sheet, form.name, field.name)
            if not reading.reasons and (self.folder / f"{item}.json").exists():
                self._remove(item)
            if not reading.reasons and not (field.unique and reading.text):
                continue
            has_items = True
            folder = self.folder if reading.reasons else self.folder / _UNIQUE
            folder.mkdir(exist_ok=True)
            content = {
                "format": FORMAT,
                **source,
                "form": form.name,
                "field": field.name,
                "text": reading.text,
                "confidence": round(reading.confidence, 4),
                "alternatives": [[text, round(p, 4)] for text, p in reading.alternatives],
                "reasons": list(reading.reasons),
                "pattern": field.pattern,
                "cells": field.cells,
                "box": list(field.box),
                "box_in_crop": [round(edge, 2) for edge in reading.cut.box],
                "crop": f"{item}.png",
                "ink": f"{item}.ink.png",
                "sheet": f"sheets/{sheet}.jpg",
            }
            write_beside(folder / f"{item}.png", _encoded(".png", reading.cut.seen), synced=False)
            write_beside(folder / f"{item}.ink.png", _encoded(".png", reading.cut.ink), synced=False)
            _write_json(folder / f"{item}.json", content)
        if has_items:
            write_beside(self.folder / "sheets" / f"{sheet}.jpg", _small(small), synced=False)

    def duplicate(self, item: str, reason: str) -> None:
        """Add a reason to an item, which becomes doubtful; an item that was not kept is ignored."""
        aside, place = self.folder / _UNIQUE, self.folder
        if not (place / f"{item}.json").exists():
            if not (aside / f"{item}.json").exists():
                return
            for suffix in (".png", ".ink.png", ".json"):
                (aside / f"{item}{suffix}").replace(place / f"{item}{suffix}")
        content = parsed_json((place / f"{item}.json").read_text(encoding="utf-8"))
        if reason not in content["reasons"]:
            content["reasons"].append(reason)
            _write_json(place / f"{item}.json", content)

    def finish(self) -> None:
        """Remove what was kept aside, and small sheets without items."""
        self.clear()
        sheets = {sheet_of(path.name) for path in self.folder.glob("*.json")}
        for path in (self.folder / "sheets").glob("*.jpg"):
            if path.stem not in sheets:
                path.unlink(missing_ok=True)

    def _remove(self, item: str) -> None:
        """Remove an item without a decision."""
        with deciding(self.folder):
            if not (self.folder / f"{item}{SUFFIX}").exists():
                for suffix in (".json", ".png", ".ink.png"):
                    (self.folder / f"{item}{suffix}").unlink(missing_ok=True)


def sheet_name(digest: str, page: int) -> str:
    """The name of a page of a file whose content has this SHA-256.

    >>> sheet_name("9f86d081884c7d659a2feaa0c55ad015", 3)
    '9f86d081884c7d65-p0003'
    """
    return f"{digest[:16]}-p{page:04d}"


def item_name(sheet: str, form: str, field: str) -> str:
    """The name of a field of a sheet: safe as a file's name, and different for different forms and fields.

    >>> item_name("9f86d081884c7d65-p0003", "exam", "student")
    '9f86d081884c7d65-p0003-exam-student-129f61'
    """
    plain = "-".join(re.sub(r"[^A-Za-z0-9_]+", "_", part)[:30] for part in (form, field))
    return f"{sheet}-{plain}-{hashlib.sha256(f'{form}/{field}'.encode()).hexdigest()[:6]}"


def sheet_of(item: str) -> str:
    """The name of the sheet of an item.

    >>> sheet_of("9f86d081884c7d65-p0003-exam-student-d09a6a")
    '9f86d081884c7d65-p0003'
    """
    return "-".join(item.split("-")[:2])


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_beside(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(), synced=False)


def _small(sheet: NDArray[np.uint8]) -> bytes:
    scale = min(1.0, _SHEET / max(sheet.shape))
    size = (max(1, round(sheet.shape[1] * scale)), max(1, round(sheet.shape[0] * scale)))
    small = np.asarray(cv2.resize(sheet, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _encoded(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])


def _encoded(suffix: str, levels: NDArray[np.uint8], options: tuple[int, ...] | list[int] = ()) -> bytes:
    _, code = cv2.imencode(suffix, levels, list(options))
    return code.tobytes()
