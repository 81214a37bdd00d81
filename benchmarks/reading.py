"""How well lines and pages are read, and at what cost: writes results/reading.json and prints a table.

    python -m benchmarks.reading                       everything that is here: MNIST, and the sets in LENET5_DATA
    python -m benchmarks.reading --only cheque         the cases whose name contains a word
    python -m benchmarks.reading --failures FOLDER     also what was misread, as pictures
    python -m benchmarks.reading --development         strings and pages from MNIST's training images; writes no results

The strings and pages are set from MNIST's test images, which choose nothing: while reading is worked
on, --development is what to look at.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from rich.progress import track

from benchmarks import machine, material
from benchmarks.failures import Failure, write_sheets
from lenet5 import LeNet5Error, Reader, Reading
from lenet5.evaluate import edit_distance, wilson_interval
from lenet5.learning.mnist import load_mnist
from lenet5.reading.picture import Source
from lenet5.weights import write_beside

__all__ = ["Case", "Row", "measure_texts"]

RESULTS: Final = Path(__file__).resolve().parent.parent / "results" / "reading.json"
STRINGS: Final = 300  # of each spacing


@dataclass(frozen=True)
class Row:
    """One figure: of ``n`` things, ``value`` in ``unit``, its 95% interval, and the goal (``least`` or ``most``)."""

    case: str
    figure: str
    n: int
    value: float
    unit: str = "%"
    interval: tuple[float, float] | None = None
    least: float | None = None
    most: float | None = None
    reader: str = "lenet5"

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self) -> str:
        interval = f"({self.interval[0]:.1f}–{self.interval[1]:.1f})" if self.interval else ""
        goal = "".join(f" {sign} {g:g}" for sign, g in (("≥", self.least), ("≤", self.most)) if g is not None)
        verdict = {True: "reached", False: "NOT reached", None: ""}[self.reached]
        return (
            f"{self.case:42} {self.figure:30} {self.n:>6,} {self.value:>9.2f} {self.unit:9} {interval:14} "
            f"{goal:9} {verdict}"
        )


@dataclass(frozen=True)
class Case:
    """Pictures with their texts (lines parted by a line break), read in one layout; goals in percent."""

    name: str
    layout: str
    pictures: Callable[[], Iterable[tuple[str, Source, str]]]  # name, picture, text
    whole: float | None = None
    digits: float | None = None
    extra: tuple[str, ...] = field(default=())  # further figures: "more than one digit", "lines"


def measure_texts(case: Case, read: Callable[[Source], Reading | None]) -> tuple[list[Row], list[Failure]]:
    """A case read picture by picture: whole texts right, digits right, seconds; and what was misread."""
    n = right = length = distance = several = lines = lines_right = 0
    failures, seconds = [], []
    for name, source, text in track(list(case.pictures()), f"{case.name:42}", transient=True):
        start = time.perf_counter()
        reading = read(source)
        seconds.append(time.perf_counter() - start)
        answer = reading.text if reading else ""
        n, length = n + 1, length + len(text.replace("\n", ""))
        distance += edit_distance(answer.replace("\n", ""), text.replace("\n", ""))
        several += len(answer) > 1
        lines += text.count("\n") + 1
        lines_right += sum(line in answer.split("\n") for line in text.split("\n"))
        if answer == text:
            right += 1
        else:
            failures.append(Failure(name, source, text, reading))
    if n == 0:
        return [], []
    rows = [_share(case.name, "whole texts right", right, n, least=case.whole)]
    if "lines" in case.extra:
        rows.append(_share(case.name, "lines right", lines_right, lines))
    if "more than one digit" in case.extra:
        rows.append(_share(case.name, "more than one digit", several, n, most=0.0))
    if length > n:
        rows.append(Row(case.name, "digits right", length, 100 * (1 - distance / length), least=case.digits))
    rows.append(Row(case.name, "median time", n, 1000 * float(np.median(seconds)), "ms"))
    return rows, failures


def _share(case: str, figure: str, hits: int, n: int, least: float | None = None, most: float | None = None) -> Row:
    low, high = wilson_interval(hits, n)
    return Row(case, figure, n, 100 * hits / n, "%", (100 * low, 100 * high), least, most)


def _cases(development: bool, data: Path | None) -> Iterator[Case]:
    """Every case with texts; those of LENET5_DATA only where it is set."""
    for spacing, goal in zip(material.SPACINGS, (97.0, 90.0, None), strict=True):
        for layout in ("line", "auto"):
            yield Case(
                f"strings, {spacing}, layout {layout}",
                layout,
                lambda spacing=spacing: _strings(spacing, development),  # type: ignore[misc]
                goal if layout == "line" else None,
            )
    for name, groups in (("lines of 10", (10,)), ("four groups of 3", (3, 3, 3, 3))):
        for layout in ("page", "auto"):
            yield Case(
                f"A4 page, {name}, layout {layout}",
                layout,
                lambda groups=groups: _pages(groups, development),  # type: ignore[misc]
                extra=("lines",),
            )
    if data is None:
        print("LENET5_DATA is not set: only what is made from MNIST is measured")
        return
    cheques, drawn, pages = data / "cheque_amounts", data / "drawn_and_photographed", data / "pages"
    yield Case("cheque amounts, layout line", "line", lambda: _folder(cheques, "text"), 75, 93)
    yield Case("cheque amounts, layout auto", "auto", lambda: _folder(cheques, "text"))
    yield Case("drawn and photographed, layout digit", "digit", lambda: _folder(drawn, "label"))
    several = ("more than one digit",)
    yield Case("drawn and photographed, layout auto", "auto", lambda: _folder(drawn, "label"), 99, extra=several)
    for layout in ("page", "auto"):
        yield Case(f"two rows, layout {layout}", layout, lambda: _folder(pages, "lines"), 100, extra=("lines",))
    cells = data / "other_hands" / "boxed_cells.npz"
    for layout in ("digit", "auto"):
        yield Case(f"boxed digits, layout {layout}", layout, lambda: _cells(cells, empty=False), 97)
        yield Case(f"empty boxes, layout {layout}", layout, lambda: _cells(cells, empty=True), 99)


def _mnist(development: bool) -> tuple[material.Bytes, material.Bytes]:
    images, labels = load_mnist("train" if development else "t10k")
    return images[-10_000:], labels[-10_000:]


def _strings(spacing: str, development: bool) -> Iterator[tuple[str, Source, str]]:
    rng = np.random.default_rng([material.SPACINGS.index(spacing), development])
    for k, made in enumerate(material.strings(*_mnist(development), spacing, STRINGS, rng)):
        yield f"{k}", made.picture, made.text


def _pages(groups: tuple[int, ...], development: bool) -> Iterator[tuple[str, Source, str]]:
    rng = np.random.default_rng([len(groups), development])
    made = material.page(*_mnist(development), groups, 300 // sum(groups), rng)
    yield "page", made.picture, made.text


def _folder(folder: Path, column: str) -> Iterator[tuple[str, Source, str]]:
    with open(folder / "labels.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield row["file"], folder / row["file"], row[column].replace("/", "\n")


def _cells(path: Path, empty: bool) -> Iterator[tuple[str, Source, str]]:
    with np.load(path) as held:
        for k, (image, label) in enumerate(zip(held["images"], held["labels"], strict=True)):
            if (label == 255) == empty:
                yield f"{k}", image, "" if empty else str(label)


def _reading_with(reader: Reader, case: Case) -> Callable[[Source], Reading | None]:
    def read(source: Source) -> Reading | None:
        reading = reader.read(source, case.layout)
        if case.name.startswith("empty boxes") and reading.text == "?":
            return Reading((), reading.confidence)  # refused, as layout digit does it
        return reading

    return read


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose name contains this")
    parser.add_argument("--failures", type=Path, metavar="FOLDER", help="sheets of what was misread")
    parser.add_argument("--development", action="store_true", help="MNIST's training images; writes no results")
    parser.add_argument("--weights", default="lenet5")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args(arguments)
    data = Path(os.environ["LENET5_DATA"]) if "LENET5_DATA" in os.environ else None
    reader = Reader(given.weights, threads=given.threads)
    rows: list[Row] = []
    for case in (case for case in _cases(given.development, data) if given.only in case.name):
        try:
            found, failures = measure_texts(case, _reading_with(reader, case))
        except LeNet5Error as error:
            print(f"{case.name:42} not measured: {error}", flush=True)
            continue
        rows += found
        print(*found, sep="\n", flush=True)
        if given.failures:
            write_sheets(failures, given.failures, case.name)
    if not (given.only or given.development):
        results = {"machine": machine.description(), "rows": [asdict(row) | {"reached": row.reached} for row in rows]}
        write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
