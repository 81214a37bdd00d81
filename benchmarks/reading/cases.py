"""The pictures that reading is measured on, with their texts, and how a case is measured."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.reading.failures import Failure
from benchmarks.reading.figures import Row, share
from benchmarks.reading.unforeseen import cardboard
from lenet5 import Reading
from lenet5.evaluation.evaluate import edit_distance
from lenet5.learning.mnist import load_mnist
from lenet5.reading.opening import Source
from lenet5.synthesis.pages import Digits, Images, Page, empty, forms, numbers, photos

__all__ = ["Case", "Read", "a4_page", "measure", "measured_sets", "mnist_digits", "synthetic"]

STRINGS: Final = 300  # of each spacing
PENS: Final = 100  # strings of each pen
FORMS: Final = 60  # fields of forms
PHOTOS: Final = 50  # of each kind of paper
DIGITLESS: Final = 30  # pictures of each kind

Read = Callable[[Source], Reading]
Named = tuple[str, Source, str]
"""A picture's name, the picture, and its text: lines of digits parted by a line break."""


@dataclass(frozen=True)
class Case:
    """Pictures with their texts, read in one layout. ``whole`` and ``digits`` are goals in percent right."""

    name: str
    layout: str
    pictures: Callable[[], Iterable[Named]]
    whole: float | None = None
    digits: float | None = None
    pattern: str | None = None  # what the text looks like
    single: bool = False  # whether every picture holds one digit at most
    lines: bool = False  # whether lines are counted, too

    def layouts(self, *others: str) -> Iterator[Case]:
        """This case, then the same in other layouts, without goals."""
        yield replace(self, name=f"{self.name}, layout {self.layout}")
        for layout in others:
            yield replace(self, name=f"{self.name}, layout {layout}", layout=layout, whole=None, digits=None)


def measure(case: Case, read: Read, reader: str = "lenet5") -> tuple[list[Row], list[Failure]]:
    """A case read picture by picture: its figures, and what was misread."""
    failures, seconds = [], []
    n = length = distance = lines = lines_right = false = several = 0
    for name, source, text in track(
        list(case.pictures()), f"{case.name:44}", transient=True, disable=not sys.stderr.isatty()
    ):
        start = time.perf_counter()
        reading = read(source)
        seconds.append(time.perf_counter() - start)
        answer = reading.text
        if not text and set(answer) <= {"?"}:
            answer = ""  # refused, as it should be
        n, length = n + 1, length + len(text.replace("\n", ""))
        distance += edit_distance(answer.replace("\n", ""), text.replace("\n", ""))
        lines, lines_right = (
            lines + text.count("\n") + 1,
            lines_right + len({*text.split("\n")} & {*answer.split("\n")}),
        )
        several += len(answer) > 1
        false += 0 if text else sum(character.isdigit() for character in answer)
        if answer != text:
            failures.append(Failure(name, source, text, reading))
    what = "whole texts right" if length else "without a false digit"
    rows = [share(case.name, what, n - len(failures), n, least=case.whole)]
    if case.lines:
        rows.append(share(case.name, "lines right", lines_right, lines))
    if case.single:
        rows.append(share(case.name, "more than one digit", several, n, most=None if case.whole is None else 0.0))
    if not length:
        rows.append(Row(case.name, "false digits", n, false, ""))
    elif length > n:
        rows.append(Row(case.name, "digits right", length, 100 * (1 - distance / length), least=case.digits))
    rows.append(Row(case.name, "median time", n, 1000 * float(np.median(seconds)), "ms"))
    return [replace(row, reader=reader) for row in rows], failures


def synthetic(development: bool) -> Iterator[Case]:
    """Strings and pages from MNIST's test images (``development``: training images), and pictures without digits."""
    for spacing, goal in zip(numbers.SPACINGS, (97.0, 90.0, None), strict=True):
        pictures = partial(_strings, spacing, development)
        yield from Case(f"strings, {spacing}", "line", pictures, goal).layouts("auto")
    for pen in numbers.PENS:
        yield from Case(f"strings, {pen}", "auto", partial(_pens, pen, development)).layouts()
    for name, groups in (("lines of 10", (10,)), ("four groups of 3", (3, 3, 3, 3))):
        yield from Case(f"A4 page, {name}", "page", partial(_page, groups, development), lines=True).layouts("auto")
    yield from Case("words beside digits", "page", partial(_labelled, development), lines=True).layouts("auto")
    for fields, name in ((1, "one field"), (3, "three fields")):
        yield from Case(f"form with {name}", "auto", partial(_forms, fields, development), lines=True).layouts("page")
    for paper in photos.PAPERS:
        pictures = partial(_photos, paper, development)
        yield from Case(f"photo of one digit: {paper}", "auto", pictures, single=True).layouts("digit")
    for kind in empty.SURFACES:
        yield from Case(f"no digits: {kind}", "auto", partial(_digitless, kind, development), 100).layouts("page")
    yield from Case("not foreseen: a number on cardboard", "auto", partial(_cardboard, development)).layouts("line")


def measured_sets(data: Path) -> Iterator[Case]:
    """The sets of LENET5_DATA, which are for measuring only."""
    cheques, drawn, pages = data / "cheque_amounts", data / "drawn_and_photographed", data / "pages"
    yield from Case("cheque amounts", "line", partial(_folder, cheques, "text"), 75, 93).layouts("auto")
    yield from Case("drawn and photographed", "auto", partial(_folder, drawn, "label"), 99, single=True).layouts(
        "digit"
    )
    yield from Case("two rows", "page", partial(_folder, pages, "lines"), 100, lines=True).layouts("auto")
    cells = data / "other_hands" / "boxed_cells.npz"
    yield from Case("boxed digits", "digit", partial(_cells, cells, False), 97, single=True).layouts("auto")
    yield from Case("empty boxes", "digit", partial(_cells, cells, True), 99).layouts("auto")
    yield from field_cases(data / "field")


_FIELD_KINDS: Final = {
    "a number in cells on a page": ("submitty_id_page",),
    "the row of cells cut out": ("submitty_id_crop",),
    "one crayon digit on a form": ("submitty_crayon_page",),
    "one crayon digit cut out": ("submitty_crayon_crop",),
    "one digit in two colours": ("submitty_bicolor_crop",),
    "numbers and fields": (
        *("niraj_wild", "bikz05", "vinay0410", "ocsenas_zip", "chengluyu", "pswiac_page", "mskrabic_calc"),
        *(
            "sudarshan_eq",
            "claudia",
            "markus",
            "kejsty_printed",
            "made",
            "field_crops",
            "franklyd_page",
            "shashank_cell",
        ),
        *("submitty_bicolor_page",),
    ),
    "nothing there": ("hands_none", "submitty_drawings", "kejsty_shapes_none", "markus"),
}
"""Of the ``field`` pictures, which kinds make a case: of "nothing there" those without a text, of others with one."""


def field_cases(folder: Path) -> Iterator[Case]:
    """What people have, and programs fail on."""
    for name, kinds in _FIELD_KINDS.items():
        case = Case(f"field: {name}", "auto", partial(_field, folder, kinds, name != "nothing there"))
        yield case
        if name == "a number in cells on a page":
            yield replace(case, name=f"{case.name}, pattern of nine digits", pattern=r"\d{9}")


def mnist_digits(development: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """10,000 images and labels: the test images, or the last training images."""
    images, labels = load_mnist("train" if development else "t10k")
    return images[-10_000:], labels[-10_000:]


def a4_page(groups: tuple[int, ...], development: bool = False) -> Page:
    """A page of 300 digits, in lines of so many groups."""
    rng = np.random.default_rng([len(groups), development])
    return numbers.a4_page(Images(*mnist_digits(development)), rng, groups, 300 // sum(groups))


def _drawn(
    draw: Callable[[Digits, np.random.Generator], Page], count: int, seed: list[int], development: bool
) -> Iterator[Named]:
    digits, rng = Images(*mnist_digits(development)), np.random.default_rng(seed)
    for k in range(count):
        page = draw(digits, rng)
        yield f"{k}", page.picture, page.text


def _strings(spacing: str, development: bool) -> Iterator[Named]:
    seed = [numbers.SPACINGS.index(spacing), development]
    return _drawn(partial(numbers.string, spacing=spacing), STRINGS, seed, development)


def _pens(pen: str, development: bool) -> Iterator[Named]:
    seed = [200 + numbers.PENS.index(pen), development]
    return _drawn(partial(numbers.pen_string, pen=pen), PENS, seed, development)


def _page(groups: tuple[int, ...], development: bool) -> Iterator[Named]:
    page = a4_page(groups, development)
    yield "page", page.picture, page.text


def _labelled(development: bool) -> Iterator[Named]:
    return _drawn(empty.words_beside_digits, 40, [50, development], development)


def _forms(fields: int, development: bool) -> Iterator[Named]:
    seed = [fields, 400 + development]
    return _drawn(partial(forms.form, fields=fields), FORMS // fields, seed, development)


def _photos(paper: str, development: bool) -> Iterator[Named]:
    rng = np.random.default_rng([list(photos.PAPERS).index(paper), 300 + development])
    digits = Images(*mnist_digits(development))
    for k, glyph in enumerate(digits(rng, PHOTOS)):
        page = photos.photo(glyph, paper, rng)
        yield f"{k}", page.picture, page.text


def _cardboard(development: bool) -> Iterator[Named]:
    return _drawn(cardboard, FORMS, [600, development], development)


def _digitless(kind: str, development: bool) -> Iterator[Named]:
    rng = np.random.default_rng([list(empty.SURFACES).index(kind), 100 + development])
    for k in range(DIGITLESS):
        yield f"{k}", empty.surface(kind, rng).picture, ""


def _folder(folder: Path, column: str) -> Iterator[Named]:
    with open(folder / "labels.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield row["file"], folder / row["file"], row[column].replace("/", "\n")


def _field(folder: Path, kinds: tuple[str, ...], with_text: bool) -> Iterator[Named]:
    with open(folder / "labels.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] in kinds and bool(row["text"]) == with_text:
                yield row["file"], folder / row["file"], row["text"].replace("/", "").replace("|", "\n")


def _cells(path: Path, empty: bool) -> Iterator[Named]:
    with np.load(path) as held:
        for k, (image, label) in enumerate(zip(held["images"], held["labels"], strict=True)):
            if (label == 255) == empty:
                yield f"{k}", image, "" if empty else str(label)
