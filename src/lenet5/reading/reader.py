"""Reader: weights and the stages of reading, composed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, pixels, posterior, weights
from lenet5.answer import REFUSED, Box, Digit, Reading, Separator
from lenet5.errors import ArrayError
from lenet5.normalise import normalise
from lenet5.reading import line, picture, single
from lenet5.reading.ink import without_impulses
from lenet5.reading.lines import Line, find_lines
from lenet5.reading.numbers import numbers

__all__ = ["LAYOUTS", "Reader"]

LAYOUTS = ("auto", "digit", "line", "page")

_FAINTEST: Final = 16  # an image whose darkest ink level is below this is blank
_STRIP: Final = 0.3  # of a picture's height: with digits so tall it shows one line
_FEW: Final = 4  # marks: a picture with more in it does not show one digit
_CLEAR: Final = 8.0  # standard deviations of the rest of a picture by which ink stands out from it
_LIKELY: Final = 0.5  # it must so likely be a digit to be one, where there may be none
_ICON: Final = 64  # pixels of the longer side
_SLANT: Final = 0.15  # pixels sideways for each pixel of height
_LEAST_ALTERNATIVE: Final = 0.0005  # alternatives less likely than this are not listed


class Reader:
    """Reads digits from pictures with one set of weights.

    ``name`` is a bundled name ("lenet5", "concise") or a safetensors file; ``threads`` limits
    the engine's threads (None: all cores). Raises WeightsError.
    """

    def __init__(self, name: str | os.PathLike[str] | weights.Weights = "lenet5", threads: int | None = None) -> None:
        self.weights = name if isinstance(name, weights.Weights) else weights.load(name)
        self._threads = threads

    def read(self, source: picture.Source, layout: str = "auto", min_confidence: float | None = None) -> Reading:
        """What stands in a picture: a path, bytes, a PIL image, or an array (see ``open_picture``).

        ``layout`` "digit" always answers with exactly one Digit, "line" with one line, all of it taken for
        digits and separators, "page" with as many lines as there are, words and drawings left out;
        "auto" is "digit" for a picture with a single mark or of no more than 64 pixels and nearly square, "line"
        where one fills its height, else "page". Digits less sure than ``min_confidence`` (0..1) become "?".
        Raises PictureError.
        """
        if layout not in LAYOUTS:
            raise ArrayError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise ArrayError(f"min_confidence is a probability in 0..1, not {min_confidence}")
        opened = picture.open_picture(source)
        opened = replace(opened, grey=without_impulses(opened.grey))
        least = min_confidence or 0.0
        if layout == "digit" or (layout == "auto" and _is_icon(opened)):
            return self._read_digit(opened, least, blank=layout == "auto")[0]
        lines = find_lines(opened.grey, single=layout == "line")
        alone = layout == "line"
        if layout == "auto" and lines and max(one.height for one in lines) >= _STRIP * opened.grey.shape[0]:
            lines, alone = find_lines(opened.grey, single=True), True
        reading, seen = self._read_lines(opened, lines, least, alone)
        if layout == "auto" and len(reading.digits) < 2 and seen <= _FEW:
            single, likely = self._read_digit(opened, least, blank=True)
            agreed = reading.text == single.text and single.text not in (REFUSED, "1")  # a shadow's edge is a 1 to both
            return single if likely or agreed else Reading(lines=(), confidence=1.0, notes=opened.notes)
        return reading

    def pages(
        self, source: picture.Source, layout: str = "auto", min_confidence: float | None = None
    ) -> Iterator[Reading]:
        """``read`` for each page of a TIFF, one by one; for anything else, once."""
        for opened in picture.open_pages(source):
            yield replace(self.read(opened, layout, min_confidence), page=opened.page)

    def _read_digit(self, opened: picture.Picture, least: float, blank: bool) -> tuple[Reading, bool]:
        """The one digit of a picture; where ``blank`` is allowed, no line at all if there is no ink.

        And whether it is likely that there is a digit: something that stands out and looks like one.
        """
        image, box, clear = _see_digit(opened)
        if blank and not image.any():
            return Reading(lines=(), confidence=1.0, notes=opened.notes), False
        digit = self._decide(image, box, least)
        others = (p for label, p in digit.alternatives if label != REFUSED)
        best = max(others, default=0.0) if digit.label == REFUSED else digit.confidence
        likely = clear >= _CLEAR and best >= _LIKELY
        return Reading(lines=((digit,),), confidence=digit.confidence, notes=opened.notes), likely

    def _read_lines(self, opened: picture.Picture, found: list[Line], least: float, alone: bool) -> tuple[Reading, int]:
        """Every line of digits among those found, or the one that is ``alone``; and how many marks were seen."""
        lines, confidence = [], 1.0
        read = [line.read_line(one, self._answers) for one in found]
        chosen = [one.words for one in read] if alone else numbers(one.words for one in read)
        for one, words in zip(read, chosen, strict=True):
            before = line.trimmed([mark for word in words for mark in word])
            if any(isinstance(mark, Digit) for mark in before):
                after = tuple(_shown(mark, opened, least) for mark in before)
                lines.append(after)
                confidence *= line.confidence(before, one.share)
                for old, new in zip(before, after, strict=True):
                    if isinstance(old, Digit) and isinstance(new, Digit) and new.label != old.label:
                        confidence *= new.confidence / max(old.confidence, 1e-12)
        seen = sum(len(word) for one in read for word in one.words)
        return Reading(tuple(lines), confidence, notes=opened.notes), seen

    def classify(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Answers to images in MNIST's form, (N, 28, 28) uint8 with ink 255, as they are.

        Returns labels (N,) int8, −1 where refused as rubbish, and their probabilities (N,) float32.
        Raises ArrayError for another shape or type.
        """
        if getattr(images, "dtype", None) != np.uint8:
            raise ArrayError(f"images must be a uint8 array with ink 255, not {getattr(images, 'dtype', type(images))}")
        p = self._probabilities(images)
        best = p.argmax(axis=1)
        labels = np.where(best == posterior.RUBBISH, -1, best).astype(np.int8)
        return labels, p[np.arange(len(p)), best].astype(np.float32)

    def image(self, source: picture.Source) -> NDArray[np.uint8]:
        """The 28×28 uint8 in MNIST's form that the network sees of a picture of one digit; all 0 if blank."""
        return _see_digit(picture.open_picture(source))[0]

    def _probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, 11): the ten digits and rubbish, which images without any ink are for certain."""
        network = self.weights.network
        outputs = engine.forward(self.weights.parameters, pixels.network_input(network, images), threads=self._threads)
        p = posterior.probabilities(posterior.penalties(network, outputs), self.weights.j, self.weights.temperature)
        p[images.max(axis=(1, 2), initial=0) < _FAINTEST] = np.eye(posterior.RUBBISH + 1)[posterior.RUBBISH]
        return p

    def _answers(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, 11): as ``_probabilities``, averaged over images as they are and slanted both ways."""
        slanted = _slanted(images)
        p = self._probabilities(slanted.reshape(-1, paper.SIDE, paper.SIDE))
        return np.asarray(p.reshape(*slanted.shape[:2], posterior.RUBBISH + 1).mean(axis=0))

    def _decide(self, image: NDArray[np.uint8], box: Box, min_confidence: float) -> Digit:
        """The answer to one image, refused where rubbish is likelier or no digit is sure enough."""
        p = self._answers(image[None])[0]
        names = [str(digit) for digit in range(10)] + [REFUSED]
        order = [int(k) for k in np.argsort(-p, kind="stable")]
        sure = order[0] != posterior.RUBBISH and p[order[0]] >= min_confidence
        answer = order[0] if sure else posterior.RUBBISH
        others = tuple((names[k], float(p[k])) for k in order if k != answer and p[k] >= _LEAST_ALTERNATIVE)
        return Digit(names[answer], float(p[answer]), box, others, image)


def _slanted(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (N, 28, 28) as they are, then slanted to one side and to the other: (3, N, 28, 28)."""
    middle = (paper.SIDE - 1) / 2
    result = np.stack([images] * 3)
    for way, slant in ((1, -_SLANT), (2, _SLANT)):
        matrix = np.array([[1, slant, -slant * middle], [0, 1, 0]])
        for image, slanted in zip(images, result[way], strict=True):
            cv2.warpAffine(image, matrix, image.shape, dst=slanted)
    return result


def _shown(mark: Digit | Separator, opened: picture.Picture, least: float) -> Digit | Separator:
    """A mark with its box in the picture as shown; a digit that is not sure enough is refused."""
    box = opened.box(mark.box)
    if isinstance(mark, Separator) or mark.label == REFUSED or mark.confidence >= least:
        return replace(mark, box=box)
    others = ((mark.label, mark.confidence), *mark.alternatives)
    return Digit(REFUSED, 1 - sum(p for _, p in others), box, others, mark.image)


def _is_icon(opened: picture.Picture) -> bool:
    """Whether a picture is so small and square that it is taken for one digit, as MNIST's images are."""
    shorter, longer = sorted(opened.grey.shape)
    return bool(longer <= min(_ICON, 1.5 * shorter))


def _see_digit(opened: picture.Picture) -> tuple[NDArray[np.uint8], Box, float]:
    """Layout digit: the picture's one digit in MNIST's form, its box, and how clearly it stands out.

    All 0 where the picture is blank.
    """
    found = single.find_digit(opened.grey)
    if found is None:
        return np.zeros((paper.SIDE, paper.SIDE), np.uint8), Box(0, 0, *opened.size), 0.0
    return normalise(found.ink), opened.box(found.box), found.clear
