"""A field's ink → its text with a probability, alternatives, and reasons for a person to look at it.

Digits in cells are read one by one. A field without cells, or whose cells are not read surely, is read as a line; where
both are read, their probabilities are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lenet5.codes import DIGITS
from lenet5.forms.cells import texts_of_cells
from lenet5.forms.form import Field
from lenet5.forms.ink import Cut
from lenet5.forms.line import texts_of_line
from lenet5.reading.lattice import LineModel

__all__ = ["FieldReading", "read_field"]

Texts = Sequence[tuple[str, float]]

_SURE: Final = 0.95  # P(text) of cells above which the field is not read as a line
_BLANK: Final = 0.999  # P(empty) without ink
_LISTED: Final = 100.0  # to one: prior odds of a text in the list of choices, at most
_CHECKED: Final = 10.0  # to one: prior odds of a text with the right check digit, as one wrong text in ten has
_WRITTEN: Final = 0.05  # P(allowed text): below it the likeliest text is given, allowed or not
_TEXTS: Final = 5


@dataclass(frozen=True, eq=False)
class FieldReading:
    """The reading of a field: its ``text``, ``confidence`` = P(text) in 0..1, alternatives with probabilities.

    ``reasons`` say why a person should look at it; without any, the text is accepted. ``cut`` is the field's picture.

    >>> import numpy as np
    >>> cut = Cut(np.full((4, 4), 255, np.uint8), np.zeros((4, 4), np.uint8), (0.0, 0.0, 4.0, 4.0))
    >>> reading = FieldReading("12", 0.71, (("17", 0.2),), ("less sure than 0.95",), cut)
    >>> bool(reading.reasons)  # a person should look
    True
    """

    text: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]
    cut: Cut


def read_field(field: Field, cut: Cut, model: LineModel) -> FieldReading:
    """The reading of a field that is cut out of a scan.

    >>> import numpy as np
    >>> from lenet5.reading.reader import Reader
    >>> cut = Cut(np.full((40, 90), 255, np.uint8), np.zeros((40, 90), np.uint8), (0.0, 0.0, 90.0, 40.0))
    >>> field = Field("code", (0.1, 0.1, 0.4, 0.2), required=True)
    >>> reading = read_field(field, cut, Reader(threads=1).line_model)
    >>> reading.text, reading.confidence, reading.reasons
    ('', 0.999, ('empty',))
    """
    if not cut.ink.any():
        return FieldReading("", _BLANK, (), ("empty",) if field.required else (), cut)
    texts, gaps = _texts(cut, field, model)
    text, p = texts[0] if texts else ("", 0.0)
    reasons = []
    relaxed, reason = _relaxed(field)
    if reason and p < _WRITTEN:
        written, _ = _texts(cut, relaxed, model)
        if written and written[0][1] > p and written[0][0] != text:
            (text, p), texts = written[0], [*written, *texts]
            reasons = [reason]
    if not reasons and text:
        p = _with_odds(p, _odds(field, text))
    if text == "" and field.required:
        reasons.append("empty")
    if gaps:
        reasons.append("a cell is empty")
    if p < field.min_confidence:
        reasons.append(f"less sure than {field.min_confidence:g}")
    alternatives = tuple((other, q) for other, q in texts[1:] if other != text and q > 0)[:_TEXTS]
    return FieldReading(text, float(min(p, 1.0)), alternatives, tuple(reasons), cut)


def _texts(cut: Cut, field: Field, model: LineModel) -> tuple[list[tuple[str, float]], bool]:
    """The likeliest texts that the field allows, and whether a cell between filled ones is empty."""
    constraint = field.constraint(model.classes)
    if field.cells is None:
        return texts_of_line(cut.ink, model, constraint), False
    of_cells = texts_of_cells(cut.ink, cut.box, field.cells, model, constraint)
    if of_cells.texts and of_cells.texts[0][1] >= _SURE:
        return list(of_cells.texts), of_cells.gaps
    of_line = texts_of_line(cut.ink, model, constraint)
    return _pooled(of_cells.texts, of_line) if of_cells.filled else of_line, of_cells.gaps


def _pooled(first: Texts, second: Texts) -> list[tuple[str, float]]:
    """The mean of the two probabilities of each text, the likeliest first."""
    p, q = dict(first), dict(second)
    mean = {text: (p.get(text, 0.0) + q.get(text, 0.0)) / 2 for text in [*p, *q]}
    return sorted(mean.items(), key=lambda item: -item[1])


def _relaxed(field: Field) -> tuple[Field, str]:
    """The field without its strictest constraint, and the reason given for a text that fails it; "" without any."""
    if field.choices is not None:
        return replace(field, choices=None, check=None), "not in the list"
    if field.check is not None:
        return replace(field, check=None), "wrong check digit"
    if field.pattern is not None or field.cells is not None:
        return replace(field, pattern=r"\d+"), "not as the pattern has it"
    return field, ""


def _odds(field: Field, text: str) -> float:
    """The prior odds that the writer meant this allowed text rather than one that is not allowed."""
    odds = _CHECKED if field.check is not None else 1.0
    if field.choices is not None:
        digits = sum(character in DIGITS for character in text)
        odds = max(odds, min(_LISTED, 10.0**digits / len(field.choices)))
    return odds


def _with_odds(p: float, odds: float) -> float:
    """The posterior of a probability with prior odds."""
    return odds * p / (odds * p + 1 - p) if p < 1 else p
