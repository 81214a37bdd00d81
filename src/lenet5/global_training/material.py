"""The training material of recipe ``reading``: images of many handwritings, and whole lines, from MNIST and UNIPEN."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS
from lenet5.global_training.sequence import Graph, SequenceLoss, fit_inverse_temperature, graph_of
from lenet5.learning.mixture import Lines, Material, Mixture
from lenet5.learning.sets import ImageSet, joined
from lenet5.learning.unipen import LICENCE, Writing, held_out_writers
from lenet5.learning.unipen_pictures import isolated_digits, numbers_of
from lenet5.reading.geometry import Geometry, features
from lenet5.synthesis.images import characters, hard_digits, junk, letters, separators
from lenet5.synthesis.lines import SeenLine, seen, written_numbers
from lenet5.synthesis.strings import lines
from lenet5.synthesis.symbols import CLASSES, Source, from_images, from_writers

__all__ = ["Synthesis", "by_writer"]

Floats = NDArray[np.float32]

_A_PASS: Final = 6.0  # synthesized images for each that a pass shows: an image is shown every six passes
_WRITTEN: Final = 0.25  # of the lines are numbers as they were written, where there are any
_HELD_OUT: Final = 0.16  # lines for each held-out image: the scale of a line's score is fitted to them


def by_writer(writings: Sequence[Writing]) -> tuple[list[Writing], list[Writing]]:
    """The writings that are trained on and those of the held-out writers.

    >>> writings = [Writing("7", "CHARACTER", f"writer {k}", "a file", ()) for k in range(10)]
    >>> training, held_out = by_writer(writings)
    >>> len(training), sorted(writing.writer for writing in held_out)  # a fixed fifth of the writers
    (8, ['writer 8', 'writer 9'])
    """
    held_out = held_out_writers(writings)
    return [w for w in writings if w.writer not in held_out], [w for w in writings if w.writer in held_out]


class Synthesis:
    """Makes the material of recipe ``reading`` (:class:`lenet5.learning.mixture.Synthesizer`).

    ``writings`` are UNIPEN's; without any, everything is made from the training images and from drawn separators.
    It takes minutes: ``report`` takes a line before each kind, and after each tenth of the lines.

    >>> from lenet5.learning.distort import NONE
    >>> images = np.zeros((10, 28, 28), np.uint8)
    >>> images[:, 4:24, 12:16] = 255
    >>> ones, mixture = ImageSet("ones", images, np.ones(10, np.uint8)), Mixture((("junk", 0.1),), NONE)
    >>> material = Synthesis()(ones, None, mixture, 30.0, np.random.default_rng(0))
    >>> {kind: len(images.images) for kind, images in material.images.items()}  # six for each that a pass shows
    {'junk': 6}
    """

    def __init__(
        self, writings: Sequence[Writing] = (), classes: str = CLASSES, report: Callable[[str], None] | None = None
    ) -> None:
        self._report = report or (lambda line: None)
        self._training, self._held_out = by_writer(writings)
        self._classes = classes
        self.sources = (_described(self._training, writings),) if writings else ()
        """The writings, with a digest of all strokes."""

    def __call__(
        self, training: ImageSet, held_out: ImageSet | None, mixture: Mixture, j: float, generator: np.random.Generator
    ) -> Material:
        counts = {kind: round(share * len(training.images) * _A_PASS) for kind, share in mixture.shares}
        images = self._images(training, self._training, counts, generator)
        finish: Callable[[Callable[[NDArray[np.uint8]], Floats], float, float], Mapping[str, str]]
        finish, loss = _no_metadata, None
        if mixture.lines:
            count = round(mixture.lines.per_image * len(training.images))
            seen_lines: list[SeenLine] = []
            for line in self._seen_lines(training, self._training, mixture.lines, count, generator):
                if 10 * len(seen_lines) // count < 10 * (len(seen_lines) + 1) // count:
                    self._report(f"making lines: {100 * (len(seen_lines) + 1) // count}% of {count}")
                seen_lines.append(line)
            images |= _candidates(seen_lines, counts, generator)
            geometry = _geometry(self._classes, seen_lines)
            graphs = [graph_of(line.pieces, line.candidates, line.labels, geometry) for line in seen_lines]
            loss = SequenceLoss(graphs, mixture.lines.at_once, mixture.distortion, j, generator)
            if held_out:
                unseen = self._calibrating_lines(held_out, mixture.lines, generator)
                finish = _Fit(geometry, [graph_of(k.pieces, k.candidates, k.labels, geometry) for k in unseen])
        calibrating = self._calibrating(held_out, generator) if held_out else None
        return Material(images, calibrating, loss, self.sources, finish)

    def _images(
        self, training: ImageSet, writings: Sequence[Writing], counts: Mapping[str, int], generator: np.random.Generator
    ) -> dict[str, ImageSet]:
        """The synthesized images that need no line, by kind."""
        digits = _digits_of(training)
        isolated = isolated_digits(writings)
        makers: dict[str, Callable[[int], ImageSet]] = {"hard digits": lambda n: hard_digits(digits, n, generator)}
        if isolated:
            makers["hands"] = lambda n: characters(isolated, n, self._classes, generator)
        if len(self._classes) > len(DIGITS):
            makers["separators"] = lambda n: separators(writings, n, self._classes, generator)
        makers["junk"] = lambda n: junk(digits, n, generator)
        if isolated:
            makers["letters"] = lambda n: letters(writings, n, self._classes, generator)
        images = {}
        for kind, maker in makers.items():
            if n := counts.get(kind):
                self._report(f"making {n} {kind}")
                images[kind] = maker(n)
        return images

    def _seen_lines(
        self, data: ImageSet, writings: Sequence[Writing], options: Lines, count: int, generator: np.random.Generator
    ) -> Iterator[SeenLine]:
        """``count`` lines as the reader sees them: of image digits, of writers' digits, and numbers as written."""
        sources: list[Source] = [from_images(data)]
        numbers = self._numbers(writings)
        if writings:
            sources.append(from_writers(writings))
        number_count = round(_WRITTEN * count) if numbers else 0
        for line in lines(sources, count - number_count, options.longest, generator, True, self._classes):
            if (seen_line := seen(line)) is not None:
                yield seen_line
        if number_count:
            yield from written_numbers(numbers, number_count, generator)

    def _calibrating_lines(
        self, held_out: ImageSet, options: Lines, generator: np.random.Generator
    ) -> Iterator[SeenLine]:
        """Held-out lines: numbers as held-out writers wrote them; without any, lines of held-out digits."""
        count = round(_HELD_OUT * len(held_out.images))
        numbers = self._numbers(self._held_out)
        if numbers:
            return written_numbers(numbers, count, generator)
        return self._seen_lines(held_out, self._held_out, options, count, generator)

    def _numbers(self, writings: Sequence[Writing]) -> list[Writing]:
        """The numbers on one line that consist of the classes."""
        return [w for w in numbers_of(writings) if set(w.label) <= {*self._classes, " "}]

    def _calibrating(self, held_out: ImageSet, generator: np.random.Generator) -> ImageSet:
        """Held-out images: digits of held-out writers, letters and junk."""
        n = len(held_out.images)
        counts = {"hands": n, "junk": n // 2, "letters": n // 2}
        return joined("held out", *self._images(held_out, self._held_out, counts, generator).values())


def _described(training: Sequence[Writing], writings: Sequence[Writing]) -> str:
    """UNIPEN as the metadata of weights name it, with a digest of the strokes of all writings."""
    digest = hashlib.sha256()
    for writing in writings:
        digest.update(writing.label.encode())
        for stroke in writing.strokes:
            digest.update(np.ascontiguousarray(stroke).data)
    writers, some = len({w.writer for w in training}), f"{len(training)} of {len(writings)} writings"
    return f"UNIPEN train_r01_v07 ({LICENCE}), {writers} writers, {some}, sha256 {digest.hexdigest()}"


def _digits_of(data: ImageSet) -> ImageSet:
    """The images of a set that show a digit."""
    is_digit = data.labels < len(DIGITS)
    return ImageSet(data.name, data.images[is_digit], data.labels[is_digit])


def _candidates(
    seen_lines: Sequence[SeenLine], counts: Mapping[str, int], generator: np.random.Generator
) -> dict[str, ImageSet]:
    """The lines' candidates whose truth is known: characters, and parts of lines."""
    truths = np.concatenate([line.truths for line in seen_lines])
    images = np.concatenate([line.candidates.images for line in seen_lines])
    is_part = truths == paper.NOT_A_DIGIT
    sets = {}
    for kind, selected in (("characters of lines", (truths >= 0) & ~is_part), ("parts of lines", is_part)):
        numbers = np.flatnonzero(selected)
        numbers = numbers[generator.permutation(len(numbers))[: counts.get(kind, 0)]]
        if len(numbers):
            sets[kind] = ImageSet(kind, images[numbers], truths[numbers].astype(np.uint8))
    return sets


def _geometry(classes: str, seen_lines: Sequence[SeenLine]) -> Geometry:
    """How large and where the characters of these lines stand."""
    values = np.concatenate([features(line.pieces, line.candidates.boxes) for line in seen_lines])
    truths = np.concatenate([line.truths for line in seen_lines])
    return Geometry.fitted(classes, values[truths >= 0], truths[truths >= 0])


class _Fit:
    """The metadata for reading lines: the geometry of lines, and the inverse temperature of their scores."""

    def __init__(self, geometry: Geometry, graphs: list[Graph]) -> None:
        self._geometry, self._graphs = geometry, graphs

    def __call__(
        self, penalties: Callable[[NDArray[np.uint8]], Floats], j: float, temperature: float
    ) -> Mapping[str, str]:
        penalty = penalties(np.concatenate([graph.images for graph in self._graphs])) / temperature
        power = fit_inverse_temperature(self._graphs, penalty, j / temperature)
        return {"geometry": self._geometry.to_json(), "inverse_temperature": f"{power:.4f}"}


def _no_metadata(penalties: Callable[[NDArray[np.uint8]], Floats], j: float, temperature: float) -> Mapping[str, str]:
    return {}
