"""How well forms are read: writes results/forms.json and prints a table.

    python -m benchmarks.forms                 300 drawn sheets, 200 sheets of other forms, the real pages, the time
    python -m benchmarks.forms --sheets 60     fewer
    python -m benchmarks.forms --development   by the writers that are trained on; writes no results

Forms are drawn, filled in by UNIPEN's held-out writers and scanned in six ways whose transformation is known. The real
pages are those of field/exam_id_pages.pdf in LENET5_DATA, which choose nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import machine, record
from benchmarks.forms import exam
from benchmarks.forms.drawn import DPI, SIZE, DrawnForm, blank_page, draw_form, fill
from benchmarks.forms.scanned import WAYS, Scan, scan
from benchmarks.reading.figures import Row, share
from lenet5 import PictureError, Reader
from lenet5.files import write_beside
from lenet5.forms.registration import FRAME, LEAST_QUALITY, Registration, register
from lenet5.forms.registration import Scan as Prepared
from lenet5.forms.sheet import FormReader
from lenet5.global_training.material import by_writer
from lenet5.learning.unipen import load_unipen
from lenet5.synthesis.pages.sources import Writers, from_writings

RESULTS: Final = Path(__file__).resolve().parents[2] / "results" / "forms.json"

_LIST: Final = 200  # numbers of the list that holds those of the real pages
_MM: Final = 25.4 / DPI


@dataclass
class Read:
    """What came of one drawn sheet: each field's verdict, the registration's error in mm, and its quality."""

    way: str
    right: int
    quiet: int
    review: int
    fields: int
    error: float
    quality: float


def _drawn(writers: Writers, reader: Reader, sheets: int) -> Iterator[tuple[FormReader, DrawnForm, Read]]:
    """Sheets of drawn forms, each form once in each way."""
    for k in range(sheets):
        rng = np.random.default_rng([18, k // len(WAYS)])
        form = draw_form(rng)
        if k % len(WAYS) == 0:
            forms = FormReader([form.form("drawn")], reader)
        way = list(WAYS)[k % len(WAYS)]
        rng = np.random.default_rng([18, k // len(WAYS), k % len(WAYS) + 1])
        filled, texts = fill(form, writers, rng)
        seen = scan(filled, way, rng)
        try:
            sheet = forms.read(seen.picture)
        except PictureError:
            yield forms, form, Read(way, 0, 0, 3, 3, np.inf, 0.0)
            continue
        verdicts = [(own.text == text, bool(own.reasons)) for own, text in zip(sheet.fields, texts, strict=True)]
        error = _error(seen, sheet.registration, form.corners)
        right = sum(hit for hit, _ in verdicts)
        quiet = sum(not hit and not looked for hit, looked in verdicts)
        review = sum(looked for _, looked in verdicts)
        yield forms, form, Read(way, right, quiet, review, len(verdicts), error, sheet.registration.quality)


def _error(seen: Scan, found: Registration, corners: NDArray[np.floating]) -> float:
    """How far the farthest corner of a cell is from where registration says, in mm of the sheet."""
    scale = FRAME / max(SIZE)
    worst = 0.0
    for corner in corners:
        there = _through(seen.matrix, corner)
        back = _through(np.linalg.inv(found.local((corner[0] * scale, corner[1] * scale))), there)
        worst = max(worst, float(np.hypot(*(back / scale - corner))) * _MM)
    return worst


def _through(matrix: NDArray[np.floating], point: NDArray[np.floating]) -> NDArray[np.floating]:
    x, y, w = matrix @ np.array([point[0], point[1], 1.0])
    return np.array([x / w, y / w])


def _of_drawn(reads: Sequence[Read]) -> list[Row]:
    """The figures of drawn sheets, of all and of each way."""
    rows = []
    for case in ("drawn forms", *(f"drawn forms, {way}" for way in WAYS)):
        own = [read for read in reads if case == "drawn forms" or case.endswith(f", {read.way}")]
        n, whole = sum(read.fields for read in own), case == "drawn forms"
        if n == 0:
            continue
        rows += [
            share(case, "fields right", sum(read.right for read in own), n, least=95 if whole else None),
            share(case, "wrong, not in review", sum(read.quiet for read in own), n, most=0.3 if whole else None),
            share(case, "in review", sum(read.review for read in own), n, most=10 if whole else None),
        ]
        errors = [read.error for read in own if np.isfinite(read.error)]
        rows.append(Row(case, "corners of cells, 95% of sheets", len(errors), float(np.quantile(errors, 0.95)), "mm",
                        most=0.5 if whole else None))  # fmt: skip
        rows.append(Row(case, "lowest quality", len(own), min(read.quality for read in own), ""))
    return rows


def _refused(forms: FormReader, sheets: int, writers: Writers) -> list[Row]:
    """Sheets of other forms, and pages that are no form, given to one form."""
    qualities = []
    for k in range(sheets):
        rng = np.random.default_rng([81, k])
        page = blank_page(rng) if k % 4 == 3 else fill(draw_form(rng), writers, rng)[0]
        seen = scan(page, list(WAYS)[k % len(WAYS)], rng)
        qualities.append(register(Prepared.of(seen.picture), forms.references)[1].quality)
    taken = sum(quality >= LEAST_QUALITY for quality in qualities)
    return [
        Row("other forms and blank pages", "taken for the form", sheets, taken, "sheets", most=0),
        Row("other forms and blank pages", "highest quality", sheets, max(qualities), ""),
    ]


def _real(folder: Path, reader: Reader) -> list[Row]:
    """The nine ID pages: to which form each goes, and its number without and with a list."""
    pages, truths = exam.pages(folder), exam.truths(folder)
    rng = np.random.default_rng(9)
    others = [f"{number:09d}" for number in rng.integers(0, 10**9, _LIST - len(truths))]
    case, rows = "nine ID pages of four layouts", []
    listed = (*truths.values(), *others)
    for name, choices, least in (("numbers right", None, 8), ("numbers right, of a list of 200", listed, 9)):
        forms = FormReader(exam.forms(pages, choices), reader)
        sheets = [forms.read(page) for page in pages]
        if choices is None:
            layouts = {f"page {own}": members for own, members in exam.LAYOUTS.items()}
            hits = sum(number in layouts[sheet.form.name] for number, sheet in enumerate(sheets, 1))
            rows.append(Row(case, "given to their layout", len(pages), hits, "pages", least=9))
            errors = [
                _hand(number, sheets[number - 1].registration, forms, sheets[number - 1].form.name)
                for number in exam.MEASURED
            ]
            rows.append(Row(case, "corners measured by hand", len(errors), max(errors), "mm", most=0.7))
        texts = [sheet.fields[0].text for sheet in sheets]
        rows.append(
            Row(case, name, len(pages), sum(t == truths[k] for k, t in enumerate(texts, 1)), "pages", least=least)
        )
        looked = sum(bool(sheet.fields[0].reasons) for sheet in sheets)
        rows.append(Row(case, f"{name.replace('numbers right', 'in review')}", len(pages), looked, "pages"))
    return rows


def _hand(page: int, found: Registration, forms: FormReader, name: str) -> float:
    """How far the corners of the cells of a page are from where they were measured, in mm: the farthest."""
    number = [form.name for form in forms.forms].index(name)
    scale = FRAME / max(forms.forms[number].blank.shape)
    reference = exam.CORNERS[int(name.split()[1])]
    worst = 0.0
    for corner, seen in zip(reference, exam.MEASURED[page], strict=True):
        middle = (corner[0] * scale, corner[1] * scale)
        there = _through(found.local(middle), np.array(middle))
        worst = max(worst, float(np.hypot(*(there - np.array(seen)))) * _MM)
    return worst


def _seconds(writers: Writers, reader: Reader) -> list[Row]:
    """Processor time of one thread for a sheet from its JPEG file, at three resolutions."""
    rng = np.random.default_rng(7)
    form = draw_form(rng)
    forms = FormReader([form.form("drawn")], reader)
    filled, _ = fill(form, writers, rng)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for dpi in (150, 200, 300):
            size = (round(SIZE[1] * dpi / DPI), round(SIZE[0] * dpi / DPI))
            file = Path(folder) / f"{dpi}.jpg"
            Image.fromarray(cv2.resize(filled, size, interpolation=cv2.INTER_AREA)).save(file, quality=85)
            times = []
            for _ in range(8):
                start = time.process_time()
                forms.read(str(file))
                times.append(time.process_time() - start)
            case, median = f"a sheet of three fields, {dpi} dpi", statistics.median(times[1:])
            rows.append(Row(case, "median time, one core", len(times) - 1, median, "s", most=0.35))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.forms", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sheets", type=int, default=300)
    parser.add_argument("--others", type=int, default=200)
    parser.add_argument("--development", action="store_true")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    training, held_out = by_writer(load_unipen())
    writers, reader = from_writings(training if given.development else held_out), Reader(threads=1)
    rows: list[Row] = []

    def add(more: list[Row]) -> None:
        """Print and keep figures; what stands in the results is never half a section."""
        print(*more, sep="\n", flush=True)
        rows.extend(more)
        if not given.development:
            results = {
                record.KEY: record.record("lenet5", page_score=False),
                "machine": machine.description(),
                "rows": [row.to_json() for row in rows],
            }
            write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())

    add(_seconds(writers, reader))
    if not given.development:  # the ID pages are for measuring only
        add(_real(Path(os.environ["LENET5_DATA"]), reader))
    drawn = list(_drawn(writers, reader, given.sheets))
    add(_of_drawn([read for _, _, read in drawn]))
    add(_refused(drawn[0][0], given.others, writers))


if __name__ == "__main__":
    main()
