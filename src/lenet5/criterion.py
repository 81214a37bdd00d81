"""The criteria that training minimises, and their derivatives by the penalties of each image.

A penalty y_i is a distance of LeNet5's output or a negated logit of the concise network
(:func:`lenet5.posterior.penalties`), so one set of formulas serves both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import ArrayError
from lenet5.posterior import probabilities

__all__ = ["CROSS_ENTROPY", "MEAN_PENALTY", "Criterion", "Desired", "maximum_a_posteriori"]

Desired = NDArray[np.integer[Any]] | NDArray[np.floating[Any]]
"""Labels (N,) of whole numbers, or targets (N, C + 1) of floats: probabilities of the classes and, last, of rubbish."""


@dataclass(frozen=True)
class Criterion:
    """Eq. 8 or eq. 9 of the paper as a function of penalties.

    ``discriminative`` false is eq. 8, E = y_D; true is eq. 9, E = y_D + log(e^−j + Σ_i e^−y_i),
    where ``j`` > 0 is the penalty of the rubbish class. Eq. 9 with j = ∞ is the cross-entropy of
    the negative penalties. An image labelled NOT_A_DIGIT has E = j + log(…): rubbish is its class.

    Where there are *targets* t instead of labels, y_D is Σ_k t_k y_k, the rubbish class among them. At a
    ``temperature`` T other than 1 the logarithm is T · log(e^(−j/T) + Σ_i e^(−y_i/T)), T times the criterion of
    distillation (Hinton, Vinyals and Dean 2015).

    >>> penalties = np.array([[1.0, 5.0, 9.0]])  # an image's penalties of three classes
    >>> loss, derivative = CROSS_ENTROPY(penalties, np.array([0]))
    >>> round(loss, 4), [round(float(d), 3) for d in derivative[0]]
    (0.0185, [0.018, -0.018, -0.0])
    """

    name: str
    discriminative: bool
    j: float = math.inf
    temperature: float = 1.0

    def __call__(self, penalties: NDArray[np.floating], desired: Desired) -> tuple[float, NDArray[np.float32]]:
        """The mean loss of penalties (N, C) for labels (N,) or targets (N, C + 1), and its derivative (N, C).

        Raises ArrayError as :meth:`check` does.
        """
        n, classes = penalties.shape
        self.check(desired, n, classes)
        target = desired if desired.ndim == 2 else np.eye(classes + 1)[np.minimum(desired, classes)]
        # y_D and its derivative: 1 for the desired class                                     eq. 8
        energies = np.column_stack([penalties, np.full(n, self.j)])
        loss = (target * np.where(target != 0, energies, 0)).sum(axis=1).mean()  # j may be infinite
        derivative = target.astype(np.float64)
        if self.discriminative:  # + T log(e^(−j/T) + Σ e^(−y_i/T)), whose derivative is −P(i) eq. 9
            smallest, t = energies.min(axis=1), self.temperature
            loss += (t * np.log(np.exp((smallest[:, None] - energies) / t).sum(axis=1)) - smallest).mean()
            derivative -= probabilities(penalties, self.j, t)
        return float(loss), (derivative[:, :-1] / n).astype(np.float32)

    def check(self, desired: Desired, n: int, classes: int = 10) -> None:
        """ArrayError unless these are ``n`` labels (n,) or targets (n, classes + 1) that this criterion knows.

        Labels are 0 to classes − 1 and, in eq. 9 with finite j, NOT_A_DIGIT. In eq. 9 targets are probabilities that
        add to 1, that of rubbish being 0 where j is infinite. Eq. 8 takes any numbers, which are its derivative.
        """
        rubbish = self.discriminative and math.isfinite(self.j)
        if desired.ndim == 2:
            if desired.shape != (n, classes + 1) or n == 0 or not np.isfinite(desired).all():
                raise ArrayError(f"{self.name} takes a row of {classes + 1} numbers for each of {n} images")
            shares = bool((desired >= 0).all()) and np.allclose(desired.sum(axis=1), 1, atol=1e-3)
            if self.discriminative and not (shares and (rubbish or not desired[:, -1].any())):
                raise ArrayError(f"{self.name} takes shares of the {classes} classes and of rubbish that add to 1")
            return
        known = f"0 to {classes - 1}" + (" or 255" if rubbish else "")
        if desired.shape != (n,) or n == 0 or desired.dtype.kind not in "iu":
            raise ArrayError(f"{self.name} takes one label of {known} for each of {n} images, not {desired.shape}")
        fits = (desired >= 0) & (desired < classes)
        if rubbish:
            fits |= desired == paper.NOT_A_DIGIT
        if not fits.all():
            raise ArrayError(f"{self.name} takes labels of {known}, not {desired[~fits][0]}")


MEAN_PENALTY = Criterion("mean penalty (eq. 8)", discriminative=False)
"""The mean penalty of the correct class."""

CROSS_ENTROPY = Criterion("cross-entropy", discriminative=True)
"""Eq. 9 with j = ∞: cross-entropy of logits or negative distances."""


def maximum_a_posteriori(j: float) -> Criterion:
    """Eq. 9, discriminative, with the rubbish class at penalty ``j`` > 0.

    >>> maximum_a_posteriori(5).name
    'maximum a posteriori (eq. 9, j = 5)'
    """
    if not j > 0:
        raise ArrayError(f"the rubbish class needs a penalty j > 0, not {j}")
    return Criterion(f"maximum a posteriori (eq. 9, j = {j:g})", discriminative=True, j=j)
