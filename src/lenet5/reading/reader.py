"""Reader: weights and the stages of reading, composed."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, pixels, posterior
from lenet5 import weights as weights_of
from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import ArrayError, LeNet5Error, PictureError, one_line
from lenet5.normalise import is_normal
from lenet5.processes import Killed, shared
from lenet5.reading import picture
from lenet5.reading.allowed import allowed_texts, best_allowed
from lenet5.reading.constraint import Constraint, compile_constraint
from lenet5.reading.decode import n_best
from lenet5.reading.geometry import Geometry
from lenet5.reading.glance import glanced, within_budget
from lenet5.reading.ink import inks_of
from lenet5.reading.lattice import Lattice, LineModel, lattices_of
from lenet5.reading.pieces import Pieces
from lenet5.reading.proposals import REACH, proposals_in
from lenet5.reading.score import PageScore, Word, features_of, wholes_of, words_of
from lenet5.reading.select import best_line, best_set, in_reading_order, left_out, rows, trimmed
from lenet5.result import REFUSED, Box, Digit, Reading, Separator

__all__ = ["FAINTEST", "LAYOUTS", "Reader", "Seen"]

LAYOUTS = ("auto", "digit", "line", "page")

FAINTEST: Final = 16
"""An image in MNIST's form whose darkest ink level is below this is blank, and refused."""

_ANYWHERE: Final = 100.0  # heights: in layout line all that stands in one row is one line
_DIGIT_PRIOR: Final = 30.0  # to one, in layout digit before looking: the least that costs no digit of drawn pages
_SLANT: Final = 0.15  # pixels sideways for each pixel of height
_TEXTS: Final = 5  # of a line, among them its own
_LEAST_ALTERNATIVE: Final = 0.0005  # alternatives less likely than this are not listed


@dataclass(frozen=True)
class Seen:
    """What was seen in a picture: its ``words``, their ``features`` (N, F), whether there is any ink, and notes."""

    words: list[Word]
    features: NDArray[np.float64]
    inked: bool
    notes: tuple[str, ...] = ()

    @property
    def edges(self) -> NDArray[np.float64]:
        """(N, 4): the boxes of the words: left, top, right, bottom."""
        return np.array([word.edges for word in self.words], np.float64).reshape(-1, 4)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,): which words are of one line."""
        return np.array([word.number for word in self.words], np.int64)

    @property
    def digits(self) -> NDArray[np.float64]:
        """(N,): how many digits each word holds."""
        return np.array([len(word.text) for word in self.words], np.float64)


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
        source: picture.Source,
        layout: str = "auto",
        min_confidence: float | None = None,
        region: picture.Region | None = None,
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
        opened = picture.open_picture(source)
        opened = opened if region is None else opened.cropped(region)
        ways = [opened] if rotate is None else [opened.turned(turns) for turns in range(4)]
        reading = max((self._read(way, layout, constraint) for way in ways), key=_likely_digits)
        return _refused_below(reading, min_confidence) if min_confidence else reading

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

    def _read(self, opened: picture.Picture, layout: str, constraint: Constraint | None) -> Reading:
        """What stands in a picture this way up."""
        if layout == "digit":
            return self._digit(opened, constraint)
        seen = self.seen(opened, alone=layout == "line")
        if constraint is not None:
            return self._allowed(opened, seen, constraint, whole=layout == "line")
        return self._line(opened, seen) if layout == "line" else self._every_line(opened, seen)

    def _allowed(self, opened: picture.Picture, seen: Seen, constraint: Constraint, whole: bool) -> Reading:
        """The best allowed text of the ``whole`` line, or of each line that may hold one."""
        p = self.scored(seen)
        candidates = allowed_texts(seen.words, p, constraint, self.line_model.inverse_temperature, whole)
        likely = max((candidate.there * candidate.any for candidate in candidates), default=0.0)
        if whole:  # that a line stands there is known
            best = sorted(candidates, key=lambda candidate: -candidate.there * candidate.any)[:1]
            right, any_allowed = (best[0].p, best[0].any) if best else (0.0, 0.0)
        else:
            best = best_allowed(candidates)
            right = math.prod(candidate.there * candidate.p for candidate in best)
            any_allowed = 1 - math.prod(1 - candidate.there * candidate.any for candidate in best) if best else likely
        lines = [(_boxed(opened, candidate.marks), candidate.text) for candidate in best]
        ordered = in_reading_order([marks for marks, _ in lines])
        named = tuple(text for marks in ordered for other, text in lines if other is marks)
        return Reading(
            tuple(ordered),
            right if best else self.score.confidence(p[:0, 1], left_out(seen.edges, p, [])) if seen.inked else 1.0,
            notes=seen.notes,
            allowed=any_allowed,
            alternatives=best[0].others if len(best) == 1 else (),
            texts=named,
        )

    def seen(self, source: picture.Source, alone: bool = False) -> Seen:
        """All words of all proposals of all inks of a picture.

        Of one that shows a line ``alone`` nothing is taken for words, and all in a row is one line.
        """
        opened = picture.open_picture(source)
        inks = inks_of(opened.grey, opened.darkest, opened.lightest)
        proposals = proposals_in(inks, _ANYWHERE if alone else REACH)
        every = glanced(proposals, self._p_digit, every=alone)
        glances = within_budget(every)
        lattices = lattices_of([glance.proposal.line() for glance in glances], self.line_model)
        words = words_of(glances, lattices) + ([] if alone else wholes_of(glances, lattices))
        note = f"so much stands here that only the likeliest {len(glances)} of {len(every)} lines were read"
        notes = opened.notes if len(glances) == len(every) else (*opened.notes, note)
        return Seen(words, features_of(words, opened.grey.shape), any(ink.cover > 0 for ink in inks), notes)

    def pieces(self, source: picture.Source) -> list[Pieces]:
        """The pieces of each line that layout page gives, for looking at: those around its longest word."""
        seen = self.seen(source)
        selected = best_set(seen.edges, seen.numbers, self.scored(seen), seen.digits)
        lines = [[seen.words[selected[k]] for k in row] for row in rows(seen.edges[selected], seen.numbers[selected])]
        return [max(line, key=lambda word: len(word.text)).lattice.pieces for line in lines]

    def scored(self, seen: Seen) -> NDArray[np.float64]:
        """(N, 2): P(a number stands there) of each word, and P(and it is read rightly)."""
        return self.score(seen.features, seen.numbers)

    def _every_line(self, opened: picture.Picture, seen: Seen) -> Reading:
        """Layouts auto and page: the best set of words, those of one line together."""
        p = self.scored(seen)
        selected = best_set(seen.edges, seen.numbers, p, seen.digits)
        lines = [
            trimmed([mark for k in row for mark in seen.words[selected[k]].marks])
            for row in rows(seen.edges[selected], seen.numbers[selected])
        ]
        lines = [line for line in lines if any(isinstance(mark, Digit) for mark in line)]
        left = left_out(seen.edges, p, selected)
        confidence = self.score.confidence(p[selected, 1], left) if seen.inked else 1.0
        return Reading(tuple(in_reading_order([_boxed(opened, line) for line in lines])), confidence, notes=seen.notes)

    def _line(self, opened: picture.Picture, seen: Seen) -> Reading:
        """Layout line: all words of the best line."""
        p = self.scored(seen)
        number = best_line(seen.words, p)
        if number is None:
            return Reading((), self.score.confidence(p[:0, 1], 0.0) if seen.inked else 1.0, notes=seen.notes)
        words = np.flatnonzero(seen.numbers == number)
        lattice = seen.words[words[0]].lattice
        marks = trimmed([lattice.mark(k) for word in lattice.words for k in word])
        right = float(np.prod(p[words, 1] / np.maximum(p[words, 0], 1e-9)))  # as it is known that they are there
        reading = Reading((_boxed(opened, marks),), right, notes=seen.notes)
        return replace(reading, alternatives=_alternatives(lattice, reading, self.line_model))

    def _digit(self, opened: picture.Picture, constraint: Constraint | None) -> Reading:
        """Layout digit: one digit, whatever the picture shows; with a constraint one that it allows, if any."""
        image, box, there = self._one_digit(opened)
        digit = self._decide(image, box, _DIGIT_PRIOR * there / (_DIGIT_PRIOR * there + 1 - there))
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

    def _one_digit(self, opened: picture.Picture) -> tuple[NDArray[np.uint8], Box, float]:
        """The 28×28 image of the likeliest single digit of a picture, its box, and P(it stands there).

        Without ink the image is all 0.
        """
        whole = opened.bounds
        if opened.grey.shape == (paper.SIDE, paper.SIDE):
            image = np.round(255 * opened.grey).astype(np.uint8)
            if is_normal(image):
                return image, whole, 1.0
        seen = self.seen(opened)
        if not seen.words:
            return np.zeros((paper.SIDE, paper.SIDE), np.uint8), whole, 0.0
        p = self.scored(seen)
        k = int(np.argmax(p[:, 0] + p[:, 1]))
        lattice, arc = seen.words[k].lattice, _single(seen.words[k])
        return lattice.candidates.images[lattice.arcs.candidate[arc]], opened.box(lattice.box(arc)), float(p[k, 0])

    def image(self, source: picture.Source) -> NDArray[np.uint8]:
        """The 28×28 uint8 in MNIST's form that the network sees of a picture of one digit; all 0 if blank."""
        return self._one_digit(picture.open_picture(source))[0]

    def pages(
        self, source: picture.Source, layout: str = "auto", min_confidence: float | None = None, **how: Any
    ) -> Iterator[Reading]:
        """``read`` for each page of a TIFF or PDF, one by one; for anything else, once."""
        for opened in picture.open_pages(source):
            yield replace(self.read(opened, layout, min_confidence, **how), page=opened.page)

    def read_many(
        self,
        sources: Iterable[picture.Source],
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
            return (_read_or_error(self, source, how) for source in sources)
        pickle.dumps(how)
        return self._shared(sources, jobs, how)

    def _shared(
        self, sources: Iterable[picture.Source], jobs: int, how: dict[str, Any]
    ) -> Iterator[Reading | LeNet5Error]:
        """The readings of sources by so many processes, in order."""
        for _, result in shared(partial(_reading, self, how), map(_sendable, sources), jobs):
            yield PictureError(f"the picture: {result.reason}") if isinstance(result, Killed) else result

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
        if images.ndim != 3 or images.shape[1:] != (paper.SIDE, paper.SIDE):
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

    def _decide(self, image: NDArray[np.uint8], box: Box, there: float) -> Digit:
        """The answer to one image, refused where none of the digits is likelier than each of them.

        ``there`` is P(a digit stands there at all).
        """
        p = self._digit_answers(image[None])[0]
        p[: len(DIGITS)] *= there
        p[-1] = 1 - p[: len(DIGITS)].sum()
        names = [*DIGITS, REFUSED]
        order = [int(k) for k in np.argsort(-p, kind="stable")]
        answer = order[0]
        others = tuple((names[k], float(p[k])) for k in order if k != answer and p[k] >= _LEAST_ALTERNATIVE)
        return Digit(names[answer], float(p[answer]), box, others, image)


def _reading(reader: Reader, how: dict[str, Any]) -> Callable[[bytes | LeNet5Error], Reading | LeNet5Error]:
    """What reads for others in a process of its own: what :func:`_sendable` gives → its reading."""
    reader._threads = 1
    return lambda sent: sent if isinstance(sent, LeNet5Error) else _read_or_error(reader, pickle.loads(sent), how)


def _sendable(source: picture.Source) -> bytes | LeNet5Error:
    """A source as it is sent to another process, or why it cannot be."""
    try:
        return pickle.dumps(source)
    except Exception as error:
        return PictureError(one_line(error, "the picture"))


def _read_or_error(reader: Reader, source: picture.Source, how: dict[str, Any]) -> Reading | LeNet5Error:
    """A reading, or the error that reading ends with, of whatever kind."""
    try:
        return reader.read(source, **how)
    except LeNet5Error as error:
        return error
    except Exception as error:
        return PictureError(one_line(error, "the picture"))


def _alternatives(lattice: Lattice, reading: Reading, model: LineModel) -> tuple[tuple[str, float], ...]:
    """The likeliest other texts of a line, separators aside: they share what its own text leaves of the probability."""
    found: dict[str, float] = {}
    for other, p in n_best(lattice.arcs, len(lattice.pieces), model.inverse_temperature, _TEXTS):
        named = "".join(DIGITS[k] if k < len(DIGITS) else REFUSED for k in other.labels if k not in model.separators)
        found[named] = found.get(named, 0.0) + p
    rest = (1 - reading.confidence) / max(1 - found.pop(reading.text, 0.0), 1e-9)
    shares = ((text, min(p * rest, 1.0)) for text, p in found.items())
    return tuple((text, p) for text, p in shares if p >= _LEAST_ALTERNATIVE)


def _likely_digits(reading: Reading) -> float:
    """How many digits of a reading are right, in the mean."""
    return sum(digit.confidence for digit in reading.digits if digit.label != REFUSED)


def _single(word: Word) -> int:
    """The arc that takes all of a word, or nearly, for one digit; of several digits the likeliest such arc."""
    arcs = word.lattice.arcs
    digits = [k for k, mark in zip(word.arcs, word.marks, strict=True) if isinstance(mark, Digit)]
    if len(digits) == 1 and arcs.label[digits[0]] < len(DIGITS):
        return digits[0]
    first, last = min(arcs.first[k] for k in word.arcs), max(arcs.last[k] for k in word.arcs)
    whole = np.flatnonzero((arcs.label >= 0) & (arcs.label < len(DIGITS)) & (arcs.first >= first) & (arcs.last <= last))
    boxes = word.lattice.candidates.boxes[arcs.candidate[whole]]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int(whole[np.argmax(arcs.score[whole] + np.log(np.maximum(area, 1)))])


def _boxed(opened: picture.Picture, marks: Sequence[Digit | Separator]) -> tuple[Digit | Separator, ...]:
    """The marks with their boxes in the picture as shown."""
    return tuple(replace(mark, box=opened.box(mark.box)) for mark in marks)


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
                confidence *= min(1.0, refused.confidence / max(mark.confidence, 1e-12))
                shown.append(refused)
            else:
                shown.append(mark)
        lines.append(tuple(shown))
    texts = reading.texts if confidence == reading.confidence else ()  # a text with "?" is not an allowed one
    return replace(reading, lines=tuple(lines), confidence=confidence, texts=texts)
