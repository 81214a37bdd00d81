"""Network outputs → P(digit) and P(rubbish). The only place where penalties become probabilities.

Eq. 9 of the paper gives each class the energy y_i, the output's penalty, and the rubbish class the
constant energy j. Read as a Gibbs distribution with temperature T,

    P(i) = e^(−y_i/T) / (e^(−j/T) + Σ_k e^(−y_k/T)),      P(rubbish) = e^(−j/T) / (the same sum),

which with T = 1 is what eq. 9 trains; T is fitted on validation images. Logits are penalties with
the sign turned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lenet5 import paper

__all__ = ["RUBBISH", "fit_temperature", "penalties", "probabilities"]

RUBBISH = 10
"""The column of the rubbish class, after the ten digits."""


def penalties(network: paper.Network, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs (N, 10) as penalties (N, 10), the smallest the answer: distances as they are, logits negated."""
    return outputs if network.output == "distances" else -outputs


def probabilities(penalty: NDArray[np.floating], j: float, temperature: float = 1.0) -> NDArray[np.float64]:
    """P of the ten digits and, last, of rubbish: (N, 11), rows adding to 1.

    ``penalty`` is (N, 10). With j infinite, rubbish has probability 0. Subtracting the smallest
    energy first keeps every exponential in range: at the start of training every y is near 84.
    """
    energies = np.empty((len(penalty), RUBBISH + 1))
    energies[:, :RUBBISH] = penalty
    energies[:, RUBBISH] = j
    likelihoods = np.exp((energies.min(axis=1, keepdims=True) - energies) / temperature)
    return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True))


def fit_temperature(penalty: NDArray[np.floating], labels: NDArray[np.integer], j: float) -> float:
    """The temperature in 0.1..10 under which the labels (N,) are likeliest; 1 where there are none.

    One more error is imagined, of average size: a few hundred images without any would otherwise
    make the network as sure as can be.
    """
    if len(labels) == 0:
        return 1.0
    rows, right = np.arange(len(labels)), np.minimum(labels, RUBBISH)

    def surprise(temperature: float) -> float:
        p = np.maximum(probabilities(penalty, j, temperature), 1e-12)
        second = np.partition(p, -2, axis=1)[:, -2]
        return float(-np.log(p[rows, right]).sum() - np.log(second).mean())

    low, high = 0.1, 10.0
    for _ in range(4):  # the surprise is convex in 1/T: eleven candidates, then eleven around the best
        candidates = np.geomspace(low, high, 11)
        best = int(np.argmin([surprise(float(candidate)) for candidate in candidates]))
        low, high = float(candidates[max(best - 1, 0)]), float(candidates[min(best + 1, 10)])
    return float(candidates[best])
