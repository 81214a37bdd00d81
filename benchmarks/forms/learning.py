"""What ``lenet5 learn`` gains from 300 corrections of one hand: writes results/forms_learning.json and prints a table.

    python -m benchmarks.forms.learning                 the hands of UNIPEN's held-out writers
    python -m benchmarks.forms.learning --hands 2       the first two
    python -m benchmarks.forms.learning --development   the hands of two writers that are trained on; writes no results

Each hand (:mod:`benchmarks.forms.hands`) fills in 100 scanned sheets of a drawn form with three fields. All fields are
corrected by their truth, and the weights learn from them as the command does. Measured are further digits and sheets of
the hand, with other recorded digits, and MNIST's test images.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks import machine, record
from benchmarks.forms.drawn import draw_form, fill
from benchmarks.forms.hands import DrawnHand, hands_of
from benchmarks.forms.scanned import scan
from benchmarks.reading.figures import Row, share
from lenet5 import Reader, weights
from lenet5.files import write_beside
from lenet5.forms.corrections import load_corrections
from lenet5.forms.decisions import decide
from lenet5.forms.fields import FieldReading, read_field
from lenet5.forms.form import Form
from lenet5.forms.learn import Learning, Replay
from lenet5.forms.review import ReviewFolder, item_name, sheet_name
from lenet5.forms.sheet import FormReader
from lenet5.global_training.material import by_writer
from lenet5.learning.data import ImageSet, load
from lenet5.learning.unipen import load_unipen
from lenet5.normalise import normalise

RESULTS: Final = Path(__file__).resolve().parents[2] / "results" / "forms_learning.json"

_SHEETS: Final = 100  # corrected: 300 fields
_FURTHER: Final = 25  # measured: 75 fields
_DIGITS: Final = 1000  # measured, of each hand
_EVERY: Final = 2.0  # a least confidence that no field reaches: all are for a person to look at


def _form(seed: int) -> tuple[Form, object]:
    drawn = draw_form(np.random.default_rng([78, seed]))
    form = drawn.form("drawn")
    return replace(form, fields=tuple(replace(field, min_confidence=_EVERY) for field in form.fields)), drawn


def _sheets(
    hand: DrawnHand, seed: int, part: int, count: int, reader: Reader
) -> Iterator[tuple[Form, tuple[FieldReading, ...], tuple[str, ...], np.ndarray]]:
    """Scanned sheets of one form filled in by a hand, as they are read, and their truth."""
    form, drawn = _form(seed)
    forms = FormReader([form], reader)
    for k in range(count):
        rng = np.random.default_rng([79, seed, part, k])
        filled, texts = fill(drawn, hand, rng)  # type: ignore[arg-type]
        sheet = forms.read(scan(filled, "flat", rng).picture)
        yield form, sheet.fields, texts, sheet.straight


def _corrected(folder: Path, hand: DrawnHand, seed: int, reader: Reader) -> None:
    """A review folder of sheets of a hand, every field decided by its truth."""
    review = ReviewFolder(folder)
    lock = review.lock()
    for page, (form, readings, texts, straight) in enumerate(_sheets(hand, seed, 0, _SHEETS, reader), 1):
        name = sheet_name("0" * 64, page)
        review.keep(name, {"file": "scans.pdf", "page": page}, form, readings, straight)
        for field, text in zip(form.fields, texts, strict=True):
            decide(folder, item_name(name, form.name, field.name), text, 0)
    lock.release()


def _digits(hand: DrawnHand, seed: int) -> ImageSet:
    """Digits of a hand in MNIST's form."""
    glyphs = hand(np.random.default_rng([80, seed]), _DIGITS)
    images = np.stack([normalise(glyph.ink) for glyph in glyphs])
    return ImageSet(hand.writer, images, np.array([glyph.label for glyph in glyphs], np.uint8))


def _wrong(reader: Reader, images: ImageSet) -> int:
    return int((reader.classify(images.images)[0] != images.labels).sum())


def _fields(hand: DrawnHand, seed: int, before: Reader, after: Reader) -> tuple[int, int, int]:
    """How many fields of further sheets are read wrongly by either reader, and of how many; both see the same crops."""
    wrong, count = [0, 0], 0
    for form, readings, texts, _ in _sheets(hand, seed, 1, _FURTHER, before):
        for field, reading, text in zip(form.fields, readings, texts, strict=True):
            again = read_field(field, reading.cut, after.line_model)
            wrong = [wrong[0] + (reading.text != text), wrong[1] + (again.text != text)]
            count += 1
    return wrong[0], wrong[1], count


def _of_hand(
    number: int, hands: tuple[DrawnHand, DrawnHand], replay: Replay, test: ImageSet
) -> tuple[dict[str, tuple[int, int, int]], bool, float]:
    """Wrong before, wrong after and n of each figure; whether the weights were better; how much was kept."""
    parent = weights.load("lenet5")
    before = Reader(parent, threads=1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _corrected(folder, hands[0], number, before)
        learning = Learning(parent, load_corrections(folder, parent.classes), {}, replay, number, threads=1)
        for _ in learning:
            pass
        learnt = learning.learnt()
    after = Reader(learnt.weights if learnt.better else parent, threads=1)  # what is not better is not written
    digits = _digits(hands[1], number)
    figures = {
        "digits": (_wrong(before, digits), _wrong(after, digits), _DIGITS),
        "fields": _fields(hands[1], number, before, after),
        "mnist": (_wrong(before, test), _wrong(after, test), len(test.images)),
    }
    return figures, learnt.better, learnt.kept


def _rows(case: str, figures: dict[str, tuple[int, int, int]], goal: bool = False) -> list[Row]:
    """The figures of a hand, or of all hands together with their goals."""
    rows = []
    for name, what in (("digits", "held-out digits wrong"), ("fields", "fields of further sheets wrong")):
        wrong, left, n = figures[name]
        rows += [share(case, f"{what}, before", wrong, n), share(case, f"{what}, after", left, n)]
    wrong, left, n = figures["mnist"]
    rows.append(
        Row(case, "MNIST's test error, change", n, 100 * (left - wrong) / n, "points", most=0.05 if goal else None)
    )
    if goal:
        wrong, left, n = figures["digits"]
        rows.append(Row(case, "held-out digits wrong, after / before", n, left / max(wrong, 1), "", most=0.5))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.forms.learning",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hands", type=int)
    parser.add_argument("--development", action="store_true")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    writings, mnist, test = load_unipen(), load("mnist", "train"), load("mnist", "test")
    assert isinstance(mnist, ImageSet)
    assert isinstance(test, ImageSet)
    training, held_out = by_writer(writings)
    hands = hands_of(training, 1)[4:6] if given.development else hands_of(held_out, 0)
    replay = Replay.of(mnist, writings, report=print)
    rows: list[Row] = []
    pooled: dict[str, list[tuple[int, int, int]]] = {}
    for number, pair in enumerate(hands[: given.hands]):
        figures, better, kept = _of_hand(number, pair, replay, test)
        own = _rows(f"hand {number + 1}", figures)
        print(*own, f"better: {better}, kept: {kept}", sep="\n", flush=True)
        rows += own
        for name, triple in figures.items():
            pooled.setdefault(name, []).append(triple)
        sums = {name: _summed(triples) for name, triples in pooled.items()}
        total = _rows(f"{number + 1} hands, 300 corrections each", sums, goal=True)
        if not given.development:
            _write([*total, *rows])
    print(*total, sep="\n")


def _summed(triples: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    wrong, left, n = (sum(values) for values in zip(*triples, strict=True))
    return wrong, left, n


def _write(rows: Sequence[Row]) -> None:
    results = {
        record.KEY: record.record("lenet5", page_score=False),
        "machine": machine.description(),
        "rows": [row.to_json() for row in rows],
    }
    write_beside(RESULTS, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
