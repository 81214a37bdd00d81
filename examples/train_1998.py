"""The training of the 1998 paper from top to bottom: one pattern, one step, each weight at a rate of its own.

python examples/train_1998.py            the embedded 8×8 digits, no download
python examples/train_1998.py mnist      MNIST

`lenet5 train --recipe paper` does the same and keeps the weights. Sections and equations are the paper's: LeCun,
Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lenet5 import engine, paper, pixels, weights
from lenet5.criterion import maximum_a_posteriori
from lenet5.learning.data import load

PASSES = 20  # section III-B
RATES = (5e-4, 5e-4, 2e-4, 2e-4, 2e-4, 1e-4, 1e-4, 1e-4, 5e-5, 5e-5, 5e-5, 5e-5, 1e-5)  # η of each pass, then the last
DAMPING = np.float32(1)  # μ of appendix C; section III-B has 0.02, docs/accuracy.md says why it is 1 here
PATTERNS = 500  # tell the curvature before each pass
EQUATION_9 = maximum_a_posteriori(j=5)  # the right class near, all others far: −log of its posterior, rubbish at j


def train(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    seed: int = 0,
    passes: int = PASSES,
    report: Callable[[int, NDArray[np.float32]], None] = lambda number, parameters: None,
) -> NDArray[np.float32]:
    """LeNet-5's parameters (60000,) trained on images (N, 28, 28), ink 255; ``report`` of each pass when it is over."""
    generator = np.random.default_rng(seed)

    # Section II-B, appendix A: uniform in ±2.4 / fan-in, so that every unit begins on the slope of its squashing.
    parameters = weights.initial(paper.LENET5, generator)

    # Section II-B: 28×28 in the middle of 32×32; paper is −0.1 and ink 1.175, so that mean and variance are 0 and 1.
    shown = pixels.network_input(paper.LENET5, images)

    for number in range(1, passes + 1):
        # Appendix C: ε_k = η / (μ + h_kk). Where the criterion bends much the step is short. h_kk is the diagonal
        # second derivative, Gauss–Newton's, on a few patterns.
        some = generator.choice(len(images), min(PATTERNS, len(images)), replace=False)
        h = engine.curvature(parameters, shown[some], labels[some], EQUATION_9)
        epsilon = np.float32(RATES[min(number, len(RATES)) - 1]) / (h + DAMPING)

        # Section I, eq. 3: stochastic gradient, one step a pattern, in random order.
        for k in generator.permutation(len(images)):
            _, gradient = engine.gradient(parameters, shown[k : k + 1], labels[k : k + 1], EQUATION_9)
            parameters -= epsilon * gradient
        report(number, parameters)
    return parameters


def error_percent(parameters: NDArray[np.float32], images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
    """Of images, those that are nearest to a wrong class's code: the smallest output is the answer (eq. 7)."""
    distances = engine.forward(parameters, pixels.network_input(paper.LENET5, images))
    return 100 * float((distances.argmin(axis=1) != labels).mean())


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "digits"
    known, test = load(name, "train"), load(name, "test")

    def tell(number: int, parameters: NDArray[np.float32]) -> None:
        error = error_percent(parameters, test.images, test.labels)
        print(f"pass {number:2d}  η {RATES[min(number, len(RATES)) - 1]:.0e}  test error {error:.2f}%", flush=True)

    train(known.images, known.labels, report=tell)
