"""How large and where each class of characters stands in a line: what the 28×28 image cannot show.

Normalising takes a candidate's size and place away: a dot, a blot and a filled 0 look alike, and so do a comma and a 1.
Two numbers give them back: the logarithm of the longer side of the candidate's box in heights of the line's digits, and
how far the middle of its box is below the middle of the digits, in the same unit. Their density is a Gaussian for each
class, fitted to lines whose truth is known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5.errors import WeightsError
from lenet5.parsing import parsed_json
from lenet5.reading.pieces import HEIGHT, Pieces

__all__ = ["Geometry", "features"]

Floats = NDArray[np.float64]

_ELSEWHERE: Final = 0.03  # of the characters stand as none of their class in the lines that the fit has seen,
_WIDER: Final = 9.0  # anywhere in a Gaussian whose variance is so many times that of all characters
_TALL: Final = 0.6  # of the usual height: marks so tall tell where the digits stand
_FEWEST: Final = 30  # examples of a class; with fewer it is taken to stand as all characters do
_FLOOR: Final = 0.02**2  # the least variance


def features(pieces: Pieces, boxes: NDArray[np.int64]) -> Floats:
    """(N, 2): the log-size and the place in a line of candidates' boxes (N, 4), in heights of its digits.

    >>> from lenet5.reading.pieces import whole_marks
    >>> level = np.zeros((48, 40), np.float32)
    >>> level[:, 5:8] = level[44:48, 20:24] = 1  # a stroke and a dot on the baseline
    >>> pieces = whole_marks(level, slanted=False)
    >>> features(pieces, np.array([[5, 0, 8, 48], [20, 44, 24, 48]])).round(2).tolist()
    [[0.0, 0.0], [-2.48, 0.46]]
    """
    top, baseline = _band(pieces)
    height = max(baseline - top, 1.0)
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    return np.column_stack([np.log(np.maximum(longer, 1) / height), (middle - (top + baseline) / 2) / height])


def _band(pieces: Pieces) -> tuple[float, float]:
    """The rows of the digits' tops and of their baseline: the medians of the marks that are tall, before any cut.

    Where none is tall, digits are taken to be HEIGHT tall, as the line was scaled, around the middle of the marks.
    """
    known, mark = np.unique(pieces.mark, return_inverse=True)
    top, bottom = np.full(len(known), np.iinfo(np.int64).max), np.zeros(len(known), np.int64)
    np.minimum.at(top, mark, pieces.top)
    np.maximum.at(bottom, mark, pieces.bottom)
    height = bottom - top
    tall = height > _TALL * HEIGHT
    if not tall.any():
        middle = float(np.median(top + bottom)) / 2
        return middle - HEIGHT / 2, middle + HEIGHT / 2
    return float(np.median(top[tall])), float(np.median(bottom[tall]))


@dataclass(frozen=True)
class Geometry:
    """A Gaussian over :func:`features` for each of ``classes`` and, last, for rubbish.

    ``means`` are (C + 1, 2), ``covariances`` (C + 1, 2, 2).

    >>> dots_and_digits = Geometry(".1", np.array([(-2, 0.4), (0, 0), (-1, 0)]), np.tile(0.1 * np.eye(2), (3, 1, 1)))
    >>> int(dots_and_digits.log_densities(np.array([[-1.9, 0.5]])).argmax())  # small and low: a dot
    0
    """

    classes: str
    means: Floats
    covariances: Floats

    @classmethod
    def fitted(cls, classes: str, values: Floats, labels: NDArray[np.integer]) -> Geometry:
        """The Gaussians of features (N, 2) of candidates with labels (N,): places in ``classes``, others rubbish."""
        everything = np.cov(values.T) if len(values) > 1 else np.eye(2)
        means = np.tile(values.mean(axis=0), (len(classes) + 1, 1))
        covariances = np.tile(everything, (len(classes) + 1, 1, 1))
        place = np.minimum(labels, len(classes))
        for k in range(len(classes) + 1):
            values_of_class = values[place == k]
            if len(values_of_class) >= _FEWEST:
                means[k], covariances[k] = values_of_class.mean(axis=0), np.cov(values_of_class.T) + _FLOOR * np.eye(2)
        return cls(classes, means, covariances)

    def log_densities(self, values: Floats) -> Floats:
        """(N, C + 1): the logarithm of the density of features (N, 2) in each class, rubbish last."""
        densities = _log_gaussian(values, self.means, self.covariances)
        wide = _WIDER * self.covariances.mean(axis=0, keepdims=True)
        anywhere = _log_gaussian(values, self.means.mean(axis=0, keepdims=True), wide)
        return np.asarray(np.logaddexp(np.log(1 - _ELSEWHERE) + densities, np.log(_ELSEWHERE) + anywhere))

    def of(self, classes: str) -> Geometry:
        """The Gaussians of just these classes, of which each must be known, and of rubbish."""
        missing = set(classes) - set(self.classes)
        if missing:
            raise WeightsError(f"the geometry of a line does not know {min(missing)!r}: train the weights again")
        places = [self.classes.index(c) for c in classes] + [len(self.classes)]
        return Geometry(classes, self.means[places], self.covariances[places])

    def to_json(self) -> str:
        """As text, for the metadata of weights."""
        rounded = {name: np.round(getattr(self, name), 5).tolist() for name in ("means", "covariances")}
        return json.dumps({"classes": self.classes, **rounded}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Geometry:
        """From :meth:`to_json`. Raises WeightsError for anything else."""
        try:
            stored = parsed_json(text)
            classes, means, covariances = stored["classes"], np.array(stored["means"]), np.array(stored["covariances"])
            n = len(classes) + 1
            sound = means.shape == (n, 2) and covariances.shape == (n, 2, 2) and np.isfinite(means).all()
            if not sound or not (np.linalg.eigvalsh(covariances) > 0).all():
                raise ValueError
        except (ValueError, KeyError, TypeError, np.linalg.LinAlgError):
            raise WeightsError("the weights' metadata has no sound geometry of a line: train them again") from None
        return cls(classes, means, covariances)


def _log_gaussian(values: Floats, means: Floats, covariances: Floats) -> Floats:
    """(N, K): the logarithm of K Gaussians' densities at values (N, 2)."""
    away = values[:, None] - means
    inverse, determinant = np.linalg.inv(covariances), np.linalg.det(covariances)
    squares = np.einsum("nki,kij,nkj->nk", away, inverse, away)
    return np.asarray(-0.5 * (squares + np.log(determinant) + 2 * np.log(2 * np.pi)))
