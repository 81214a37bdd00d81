"""Reader: weights and the stages of reading, composed."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, pixels, posterior
from lenet5 import weights as weights_of
from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import ArrayError, LeNet5Error
from lenet5.normalise import is_normal
from lenet5.reading.allowed import allowed_texts
from lenet5.reading.constraint import Constraint, compile_constraint
from lenet5.reading.geometry import Geometry
from lenet5.reading.glance import glanced, within_budget
from lenet5.reading.ink import inks_of
from lenet5.reading.lattice import LineModel, lattices_of
from lenet5.reading.layouts import allowed_lines, decided, every_line, likeliest_digit, refused_below, whole_line
from lenet5.reading.many import read_or_error, read_shared
from lenet5.reading.opening import Source, open_pages, open_picture
from lenet5.reading.picture import Picture, Region
from lenet5.reading.pieces import Pieces
from lenet5.reading.proposals import REACH, proposals_in
from lenet5.reading.score import PageScore
from lenet5.reading.select import best_set, rows
from lenet5.reading.word_features import features_of
from lenet5.reading.words import Seen, wholes_of, words_of
from lenet5.result import REFUSED, Box, Reading

__all__ = ["FAINTEST", "LAYOUTS", "Reader"]

LAYOUTS = ("auto", "digit", "line", "page")

FAINTEST: Final = 16
"""An image in MNIST's form whose darkest ink level is below this is blank, and refused."""

_ANYWHERE: Final = math.inf  # heights: in layout line all that stands in one row is one line
_DIGIT_PRIOR: Final = 30.0  # to one, in layout digit before looking: the least that costs no digit of drawn pages
_SLANT: Final = 0.15  # pixels sideways for each pixel of height


class Reader:
    """Reads digits from pictures.

    ``weights`` are a bundled name ("lenet5", "lenet5-mnist", "concise"), a safetensors file, or loaded weights;
    ``threads`` limits the engine's threads (None: all cores). Raises WeightsError.

    >>> reader = Reader("lenet5", threads=1)
    >>> reader.read(np.full((40, 40), 255, np.uint8)).text  # nothing stands there
    ''
    """

    def __init__(
        self, weights: str | os.PathLike[str] | weights_of.Weights = "lenet5", threads: int | None = None
    ) -> None:
        self.weights = weights if isinstance(weights, weights_of.Weights) else weights_of.load(weights)
        self._threads = threads
        self.line_model = self._line_model_of(self.weights)

    @cached_property
    def score(self) -> PageScore:
        """The page score of these weights; of weights that have none the bundled one. Raises WeightsError."""
        source = self.weights if "score" in self.weights.metadata else weights_of.load("lenet5")
        return PageScore.from_json(source.metadata["score"])

    def _line_model_of(self, weights: weights_of.Weights) -> LineModel:
        """How these weights read lines; what they do not say of it is taken from the bundled ones."""
        source = weights if "geometry" in weights.metadata else weights_of.load("lenet5")
        classes = "".join(c for c in weights.classes if c in DIGITS + SEPARATORS)
        geometry = Geometry.from_json(source.metadata["geometry"]).of(classes)
        power = weights.number("inverse_temperature", source.number("inverse_temperature", 1.0))
        return LineModel(classes, self._line_answers, geometry, power)

    def read(
        self,
        source: Source,
        layout: str = "auto",
        min_confidence: float | None = None,
        region: Region | None = None,
        pattern: str | None = None,
        choices: Sequence[str] | None = None,
        check: str | Callable[[str], bool] | None = None,
        rotate: str | None = None,
    ) -> Reading:
        """What stands in a picture: a path, bytes, a PIL image, or an array (see ``open_picture``).

        ``layout`` "digit" always answers with exactly one Digit, "line" with one line, all of it taken for digits and
        separators, "page" and "auto" with as many lines as there are, words and drawings left out. Digits less sure
        than ``min_confidence`` (0..1) become "?". Of a ``region``, a Box or four fractions, only what stands in it is
        read. ``pattern``, ``choices`` and ``check`` say what the text may be (see ``compile_constraint``): the best
        allowed text is the answer, of layouts auto and page in each line that may hold one. ``rotate`` "auto" tries
        four ways up and takes the likeliest. Raises PictureError, PatternError, and ArrayError for an argument that
        does not exist.

        >>> Reader().read(np.full((40, 40), 255, np.uint8)).text
        ''
        """
        constraint = self._checked(layout, min_confidence, pattern, choices, check, rotate)
        opened = open_picture(source)
        opened = opened if region is None else opened.cropped(region)
        ways = [opened] if rotate is None else [opened.turned(turns) for turns in range(4)]
        reading = max((self._read(way, layout, constraint) for way in ways), key=_likely_digits)
        return refused_below(reading, min_confidence) if min_confidence else reading

    def _checked(
        self,
        layout: str = "auto",
        min_confidence: float | None = None,
        pattern: str | None = None,
        choices: Sequence[str] | None = None,
        check: str | Callable[[str], bool] | None = None,
        rotate: str | None = None,
    ) -> Constraint | None:
        """The constraint that the arguments of ``read`` give, once all are known to make sense."""
        if layout not in LAYOUTS:
            raise ArrayError(f"layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
        if min_confidence is not None and not (isinstance(min_confidence, int | float) and 0 <= min_confidence <= 1):
            raise ArrayError(f"min_confidence is a probability in 0..1, not {min_confidence!r}")
        if rotate not in (None, "auto"):
            raise ArrayError(f"rotate must be None or 'auto', not {rotate!r}")
        return compile_constraint(self.line_model.classes, pattern, choices, check)

    def _read(self, opened: Picture, layout: str, constraint: Constraint | None) -> Reading:
        """What stands in a picture this way up."""
        if layout == "digit":
            return self._digit(opened, constraint)
        is_line, power = layout == "line", self.line_model.inverse_temperature
        seen = self.seen(opened, alone=is_line)
        p = self.scored(seen)
        if constraint is not None:
            candidates = allowed_texts(seen.words, p, constraint, power, is_line)
            return allowed_lines(opened, seen, p, self.score, candidates, is_line)
        if is_line:
            return whole_line(opened, seen, p, self.score, self.line_model)
        return every_line(opened, seen, p, self.score)

    def seen(self, source: Source, alone: bool = False) -> Seen:
        """All words of all proposals of all inks of a picture.

        Of one that shows a line ``alone`` nothing is taken for words, and all in a row is one line.
        """
        opened = open_picture(source)
        inks = inks_of(opened.grey, opened.darkest, opened.lightest)
        proposals = proposals_in(inks, _ANYWHERE if alone else REACH)
        every = glanced(proposals, self._p_digit, every=alone)
        glances = within_budget(every)
        lattices = lattices_of([glance.proposal.line() for glance in glances], self.line_model)
        words = words_of(glances, lattices) + ([] if alone else wholes_of(glances, lattices))
        note = f"so much stands here that only the likeliest {len(glances)} of {len(every)} lines were read"
        notes = opened.notes if len(glances) == len(every) else (*opened.notes, note)
        return Seen(words, features_of(words, opened.grey.shape), any(ink.cover > 0 for ink in inks), notes)

    def pieces(self, source: Source) -> list[Pieces]:
        """The pieces of each line that layout page gives, for looking at: those around its longest word."""
        seen = self.seen(source)
        selected = best_set(seen.edges, seen.numbers, self.scored(seen), seen.digits)
        lines = [[seen.words[selected[k]] for k in row] for row in rows(seen.edges[selected], seen.numbers[selected])]
        return [max(line, key=lambda word: len(word.text)).lattice.pieces for line in lines]

    def scored(self, seen: Seen) -> NDArray[np.float64]:
        """(N, 2): P(a number stands there) of each word, and P(and it is read rightly)."""
        return self.score(seen.features, seen.numbers)

    def _digit(self, opened: Picture, constraint: Constraint | None) -> Reading:
        """Layout digit: one digit, whatever the picture shows; with a constraint one that it allows, if any."""
        image, box, there = self._one_digit(opened)
        p = self._digit_answers(image[None])[0]
        digit = decided(p, image, box, _DIGIT_PRIOR * there / (_DIGIT_PRIOR * there + 1 - there))
        if constraint is None:
            return Reading(((digit,),), digit.confidence, notes=opened.notes)
        answers = [(digit.label, digit.confidence), *digit.alternatives]
        allowed = [(label, p) for label, p in answers if label != REFUSED and constraint.allows(label)]
        if allowed:
            label, p = allowed[0]
            others = tuple(answer for answer in answers if answer[0] != label)
            digit = replace(digit, label=label, confidence=p, alternatives=others)
        any_allowed = sum(p for _, p in allowed)
        return Reading(((digit,),), digit.confidence, notes=opened.notes, allowed=any_allowed)

    def _one_digit(self, opened: Picture) -> tuple[NDArray[np.uint8], Box, float]:
        """The 28×28 image of the likeliest single digit of a picture, its box, and P(it stands there).

        Without ink the image is all 0.
        """
        if opened.grey.shape == (paper.SIDE, paper.SIDE):
            image = np.round(255 * opened.grey).astype(np.uint8)
            if is_normal(image):
                return image, opened.bounds, 1.0
        seen = self.seen(opened)
        return likeliest_digit(opened, seen, self.scored(seen))

    def image(self, source: Source) -> NDArray[np.uint8]:
        """The 28×28 uint8 in MNIST's form that the network sees of a picture of one digit; all 0 if blank."""
        return self._one_digit(open_picture(source))[0]

    def pages(
        self, source: Source, layout: str = "auto", min_confidence: float | None = None, **how: Any
    ) -> Iterator[Reading]:
        """``read`` for each page of a TIFF or PDF, one by one; for anything else, once."""
        for opened in open_pages(source):
            yield replace(self.read(opened, layout, min_confidence, **how), page=opened.page)

    def read_many(
        self,
        sources: Iterable[Source],
        layout: str = "auto",
        min_confidence: float | None = None,
        *,
        jobs: int | None = None,
        **how: Any,
    ) -> Iterator[Reading | LeNet5Error]:
        """``read`` for each source, in order, as they come; a source that fails gives its error instead.

        ``jobs`` processes share the work, and no more sources are taken than keep them busy; None reads in this one.
        Raises what is wrong with the other arguments before any source is taken.
        """
        how |= {"layout": layout, "min_confidence": min_confidence}
        self._checked(**{name: given for name, given in how.items() if name != "region"})
        if jobs is None or jobs < 2:
            return (read_or_error(partial(self.read, **how), source) for source in sources)
        pickle.dumps(how)
        return read_shared(partial(Reader(self.weights, threads=1).read, **how), sources, jobs)

    def classify(self, images: NDArray[np.uint8], views: int = 3) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Answers to images in MNIST's form, (N, 28, 28) uint8 with ink 255, as they are.

        Returns labels (N,) int8, −1 where refused as none of the digits, and their probabilities (N,) float32.
        Probabilities are averaged over the image and two slanted ``views`` of it, or with 1 the network's own. Raises
        ArrayError for another shape or type.
        """
        p = self.probabilities(images, views)
        best = p.argmax(axis=1)
        labels = np.where(best == posterior.RUBBISH, -1, best).astype(np.int8)
        return labels, p[np.arange(len(p)), best].astype(np.float32)

    def probabilities(self, images: NDArray[np.uint8], views: int = 3) -> NDArray[np.float64]:
        """What ``classify`` chooses from: P of the ten digits and, last, of none of them, (N, 11), rows adding to 1."""
        if getattr(images, "dtype", None) != np.uint8:
            raise ArrayError(f"images must be a uint8 array with ink 255, not {getattr(images, 'dtype', type(images))}")
        if images.shape[1:] != (paper.SIDE, paper.SIDE):
            raise ArrayError(f"images must be (N, {paper.SIDE}, {paper.SIDE}), not {images.shape}")
        if views not in (1, 3):
            raise ArrayError(f"views must be 1 or 3, not {views}")
        return self._digit_answers(images, views)

    def rejections(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How likely each image in MNIST's form, (N, 28, 28) uint8, is none of the digits: (N,) in 0..1."""
        return self._digit_answers(images)[:, posterior.RUBBISH].astype(np.float32)

    def _digit_answers(self, images: NDArray[np.uint8], views: int = 3) -> NDArray[np.float64]:
        """(N, 11): the ten digits and none of them; separators do not compete."""
        return self._answers(images, DIGITS, views)

    def _p_digit(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N,): how likely images are digits, at a glance."""
        return np.asarray(self._answers(images, DIGITS + SEPARATORS, views=1)[:, : len(DIGITS)].sum(axis=1))

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
        p[images.max(axis=(1, 2), initial=0) < FAINTEST] = np.eye(p.shape[1])[-1]
        return np.asarray(p)


def _likely_digits(reading: Reading) -> float:
    """How many digits of a reading are right, in the mean."""
    return sum(digit.confidence for digit in reading.digits if digit.label != REFUSED)


def _slanted(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (N, 28, 28) as they are, then slanted to one side and to the other: (3, N, 28, 28)."""
    middle = (paper.SIDE - 1) / 2
    result = np.stack([images] * 3)
    for way, slant in ((1, -_SLANT), (2, _SLANT)):
        matrix = np.array([[1, slant, -slant * middle], [0, 1, 0]])
        for image, slanted in zip(images, result[way], strict=True):
            cv2.warpAffine(image, matrix, image.shape, dst=slanted)
    return result
