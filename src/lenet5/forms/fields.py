"""A field's ink → its text with a probability, other texts, and why a person should look at it.

Digits in cells are read one by one, by the cells' places. Where that is not sure, and where there are no cells, the
field is read as a line, which finds the digits by itself; both opinions are averaged.
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

_SURE: Final = 0.95  # cells that are surer are not read as a line, too
_BLANK: Final = 0.999  # P(nothing was written) where there is no ink
_LISTED: Final = 100.0  # to one, at most: a text that the list holds is meant, rather than one beside it
_CHECKED: Final = 10.0  # the same of a check digit, which one wrong text in ten passes
_WRITTEN: Final = 0.05  # P(text): less, and what is written is shown rather than what is allowed
_TEXTS: Final = 5


@dataclass(frozen=True, eq=False)
class FieldReading:
    """What was read in a field: its ``text``, P(it is right) in 0..1, and other texts with their probabilities.

    ``reasons`` say why a person should look at it; without any it is taken as it is. ``cut`` is the field's picture.

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
    """The text of a field that is cut out of a scan.

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
    others = tuple((other, q) for other, q in texts[1:] if other != text and q > 0)[:_TEXTS]
    return FieldReading(text, float(min(p, 1.0)), others, tuple(reasons), cut)


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
    """Two opinions as one: the mean of the probabilities of each text, the likeliest first."""
    one, other = dict(first), dict(second)
    mean = {text: (one.get(text, 0.0) + other.get(text, 0.0)) / 2 for text in [*one, *other]}
    return sorted(mean.items(), key=lambda item: -item[1])


def _relaxed(field: Field) -> tuple[Field, str]:
    """The field without the strictest of what it asks for, and what a text is that fails it; "" if nothing is."""
    if field.choices is not None:
        return replace(field, choices=None, check=None), "not in the list"
    if field.check is not None:
        return replace(field, check=None), "wrong check digit"
    if field.pattern is not None or field.cells is not None:
        return replace(field, pattern=r"\d+"), "not as the pattern has it"
    return field, ""


def _odds(field: Field, text: str) -> float:
    """How much likelier a writer meant this text than one that the field does not allow, before looking."""
    odds = _CHECKED if field.check is not None else 1.0
    if field.choices is not None:
        digits = sum(character in DIGITS for character in text)
        odds = max(odds, min(_LISTED, 10.0**digits / len(field.choices)))
    return odds


def _with_odds(p: float, odds: float) -> float:
    """A probability after odds of so many to one."""
    return odds * p / (odds * p + 1 - p) if p < 1 else p
