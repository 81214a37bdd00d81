"""Features of words → the probability that a number stands there, and that it is read rightly.

The page score is a small network whose weights are fitted at the end of ``train --recipe reading`` on drawn pages
(:mod:`lenet5.global_training.page_score`): it knows nothing of pictures but the features of their words.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import WeightsError
from lenet5.parsing import parsed_json
from lenet5.reading.word_features import FEATURES

__all__ = ["CONTEXT", "Judge", "PageScore", "with_context"]

Floats = NDArray[np.float64]

CONTEXT: Final = (
    "there",
    "right",
    "beside it: mean",
    "beside it: most",
    "beside it: least",
    "beside it: any",
    "as tall elsewhere: most",
    "as tall elsewhere: any",
)
"""What the second judge knows besides: what the first says of the word and of those in its line and as tall."""

_JUDGES: Final = ("first", "second")
_AS_TALL: Final = 0.4  # of a logarithm of height
_CERTAIN: Final = 500.0  # a logit beyond this would overflow


@dataclass(frozen=True)
class Judge:
    """A network of one hidden layer: (N, F) → logits (N, 2).

    ``mean`` and ``spread`` (F,) standardise; ``hidden`` (F + 1, H) and ``output`` (H + 1, 2) are weights with the bias
    last.

    >>> judge = Judge(np.zeros(1), np.ones(1), np.array([[1.0], [0.0]]), np.array([[2.0, 1.0], [0.0, 0.0]]))
    >>> judge(np.array([[0.0], [4.0]])).round(2).tolist()  # 2 tanh x and tanh x
    [[0.0, 0.0], [2.0, 1.0]]
    """

    mean: Floats
    spread: Floats
    hidden: Floats
    output: Floats

    def __call__(self, features: Floats) -> Floats:
        """Logits (N, 2) for features (N, F)."""
        scaled = np.clip((features - self.mean) / self.spread, -4, 4)
        active = np.tanh(scaled @ self.hidden[:-1] + self.hidden[-1])
        return np.asarray(np.clip(active @ self.output[:-1] + self.output[-1], -_CERTAIN, _CERTAIN))

    def is_sound(self, features: int) -> bool:
        """Whether the arrays fit so many features and each other, and are finite."""
        width = self.hidden.shape[1] if self.hidden.ndim == 2 else 0
        shapes = (features,), (features,), (features + 1, width), (width + 1, 2)
        arrays = self.mean, self.spread, self.hidden, self.output
        fits = all(own.shape == shape and np.isfinite(own).all() for own, shape in zip(arrays, shapes, strict=True))
        return fits and bool((self.spread > 0).all())


def with_context(features: Floats, lines: NDArray[np.int64], logits: Floats) -> Floats:
    """(N, F + len(CONTEXT)): the features and what the first judge, with ``logits`` (N, 2), says of the words beside.

    ``lines`` (N,) tell which words are of one line.

    >>> features, logits = np.zeros((2, len(FEATURES))), np.array([[3.0, 2.0], [1.0, 0.5]])
    >>> with_context(features, np.array([0, 0]), logits)[0, -8:].tolist()  # two words of one line
    [3.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    there, height = logits[:, 0], features[:, FEATURES.index("log height")]
    rows = np.zeros((len(features), len(CONTEXT)))
    rows[:, :2] = logits
    for k in range(len(features)):
        beside = lines == lines[k]
        beside[k] = False
        if beside.any():
            own = there[beside]
            rows[k, 2:6] = own.mean(), own.max(), own.min(), 1.0
        alike = (lines != lines[k]) & (np.abs(height - height[k]) < _AS_TALL)
        if alike.any():
            rows[k, 6:] = there[alike].max(), 1.0
    return np.concatenate([features, rows], axis=1)


@dataclass(frozen=True)
class PageScore:
    """Features (N, F) → P(a number stands there) and P(and it is read rightly), (N, 2).

    The ``first`` judge sees each word by itself, the ``second`` also what the first says of the words beside it: what
    stands in a row of numbers likely is one. ``whole`` (4,) calibrates a picture's confidence: see :meth:`confidence`.

    >>> from lenet5 import weights
    >>> score = PageScore.from_json(weights.load("lenet5").metadata["score"])
    >>> surer, less_sure = score.confidence(np.array([0.99]), 0.0), score.confidence(np.array([0.6]), 0.0)
    >>> 0 < less_sure < surer < 1
    True
    """

    first: Judge
    second: Judge
    whole: Floats

    def __call__(self, features: Floats, lines: NDArray[np.int64]) -> Floats:
        """(N, 2) probabilities for features (N, F) of words of these ``lines`` (N,)."""
        if len(features) == 0:
            return np.zeros((0, 2))
        logits = self.second(with_context(features, lines, self.first(features)))
        p = 1 / (1 + np.exp(-logits))
        return np.asarray(np.stack([p[:, 0], p[:, 0] * p[:, 1]], axis=1))

    def confidence(self, right: Floats, left_out: float) -> float:
        """P(the whole text is right), from P(right) of the words given, (N,), and P(there) of the likeliest left out.

        For an empty text P(nothing stands there).
        """
        given, nothing = float(np.log(np.maximum(right, 1e-6)).sum()), float(np.log(max(1 - left_out, 1e-6)))
        a, b, c, d = self.whole
        logit = a + b * given + c * nothing if len(right) else d + c * nothing
        return float(1 / (1 + np.exp(-np.clip(logit, -_CERTAIN, _CERTAIN))))

    def to_json(self) -> str:
        """As text, for the metadata of weights."""
        judges = {name: {k: np.round(v, 3).tolist() for k, v in vars(getattr(self, name)).items()} for name in _JUDGES}
        stored = {"features": FEATURES, **judges, "whole": np.round(self.whole, 4).tolist()}
        return json.dumps(stored, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PageScore:
        """From :meth:`to_json`. Raises WeightsError for anything else."""
        try:
            stored = parsed_json(text)
            first, second = (
                Judge(*(np.array(stored[name][k], np.float64) for k in ("mean", "spread", "hidden", "output")))
                for name in _JUDGES
            )
            whole = np.array(stored["whole"], np.float64)
            sound = first.is_sound(len(FEATURES)) and second.is_sound(len(FEATURES) + len(CONTEXT))
            if (
                tuple(stored["features"]) != FEATURES
                or not sound
                or whole.shape != (4,)
                or not np.isfinite(whole).all()
            ):
                raise ValueError
        except (ValueError, KeyError, TypeError, IndexError, OverflowError):
            raise WeightsError("the weights' metadata has no sound page score: train them again") from None
        return cls(first, second, whole)
