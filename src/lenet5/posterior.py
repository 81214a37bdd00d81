"""Network outputs → P(digit) and P(rubbish). The only place where penalties become probabilities.

Eq. 9 of the paper gives each class the energy y_i, the output's penalty, and the rubbish class the
constant energy j. Read as a Gibbs distribution with temperature T,

    P(i) = e^(−y_i/T) / (e^(−j/T) + Σ_k e^(−y_k/T)),      P(rubbish) = e^(−j/T) / (the same sum),

which with T = 1 is the posterior of eq. 9; T is fitted on validation images. A penalty is a distance, or a
negated logit.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.codes import DIGITS, SEPARATORS
from lenet5.errors import ArrayError

__all__ = ["RUBBISH", "fit_rubbish", "fit_temperature", "of_classes", "penalties", "probabilities"]

RUBBISH = 10
"""The column of the rubbish class among the ten digits: rubbish always comes after the classes."""

_HUGE: Final = float(np.finfo(np.float32).max)  # a penalty that overflowed: as large as one can be that did not


def penalties(network: paper.Network, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs (N, C) as penalties (N, C), the smallest the answer: distances as they are, logits negated.

    >>> logits = np.array([[2.0, -1.0]], np.float32)
    >>> penalties(paper.CONCISE, logits).tolist()
    [[-2.0, 1.0]]
    """
    return outputs if network.output == "distances" else -outputs


def probabilities(penalty: NDArray[np.floating], j: float, temperature: float = 1.0) -> NDArray[np.float64]:
    """P of the classes and, last, of rubbish: (N, C + 1), rows adding to 1.

    ``penalty`` is (N, C). With j infinite, rubbish has probability 0. Subtracting the smallest
    energy first keeps every exponential in range: at the start of training every y is near 84. A penalty that
    overflowed (weights near the largest float32 do that) counts as a very large one, so that rows stay finite.

    >>> probabilities(np.array([[1.0, 3.0]]), j=2.0).round(3).tolist()
    [[0.665, 0.09, 0.245]]
    """
    n, classes = penalty.shape
    energies = np.empty((n, classes + 1))
    energies[:, :classes] = np.nan_to_num(penalty.astype(np.float64), nan=_HUGE, posinf=_HUGE, neginf=-_HUGE)
    energies[:, classes] = j
    likelihoods = np.exp((energies.min(axis=1, keepdims=True) - energies) / temperature)
    return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True))


def of_classes(
    penalty: NDArray[np.floating], classes: str, kept: str, j: float, temperature: float = 1.0
) -> NDArray[np.float64]:
    """P of the classes that are ``kept`` and, last, of "none of these": (N, kept + 1), rows adding to 1.

    ``classes`` names the columns of the penalties (N, C). Separators that are not kept do not compete at all, so that
    a lone slanted stroke is a 1. Letters and signs that are not kept count as rubbish: their likelihoods are added to
    its. Raises ArrayError unless there is a column for each class.

    >>> classes = "0123456789/"
    >>> penalty = np.full((1, 11), 50.0)
    >>> penalty[0, 1], penalty[0, 10] = 5.0, 4.0  # a slanted stroke: rather "/" than 1
    >>> int(of_classes(penalty, classes, DIGITS, j=20.0).argmax())
    1
    """
    if penalty.ndim != 2 or penalty.shape[1] != len(classes):
        raise ArrayError(f"penalties of the classes {classes} are (N, {len(classes)}), not {penalty.shape}")
    places = [classes.index(c) for c in kept if c in classes]
    others = [k for k, c in enumerate(classes) if c not in kept and c not in SEPARATORS]
    p = probabilities(penalty[:, places + others], j, temperature)
    n = len(places)
    return np.column_stack([p[:, :n], p[:, n:].sum(axis=1)])


def fit_temperature(penalty: NDArray[np.floating], labels: NDArray[np.integer], j: float) -> float:
    """The temperature in 0.1..10 that maximises the likelihood of labels (N,); 1 where there are none.

    One error of average size is added: a few hundred images without any error would otherwise drive the
    temperature to its lower bound.

    >>> penalty = np.array([[0.0, 4.0], [0.0, 4.0], [0.0, 4.0], [4.0, 0.0]])
    >>> fit_temperature(penalty, np.array([0, 0, 0, 0]), j=float("inf")) > 1  # one of four is wrong: less sure
    True
    """
    if len(labels) == 0:
        return 1.0
    rows, right = np.arange(len(labels)), np.minimum(labels, penalty.shape[1])

    def surprise(temperature: float) -> float:
        p = np.maximum(probabilities(penalty, j, temperature), 1e-12)
        second = np.sort(p, axis=1)[:, -2]
        return float(-np.log(p[rows, right]).sum() - np.log(second).mean())

    low, high = 0.1, 10.0
    for _ in range(4):  # the surprise is convex in 1/T: try eleven temperatures, then eleven around the best
        candidates = np.geomspace(low, high, 11)
        best = int(np.argmin([surprise(float(candidate)) for candidate in candidates]))
        low, high = float(candidates[max(best - 1, 0)]), float(candidates[min(best + 1, 10)])
    return float(candidates[best])


_RARE: Final = 0.01  # the assumed proportion of rubbish


def fit_rubbish(
    penalty: NDArray[np.floating], labels: NDArray[np.integer], classes: str = DIGITS
) -> tuple[float, float]:
    """The temperature and j that maximise the likelihood of labels (N,) of digits and rubbish.

    Images are weighted as if one in 100 were rubbish. Only the digits of all ``classes`` compete (:func:`of_classes`);
    images of other classes are left out. So is rubbish that lies nearer to a code than half of the digits: it looks
    like a digit. Raises ArrayError where there are no digits or no rubbish.

    >>> generator = np.random.default_rng(0)
    >>> digits = np.full((50, 10), 60.0)
    >>> digits[:, 3] = generator.uniform(2, 8, 50)
    >>> rubbish = generator.uniform(30, 60, (50, 10))
    >>> labels = np.repeat([3, 255], 50)
    >>> temperature, j = fit_rubbish(np.concatenate([digits, rubbish]), labels)
    >>> 8 < j < 45
    True
    """
    is_rubbish, smallest = labels == paper.NOT_A_DIGIT, penalty[:, :RUBBISH].min(axis=1)
    counted = labels < RUBBISH
    if counted.any():
        counted |= smallest > np.median(smallest[counted])
    penalty, labels, is_rubbish = penalty[counted], labels[counted], is_rubbish[counted]
    if is_rubbish.all() or not is_rubbish.any():
        raise ArrayError("j is fitted to digits and rubbish, and one of them is lacking")
    rows, right = np.arange(len(labels)), np.minimum(labels, RUBBISH)
    weight = np.where(is_rubbish, _RARE / is_rubbish.sum(), (1 - _RARE) / (~is_rubbish).sum())

    def surprise(fit: tuple[float, float]) -> float:
        temperature, j = fit
        return float(
            -(
                weight * np.log(np.maximum(of_classes(penalty, classes, DIGITS, j, temperature)[rows, right], 1e-12))
            ).sum()
        )

    most = float(smallest.max())
    best = min(product(np.geomspace(0.3, 15, 12), np.linspace(most / 24, most * 1.25, 30)), key=surprise)
    for width in (0.5, 0.12):  # and around the best, ever closer
        near = np.linspace(1 - width / 2, 1 + width / 2, 9), np.linspace(-width / 10, width / 10, 9)
        best = min(((best[0] * a, best[1] + b * most) for a, b in product(*near)), key=surprise)
    return float(best[0]), float(best[1])
