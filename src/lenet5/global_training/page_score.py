"""The page score: fitted to drawn pages with known truth, at the end of ``train --recipe reading``.

It answers two questions about each word that the reader sees: is there a number, and if so, is it read correctly?
With a single question, hard lines would be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lenet5.global_training.page_examples import Example, PageMaker, examples_of
from lenet5.reading.score import Judge, PageScore, with_context
from lenet5.reading.select import best_set, left_out
from lenet5.reading.word_features import FEATURES
from lenet5.weights import Weights

__all__ = ["PAGES", "fitted", "judges_of", "outcome", "with_page_score"]

Floats = NDArray[np.float64]

PAGES: Final = 60
"""Pages of each kind."""

_HIDDEN: Final = 128
_PASSES: Final = 20
_LEAST_STEPS: Final = 1000
_BATCH: Final = 256  # words
_RATE: Final = 0.004
_DECAY: Final = 0.1  # times the rate: weight decay of a step; like the constants above chosen on pages left out
_PARTS: Final = 3  # folds of the pages: the second judge learns from first judges fitted to the other folds
_PRODUCT: Final = np.array([0.0, 1.0, 1.0, 0.0])  # a picture's confidence as a product of probabilities


def with_page_score(
    weights: Weights,
    make: PageMaker,
    seed: int,
    processes: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Weights:
    """The weights with the page score fitted to PAGES pages of each kind in their metadata."""
    examples = examples_of(weights, make, PAGES, processes, advance)
    with threadpool_limits(1, "blas"):  # sums in one order, however many processors there are
        score = fitted(examples, np.random.default_rng(seed))
    return replace(weights, metadata={**weights.metadata, "score": score.to_json()})


def fitted(examples: Sequence[Example], generator: np.random.Generator) -> PageScore:
    """The score of words, and of pictures.

    The confidence of pictures is fitted to pages that the judges have not seen: in two halves, each with judges fitted
    to the other.
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
    """The two judges of whether words are there and right, without the calibration of whole pictures.

    The second sees what the first says of neighbouring words on pages to which the first was not fitted, as it will be
    in use.
    """
    features = np.concatenate([example.features for example in examples])
    truths = [np.stack([example.there, example.right], axis=1) for example in examples]
    target = np.concatenate(truths).astype(np.float64)
    weight = np.concatenate([np.full(len(truth), 1 / np.sqrt(max(len(truth), 1))) for truth in truths])
    page = np.repeat(np.arange(len(examples)), [len(truth) for truth in truths])
    fold = generator.permutation(len(examples)) % _PARTS
    fitted_to = [fold[page] != k for k in range(_PARTS)]
    first = [_judge(features[words], target[words], weight[words], generator) for words in fitted_to]
    contexts = [
        with_context(example.features, example.lines, first[fold[k]](example.features))
        for k, example in enumerate(examples)
    ]
    second = _judge(np.concatenate(contexts), target, weight, generator)
    return PageScore(_judge(features, target, weight, generator), second, _PRODUCT)


def _judge(features: Floats, target: Floats, weight: Floats, generator: np.random.Generator) -> Judge:
    """A network fitted to targets (N, 2) of features (N, F): weighted cross-entropy, AdamW.

    The second target, right, counts only where the first, there, is true.
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
            by_hidden = (error @ parameters[1][:-1].T) * (1 - active**2)
            rate = _RATE * 0.5 * (1 + np.cos(np.pi * step / (passes * batches)))
            for k, slope in enumerate((x[batch].T @ by_hidden, extended.T @ error)):
                first[k] += 0.1 * (slope - first[k])
                second[k] += 0.001 * (slope**2 - second[k])
                corrected = first[k] / (1 - 0.9**step), second[k] / (1 - 0.999**step)
                parameters[k] -= rate * (corrected[0] / (np.sqrt(corrected[1]) + 1e-8) + _DECAY * parameters[k])
    return Judge(mean, spread, parameters[0], parameters[1])


def outcome(score: PageScore, example: Example) -> tuple[Floats, float, bool]:
    """Of the answer to a page: P(right) of each word, P(there) of the likeliest word left out, and whether it is right.

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
    """The weights (4,) of a picture's confidence: logistic regression on its words' P(right) and the words left out."""
    rows, truth = [], []
    for p_right, p_left_out, right in outcomes:
        log_complete = np.log(max(1 - p_left_out, 1e-6))
        has_words = float(len(p_right) > 0)
        rows.append([has_words, float(np.log(np.maximum(p_right, 1e-6)).sum()), log_complete, 1 - has_words])
        truth.append(right)
    x, y, weights = np.array(rows), np.array(truth, np.float64), _PRODUCT
    curvature = x.T @ x / 4 + 0.1 * np.eye(4)  # its upper bound (Böhning and Lindsay 1988): no step goes too far
    for _ in range(2000):  # with a weak prior around the product of probabilities
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -50, 50)))
        weights = weights - np.linalg.solve(curvature, x.T @ (p - y) + 0.1 * (weights - _PRODUCT))
    return np.asarray(weights)
