"""Labelled data and a reader → a report: errors with an interval, confusions, and the misread pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import ArrayError, DataError, one_line
from lenet5.learning.data import NO_DIGIT, ImageSet, PictureSet
from lenet5.reading.reader import LAYOUTS, Reader

__all__ = ["Misread", "Report", "as_images", "calibration_error", "edit_distance", "evaluate", "wilson_interval"]

OTHER = 10
"""The last row (not a digit) and the last column (refused) of a confusion matrix."""

Advance = Callable[[int], None]
"""Called with the number of images done since the last call."""


@dataclass(frozen=True)
class Misread:
    """One error: what the network saw (28×28 uint8), the picture it came from if any, truth and answer.

    >>> misread = Misread(np.zeros((28, 28), np.uint8), "a.png", truth="7", answer="1")
    >>> f"{misread.source}: {misread.truth} read {misread.answer}"
    'a.png: 7 read 1'
    """

    image: NDArray[np.uint8]
    source: Any
    truth: str
    answer: str


@dataclass(frozen=True)
class Report:
    """The result of an evaluation.

    ``confusion`` is (11, 11): rows truth 0–9 and not-a-digit, columns answer 0–9 and refused; None
    for texts. ``digit_error_percent`` (edit distance over length) is for texts only, ``transcript_error_percent``
    (whole lines with their separators, gaps aside) for those whose separators are known.
    ``calibration_error_percent`` says how far confidences are from how often they are right.

    >>> report = Report("mine", "lenet5", images=200, errors=4, refused=1, confusion=None, misread=())
    >>> report.error_percent, [round(bound, 1) for bound in report.interval_percent]
    (2.0, [0.8, 5.0])
    """

    data: str
    weights: str
    images: int
    errors: int
    refused: int
    confusion: NDArray[np.int64] | None
    misread: tuple[Misread, ...]
    unreadable: tuple[str, ...] = ()
    digit_error_percent: float | None = None
    transcript_error_percent: float | None = None
    calibration_error_percent: float | None = None

    @property
    def error_percent(self) -> float:
        return 100 * self.errors / self.images

    @property
    def interval_percent(self) -> tuple[float, float]:
        """The 95% Wilson interval of the error."""
        low, high = wilson_interval(self.errors, self.images)
        return 100 * low, 100 * high

    @property
    def class_errors(self) -> tuple[tuple[str, int, int], ...]:
        """(class, errors, images) of each class that occurs: "0"…"9" and "?"."""
        if self.confusion is None:
            return ()
        names = [*map(str, range(10)), NO_DIGIT]
        rows = zip(names, self.confusion, range(11), strict=True)
        return tuple((name, int(row.sum() - row[k]), int(row.sum())) for name, row, k in rows if row.sum())

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "data": self.data,
            "weights": self.weights,
            "images": self.images,
            "errors": self.errors,
            "refused": self.refused,
            "error_percent": round(self.error_percent, 4),
            "interval_percent": [round(bound, 4) for bound in self.interval_percent],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
        }
        if self.digit_error_percent is not None:
            row["digit_error_percent"] = round(self.digit_error_percent, 4)
        if self.transcript_error_percent is not None:
            row["transcript_error_percent"] = round(self.transcript_error_percent, 4)
        return row


def wilson_interval(errors: int, images: int) -> tuple[float, float]:
    """The 95% score interval of a proportion (Wilson 1927), in 0..1.

    >>> [round(bound, 4) for bound in wilson_interval(63, 10_000)]
    [0.0049, 0.0081]
    """
    z, p = 1.959964, errors / images
    centre = (p + z * z / (2 * images)) / (1 + z * z / images)
    half = z / (1 + z * z / images) * math.sqrt(p * (1 - p) / images + z * z / (4 * images * images))
    return max(0.0, centre - half), min(1.0, centre + half)


def calibration_error(confidences: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """The expected calibration error in 0..1 of confidences (N,), in 15 bins of equal width (Guo et al. 2017, eq. 3).

    In each bin the mean confidence should be the share that is right; the differences are averaged
    over the bins, weighted by how many answers fell into them.

    >>> float(round(calibration_error(np.array([0.9, 0.9]), np.array([True, False])), 2))
    0.4
    """
    bins = np.minimum((np.asarray(confidences, np.float64) * 15).astype(int), 14)
    sums = (np.bincount(bins, weights=values) for values in (confidences, right))
    return float(np.abs(np.subtract(*sums)).sum() / len(bins))


def evaluate(
    data: ImageSet | PictureSet, reader: Reader, layout: str = "digit", advance: Advance | None = None
) -> Report:
    """Measure a reader: images in MNIST's form through ``classify``, pictures through ``read``.

    >>> from lenet5 import Reader
    >>> from lenet5.learning.data import load
    >>> evaluate(load("digits", "test"), Reader()).error_percent < 5
    True
    """
    if isinstance(data, ImageSet):
        return _evaluate_images(data, reader, advance)
    return _evaluate_pictures(data, reader, layout, advance)


def as_images(data: ImageSet | PictureSet, reader: Reader, advance: Advance | None = None) -> ImageSet:
    """Pictures of single digits as the network sees them, with labels: what training on them needs.

    Pictures that cannot be read, and blank ones that should show a digit, are left out. Raises
    DataError where none is left.

    >>> from lenet5 import Reader
    >>> picture = np.full((60, 60), 255, np.uint8)
    >>> picture[15:45, 28:32] = 0  # a 1
    >>> as_images(PictureSet("mine", [picture], ("1",)), Reader()).images.shape
    (1, 28, 28)
    """
    if isinstance(data, ImageSet):
        return data
    images, labels = [], []
    for picture, truth in zip(data.pictures, data.truths, strict=True):
        if advance:
            advance(1)
        try:
            image = reader.image(picture)
        except Exception:  # of whatever kind
            continue
        if image.any() or truth == NO_DIGIT:
            images.append(image)
            labels.append(paper.NOT_A_DIGIT if truth == NO_DIGIT else int(truth))
    if not images:
        raise DataError(f"{data.name} has no picture with a digit in it")
    return ImageSet(data.name, np.stack(images), np.array(labels, np.uint8))


def _evaluate_images(data: ImageSet, reader: Reader, advance: Advance | None) -> Report:
    answers, confidences = np.empty(len(data.images), np.int64), np.empty(len(data.images))
    for start in range(0, len(data.images), 1000):
        block = data.images[start : start + 1000]
        answers[start : start + 1000], confidences[start : start + 1000] = reader.classify(block)
        if advance:
            advance(len(block))
    names = [*map(str, range(10)), NO_DIGIT]
    truths = np.minimum(data.labels, OTHER)
    answers[answers < 0] = OTHER
    misread = tuple(
        Misread(data.images[i], None, names[truths[i]], names[answers[i]]) for i in np.flatnonzero(answers != truths)
    )
    report = _report(data.name, reader, truths, answers, misread)
    return replace(report, calibration_error_percent=100 * calibration_error(confidences, answers == truths))


def _evaluate_pictures(data: PictureSet, reader: Reader, layout: str, advance: Advance | None) -> Report:
    if layout not in LAYOUTS:
        raise ArrayError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    answers: list[str] = []
    confidences, misread, unreadable, transcripts = [], [], [], []
    nothing = np.zeros((28, 28), np.uint8)
    for picture, truth in zip(data.pictures, data.truths, strict=True):
        image = nothing
        try:
            reading = reader.read(picture, layout)
            answer, confidence = reading.text, reading.confidence
            transcripts.append(reading.transcript.replace(" ", ""))
            image = reading.digits[0].image if reading.digits else nothing
        except Exception as error:  # of whatever kind: one picture does not stop the rest
            answer, confidence = NO_DIGIT, 1.0
            transcripts.append("")
            unreadable.append(one_line(error, _called(picture, len(answers))))
        answers.append(answer)
        confidences.append(confidence)
        if answer != truth:
            misread.append(Misread(image, picture, truth, answer))
        if advance:
            advance(1)
    if data.texts:
        report = _report_texts(data, reader, answers, tuple(misread))
        if data.transcripts:
            wrong = sum(a != t for a, t in zip(transcripts, data.transcripts, strict=True))
            report = replace(report, transcript_error_percent=100 * wrong / len(transcripts))
    else:
        report = _report(data.name, reader, _classes(data.truths), _classes(answers), tuple(misread))
    right = np.array([a == t for a, t in zip(answers, data.truths, strict=True)])
    calibration = 100 * calibration_error(np.array(confidences), right)
    return replace(report, unreadable=tuple(unreadable), calibration_error_percent=calibration)


def _called(picture: object, number: int) -> str:
    """The name of a picture in messages: its path, or its number if it has none."""
    return str(picture) if isinstance(picture, str | os.PathLike) else f"picture {number}"


def _classes(texts: list[str] | tuple[str, ...]) -> NDArray[np.int64]:
    """Texts as rows or columns of the confusion matrix; anything but a single digit counts as rejected."""
    return np.array([int(t) if len(t) == 1 and t in "0123456789" else OTHER for t in texts], np.int64)


def _report(
    name: str, reader: Reader, truths: NDArray[Any], answers: NDArray[np.int64], misread: tuple[Misread, ...]
) -> Report:
    confusion = np.zeros((OTHER + 1, OTHER + 1), np.int64)
    np.add.at(confusion, (truths, answers), 1)
    refused = int((answers == OTHER).sum())
    return Report(name, reader.weights.name, len(truths), len(misread), refused, confusion, misread)


def _report_texts(data: PictureSet, reader: Reader, answers: list[str], misread: tuple[Misread, ...]) -> Report:
    length = max(1, sum(map(len, data.truths)))
    distance = sum(edit_distance(a, t) for a, t in zip(answers, data.truths, strict=True))
    refused = sum(NO_DIGIT in answer for answer in answers)
    return Report(
        data.name, reader.weights.name, len(answers), len(misread), refused, None, misread,
        digit_error_percent=100 * distance / length,
    )  # fmt: skip


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions from a to b.

    >>> edit_distance("1234", "1244"), edit_distance("123", "1123")
    (1, 1)
    """
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]
