"""Reader: weights and the stages of reading, composed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import compress
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, pixels, posterior
from lenet5 import weights as weights_of
from lenet5.answer import REFUSED, Box, Digit, Reading, Separator
from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import ArrayError
from lenet5.normalise import is_normal, normalise
from lenet5.reading import line, picture, single
from lenet5.reading.evidence import (
    SURE,
    OneDigit,
    is_writing,
    likeliest,
    p_digit,
    p_left_out,
    p_number,
    p_trimmed,
)
from lenet5.reading.geometry import Geometry
from lenet5.reading.lines import Line, find_lines
from lenet5.reading.parts import PHOTO
from lenet5.reading.sheet import without_ground
from lenet5.reading.words import are_digits, numbers

__all__ = ["LAYOUTS", "Reader"]

LAYOUTS = ("auto", "digit", "line", "page")

_FAINTEST: Final = 16  # an image whose darkest ink level is below this is blank
_STRIP: Final = 0.3  # of a picture's height: with digits so tall it shows one line
_FEW: Final = 4  # marks: a picture with more in it does not show one digit
_MANY: Final = 40  # marks: with more it shows a page, on which no single digit is looked for
_AROUND: Final = 0.5  # of a digit's longer side is near it
_ICON: Final = 64  # pixels of the longer side
_SLANT: Final = 0.15  # pixels sideways for each pixel of height
_LEAST_ALTERNATIVE: Final = 0.0005  # alternatives less likely than this are not listed


class Reader:
    """Reads digits from pictures.

    ``weights`` are a bundled name ("lenet5", "lenet5-mnist", "concise"), a safetensors file, or loaded weights;
    ``threads`` limits the engine's threads (None: all cores). Raises WeightsError.
    """

    def __init__(
        self, weights: str | os.PathLike[str] | weights_of.Weights = "lenet5", threads: int | None = None
    ) -> None:
        self.weights = weights if isinstance(weights, weights_of.Weights) else weights_of.load(weights)
        self._threads = threads
        self.line_model = self._line_model_of(self.weights)

    def _line_model_of(self, own: weights_of.Weights) -> line.LineModel:
        """How these weights read lines; what they do not say of it is taken from the bundled ones."""
        source = own if "geometry" in own.metadata else weights_of.load("lenet5")
        classes = "".join(c for c in own.classes if c in DIGITS + SEPARATORS)
        geometry = Geometry.from_json(source.metadata["geometry"]).of(classes)
        power = own.number("inverse_temperature", source.number("inverse_temperature", 1.0))
        return line.LineModel(classes, self._line_answers, geometry, power)

    def read(self, source: picture.Source, layout: str = "auto", min_confidence: float | None = None) -> Reading:
        """What stands in a picture: a path, bytes, a PIL image, or an array (see ``open_picture``).

        ``layout`` "digit" always answers with exactly one Digit, "line" with one line, all of it taken for
        digits and separators, "page" with as many lines as there are, words and drawings left out;
        "auto" is "digit" for a picture of no more than 64 pixels and nearly square, unless it is blank or surely
        shows a number, for one of a box with one digit in it, and for one with a single mark, or one that fills its
        height, that is likely a digit; "line" where one fills its height, else "page". Digits less sure than
        ``min_confidence`` (0..1) become "?".
        Raises PictureError.
        """
        if layout not in LAYOUTS:
            raise ArrayError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ArrayError(f"min_confidence is a probability in 0..1, not {min_confidence}")
        reading = self._read(_opened(source), layout)
        return _refused_below(reading, min_confidence) if min_confidence else reading

    def _read(self, opened: picture.Picture, layout: str) -> Reading:
        """What stands in a picture, however doubtful."""
        if layout == "digit":
            return self._read_digit(opened, blank=False).reading
        if layout == "auto" and (digit := self._by_itself(opened)):
            return digit
        alone = layout == "line"
        lines = find_lines(opened.grey, single=alone, known=alone)
        if layout == "auto" and lines and max(one.height for one in lines) >= _STRIP * opened.grey.shape[0]:
            lines, alone = find_lines(opened.grey, single=True), True
        reading, seen, rightly = self._read_lines(opened, lines, alone)
        if layout == "auto" and seen <= _MANY:
            if len(reading.digits) < 2 and seen <= _FEW:
                return self._only_digit(opened, reading, rightly)
            if not reading.digits or (len(reading.digits) <= _FEW and reading.confidence < SURE):
                one = self._read_digit(opened, blank=True)
                if one.outdoes(reading, lines):
                    return one.reading
                if not reading.digits:
                    rightly = min(rightly, one.p_blank)
        if layout != "line" and not is_writing(reading, opened.size, opened.scale):
            rightly = min(rightly, *(1 - p_number(marks) for marks in reading.lines))
            reading = Reading((), 1.0, notes=opened.notes)
        if not reading.digits and rightly == 1:  # no line told how likely there is a digit
            rightly = self._read_digit(opened, blank=True).p_blank
        return replace(reading, confidence=reading.confidence * rightly)

    def _by_itself(self, opened: picture.Picture) -> Reading | None:
        """Layout auto: what a picture shows that is made for one digit, as an icon, a box or one cropped to its ink is.

        An icon may surely show a number instead. None where a picture is none of these.
        """
        if _is_icon(opened):
            one = self._read_digit(opened, blank=True)
            several = one.reading.text == REFUSED or (one.found is not None and one.found.beside)
            return (several and self._number(opened)) or one.reading
        boxed = single.is_boxed(opened.grey)
        if boxed or single.fills(opened.grey):
            one = self._read_digit(opened, blank=True)
            if one.is_likely() if boxed else one.fills():
                return one.reading
        return None

    def _number(self, opened: picture.Picture) -> Reading | None:
        """The line of several digits that a picture surely shows, which may be of one; None if it shows none."""
        reading, _, rightly = self._read_lines(opened, find_lines(opened.grey, single=True), alone=True)
        reading = replace(reading, confidence=reading.confidence * rightly)
        sure = all(digit.label != REFUSED and digit.confidence >= SURE for digit in reading.digits)
        return reading if len(reading.digits) > 1 and sure else None

    def _only_digit(self, opened: picture.Picture, reading: Reading, rightly: float) -> Reading:
        """What a picture shows of which ``reading`` lines gave one digit or none: one digit that is likely, or nothing.

        It may stand out from the whole picture, or from what is near it, or be the same to both ways of reading.
        ``rightly`` is P(what the lines left out is no number).
        """
        digit = self._read_digit(opened, blank=True)
        if digit.is_likely():
            return digit.reading
        if reading.digits:
            near = self._read_digit(_near(opened, reading.digits[0].box), blank=True)
            near = replace(near, small=digit.small)
            if near.is_likely() and near.reading.text == reading.text:
                return replace(reading, confidence=reading.confidence * rightly)
        text = digit.reading.text
        agreed = reading.text == text and text not in (REFUSED, "1")  # a shadow's edge is a 1 to both
        if agreed and text:
            return digit.reading
        return Reading((), min(rightly, digit.p_blank, 1 - p_number(reading.digits)), notes=opened.notes)

    def pages(
        self, source: picture.Source, layout: str = "auto", min_confidence: float | None = None
    ) -> Iterator[Reading]:
        """``read`` for each page of a TIFF, one by one; for anything else, once."""
        for opened in picture.open_pages(source):
            yield replace(self.read(opened, layout, min_confidence), page=opened.page)

    def _read_digit(self, opened: picture.Picture, blank: bool) -> OneDigit:
        """The one digit of a picture; where ``blank`` is allowed, no line at all if there is no ink, or no stroke."""
        shape = opened.grey.shape
        small = max(shape) <= PHOTO
        if shape == (paper.SIDE, paper.SIDE) and is_normal(image := np.round(255 * opened.grey).astype(np.uint8)):
            digit = self._decide(image, Box(0, 0, *opened.size))
            return OneDigit(Reading(((digit,),), digit.confidence, notes=opened.notes), None, shape, small)
        found = single.find_digit(opened.grey)
        if blank and (found is None or found.clear == 0):
            ink = found.ink if found else single.whole_ink(opened.grey)
            whole = Box(0, 0, *opened.size)
            p = 0.0 if ink is None else p_digit(self._decide(normalise(ink), opened.box(found.box) if found else whole))
            return OneDigit(Reading(lines=(), confidence=1 - p, notes=opened.notes), found, shape, small)
        if found is None:
            digit = self._decide(np.zeros((paper.SIDE, paper.SIDE), np.uint8), Box(0, 0, *opened.size))
        else:
            digit = self._decide(normalise(found.ink), opened.box(found.box))
            if likeliest(digit)[1] < SURE:
                digit, found = self._second_look(opened, digit, found)
        return OneDigit(Reading(((digit,),), digit.confidence, notes=opened.notes), found, shape, small)

    def _second_look(
        self, opened: picture.Picture, digit: Digit, found: single.Candidate
    ) -> tuple[Digit, single.Candidate]:
        """A doubtful digit, or what surely is one: its main part, without a word beside it, or all of it without lines
        along the picture's border."""
        others = [replace(found, ink=found.main[0], box=found.main[1])] if found.main else []
        hemmed = single.find_digit(opened.grey, hemmed=True)
        if hemmed is not None and (hemmed.box != found.box or hemmed.ink.sum() != found.ink.sum()):
            others.append(hemmed)
        for other in others:
            seen = self._decide(normalise(other.ink), opened.box(other.box))
            if seen.label != REFUSED and seen.confidence >= max(SURE, likeliest(digit)[1]):
                return seen, other
        return digit, found

    def _read_lines(self, opened: picture.Picture, found: list[Line], alone: bool) -> tuple[Reading, int, float]:
        """Every line of digits among those found, or the one that is ``alone``; how many marks were seen; and
        P(what was left out of them is no number), which the reading's confidence leaves aside."""
        lines, confidence = [], 1.0
        read = [line.read_line(one, self.line_model) for one in found]
        if not alone and not are_digits(one.tempered for one in read):
            read = [line.read_line(one, self.line_model, thorough=True) for one in found]
        told = [[True]] * len(read) if alone else numbers(one.tempered for one in read)
        kept = [
            [True] * len(one.words) if alone or where.in_cells else which
            for where, one, which in zip(found, read, told, strict=True)
        ]
        rightly = p_left_out((one.tempered for one in read), kept)
        for one, which in zip(read, kept, strict=True):
            every = [mark for word in compress(one.words, which) for mark in word]
            marks = line.trimmed(every)
            rightly *= p_trimmed(every, marks)
            if any(isinstance(mark, Digit) for mark in marks):
                lines.append(tuple(replace(mark, box=opened.box(mark.box)) for mark in marks))
                confidence *= one.posterior
        seen = sum(len(word) for one in read for word in one.words)
        return Reading(tuple(lines), confidence, notes=opened.notes), seen, rightly

    def classify(self, images: NDArray[np.uint8], views: int = 3) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Answers to images in MNIST's form, (N, 28, 28) uint8 with ink 255, as they are.

        Returns labels (N,) int8, −1 where refused as none of the digits, and their probabilities (N,) float32.
        Probabilities are averaged over the image and two slanted ``views`` of it, or with 1 the network's own. Raises
        ArrayError for another shape or type.
        """
        if getattr(images, "dtype", None) != np.uint8:
            raise ArrayError(f"images must be a uint8 array with ink 255, not {getattr(images, 'dtype', type(images))}")
        if images.ndim != 3 or images.shape[1:] != (paper.SIDE, paper.SIDE):
            raise ArrayError(f"images must be (N, {paper.SIDE}, {paper.SIDE}), not {images.shape}")
        if views not in (1, 3):
            raise ArrayError(f"views must be 1 or 3, not {views}")
        p = self._digit_answers(images, views)
        best = p.argmax(axis=1)
        labels = np.where(best == posterior.RUBBISH, -1, best).astype(np.int8)
        return labels, p[np.arange(len(p)), best].astype(np.float32)

    def rejections(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How likely each image in MNIST's form, (N, 28, 28) uint8, is none of the digits: (N,) in 0..1."""
        return self._digit_answers(images)[:, posterior.RUBBISH].astype(np.float32)

    def image(self, source: picture.Source) -> NDArray[np.uint8]:
        """The 28×28 uint8 in MNIST's form that the network sees of a picture of one digit; all 0 if blank."""
        found = single.find_digit(_opened(source).grey)
        return np.zeros((paper.SIDE, paper.SIDE), np.uint8) if found is None else normalise(found.ink)

    def _digit_answers(self, images: NDArray[np.uint8], views: int = 3) -> NDArray[np.float64]:
        """(N, 11): the ten digits and none of them; separators do not compete."""
        return self._answers(images, DIGITS, views)

    def _line_answers(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, C + 1): the classes that stand in lines, and none of them."""
        return self._answers(images, DIGITS + SEPARATORS)

    def _answers(self, images: NDArray[np.uint8], kept: str, views: int = 3) -> NDArray[np.float64]:
        """The probabilities of the classes that are ``kept`` and of rubbish, averaged over views of each image.

        Images without any ink are rubbish for certain.
        """
        by, seen = self.weights, _slanted(images) if views == 3 else images[None]
        flat = seen.reshape(-1, paper.SIDE, paper.SIDE)
        seen_as = pixels.network_input(by.network, flat)
        outputs = engine.forward(by.parameters, seen_as, threads=self._threads, codes=by.codes)
        penalty = posterior.penalties(by.network, outputs)
        p = posterior.of_classes(penalty, by.classes, kept, by.j, by.temperature)
        p = p.reshape(len(seen), len(images), p.shape[1]).mean(axis=0)
        p[images.max(axis=(1, 2), initial=0) < _FAINTEST] = np.eye(p.shape[1])[-1]
        return np.asarray(p)

    def _decide(self, image: NDArray[np.uint8], box: Box) -> Digit:
        """The answer to one image, refused where none of the digits is likelier than each of them."""
        p = self._digit_answers(image[None])[0]
        names = [*DIGITS, REFUSED]
        order = [int(k) for k in np.argsort(-p, kind="stable")]
        answer = order[0]
        others = tuple((names[k], float(p[k])) for k in order if k != answer and p[k] >= _LEAST_ALTERNATIVE)
        return Digit(names[answer], float(p[answer]), box, others, image)


def _opened(source: picture.Source) -> picture.Picture:
    """A picture as it is read: what lies around a sheet of paper is paper, too."""
    opened = picture.open_picture(source)
    return replace(opened, grey=without_ground(opened.grey))


def _slanted(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (N, 28, 28) as they are, then slanted to one side and to the other: (3, N, 28, 28)."""
    middle = (paper.SIDE - 1) / 2
    result = np.stack([images] * 3)
    for way, slant in ((1, -_SLANT), (2, _SLANT)):
        matrix = np.array([[1, slant, -slant * middle], [0, 1, 0]])
        for image, slanted in zip(images, result[way], strict=True):
            cv2.warpAffine(image, matrix, image.shape, dst=slanted)
    return result


def _refused_below(reading: Reading, least: float) -> Reading:
    """The reading with its digits that are less sure than ``least`` refused."""
    lines, confidence = [], reading.confidence
    for marks in reading.lines:
        shown: list[Digit | Separator] = []
        for mark in marks:
            if isinstance(mark, Digit) and mark.label != REFUSED and mark.confidence < least:
                others = ((mark.label, mark.confidence), *((k, p) for k, p in mark.alternatives if k != REFUSED))
                refused = Digit(REFUSED, 1 - sum(p for _, p in others), mark.box, others, mark.image)
                confidence *= refused.confidence / max(mark.confidence, 1e-12)
                shown.append(refused)
            else:
                shown.append(mark)
        lines.append(tuple(shown))
    return replace(reading, lines=tuple(lines), confidence=confidence)


def _is_icon(opened: picture.Picture) -> bool:
    """Whether a picture is so small and square that it is taken for one digit, as MNIST's images are."""
    shorter, longer = sorted(opened.grey.shape)
    return bool(longer <= min(_ICON, 1.5 * shorter))


def _near(opened: picture.Picture, box: Box) -> picture.Picture:
    """The part of a picture around a box, half as much again on each side."""
    left, top, right, bottom = (edge * opened.scale for edge in (box.left, box.top, box.right, box.bottom))
    margin = _AROUND * max(right - left, bottom - top)
    rows, columns = (
        slice(max(int(top - margin), 0), int(bottom + margin)),
        slice(max(int(left - margin), 0), int(right + margin)),
    )
    return replace(opened, grey=np.ascontiguousarray(opened.grey[rows, columns]))
