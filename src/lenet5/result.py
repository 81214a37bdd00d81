"""The results of reading: boxes, digits, separators, a whole reading, and their JSON form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import one_line

__all__ = [
    "PICTURE_FORMATS",
    "PICTURE_SUFFIXES",
    "REFUSED",
    "WORD_GAP",
    "Box",
    "Digit",
    "Reading",
    "Separator",
    "file_json",
]

PICTURE_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM")
"""The formats of picture files that Pillow opens here, as it names them; PPM is PGM and PBM, too.

PDF is read by pypdfium2, and HEIC by pillow-heif where the extra "heic" is installed. Pillow knows some forty other
formats, and hands EPS to Ghostscript, which runs what the file says.
"""

PICTURE_SUFFIXES = frozenset(
    (
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".webp",
        ".avif",
        ".heic",
        ".heif",
        ".pgm",
        ".ppm",
        ".pbm",
        ".pdf",
    )
)
"""Endings of the files in a folder that are read as pictures."""

REFUSED = "?"
"""The label of a digit that was refused."""

WORD_GAP = 0.6
"""Of the digits' height: a wider gap in a line ends a word, and is a space of the transcript."""


@dataclass(frozen=True)
class Box:
    """Whole pixels of the picture as shown (EXIF rotation applied); right and bottom are exclusive.

    >>> box = Box(left=9, top=12, right=31, bottom=44)
    >>> box.right - box.left, box.bottom - box.top
    (22, 32)
    >>> box.to_json()
    [9, 12, 31, 44]
    """

    left: int
    top: int
    right: int
    bottom: int

    def to_json(self) -> list[int]:
        return [self.left, self.top, self.right, self.bottom]


@dataclass(frozen=True)
class Digit:
    """One digit: its label "0"…"9", or "?" where it was refused.

    ``confidence`` is the calibrated probability in 0..1 that the label is right, rubbish counted
    among the possible answers (for "?", that it is no digit); ``alternatives`` are the other labels
    with their probabilities, likeliest first; ``image`` is the 28×28 uint8 that the network saw.

    >>> digit = Digit("4", 0.998, Box(9, 12, 31, 44), alternatives=(("9", 0.0012),))
    >>> digit.to_json()
    {'label': '4', 'confidence': 0.998, 'box': [9, 12, 31, 44], 'alternatives': [['9', 0.0012]]}
    """

    label: str
    confidence: float
    box: Box
    alternatives: tuple[tuple[str, float], ...] = ()
    image: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((28, 28), np.uint8), repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "box": self.box.to_json(),
            "alternatives": [[label, round(p, 4)] for label, p in self.alternatives],
        }


@dataclass(frozen=True)
class Separator:
    """A mark inside a line that is no digit: one of "/", ":", "-", ".", ",", "%", "(" and ")".

    ``confidence`` is the calibrated probability in 0..1 that this mark stands here.

    >>> Separator(",", Box(33, 40, 36, 47), confidence=0.97).to_json()
    {'separator': ',', 'confidence': 0.97, 'box': [33, 40, 36, 47]}
    """

    text: str
    box: Box
    confidence: float = 1.0

    def to_json(self) -> dict[str, Any]:
        return {"separator": self.text, "confidence": round(self.confidence, 4), "box": self.box.to_json()}


@dataclass(frozen=True)
class Reading:
    """What was read in one picture: lines of digits and separators in reading order.

    ``confidence`` is P(the whole text is right) in 0..1, which includes that nothing is missing; of an empty text it
    is P(nothing stands there), 1 only for a picture without ink. ``page`` counts from 1; ``notes`` are remarks for the
    user, such as that a large picture was scaled down. With a constraint, ``allowed`` is P(any allowed text stands
    here) in 0..1, ``confidence`` is not conditioned on it, and ``texts`` are the allowed texts of the lines; without
    one, ``allowed`` is None. ``alternatives`` are other whole texts with their probabilities, likeliest first.

    >>> Reading(lines=(), confidence=0.9, alternatives=(("7", 0.08),)).to_json()
    {'page': 1, 'text': '', 'confidence': 0.9, 'lines': []}
    """

    lines: tuple[tuple[Digit | Separator, ...], ...]
    confidence: float
    page: int = 1
    notes: tuple[str, ...] = ()
    allowed: float | None = None
    alternatives: tuple[tuple[str, float], ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The digits, a line of text for each line; "?" stands for one that was refused.

        With a constraint the allowed texts, separators and spaces included.
        """
        if self.texts:
            return "\n".join(self.texts)
        return "\n".join("".join(m.label for m in line if isinstance(m, Digit)) for line in self.lines)

    @property
    def transcript(self) -> str:
        """The lines as they stand, with separators, and a space for each wide gap: "13/01/2023 3.75"."""
        if self.texts:
            return "\n".join(self.texts)
        return "\n".join(_transcribed(line) for line in self.lines)

    @property
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(mark for line in self.lines for mark in line if isinstance(mark, Digit))

    def to_json(self) -> dict[str, Any]:
        """The object that ``lenet5 read --json`` prints after the file's name.

        It has "allowed" only where there was a constraint.
        """
        answer: dict[str, Any] = {
            "page": self.page,
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "lines": [[mark.to_json() for mark in line] for line in self.lines],
        }
        if self.allowed is not None:
            answer["allowed"] = round(self.allowed, 4)
        return answer


def file_json(file: str, outcome: Reading | Exception) -> dict[str, Any]:
    """The object of ``lenet5 read --json`` and of the service for a page of a file, or for what failed in it.

    >>> file_json("broken.png", ValueError("cut short"))["error"]
    'broken.png cannot be read: ValueError: cut short (this is a defect, please report it)'
    """
    if isinstance(outcome, Reading):
        return {"file": file, **outcome.to_json()}
    return {"file": file, "error": one_line(outcome, file)}


def _transcribed(line: tuple[Digit | Separator, ...]) -> str:
    """One line as text; a gap is measured in median heights of the line's digits."""
    heights = sorted(mark.box.bottom - mark.box.top for mark in line if isinstance(mark, Digit))
    gap = WORD_GAP * heights[len(heights) // 2] if heights else 0
    text, end = "", None
    for mark in line:
        text += " " if end is not None and mark.box.left > end + gap else ""
        text += mark.label if isinstance(mark, Digit) else mark.text
        end = max(end or 0, mark.box.right)
    return text
