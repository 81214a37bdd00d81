"""How well lines and pages are read, and at what cost: writes results/reading.json and prints a table.

    python -m benchmarks.reading                       all that can be measured here
    python -m benchmarks.reading --only cheque         the cases whose name contains a word; writes no results …
    python -m benchmarks.reading --only cost --update  … unless they are to replace these cases of the last results
    python -m benchmarks.reading --failures FOLDER     also what was misread, as pictures
    python -m benchmarks.reading --development         pictures from MNIST's training images; writes no results
    python -m benchmarks.reading --keep-peer           Tesseract's figures as the last results have them

The strings and pages are set from MNIST's test images, which choose nothing: while reading is worked
on, --development is what to look at. The sets in LENET5_DATA are measured where it is set, and
Tesseract where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import machine, record
from benchmarks.reading import cost, tesseract
from benchmarks.reading.cases import Case, a4_page, measure, measured_sets, mnist_digits, synthetic
from benchmarks.reading.failures import Failure, write_sheets
from benchmarks.reading.figures import Row
from lenet5 import LeNet5Error, Reader
from lenet5.files import write_beside

RESULTS: Final = record.RESULTS / "reading.json"

Measured = tuple[list[Row], list[Failure]]


def _works(reader: Reader, development: bool, peer: str | None) -> Iterator[tuple[str, Callable[[], Measured]]]:
    """Every case by name, with what measures it; each of ours is followed by the peer's, where it has that layout."""
    cases = list(synthetic(development))
    if "LENET5_DATA" in os.environ:
        cases += measured_sets(Path(os.environ["LENET5_DATA"]))
    else:
        print("LENET5_DATA is not set: only what is made from MNIST is measured")
    for case in cases:
        yield case.name, partial(_ours, case, reader)
        if peer and case.layout in tesseract.PAGE_MODES and not case.name.startswith("no digits"):
            yield f"{case.name}, {peer}", partial(_theirs, case, peer)
    yield "cost: A4 page", partial(_page_cost, peer)
    yield "cost: small pictures", _small_pictures
    yield "cost: largest pictures", _largest_pictures


def _last_results() -> list[Row]:
    """The rows of the last results; none where there are none."""
    if not RESULTS.exists():
        return []
    names = [field.name for field in fields(Row)]
    return [Row(**{name: row[name] for name in names}) for row in json.loads(RESULTS.read_text())["rows"]]


def _updated(last: list[Row], rows: list[Row]) -> list[Row]:
    """The last results with those cases and readers replaced that were measured anew."""
    anew = {(row.case, row.reader) for row in rows}
    return [row for row in last if (row.case, row.reader) not in anew] + rows


def _kept_record() -> dict[str, Any]:
    """The record of the last results, which an update of some cases leaves as it is. Exits where it is out of date."""
    reasons = record.outdated(RESULTS) if RESULTS.exists() else []
    if reasons:
        raise SystemExit(f"results/{RESULTS.name} cannot be updated in part: {reasons[0]}; measure all cases")
    last = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return {key: last[key] for key in (record.KEY,) if key in last}


def _write(rows: list[Row], weights: str, measured_with: dict[str, Any]) -> None:
    rows_of_json = [row.to_json() for row in rows]
    results = {**measured_with, "machine": machine.description(), "weights": weights, "rows": rows_of_json}
    write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


def _ours(case: Case, reader: Reader) -> Measured:
    return measure(case, lambda source: reader.read(source, case.layout, pattern=case.pattern))


def _theirs(case: Case, peer: str) -> Measured:
    without_goals = replace(case, whole=None, digits=None)
    rows, _ = measure(without_goals, lambda source: tesseract.read(source, case.layout), peer)
    return rows, []


def _page_cost(peer: str | None) -> Measured:
    """The A4 page of 300 digits from its file, ours and Tesseract's in turn."""
    name = "A4 page of 300 digits, 300 dots an inch"
    ours, theirs = cost.page_seconds(a4_page((10,)).picture, "page")
    rows = [Row(name, "median time", 1, ours, "s", most=1.5)]
    if theirs and peer:
        rows.append(Row(name, "median time", 1, theirs, "s", reader=peer))
        rows.append(Row(name, "times as fast as Tesseract", 1, theirs / ours, "", least=5))
    return rows, []


def _small_pictures() -> Measured:
    """MNIST digits as dark pen on light paper, 56×56, one call of ``read`` each."""
    images, _ = mnist_digits(development=False)
    pictures = [np.repeat(np.repeat(230 - image // 5 * 4, 2, 0), 2, 1).astype(np.uint8) for image in images[:400]]
    rows = []
    for layout in ("digit", "auto"):
        for threads in (1, 2):
            case = f"small pictures, layout {layout}, {threads} thread{'s' * (threads > 1)}"
            rate = cost.pictures_a_second(pictures, layout, threads)
            goal = 500 if layout == "auto" else None
            rows.append(Row(case, "read a second", len(pictures), rate, "pictures", least=goal))
    return rows, []


def _largest_pictures() -> Measured:
    """Each in a process of its own: a photo of 50 megapixels, and a million specks."""
    photo = cost.large_photo(a4_page((10,)).picture, 50)
    specks = cost.specks(1_000_000, 4000, np.random.default_rng(0))
    rows = []
    for case, (seconds, megabytes, digits) in (("photo of 50 megapixels", photo), ("a million specks", specks)):
        rows.append(Row(case, "time", 1, seconds, "s"))
        rows.append(Row(case, "memory of the process", 1, megabytes, "MB", most=1000))
        rows.append(Row(case, "digits read", 1, digits, "", most=0 if case == "a million specks" else None))
    return rows, []


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--failures", type=Path, metavar="FOLDER")
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--keep-peer", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--no-peer", action="store_true", help="without Tesseract")
    parser.add_argument("--weights", default="lenet5")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args(arguments)
    reader = Reader(given.weights, threads=given.threads)
    peer = None if given.no_peer else tesseract.version()
    if peer is None and not given.no_peer:
        print("Tesseract is not measured: it is not installed (Debian, Ubuntu: apt install tesseract-ocr)")
    rows: list[Row] = []
    last = _last_results()
    measured_with = _kept_record() if given.update else {record.KEY: record.record(given.weights)}
    # Tesseract's pictures and answers stay the same while reading is worked on
    kept = [row for row in last if row.reader == peer] if given.keep_peer else []
    for name, work in _works(reader, given.development, peer):
        if given.only not in name:
            continue
        earlier = [row for row in kept if f"{row.case}, {row.reader}" == name]
        if earlier:
            rows += earlier
            continue
        try:
            measured, failures = work()
        except LeNet5Error as error:
            print(f"{name:44} not measured: {error}", flush=True)
            continue
        rows += measured
        print(*measured, sep="\n", flush=True)
        if (given.update or not given.only) and not given.development:
            _write(_updated(last, rows) if given.update else rows, given.weights, measured_with)
        if given.failures:
            write_sheets(failures, given.failures, name)


if __name__ == "__main__":
    main()
