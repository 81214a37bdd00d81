"""What each stage of reading sees in fixed pictures, as numbers: recorded.json, with which test_recorded.py compares.

    python -m tests.reading.recorded    records anew, where a stage is meant to see something else

The pictures are those of the package and of the folder pictures/, which were drawn by lenet5.synthesis. Counts and
texts are compared as they are, other numbers but for rounding, which differs between processors. Another OpenCV
resizes and filters a little otherwise: the record names the one that it was made with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

import lenet5
from lenet5 import Reader, Reading, Separator
from lenet5.reading.allowed import allowed_texts
from lenet5.reading.constraint import compile_constraint
from lenet5.reading.glance import Glance, glanced, within_budget
from lenet5.reading.ink import Ink, inks_of
from lenet5.reading.lattice import Lattice, lattices_of
from lenet5.reading.layouts import allowed_lines, every_line
from lenet5.reading.line_image import Line
from lenet5.reading.opening import open_picture
from lenet5.reading.picture import Picture
from lenet5.reading.proposals import Proposal, proposals_in
from lenet5.reading.word_features import features_of
from lenet5.reading.words import Seen, wholes_of, words_of

__all__ = ["OPENCV", "PICTURES", "differences", "recorded", "stages"]

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "recorded.json"
PICTURES: Final = {
    path.name: path
    for folder in (Path(lenet5.__file__).parent / "bundled" / "pictures", HERE / "pictures")
    for path in sorted(folder.iterdir())
    if path.suffix in (".png", ".jpg")
}

Row = list[Any]
MOST_ROWS: Final = 6  # of a stage are kept as they are; of more their number and their columns' sums
FEW: Final = 12  # words: pictures with no more are read in all layouts
RELATIVE: Final = 2e-3  # by which numbers may differ
ABSOLUTE: Final = 1e-4
OPENCV: Final = cv2.__version__.rpartition(".")[0]  # without the number of its patch


def stages(reader: Reader, path: Path) -> dict[str, Any]:
    """By the name of a stage what it gives for a picture, each a list of rows of numbers."""
    opened = open_picture(path)
    inks = inks_of(opened.grey, opened.darkest, opened.lightest)
    proposals = proposals_in(inks)
    glances = within_budget(glanced(proposals, reader._p_digit))
    lines = [glance.proposal.line() for glance in glances]
    every = lattices_of(lines, reader.line_model)
    words = words_of(glances, every) + wholes_of(glances, every)
    seen = Seen(words, features_of(words, opened.grey.shape), any(ink.cover > 0 for ink in inks))
    lattices = [lattice for lattice in every if lattice]
    constraint = compile_constraint(reader.line_model.classes, r"[1-9]\d{0,3}([.,]\d\d)?")
    assert constraint is not None
    p = reader.scored(seen)
    candidates = allowed_texts(words, p, constraint, reader.line_model.inverse_temperature, False)
    readings = {
        "reading": every_line(opened, seen, p, reader.score),
        "allowed": allowed_lines(opened, seen, p, reader.score, candidates, whole=False),
    }
    if len(words) <= FEW:
        readings |= {layout: reader.read(opened, layout) for layout in ("line", "digit")}
    return {
        "picture": _picture(opened),
        "inks": _summary([_ink(ink) for ink in inks]),
        "proposals": _summary([_proposal(proposal) for proposal in proposals]),
        "glances": _summary([_glance(glance) for glance in glances]),
        "lines": _summary([_line(line) for line in lines]),
        "pieces": _summary([_pieces(lattice) for lattice in lattices]),
        "candidates": _summary([_candidates(lattice) for lattice in lattices]),
        "lattices": _summary([_lattice(lattice) for lattice in lattices]),
        "features": _columns(seen.features.tolist()),
        "scores": _summary(p.tolist()),
    } | {name: _reading(reading) for name, reading in readings.items()}


def recorded() -> tuple[str, dict[str, Any]]:
    """The version of OpenCV with which it was recorded, and what the stages gave, by picture and stage."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record.pop("OpenCV"), record


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs in the first stage that gives something else, one line a number."""
    for stage, rows in before.items():
        changes = list(_differences(rows, now[stage], stage))
        if changes:
            yield from changes
            return


def _differences(before: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for k, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{where}[{k}]")
    elif isinstance(before, float) and isinstance(now, float | int):
        if not math.isclose(before, now, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            yield f"{where}: {before} is now {now}"
    elif before != now:
        yield f"{where}: {before} is now {now}"


def _picture(opened: Picture) -> Row:
    colours = [float(channel.mean()) for channel in (opened.darkest, opened.lightest) if channel is not None]
    grey = opened.grey
    return [*grey.shape, *opened.size, opened.scale, float(grey.mean()), float(grey.std()), *colours]


def _ink(ink: Ink) -> Row:
    kinds = [ink.dark, ink.faint, ink.colour]
    levels = [float(ink.contrast.mean()), float(ink.paper.mean()), 100 * ink.noise, ink.scale]
    return [*ink.mask.shape, ink.window, *map(int, kinds), *levels, float(ink.mask.sum()), *_middle(ink.mask)]


def _proposal(proposal: Proposal) -> Row:
    lined = 0.0 if proposal.lined is None else float(proposal.lined.sum())
    marks = float(proposal.marks.area[proposal.tall].sum())
    return [len(proposal.tall), len(proposal.low), *map(float, proposal.edges), proposal.height, lined, marks]


def _glance(glance: Glance) -> Row:
    return [len(glance.proposal.tall), glance.mean, glance.marks, glance.page_mean, glance.page_marks]


def _line(line: Line) -> Row:
    place = [line.left, line.top, line.scale, 100 * line.slope]
    return [*line.level.shape, *map(float, place), float(line.level.sum()), *_middle(line.level)]


def _pieces(lattice: Lattice) -> Row:
    pieces = lattice.pieces
    ink = float(sum(cut.ink for cut in pieces.cuts))
    return [len(pieces), len(pieces.cuts), ink, pieces.slant, float(pieces.area.sum()), *_middle(pieces.level)]


def _candidates(lattice: Lattice) -> Row:
    candidates = lattice.candidates
    images = candidates.images.astype(np.float64)
    whole = sum(bool(marks) for marks in candidates.marks)
    return [len(images), whole, *map(float, candidates.boxes.sum(axis=0)), float(images.sum()), float(images.std())]


def _lattice(lattice: Lattice) -> Row:
    arcs, path = lattice.arcs, lattice.path
    labels = "".join(lattice.classes[k] if 0 <= k < len(lattice.classes) else "?" for k in arcs.label[list(path.arcs)])
    sums = float(arcs.score.sum()), float(path.posterior), float(path.log_total), float(path.posteriors.sum())
    return [len(arcs.label), labels, *sums, float(lattice.weighed.mean())]


def _reading(reading: Reading) -> Row:
    marks = [mark for line in reading.lines for mark in line]
    boxes = [[mark.text if isinstance(mark, Separator) else mark.label, *_edges(mark.box)] for mark in marks]
    sure = [float(mark.confidence) for mark in marks]
    others = [[text, float(p)] for text, p in reading.alternatives]
    others += [[name, float(p)] for digit in reading.digits for name, p in digit.alternatives]
    allowed = [] if reading.allowed is None else [float(reading.allowed)]
    return [reading.text, reading.transcript, float(reading.confidence), allowed, boxes[:40], sure[:40], others[:40]]


def _edges(box: lenet5.Box) -> Row:
    return [box.left, box.top, box.right, box.bottom]


def _middle(level: Any) -> Row:
    """Where an image's ink lies: its mean row and column."""
    total = max(float(level.sum()), 1e-9)
    return [float((level.sum(axis=1 - way) * np.arange(level.shape[way])).sum() / total) for way in (0, 1)]


def _summary(rows: Sequence[Row]) -> list[Row]:
    """Rows as they are if they are few; else their number, and of each column of numbers its mean and spread."""
    return [list(row) for row in rows] if len(rows) <= MOST_ROWS else [*_columns(rows), _texts(rows)]


def _columns(rows: Sequence[Row]) -> list[Row]:
    numbers = np.array([[v for v in row if not isinstance(v, str)] for row in rows], np.float64)
    if not len(rows):
        return [[0]]
    weights = np.linspace(1, 2, len(rows))  # so that their order counts
    return [[len(rows)], numbers.mean(axis=0).tolist(), (weights @ numbers / len(rows)).tolist()]


def _texts(rows: Sequence[Row]) -> Row:
    return [value for row in rows for value in row if isinstance(value, str)]


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main(name: Callable[[str], object] = print) -> None:
    reader = Reader()
    lines = [f' "OpenCV": {json.dumps(OPENCV)}']
    for picture, path in PICTURES.items():
        name(picture)
        rows = [
            f"  {json.dumps(stage)}: {json.dumps(_rounded(value))}" for stage, value in stages(reader, path).items()
        ]
        lines.append(f" {json.dumps(picture)}: {{\n" + ",\n".join(rows) + "\n }")
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
