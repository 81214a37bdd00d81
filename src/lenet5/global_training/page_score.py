"""The page score: fitted to drawn pages with known truth, at the end of ``train --recipe reading``.

It answers two questions about each word that the reader sees: is there a number, and if so, is it read correctly?
With a single question, hard lines would be left out. The pages are drawn with digits of held-out writers and held-out
images, which the network has not seen, so that its confidence is the same there as elsewhere.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lenet5 import weights as weights_of
from lenet5.learning.sets import ImageSet
from lenet5.learning.unipen import Writing
from lenet5.reading.reader import Reader
from lenet5.reading.score import Judge, PageScore, with_context
from lenet5.reading.select import best_set, left_out
from lenet5.reading.word_features import FEATURES
from lenet5.reading.words import Word
from lenet5.result import Box, Digit
from lenet5.synthesis.pages import KINDS, Digits, Images, Page, from_writings

__all__ = [
    "PAGES",
    "Example",
    "PageMaker",
    "example_of",
    "examples_of",
    "fitted",
    "judges_of",
    "outcome",
    "with_page_score",
]

Floats = NDArray[np.float64]

PAGES: Final = 60
"""Pages of each kind."""

_STREAM: Final = 15  # of random numbers: benchmarks draw from others
_HIDDEN: Final = 128
_PASSES: Final = 20
_LEAST_STEPS: Final = 1000
_BATCH: Final = 256  # words
_RATE: Final = 0.004
_DECAY: Final = 0.1  # times the rate, of the weights at each step, chosen like the lines above on pages left out
_PARTS: Final = 3  # of the pages: the first judge that the second learns from has seen the others
_PRODUCT: Final = np.array([0.0, 1.0, 1.0, 0.0])  # a picture's confidence as a product of probabilities
_ASIDE: Final = 0.35  # of a character's height may the middle of its mark be to the side,
_APART: Final = 0.25  # and above or below its own,
_AS_TALL: Final = 0.68  # and one of the two be as tall as the other
_MOST: Final = 0.6  # of a word's digits must be true ones, and of the true ones in its box it must hold as many


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
    weights: weights_of.Weights,
    make: PageMaker,
    count: int,
    processes: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> list[Example]:
    """What a reader with these weights sees in ``count`` pages of each kind.

    They are drawn and read by so many ``processes``, or as many as there are cores.
    """
    wanted = [(kind, number) for number in range(count) for kind in KINDS]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start, (weights, make)) as pool:
        examples = []
        for example in pool.map(_example, *zip(*wanted, strict=True), chunksize=4):
            examples.append(example)
            advance()
    return examples


_worker: dict[str, tuple[Reader, PageMaker]] = {}


def _start(weights: weights_of.Weights, make: PageMaker) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits for the pages ends the work
    cv2.setNumThreads(1)
    threadpool_limits(1, "blas")  # for good
    _worker["reader"] = Reader(weights, threads=1), make


def _example(kind: str, number: int) -> Example:
    reader, make = _worker["reader"]
    return example_of(reader, kind, make(kind, number))


def with_page_score(
    weights: weights_of.Weights,
    make: PageMaker,
    seed: int,
    processes: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> weights_of.Weights:
    """The weights with the page score fitted to PAGES pages of each kind in their metadata."""
    examples = examples_of(weights, make, PAGES, processes, advance)
    with threadpool_limits(1, "blas"):  # sums in one order, however many processors there are
        score = fitted(examples, np.random.default_rng(seed))
    return replace(weights, metadata={**weights.metadata, "score": score.to_json()})


@dataclass(frozen=True)
class Example:
    """The words seen in one page of a ``kind``: ``features`` (N, F), ``edges`` (N, 4) and ``lines`` (N,) of each.

    And their truth, (N,): whether it is ``there``, and ``right``, and how many of the page's true digits, ``total`` in
    all, it covers.

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
    """Whether a number stands where the word is, whether the word's text is what stands there, and how long it is."""
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
        held = sum(any(_is_same(mark.box, box) for mark in digits_of_word) for _, box in inside)
        there = matched >= _MOST * len(digits_of_word) and held >= _MOST * len(inside)
        best = max(best, (int(there), int(there and word.text == "".join(c for c, _ in inside)), len(inside)))
    return best


def _is_same(box: Box, other: Box) -> bool:
    """Whether two boxes are about the same: in one place, and about as tall."""
    tall, height = other.bottom - other.top, box.bottom - box.top
    aside = abs(box.left + box.right - other.left - other.right) / 2
    apart = abs(box.top + box.bottom - other.top - other.bottom) / 2
    return aside <= _ASIDE * tall and apart <= _APART * tall and _AS_TALL <= height / tall <= 1 / _AS_TALL


def fitted(examples: Sequence[Example], generator: np.random.Generator) -> PageScore:
    """The whole score: of words, and of pictures.

    The confidence of pictures is fitted to pages that the judges asked about them have not seen: in two halves, each
    with judges fitted to the other.
    """
    score = judges_of(examples, generator)
    order = generator.permutation(len(examples))
    halves = [[examples[k] for k in order[start::2]] for start in (0, 1)]
    outcomes = []
    for half, other in (halves, halves[::-1]):
        judges = judges_of(half, generator)
        outcomes += [outcome(judges, example) for example in other]
    return replace(score, whole=_calibration(outcomes))


def judges_of(examples: Sequence[Example], generator: np.random.Generator) -> PageScore:
    """The two judges that tell best whether words are there and right, without the calibration of whole pictures.

    What the first says of words beside each other is shown to the second for pages that the first has not seen, so that
    it is trusted no more than it will deserve.
    """
    features = np.concatenate([example.features for example in examples])
    target = np.concatenate([np.stack([example.there, example.right], axis=1) for example in examples]).astype(
        np.float64
    )
    weight = np.concatenate(
        [np.full(len(example.there), 1 / np.sqrt(max(len(example.there), 1))) for example in examples]
    )
    page = np.repeat(np.arange(len(examples)), [len(example.there) for example in examples])
    part = generator.permutation(len(examples)) % _PARTS
    others = [part[page] != k for k in range(_PARTS)]
    first = [_judge(features[which], target[which], weight[which], generator) for which in others]
    seen = [
        with_context(example.features, example.lines, first[part[k]](example.features))
        for k, example in enumerate(examples)
    ]
    second = _judge(np.concatenate(seen), target, weight, generator)
    return PageScore(_judge(features, target, weight, generator), second, _PRODUCT)


def _judge(features: Floats, target: Floats, weight: Floats, generator: np.random.Generator) -> Judge:
    """A network with little weighted cross-entropy for targets (N, 2) of features (N, F), by AdamW.

    Whether a word is right counts where it is there.
    """
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-2)
    x = np.clip((features - mean) / spread, -4, 4)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    weights = np.stack([weight, weight * target[:, 0]], axis=1)
    weights /= np.maximum(weights.mean(axis=0), 1e-12)
    sizes = (x.shape[1], _HIDDEN), (_HIDDEN + 1, 2)
    parameters = [
        generator.normal(0, scale * size[0] ** -0.5, size) for size, scale in zip(sizes, (1, 0.1), strict=True)
    ]
    first, second = ([np.zeros(size) for size in sizes] for _ in range(2))
    batches, step = max(1, len(x) // _BATCH), 0
    passes = max(_PASSES, _LEAST_STEPS // batches)
    with threadpool_limits(1, "blas"):
        for batch in (part for _ in range(passes) for part in np.array_split(generator.permutation(len(x)), batches)):
            step += 1
            active = np.tanh(x[batch] @ parameters[0])
            extended = np.concatenate([active, np.ones((len(active), 1))], axis=1)
            outputs = 1 / (1 + np.exp(-np.clip(extended @ parameters[1], -50, 50)))
            error = weights[batch] * (outputs - target[batch]) / len(batch)
            back = (error @ parameters[1][:-1].T) * (1 - active**2)
            rate = _RATE * 0.5 * (1 + np.cos(np.pi * step / (passes * batches)))
            for k, slope in enumerate((x[batch].T @ back, extended.T @ error)):
                first[k] += 0.1 * (slope - first[k])
                second[k] += 0.001 * (slope**2 - second[k])
                corrected = first[k] / (1 - 0.9**step), second[k] / (1 - 0.999**step)
                parameters[k] -= rate * (corrected[0] / (np.sqrt(corrected[1]) + 1e-8) + _DECAY * parameters[k])
    return Judge(mean, spread, parameters[0], parameters[1])


def outcome(score: PageScore, example: Example) -> tuple[Floats, float, bool]:
    """Of the answer to a page: P(right) of each word, P(the likeliest left out), and whether it is right.

    >>> from lenet5.reading.score import CONTEXT
    >>> n = len(FEATURES)
    >>> example = Example("number", np.zeros((1, n)), np.array([[0.0, 0, 9, 9]]), np.array([0]), np.array([True]),
    ...                   np.array([True]), np.array([1]), total=1)
    >>> sure = [Judge(np.zeros(m), np.ones(m), np.zeros((m + 1, 1)), np.array([[0, 0], [4.0, 4.0]]))
    ...         for m in (n, n + len(CONTEXT))]
    >>> p_right, p_left_out, is_right = outcome(PageScore(*sure, _PRODUCT), example)
    >>> p_right.round(2).tolist(), p_left_out, is_right  # P(there) · P(right) = 0.98²
    ([0.96], 0.0, True)
    """
    p = score(example.features, example.lines)
    digits = np.exp(example.features[:, FEATURES.index("log digits")])
    selected = best_set(example.edges, example.lines, p, digits)
    right = bool(example.right[selected].all()) and int(example.covered[selected].sum()) == example.total
    return p[selected, 1], left_out(example.edges, p, selected), right


def _calibration(outcomes: Sequence[tuple[Floats, float, bool]]) -> Floats:
    """The weights (4,) of a picture's confidence: logistic regression on its words' P(right) and what was left out."""
    rows, truth = [], []
    for p_right, p_left_out, right in outcomes:
        nothing = np.log(max(1 - p_left_out, 1e-6))
        some = float(len(p_right) > 0)
        rows.append([some, float(np.log(np.maximum(p_right, 1e-6)).sum()), nothing, 1 - some])
        truth.append(right)
    x, y, whole = np.array(rows), np.array(truth, np.float64), _PRODUCT
    curvature = x.T @ x / 4 + 0.1 * np.eye(4)  # its upper bound (Böhning and Lindsay 1988): no step goes too far
    for _ in range(2000):  # with a weak prior around the product of probabilities
        p = 1 / (1 + np.exp(-np.clip(x @ whole, -50, 50)))
        whole = whole - np.linalg.solve(curvature, x.T @ (p - y) + 0.1 * (whole - _PRODUCT))
    return np.asarray(whole)
