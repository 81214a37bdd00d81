"""What training minimises, over the ten penalties of each image, with its derivative.

A penalty y_i is a distance of LeNet5's output or a logit of the concise network with its sign
turned (:func:`lenet5.posterior.penalties`), so one set of formulas serves both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper
from lenet5.errors import ArrayError
from lenet5.posterior import RUBBISH, probabilities

__all__ = ["CROSS_ENTROPY", "MEAN_PENALTY", "Criterion", "maximum_a_posteriori"]


@dataclass(frozen=True)
class Criterion:
    """Eq. 8 or eq. 9 of the paper as a function of penalties.

    ``discriminative`` false is eq. 8, E = y_D; true is eq. 9, E = y_D + log(e^−j + Σ_i e^−y_i),
    where ``j`` > 0 is the penalty of the rubbish class. Eq. 9 with j = ∞ is the cross-entropy of
    the negative penalties. An image labelled NOT_A_DIGIT has E = j + log(…): rubbish is its class.
    """

    name: str
    discriminative: bool
    j: float = math.inf

    def __call__(
        self, penalties: NDArray[np.floating], labels: NDArray[np.integer]
    ) -> tuple[float, NDArray[np.float32]]:
        """The mean loss over (N, 10) penalties with labels (N,), and its derivative (N, 10).

        Raises ArrayError for a label that is neither 0–9 nor, in eq. 9 with finite j, NOT_A_DIGIT.
        """
        n, rows = len(labels), np.arange(len(labels))
        desired = np.where(labels == paper.NOT_A_DIGIT, RUBBISH, labels)
        most = RUBBISH if self.discriminative and math.isfinite(self.j) else RUBBISH - 1
        if n != len(penalties) or n == 0 or desired.min() < 0 or desired.max() > most:
            raise ArrayError(f"{self.name} takes a label of 0 to 9 for each of {len(penalties)} images")
        # y_D and its derivative: 1 for the desired class                                     eq. 8
        energies = np.column_stack([penalties, np.full(n, self.j)])
        loss = energies[rows, desired].mean()
        derivative = np.zeros((n, RUBBISH + 1))
        derivative[rows, desired] = 1
        if self.discriminative:  # + log(e^−j + Σ e^−y_i), whose derivative is −P(i)           eq. 9
            smallest = energies.min(axis=1)
            loss += (np.log(np.exp(smallest[:, None] - energies).sum(axis=1)) - smallest).mean()
            derivative -= probabilities(penalties, self.j)
        return float(loss), (derivative[:, :RUBBISH] / n).astype(np.float32)


MEAN_PENALTY = Criterion("mean penalty (eq. 8)", discriminative=False)
"""The mean penalty of the correct class."""

CROSS_ENTROPY = Criterion("cross-entropy", discriminative=True)
"""Eq. 9 with j = ∞: cross-entropy of logits or negative distances."""


def maximum_a_posteriori(j: float) -> Criterion:
    """Eq. 9, discriminative, with the rubbish class at penalty ``j`` > 0."""
    if not j > 0:
        raise ArrayError(f"the rubbish class needs a penalty j > 0, not {j}")
    return Criterion(f"maximum a posteriori (eq. 9, j = {j:g})", discriminative=True, j=j)
