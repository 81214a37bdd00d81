"""Examples for the page score: the words that a reader sees in drawn pages, with the truth of each.

The pages are drawn with digits of held-out writers and held-out images, which the network has not seen, so that its
confidence is the same there as elsewhere.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lenet5.learning.sets import ImageSet
from lenet5.learning.unipen import Writing
from lenet5.reading.reader import Reader
from lenet5.reading.words import Word
from lenet5.result import Box, Digit
from lenet5.synthesis.pages import KINDS, Digits, Images, Page, from_writings
from lenet5.weights import Weights

__all__ = ["Example", "PageMaker", "example_of", "examples_of"]

Floats = NDArray[np.float64]

_STREAM: Final = 15  # of random numbers: benchmarks draw from others
_ASIDE: Final = 0.35  # of a character's height: the middle of its mark is at most so far to the side
_APART: Final = 0.25  # the same up or down
_AS_TALL: Final = 0.68  # the lower of the two is at least so high, in heights of the other
_MOST: Final = 0.6  # of a word's digits are true ones, and of the true digits in its box it has as many


class PageMaker:
    """Draws pages with digits of held-out images (28×28 with labels) and of held-out ``writings``, half of each.

    Page ``number`` of a kind is the same for the same ``seed``, whatever else is drawn.

    >>> images = np.zeros((1, 28, 28), np.uint8)
    >>> images[0, 4:24, 12:16] = 255
    >>> make = PageMaker(ImageSet("a one", images, np.array([1], np.uint8)), [], seed=0)
    >>> page = make("icon", 0)
    >>> page.text, bool((page.picture == make("icon", 0).picture).all())
    ('1', True)
    """

    def __init__(self, images: ImageSet, writings: Sequence[Writing], seed: int) -> None:
        digits = images.labels < 10
        self._sources: list[Digits] = [Images(images.images[digits], images.labels[digits])]
        if writings:
            self._sources.append(from_writings(writings))
        self._seed = seed

    def __call__(self, kind: str, number: int) -> Page:
        generator = np.random.default_rng([_STREAM, self._seed, list(KINDS).index(kind), number])
        return KINDS[kind](self._sources[number % len(self._sources)], generator)


def examples_of(
    weights: Weights,
    make: PageMaker,
    count: int,
    processes: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> list[Example]:
    """What a reader with these weights sees in ``count`` pages of each kind.

    They are drawn and read by ``processes`` processes, by default one for each core.
    """
    pages = [(kind, number) for number in range(count) for kind in KINDS]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start, (weights, make)) as pool:
        examples = []
        for example in pool.map(_example, *zip(*pages, strict=True), chunksize=4):
            examples.append(example)
            advance()
    return examples


_worker: dict[str, tuple[Reader, PageMaker]] = {}


def _start(weights: Weights, make: PageMaker) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits for the pages ends the work
    cv2.setNumThreads(1)
    threadpool_limits(1, "blas")
    _worker["reader"] = Reader(weights, threads=1), make


def _example(kind: str, number: int) -> Example:
    reader, make = _worker["reader"]
    return example_of(reader, kind, make(kind, number))


@dataclass(frozen=True)
class Example:
    """The words seen in one page of a ``kind``: ``features`` (N, F), ``edges`` (N, 4) and ``lines`` (N,) of each.

    Their truth, (N,) each: whether a number is ``there``, whether it is read ``right``, and how many of the page's
    ``total`` true digits are ``covered``.

    >>> from lenet5.reading.word_features import FEATURES
    >>> n = len(FEATURES)
    >>> seen = Example("number", np.zeros((2, n)), np.zeros((2, 4)), np.array([0, 0]), np.array([True, False]),
    ...                np.array([True, False]), np.array([4, 0]), total=4)
    >>> int(seen.covered[seen.right].sum()) == seen.total  # the one right word holds all digits of the page
    True
    """

    kind: str
    features: Floats
    edges: Floats
    lines: NDArray[np.int64]
    there: NDArray[np.bool_]
    right: NDArray[np.bool_]
    covered: NDArray[np.int64]
    total: int


def example_of(reader: Reader, kind: str, page: Page) -> Example:
    """What the reader sees in a drawn page, with the truth of each word.

    >>> from lenet5.synthesis.pages import TrueLine
    >>> bar = np.full((60, 60), 255, np.uint8)
    >>> bar[10:50, 27:33] = 0
    >>> page = Page(bar, (TrueLine("1", "1", (Box(27, 10, 33, 50),)),))
    >>> example = example_of(Reader(threads=1), "a bar", page)
    >>> example.there.tolist(), example.right.tolist(), example.covered.tolist(), example.total
    ([True], [True], [1], 1)
    """
    seen = reader.seen(page.picture)
    truth = np.array([_true_of(word, page) for word in seen.words], np.int64).reshape(-1, 3)
    total = sum(len(line.text) for line in page.lines)
    there, right = truth[:, 0] > 0, truth[:, 1] > 0
    return Example(kind, seen.features, seen.edges, seen.numbers, there, right, truth[:, 2], total)


def _true_of(word: Word, page: Page) -> tuple[int, int, int]:
    """Whether a number stands where the word is, whether the word's text is right, and how many digits it covers."""
    left, top, right, bottom = word.edges
    digits_of_word = [mark for mark in word.marks if isinstance(mark, Digit)]
    best = (0, 0, 0)
    for line in page.lines:
        characters = line.transcript.replace(" ", "")
        digits = [(c, box) for c, box in zip(characters, line.boxes, strict=True) if c.isdigit()]
        inside = [(c, box) for c, box in digits if left <= (box.left + box.right) / 2 < right
                  and top <= (box.top + box.bottom) / 2 < bottom]  # fmt: skip
        if not inside:
            continue
        matched = sum(any(_is_same(mark.box, box) for _, box in digits) for mark in digits_of_word)
        covered = sum(any(_is_same(mark.box, box) for mark in digits_of_word) for _, box in inside)
        there = matched >= _MOST * len(digits_of_word) and covered >= _MOST * len(inside)
        best = max(best, (int(there), int(there and word.text == "".join(c for c, _ in inside)), len(inside)))
    return best


def _is_same(box: Box, other: Box) -> bool:
    """Whether two boxes have about the same place and height."""
    height, height_of_other = box.bottom - box.top, other.bottom - other.top
    x_distance = abs(box.left + box.right - other.left - other.right) / 2
    y_distance = abs(box.top + box.bottom - other.top - other.bottom) / 2
    return (
        x_distance <= _ASIDE * height_of_other
        and y_distance <= _APART * height_of_other
        and _AS_TALL <= height / height_of_other <= 1 / _AS_TALL
    )
