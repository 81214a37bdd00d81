"""Decisions on fields → images of single characters with labels, for learning.

The text of a field is known; where its characters stand is not. In a row of cells each filled cell is a character,
where there are as many as the text has. Otherwise the line's segmentation graph is searched for the best path that
spells the text, as in the paper's discriminative training (section VI), and its candidates are the characters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.codes import DIGITS
from lenet5.errors import DataError
from lenet5.forms.cells import cell_images
from lenet5.forms.decisions import decision_of
from lenet5.forms.ink import Cut, Edges
from lenet5.forms.line import lattice_of_ink
from lenet5.forms.queue import Item, Queue
from lenet5.forms.review import sheet_of
from lenet5.learning.sets import ImageSet
from lenet5.reading.arcs import cut_costs, specks
from lenet5.reading.lattice import Lattice, LineModel

__all__ = ["CorrectedField", "Corrections", "characters_of", "load_corrections"]

Bytes = NDArray[np.uint8]

_HELD_OUT: Final = 0.2  # of the sheets
_CONFUSED: Final = 0.05
_FEWEST: Final = 5  # sheets: fewer can hardly be parted


@dataclass(frozen=True, eq=False)
class CorrectedField:
    """A field that a person decided on: ``text`` without spaces, ``cut`` its picture, ``cells`` how many it has.

    >>> item = Item("0a-p0001-exam-code-1b2c3d", {"form": "exam", "field": "code"}, decided=True)
    >>> cut = Cut(np.full((40, 90), 255, np.uint8), np.zeros((40, 90), np.uint8), (5.0, 5.0, 85.0, 35.0))
    >>> CorrectedField(item, "41973", cut, cells=5).sheet
    '0a-p0001'
    """

    item: Item
    text: str
    cut: Cut
    cells: int | None

    @property
    def sheet(self) -> str:
        return sheet_of(self.item.name)


@dataclass(frozen=True, eq=False)
class Corrections:
    """The fields of a review folder that can be learnt from: of sheets to learn from, and of sheets that are held out.

    ``left_out`` are decided fields that cannot be used: their crop is gone, they are empty, or have characters that the
    weights do not know. ``digest`` is the SHA-256 of all texts and crops.

    >>> item = Item("0a-p0001-exam-code-1b2c3d", {"form": "exam", "field": "code"}, decided=True)
    >>> cut = Cut(np.full((40, 90), 255, np.uint8), np.zeros((40, 90), np.uint8), (5.0, 5.0, 85.0, 35.0))
    >>> field = CorrectedField(item, "41973", cut, cells=5)
    >>> Corrections((field, field), (field,), left_out=1, digest="ab12").fields
    3
    """

    learnt: tuple[CorrectedField, ...]
    held_out: tuple[CorrectedField, ...]
    left_out: int
    digest: str

    @property
    def fields(self) -> int:
        return len(self.learnt) + len(self.held_out)


def load_corrections(folder: Path, classes: str) -> Corrections:
    """What people decided in a review folder, about a fifth of the sheets held out.

    A sheet that is held out stays so when others come in, so that weights can learn again. Raises DataError where there
    are too few sheets, OutputError where the folder cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         load_corrections(Path(folder), "0123456789")
    ...     except DataError as error:
    ...         print(str(error).partition(" has ")[2].partition(",")[0])
    corrections of 0 sheets: learning needs 5
    """
    fields, left_out, digest = [], 0, hashlib.sha256()
    for item in Queue(folder).items():
        if not item.decided:
            continue
        field = _field(folder, item, classes)
        if field is None:
            left_out += 1
            continue
        fields.append(field)
        digest.update(f"{item.name}={field.text};".encode())
        digest.update(np.ascontiguousarray(field.cut.ink).data)
    sheets = sorted({field.sheet for field in fields}, key=_place)
    if len(sheets) < _FEWEST:
        raise DataError(
            f"{folder} has corrections of {len(sheets)} sheets: learning needs {_FEWEST}, as some are held out; "
            f"lenet5 serve --review {folder} shows what is to be decided"
        )
    kept_back = {sheet for sheet in sheets[1:-1] if _place(sheet) < _HELD_OUT} | {sheets[0]}
    parts = tuple(
        tuple(field for field in fields if (field.sheet in kept_back) == held_out) for held_out in (False, True)
    )
    return Corrections(parts[0], parts[1], left_out, digest.hexdigest())


def characters_of(
    fields: Iterable[CorrectedField], model: LineModel, advance: Callable[[], object] = lambda: None
) -> ImageSet | None:
    """The images of the characters of all fields that can be cut, labels being places in the model's classes.

    Groups are the numbers of the fields. None where there are no characters. ``advance`` is called after each field.

    >>> from lenet5.reading.reader import Reader
    >>> item = Item("0a-p0001-exam-code-1b2c3d", {"form": "exam", "field": "code"}, decided=True)
    >>> ink = np.zeros((40, 60), np.uint8)
    >>> ink[6:34, 13:17] = ink[6:34, 43:47] = 255  # two strokes
    >>> field = CorrectedField(item, "11", Cut(255 - ink, ink, (0.0, 0.0, 60.0, 40.0)), cells=2)
    >>> characters_of([field], Reader(threads=1).line_model).labels.tolist()
    [1, 1]
    """
    images: list[Bytes] = []
    labels: list[int] = []
    groups: list[int] = []
    for number, field in enumerate(fields):
        for image, label in _characters(field, model):
            images.append(image)
            labels.append(label)
            groups.append(number)
        advance()
    if not images:
        return None
    return ImageSet("corrections", np.stack(images), np.array(labels, np.uint8), groups=np.array(groups, np.intp))


def _place(sheet: str) -> float:
    """A number in 0..1 that follows from the name of a sheet."""
    return int.from_bytes(hashlib.sha256(sheet.encode()).digest()[:8], "big") / 2**64


def _characters(field: CorrectedField, model: LineModel) -> list[tuple[Bytes, int]]:
    """The characters of one field with their labels; none where no way of cutting it spells the text."""
    labels = [model.classes.index(character) for character in field.text]
    if field.cells is not None and set(field.text) <= set(DIGITS):
        filled = [image for image in cell_images(field.cut.ink, field.cut.box, field.cells) if image is not None]
        if len(filled) == len(labels):
            return list(zip(filled, labels, strict=True))
    lattice = lattice_of_ink(field.cut.ink, model)
    return [] if lattice is None else _aligned(lattice, labels)


def _aligned(lattice: Lattice, labels: Sequence[int]) -> list[tuple[Bytes, int]]:
    """The candidates of the likeliest way through a lattice that spells these labels, by dynamic programming.

    The network may be sure of another digit, which is why it was corrected: with the probability _CONFUSED it is only
    right in that a candidate is a character.
    """
    candidates, pieces = lattice.candidates, len(lattice.pieces)
    p = np.exp(lattice.weighed)
    scores = np.log((1 - _CONFUSED) * p[:, labels] + _CONFUSED * (1 - p[:, -1:]).clip(1e-9) / len(DIGITS))
    scores += cut_costs(lattice.pieces, candidates)[:, None]
    skipped = specks(lattice.pieces)
    best = np.full((pieces + 1, len(labels) + 1), -np.inf)
    way = np.full((pieces + 1, len(labels) + 1), -1)  # the candidate that ends there; −1 for a speck
    best[0, 0] = 0
    starts = np.argsort(candidates.first, kind="stable")
    bounds = np.searchsorted(candidates.first[starts], np.arange(pieces + 1))
    for gap in range(pieces):
        better = best[gap] + skipped[gap] > best[gap + 1]
        best[gap + 1][better], way[gap + 1][better] = (best[gap] + skipped[gap])[better], -1
        for k in starts[bounds[gap] : bounds[gap + 1]].tolist():
            end, reached = int(candidates.last[k]), best[gap, :-1] + scores[k]
            better = reached > best[end, 1:]
            best[end, 1:][better], way[end, 1:][better] = reached[better], k
    if not np.isfinite(best[-1, -1]):
        return []
    gap, place, characters = pieces, len(labels), []
    while gap:
        k = int(way[gap, place])
        if k >= 0:
            place -= 1
            characters.append((candidates.images[k], labels[place]))
        gap = gap - 1 if k < 0 else int(candidates.first[k])
    return characters[::-1]


def _field(folder: Path, item: Item, classes: str) -> CorrectedField | None:
    """A field with what was decided; None where it cannot be learnt from."""
    decision = decision_of(folder, item.name)
    text = "" if decision is None else decision.text.replace(" ", "")
    if not text or not set(text) <= set(classes):
        return None
    seen, ink = (_levels(folder / f"{item.name}{suffix}") for suffix in (".png", ".ink.png"))
    if seen is None or ink is None or seen.shape != ink.shape:
        return None
    box, cells = item.content.get("box_in_crop"), item.content.get("cells")
    if cells is not None and not (isinstance(cells, int) and _is_box(box)):
        cells = None
    edges: Edges = tuple(box) if _is_box(box) else (0.0, 0.0, float(ink.shape[1]), float(ink.shape[0]))  # type: ignore
    return CorrectedField(item, text, Cut(seen, ink, edges), cells)


def _is_box(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box)


def _levels(path: Path) -> Bytes | None:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    levels = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if len(content) else None
    return None if levels is None else np.asarray(levels, np.uint8)
